// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { ISpendPermissionManager } from "../interfaces/ISpendPermissionManager.sol";
import { SpendPermissionHash } from "./SpendPermissionHash.sol";

/// @title SpendPermissionState
/// @notice DEVNET STAND-IN: the storage of our stand-in for Coinbase's SpendPermissionManager and its views, written
///         from published facts, placed on test chains, never deployed elsewhere, unaudited.
/// @dev Everything is keyed by the permission's hash, which binds the account, the chain and SPM.
abstract contract SpendPermissionState is SpendPermissionHash {
  /// @dev Never cleared, not by a revoke either.
  mapping(bytes32 hash => bool) internal _approved;

  /// @dev Never cleared: a revoke is for good.
  mapping(bytes32 hash => bool) internal _revoked;

  /// @dev The period of the last spend, with its sum.
  mapping(bytes32 hash => PeriodSpend) internal _lastUpdatedPeriod;

  /// @inheritdoc ISpendPermissionManager
  function isApproved(SpendPermission calldata spendPermission) external view returns (bool) {
    return _approved[getHash(spendPermission)];
  }

  /// @inheritdoc ISpendPermissionManager
  function isRevoked(SpendPermission calldata spendPermission) external view returns (bool) {
    return _revoked[getHash(spendPermission)];
  }

  /// @inheritdoc ISpendPermissionManager
  function isValid(SpendPermission calldata spendPermission) external view returns (bool) {
    return _isValid(getHash(spendPermission));
  }

  /// @inheritdoc ISpendPermissionManager
  function getLastUpdatedPeriod(SpendPermission calldata spendPermission)
    public
    view
    returns (PeriodSpend memory)
  {
    return _lastUpdatedPeriod[getHash(spendPermission)];
  }

  /// @inheritdoc ISpendPermissionManager
  function getCurrentPeriod(SpendPermission calldata spendPermission)
    external
    view
    returns (PeriodSpend memory)
  {
    return _currentPeriod(spendPermission, getHash(spendPermission));
  }

  function _isValid(bytes32 hash) internal view returns (bool) {
    return _approved[hash] && !_revoked[hash];
  }

  function _currentPeriod(SpendPermission calldata p, bytes32 hash)
    internal
    view
    returns (PeriodSpend memory)
  {
    uint48 time = uint48(block.timestamp);
    if (time < p.start) revert BeforeSpendPermissionStart(time, p.start);
    if (time >= p.end) revert AfterSpendPermissionEnd(time, p.end);

    PeriodSpend memory last = _lastUpdatedPeriod[hash];
    if (last.spend != 0 && time < last.end) return last;

    // A fresh period. Its end is computed in 256 bits: `start + period` may not fit 48.
    uint48 start = time - (time - p.start) % p.period;
    uint256 end = uint256(start) + p.period;
    // forge-lint: disable-next-line(unsafe-typecast): cast only when not above a uint48
    return PeriodSpend({ start: start, end: end > p.end ? p.end : uint48(end), spend: 0 });
  }
}
