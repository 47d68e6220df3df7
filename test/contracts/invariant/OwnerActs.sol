// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { BatchLib } from "../../../contracts/Batch.sol";
import { IHardcapGuard } from "../../../contracts/interfaces/IHardcapGuard.sol";
import { ISpendPermissionManager } from "../../../contracts/interfaces/ISpendPermissionManager.sol";
import { Policy, PolicyLib } from "../../../contracts/Policy.sol";
import { PayActs } from "./PayActs.sol";

/// @dev Permissions come and go: by the account, by its signature in somebody's hands, by everybody who may stop them, and
///      by those whom nobody hears.
abstract contract OwnerActs is PayActs {
  /* ---------------------------------------- approving ---------------------------------------- */

  function ownerApproves(uint256 seed) public act(seed) {
    _approveDrawn(account, PolicyLib.encode(_drawPolicy(account)));
    ++done["approve"];
  }

  /// @dev Signed without understanding it: agents, payees and grants of somebody else's choice, or bytes that mean nothing.
  function hostilePageGetsSignature(uint256 seed) external act(seed) {
    _approveDrawn(account, _drawExtraData(account));
    ++done["approve anything"];
  }

  function hostileAccountApproves(uint256 seed) public act(seed) {
    address by = address(hostile);
    _approveDrawn(by, _chance(3) ? _drawExtraData(by) : PolicyLib.encode(_drawPolicy(by)));
    ++done["approve its own"];
  }

  function _approveDrawn(address by, bytes memory extraData) private {
    ISpendPermissionManager.SpendPermission memory p = _drawPermission(by, extraData);
    uint256 index = _learn(p);
    vm.recordLogs();
    vm.prank(by);
    assertTrue(SPM.approve(p), "approve");
    _book(index);
  }

  /// @dev A first payment with the approval, or a later one; by the agent, or by a relayer with its signature.
  function agentApprovesAndPays(uint256 seed) external act(seed) {
    Known storage k = _chance(3) ? _pick() : known[_learn(_drawSigned())];
    bytes memory batch = _drawBatch(k);
    bool signed = !_chance(10);
    bytes memory ownerSignature = _accountSignature(k.p);
    if (!signed && k.p.account == account) ownerSignature[ownerSignature.length - 40] ^= 0x01;
    else signed = true;
    bytes memory agentSignature;
    if (k.decodable && k.policy.agent == address(hostile)) agentSignature = bytes("anything");
    IHardcapGuard.Reason reason = _reasonOnceApproved(k, batch);
    vm.recordLogs();
    vm.prank(agentSignature.length == 0 ? k.policy.agent : stranger);
    try guard.approveAndPay(k.p, ownerSignature, batch, agentSignature) {
      assertTrue(signed && !k.revoked, "approved");
      _succeeded("approve and pay", k, reason);
    } catch (bytes memory error) {
      bytes4 selector = bytes4(error);
      if (k.decodable && agentSignature.length != 0 && selector == BatchLib.MalformedBatch.selector) {
        // What cannot be read cannot have been signed, whatever else is wrong with it.
      } else if (k.decodable && !signed) {
        assertEq(selector, ISpendPermissionManager.InvalidSignature.selector, "approve: signature");
      } else if (k.decodable && k.revoked) {
        assertEq(selector, IHardcapGuard.ApprovalRefused.selector, "approve: revoked");
      } else {
        return _refused("approve and pay", reason, error);
      }
      ++refused["approve and pay"];
    }
  }

  function _drawSigned() private returns (ISpendPermissionManager.SpendPermission memory) {
    address by = _chance(4) ? address(hostile) : account;
    return _drawPermission(by, PolicyLib.encode(_drawPolicy(by)));
  }

  /// @dev `check`, as it will be when the permission is approved, which it asks about after everything of the guard's.
  function _reasonOnceApproved(Known storage k, bytes memory batch) private returns (IHardcapGuard.Reason) {
    if (k.approved || k.revoked) return guard.check(k.p, batch);
    try this.tellOnceApproved(indexOf[k.hash] - 1, batch) {
      revert("told nothing");
    } catch (bytes memory told) {
      return abi.decode(told, (IHardcapGuard.Reason));
    }
  }

  /// @dev Reverts with the reason, so that nothing is approved afterwards.
  function tellOnceApproved(uint256 index, bytes calldata batch) external {
    Known storage k = known[index];
    vm.prank(k.p.account);
    SPM.approve(k.p);
    bytes memory told = abi.encode(guard.check(k.p, batch));
    assembly {
      revert(add(told, 32), mload(told))
    }
  }

  /// @dev The same grant with other limits, in place of what there was; or in place of something that it does not name.
  function relayerReplaces(uint256 seed) external act(seed) {
    Known storage old = _pick();
    if (!old.decodable) return;
    Policy memory policy = old.policy;
    if (_chance(20)) policy.grantId = keccak256("a grant of another name");
    policy.replaces = _chance(10) ? bytes32(uint256(1)) : old.hash;
    if (policy.perDay < UNLIMITED / 2) policy.perDay += uint112(_draw(50));
    if (policy.total < UNLIMITED / 2) policy.total += uint112(_draw(100));
    address by = _chance(15) ? (old.p.account == account ? address(hostile) : account) : old.p.account;
    uint256 index = _learn(_drawPermission(by, PolicyLib.encode(policy)));
    bytes4 error = _replacementError(old, known[index]);
    bytes memory signature = _accountSignature(known[index].p);
    bool again = _chance(4);
    vm.recordLogs();
    vm.startPrank(stranger);
    if (error != 0) vm.expectPartialRevert(error);
    guard.replace(old.p, known[index].p, signature);
    // Done before is no error.
    if (again && error == 0) guard.replace(old.p, known[index].p, signature);
    vm.stopPrank();
    if (error != 0) {
      ++refused["replace"];
    } else {
      _book(index);
      ++done["replace"];
    }
  }

  function _replacementError(Known storage old, Known storage renewed) private view returns (bytes4) {
    bool ofGuard = renewed.p.spender == address(guard) && old.p.spender == address(guard);
    if (!ofGuard) return IHardcapGuard.WrongSpender.selector;
    if (renewed.policy.replaces != old.hash) return IHardcapGuard.NotReplacing.selector;
    bool sameGrant = old.p.account == renewed.p.account && old.policy.grantId == renewed.policy.grantId;
    return sameGrant ? bytes4(0) : IHardcapGuard.OtherGrant.selector;
  }

  /* ---------------------------------------- stopping ---------------------------------------- */

  function _drawStopper(Known storage k) private returns (address) {
    return [
      k.p.account, orchestrator, k.policy.agent, thief, stranger, second, k.policy.orchestrator, stranger
    ][_draw(8)];
  }

  function anybodyPauses(uint256 seed) external act(seed) {
    Known storage k = _pick();
    address by = _drawStopper(k);
    if (by == address(0)) return;
    vm.recordLogs();
    vm.prank(by);
    guard.pause(k.p.account, TOKEN, k.policy.grantId);
    _book(NOBODY);
    ++done["pause"];
  }

  function anybodyResumes(uint256 seed) external act(seed) {
    Known storage k = known[_draw(known.length)];
    address[5] memory whom = [k.p.account, k.policy.orchestrator, orchestrator, thief, stranger];
    for (uint256 i; i < 5; ++i) {
      if (whom[i] == address(0) || flags[k.p.account][k.policy.grantId][whom[i]] & PAUSED == 0) continue;
      vm.recordLogs();
      vm.prank(whom[i]);
      guard.resume(k.p.account, TOKEN, k.policy.grantId);
      _book(NOBODY);
      ++done["resume"];
    }
  }

  /// @dev With SPM, the grant alone, or both.
  function anybodyRevokes(uint256 seed) external act(seed) {
    Known storage k = _pick();
    address by = _drawStopper(k);
    if (by == address(0)) return;
    uint256 what = _draw(6);
    vm.recordLogs();
    if (what < 3) {
      vm.prank(k.p.account);
      SPM.revoke(k.p);
      ++done["revoke with SPM"];
    } else if (what == 3) {
      vm.prank(by);
      guard.revokeGrant(k.p.account, TOKEN, k.policy.grantId);
      ++done["revoke the grant"];
    } else {
      return _revoke(k, by);
    }
    _book(NOBODY);
  }

  function _revoke(Known storage k, address by) private {
    bytes4 error;
    if (k.p.spender != address(guard)) {
      error = IHardcapGuard.WrongSpender.selector;
    } else if (!k.decodable) {
      return;
    } else if (by != k.p.account && by != k.policy.orchestrator && by != k.policy.agent) {
      error = IHardcapGuard.Unauthorized.selector;
    }
    if (error != 0) vm.expectPartialRevert(error);
    vm.prank(by);
    guard.revoke(k.p);
    if (error != 0) {
      ++refused["revoke"];
    } else {
      _book(NOBODY);
      ++done["revoke"];
    }
  }
}
