// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { ISpendPermissionManager } from "../../../contracts/interfaces/ISpendPermissionManager.sol";
import { SpmTest } from "./SpmTest.sol";

contract IsRevokedTest is SpmTest {
  function test_default() public {
    ISpendPermissionManager.SpendPermission memory p = _approved();
    assertFalse(SPM.isRevoked(p));
    _revoked(p);
    assertTrue(SPM.isRevoked(p));
  }

  function test_args_neverRevoked(ISpendPermissionManager.SpendPermission memory p) public {
    _revoked(_permission());
    vm.assume(_hash(p) != _hash(_permission()));
    assertFalse(SPM.isRevoked(p));
  }

  function test_behavior_neverApproved() public {
    ISpendPermissionManager.SpendPermission memory p = _permission();
    _revoked(p);
    assertTrue(SPM.isRevoked(p));
  }

  function test_behavior_revokedBySpender() public {
    ISpendPermissionManager.SpendPermission memory p = _approved();
    vm.prank(spender);
    SPM.revokeAsSpender(p);
    assertTrue(SPM.isRevoked(p));
  }

  function test_behavior_saysNothingOfTime(uint48 time) public {
    ISpendPermissionManager.SpendPermission memory p = _approved();
    vm.warp(time);
    assertFalse(SPM.isRevoked(p));
    _revoked(p);
    assertTrue(SPM.isRevoked(p));
  }
}
