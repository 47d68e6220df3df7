// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { ISpendPermissionManager } from "../../../contracts/interfaces/ISpendPermissionManager.sol";
import { SpmTest } from "./SpmTest.sol";

contract RevokeTest is SpmTest {
  function test_default() public {
    ISpendPermissionManager.SpendPermission memory p = _approved();
    vm.recordLogs();
    _expectRevoked(p);
    _revoked(p);
    _assertEvents(1);
    assertTrue(SPM.isRevoked(p));
    assertFalse(SPM.isValid(p));
  }

  /* ---------------------------------------- args ---------------------------------------- */

  /// @dev Neither approval nor sensible fields are needed.
  function test_args_anyFieldsNeverApproved(ISpendPermissionManager.SpendPermission memory p) public {
    _expectRevoked(p);
    _revoked(p);
    assertTrue(SPM.isRevoked(p));
    assertFalse(SPM.isApproved(p));
    assertFalse(SPM.isValid(p));
  }

  function test_args_anyTime(uint48 time) public {
    ISpendPermissionManager.SpendPermission memory p = _approved();
    vm.warp(time);
    _revoked(p);
    assertTrue(SPM.isRevoked(p));
  }

  /* ---------------------------------------- behavior ---------------------------------------- */

  function test_behavior_staysApproved() public {
    ISpendPermissionManager.SpendPermission memory p = _approved();
    _revoked(p);
    assertTrue(SPM.isApproved(p));
  }

  function test_behavior_secondTimeEmitsNothing() public {
    ISpendPermissionManager.SpendPermission memory p = _approved();
    _revoked(p);
    vm.recordLogs();
    _revoked(p);
    _assertEvents(0);
    assertTrue(SPM.isRevoked(p));
  }

  function test_behavior_afterRevokeAsSpenderEmitsNothing() public {
    ISpendPermissionManager.SpendPermission memory p = _approved();
    vm.prank(spender);
    SPM.revokeAsSpender(p);
    vm.recordLogs();
    _revoked(p);
    _assertEvents(0);
  }

  /// @dev Nothing brings it back: not the account, not its signature.
  function test_behavior_permanent() public {
    ISpendPermissionManager.SpendPermission memory p = _approved();
    _revoked(p);
    vm.prank(account);
    assertFalse(SPM.approve(p));
    assertFalse(SPM.approveWithSignature(p, _sign(_hash(p))));
    assertFalse(SPM.isValid(p));
    _expectSpendError(
      p, 1, abi.encodeWithSelector(ISpendPermissionManager.UnauthorizedSpendPermission.selector)
    );
  }

  function test_behavior_keepsTheMeter() public {
    ISpendPermissionManager.SpendPermission memory p = _approved();
    _spend(p, 7);
    _revoked(p);
    _assertEq(SPM.getLastUpdatedPeriod(p), START, START + PERIOD, 7);
  }

  function test_behavior_otherPermissionsStay(uint256 salt) public {
    ISpendPermissionManager.SpendPermission memory p = _approved();
    ISpendPermissionManager.SpendPermission memory other = _permission();
    vm.assume(salt != p.salt);
    other.salt = salt;
    _approved(other);
    _revoked(p);
    assertTrue(SPM.isValid(other));
    _spend(other, 1);
    assertEq(token.balanceOf(spender), 1);
  }

  /* ---------------------------------------- errors ---------------------------------------- */

  function test_error_invalidSender(address sender) public {
    vm.assume(sender != account);
    _expectInvalidSender(sender);
  }

  function test_error_spender() public {
    _expectInvalidSender(spender);
  }

  function _expectInvalidSender(address sender) private {
    ISpendPermissionManager.SpendPermission memory p = _approved();
    vm.expectRevert(abi.encodeWithSelector(ISpendPermissionManager.InvalidSender.selector, sender, account));
    vm.prank(sender);
    SPM.revoke(p);
    assertTrue(SPM.isValid(p));
  }
}
