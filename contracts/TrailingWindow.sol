// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title TrailingWindow
/// @notice Holds "no `window` seconds see more than `limit`" in one storage slot.
/// @dev A ring of four buckets. A bucket is a third of the window long, rounded up, so a window that ends now reaches
///      into no bucket but the current one and the three before it. What these four hold is at least what the window
///      holds: never too little, and never more than `4 * ceil(window / 3)` seconds hold, which is at most a third
///      and two seconds longer than the window.
/// @dev The slot: the newest bucket in the lowest 48 bits, older ones above it; in the upper 64 bits the newest
///      bucket's index, which is its start over the bucket's length. The zero slot is an empty ring.
/// @dev Unchecked: sums of a few buckets of 48 bits do not overflow, and nothing is subtracted from less.
library TrailingWindow {
  uint256 private constant _BUCKET_BITS = 48;
  uint256 private constant _BUCKETS = 4;
  uint256 private constant _RING_BITS = _BUCKETS * _BUCKET_BITS;
  uint256 private constant _BUCKET_MASK = type(uint48).max;
  uint256 private constant _RING_MASK = type(uint192).max;

  /// @notice The window's spend, with this amount, is above the limit.
  error OverWindow(uint256 amount, uint256 used, uint256 limit);

  /// @notice The slot with `amount` spent at `time`, or `OverWindow`.
  /// @param slot Of this window length only: other lengths cut time into other buckets.
  /// @param time Not before the time of the last record.
  /// @param window In seconds, not zero.
  function record(uint256 slot, uint256 time, uint32 window, uint256 amount, uint48 limit)
    internal
    pure
    returns (uint256)
  {
    slot = _advance(slot, time, window);
    uint256 spent = _sum(slot);
    unchecked {
      if (amount > limit || spent > limit - amount) revert OverWindow(amount, spent, limit);
      // The sum of all buckets fits 48 bits, so the newest one does not spill into the next.
      return slot + amount;
    }
  }

  /// @notice What the buckets that the window reaches into hold at `time`.
  function used(uint256 slot, uint256 time, uint32 window) internal pure returns (uint256) {
    return _sum(_advance(slot, time, window));
  }

  /// @dev Shifts the ring until its newest bucket is that of `time`, dropping what is too old.
  function _advance(uint256 slot, uint256 time, uint32 window) private pure returns (uint256) {
    unchecked {
      uint256 index = time / ((uint256(window) + 2) / 3);
      uint256 newest = slot >> _RING_BITS;
      if (index <= newest) return slot;

      uint256 steps = index - newest;
      uint256 buckets = steps < _BUCKETS ? (slot << (steps * _BUCKET_BITS)) & _RING_MASK : 0;
      return index << _RING_BITS | buckets;
    }
  }

  function _sum(uint256 slot) private pure returns (uint256) {
    unchecked {
      return (slot & _BUCKET_MASK) + (slot >> _BUCKET_BITS & _BUCKET_MASK)
        + (slot >> 2 * _BUCKET_BITS & _BUCKET_MASK) + (slot >> 3 * _BUCKET_BITS & _BUCKET_MASK);
    }
  }
}
