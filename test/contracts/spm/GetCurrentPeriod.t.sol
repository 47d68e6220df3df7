// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { stdError } from "forge-std/StdError.sol";

import { ISpendPermissionManager } from "../../../contracts/interfaces/ISpendPermissionManager.sol";
import { SpmTest } from "./SpmTest.sol";

contract GetCurrentPeriodTest is SpmTest {
  function test_default() public view {
    _assertEq(SPM.getCurrentPeriod(_permission()), START, START + PERIOD, 0);
  }

  /* ---------------------------------------- args ---------------------------------------- */

  /// @dev The period that holds the time, by counting whole periods since the start, in 256 bits.
  function test_args_anyPermissionAndTime(ISpendPermissionManager.SpendPermission memory p, uint48 time)
    public
  {
    p = _valid(p);
    time = uint48(bound(time, p.start, p.end - 1));
    vm.warp(time);
    uint256 start = p.start + (uint256(time - p.start) / p.period) * p.period;
    uint256 end = start + p.period < p.end ? start + p.period : p.end;
    _assertEq(SPM.getCurrentPeriod(p), uint48(start), uint48(end), 0);
    // What a period is: it holds the time, it is not empty, and it is no longer than `period`.
    assertLe(start, time);
    assertLt(time, end);
    assertLe(end - start, p.period);
  }

  function test_args_boundaries() public {
    for (uint48 n; n < 10; ++n) {
      vm.warp(START + n * PERIOD);
      _assertEq(SPM.getCurrentPeriod(_permission()), START + n * PERIOD, START + (n + 1) * PERIOD, 0);
      vm.warp(START + (n + 1) * PERIOD - 1);
      _assertEq(SPM.getCurrentPeriod(_permission()), START + n * PERIOD, START + (n + 1) * PERIOD, 0);
    }
    vm.warp(START + 10 * PERIOD);
    _assertEq(SPM.getCurrentPeriod(_permission()), START + 10 * PERIOD, END, 0);
    vm.warp(END - 1);
    _assertEq(SPM.getCurrentPeriod(_permission()), START + 10 * PERIOD, END, 0);
  }

  /// @dev The last period is whole when the end is on a boundary.
  function test_args_endOnBoundary() public {
    ISpendPermissionManager.SpendPermission memory p = _permission();
    p.end = START + 2 * PERIOD;
    vm.warp(p.end - 1);
    _assertEq(SPM.getCurrentPeriod(p), START + PERIOD, START + 2 * PERIOD, 0);
    p.end += 1;
    vm.warp(p.end - 1);
    _assertEq(SPM.getCurrentPeriod(p), START + 2 * PERIOD, START + 2 * PERIOD + 1, 0);
  }

  /// @dev `start + period` does not fit 48 bits; the end is clipped all the same.
  function test_args_periodPastTheLargestTime(uint48 period, uint48 time) public {
    ISpendPermissionManager.SpendPermission memory p = _permission();
    p.end = type(uint48).max;
    p.period = uint48(bound(period, type(uint48).max - START, type(uint48).max));
    time = uint48(bound(time, START, type(uint48).max - 1));
    vm.warp(time);
    _assertEq(SPM.getCurrentPeriod(p), START, type(uint48).max, 0);
  }

  function test_args_periodOfOneSecond(uint48 time) public {
    ISpendPermissionManager.SpendPermission memory p = _permission();
    p.period = 1;
    time = uint48(bound(time, START, END - 1));
    vm.warp(time);
    _assertEq(SPM.getCurrentPeriod(p), time, time + 1, 0);
  }

  /* ---------------------------------------- behavior ---------------------------------------- */

  function test_behavior_unapprovedApprovedAndRevoked() public {
    ISpendPermissionManager.SpendPermission memory p = _permission();
    _assertEq(SPM.getCurrentPeriod(p), START, START + PERIOD, 0);
    _approved(p);
    _spend(p, 7);
    _assertEq(SPM.getCurrentPeriod(p), START, START + PERIOD, 7);
    _revoked(p);
    _assertEq(SPM.getCurrentPeriod(p), START, START + PERIOD, 7);
  }

  /// @dev What was spent counts to the last second of its period, and not a second longer.
  function test_behavior_spendCountsUntilItsPeriodEnds() public {
    ISpendPermissionManager.SpendPermission memory p = _approved();
    vm.warp(START + PERIOD + 5);
    _spend(p, 7);
    vm.warp(START + 2 * PERIOD - 1);
    _assertEq(SPM.getCurrentPeriod(p), START + PERIOD, START + 2 * PERIOD, 7);
    vm.warp(START + 2 * PERIOD);
    _assertEq(SPM.getCurrentPeriod(p), START + 2 * PERIOD, START + 3 * PERIOD, 0);
  }

  /// @dev The clipped last period as well.
  function test_behavior_spendInTheClippedPeriod() public {
    ISpendPermissionManager.SpendPermission memory p = _approved();
    vm.warp(START + 10 * PERIOD);
    _spend(p, 7);
    vm.warp(END - 1);
    _assertEq(SPM.getCurrentPeriod(p), START + 10 * PERIOD, END, 7);
  }

  /* ---------------------------------------- errors ---------------------------------------- */

  function test_error_beforeStart(uint48 time) public {
    time = uint48(bound(time, 0, START - 1));
    _expectError(
      time, abi.encodeWithSelector(ISpendPermissionManager.BeforeSpendPermissionStart.selector, time, START)
    );
  }

  function test_error_afterEnd(uint48 time) public {
    time = uint48(bound(time, END, type(uint48).max));
    _expectError(
      time, abi.encodeWithSelector(ISpendPermissionManager.AfterSpendPermissionEnd.selector, time, END)
    );
  }

  function test_error_secondBeforeStart() public {
    _expectError(
      START - 1,
      abi.encodeWithSelector(ISpendPermissionManager.BeforeSpendPermissionStart.selector, START - 1, START)
    );
  }

  function test_error_atEnd() public {
    _expectError(
      END, abi.encodeWithSelector(ISpendPermissionManager.AfterSpendPermissionEnd.selector, END, END)
    );
  }

  /// @dev What was spent before does not make an ended permission answer.
  function test_error_atEndAfterSpending() public {
    ISpendPermissionManager.SpendPermission memory p = _approved();
    vm.warp(END - 1);
    _spend(p, 7);
    _expectError(
      END, abi.encodeWithSelector(ISpendPermissionManager.AfterSpendPermissionEnd.selector, END, END)
    );
  }

  /// @dev Before the start comes first, for a permission that ends before it starts.
  function test_error_endBeforeStart() public {
    ISpendPermissionManager.SpendPermission memory p = _permission();
    (p.start, p.end) = (END, START);
    vm.warp(START + 1);
    vm.expectRevert(
      abi.encodeWithSelector(ISpendPermissionManager.BeforeSpendPermissionStart.selector, START + 1, END)
    );
    SPM.getCurrentPeriod(p);
  }

  /// @dev Nothing like it can be approved, but anybody can ask.
  function test_error_zeroPeriod() public {
    ISpendPermissionManager.SpendPermission memory p = _permission();
    p.period = 0;
    vm.expectRevert(stdError.divisionError);
    SPM.getCurrentPeriod(p);
  }

  function _expectError(uint48 time, bytes memory reason) private {
    vm.warp(time);
    vm.expectRevert(reason);
    SPM.getCurrentPeriod(_permission());
  }
}
