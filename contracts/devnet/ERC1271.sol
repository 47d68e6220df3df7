// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// @title ERC1271: devnet stand-in, part of CoinbaseSmartWallet.
/// @notice Signature checks over a replay-safe hash. One key may own several wallets on several chains, so an
/// owner signs an EIP-712 message that holds the hash, the chain and the wallet, and not the hash alone.
/// @dev DEVNET STAND-IN. Written by us from published facts. Never deployed elsewhere, unaudited.
/// The domain separator is computed at every call, as the code is placed at its address without a constructor.
abstract contract ERC1271 {
  bytes32 private constant _DOMAIN_TYPEHASH =
    keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");
  bytes32 private constant _MESSAGE_TYPEHASH = keccak256("CoinbaseSmartWalletMessage(bytes32 hash)");
  string private constant _NAME = "Coinbase Smart Wallet";
  string private constant _VERSION = "1";

  /// @notice ERC-1271. Reverts on a signature that cannot be decoded, as the original does.
  function isValidSignature(bytes32 hash, bytes calldata signature)
    public
    view
    virtual
    returns (bytes4 result)
  {
    return _isValidSignature(replaySafeHash(hash), signature)
      ? this.isValidSignature.selector
      : bytes4(0xffffffff);
  }

  /// @return The hash that an owner has to sign so that `isValidSignature` accepts `hash`.
  function replaySafeHash(bytes32 hash) public view virtual returns (bytes32) {
    bytes32 structHash = keccak256(abi.encode(_MESSAGE_TYPEHASH, hash));
    return keccak256(abi.encodePacked("\x19\x01", domainSeparator(), structHash));
  }

  function domainSeparator() public view returns (bytes32) {
    return keccak256(
      abi.encode(
        _DOMAIN_TYPEHASH, keccak256(bytes(_NAME)), keccak256(bytes(_VERSION)), block.chainid, address(this)
      )
    );
  }

  /// @notice ERC-5267.
  function eip712Domain()
    external
    view
    virtual
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
    // 0x0f: name, version, chain id and verifying contract are there, salt is not.
    return (hex"0f", _NAME, _VERSION, block.chainid, address(this), bytes32(0), new uint256[](0));
  }

  function _isValidSignature(bytes32 hash, bytes calldata signature) internal view virtual returns (bool);
}
