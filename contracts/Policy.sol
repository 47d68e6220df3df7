// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { EfficientHashLib } from "solady/utils/EfficientHashLib.sol";
import { MerkleProofLib } from "solady/utils/MerkleProofLib.sol";

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
  uint256 private constant _VERSION = 1;

  uint256 private constant _ORCHESTRATOR = 0x001;
  uint256 private constant _PER_CALL = 0x002;
  uint256 private constant _PER_DAY = 0x004;
  uint256 private constant _TOTAL = 0x008;
  uint256 private constant _PER_TASK = 0x010;
  uint256 private constant _PER_WINDOW = 0x020;
  uint256 private constant _MAX_FLOAT = 0x040;
  uint256 private constant _PAYEES = 0x080;
  uint256 private constant _REPLACES = 0x100;
  uint256 private constant _ALL = 0x1ff;

  uint112 private constant _UNLIMITED = type(uint112).max;
  uint48 private constant _UNLIMITED_WINDOW = 0xffffffffffff;

  /// @notice The first byte is not a version that is known here.
  error UnknownPolicyVersion(uint256 version);

  /// @notice The bytes are not what `encode` makes of any policy, or no bytes stand for this policy.
  error MalformedPolicy();

  /* ---------------------------------------- decoding ---------------------------------------- */

  /// @notice The policy that `data` stands for.
  /// @dev Reverts with `UnknownPolicyVersion` or `MalformedPolicy`.
  function decode(bytes memory data) internal pure returns (Policy memory policy) {
    decodeInto(policy, data);
  }

  /// @notice As `decode`, into a policy of zeros.
  function decodeInto(Policy memory policy, bytes memory data) internal pure {
    uint256 version;
    uint256 unlimited = _UNLIMITED;
    bool malformed;
    // Reads what is there, each field as wide as it is, past the end of `data` if it comes to that.
    assembly ("memory-safe") {
      let at := add(data, 0x20)
      version := byte(0, mload(at))
      let fields := and(shr(232, mload(at)), 0xffff)
      malformed := or(gt(fields, _ALL), iszero(and(fields, _PAYEES)))
      mstore(policy, mload(add(at, 3))) // grantId
      let agent := shr(96, mload(add(at, 35)))
      malformed := or(malformed, iszero(agent))
      mstore(add(policy, 0x20), agent)
      at := add(at, 55)

      let value := 0
      if and(fields, _ORCHESTRATOR) {
        value := shr(96, mload(at))
        malformed := or(malformed, iszero(value))
        at := add(at, 20)
      }
      mstore(add(policy, 0x40), value)

      // Each of these differs from what its absence means.
      value := unlimited
      if and(fields, _PER_CALL) {
        value := shr(144, mload(at))
        malformed := or(malformed, eq(value, unlimited))
        at := add(at, 14)
      }
      mstore(add(policy, 0x60), value)
      value := unlimited
      if and(fields, _PER_DAY) {
        value := shr(144, mload(at))
        malformed := or(malformed, eq(value, unlimited))
        at := add(at, 14)
      }
      mstore(add(policy, 0x80), value)
      value := unlimited
      if and(fields, _TOTAL) {
        value := shr(144, mload(at))
        malformed := or(malformed, eq(value, unlimited))
        at := add(at, 14)
      }
      mstore(add(policy, 0xa0), value)
      value := unlimited
      if and(fields, _PER_TASK) {
        value := shr(144, mload(at))
        // Somebody has to sign the tickets.
        malformed := or(malformed, or(eq(value, unlimited), iszero(and(fields, _ORCHESTRATOR))))
        at := add(at, 14)
      }
      mstore(add(policy, 0xc0), value)

      value := _UNLIMITED_WINDOW
      if and(fields, _PER_WINDOW) {
        value := shr(208, mload(at))
        let window := shr(224, mload(add(at, 6)))
        malformed := or(malformed, or(eq(value, _UNLIMITED_WINDOW), iszero(window)))
        mstore(add(policy, 0x100), window)
        at := add(at, 10)
      }
      mstore(add(policy, 0xe0), value)
      if and(fields, _MAX_FLOAT) {
        value := shr(144, mload(at))
        malformed := or(malformed, iszero(value))
        mstore(add(policy, 0x120), value)
        at := add(at, 14)
      }
      mstore(add(policy, 0x140), mload(at)) // payees
      at := add(at, 32)
      if and(fields, _REPLACES) {
        value := mload(at)
        malformed := or(malformed, iszero(value))
        mstore(add(policy, 0x160), value)
        at := add(at, 32)
      }
      // Neither too few bytes, some of which were then read from what follows, nor too many.
      malformed := or(malformed, iszero(eq(sub(at, add(data, 0x20)), mload(data))))
    }
    if (version != _VERSION && data.length != 0) revert UnknownPolicyVersion(version);
    if (malformed) revert MalformedPolicy();
  }

  /* ---------------------------------------- encoding ---------------------------------------- */

  /// @dev Which fields the encoding of a policy has; reverts with `MalformedPolicy` if there is none.
  function _fieldsOf(Policy memory policy) private pure returns (uint256 fields) {
    fields = _PAYEES;
    if (policy.orchestrator != address(0)) fields |= _ORCHESTRATOR;
    if (policy.perCall != _UNLIMITED) fields |= _PER_CALL;
    if (policy.perDay != _UNLIMITED) fields |= _PER_DAY;
    if (policy.total != _UNLIMITED) fields |= _TOTAL;
    if (policy.perTask != _UNLIMITED) fields |= _PER_TASK;
    if (policy.perWindow != _UNLIMITED_WINDOW) fields |= _PER_WINDOW;
    if (policy.maxFloat != 0) fields |= _MAX_FLOAT;
    if (policy.replaces != 0) fields |= _REPLACES;

    if (policy.agent == address(0)) revert MalformedPolicy();
    // Somebody has to sign the tickets.
    if (fields & (_PER_TASK | _ORCHESTRATOR) == _PER_TASK) revert MalformedPolicy();
    // A cap on a window of no length, or a window without a cap.
    if ((fields & _PER_WINDOW == 0) != (policy.window == 0)) revert MalformedPolicy();
  }

  /// @notice The bytes that stand for `policy`.
  /// @dev Reverts with `MalformedPolicy` if none do: no agent, a cap on tasks without an orchestrator, a window
  ///      without a cap or a cap on a window of no length.
  function encode(Policy memory policy) internal pure returns (bytes memory data) {
    uint256 fields = _fieldsOf(policy);
    // forge-lint: disable-next-line(unsafe-typecast): nine bits
    data = abi.encodePacked(uint8(_VERSION), uint16(fields), policy.grantId, policy.agent);
    if (fields & _ORCHESTRATOR != 0) data = abi.encodePacked(data, policy.orchestrator);
    if (fields & _PER_CALL != 0) data = abi.encodePacked(data, policy.perCall);
    if (fields & _PER_DAY != 0) data = abi.encodePacked(data, policy.perDay);
    if (fields & _TOTAL != 0) data = abi.encodePacked(data, policy.total);
    if (fields & _PER_TASK != 0) data = abi.encodePacked(data, policy.perTask);
    if (fields & _PER_WINDOW != 0) data = abi.encodePacked(data, policy.perWindow, policy.window);
    if (fields & _MAX_FLOAT != 0) data = abi.encodePacked(data, policy.maxFloat);
    data = abi.encodePacked(data, policy.payees);
    if (fields & _REPLACES != 0) data = abi.encodePacked(data, policy.replaces);
  }

  /* ---------------------------------------- payees ---------------------------------------- */

  /// @notice Whether a policy with these `payees` allows `payee`.
  /// @param proof For leaves and nodes as in OpenZeppelin's StandardMerkleTree; not read where any payee is allowed.
  function allows(bytes32 payees, address payee, bytes32[] calldata proof) internal pure returns (bool) {
    if (payees == ANY_PAYEE) return true;
    // Hashed twice, so that no inner node can pass for a leaf.
    bytes32 leaf = EfficientHashLib.hash(EfficientHashLib.hash(uint256(uint160(payee))));
    return MerkleProofLib.verifyCalldata(proof, payees, leaf);
  }
}
