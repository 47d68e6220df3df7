// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { ISpendPermissionManager } from "../../../contracts/interfaces/ISpendPermissionManager.sol";
import { SpmTest } from "./SpmTest.sol";

contract IsApprovedTest is SpmTest {
  function test_default() public {
    ISpendPermissionManager.SpendPermission memory p = _permission();
    assertFalse(SPM.isApproved(p));
    _approved(p);
    assertTrue(SPM.isApproved(p));
  }

  function test_args_neverApproved(ISpendPermissionManager.SpendPermission memory p) public {
    _approved();
    vm.assume(_hash(p) != _hash(_permission()));
    assertFalse(SPM.isApproved(p));
  }

  function test_behavior_staysAfterRevoke() public {
    ISpendPermissionManager.SpendPermission memory p = _approved();
    _revoked(p);
    assertTrue(SPM.isApproved(p));
  }

  function test_behavior_revokedBeforeApprovalIsNotApproved() public {
    ISpendPermissionManager.SpendPermission memory p = _permission();
    _revoked(p);
    vm.prank(account);
    SPM.approve(p);
    assertFalse(SPM.isApproved(p));
  }

  function test_behavior_saysNothingOfTime(uint48 time) public {
    ISpendPermissionManager.SpendPermission memory p = _approved();
    vm.warp(time);
    assertTrue(SPM.isApproved(p));
  }
}
