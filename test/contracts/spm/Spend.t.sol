// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { ISpendPermissionManager } from "../../../contracts/interfaces/ISpendPermissionManager.sol";
import { SpmTest } from "./SpmTest.sol";

/// @dev Accounting and time. How the money moves: SpendTransfer.t.sol.
contract SpendTest is SpmTest {
  function test_default() public {
    ISpendPermissionManager.SpendPermission memory p = _approved();
    vm.recordLogs();
    _expectUsed(p, START, START + PERIOD, 600);
    _spend(p, 600);
    _assertEvents(1);
    assertEq(token.balanceOf(spender), 600);
    assertEq(token.balanceOf(account), BALANCE - 600);
    _assertEq(SPM.getLastUpdatedPeriod(p), START, START + PERIOD, 600);
  }

  /* ---------------------------------------- args ---------------------------------------- */

  function test_args_anyPermissionTimeAndValue(
    ISpendPermissionManager.SpendPermission memory p,
    uint48 time,
    uint160 value
  ) public {
    p = _approved(_valid(p));
    vm.assume(p.spender != account);
    time = uint48(bound(time, p.start, p.end - 1));
    value = uint160(bound(value, 1, p.allowance));
    token.mint(account, value);
    vm.warp(time);

    // The period that holds `time`, by counting whole periods since the start.
    uint256 start = p.start + (uint256(time - p.start) / p.period) * p.period;
    uint256 end = start + p.period < p.end ? start + p.period : p.end;
    _expectUsed(p, uint48(start), uint48(end), value);
    _spend(p, value);
    assertEq(token.balanceOf(p.spender), value);
    assertEq(token.balanceOf(account), BALANCE);
    _assertEq(SPM.getLastUpdatedPeriod(p), uint48(start), uint48(end), value);
  }

  function test_args_oneUnit() public {
    ISpendPermissionManager.SpendPermission memory p = _approved();
    _spend(p, 1);
    assertEq(token.balanceOf(spender), 1);
  }

  function test_args_exactAllowance() public {
    ISpendPermissionManager.SpendPermission memory p = _approved();
    _spend(p, ALLOWANCE);
    assertEq(token.balanceOf(spender), ALLOWANCE);
  }

  /* ---------------------------------------- behavior: the allowance ---------------------------------------- */

  /// @dev The event carries the increment, the storage the sum.
  function test_behavior_sumsWithinThePeriod(uint160 first, uint160 second) public {
    ISpendPermissionManager.SpendPermission memory p = _approved();
    first = uint160(bound(first, 1, ALLOWANCE - 1));
    second = uint160(bound(second, 1, ALLOWANCE - first));
    _expectUsed(p, START, START + PERIOD, first);
    _spend(p, first);
    vm.warp(START + PERIOD - 1);
    _expectUsed(p, START, START + PERIOD, second);
    _spend(p, second);
    _assertEq(SPM.getLastUpdatedPeriod(p), START, START + PERIOD, first + second);
    assertEq(token.balanceOf(spender), uint256(first) + second);
  }

  function test_behavior_allowanceInPieces(uint160 first) public {
    ISpendPermissionManager.SpendPermission memory p = _approved();
    first = uint160(bound(first, 1, ALLOWANCE - 1));
    _spend(p, first);
    _expectSpendError(p, ALLOWANCE - first + 1, _exceeded(ALLOWANCE + 1));
    _spend(p, ALLOWANCE - first);
    _expectSpendError(p, 1, _exceeded(ALLOWANCE + 1));
    assertEq(token.balanceOf(spender), ALLOWANCE);
  }

  function test_behavior_newPeriodNewAllowance() public {
    ISpendPermissionManager.SpendPermission memory p = _approved();
    for (uint48 n; n < 10; ++n) {
      vm.warp(START + n * PERIOD);
      _expectUsed(p, START + n * PERIOD, START + (n + 1) * PERIOD, ALLOWANCE);
      _spend(p, ALLOWANCE);
      _expectSpendError(p, 1, _exceeded(ALLOWANCE + 1));
    }
    assertEq(token.balanceOf(spender), 10 * uint256(ALLOWANCE));
  }

  /// @dev Two full allowances, a second apart.
  function test_behavior_boundaryDoubling() public {
    ISpendPermissionManager.SpendPermission memory p = _approved();
    vm.warp(START + PERIOD - 1);
    _spend(p, ALLOWANCE);
    _expectSpendError(p, 1, _exceeded(ALLOWANCE + 1));
    vm.warp(START + PERIOD);
    _spend(p, ALLOWANCE);
    _expectSpendError(p, 1, _exceeded(ALLOWANCE + 1));
    assertEq(token.balanceOf(spender), 2 * uint256(ALLOWANCE));
  }

  /// @dev What was left in one period is not carried into the next.
  function test_behavior_unusedAllowanceIsLost() public {
    ISpendPermissionManager.SpendPermission memory p = _approved();
    _spend(p, 1);
    vm.warp(START + 3 * PERIOD);
    _expectSpendError(p, ALLOWANCE + 1, _exceeded(ALLOWANCE + 1));
    _spend(p, ALLOWANCE);
    _assertEq(SPM.getLastUpdatedPeriod(p), START + 3 * PERIOD, START + 4 * PERIOD, ALLOWANCE);
  }

  /// @dev Half a period long, a whole allowance.
  function test_behavior_lastPeriodIsClippedWithAFullAllowance() public {
    ISpendPermissionManager.SpendPermission memory p = _approved();
    vm.warp(START + 10 * PERIOD);
    _expectUsed(p, START + 10 * PERIOD, END, ALLOWANCE);
    _spend(p, ALLOWANCE);
    vm.warp(END - 1);
    _expectSpendError(p, 1, _exceeded(ALLOWANCE + 1));
  }

  /// @dev A period as long as the life makes the allowance a total.
  function test_behavior_lifetimeTotal(uint48 period) public {
    ISpendPermissionManager.SpendPermission memory p = _permission();
    p.period = uint48(bound(period, END - START, type(uint48).max));
    _approved(p);
    _expectUsed(p, START, END, ALLOWANCE);
    _spend(p, ALLOWANCE);
    vm.warp(END - 1);
    _expectSpendError(p, 1, _exceeded(ALLOWANCE + 1));
  }

  /// @dev One second less, and the last second of the life has an allowance of its own.
  function test_behavior_almostLifetimeTotal() public {
    ISpendPermissionManager.SpendPermission memory p = _permission();
    p.period = END - START - 1;
    _approved(p);
    _spend(p, ALLOWANCE);
    vm.warp(END - 2);
    _expectSpendError(p, 1, _exceeded(ALLOWANCE + 1));
    vm.warp(END - 1);
    _expectUsed(p, END - 1, END, ALLOWANCE);
    _spend(p, ALLOWANCE);
  }

  /// @dev Two permissions are two allowances.
  function test_behavior_permissionsAreMeteredApart() public {
    ISpendPermissionManager.SpendPermission memory p = _approved();
    _spend(p, ALLOWANCE);
    p.salt = 2;
    _approved(p);
    _spend(p, ALLOWANCE);
    assertEq(token.balanceOf(spender), 2 * uint256(ALLOWANCE));
  }

  function test_behavior_startInThePast() public {
    ISpendPermissionManager.SpendPermission memory p = _permission();
    p.start = 86_400;
    _approved(p);
    // Periods count from the start, wherever in the day the approval came.
    _expectUsed(p, START - START % 86_400, START - START % 86_400 + PERIOD, 1);
    _spend(p, 1);
  }

  /* ---------------------------------------- errors: in their order ---------------------------------------- */

  function test_error_invalidSender(address sender) public {
    vm.assume(sender != spender);
    ISpendPermissionManager.SpendPermission memory p = _approved();
    vm.expectRevert(abi.encodeWithSelector(ISpendPermissionManager.InvalidSender.selector, sender, spender));
    vm.prank(sender);
    SPM.spend(p, 1);
  }

  function test_error_account() public {
    ISpendPermissionManager.SpendPermission memory p = _approved();
    vm.expectRevert(abi.encodeWithSelector(ISpendPermissionManager.InvalidSender.selector, account, spender));
    vm.prank(account);
    SPM.spend(p, 1);
  }

  function test_error_zeroValue() public {
    _expectSpendError(_approved(), 0, abi.encodeWithSelector(ISpendPermissionManager.ZeroValue.selector));
  }

  function test_error_neverApproved(ISpendPermissionManager.SpendPermission memory p, uint160 value) public {
    vm.assume(value != 0);
    _expectSpendError(p, value, _unauthorized());
  }

  function test_error_revokedByAccount() public {
    ISpendPermissionManager.SpendPermission memory p = _approved();
    _spend(p, 1);
    _revoked(p);
    _expectSpendError(p, 1, _unauthorized());
  }

  function test_error_revokedBySpender() public {
    ISpendPermissionManager.SpendPermission memory p = _approved();
    vm.prank(spender);
    SPM.revokeAsSpender(p);
    _expectSpendError(p, 1, _unauthorized());
  }

  function test_error_anyFieldChanged(uint256 field) public {
    ISpendPermissionManager.SpendPermission memory p = _approved();
    field = bound(field, 0, 8);
    if (field == 0) p.account = makeAddr("another account");
    if (field == 1) p.spender = makeAddr("another spender");
    if (field == 2) p.token = NATIVE;
    if (field == 3) p.allowance += 1;
    if (field == 4) p.period += 1;
    if (field == 5) p.start -= 1;
    if (field == 6) p.end += 1;
    if (field == 7) p.salt += 1;
    if (field == 8) p.extraData = "";
    _expectSpendError(p, 1, _unauthorized());
  }

  function test_error_beforeStart(uint48 time) public {
    ISpendPermissionManager.SpendPermission memory p = _approved();
    time = uint48(bound(time, 0, START - 1));
    vm.warp(time);
    _expectSpendError(p, 1, _before(time));
  }

  function test_error_afterEnd(uint48 time) public {
    ISpendPermissionManager.SpendPermission memory p = _approved();
    time = uint48(bound(time, END, type(uint48).max));
    vm.warp(time);
    _expectSpendError(p, 1, _after(time));
  }

  /// @dev One second before, at, and after each end.
  function test_error_secondsAroundStartAndEnd() public {
    ISpendPermissionManager.SpendPermission memory p = _approved();
    vm.warp(START - 1);
    _expectSpendError(p, 1, _before(START - 1));
    vm.warp(START);
    _spend(p, 1);
    vm.warp(START + 1);
    _spend(p, 1);
    vm.warp(END - 1);
    _spend(p, 1);
    vm.warp(END);
    _expectSpendError(p, 1, _after(END));
    vm.warp(END + 1);
    _expectSpendError(p, 1, _after(END + 1));
    assertEq(token.balanceOf(spender), 3);
  }

  function test_error_exceeded(uint160 value) public {
    ISpendPermissionManager.SpendPermission memory p = _approved();
    value = uint160(bound(value, ALLOWANCE + 1, type(uint160).max));
    _expectSpendError(p, value, _exceeded(value));
  }

  /// @dev The error names the sum of the period, not the value of the call.
  function test_error_exceededBySum(uint160 first, uint160 second) public {
    ISpendPermissionManager.SpendPermission memory p = _approved();
    first = uint160(bound(first, 1, ALLOWANCE));
    second = uint160(bound(second, ALLOWANCE - first + 1, type(uint160).max - first));
    _spend(p, first);
    _expectSpendError(p, second, _exceeded(uint256(first) + second));
    _assertEq(SPM.getLastUpdatedPeriod(p), START, START + PERIOD, first);
  }

  function test_error_overflow(uint160 first, uint160 second) public {
    ISpendPermissionManager.SpendPermission memory p = _permission();
    p.allowance = type(uint160).max;
    _approved(p);
    first = uint160(bound(first, 1, BALANCE));
    second = uint160(bound(second, type(uint160).max - first + 1, type(uint160).max));
    _spend(p, first);
    _expectSpendError(p, second, _overflow(uint256(first) + second));
  }

  /// @dev The largest sum that fits can be spent, and not one unit more.
  function test_error_overflowAtTheUnit() public {
    ISpendPermissionManager.SpendPermission memory p = _permission();
    p.allowance = type(uint160).max;
    _approved(p);
    _spend(p, 1);
    token.mint(account, type(uint160).max);
    _expectSpendError(p, type(uint160).max, _overflow(uint256(type(uint160).max) + 1));
    _spend(p, type(uint160).max - 1);
    _expectSpendError(p, 1, _overflow(uint256(type(uint160).max) + 1));
  }

  /// @dev The overflow comes before the allowance, also where both are passed.
  function test_error_overflowBeforeExceeded() public {
    ISpendPermissionManager.SpendPermission memory p = _approved();
    _spend(p, 1);
    _expectSpendError(p, type(uint160).max - 1, _exceeded(type(uint160).max));
    _expectSpendError(p, type(uint160).max, _overflow(uint256(type(uint160).max) + 1));
  }

  function test_error_order() public {
    ISpendPermissionManager.SpendPermission memory p = _permission();
    vm.warp(END);
    vm.expectRevert(
      abi.encodeWithSelector(ISpendPermissionManager.InvalidSender.selector, address(this), spender)
    );
    SPM.spend(p, 0);
    _expectSpendError(p, 0, abi.encodeWithSelector(ISpendPermissionManager.ZeroValue.selector));
    // Ended and not approved shows the latter.
    _expectSpendError(p, ALLOWANCE + 1, _unauthorized());
    _approved(p);
    _expectSpendError(p, ALLOWANCE + 1, _after(END));
    vm.warp(START - 1);
    _expectSpendError(p, ALLOWANCE + 1, _before(START - 1));
    vm.warp(START);
    _expectSpendError(p, ALLOWANCE + 1, _exceeded(ALLOWANCE + 1));
    _spend(p, ALLOWANCE);
  }

  /* ---------------------------------------- helpers ---------------------------------------- */

  function _unauthorized() private pure returns (bytes memory) {
    return abi.encodeWithSelector(ISpendPermissionManager.UnauthorizedSpendPermission.selector);
  }

  function _before(uint48 time) private pure returns (bytes memory) {
    return abi.encodeWithSelector(ISpendPermissionManager.BeforeSpendPermissionStart.selector, time, START);
  }

  function _after(uint48 time) private pure returns (bytes memory) {
    return abi.encodeWithSelector(ISpendPermissionManager.AfterSpendPermissionEnd.selector, time, END);
  }

  function _overflow(uint256 value) private pure returns (bytes memory) {
    return abi.encodeWithSelector(ISpendPermissionManager.SpendValueOverflow.selector, value);
  }

  function _exceeded(uint256 value) private pure returns (bytes memory) {
    return abi.encodeWithSelector(ISpendPermissionManager.ExceededSpendPermission.selector, value, ALLOWANCE);
  }
}
