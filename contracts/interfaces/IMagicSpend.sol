// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title IMagicSpend
/// @notice The part of Coinbase's MagicSpend that `SpendPermissionManager.spendWithWithdraw` relies on.
interface IMagicSpend {
  /// @notice A withdrawal that the owner of MagicSpend signed for one account.
  struct WithdrawRequest {
    /// @dev The owner's signature over the other fields, the account, the chain and MagicSpend itself.
    bytes signature;
    /// @dev ERC-20 token to withdraw; the zero address is the native token.
    address asset;
    /// @dev Amount to withdraw, in base units of the asset.
    uint256 amount;
    /// @dev Usable once per account, in any order.
    uint256 nonce;
    /// @dev Last second at which the request can be used (inclusive, unix seconds).
    uint48 expiry;
  }

  /// @notice A request was accepted; the funds follow in the same call.
  event MagicSpendWithdrawal(address indexed account, address indexed asset, uint256 amount, uint256 nonce);

  /// @notice The request is not signed by the owner for the caller.
  error InvalidSignature();

  /// @notice `expiry` has passed.
  error Expired();

  /// @notice The caller has used this nonce before.
  error InvalidNonce(uint256 nonce);

  /// @notice Pays the caller what the owner signed for it.
  function withdraw(WithdrawRequest calldata withdrawRequest) external;

  /// @notice The hash that the owner signs: an EIP-191 message (version 0x45) of
  ///         `abi.encode(magicSpend, account, chainId, asset, amount, nonce, expiry)`.
  function getHash(address account, WithdrawRequest calldata withdrawRequest) external view returns (bytes32);

  /// @notice Whether `account` has used `nonce`.
  function nonceUsed(address account, uint256 nonce) external view returns (bool);
}
