// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { Test } from "forge-std/Test.sol";

import { TrailingWindow } from "../../../contracts/TrailingWindow.sol";

contract TrailingWindowTest is Test {
  /// @dev An exact log of what was recorded.
  uint256[] private times;
  uint256[] private amounts;

  function record(uint256 slot, uint256 time, uint32 window, uint256 amount, uint48 limit)
    public
    pure
    returns (uint256)
  {
    return TrailingWindow.record(slot, time, window, amount, limit);
  }

  /// @dev What the log holds of the `length` seconds that end with `time`.
  function _sum(uint256 time, uint256 length) private view returns (uint256 sum) {
    for (uint256 i; i < times.length; ++i) {
      if (times[i] + length > time) sum += amounts[i];
    }
  }

  /// @dev Four buckets: as much as the ring ever counts.
  function _widened(uint32 window) private pure returns (uint256) {
    return 4 * ((uint256(window) + 2) / 3);
  }

  function _random(uint256 seed, uint256 i, string memory what) private pure returns (uint256) {
    return uint256(keccak256(abi.encode(seed, i, what)));
  }

  /// @dev Never more than the cap in any window; never refused what four buckets would allow.
  function _run(uint256 seed, uint32 window, uint48 limit, uint256 time) private {
    uint256 slot;
    for (uint256 i; i < 40; ++i) {
      time += _gap(seed, i, window);
      uint256 amount = _amount(seed, i, limit);
      uint256 used = TrailingWindow.used(slot, time, window);
      assertGe(used, _sum(time, window), "counts too little");
      assertLe(used, _sum(time, _widened(window)), "counts too much");

      try this.record(slot, time, window, amount, limit) returns (uint256 next) {
        slot = next;
        times.push(time);
        amounts.push(amount);
        assertLe(_sum(time, window), limit, "a window above its cap");
        assertEq(TrailingWindow.used(slot, time, window), used + amount, "recorded");
      } catch (bytes memory error) {
        assertEq(error, abi.encodeWithSelector(TrailingWindow.OverWindow.selector, amount, used, limit));
        assertGt(_sum(time, _widened(window)) + amount, limit, "refused too early");
      }
    }
  }

  /// @dev Nothing, seconds, parts of a bucket, of a window, a few windows, or an age.
  function _gap(uint256 seed, uint256 i, uint32 window) private pure returns (uint256) {
    uint256 gap = _random(seed, i, "gap");
    uint256 kind = _random(seed, i, "kind") % 8;
    if (kind == 0) return 0;
    if (kind == 1) return gap % 3;
    if (kind == 2) return gap % (uint256(window) / 12 + 2);
    if (kind == 3) return gap % (uint256(window) / 3 + 2);
    if (kind == 4) return window;
    if (kind == 5) return uint256(window) - 1;
    if (kind == 6) return gap % (2 * uint256(window) + 2);
    return gap % (100 * uint256(window) + 2);
  }

  function _amount(uint256 seed, uint256 i, uint48 limit) private pure returns (uint256) {
    uint256 amount = _random(seed, i, "amount");
    uint256 kind = _random(seed, i, "amount kind") % 8;
    if (kind == 0) return limit;
    if (kind == 1) return uint256(limit) + 1;
    if (kind == 2) return amount;
    if (kind < 5) return amount % (uint256(limit) / 8 + 2);
    return amount % (uint256(limit) / 2 + 2);
  }

  function test_default() public {
    uint256 slot = record(0, 1000, 30, 60, 100);
    assertEq(TrailingWindow.used(slot, 1000, 30), 60);
    // Buckets of ten seconds: what came at 1000 is counted through 1039.
    slot = record(slot, 1029, 30, 40, 100);
    vm.expectRevert(abi.encodeWithSelector(TrailingWindow.OverWindow.selector, 1, 100, 100));
    this.record(slot, 1039, 30, 1, 100);
    assertEq(TrailingWindow.used(slot, 1039, 30), 100);
    assertEq(TrailingWindow.used(slot, 1040, 30), 40);
    slot = record(slot, 1040, 30, 60, 100);
    assertEq(TrailingWindow.used(slot, 1040, 30), 100);
  }

  function test_args_seconds(uint256 seed, uint32 window, uint48 limit, uint32 start) public {
    _run(seed, uint32(bound(window, 1, 100)), limit, start);
  }

  function test_args_hoursToWeeks(uint256 seed, uint32 window, uint48 limit, uint32 start) public {
    _run(seed, uint32(bound(window, 1 hours, 4 weeks)), limit, start);
  }

  function test_args_years(uint256 seed, uint32 window, uint48 limit, uint40 start) public {
    _run(seed, uint32(bound(window, 365 days, type(uint32).max)), limit, start);
  }

  function test_args_smallLimits(uint256 seed, uint32 window, uint8 limit) public {
    _run(seed, uint32(bound(window, 1, 1000)), limit, 1_800_000_000);
  }

  function test_args_largestLimit(uint256 seed, uint32 window) public {
    _run(seed, uint32(bound(window, 1, type(uint32).max)), type(uint48).max - 1, 1_800_000_000);
  }

  /// @dev The shortest windows, second by second.
  function test_args_everyShortWindow() public pure {
    for (uint32 window = 1; window <= 12; ++window) {
      for (uint256 offset; offset < 12; ++offset) {
        uint256 start = 1_800_000_000 + offset;
        uint256 slot = record(0, start, window, 1, 1);
        for (uint256 age; age <= _widened(window); ++age) {
          uint256 used = TrailingWindow.used(slot, start + age, window);
          if (age < window) assertEq(used, 1, "forgotten");
          if (age >= _widened(window)) assertEq(used, 0, "remembered");
        }
      }
    }
  }

  function test_behavior_boundaryDoublingIsClosed() public {
    // A full cap at the end of a bucket, and another one second later.
    uint256 slot = record(0, 1199, 600, 100, 100);
    for (uint256 time = 1199; time < 1199 + 600; ++time) {
      vm.expectRevert(abi.encodeWithSelector(TrailingWindow.OverWindow.selector, 1, 100, 100));
      this.record(slot, time, 600, 1, 100);
    }
  }

  function test_behavior_lowerLimitThanUsed() public {
    uint256 slot = record(0, 1000, 30, 60, 100);
    vm.expectRevert(abi.encodeWithSelector(TrailingWindow.OverWindow.selector, 1, 60, 50));
    this.record(slot, 1000, 30, 1, 50);
  }

  function test_error_amountsAboveTheType(uint256 amount, uint48 limit) public {
    amount = bound(amount, uint256(limit) + 1, type(uint256).max);
    vm.expectRevert(abi.encodeWithSelector(TrailingWindow.OverWindow.selector, amount, 0, limit));
    this.record(0, 1000, 30, amount, limit);
  }

  function test_error_noLength() public {
    vm.expectRevert();
    this.record(0, 1000, 0, 0, 0);
  }
}
