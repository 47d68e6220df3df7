// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { SpendCall, SpendCallLib } from "./SpendCall.sol";

/// @title PurseBlob
/// @notice Takes apart what arrives as a purse's ERC-1271 signature; the layout is in `IPurse.isValidSignature`.
/// @dev Packed: short, and without padding that could differ. Nothing reverts, whatever the bytes, as long as `kind`
///      is asked first, for a payment then `bounds`, and only then the fields.
library PurseBlob {
  using SpendCallLib for SpendCall;

  uint256 internal constant PAYMENT = 1;
  uint256 internal constant CANCELLATION = 2;

  /// @dev Where the tail of a payment's extraData begins, after its length.
  uint256 private constant _TAIL = 154;

  /// @dev What ERC-6492 puts at the end of a signature by a contract that is not deployed yet.
  uint256 private constant _ERC6492_SUFFIX =
    0x6492649264926492649264926492649264926492649264926492649264926492;

  /// @dev An EIP-3009 authorization; its `from` is the purse.
  struct Payment {
    address to;
    uint256 value;
    uint256 validAfter;
    uint256 validBefore;
    bytes32 nonce;
  }

  /// @dev The first byte; zero, which is no kind, for what is too short, and for what tokens and facilitators would
  ///      take for another sort of signature.
  function kind(bytes calldata blob) internal pure returns (uint256) {
    if (blob.length < 33 || blob.length == 65) return 0;
    unchecked {
      if (_read(blob, blob.length - 32, 32) == _ERC6492_SUFFIX) return 0;
    }
    return _read(blob, 0, 1);
  }

  /* ---------------------------------------- a cancellation ---------------------------------------- */

  function cancellation(bytes calldata blob) internal pure returns (bytes32 nonce, bytes calldata signature) {
    return (bytes32(_read(blob, 1, 32)), blob[33:]);
  }

  /* ---------------------------------------- a payment ---------------------------------------- */

  /// @return proofStart Where the proof begins, after extraData's tail and the proof's length.
  /// @return proofEnd Where it ends and the signature begins; zero if there are too few bytes for a payment, and
  ///         then nothing else may be read.
  function bounds(bytes calldata blob) internal pure returns (uint256 proofStart, uint256 proofEnd) {
    // The lengths have at most 16 bits.
    unchecked {
      if (blob.length < _TAIL) return (0, 0);
      proofStart = _TAIL + _read(blob, 152, 2) + 1;
      if (blob.length < proofStart) return (0, 0);
      proofEnd = proofStart + 32 * _read(blob, proofStart - 1, 1);
      if (blob.length < proofEnd) return (0, 0);
    }
  }

  function payment(bytes calldata blob) internal pure returns (Payment memory p) {
    p.to = address(uint160(_read(blob, 1, 20)));
    p.value = _read(blob, 21, 14);
    p.validAfter = _read(blob, 35, 6);
    p.validBefore = _read(blob, 41, 6);
    p.nonce = bytes32(_read(blob, 47, 32));
  }

  /// @dev The permission that funded the purse, but for account, spender and token, which the purse knows. As it does
  ///      grantId and agent, the 52 bytes of extraData behind its first three.
  function permission(bytes calldata blob, uint256 proofStart, bytes32 grantId, address agent)
    internal
    pure
    returns (SpendCall p)
  {
    uint256 tail = proofStart - 1 - _TAIL;
    p = SpendCallLib.allocate(55 + tail);
    bytes memory extraData = p.extraData();
    assembly ("memory-safe") {
      let at := add(extraData, 0x20)
      calldatacopy(at, add(blob.offset, 149), 3)
      mstore(add(at, 3), grantId)
      mstore(add(at, 35), shl(96, agent))
      calldatacopy(add(at, 55), add(blob.offset, _TAIL), tail)
    }
    uint256 salt = _read(blob, 117, 32);
    p.setTerms(_read(blob, 79, 20), _read(blob, 99, 6), _read(blob, 105, 6), _read(blob, 111, 6), salt);
  }

  /// @dev That the payee is one of the policy's.
  function proof(bytes calldata blob, uint256 proofStart, uint256 proofEnd)
    internal
    pure
    returns (bytes32[] calldata words)
  {
    assembly ("memory-safe") {
      words.offset := add(blob.offset, proofStart)
      words.length := shr(5, sub(proofEnd, proofStart))
    }
  }

  /// @dev `size` bytes, 1 to 32, as a number. The caller knows that they are there.
  function _read(bytes calldata blob, uint256 at, uint256 size) private pure returns (uint256 value) {
    assembly ("memory-safe") {
      value := shr(sub(256, shl(3, size)), calldataload(add(blob.offset, at)))
    }
  }
}
