// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { ISpendPermissionManager } from "../../../contracts/interfaces/ISpendPermissionManager.sol";
import { SpmTest } from "./SpmTest.sol";

contract IsValidTest is SpmTest {
  function test_default() public {
    ISpendPermissionManager.SpendPermission memory p = _permission();
    assertFalse(SPM.isValid(p));
    _approved(p);
    assertTrue(SPM.isValid(p));
    _revoked(p);
    assertFalse(SPM.isValid(p));
  }

  /// @dev Approved and not revoked, in all four states that calls can lead to.
  function test_behavior_approvedAndNotRevoked(bool approveFirst, bool revoke, bool approveAgain) public {
    ISpendPermissionManager.SpendPermission memory p = _permission();
    if (approveFirst) _approved(p);
    if (revoke) _revoked(p);
    vm.prank(account);
    if (approveAgain) SPM.approve(p);
    assertEq(SPM.isValid(p), (approveFirst || approveAgain) && !revoke);
    assertEq(SPM.isValid(p), SPM.isApproved(p) && !SPM.isRevoked(p));
  }

  function test_behavior_saysNothingOfTime(uint48 time) public {
    ISpendPermissionManager.SpendPermission memory p = _approved();
    vm.warp(time);
    assertTrue(SPM.isValid(p));
  }

  function test_behavior_saysNothingOfTheOwners() public {
    ISpendPermissionManager.SpendPermission memory p = _approved();
    vm.prank(account);
    wallet.removeOwnerAtIndex(1, abi.encode(address(SPM)));
    assertTrue(SPM.isValid(p));
  }

  function test_behavior_saysNothingOfTheBalance() public {
    ISpendPermissionManager.SpendPermission memory p = _approved();
    vm.prank(account);
    token.transfer(address(1), BALANCE);
    assertTrue(SPM.isValid(p));
  }

  function test_behavior_saysNothingOfTheMeter() public {
    ISpendPermissionManager.SpendPermission memory p = _approved();
    _spend(p, ALLOWANCE);
    assertTrue(SPM.isValid(p));
  }
}
