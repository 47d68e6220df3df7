// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { IHardcapGuard } from "../../../contracts/interfaces/IHardcapGuard.sol";
import { ISpendPermissionManager } from "../../../contracts/interfaces/ISpendPermissionManager.sol";
import { ANY_PAYEE, Policy } from "../../../contracts/Policy.sol";
import { GuardTest } from "../guard/GuardTest.sol";
import { HostileAccount } from "../guard/mocks/Hostile.sol";

/// @dev Who is there, which permissions somebody has heard of, who has stopped what, and what every purse should hold:
///      kept beside the contracts, from what was done and what events said.
abstract contract World is GuardTest {
  struct Known {
    ISpendPermissionManager.SpendPermission p;
    /// @dev All zeros if the extraData stands for none.
    Policy policy;
    bytes32 hash;
    bool decodable;
    bool approved;
    bool revoked;
  }

  struct KnownPurse {
    address at;
    address account;
    bytes32 grantId;
    address agent;
    /// @dev What it should hold.
    uint256 held;
    /// @dev The permission that funded it last.
    uint256 funder;
    /// @dev What that permission put there, and others gave since.
    uint256 came;
    /// @dev What was paid since.
    uint256 paid;
  }

  uint256 internal constant PAUSED = 1;
  uint256 internal constant REVOKED = 2;
  uint256 internal constant NOBODY = type(uint256).max;

  /// @dev The thief's own key; that of the agent it has as well.
  address internal thief;
  address internal second;
  HostileAccount internal hostile;
  mapping(address => uint256) internal keyOf;
  address[] internal agents;
  bytes32[] internal grantIds;

  bytes32 internal rootOfAll;
  bytes32 internal rootOfOne;
  bytes32[][8] internal proofs;

  Known[] internal known;
  mapping(bytes32 hash => uint256 indexAndOne) internal indexOf;
  KnownPurse[] internal purses;
  mapping(address purse => uint256 indexAndOne) internal purseIndexOf;
  mapping(address account => mapping(bytes32 grantId => mapping(address by => uint256))) internal flags;

  /// @dev What the guard was given.
  uint256 internal donated;

  uint256 internal clock;
  uint256 private seed;
  uint256 private draws;

  /// @dev How often what was tried succeeded and was refused, and for which reasons.
  mapping(string what => uint256) internal done;
  mapping(string what => uint256) internal refused;
  mapping(IHardcapGuard.Reason => uint256) internal reasons;

  function setUp() public virtual override {
    super.setUp();
    clock = block.timestamp;
    second = _named("second agent");
    thief = _named("thief");
    (keyOf[agent], keyOf[orchestrator], keyOf[owner]) = (agentKey, orchestratorKey, ownerKey);
    hostile = new HostileAccount();
    _mint(address(hostile), BALANCE);
    agents = [agent, second, thief, address(hostile)];
    grantIds = [GRANT_ID, keccak256("another grant")];
    rootOfAll = _root();
    rootOfOne = keccak256(bytes.concat(keccak256(abi.encode(payees[1]))));
    for (uint256 i; i < payees.length; ++i) {
      proofs[i] = _proof(i);
    }
  }

  function _named(string memory name) private returns (address who) {
    uint256 key;
    (who, key) = makeAddrAndKey(name);
    keyOf[who] = key;
  }

  /* ---------------------------------------- chance and time ---------------------------------------- */

  /// @dev Every act starts here: whatever is drawn in it follows from `seed_`, and time is the world's own.
  modifier act(uint256 seed_) {
    (seed, draws) = (seed_, 0);
    vm.warp(clock);
    _;
  }

  function _draw(uint256 below) internal returns (uint256) {
    return uint256(keccak256(abi.encode(seed, ++draws))) % below;
  }

  function _chance(uint256 oneIn) internal returns (bool) {
    return _draw(oneIn) == 0;
  }

  /* ---------------------------------------- permissions ---------------------------------------- */

  function _learn(ISpendPermissionManager.SpendPermission memory p) internal returns (uint256 index) {
    bytes32 hash = SPM.getHash(p);
    if (indexOf[hash] != 0) return indexOf[hash] - 1;
    index = known.length;
    Known storage k = known.push();
    (k.p, k.hash, indexOf[hash]) = (p, hash, index + 1);
    try guard.explain(p.extraData) returns (Policy memory policy) {
      (k.policy, k.decodable) = (policy, true);
    } catch { }
  }

  function _isLive(Known storage k) internal view returns (bool) {
    return k.approved && !k.revoked && clock >= k.p.start && clock < k.p.end;
  }

  /// @dev Whether somebody who is heard has paused or revoked, by what they themselves called.
  function _isStopped(Known storage k) internal view returns (bool) {
    (bool paused, bool revoked) = _stops(k.p.account, k.policy);
    return paused || revoked;
  }

  function _stops(address by, Policy memory policy) internal view returns (bool paused, bool revoked) {
    mapping(address => uint256) storage of_ = flags[by][policy.grantId];
    uint256 set = of_[by] | of_[policy.orchestrator];
    return (set & PAUSED != 0, (set | of_[policy.agent]) & REVOKED != 0);
  }

  /// @dev Rather one that can pay than one that cannot.
  function _pick() internal returns (Known storage k) {
    uint256 tries = _chance(12) ? 0 : 3;
    for (uint256 i; i < tries; ++i) {
      k = known[_draw(known.length)];
      if (k.decodable && _isLive(k) && !_isStopped(k)) return k;
    }
    return known[_draw(known.length)];
  }

  /* ---------------------------------------- payees ---------------------------------------- */

  function _isPayee(bytes32 root, address payee_) internal view returns (bool) {
    if (root == ANY_PAYEE) return true;
    if (root == rootOfOne) return payee_ == payees[1];
    if (root != rootOfAll) return false;
    for (uint256 i; i < payees.length; ++i) {
      if (payees[i] == payee_) return true;
    }
    return false;
  }

  /// @dev The account's wallet is a contract that asks its owner; the hostile one accepts anything.
  function _accountSignature(ISpendPermissionManager.SpendPermission memory p)
    internal
    view
    returns (bytes memory)
  {
    return p.account == address(hostile) ? bytes("anything") : _ownerSignature(p);
  }

  /// @dev By an agent or orchestrator, EOA or not; for one that nobody is, by the thief.
  function _signatureOf(address signer, bytes32 digest) internal view returns (bytes memory) {
    if (signer == address(hostile)) return bytes("anything at all");
    return _sign(keyOf[_canSign(signer) ? signer : thief], digest);
  }

  function _canSign(address signer) internal view returns (bool) {
    return signer == address(hostile) || keyOf[signer] != 0;
  }
}
