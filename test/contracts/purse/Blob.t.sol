// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { PurseTest } from "./PurseTest.sol";

/// @dev `isValidSignature` of what is not a payment's blob: refused, never a revert.
contract PurseBlobTest is PurseTest {
  bytes32 private constant _ERC6492 = 0x6492649264926492649264926492649264926492649264926492649264926492;

  /* ---------------------------------------- nearly right ---------------------------------------- */

  function test_error_flippedBit(uint256 bit) public {
    bytes memory blob = _blob(_payment());
    bit = bound(bit, 0, 8 * blob.length - 1);
    blob[bit / 8] ^= bytes1(uint8(1 << (bit % 8)));
    _refuses(_payment(), blob);
  }

  function test_error_changedByte(uint256 at, uint8 change) public {
    bytes memory blob = _blob(_payment());
    at = bound(at, 0, blob.length - 1);
    blob[at] ^= bytes1(uint8(bound(change, 1, 255)));
    _refuses(_payment(), blob);
  }

  /// @dev Cut anywhere, also within each of the lengths. Without its last byte a signature may be the short form of
  ///      itself, see below.
  function test_error_cut() public view {
    bytes memory blob = _blob(_payment());
    bytes32 hash = _digest(_payment());
    for (uint256 length; length + 1 < blob.length; ++length) {
      _refuses(hash, _cut(blob, length));
    }
    assertEq(purse.isValidSignature(hash, blob), ACCEPTED);
  }

  /// @dev EIP-2098: the same signature, one byte shorter.
  function test_behavior_shortSignature() public {
    Payment memory p = _payment();
    (bytes32 r, bytes32 vs) = vm.signCompact(agentKey, _digest(p));
    _refuses(p, _blob(p, _permission(), _proof(0), abi.encodePacked(r, vs ^ bytes32(uint256(1) << 255))));
    _pays(p, _blob(p, _permission(), _proof(0), abi.encodePacked(r, vs)));
  }

  function test_error_appended(bytes memory more) public {
    vm.assume(more.length != 0);
    _refuses(_payment(), abi.encodePacked(_blob(_payment()), more));
  }

  function test_error_inserted(uint256 at, bytes1 more) public {
    bytes memory blob = _blob(_payment());
    at = bound(at, 0, blob.length - 1);
    bytes memory tail = new bytes(blob.length - at);
    for (uint256 i; i < tail.length; ++i) {
      tail[i] = blob[at + i];
    }
    bytes memory longer = abi.encodePacked(_cut(blob, at), more, tail);
    // One byte more in the signature's place: only a signature of 66 bytes, which is none.
    _refuses(_payment(), longer);
  }

  /* ---------------------------------------- taken for something else ---------------------------------------- */

  /// @dev The agent's bare signature, which tokens would take for that of an EOA.
  function test_error_65Bytes() public {
    _refuses(_payment(), _ecdsa(agentKey, _digest(_payment())));
  }

  function test_error_any65Bytes(bytes32 hash, bytes32 a, bytes32 b, bytes1 c) public view {
    _refuses(hash, abi.encodePacked(a, b, c));
  }

  function test_error_erc6492Suffix() public {
    bytes memory blob = _blob(_payment());
    _refuses(_payment(), abi.encodePacked(blob, _ERC6492));
    _refuses(_payment(), abi.encodePacked(abi.encode(address(guard), "", blob), _ERC6492));
    _refuses(_payment(), abi.encodePacked(_ERC6492));
  }

  /* ---------------------------------------- nowhere near ---------------------------------------- */

  function test_error_empty() public {
    _refuses(_payment(), "");
  }

  function test_error_garbage(bytes32 hash, bytes memory blob) public view {
    _refuses(hash, blob);
  }

  /// @dev Behind a right first byte, garbage gets as far as it can.
  function test_error_garbageOfEachKind(bytes32 hash, bytes memory blob) public view {
    for (uint256 kind; kind < 4; ++kind) {
      _refuses(hash, abi.encodePacked(uint8(kind), blob));
    }
  }

  /// @dev The right payment, the right hash, then garbage: everything up to the permission is passed.
  function test_error_garbageBehindThePayment(bytes memory garbage) public {
    Payment memory p = _payment();
    _refuses(p, abi.encodePacked(_cut(_blob(p), 79), garbage));
  }

  function test_error_lengthsBeyondTheEnd() public {
    Payment memory p = _payment();
    bytes memory blob = _blob(p);
    for (uint256 at = 152; at < 154; ++at) {
      bytes memory wrong = abi.encodePacked(blob);
      wrong[at] = 0xff;
      _refuses(p, wrong);
    }
    bytes memory proofTooLong = abi.encodePacked(blob);
    proofTooLong[154 + _permission().extraData.length - 55] = 0xff;
    _refuses(p, proofTooLong);
  }

  function test_error_huge() public view {
    bytes memory blob = new bytes(300_000);
    for (uint256 kind; kind < 3; ++kind) {
      blob[0] = bytes1(uint8(kind));
      _refuses(_digest(_payment()), blob);
    }
  }

  /// @dev What an ABI encoder would have made of the same fields.
  function test_error_abiEncoded() public {
    Payment memory p = _payment();
    _refuses(p, abi.encode(_permission(), p, _proof(0), _ecdsa(agentKey, _digest(p))));
  }
}
