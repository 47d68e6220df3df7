// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { IHardcapGuard } from "../../../contracts/interfaces/IHardcapGuard.sol";
import { ISpendPermissionManager } from "../../../contracts/interfaces/ISpendPermissionManager.sol";
import { Policy, PolicyLib } from "../../../contracts/Policy.sol";
import { GuardTest } from "./GuardTest.sol";

/// @dev `pause`, `resume`, `revoke`, `revokeGrant`, and who is listened to.
contract StopTest is GuardTest {
  ISpendPermissionManager.SpendPermission private p;

  function setUp() public override {
    super.setUp();
    p = _approved(_orchestrated());
    _pay(p, NUMBER, 1);
  }

  function _orchestrated() private view returns (Policy memory policy) {
    policy = _taskPolicy(UNLIMITED);
    policy.maxFloat = 10e6;
  }

  function _pause(address by) private {
    vm.prank(by);
    guard.pause(account, TOKEN, GRANT_ID);
  }

  function _resume(address by) private {
    vm.prank(by);
    guard.resume(account, TOKEN, GRANT_ID);
  }

  function _revokeGrant(address by) private {
    vm.prank(by);
    guard.revokeGrant(account, TOKEN, GRANT_ID);
  }

  function _expectStopped(IHardcapGuard.Reason reason, bytes memory error) private {
    _expectRefused(p, _batch(NUMBER + 1, 1), reason, error);
    _expectRefused(p, _funding(NUMBER + 1, 1), reason, error);
  }

  function _expectPausedBy(address by) private {
    _expectStopped(IHardcapGuard.Reason.Paused, abi.encodeWithSelector(IHardcapGuard.PausedBy.selector, by));
    _assertStops(true, false);
  }

  function _expectRevokedBy(address by) private {
    _expectStopped(IHardcapGuard.Reason.Revoked, abi.encodeWithSelector(IHardcapGuard.RevokedBy.selector, by));
  }

  function _expectRuns() private {
    uint256 snapshot = vm.snapshotState();
    _pay(p, NUMBER + 1, 1);
    _fund(p, _funding(NUMBER + 2, 1));
    vm.revertToState(snapshot);
    _assertStops(false, false);
  }

  function _assertStops(bool expectedPaused, bool expectedRevoked) private view {
    (bool paused, bool revoked) = guard.stops(account, TOKEN, GRANT_ID, orchestrator, agent);
    assertEq(paused, expectedPaused, "paused");
    assertEq(revoked, expectedRevoked, "revoked");
  }

  /* ---------------------------------------- pause and resume ---------------------------------------- */

  function test_default_pauseByAccount() public {
    vm.expectEmit(address(guard));
    emit IHardcapGuard.Paused(account, GRANT_ID, account, TOKEN);
    _pause(account);
    _expectPausedBy(account);
    vm.expectEmit(address(guard));
    emit IHardcapGuard.Resumed(account, GRANT_ID, account, TOKEN);
    _resume(account);
    _expectRuns();
  }

  function test_default_pauseByOrchestrator() public {
    vm.expectEmit(address(guard));
    emit IHardcapGuard.Paused(account, GRANT_ID, orchestrator, TOKEN);
    _pause(orchestrator);
    _expectPausedBy(orchestrator);
    _resume(orchestrator);
    _expectRuns();
  }

  /// @dev Each takes back only its own.
  function test_behavior_bothPause() public {
    _pause(orchestrator);
    _pause(account);
    _expectPausedBy(account);
    _resume(account);
    _expectPausedBy(orchestrator);
    _pause(account);
    _resume(orchestrator);
    _expectPausedBy(account);
  }

  function test_behavior_pauseTwice() public {
    _pause(account);
    _pause(account);
    _resume(account);
    _expectRuns();
    _resume(account);
    _expectRuns();
  }

  /// @dev A pause by the agent or a stranger is heard by nobody.
  function test_behavior_pauseByOthers(address by) public {
    vm.assume(by != account && by != orchestrator);
    _pause(by);
    _expectRuns();
    _pause(agent);
    _expectRuns();
    _resume(by);
    _expectRuns();
  }

  /// @dev A permission that does not name the orchestrator does not listen to it.
  function test_behavior_pauseByAnotherOrchestrator() public {
    _pause(orchestrator);
    _pay(_approved(), NUMBER + 1, 1);
    Policy memory policy = _orchestrated();
    policy.orchestrator = makeAddr("another orchestrator");
    _pay(_approved(policy), NUMBER + 3, 1);
    _expectPausedBy(orchestrator);
  }

  function test_behavior_pauseOfAnotherGrant() public {
    vm.startPrank(account);
    guard.pause(account, TOKEN, keccak256("another"));
    guard.pause(account, address(1), GRANT_ID);
    guard.pause(stranger, TOKEN, GRANT_ID);
    vm.stopPrank();
    _expectRuns();
  }

  /// @dev Flags and meters share a slot and leave each other alone, before and after the first payment.
  function test_behavior_metersAreKept() public {
    _pause(account);
    _resume(account);
    assertEq(guard.used(p, 0).total, 1);
    assertEq(guard.used(p, 0).perDay, 1);
    _pause(stranger);
    assertEq(guard.used(p, 0).total, 1);
    _pay(p, NUMBER + 1, 2);
    assertEq(guard.used(p, 0).total, 3);
    _pause(account);
    _expectPausedBy(account);
    _resume(account);
    _revokeGrant(account);
    assertEq(guard.used(p, 0).perDay, 3);
    assertEq(guard.used(p, 0).total, 3);
  }

  /// @dev A payment keeps what others have set: the flag that says so is not lost with the meters.
  function test_behavior_paymentsKeepFlags() public {
    _pause(stranger);
    _pay(p, NUMBER + 1, 1);
    _pause(orchestrator);
    _expectPausedBy(orchestrator);
    _resume(orchestrator);
    _pay(p, NUMBER + 2, 1);
    _revokeGrant(agent);
    _expectRevokedBy(agent);
  }

  function test_behavior_pausedBeforeTheFirstPayment() public {
    Policy memory policy = _orchestrated();
    policy.grantId = keccak256("fresh");
    p = _approved(policy);
    vm.prank(orchestrator);
    guard.pause(account, TOKEN, policy.grantId);
    _expectRefused(
      p,
      _batch(NUMBER, 1),
      IHardcapGuard.Reason.Paused,
      abi.encodeWithSelector(IHardcapGuard.PausedBy.selector, orchestrator)
    );
  }

  /* ---------------------------------------- revoke ---------------------------------------- */

  function test_default_revoke() public {
    address[3] memory revokers = [account, orchestrator, agent];
    for (uint256 i; i < 3; ++i) {
      uint256 snapshot = vm.snapshotState();
      vm.expectEmit(address(guard));
      emit IHardcapGuard.Revoked(account, GRANT_ID, revokers[i], TOKEN);
      vm.expectEmit(address(SPM));
      emit ISpendPermissionManager.SpendPermissionRevoked(SPM.getHash(p), p);
      vm.prank(revokers[i]);
      guard.revoke(p);
      assertTrue(SPM.isRevoked(p));
      _expectRevokedBy(revokers[i]);
      _assertStops(false, true);
      vm.revertToState(snapshot);
    }
  }

  /// @dev Final, for every permission of the grant that listens.
  function test_behavior_siblings() public {
    ISpendPermissionManager.SpendPermission memory sibling = _permission(_orchestrated());
    sibling.salt = 2;
    _approve(sibling);
    vm.prank(agent);
    guard.revoke(p);
    p = sibling;
    _expectRevokedBy(agent);
    assertTrue(SPM.isValid(p));
    _resume(agent);
    _expectRevokedBy(agent);

    // Another agent's permission goes on.
    (agent,) = makeAddrAndKey("second agent");
    _pay(_approved(_orchestrated()), NUMBER + 1, 1);
    _revokeGrant(orchestrator);
    p = _permission(_orchestrated());
    _expectRevokedBy(orchestrator);
    _pay(_approved(), NUMBER + 2, 1);
    _revokeGrant(account);
    p = _permission(_policy());
    _expectRevokedBy(account);
  }

  function test_default_revokeGrant() public {
    vm.expectEmit(address(guard));
    emit IHardcapGuard.Revoked(account, GRANT_ID, account, TOKEN);
    _revokeGrant(account);
    _expectRevokedBy(account);
    assertFalse(SPM.isRevoked(p));
    _resume(account);
    _expectRevokedBy(account);
    _pause(account);
    _assertStops(true, true);
    _expectRevokedBy(account);
  }

  function test_behavior_revokeGrantByOthers(address by) public {
    vm.assume(by != account && by != orchestrator && by != agent);
    _revokeGrant(by);
    _expectRuns();
  }

  function test_behavior_revokeTwice() public {
    vm.startPrank(account);
    guard.revoke(p);
    guard.revoke(p);
    vm.stopPrank();
    _expectRevokedBy(account);
  }

  /// @dev A permission that was never approved can be revoked as well; who made it up has no effect on others.
  function test_behavior_revokeInventedPermission() public {
    Policy memory policy = _orchestrated();
    policy.agent = stranger;
    ISpendPermissionManager.SpendPermission memory invented = _permission(policy);
    vm.prank(stranger);
    guard.revoke(invented);
    _expectRuns();
    assertTrue(SPM.isValid(p));
  }

  function test_error_unauthorized(address by) public {
    vm.assume(by != account && by != orchestrator && by != agent);
    vm.expectRevert(abi.encodeWithSelector(IHardcapGuard.Unauthorized.selector, by));
    vm.prank(by);
    guard.revoke(p);
  }

  function test_error_wrongSpender() public {
    p.spender = stranger;
    vm.expectRevert(abi.encodeWithSelector(IHardcapGuard.WrongSpender.selector, stranger));
    vm.prank(account);
    guard.revoke(p);
  }

  function test_error_malformedPolicy() public {
    p.extraData = hex"01";
    vm.expectRevert(PolicyLib.MalformedPolicy.selector);
    vm.prank(account);
    guard.revoke(p);
  }
}
