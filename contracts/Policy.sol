// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @notice The part of a grant that the guard enforces, encoded in `SpendPermission.extraData`.
/// @dev Amounts in base units of the permission's token. Zero means zero; "unlimited" is the type's maximum.
struct Policy {
  /// @dev Random; permissions with the same account, token and grantId share their meters.
  bytes32 grantId;
  /// @dev Who decides on payments. Never zero.
  address agent;
  /// @dev Who signs tickets and may pause or revoke; zero if nobody.
  address orchestrator;
  /// @dev Most of one payment.
  uint112 perCall;
  /// @dev Most of one UTC day.
  uint112 perDay;
  /// @dev Most ever.
  uint112 total;
  /// @dev Most of one task; unless unlimited, every payment needs a task and a ticket of the orchestrator.
  uint112 perTask;
  /// @dev Most of any `window` seconds.
  uint48 perWindow;
  /// @dev Length of the trailing window in seconds; zero if `perWindow` is unlimited, and only then.
  uint32 window;
  /// @dev Most that a funding may lift the purse to; zero for no purse.
  uint112 maxFloat;
  /// @dev Merkle root of the payees, or `ANY_PAYEE`.
  bytes32 payees;
  /// @dev SPM's hash of the permission that this one replaces; zero if none.
  bytes32 replaces;
}

/// @dev The reserved Merkle root that allows any payee: nobody can know the leaves of a tree with this root.
bytes32 constant ANY_PAYEE = bytes32(type(uint256).max);

/// @title PolicyLib
/// @notice `Policy` to bytes and back, one to one.
/// @dev Version 1, packed: `version (1 byte) | present (2 bytes) | grantId (32) | agent (20)`, then the fields whose
///      bits are set in `present`, in the order of their bits:
///
///      bit 0 orchestrator  20 bytes                    absent: nobody
///      bit 1 perCall       14                          absent: unlimited
///      bit 2 perDay        14                          absent: unlimited
///      bit 3 total         14                          absent: unlimited
///      bit 4 perTask       14, only with bit 0         absent: unlimited
///      bit 5 perWindow      6, and window 4, not zero  absent: unlimited
///      bit 6 maxFloat      14                          absent: zero, no purse
///      bit 7 payees        32, always there
///      bit 8 replaces      32                          absent: none
///
///      Canonical: a field that is there differs from what its absence means, and nothing follows the last one.
library PolicyLib {
  /// @notice The first byte is not a version that this guard knows.
  error UnknownPolicyVersion(uint256 version);

  /// @notice The bytes are not what `encode` makes of any policy.
  error MalformedPolicy();
}
