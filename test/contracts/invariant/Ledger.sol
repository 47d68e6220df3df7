// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { Vm } from "forge-std/Vm.sol";

import { IHardcapGuard } from "../../../contracts/interfaces/IHardcapGuard.sol";
import { ISpendPermissionManager } from "../../../contracts/interfaces/ISpendPermissionManager.sol";
import { World } from "./World.sol";

interface ITokenEvents {
  event Transfer(address indexed from, address indexed to, uint256 value);
  event AuthorizationUsed(address indexed authorizer, bytes32 indexed nonce);
}

/// @dev What happened, as events tell it, in their order. Nothing here is read from the guard's storage.
abstract contract Ledger is World {
  enum Kind {
    Payment,
    Funding,
    Settlement
  }

  /// @dev Money that left the account to a payee or the purse, or the purse to a payee.
  struct Fact {
    Kind kind;
    uint256 known;
    /// @dev Of account and grantId.
    bytes32 grant;
    address agent;
    uint256 time;
    address to;
    uint256 amount;
    uint256 number;
    bytes32 task;
    /// @dev What the orchestrator allowed for the task.
    uint256 ticketCap;
    /// @dev Of a funding: what the purse held after it.
    uint256 float;
    /// @dev Approved, not revoked, in its dates, and stopped by nobody who is heard.
    bool live;
  }

  /// @dev Money that SPM took, and what the token says of it.
  struct Spend {
    uint256 known;
    uint256 time;
    uint256 amount;
    uint256 moved;
  }

  struct Move {
    address from;
    address to;
    uint256 amount;
    /// @dev Under which permission; `NOBODY` for none.
    uint256 known;
  }

  Fact[] internal facts;
  Spend[] internal spends;
  /// @dev Out of accounts, purses and the guard.
  Move[] internal moves;
  mapping(address purse => mapping(bytes32 nonce => uint256)) internal nonceUses;
  /// @dev What addresses got that may become purses.
  mapping(address purse => uint256) private early;
  /// @dev Of the batch or funding that is being made.
  uint256 internal ticketCap;

  function _grantOf(address account_, bytes32 grantId) internal pure returns (bytes32) {
    return keccak256(abi.encode(account_, grantId));
  }

  /// @dev Books what was logged since `vm.recordLogs`. To be asked after what succeeded only: logs of what was
  ///      reverted are recorded too.
  /// @param index Of the permission that the call was about, or `NOBODY`.
  function _book(uint256 index) internal {
    Vm.Log[] memory logs = vm.getRecordedLogs();
    uint256 first = facts.length;
    for (uint256 i; i < logs.length; ++i) {
      if (logs[i].emitter == address(guard)) _bookGuard(logs[i]);
      else if (logs[i].emitter == address(SPM)) _bookSpm(logs[i]);
      else if (logs[i].emitter == TOKEN) _bookToken(logs[i], index);
    }
    for (uint256 i = first; i < facts.length; ++i) {
      if (facts[i].kind == Kind.Funding) facts[i].float = USDC.balanceOf(facts[i].to);
    }
  }

  function _bookGuard(Vm.Log memory log) private {
    bytes32 topic = log.topics[0];
    if (topic == IHardcapGuard.Paid.selector || topic == IHardcapGuard.Funded.selector) _bookFact(log);
    else if (topic == IHardcapGuard.Paused.selector) _flagsOf(log)[_address(log.topics[3])] |= PAUSED;
    else if (topic == IHardcapGuard.Resumed.selector) _flagsOf(log)[_address(log.topics[3])] &= ~PAUSED;
    else if (topic == IHardcapGuard.Revoked.selector) _flagsOf(log)[_address(log.topics[3])] |= REVOKED;
  }

  function _bookFact(Vm.Log memory log) private {
    (bytes32 hash, uint256 number, uint256 amount, bytes32 task) =
      abi.decode(log.data, (bytes32, uint256, uint256, bytes32));
    uint256 index = _indexOf(hash);
    Known storage k = known[index];
    assertEq(log.topics[1], k.policy.grantId, "event: grant");
    Fact storage fact = facts.push();
    fact.kind = log.topics[0] == IHardcapGuard.Paid.selector ? Kind.Payment : Kind.Funding;
    (fact.known, fact.grant, fact.agent) = (index, _grantOf(k.p.account, k.policy.grantId), k.policy.agent);
    (fact.time, fact.to, fact.amount) = (clock, _address(log.topics[3]), amount);
    (fact.number, fact.task, fact.ticketCap) = (number, task, ticketCap);
    fact.live = _isLive(k) && !_isStopped(k);
    if (fact.kind == Kind.Funding) _bookFunding(fact.to, index);
  }

  /// @dev From now on the purse is this permission's. What it held goes back, as the token will say.
  function _bookFunding(address at, uint256 index) private {
    Known storage k = known[index];
    if (purseIndexOf[at] == 0) {
      KnownPurse storage new_ = purses.push();
      (new_.at, new_.account, new_.grantId, new_.agent) = (at, k.p.account, k.policy.grantId, k.policy.agent);
      (new_.funder, new_.held) = (NOBODY, early[at]);
      purseIndexOf[at] = purses.length;
    }
    KnownPurse storage purse = purses[purseIndexOf[at] - 1];
    if (purse.funder != index) (purse.funder, purse.came, purse.paid) = (index, 0, 0);
  }

  function _bookSpm(Vm.Log memory log) private {
    bytes32 topic = log.topics[0];
    if (topic == ISpendPermissionManager.SpendPermissionUsed.selector) {
      (, ISpendPermissionManager.PeriodSpend memory period) =
        abi.decode(log.data, (address, ISpendPermissionManager.PeriodSpend));
      spends.push(Spend(_indexOf(log.topics[1]), clock, period.spend, 0));
    } else if (topic == ISpendPermissionManager.SpendPermissionApproved.selector) {
      known[_indexOf(log.topics[1])].approved = true;
    } else if (topic == ISpendPermissionManager.SpendPermissionRevoked.selector) {
      known[_indexOf(log.topics[1])].revoked = true;
    }
  }

  function _bookToken(Vm.Log memory log, uint256 index) private {
    if (log.topics[0] == ITokenEvents.AuthorizationUsed.selector) {
      ++nonceUses[_address(log.topics[1])][log.topics[2]];
    }
    if (log.topics[0] != ITokenEvents.Transfer.selector) return;
    (address from, address to) = (_address(log.topics[1]), _address(log.topics[2]));
    uint256 amount = abi.decode(log.data, (uint256));
    _bookPurses(from, to, amount);
    if (from == stranger) return;
    moves.push(Move(from, to, amount, index));
    if (to == address(guard)) spends[spends.length - 1].moved += amount;
  }

  function _bookPurses(address from, address to, uint256 amount) private {
    if (purseIndexOf[from] != 0) {
      KnownPurse storage purse = purses[purseIndexOf[from] - 1];
      purse.held -= amount;
      if (to != purse.account) purse.paid += amount;
    }
    if (purseIndexOf[to] != 0) {
      KnownPurse storage purse = purses[purseIndexOf[to] - 1];
      (purse.held, purse.came) = (purse.held + amount, purse.came + amount);
    } else {
      early[to] += amount;
    }
  }

  /* ---------------------------------------- reading logs ---------------------------------------- */

  function _indexOf(bytes32 hash) private view returns (uint256) {
    assertGt(indexOf[hash], 0, "event: a permission that nobody knows");
    return indexOf[hash] - 1;
  }

  /// @dev Of `Paused`, `Resumed` and `Revoked`.
  function _flagsOf(Vm.Log memory log) private view returns (mapping(address by => uint256) storage) {
    return flags[_address(log.topics[1])][log.topics[2]];
  }

  function _address(bytes32 topic) private pure returns (address) {
    return address(uint160(uint256(topic)));
  }
}
