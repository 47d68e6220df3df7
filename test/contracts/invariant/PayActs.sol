// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { GuardReason } from "../../../contracts/GuardReason.sol";
import { IHardcapGuard } from "../../../contracts/interfaces/IHardcapGuard.sol";
import { ISpendPermissionManager } from "../../../contracts/interfaces/ISpendPermissionManager.sol";
import { Terms } from "./Terms.sol";

/// @dev Payments and fundings: by agents, by thieves with an agent's key, by relayers with an agent's signature. Each is
///      paid exactly if the guard's own `check` says so.
abstract contract PayActs is Terms {
  struct SignedBatch {
    uint256 known;
    bytes batch;
    uint256 ticketCap;
    bytes signature;
  }

  struct SignedFunding {
    uint256 known;
    IHardcapGuard.Funding funding;
    uint256 ticketCap;
    bytes signature;
  }

  SignedBatch[] private signedBatches;
  SignedFunding[] private signedFundings;

  /* ---------------------------------------- acts ---------------------------------------- */

  function agentPays(uint256 seed) external act(seed) {
    uint256 times = 1 + _draw(4);
    for (uint256 i; i < times; ++i) {
      _agentPays();
    }
  }

  function _agentPays() private {
    Known storage k = _pick();
    bytes memory batch = _drawBatch(k);
    IHardcapGuard.Reason reason = guard.check(k.p, batch);
    vm.recordLogs();
    vm.prank(k.policy.agent);
    try guard.pay(k.p, batch) {
      _succeeded(batch.length > 300 ? "batch" : "pay", k, reason);
    } catch (bytes memory error) {
      _refused("pay", reason, error);
    }
  }

  /// @dev Anybody but the agent, with whatever is in order otherwise.
  function strangerPays(uint256 seed) external act(seed) {
    Known storage k = _pick();
    bytes memory batch = _drawBatch(k);
    IHardcapGuard.Funding memory funding = _drawFunding(k);
    address by = [stranger, second, thief, orchestrator, account, address(hostile)][_draw(6)];
    if (by == k.policy.agent) by = stranger;
    if (!k.decodable) return;
    bool pays = _chance(2);
    vm.expectRevert(abi.encodeWithSelector(IHardcapGuard.WrongAgent.selector, k.policy.agent, by));
    vm.prank(by);
    if (pays) guard.pay(k.p, batch);
    else guard.fund(k.p, funding);
    ++refused["pay as another"];
  }

  function relayerPays(uint256 seed) external act(seed) {
    Known storage k = _pick();
    bytes memory batch = _drawBatch(k);
    if (!_canSign(k.policy.agent) || _chance(10)) return _relayUnsigned(k, batch);
    try guard.hashBatch(k.p, batch) returns (bytes32 digest) {
      bytes memory signature = _signatureOf(k.policy.agent, digest);
      signedBatches.push(SignedBatch(indexOf[k.hash] - 1, batch, ticketCap, signature));
      // Half of them later.
      if (_chance(2)) _relay("relay", k, batch, signature);
    } catch {
      _relayUnsigned(k, batch);
    }
  }

  /// @dev What an agent signed once, at another time, and once more.
  function relayerRepeats(uint256 seed) external act(seed) {
    if (signedBatches.length == 0) return;
    SignedBatch storage signed = signedBatches[_draw(signedBatches.length)];
    // Rather a late one.
    if (_chance(2)) signed = signedBatches[signedBatches.length - 1 - _draw(signedBatches.length) / 4];
    ticketCap = signed.ticketCap;
    _relay("relay again", known[signed.known], signed.batch, signed.signature);
  }

  function agentFunds(uint256 seed) external act(seed) {
    Known storage k = _pickFundable();
    IHardcapGuard.Funding memory funding = _drawFunding(k);
    IHardcapGuard.Reason reason = guard.checkFunding(k.p, funding);
    vm.recordLogs();
    vm.prank(k.policy.agent);
    try guard.fund(k.p, funding) {
      _succeeded("fund", k, reason);
    } catch (bytes memory error) {
      _refused("fund", reason, error);
    }
  }

  function relayerFunds(uint256 seed) external act(seed) {
    if (signedFundings.length != 0 && _chance(4)) {
      SignedFunding storage signed = signedFundings[_draw(signedFundings.length)];
      ticketCap = signed.ticketCap;
      return _relayFunding("relay funding again", known[signed.known], signed.funding, signed.signature);
    }
    Known storage k = _pickFundable();
    if (!_canSign(k.policy.agent)) return;
    IHardcapGuard.Funding memory funding = _drawFunding(k);
    bytes memory signature = _signatureOf(k.policy.agent, guard.hashFunding(k.p, funding));
    signedFundings.push();
    SignedFunding storage kept = signedFundings[signedFundings.length - 1];
    (kept.known, kept.ticketCap, kept.signature) = (indexOf[k.hash] - 1, ticketCap, signature);
    kept.funding = funding;
    _relayFunding("relay funding", k, funding, signature);
  }

  /* ---------------------------------------- how ---------------------------------------- */

  function _pickFundable() internal returns (Known storage k) {
    k = _pick();
    for (uint256 i; i < 3 && k.policy.maxFloat == 0; ++i) {
      k = _pick();
    }
  }

  function _relay(string memory what, Known storage k, bytes memory batch, bytes memory signature) private {
    IHardcapGuard.Reason reason = guard.check(k.p, batch);
    vm.recordLogs();
    vm.prank(stranger);
    try guard.payWithSignature(k.p, batch, signature) {
      _succeeded(what, k, reason);
    } catch (bytes memory error) {
      _refused(what, reason, error);
    }
  }

  /// @dev Signed by nobody who counts; or nothing that could be signed.
  function _relayUnsigned(Known storage k, bytes memory batch) private {
    if (k.policy.agent == address(hostile)) return;
    bytes memory signature = _sign(keyOf[k.policy.agent == thief ? second : thief], keccak256(batch));
    vm.prank(stranger);
    try guard.payWithSignature(k.p, batch, signature) {
      revert("paid without the agent");
    } catch (bytes memory error) {
      if (bytes4(error) != IHardcapGuard.InvalidAgentSignature.selector) {
        IHardcapGuard.Reason reason = GuardReason.fromError(error);
        bool unreadable = reason == IHardcapGuard.Reason.MalformedBatch;
        assertTrue(unreadable || !k.decodable, "unsigned: another error");
        if (!k.decodable) {
          assertEq(uint256(reason), uint256(guard.check(k.p, batch)), "unsigned: another reason");
        }
      }
    }
    ++refused["relay unsigned"];
  }

  function _relayFunding(
    string memory what,
    Known storage k,
    IHardcapGuard.Funding memory funding,
    bytes memory signature
  ) private {
    IHardcapGuard.Reason reason = guard.checkFunding(k.p, funding);
    vm.recordLogs();
    vm.prank(stranger);
    try guard.fundWithSignature(k.p, funding, signature) {
      _succeeded(what, k, reason);
    } catch (bytes memory error) {
      _refused(what, reason, error);
    }
  }

  function _succeeded(string memory what, Known storage k, IHardcapGuard.Reason reason) internal {
    assertEq(uint256(reason), uint256(IHardcapGuard.Reason.Ok), "it was refused by check");
    _book(indexOf[k.hash] - 1);
    ++done[what];
  }

  function _refused(string memory what, IHardcapGuard.Reason reason, bytes memory error) internal {
    assertNotEq(uint256(reason), uint256(IHardcapGuard.Reason.Ok), "it was allowed by check");
    assertEq(uint256(GuardReason.fromError(error)), uint256(reason), "another reason");
    assertNotEq(uint256(reason), uint256(IHardcapGuard.Reason.Other), "a reason without a name");
    ++refused[what];
    ++reasons[reason];
  }
}
