// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { ISpendPermissionManager } from "../interfaces/ISpendPermissionManager.sol";

/// @title SpendPermissionHash
/// @notice DEVNET STAND-IN: the EIP-712 part of our stand-in for Coinbase's SpendPermissionManager, written from
///         published facts, placed on test chains, never deployed elsewhere, unaudited.
/// @dev The domain separator is computed at every call: the code is put in place without a constructor, so
///      nothing could have cached it.
abstract contract SpendPermissionHash is ISpendPermissionManager {
  /// @inheritdoc ISpendPermissionManager
  bytes32 public constant SPEND_PERMISSION_TYPEHASH = keccak256(
    "SpendPermission(address account,address spender,address token,uint160 allowance,uint48 period,"
    "uint48 start,uint48 end,uint256 salt,bytes extraData)"
  );

  /// @inheritdoc ISpendPermissionManager
  bytes32 public constant SPEND_PERMISSION_BATCH_TYPEHASH = keccak256(
    "SpendPermissionBatch(address account,uint48 period,uint48 start,uint48 end,PermissionDetails[] permissions)"
    "PermissionDetails(address spender,address token,uint160 allowance,uint256 salt,bytes extraData)"
  );

  /// @inheritdoc ISpendPermissionManager
  bytes32 public constant PERMISSION_DETAILS_TYPEHASH = keccak256(
    "PermissionDetails(address spender,address token,uint160 allowance,uint256 salt,bytes extraData)"
  );

  bytes32 private constant _DOMAIN_TYPEHASH =
    keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");

  string private constant _NAME = "Spend Permission Manager";
  string private constant _VERSION = "1";

  /// @inheritdoc ISpendPermissionManager
  function getHash(SpendPermission memory spendPermission) public view returns (bytes32) {
    return _typedDataHash(
      keccak256(
        abi.encode(
          SPEND_PERMISSION_TYPEHASH,
          spendPermission.account,
          spendPermission.spender,
          spendPermission.token,
          spendPermission.allowance,
          spendPermission.period,
          spendPermission.start,
          spendPermission.end,
          spendPermission.salt,
          keccak256(spendPermission.extraData)
        )
      )
    );
  }

  /// @inheritdoc ISpendPermissionManager
  function getBatchHash(SpendPermissionBatch calldata spendPermissionBatch) public view returns (bytes32) {
    uint256 count = spendPermissionBatch.permissions.length;
    if (count == 0) revert EmptySpendPermissionBatch();

    bytes32[] memory details = new bytes32[](count);
    for (uint256 i; i < count; ++i) {
      details[i] = _detailsHash(spendPermissionBatch.permissions[i]);
    }
    return _typedDataHash(
      keccak256(
        abi.encode(
          SPEND_PERMISSION_BATCH_TYPEHASH,
          spendPermissionBatch.account,
          spendPermissionBatch.period,
          spendPermissionBatch.start,
          spendPermissionBatch.end,
          keccak256(abi.encodePacked(details))
        )
      )
    );
  }

  /// @inheritdoc ISpendPermissionManager
  function eip712Domain()
    external
    view
    returns (
      bytes1 fields,
      string memory name,
      string memory version,
      uint256 chainId,
      address verifyingContract,
      bytes32 salt,
      uint256[] memory extensions
    )
  {
    // Bits 0 to 3: name, version, chainId, verifyingContract. No salt, no extensions.
    return (0x0f, _NAME, _VERSION, block.chainid, address(this), bytes32(0), new uint256[](0));
  }

  function _detailsHash(PermissionDetails calldata details) private pure returns (bytes32) {
    return keccak256(
      abi.encode(
        PERMISSION_DETAILS_TYPEHASH,
        details.spender,
        details.token,
        details.allowance,
        details.salt,
        keccak256(details.extraData)
      )
    );
  }

  function _typedDataHash(bytes32 structHash) private view returns (bytes32) {
    bytes32 separator = keccak256(
      abi.encode(
        _DOMAIN_TYPEHASH, keccak256(bytes(_NAME)), keccak256(bytes(_VERSION)), block.chainid, address(this)
      )
    );
    return keccak256(abi.encodePacked(hex"1901", separator, structHash));
  }
}
