// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { Batch } from "../../../contracts/Batch.sol";
import { IHardcapGuard } from "../../../contracts/interfaces/IHardcapGuard.sol";
import { ISpendPermissionManager } from "../../../contracts/interfaces/ISpendPermissionManager.sol";
import { Policy } from "../../../contracts/Policy.sol";
import { TrailingWindow } from "../../../contracts/TrailingWindow.sol";
import { GuardTest } from "./GuardTest.sol";

/// @dev Every cap but the tasks', one unit under it, at it, one over it.
contract PayMetersTest is GuardTest {
  /* ---------------------------------------- per call ---------------------------------------- */

  function test_behavior_perCall() public {
    ISpendPermissionManager.SpendPermission memory p = _approved();
    _pay(p, NUMBER, PER_CALL - 1);
    _pay(p, NUMBER + 1, PER_CALL);
    _expectRefused(
      p,
      _batch(NUMBER + 2, PER_CALL + 1),
      IHardcapGuard.Reason.OverPerCall,
      abi.encodeWithSelector(IHardcapGuard.OverPerCall.selector, PER_CALL + 1, PER_CALL)
    );
  }

  /// @dev A batch is many calls.
  function test_behavior_perCall_ofEachPayment() public {
    ISpendPermissionManager.SpendPermission memory p = _approved();
    _pay(p, _rowOf(4, NUMBER, PER_CALL));
    vm.warp(START + 1 days);
    Batch memory batch = _rowOf(3, NUMBER + 4, 1);
    batch.payments[2].amount = PER_CALL + 1;
    _expectRefused(
      p,
      batch,
      IHardcapGuard.Reason.OverPerCall,
      abi.encodeWithSelector(IHardcapGuard.OverPerCall.selector, PER_CALL + 1, PER_CALL)
    );
  }

  function test_behavior_perCall_zero() public {
    Policy memory policy = _policy();
    policy.perCall = 0;
    _expectRefused(
      _approved(policy),
      _batch(NUMBER, 1),
      IHardcapGuard.Reason.OverPerCall,
      abi.encodeWithSelector(IHardcapGuard.OverPerCall.selector, 1, 0)
    );
  }

  /* ---------------------------------------- per day ---------------------------------------- */

  function _dayPolicy(uint112 perDay) private view returns (Policy memory policy) {
    policy = _openPolicy();
    policy.perDay = perDay;
  }

  function test_behavior_perDay(uint112 first, uint112 perDay) public {
    perDay = uint112(bound(perDay, 2, ALLOWANCE / 2));
    first = uint112(bound(first, 1, perDay - 1));
    ISpendPermissionManager.SpendPermission memory p = _approved(_dayPolicy(perDay));
    _expectOverDay(p, perDay + 1, 0, perDay);
    _pay(p, NUMBER, first);
    _expectOverDay(p, perDay - first + 1, first, perDay);
    _pay(p, NUMBER + 1, perDay - first);
    _expectOverDay(p, 1, perDay, perDay);
  }

  function test_behavior_perDay_utcMidnight() public {
    ISpendPermissionManager.SpendPermission memory p = _permission(_dayPolicy(100));
    // Not the days of the permission, which start at noon.
    p.start = START - 12 hours;
    _approve(p);
    vm.warp(START - 1);
    _pay(p, NUMBER, 100);
    _expectOverDay(p, 1, 100, 100);
    vm.warp(START);
    _pay(p, NUMBER + 1, 100);
    vm.warp(START + 1 days - 1);
    _expectOverDay(p, 1, 100, 100);
    vm.warp(START + 1 days);
    _expectOverDay(p, 101, 0, 100);
    _pay(p, NUMBER + 2, 100);
  }

  /// @dev Neither yesterday nor a day long ago is today.
  function test_behavior_perDay_anyOtherDay(uint48 time) public {
    ISpendPermissionManager.SpendPermission memory p = _approved(_dayPolicy(100));
    _pay(p, NUMBER, 100);
    time = uint48(bound(time, START, END - 1));
    vm.warp(time);
    if (time < START + 1 days) _expectOverDay(p, 1, 100, 100);
    else _pay(p, NUMBER + 1, 100);
  }

  function test_behavior_perDay_zero() public {
    _expectOverDay(_approved(_dayPolicy(0)), 1, 0, 0);
  }

  /* ---------------------------------------- total ---------------------------------------- */

  function _totalPolicy(uint112 total) private view returns (Policy memory policy) {
    policy = _openPolicy();
    policy.total = total;
  }

  function test_behavior_total(uint112 first, uint112 total, uint48 time) public {
    total = uint112(bound(total, 2, ALLOWANCE / 2));
    first = uint112(bound(first, 1, total - 1));
    ISpendPermissionManager.SpendPermission memory p = _approved(_totalPolicy(total));
    _expectOverTotal(p, total + 1, 0, total);
    _pay(p, NUMBER, first);
    vm.warp(bound(time, START, END - 1));
    _expectOverTotal(p, total - first + 1, first, total);
    _pay(p, NUMBER + 1, total - first);
    _expectOverTotal(p, 1, total, total);
  }

  function test_behavior_total_zero() public {
    _expectOverTotal(_approved(_totalPolicy(0)), 1, 0, 0);
  }

  /// @dev Unlimited is the type's largest value, which meters do not leave.
  function test_behavior_total_unlimited() public {
    ISpendPermissionManager.SpendPermission memory p = _permission(_openPolicy());
    p.allowance = type(uint160).max;
    _approve(p);
    _mint(account, type(uint112).max - BALANCE);
    _pay(p, NUMBER, type(uint112).max);
    _expectOverTotal(p, 1, type(uint112).max, type(uint112).max);
    _expectOverTotal(p, type(uint112).max, type(uint112).max, type(uint112).max);
    Batch memory batch = _rowOf(5, NUMBER + 100, type(uint112).max);
    _expectRefused(
      p,
      batch,
      IHardcapGuard.Reason.OverTotal,
      abi.encodeWithSelector(
        IHardcapGuard.OverTotal.selector, 5 * uint256(type(uint112).max), type(uint112).max, type(uint112).max
      )
    );
  }

  /* ---------------------------------------- siblings ---------------------------------------- */

  /// @dev Total and day are the grant's, whichever permission spends, capped or not.
  function test_behavior_siblings() public {
    ISpendPermissionManager.SpendPermission memory open = _approved(_openPolicy());
    _pay(open, NUMBER, 60);
    ISpendPermissionManager.SpendPermission memory capped = _approved(_dayPolicy(100));
    _expectOverDay(capped, 41, 60, 100);
    _pay(capped, NUMBER + 1, 40);
    _expectOverDay(capped, 1, 100, 100);
    _pay(open, NUMBER + 2, 1000);
    ISpendPermissionManager.SpendPermission memory total = _approved(_totalPolicy(1200));
    _expectOverTotal(total, 101, 1100, 1200);
    _pay(total, NUMBER + 3, 100);
  }

  /// @dev A limit below what was spent refuses everything.
  function test_behavior_loweredLimit() public {
    _pay(_approved(_openPolicy()), NUMBER, 100);
    _expectOverTotal(_approved(_totalPolicy(50)), 1, 100, 50);
    _expectOverDay(_approved(_dayPolicy(50)), 1, 100, 50);
  }

  function test_behavior_otherGrants() public {
    ISpendPermissionManager.SpendPermission memory p = _approved(_totalPolicy(100));
    _pay(p, NUMBER, 100);
    // Another account.
    address first = account;
    account = _wallet(makeAddr("another owner"));
    _mint(account, 100);
    p = _approved(_totalPolicy(100));
    _pay(p, NUMBER, 100);
    assertEq(guard.used(p, 0).total, 100);
    // Another grant of the first account.
    account = first;
    Policy memory policy = _totalPolicy(100);
    policy.grantId = keccak256("another");
    p = _approved(policy);
    assertEq(guard.used(p, 0).total, 0);
    assertEq(guard.remaining(p, 0).total, 100);
  }

  /* ---------------------------------------- trailing window ---------------------------------------- */

  function _expectOverWindow(
    ISpendPermissionManager.SpendPermission memory p,
    uint112 amount,
    uint256 used,
    uint256 limit
  ) private {
    _expectRefused(
      p,
      _batch(NUMBER + 200, amount),
      IHardcapGuard.Reason.OverWindow,
      abi.encodeWithSelector(TrailingWindow.OverWindow.selector, amount, used, limit)
    );
  }

  function test_behavior_window() public {
    ISpendPermissionManager.SpendPermission memory p = _approved(_windowPolicy(100, 30));
    _expectOverWindow(p, 101, 0, 100);
    _pay(p, NUMBER, 99);
    _pay(p, NUMBER + 1, 1);
    // START is a multiple of the bucket's ten seconds: counted until four of them have passed.
    vm.warp(START + 39);
    _expectOverWindow(p, 1, 100, 100);
    vm.warp(START + 40);
    _expectOverWindow(p, 101, 0, 100);
    _pay(p, NUMBER + 2, 100);
  }

  /// @dev Where SPM's period and the day let two full allowances pass a second apart, the window does not.
  function test_behavior_window_boundaryDoubling() public {
    ISpendPermissionManager.SpendPermission memory p = _permission(_windowPolicy(100, 1 days));
    p.allowance = 100;
    _approve(p);
    vm.warp(START + 1 days - 1);
    _pay(p, NUMBER, 100);
    vm.warp(START + 1 days);
    _expectOverWindow(p, 1, 100, 100);
    vm.warp(START + 2 days - 2);
    _expectOverWindow(p, 1, 100, 100);
  }

  /// @dev Shared by permissions with this length, not erased by another length.
  function test_behavior_window_siblings() public {
    ISpendPermissionManager.SpendPermission memory p = _approved(_windowPolicy(100, 30));
    _pay(p, NUMBER, 60);
    ISpendPermissionManager.SpendPermission memory longer = _approved(_windowPolicy(100, 3000));
    _expectOverWindow(longer, 101, 0, 100);
    _pay(longer, NUMBER + 1, 100);
    ISpendPermissionManager.SpendPermission memory higher = _approved(_windowPolicy(200, 30));
    _expectOverWindow(higher, 141, 60, 200);
    _expectOverWindow(p, 41, 60, 100);
    _pay(p, NUMBER + 2, 40);
  }

  function test_behavior_window_zero() public {
    _expectOverWindow(_approved(_windowPolicy(0, 1)), 1, 0, 0);
  }

  function test_behavior_window_amountsAboveItsType() public {
    ISpendPermissionManager.SpendPermission memory p = _permission(_windowPolicy(type(uint48).max - 1, 60));
    p.allowance = type(uint160).max;
    _approve(p);
    _mint(account, type(uint48).max);
    _expectOverWindow(p, type(uint48).max, 0, type(uint48).max - 1);
    _expectOverWindow(p, type(uint112).max, 0, type(uint48).max - 1);
    _pay(p, NUMBER, type(uint48).max - 1);
    _expectOverWindow(p, 1, type(uint48).max - 1, type(uint48).max - 1);
  }
}
