// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { ISpendPermissionManager } from "./interfaces/ISpendPermissionManager.sol";

/// @title PermissionHash
/// @notice SPM's EIP-712 hash of a permission, computed here: asking `SPM.getHash` costs several times as much.
/// @dev The fields are copied as they came. One that does not fit its type makes a hash that is nobody's; in the guard,
///      SPM then refuses the permission itself.
library PermissionHash {
  /// @dev The same on every chain.
  ISpendPermissionManager internal constant SPM =
    ISpendPermissionManager(payable(0xf85210B21cC50302F477BA56686d2019dC9b67Ad));

  bytes32 private constant _PERMISSION_TYPEHASH = keccak256(
    "SpendPermission(address account,address spender,address token,uint160 allowance,uint48 period,"
    "uint48 start,uint48 end,uint256 salt,bytes extraData)"
  );
  bytes32 private constant _DOMAIN_TYPEHASH =
    keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");
  bytes32 private constant _NAME_HASH = keccak256("Spend Permission Manager");
  bytes32 private constant _VERSION_HASH = keccak256("1");

  /// @notice Equals `SPM.getHash(permission)`: it commits to every field, the chain and SPM.
  function hash(ISpendPermissionManager.SpendPermission calldata permission)
    internal
    view
    returns (bytes32 result)
  {
    bytes32 domain =
      keccak256(abi.encode(_DOMAIN_TYPEHASH, _NAME_HASH, _VERSION_HASH, block.chainid, address(SPM)));
    bytes32 typehash = _PERMISSION_TYPEHASH;
    bytes calldata extraData = permission.extraData;
    assembly ("memory-safe") {
      let m := mload(0x40)
      calldatacopy(m, extraData.offset, extraData.length)
      let extraHash := keccak256(m, extraData.length)
      mstore(m, typehash)
      calldatacopy(add(m, 0x20), permission, 0x100) // account, ..., salt: eight words
      mstore(add(m, 0x120), extraHash)
      let structHash := keccak256(m, 0x140)
      mstore(m, hex"1901")
      mstore(add(m, 0x02), domain)
      mstore(add(m, 0x22), structHash)
      result := keccak256(m, 0x42)
    }
  }
}
