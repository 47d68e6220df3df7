// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { ISpendPermissionManager } from "./interfaces/ISpendPermissionManager.sol";

/// @title PermissionDomain
/// @notice SPM's EIP-712 domain separator, computed once, and again on a chain that split off under another id.
abstract contract PermissionDomain {
  uint256 private immutable _CHAIN_ID = block.chainid;
  bytes32 private immutable _DOMAIN = PermissionHash.domain();

  function _spmDomain() internal view returns (bytes32) {
    return block.chainid == _CHAIN_ID ? _DOMAIN : PermissionHash.domain();
  }
}

/// @title PermissionHash
/// @notice SPM's EIP-712 hash of a permission, computed here: asking `SPM.getHash` costs several times as much.
library PermissionHash {
  /// @dev The same on every chain.
  ISpendPermissionManager internal constant SPM =
    ISpendPermissionManager(payable(0xf85210B21cC50302F477BA56686d2019dC9b67Ad));

  /// @dev Of `SpendPermission`.
  bytes32 internal constant TYPEHASH = keccak256(
    "SpendPermission(address account,address spender,address token,uint160 allowance,uint48 period,"
    "uint48 start,uint48 end,uint256 salt,bytes extraData)"
  );
  bytes32 private constant _DOMAIN_TYPEHASH =
    keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");
  bytes32 private constant _NAME_HASH = keccak256("Spend Permission Manager");
  bytes32 private constant _VERSION_HASH = keccak256("1");

  /// @notice Equals `SPM.getHash(permission)`: it commits to every field, the chain and SPM.
  function hash(ISpendPermissionManager.SpendPermission calldata permission) internal view returns (bytes32) {
    bytes32 structHash = keccak256(
      abi.encode(
        TYPEHASH,
        permission.account,
        permission.spender,
        permission.token,
        permission.allowance,
        permission.period,
        permission.start,
        permission.end,
        permission.salt,
        keccak256(permission.extraData)
      )
    );
    return keccak256(abi.encodePacked(hex"1901", domain(), structHash));
  }

  /// @notice SPM's EIP-712 domain separator on this chain.
  function domain() internal view returns (bytes32) {
    return keccak256(abi.encode(_DOMAIN_TYPEHASH, _NAME_HASH, _VERSION_HASH, block.chainid, address(SPM)));
  }
}
