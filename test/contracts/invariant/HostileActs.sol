// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { IHardcapGuard } from "../../../contracts/interfaces/IHardcapGuard.sol";
import { IPurse } from "../../../contracts/interfaces/IPurse.sol";
import { OwnerActs } from "./OwnerActs.sol";

/// @dev An account that runs code of its own while it pays: it asks the guard for more, by every entrance, stops itself,
///      empties its purse, or does not pay after all.
abstract contract HostileActs is OwnerActs {
  bytes[] private expectedResults;

  function hostileAccountPays(uint256 seed) external act(seed) {
    Known storage k = _pickHostile();
    bytes memory batch = _drawBatch(k);
    _plan(k, batch);
    IHardcapGuard.Reason reason = guard.check(k.p, batch);
    bool pays = hostile.approves();
    vm.recordLogs();
    vm.prank(k.policy.agent);
    try guard.pay(k.p, batch) {
      assertTrue(pays, "paid without money");
      _succeeded("hostile pay", k, reason);
      _assertResults();
    } catch (bytes memory error) {
      if (pays) _refused("hostile pay", reason, error);
      else ++refused["hostile pay"];
    }
    hostile.forget();
  }

  function hostileAccountFunds(uint256 seed) external act(seed) {
    Known storage k = _pickHostile();
    IHardcapGuard.Funding memory funding = _drawFunding(k);
    _plan(k, "");
    IHardcapGuard.Reason reason = guard.checkFunding(k.p, funding);
    bool pays = hostile.approves();
    vm.recordLogs();
    vm.prank(k.policy.agent);
    try guard.fund(k.p, funding) {
      assertTrue(pays, "funded without money");
      _succeeded("hostile fund", k, reason);
      _assertResults();
    } catch (bytes memory error) {
      if (pays) _refused("hostile fund", reason, error);
      else ++refused["hostile fund"];
    }
    hostile.forget();
  }

  /// @dev A permission of the hostile account; that with which it began if chance finds no other.
  function _pickHostile() private returns (Known storage k) {
    for (uint256 i; i < 8; ++i) {
      k = _pick();
      if (k.p.account == address(hostile) && k.decodable) return k;
    }
    return known[3];
  }

  /// @dev What the account does between `SPM.spend` and the transfer.
  function _plan(Known storage k, bytes memory batch) private {
    delete expectedResults;
    uint256 count = _draw(4);
    uint256 cap = ticketCap;
    for (uint256 i; i < count; ++i) {
      _planEntry(k, batch);
    }
    ticketCap = cap;
    if (_chance(8)) hostile.setApproves(false);
  }

  function _planEntry(Known storage k, bytes memory batch) private {
    bytes memory locked = abi.encodeWithSelector(IHardcapGuard.Reentrancy.selector);
    uint256 what = _draw(10);
    Known storage other = _pick();
    bytes memory signature = other.decodable ? _signatureOf(other.policy.agent, keccak256(batch)) : bytes("");
    if (what == 0) return _expect(address(guard), abi.encodeCall(guard.pay, (k.p, batch)), locked);
    if (what == 1) {
      return _expect(address(guard), abi.encodeCall(guard.payWithSignature, (k.p, batch, "anything")), locked);
    }
    if (what == 2) {
      return
        _expect(address(guard), abi.encodeCall(guard.payWithSignature, (other.p, batch, signature)), locked);
    }
    if (what == 3) {
      return
        _expect(address(guard), abi.encodeCall(guard.approveAndPay, (other.p, "", batch, signature)), locked);
    }
    if (what == 4) {
      IHardcapGuard.Funding memory funding = _drawFunding(other);
      return _expect(
        address(guard), abi.encodeCall(guard.fundWithSignature, (other.p, funding, signature)), locked
      );
    }
    if (what == 5) {
      return _expect(address(guard), abi.encodeCall(guard.replace, (k.p, other.p, "anything")), locked);
    }
    if (what == 6) {
      return _expect(address(guard), abi.encodeCall(guard.pause, (k.p.account, TOKEN, k.policy.grantId)), "");
    }
    if (what == 7) return _expect(address(SPM), abi.encodeCall(SPM.revoke, (k.p)), "");
    address purse = guard.purseOf(k.p.account, TOKEN, k.policy.grantId, k.policy.agent);
    if (purse.code.length == 0) return;
    if (what == 8) return _expect(purse, abi.encodeCall(IPurse.sweep, (k.p)), "");
    bytes memory onlyGuard = abi.encodeWithSelector(IPurse.OnlyGuard.selector, address(hostile));
    _expect(purse, abi.encodeCall(IPurse.noteFunding, (other.hash)), onlyGuard);
  }

  function _expect(address target, bytes memory data, bytes memory result) private {
    hostile.plan(target, data);
    expectedResults.push(result);
  }

  function _assertResults() private {
    for (uint256 i; i < expectedResults.length; ++i) {
      assertEq(hostile.results(i), expectedResults[i], "from within a payment");
      ++refused[expectedResults[i].length == 4 ? "re-enter" : "act within a payment"];
    }
  }
}
