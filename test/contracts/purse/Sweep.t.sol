// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { IPurse } from "../../../contracts/interfaces/IPurse.sol";
import { ISpendPermissionManager } from "../../../contracts/interfaces/ISpendPermissionManager.sol";
import { Policy } from "../../../contracts/Policy.sol";
import { MockToken } from "./mocks/MockToken.sol";
import { PurseTest } from "./PurseTest.sol";

contract PurseSweepTest is PurseTest {
  function test_default() public {
    _sweeps(account, _permission());
  }

  /* ---------------------------------------- args ---------------------------------------- */

  function test_args_anyBalance(uint112 donation) public {
    _mint(address(purse), bound(donation, 1, type(uint112).max));
    _sweeps(account, _permission());
  }

  /// @dev Neither the account nor the agent has to know the permission.
  function test_args_noPermission() public {
    ISpendPermissionManager.SpendPermission memory none;
    uint256 snapshot = vm.snapshotState();
    _sweeps(account, none);
    vm.revertToState(snapshot);
    _sweeps(agent, none);
  }

  /* ---------------------------------------- behavior: who, while the permission is live ---------------------------------------- */

  function test_behavior_liveByTheAgent() public {
    _sweeps(agent, _permission());
  }

  function test_behavior_liveByTheOrchestrator() public {
    _sweeps(orchestrator, _permission());
  }

  function test_behavior_liveByAnybodyElse(address by) public {
    vm.assume(by != account && by != agent && by != orchestrator);
    _refusesToSweep(by);
    vm.warp(END - 1);
    _refusesToSweep(by);
    _refusesToSweep(owner);
    _refusesToSweep(address(guard));
    _refusesToSweep(address(0));
  }

  function test_behavior_pauseIsNoReason() public {
    vm.prank(account);
    guard.pause(account, address(USDC), GRANT);
    _refusesToSweep(stranger);
    _sweeps(agent, _permission());
  }

  /// @dev The zero address of a policy without an orchestrator is nobody: it cannot sweep by being itself.
  function test_behavior_withoutOrchestrator() public {
    Policy memory policy = _policy();
    policy.orchestrator = address(0);
    vm.prank(account);
    purse.sweep(_permission());
    _approve(_permission(policy));
    _fund(_permission(policy), FLOAT);
    vm.prank(orchestrator);
    vm.expectRevert(abi.encodeWithSelector(IPurse.SweepNotAllowed.selector, orchestrator));
    purse.sweep(_permission(policy));
    _sweeps(account, _permission(policy));
  }

  /* ---------------------------------------- behavior: by anybody, afterwards ---------------------------------------- */

  function test_behavior_revokedAtSpm(address by) public {
    vm.prank(account);
    SPM.revoke(_permission());
    _sweeps(by, _permission());
  }

  function test_behavior_revokedAtTheGuard() public {
    address[3] memory revokers = [account, orchestrator, agent];
    uint256 snapshot = vm.snapshotState();
    for (uint256 i; i < revokers.length; ++i) {
      vm.prank(revokers[i]);
      guard.revokeGrant(account, address(USDC), GRANT);
      _sweeps(stranger, _permission());
      vm.revertToState(snapshot);
    }
  }

  function test_behavior_grantRevokedByAStranger() public {
    vm.prank(stranger);
    guard.revokeGrant(account, address(USDC), GRANT);
    _refusesToSweep(stranger);
  }

  function test_behavior_ended(uint48 time) public {
    vm.warp(bound(time, END, type(uint48).max));
    _sweeps(stranger, _permission());
  }

  /* ---------------------------------------- behavior: what it does ---------------------------------------- */

  function test_behavior_nothingThere() public {
    _sweeps(account, _permission());
    vm.recordLogs();
    vm.prank(account);
    assertEq(purse.sweep(_permission()), 0);
    assertEq(vm.getRecordedLogs().length, 0);
  }

  /// @dev What comes after the end, a donation or not, goes back as well.
  function test_behavior_againAndAgain() public {
    vm.warp(END);
    _sweeps(stranger, _permission());
    _mint(address(purse), 1);
    _sweeps(facilitator, _permission());
  }

  function test_behavior_authorizationsFailAfterwards() public {
    Payment memory p = _payment();
    bytes memory blob = _blob(p);
    _sweeps(agent, _permission());
    vm.expectRevert("ERC20: transfer amount exceeds balance");
    _settle(p, blob);
  }

  function test_behavior_canBeFundedAgain() public {
    _sweeps(agent, _permission());
    _fund(_permission(), FLOAT);
    _pays(_payment());
  }

  /// @dev A token that calls back gets the rest of the same money to the same account.
  function test_behavior_reentrant() public {
    MockToken token = new MockToken();
    ISpendPermissionManager.SpendPermission memory p = _permission();
    p.token = address(token);
    token.mint(account, BALANCE);
    _approve(p);
    _fund(p, FLOAT);
    IPurse other = IPurse(guard.purseOf(account, address(token), GRANT, agent));
    vm.warp(END);
    token.callDuringTransfer(address(other), abi.encodeCall(IPurse.sweep, (p)));
    // The second transfer of the whole balance has nothing to take it from.
    vm.expectRevert();
    other.sweep(p);
    assertEq(token.balanceOf(address(other)), FLOAT);
    token.callDuringTransfer(address(0), "");
    other.sweep(p);
    assertEq(token.balanceOf(account), BALANCE);
  }

  function test_behavior_blacklistedPurse() public {
    vm.prank(circle);
    USDC.blacklist(address(purse));
    vm.prank(account);
    vm.expectRevert();
    purse.sweep(_permission());
    assertEq(USDC.balanceOf(address(purse)), FLOAT);
  }

  /* ---------------------------------------- error ---------------------------------------- */

  function test_error_anotherPermission() public {
    ISpendPermissionManager.SpendPermission memory other = _permission();
    other.salt = 2;
    _approve(other);
    vm.prank(account);
    SPM.revoke(other);
    _refusesForAnother(stranger, other);
    _refusesForAnother(orchestrator, other);
    _refusesToSweep(stranger);
  }

  /// @dev A permission that names the caller as its orchestrator, or that has ended, does not fund by being shown.
  function test_error_permissionOfTheCaller() public {
    Policy memory policy = _policy();
    policy.orchestrator = stranger;
    ISpendPermissionManager.SpendPermission memory other = _permission(policy);
    other.end = START + 1;
    vm.warp(START + 1);
    _refusesForAnother(stranger, other);
    other.account = stranger;
    _refusesForAnother(stranger, other);
  }

  function test_error_emptyPermissionOfTheOrchestrator() public {
    ISpendPermissionManager.SpendPermission memory none;
    _refusesForAnother(orchestrator, none);
  }

  /// @dev Once the grant has gone on under another permission, the one before decides nothing any more.
  function test_error_permissionThatFundedBefore() public {
    ISpendPermissionManager.SpendPermission memory next = _permission();
    next.salt = 2;
    _approve(next);
    _sweeps(account, _permission());
    _fund(next, FLOAT);
    vm.prank(account);
    SPM.revoke(_permission());
    vm.prank(stranger);
    vm.expectRevert(
      abi.encodeWithSelector(IPurse.NotFundedBy.selector, SPM.getHash(_permission()), SPM.getHash(next))
    );
    purse.sweep(_permission());
  }

  /* ---------------------------------------- helpers ---------------------------------------- */

  function _sweeps(address by, ISpendPermissionManager.SpendPermission memory p) private {
    uint256 amount = USDC.balanceOf(address(purse));
    uint256 before = USDC.balanceOf(account);
    vm.expectEmit(address(purse));
    emit IPurse.Swept(GRANT, by, amount);
    vm.prank(by);
    assertEq(purse.sweep(p), amount);
    assertEq(USDC.balanceOf(address(purse)), 0);
    assertEq(USDC.balanceOf(account), before + amount);
  }

  function _refusesToSweep(address by) private {
    vm.prank(by);
    vm.expectRevert(abi.encodeWithSelector(IPurse.SweepNotAllowed.selector, by));
    purse.sweep(_permission());
  }

  function _refusesForAnother(address by, ISpendPermissionManager.SpendPermission memory p) private {
    bytes32 expected = SPM.getHash(_permission());
    bytes32 actual = SPM.getHash(p);
    vm.prank(by);
    vm.expectRevert(abi.encodeWithSelector(IPurse.NotFundedBy.selector, actual, expected));
    purse.sweep(p);
  }
}
