// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import { FiatTokenBase } from "./FiatTokenBase.sol";

/// @title FiatTokenSigned: devnet stand-in, part of FiatToken.
/// @notice EIP-712 digests, and who may sign them: an account without code by ECDSA, an account with code only
/// by its own ERC-1271. An EIP-7702 delegation is code.
/// @dev DEVNET STAND-IN for USDC. Written by us from published facts. Never deployed elsewhere, unaudited.
abstract contract FiatTokenSigned is FiatTokenBase {
  /// @dev Slot 15 held the domain separator before version 2.2, which computes it at every call.
  bytes32 internal _deprecatedDomainSeparator;

  bytes32 private constant _DOMAIN_TYPEHASH =
    keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");

  // solhint-disable-next-line func-name-mixedcase
  function DOMAIN_SEPARATOR() public view returns (bytes32) {
    return keccak256(
      abi.encode(
        _DOMAIN_TYPEHASH, keccak256(bytes(name)), keccak256(bytes(version())), block.chainid, address(this)
      )
    );
  }

  function version() public pure returns (string memory) {
    return "2";
  }

  /* INTERNAL */

  function _isSigned(address signer, bytes memory encodedStruct, bytes memory signature)
    internal
    view
    returns (bool)
  {
    bytes32 digest = keccak256(abi.encodePacked("\x19\x01", DOMAIN_SEPARATOR(), keccak256(encodedStruct)));
    return signer.code.length == 0
      ? _recover(digest, signature) == signer
      : _isAcceptedBy(signer, digest, signature);
  }

  function _isAcceptedBy(address signer, bytes32 digest, bytes memory signature) private view returns (bool) {
    bytes4 isValidSignature = bytes4(keccak256("isValidSignature(bytes32,bytes)"));
    (bool ok, bytes memory answer) =
      signer.staticcall(abi.encodeWithSelector(isValidSignature, digest, signature));
    return ok && answer.length >= 32 && abi.decode(answer, (bytes32)) == bytes32(isValidSignature);
  }

  /// @dev A malformed signature reverts with its own reason, a well-formed one by another key does not.
  function _recover(bytes32 digest, bytes memory signature) private pure returns (address signer) {
    require(signature.length == 65, "ECRecover: invalid signature length");
    bytes32 r;
    bytes32 s;
    uint8 v;
    assembly ("memory-safe") {
      r := mload(add(signature, 0x20))
      s := mload(add(signature, 0x40))
      v := byte(0, mload(add(signature, 0x60)))
    }
    require(
      uint256(s) <= 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0,
      "ECRecover: invalid signature 's' value"
    );
    require(v == 27 || v == 28, "ECRecover: invalid signature 'v' value");
    signer = ecrecover(digest, v, r, s);
    require(signer != address(0), "ECRecover: invalid signature");
  }
}
