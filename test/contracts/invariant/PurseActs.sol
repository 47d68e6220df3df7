// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { IPurse } from "../../../contracts/interfaces/IPurse.sol";
import { ISpendPermissionManager } from "../../../contracts/interfaces/ISpendPermissionManager.sol";
import { ANY_PAYEE } from "../../../contracts/Policy.sol";
import { Terms } from "./Terms.sol";

/// @dev Settlements, cancellations and sweeps of purses, donations. What the purse should say is worked out here, from
///      who did what before.
abstract contract PurseActs is Terms {
  /// @dev An EIP-3009 authorization, and what is shown for it.
  struct Authorization {
    address to;
    uint112 value;
    uint48 validAfter;
    uint48 validBefore;
    bytes32 nonce;
    /// @dev The permission that is shown.
    uint256 shown;
    /// @dev Of which payee; `NOBODY` for an empty proof.
    uint256 proofOf;
    address signer;
  }

  struct Settled {
    uint256 purse;
    Authorization authorization;
    bytes blob;
  }

  Settled[] private authorizations;
  uint256 private lastNonce;

  /* ---------------------------------------- acts ---------------------------------------- */

  function facilitatorSettles(uint256 seed) external act(seed) {
    if (purses.length == 0) return;
    uint256 times = 1 + _draw(3);
    for (uint256 i; i < times; ++i) {
      _facilitatorSettles();
    }
  }

  function _facilitatorSettles() private {
    uint256 index = _draw(purses.length);
    for (uint256 i; i < 3 && purses[index].held == 0; ++i) {
      index = _draw(purses.length);
    }
    Authorization memory a = _drawAuthorization(purses[index]);
    bytes memory blob = _blobOf(purses[index], a);
    Settled storage kept = authorizations.push();
    (kept.purse, kept.authorization, kept.blob) = (index, a, blob);
    // Half of them later.
    if (_chance(2)) _settle("settle", index, a, blob);
  }

  /// @dev What an agent signed once, at another time, and once more.
  function facilitatorRepeats(uint256 seed) external act(seed) {
    if (authorizations.length == 0) return;
    Settled storage kept = authorizations[_draw(authorizations.length)];
    // Rather a late one.
    if (_chance(2)) kept = authorizations[authorizations.length - 1 - _draw(authorizations.length) / 4];
    _settle("settle again", kept.purse, kept.authorization, kept.blob);
  }

  /// @dev Bytes that agents never signed in this form, or for something else: receiving, permits, other purses.
  function strangerTriesBlobs(uint256 seed) external act(seed) {
    if (purses.length == 0) return;
    KnownPurse storage purse = purses[_draw(purses.length)];
    Authorization memory a = _drawAuthorization(purse);
    bytes memory blob = _blobOf(purse, a);
    bytes32 hash = _authorizationHash("TransferWithAuthorization", purse.at, a);
    uint256 what = _draw(5);
    // Of the hostile agent any signature is good, so only a change of the hash is one that matters.
    if (what == 0) hash = _authorizationHash("ReceiveWithAuthorization", purse.at, a);
    else if (what == 1) hash = _authorizationHash("TransferWithAuthorization", stranger, a);
    else if (what == 2) hash = keccak256(blob);
    else if (what == 3) blob = bytes.concat(blob, bytes32(_draw(2) * ERC6492_SUFFIX));
    else blob[_draw(blob.length)] ^= bytes1(uint8(1 << _draw(8)));
    bytes4 answer = IPurse(purse.at).isValidSignature(hash, blob);
    if (what < 3 || purse.agent != address(hostile)) assertEq(answer, bytes4(0xffffffff), "accepted");
    ++refused["other blobs"];
  }

  function agentCancels(uint256 seed) external act(seed) {
    if (purses.length == 0) return;
    KnownPurse storage purse = purses[_draw(purses.length)];
    bytes32 nonce = bytes32(_chance(2) ? ++lastNonce : 1 + _draw(lastNonce + 1));
    address signer = _chance(6) || !_canSign(purse.agent) ? thief : purse.agent;
    bytes memory blob =
      abi.encodePacked(uint8(2), nonce, _signatureOf(signer, _cancellationHash(purse.at, nonce)));
    bool expected =
      nonceUses[purse.at][nonce] == 0 && (signer == purse.agent || purse.agent == address(hostile));
    vm.prank(stranger);
    try USDC.cancelAuthorization(purse.at, nonce, blob) {
      assertTrue(expected, "cancelled");
      ++nonceUses[purse.at][nonce];
      ++done["cancel"];
    } catch {
      assertFalse(expected, "not cancelled");
      ++refused["cancel"];
    }
  }

  function anybodySweeps(uint256 seed) external act(seed) {
    if (purses.length == 0) return;
    KnownPurse storage purse = purses[_draw(purses.length)];
    uint256 shown = _chance(6) ? _draw(known.length) : purse.funder;
    address by =
      [purse.account, purse.agent, orchestrator, stranger, thief, second, stranger, stranger][_draw(8)];
    bool expected = _maySweep(purse, shown, by);
    vm.recordLogs();
    vm.prank(by);
    try IPurse(purse.at).sweep(known[shown].p) returns (uint256 amount) {
      assertTrue(expected, "swept");
      assertEq(amount, purse.held, "swept: not all");
      _book(NOBODY);
      ++done[amount == 0 ? "sweep nothing" : "sweep"];
    } catch (bytes memory error) {
      assertFalse(expected, "not swept");
      bytes4 selector = shown == purse.funder ? IPurse.SweepNotAllowed.selector : IPurse.NotFundedBy.selector;
      assertEq(bytes4(error), selector, "sweep: another error");
      ++refused["sweep"];
    }
  }

  function strangerDonates(uint256 seed) external act(seed) {
    Known storage k = _pick();
    address to = guard.purseOf(k.p.account, TOKEN, k.policy.grantId, k.policy.agent);
    if (_chance(8)) to = address(guard);
    uint256 amount = 1 + _draw(10);
    _mint(stranger, amount);
    if (to == address(guard)) donated += amount;
    vm.recordLogs();
    vm.prank(stranger);
    USDC.transfer(to, amount);
    _book(NOBODY);
    ++done["donate"];
  }

  uint256 private constant ERC6492_SUFFIX =
    0x6492649264926492649264926492649264926492649264926492649264926492;

  /* ---------------------------------------- what should be ---------------------------------------- */

  function _maySweep(KnownPurse storage purse, uint256 shown, address by) private view returns (bool) {
    if (by == purse.account || by == purse.agent) return true;
    if (shown != purse.funder) return false;
    Known storage k = known[shown];
    (, bool revoked) = _stops(purse.account, k.policy);
    return by == k.policy.orchestrator || clock >= k.p.end || k.revoked || revoked;
  }

  /// @dev Whether the purse should agree, and the token pay.
  function _maySettle(KnownPurse storage purse, Authorization memory a) private view returns (bool) {
    if (a.signer != purse.agent && purse.agent != address(hostile)) return false;
    if (a.shown != purse.funder) return false;
    Known storage k = known[a.shown];
    if (!_isLive(k) || _isStopped(k) || a.value > k.policy.perCall) return false;
    if (!_isPayee(k.policy.payees, a.to)) return false;
    if (k.policy.payees == rootOfAll && (a.proofOf == NOBODY || payees[a.proofOf] != a.to)) return false;
    if (k.policy.payees != rootOfAll && a.proofOf != NOBODY) return false;
    return clock > a.validAfter && clock < a.validBefore && nonceUses[purse.at][a.nonce] == 0
      && a.value <= purse.held;
  }

  function _settle(string memory what, uint256 index, Authorization memory a, bytes memory blob) private {
    KnownPurse storage purse = purses[index];
    bool expected = _maySettle(purse, a);
    vm.recordLogs();
    vm.prank(stranger);
    try USDC.transferWithAuthorization(purse.at, a.to, a.value, a.validAfter, a.validBefore, a.nonce, blob) {
      assertTrue(expected, "settled");
      _bookSettlement(purse, a);
      _book(a.shown);
      ++done[what];
    } catch {
      assertFalse(expected, "not settled");
      ++refused[what];
    }
  }

  function _bookSettlement(KnownPurse storage purse, Authorization memory a) private {
    Known storage k = known[a.shown];
    Fact storage fact = facts.push();
    (fact.kind, fact.known, fact.agent) = (Kind.Settlement, a.shown, purse.agent);
    fact.grant = _grantOf(purse.account, purse.grantId);
    (fact.time, fact.to, fact.amount, fact.number) = (clock, a.to, a.value, uint256(a.nonce));
    fact.live = _isLive(k) && !_isStopped(k);
  }

  /* ---------------------------------------- authorizations ---------------------------------------- */

  function _drawAuthorization(KnownPurse storage purse) private returns (Authorization memory a) {
    a.shown = _chance(15) ? _draw(known.length) : purse.funder;
    if (!known[a.shown].decodable) a.shown = purse.funder;
    Known storage k = known[a.shown];
    a.signer = _chance(15) || !_canSign(purse.agent) ? thief : purse.agent;
    a.nonce = bytes32(_chance(15) ? 1 + _draw(lastNonce + 1) : ++lastNonce);
    uint256 most = k.policy.perCall < purse.held ? k.policy.perCall : purse.held;
    a.value = uint112(_chance(4) ? most + _draw(2) : 1 + _draw(most + 1));
    a.validAfter = uint48(clock - (_chance(15) ? 0 : 1));
    a.validBefore = uint48(clock + (_chance(15) ? 0 : 1 + _draw(_chance(2) ? 1 days : 30 days)));
    uint256 index = k.policy.payees == rootOfOne && !_chance(15) ? 1 : _draw(payees.length);
    a.to = _chance(15) ? stranger : payees[index];
    a.proofOf = k.policy.payees == rootOfAll && !_chance(15) ? index : NOBODY;
    if (_chance(30)) a.proofOf = _draw(payees.length);
  }

  function _blobOf(KnownPurse storage purse, Authorization memory a) private view returns (bytes memory) {
    ISpendPermissionManager.SpendPermission memory p = known[a.shown].p;
    bytes32[] memory proof;
    if (a.proofOf != NOBODY) proof = proofs[a.proofOf];
    bytes memory payment = abi.encodePacked(uint8(1), a.to, a.value, a.validAfter, a.validBefore, a.nonce);
    bytes memory terms = abi.encodePacked(p.allowance, p.period, p.start, p.end, p.salt);
    // What the purse knows by itself is left out of extraData: grantId and agent.
    bytes memory head = _slice(p.extraData, 0, 3);
    bytes memory tail = _slice(p.extraData, 55, p.extraData.length);
    bytes32 hash = _authorizationHash("TransferWithAuthorization", purse.at, a);
    bytes memory policy = abi.encodePacked(head, uint16(tail.length), tail, uint8(proof.length), proof);
    return abi.encodePacked(payment, terms, policy, _signatureOf(a.signer, hash));
  }

  function _slice(bytes memory data, uint256 start, uint256 end) private pure returns (bytes memory part) {
    part = new bytes(end - start);
    for (uint256 i; i < part.length; ++i) {
      part[i] = data[start + i];
    }
  }

  function _authorizationHash(string memory name, address from, Authorization memory a)
    private
    view
    returns (bytes32)
  {
    bytes32 typehash = keccak256(
      abi.encodePacked(
        name, "(address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,bytes32 nonce)"
      )
    );
    return
      _tokenHash(keccak256(abi.encode(typehash, from, a.to, a.value, a.validAfter, a.validBefore, a.nonce)));
  }

  function _cancellationHash(address from, bytes32 nonce) private view returns (bytes32) {
    return _tokenHash(
      keccak256(abi.encode(keccak256("CancelAuthorization(address authorizer,bytes32 nonce)"), from, nonce))
    );
  }

  function _tokenHash(bytes32 structHash) private view returns (bytes32) {
    return keccak256(abi.encodePacked(hex"1901", USDC.DOMAIN_SEPARATOR(), structHash));
  }
}
