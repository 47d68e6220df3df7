// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { ISpendPermissionManager } from "../../../contracts/interfaces/ISpendPermissionManager.sol";
import { SpmTest } from "./SpmTest.sol";

contract GetLastUpdatedPeriodTest is SpmTest {
  function test_default() public {
    ISpendPermissionManager.SpendPermission memory p = _approved();
    _spend(p, 7);
    _assertEq(SPM.getLastUpdatedPeriod(p), START, START + PERIOD, 7);
  }

  function test_args_neverSpent(ISpendPermissionManager.SpendPermission memory p, uint48 time) public {
    vm.warp(time);
    _assertEq(SPM.getLastUpdatedPeriod(p), 0, 0, 0);
    _approved(_valid(p));
    _assertEq(SPM.getLastUpdatedPeriod(p), 0, 0, 0);
  }

  /// @dev It is the stored one: it neither moves on with time nor reverts outside the permission's life.
  function test_behavior_staysWhateverTheTime(uint48 time) public {
    ISpendPermissionManager.SpendPermission memory p = _approved();
    _spend(p, 7);
    vm.warp(time);
    _assertEq(SPM.getLastUpdatedPeriod(p), START, START + PERIOD, 7);
  }

  function test_behavior_skipsPeriodsWithoutSpend() public {
    ISpendPermissionManager.SpendPermission memory p = _approved();
    _spend(p, 7);
    vm.warp(START + 4 * PERIOD);
    _spend(p, 8);
    _assertEq(SPM.getLastUpdatedPeriod(p), START + 4 * PERIOD, START + 5 * PERIOD, 8);
  }

  function test_behavior_holdsTheSum() public {
    ISpendPermissionManager.SpendPermission memory p = _approved();
    _spend(p, 7);
    _spend(p, 8);
    _assertEq(SPM.getLastUpdatedPeriod(p), START, START + PERIOD, 15);
  }

  function test_behavior_staysAfterRevoke() public {
    ISpendPermissionManager.SpendPermission memory p = _approved();
    _spend(p, 7);
    _revoked(p);
    _assertEq(SPM.getLastUpdatedPeriod(p), START, START + PERIOD, 7);
  }
}
