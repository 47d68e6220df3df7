// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { ISpendPermissionManager } from "../../../contracts/interfaces/ISpendPermissionManager.sol";
import { SpmTest } from "./SpmTest.sol";

contract ApproveWithRevokeTest is SpmTest {
  function test_default() public {
    ISpendPermissionManager.SpendPermission memory old = _approved();
    ISpendPermissionManager.SpendPermission memory renewed = _renewed();

    vm.recordLogs();
    _expectRevoked(old);
    _expectApproved(renewed);
    assertTrue(_replace(renewed, old, _period(0, 0, 0)));
    _assertEvents(2);

    assertTrue(SPM.isRevoked(old));
    assertFalse(SPM.isValid(old));
    assertTrue(SPM.isValid(renewed));
  }

  /* ---------------------------------------- args ---------------------------------------- */

  function test_args_anyOtherFieldsOfTheSameAccount(
    ISpendPermissionManager.SpendPermission memory renewed,
    ISpendPermissionManager.SpendPermission memory old
  ) public {
    (renewed, old) = (_valid(renewed), _valid(old));
    vm.assume(_hash(renewed) != _hash(old));
    _approved(old);
    _expectRevoked(old);
    _expectApproved(renewed);
    assertTrue(_replace(renewed, old, _period(0, 0, 0)));
    assertTrue(SPM.isRevoked(old));
    assertTrue(SPM.isValid(renewed));
  }

  function test_args_afterSpending(uint160 value) public {
    ISpendPermissionManager.SpendPermission memory old = _approved();
    value = uint160(bound(value, 1, ALLOWANCE));
    _spend(old, value);
    assertTrue(_replace(_renewed(), old, _period(START, START + PERIOD, value)));
    assertTrue(SPM.isRevoked(old));
  }

  /// @dev The stored period is compared, however long ago it ended, and not the current one.
  function test_args_afterThePeriodOfTheLastSpend(uint48 time) public {
    ISpendPermissionManager.SpendPermission memory old = _approved();
    _spend(old, 7);
    vm.warp(bound(time, START + PERIOD, type(uint48).max));
    assertTrue(_replace(_renewed(), old, _period(START, START + PERIOD, 7)));
    assertTrue(SPM.isRevoked(old));
  }

  function test_args_oldNeverApproved() public {
    ISpendPermissionManager.SpendPermission memory old = _permission();
    _expectRevoked(old);
    assertTrue(_replace(_renewed(), old, _period(0, 0, 0)));
    assertTrue(SPM.isRevoked(old));
    assertFalse(SPM.isApproved(old));
  }

  function test_args_oldWithFieldsThatCouldNotBeApproved() public {
    ISpendPermissionManager.SpendPermission memory old;
    old.account = account;
    _expectRevoked(old);
    assertTrue(_replace(_renewed(), old, _period(0, 0, 0)));
  }

  /* ---------------------------------------- behavior ---------------------------------------- */

  /// @dev What was spent from the old one is forgotten.
  function test_behavior_newMeterStartsAtZero() public {
    ISpendPermissionManager.SpendPermission memory old = _approved();
    _spend(old, ALLOWANCE);
    ISpendPermissionManager.SpendPermission memory renewed = _renewed();
    _replace(renewed, old, _period(START, START + PERIOD, ALLOWANCE));

    _assertEq(SPM.getCurrentPeriod(renewed), START, START + PERIOD, 0);
    _spend(renewed, ALLOWANCE);
    assertEq(token.balanceOf(spender), 2 * uint256(ALLOWANCE));
    _expectSpendError(
      old, 1, abi.encodeWithSelector(ISpendPermissionManager.UnauthorizedSpendPermission.selector)
    );
  }

  function test_behavior_oldAlreadyRevokedIsNotRevokedAgain() public {
    ISpendPermissionManager.SpendPermission memory old = _permission();
    _revoked(old);
    ISpendPermissionManager.SpendPermission memory renewed = _renewed();

    vm.recordLogs();
    _expectApproved(renewed);
    assertTrue(_replace(renewed, old, _period(0, 0, 0)));
    _assertEvents(1);
  }

  function test_behavior_newAlreadyApproved() public {
    ISpendPermissionManager.SpendPermission memory renewed = _approved(_renewed());
    ISpendPermissionManager.SpendPermission memory old = _approved();

    vm.recordLogs();
    _expectRevoked(old);
    assertTrue(_replace(renewed, old, _period(0, 0, 0)));
    _assertEvents(1);
  }

  /// @dev The old one is revoked all the same.
  function test_behavior_newRevokedReturnsFalse() public {
    ISpendPermissionManager.SpendPermission memory old = _approved();
    ISpendPermissionManager.SpendPermission memory renewed = _renewed();
    _revoked(renewed);

    vm.recordLogs();
    _expectRevoked(old);
    assertFalse(_replace(renewed, old, _period(0, 0, 0)));
    _assertEvents(1);
    assertTrue(SPM.isRevoked(old));
    assertFalse(SPM.isApproved(renewed));
  }

  /// @dev The revoke comes first, so a permission cannot replace itself.
  function test_behavior_replacingItselfOnlyRevokes() public {
    ISpendPermissionManager.SpendPermission memory p = _approved();
    _expectRevoked(p);
    assertFalse(_replace(p, p, _period(0, 0, 0)));
    assertTrue(SPM.isRevoked(p));
    assertFalse(SPM.isValid(p));
  }

  /* ---------------------------------------- errors ---------------------------------------- */

  function test_error_invalidSender(address sender) public {
    vm.assume(sender != account);
    vm.expectRevert(abi.encodeWithSelector(ISpendPermissionManager.InvalidSender.selector, sender, account));
    vm.prank(sender);
    SPM.approveWithRevoke(_renewed(), _permission(), _period(0, 0, 0));
  }

  function test_error_mismatchedAccounts(address other) public {
    vm.assume(other != account);
    ISpendPermissionManager.SpendPermission memory old = _permission();
    old.account = other;
    _expectError(
      _renewed(),
      old,
      _period(0, 0, 0),
      abi.encodeWithSelector(ISpendPermissionManager.MismatchedAccounts.selector, account, other)
    );
  }

  /// @dev The sender has to be the account of the permission to approve, not of the one to revoke.
  function test_error_accountOfTheOldOne() public {
    ISpendPermissionManager.SpendPermission memory renewed = _renewed();
    renewed.account = makeAddr("other");
    _expectError(
      renewed,
      _permission(),
      _period(0, 0, 0),
      abi.encodeWithSelector(ISpendPermissionManager.InvalidSender.selector, account, renewed.account)
    );
  }

  function test_error_anyDifferenceFromTheStoredPeriod(uint48 start, uint48 end, uint160 value) public {
    vm.assume(start != START || end != START + PERIOD || value != 7);
    ISpendPermissionManager.SpendPermission memory old = _approved();
    _spend(old, 7);
    _expectMismatch(old, _period(START, START + PERIOD, 7), _period(start, end, value));
  }

  function test_error_oneUnitOff() public {
    ISpendPermissionManager.SpendPermission memory old = _approved();
    _spend(old, 7);
    ISpendPermissionManager.PeriodSpend memory actual = _period(START, START + PERIOD, 7);
    _expectMismatch(old, actual, _period(START - 1, START + PERIOD, 7));
    _expectMismatch(old, actual, _period(START + 1, START + PERIOD, 7));
    _expectMismatch(old, actual, _period(START, START + PERIOD - 1, 7));
    _expectMismatch(old, actual, _period(START, START + PERIOD + 1, 7));
    _expectMismatch(old, actual, _period(START, START + PERIOD, 6));
    _expectMismatch(old, actual, _period(START, START + PERIOD, 8));
  }

  /// @dev `getCurrentPeriod`'s answer is not the stored one: not when nothing was spent yet.
  function test_error_currentPeriodBeforeTheFirstSpend() public {
    ISpendPermissionManager.SpendPermission memory old = _approved();
    _expectMismatch(old, _period(0, 0, 0), SPM.getCurrentPeriod(old));
  }

  /// @dev And not in a later period than the last spend's.
  function test_error_currentPeriodAfterAnEarlierSpend() public {
    ISpendPermissionManager.SpendPermission memory old = _approved();
    _spend(old, 7);
    vm.warp(START + PERIOD);
    _expectMismatch(old, _period(START, START + PERIOD, 7), SPM.getCurrentPeriod(old));
  }

  /// @dev The spender is faster than the account.
  function test_error_frontrunBySpend() public {
    ISpendPermissionManager.SpendPermission memory old = _approved();
    ISpendPermissionManager.PeriodSpend memory seen = SPM.getLastUpdatedPeriod(old);
    _spend(old, ALLOWANCE);
    _expectMismatch(old, _period(START, START + PERIOD, ALLOWANCE), seen);
    assertTrue(SPM.isValid(old));
  }

  /// @dev Nothing is revoked when the new one cannot be approved.
  function test_error_invalidNewPermission() public {
    ISpendPermissionManager.SpendPermission memory old = _approved();
    ISpendPermissionManager.SpendPermission memory renewed = _renewed();
    renewed.allowance = 0;
    _expectError(
      renewed, old, _period(0, 0, 0), abi.encodeWithSelector(ISpendPermissionManager.ZeroAllowance.selector)
    );
    assertTrue(SPM.isValid(old));
  }

  /// @dev Everything is wrong at first; mending one thing at a time shows which is looked at next.
  function test_error_order() public {
    ISpendPermissionManager.SpendPermission memory old = _permission();
    old.account = makeAddr("other");
    ISpendPermissionManager.SpendPermission memory renewed = _renewed();
    renewed.token = address(0);

    vm.expectRevert(
      abi.encodeWithSelector(ISpendPermissionManager.InvalidSender.selector, address(this), account)
    );
    SPM.approveWithRevoke(renewed, old, _period(1, 2, 3));
    _expectError(
      renewed,
      old,
      _period(1, 2, 3),
      abi.encodeWithSelector(ISpendPermissionManager.MismatchedAccounts.selector, account, old.account)
    );
    old.account = account;
    _expectError(
      renewed,
      old,
      _period(1, 2, 3),
      abi.encodeWithSelector(
        ISpendPermissionManager.InvalidLastUpdatedPeriod.selector, _period(0, 0, 0), _period(1, 2, 3)
      )
    );
    _expectError(
      renewed, old, _period(0, 0, 0), abi.encodeWithSelector(ISpendPermissionManager.ZeroToken.selector)
    );
    renewed.token = NATIVE;
    assertTrue(_replace(renewed, old, _period(0, 0, 0)));
  }

  /* ---------------------------------------- helpers ---------------------------------------- */

  function _renewed() private view returns (ISpendPermissionManager.SpendPermission memory p) {
    p = _permission();
    p.salt = 2;
  }

  function _period(uint48 start, uint48 end, uint160 value)
    private
    pure
    returns (ISpendPermissionManager.PeriodSpend memory)
  {
    return ISpendPermissionManager.PeriodSpend(start, end, value);
  }

  function _replace(
    ISpendPermissionManager.SpendPermission memory renewed,
    ISpendPermissionManager.SpendPermission memory old,
    ISpendPermissionManager.PeriodSpend memory expected
  ) private returns (bool) {
    vm.prank(account);
    return SPM.approveWithRevoke(renewed, old, expected);
  }

  function _expectError(
    ISpendPermissionManager.SpendPermission memory renewed,
    ISpendPermissionManager.SpendPermission memory old,
    ISpendPermissionManager.PeriodSpend memory expected,
    bytes memory reason
  ) private {
    vm.expectRevert(reason);
    _replace(renewed, old, expected);
  }

  function _expectMismatch(
    ISpendPermissionManager.SpendPermission memory old,
    ISpendPermissionManager.PeriodSpend memory actual,
    ISpendPermissionManager.PeriodSpend memory expected
  ) private {
    _expectError(
      _renewed(),
      old,
      expected,
      abi.encodeWithSelector(ISpendPermissionManager.InvalidLastUpdatedPeriod.selector, actual, expected)
    );
  }
}
