// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

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

  uint256 private constant _ORCHESTRATOR = 1 << 0;
  uint256 private constant _PER_CALL = 1 << 1;
  uint256 private constant _PER_DAY = 1 << 2;
  uint256 private constant _TOTAL = 1 << 3;
  uint256 private constant _PER_TASK = 1 << 4;
  uint256 private constant _PER_WINDOW = 1 << 5;
  uint256 private constant _MAX_FLOAT = 1 << 6;
  uint256 private constant _PAYEES = 1 << 7;
  uint256 private constant _REPLACES = 1 << 8;
  uint256 private constant _KNOWN = (1 << 9) - 1;

  uint112 private constant _UNLIMITED = type(uint112).max;
  uint48 private constant _UNLIMITED_WINDOW = type(uint48).max;

  /// @notice The first byte is not a version that is known here.
  error UnknownPolicyVersion(uint256 version);

  /// @notice The bytes are not what `encode` makes of any policy, or no bytes stand for this policy.
  error MalformedPolicy();

  /* ---------------------------------------- decoding ---------------------------------------- */

  /// @notice The policy that `data` stands for.
  /// @dev Reverts with `UnknownPolicyVersion` or `MalformedPolicy`.
  function decode(bytes calldata data) internal pure returns (Policy memory policy) {
    if (data.length == 0) revert MalformedPolicy();
    uint256 version = _read(data, 0, 1);
    if (version != _VERSION) revert UnknownPolicyVersion(version);

    uint256 present = _read(data, 1, 2);
    policy.grantId = bytes32(_read(data, 3, 32));
    policy.agent = address(uint160(_read(data, 35, 20)));
    // The bits have to be known, and tickets need somebody to sign them.
    bool sound = present <= _KNOWN && present & _PAYEES != 0 && policy.agent != address(0)
      && present & (_PER_TASK | _ORCHESTRATOR) != _PER_TASK;

    unchecked {
      uint256 at = 55;
      if (present & _ORCHESTRATOR != 0) {
        policy.orchestrator = address(uint160(_read(data, at, 20)));
        sound = sound && policy.orchestrator != address(0);
        at += 20;
      }
      (policy.perCall, at) = _readLimit(data, at, present & _PER_CALL);
      (policy.perDay, at) = _readLimit(data, at, present & _PER_DAY);
      (policy.total, at) = _readLimit(data, at, present & _TOTAL);
      (policy.perTask, at) = _readLimit(data, at, present & _PER_TASK);
      policy.perWindow = _UNLIMITED_WINDOW;
      if (present & _PER_WINDOW != 0) {
        policy.perWindow = uint48(_read(data, at, 6));
        policy.window = uint32(_read(data, at + 6, 4));
        sound = sound && policy.perWindow != _UNLIMITED_WINDOW && policy.window != 0;
        at += 10;
      }
      if (present & _MAX_FLOAT != 0) {
        policy.maxFloat = uint112(_read(data, at, 14));
        sound = sound && policy.maxFloat != 0;
        at += 14;
      }
      policy.payees = bytes32(_read(data, at, 32));
      at += 32;
      if (present & _REPLACES != 0) {
        policy.replaces = bytes32(_read(data, at, 32));
        sound = sound && policy.replaces != 0;
        at += 32;
      }
      // Neither too few bytes, some of which were then read from what follows, nor too many.
      sound = sound && at == data.length;
    }
    if (!sound) revert MalformedPolicy();
  }

  /// @dev A limit that is there must not be the one that its absence means.
  function _readLimit(bytes calldata data, uint256 at, uint256 present)
    private
    pure
    returns (uint112 limit, uint256 next)
  {
    if (present == 0) return (_UNLIMITED, at);
    limit = uint112(_read(data, at, 14));
    if (limit == _UNLIMITED) revert MalformedPolicy();
    unchecked {
      next = at + 14;
    }
  }

  /// @dev `size` bytes as a number. Reads past the end of `data` if told to: the length is checked in the end.
  function _read(bytes calldata data, uint256 at, uint256 size) private pure returns (uint256 value) {
    assembly ("memory-safe") {
      value := shr(sub(256, shl(3, size)), calldataload(add(data.offset, at)))
    }
  }

  function _require(bool condition) private pure {
    if (!condition) revert MalformedPolicy();
  }

  /* ---------------------------------------- encoding ---------------------------------------- */

  /// @notice The bytes that stand for `policy`.
  /// @dev Reverts with `MalformedPolicy` if none do: no agent, a cap on tasks without an orchestrator, a window
  ///      without a cap or a cap on a window of no length.
  function encode(Policy memory policy) internal pure returns (bytes memory) {
    _require(policy.agent != address(0));
    _require(policy.perTask == _UNLIMITED || policy.orchestrator != address(0));
    _require((policy.perWindow == _UNLIMITED_WINDOW) == (policy.window == 0));

    uint256 present = _PAYEES;
    bytes memory fields;
    if (policy.orchestrator != address(0)) {
      present |= _ORCHESTRATOR;
      fields = abi.encodePacked(policy.orchestrator);
    }
    (present, fields) = _appendLimit(present, fields, _PER_CALL, policy.perCall);
    (present, fields) = _appendLimit(present, fields, _PER_DAY, policy.perDay);
    (present, fields) = _appendLimit(present, fields, _TOTAL, policy.total);
    (present, fields) = _appendLimit(present, fields, _PER_TASK, policy.perTask);
    if (policy.window != 0) {
      present |= _PER_WINDOW;
      fields = abi.encodePacked(fields, policy.perWindow, policy.window);
    }
    if (policy.maxFloat != 0) {
      present |= _MAX_FLOAT;
      fields = abi.encodePacked(fields, policy.maxFloat);
    }
    fields = abi.encodePacked(fields, policy.payees);
    if (policy.replaces != 0) {
      present |= _REPLACES;
      fields = abi.encodePacked(fields, policy.replaces);
    }
    return abi.encodePacked(uint8(_VERSION), uint16(present), policy.grantId, policy.agent, fields);
  }

  function _appendLimit(uint256 present, bytes memory fields, uint256 bit, uint112 limit)
    private
    pure
    returns (uint256, bytes memory)
  {
    if (limit == _UNLIMITED) return (present, fields);
    return (present | bit, abi.encodePacked(fields, limit));
  }

  /* ---------------------------------------- payees ---------------------------------------- */

  /// @notice Whether a policy with these `payees` allows `payee`.
  /// @param proof For leaves and nodes as in OpenZeppelin's StandardMerkleTree; not read where any payee is allowed.
  function allows(bytes32 payees, address payee, bytes32[] calldata proof) internal pure returns (bool) {
    if (payees == ANY_PAYEE) return true;
    // Hashed twice, so that no inner node can pass for a leaf.
    bytes32 leaf = keccak256(bytes.concat(keccak256(abi.encode(payee))));
    return MerkleProofLib.verifyCalldata(proof, payees, leaf);
  }
}
