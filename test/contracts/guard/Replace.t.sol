// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { IHardcapGuard } from "../../../contracts/interfaces/IHardcapGuard.sol";
import { ISpendPermissionManager } from "../../../contracts/interfaces/ISpendPermissionManager.sol";
import { Policy, PolicyLib } from "../../../contracts/Policy.sol";
import { GuardTest } from "./GuardTest.sol";

contract ReplaceTest is GuardTest {
  ISpendPermissionManager.SpendPermission private old;
  ISpendPermissionManager.SpendPermission private renewed;
  bytes private signature;

  function setUp() public override {
    super.setUp();
    old = _approved();
    Policy memory policy = _policy();
    policy.total = 2 * TOTAL;
    policy.replaces = SPM.getHash(old);
    _renew(policy);
  }

  function _renew(Policy memory policy) private {
    renewed = _permission(policy);
    signature = _ownerSignature(renewed);
  }

  function _expectError(bytes memory error) private {
    vm.expectRevert(error);
    guard.replace(old, renewed, signature);
    assertEq(SPM.isApproved(renewed), false);
  }

  /// @dev By anybody. What was spent stays spent.
  function test_default() public {
    _pay(old, NUMBER, 3e6);
    vm.expectEmit(address(SPM));
    emit ISpendPermissionManager.SpendPermissionApproved(SPM.getHash(renewed), renewed);
    vm.expectEmit(address(SPM));
    emit ISpendPermissionManager.SpendPermissionRevoked(SPM.getHash(old), old);
    vm.expectEmit(address(guard));
    emit IHardcapGuard.Replaced(account, GRANT_ID, SPM.getHash(renewed), SPM.getHash(old));
    vm.prank(stranger);
    guard.replace(old, renewed, signature);
    assertTrue(SPM.isValid(renewed));
    assertTrue(SPM.isRevoked(old));
    assertEq(guard.used(renewed, 0).total, 3e6);
    assertEq(guard.remaining(renewed, 0).total, 2 * TOTAL - 3e6);
    _pay(renewed, NUMBER + 1, 1e6);
  }

  /// @dev Somebody submitted the approval alone, or the account revoked by itself: the rest is done.
  function test_behavior_halfDone() public {
    SPM.approveWithSignature(renewed, signature);
    guard.replace(old, renewed, signature);
    assertTrue(SPM.isRevoked(old));
    guard.replace(old, renewed, signature);
    assertTrue(SPM.isValid(renewed));
  }

  /// @dev A lost key is replaced with its grant.
  function test_behavior_otherAgent() public {
    Policy memory policy = _policy();
    (policy.agent, policy.replaces) = (makeAddr("second agent"), SPM.getHash(old));
    _renew(policy);
    guard.replace(old, renewed, signature);
    assertTrue(SPM.isValid(renewed));
    assertTrue(SPM.isRevoked(old));
  }

  /// @dev A policy says what it replaces; approving it does not do it.
  function test_behavior_approvedOnly() public {
    SPM.approveWithSignature(renewed, signature);
    assertTrue(SPM.isValid(old));
  }

  function test_error_notReplacing() public {
    bytes32 expected = SPM.getHash(old);
    old.salt = 2;
    _expectError(abi.encodeWithSelector(IHardcapGuard.NotReplacing.selector, expected, SPM.getHash(old)));
    old.salt = 1;
    _renew(_policy());
    _expectErrorOf(bytes32(0), expected);
  }

  function _expectErrorOf(bytes32 expected, bytes32 actual) private {
    vm.expectRevert(abi.encodeWithSelector(IHardcapGuard.NotReplacing.selector, expected, actual));
    guard.replace(old, renewed, signature);
  }

  /* ---------------------------------------- of another grant ---------------------------------------- */

  /// @dev What wallets show of the new permission does not say what it replaces: nothing beyond its own grant.
  function test_error_otherGrantId() public {
    Policy memory policy = _policy();
    (policy.grantId, policy.replaces) = (keccak256("another"), SPM.getHash(old));
    _renew(policy);
    _expectOtherGrant();
  }

  function test_error_otherToken() public {
    renewed.token = stranger;
    signature = _ownerSignature(renewed);
    _expectOtherGrant();
  }

  function test_error_otherAccount() public {
    old.account = stranger;
    Policy memory policy = _policy();
    policy.replaces = SPM.getHash(old);
    _renew(policy);
    _expectOtherGrant();
  }

  function _expectOtherGrant() private {
    _expectError(abi.encodeWithSelector(IHardcapGuard.OtherGrant.selector, old.account, old.token, GRANT_ID));
    assertFalse(SPM.isRevoked(old));
  }

  function test_error_wrongSpender() public {
    renewed.spender = stranger;
    _expectError(abi.encodeWithSelector(IHardcapGuard.WrongSpender.selector, stranger));
    renewed.spender = address(guard);
    old.spender = owner;
    _expectError(abi.encodeWithSelector(IHardcapGuard.WrongSpender.selector, owner));
  }

  function test_error_malformedPolicy() public {
    renewed.extraData = "";
    _expectError(abi.encodeWithSelector(PolicyLib.MalformedPolicy.selector));
  }

  /// @dev Which grant it belonged to cannot be known; it could never pay.
  function test_error_malformedOldPolicy() public {
    old.extraData = "";
    Policy memory policy = _policy();
    policy.replaces = SPM.getHash(old);
    _renew(policy);
    _expectError(abi.encodeWithSelector(PolicyLib.MalformedPolicy.selector));
  }

  function test_error_signature() public {
    signature[100] ^= 0x01;
    _expectError(abi.encodeWithSelector(ISpendPermissionManager.InvalidSignature.selector));
    assertTrue(SPM.isValid(old));
  }

  /// @dev Nothing is revoked for a permission that cannot be approved any more.
  function test_error_renewedIsRevoked() public {
    vm.prank(account);
    SPM.revoke(renewed);
    _expectError(abi.encodeWithSelector(IHardcapGuard.ApprovalRefused.selector, SPM.getHash(renewed)));
    assertTrue(SPM.isValid(old));
  }
}
