// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { SignatureCheckerLib } from "solady/utils/SignatureCheckerLib.sol";

/// @title PublicERC6492Validator
/// @notice DEVNET STAND-IN for Coinbase's PublicERC6492Validator at
///         `0xcfCE48B757601F3f351CB6f434CB0517aEEE293D`, only as far as SpendPermissionManager needs it: written
///         from published facts, placed on test chains, never deployed elsewhere, unaudited.
/// @dev Unlike the original it makes the ERC-6492 call itself, so that a bare chain needs no further contract.
/// @dev Anyone can make this contract call anything: it must never be trusted by another contract.
contract PublicERC6492Validator {
  /// @dev The last 32 bytes of an ERC-6492 signature.
  bytes32 private constant ERC6492_SUFFIX =
    0x6492649264926492649264926492649264926492649264926492649264926492;

  /// @notice Whether `account` signed `hash`: an EOA by ECDSA, a contract by ERC-1271, a contract that is not
  ///         deployed (or not prepared) yet by ERC-6492, in which case it is deployed (or prepared) for good.
  function isValidSignatureNowAllowSideEffects(address account, bytes32 hash, bytes calldata signature)
    external
    returns (bool)
  {
    if (signature.length < 32 || bytes32(signature[signature.length - 32:]) != ERC6492_SUFFIX) {
      return SignatureCheckerLib.isValidSignatureNowCalldata(account, hash, signature);
    }

    // The wrapper is `abi.encode(address factory, bytes factoryCalldata, bytes signature)` and the suffix.
    bytes calldata wrapper = signature[:signature.length - 32];
    (bool hasPreparation, bytes calldata preparation) = _bytesField(wrapper, 1);
    (bool hasInner, bytes calldata inner) = _bytesField(wrapper, 2);
    if (!hasPreparation || !hasInner) return false;

    // Somebody else may have deployed the account since it was signed for.
    if (SignatureCheckerLib.isValidERC1271SignatureNowCalldata(account, hash, inner)) return true;

    // A failed preparation needs no error of its own: what counts is whether the account agrees now.
    address factory = address(uint160(uint256(bytes32(wrapper[:32]))));
    (bool prepared,) = factory.call(preparation);
    prepared;
    return SignatureCheckerLib.isValidERC1271SignatureNowCalldata(account, hash, inner);
  }

  /// @dev The dynamic field at head slot `index` of ABI-encoded `data`. A malformed encoding is a signature that
  ///      is not valid, and must not revert as `abi.decode` would.
  function _bytesField(bytes calldata data, uint256 index)
    private
    pure
    returns (bool ok, bytes calldata field)
  {
    field = data[:0];
    if (data.length < 96) return (false, field);
    uint256 offset = uint256(bytes32(data[index * 32:]));
    if (offset > data.length - 32) return (false, field);
    uint256 length = uint256(bytes32(data[offset:]));
    if (length > data.length - offset - 32) return (false, field);
    return (true, data[offset + 32:offset + 32 + length]);
  }
}
