// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { ISpendPermissionManager } from "../../../contracts/interfaces/ISpendPermissionManager.sol";
import { SpmTest } from "./SpmTest.sol";

contract RevokeAsSpenderTest is SpmTest {
  function test_default() public {
    ISpendPermissionManager.SpendPermission memory p = _approved();
    vm.recordLogs();
    _expectRevoked(p);
    _revokeAsSpender(p);
    _assertEvents(1);
    assertTrue(SPM.isRevoked(p));
    assertTrue(SPM.isApproved(p));
    assertFalse(SPM.isValid(p));
  }

  /* ---------------------------------------- args ---------------------------------------- */

  /// @dev Neither approval nor sensible fields are needed.
  function test_args_anyFieldsNeverApproved(ISpendPermissionManager.SpendPermission memory p) public {
    _expectRevoked(p);
    _revokeAsSpender(p);
    assertTrue(SPM.isRevoked(p));
    assertFalse(SPM.isApproved(p));
  }

  /* ---------------------------------------- behavior ---------------------------------------- */

  function test_behavior_secondTimeEmitsNothing() public {
    ISpendPermissionManager.SpendPermission memory p = _approved();
    _revokeAsSpender(p);
    vm.recordLogs();
    _revokeAsSpender(p);
    _assertEvents(0);
  }

  function test_behavior_afterRevokeByAccountEmitsNothing() public {
    ISpendPermissionManager.SpendPermission memory p = _approved();
    _revoked(p);
    vm.recordLogs();
    _revokeAsSpender(p);
    _assertEvents(0);
  }

  /// @dev The account cannot give it back to a spender who gave it up.
  function test_behavior_permanent(bool approvedBefore) public {
    ISpendPermissionManager.SpendPermission memory p = _permission();
    if (approvedBefore) _approved(p);
    _revokeAsSpender(p);
    vm.prank(account);
    assertFalse(SPM.approve(p));
    assertFalse(SPM.approveWithSignature(p, _sign(_hash(p))));
    _expectSpendError(
      p, 1, abi.encodeWithSelector(ISpendPermissionManager.UnauthorizedSpendPermission.selector)
    );
  }

  function test_behavior_newSaltIsAnotherPermission() public {
    ISpendPermissionManager.SpendPermission memory p = _permission();
    _revokeAsSpender(p);
    p.salt += 1;
    _approved(p);
    _spend(p, 1);
    assertEq(token.balanceOf(spender), 1);
  }

  /* ---------------------------------------- errors ---------------------------------------- */

  function test_error_invalidSender(address sender) public {
    vm.assume(sender != spender);
    _expectInvalidSender(sender);
  }

  function test_error_account() public {
    _expectInvalidSender(account);
  }

  function _expectInvalidSender(address sender) private {
    ISpendPermissionManager.SpendPermission memory p = _approved();
    vm.expectRevert(abi.encodeWithSelector(ISpendPermissionManager.InvalidSender.selector, sender, spender));
    vm.prank(sender);
    SPM.revokeAsSpender(p);
    assertTrue(SPM.isValid(p));
  }

  function _revokeAsSpender(ISpendPermissionManager.SpendPermission memory p) private {
    vm.prank(p.spender);
    SPM.revokeAsSpender(p);
  }
}
