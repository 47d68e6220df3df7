// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { IMagicSpend } from "./IMagicSpend.sol";

/// @title ISpendPermissionManager
/// @notice Coinbase's SpendPermissionManager (SPM), at `0xf85210B21cC50302F477BA56686d2019dC9b67Ad` on Base:
///         an account lets a spender pull an allowance of one token per recurring period.
/// @dev Units: token values in base units of the token (wei for the native token), times in unix seconds,
///      periods in seconds. Times and periods are half open: a start is inclusive, an end is exclusive.
/// @dev Assumptions of `spend`: SPM is an owner of the account, the account is a smart wallet with
///      `execute(address,uint256,bytes)`, and the token moves exactly the value that it is asked to move.
/// @dev There is no enumeration of permissions: keep the struct, every function takes it whole.
/// @dev A failed ERC-20 transfer reverts with the token's own error, or with OpenZeppelin's
///      `SafeERC20FailedOperation(address token)` when the token gave none.
interface ISpendPermissionManager {
  /* ---------------------------------------- structs ---------------------------------------- */

  /// @notice What an account allows a spender to take.
  struct SpendPermission {
    /// @dev Smart wallet whose tokens are spent.
    address account;
    /// @dev The only caller that can spend, and the only recipient.
    address spender;
    /// @dev ERC-20 token, or `NATIVE_TOKEN`. ERC-721 is refused.
    address token;
    /// @dev Most that can be spent within one period, in base units.
    uint160 allowance;
    /// @dev Length of a period in seconds; the first period begins at `start`.
    uint48 period;
    /// @dev First second at which the permission can be used (inclusive).
    uint48 start;
    /// @dev First second at which the permission cannot be used any more (exclusive).
    uint48 end;
    /// @dev Tells apart permissions that are otherwise equal.
    uint256 salt;
    /// @dev Any bytes; SPM signs for them and does not read them.
    bytes extraData;
  }

  /// @notice What was spent in one period.
  struct PeriodSpend {
    /// @dev First second of the period (inclusive).
    uint48 start;
    /// @dev First second after the period (exclusive).
    uint48 end;
    /// @dev Spend in base units: the sum over the period in storage and views, one increment in events.
    uint160 spend;
  }

  /// @notice Several permissions of one account, with the same times, under one signature.
  struct SpendPermissionBatch {
    /// @dev Smart wallet whose tokens are spent.
    address account;
    /// @dev Length of a period in seconds, for every permission.
    uint48 period;
    /// @dev First second of every permission (inclusive).
    uint48 start;
    /// @dev First second after every permission (exclusive).
    uint48 end;
    /// @dev What differs from permission to permission.
    PermissionDetails[] permissions;
  }

  /// @notice The fields in which the permissions of a batch differ; see `SpendPermission`.
  struct PermissionDetails {
    address spender;
    address token;
    uint160 allowance;
    uint256 salt;
    bytes extraData;
  }

  /* ---------------------------------------- events ---------------------------------------- */

  /// @notice A permission was approved, for the first time.
  event SpendPermissionApproved(bytes32 indexed hash, SpendPermission spendPermission);

  /// @notice A permission was revoked, for the first time and for good.
  event SpendPermissionRevoked(bytes32 indexed hash, SpendPermission spendPermission);

  /// @notice A spender took tokens.
  /// @param periodSpend The period, with the value of this spend alone: the increment, not the sum.
  event SpendPermissionUsed(
    bytes32 indexed hash,
    address indexed account,
    address indexed spender,
    address token,
    PeriodSpend periodSpend
  );

  /* ---------------------------------------- errors ---------------------------------------- */

  /// @notice The call has to come from `expected`.
  error InvalidSender(address sender, address expected);

  /// @notice The account did not sign this permission or batch.
  error InvalidSignature();

  /// @notice A batch needs at least one permission.
  error EmptySpendPermissionBatch();

  /// @notice The permissions to approve and to revoke belong to different accounts.
  error MismatchedAccounts(address firstAccount, address secondAccount);

  /// @notice The permission to revoke was spent from since the caller looked.
  error InvalidLastUpdatedPeriod(PeriodSpend actualLastUpdatedPeriod, PeriodSpend expectedLastUpdatedPeriod);

  /// @notice The token is the zero address; the native token is `NATIVE_TOKEN`.
  error ZeroToken();

  /// @notice The token says, by ERC-165, that it is an ERC-721.
  error ERC721TokenNotSupported(address token);

  /// @notice The spender is the zero address.
  error ZeroSpender();

  /// @notice The period is zero seconds.
  error ZeroPeriod();

  /// @notice The allowance is zero.
  error ZeroAllowance();

  /// @notice `start` has to be before `end`.
  error InvalidStartEnd(uint48 start, uint48 end);

  /// @notice The value to spend is zero.
  error ZeroValue();

  /// @notice The permission is not approved, or is revoked.
  error UnauthorizedSpendPermission();

  /// @notice The permission has not started.
  error BeforeSpendPermissionStart(uint48 currentTimestamp, uint48 start);

  /// @notice The permission has ended.
  error AfterSpendPermissionEnd(uint48 currentTimestamp, uint48 end);

  /// @notice The sum of the period, this spend included, is above the largest uint160.
  error SpendValueOverflow(uint256 value);

  /// @notice The sum of the period, this spend included, is above the allowance.
  error ExceededSpendPermission(uint256 value, uint256 allowance);

  /// @notice The withdrawal is of another asset than the permission's token.
  error SpendTokenWithdrawAssetMismatch(address spendToken, address withdrawAsset);

  /// @notice The withdrawal is larger than the spend.
  error SpendValueWithdrawAmountMismatch(uint256 spendValue, uint256 withdrawAmount);

  /// @notice The low 128 bits of the withdrawal's nonce differ from those of the permission's hash.
  error InvalidWithdrawRequestNonce(uint128 noncePostfix, uint128 permissionHashPostfix);

  /// @notice Native token arrived that no spend in progress is waiting for.
  error UnexpectedReceiveAmount(uint256 received, uint256 expected);

  /* ---------------------------------------- constants ---------------------------------------- */

  /// @notice Checks ERC-6492, ERC-1271 and ECDSA signatures for SPM.
  function PUBLIC_ERC6492_VALIDATOR() external view returns (address);

  /// @notice Where `spendWithWithdraw` withdraws from.
  function MAGIC_SPEND() external view returns (address);

  /// @notice The native token's address by ERC-7528.
  function NATIVE_TOKEN() external view returns (address);

  /// @notice EIP-712 typehash of `SpendPermission`.
  function SPEND_PERMISSION_TYPEHASH() external view returns (bytes32);

  /// @notice EIP-712 typehash of `SpendPermissionBatch`.
  function SPEND_PERMISSION_BATCH_TYPEHASH() external view returns (bytes32);

  /// @notice EIP-712 typehash of `PermissionDetails`.
  function PERMISSION_DETAILS_TYPEHASH() external view returns (bytes32);

  /* ---------------------------------------- actions ---------------------------------------- */

  /// @notice Accepts the native token from an account while a spend waits for exactly this amount.
  /// @dev Reverts with `UnexpectedReceiveAmount`.
  receive() external payable;

  /// @notice Approves a permission; the caller is its account.
  /// @dev Reverts with, in this order: `InvalidSender`, `ZeroToken`, `ERC721TokenNotSupported`, `ZeroSpender`,
  ///      `ZeroPeriod`, `ZeroAllowance`, `InvalidStartEnd`. Does not compare with the current time.
  /// @return False, without a revert or an event, if the permission is revoked. True otherwise, with an event
  ///         the first time only.
  function approve(SpendPermission calldata spendPermission) external returns (bool);

  /// @notice Approves a permission that its account signed; anybody may submit it.
  /// @dev Reverts with `InvalidSignature`, then as `approve`. An ERC-6492 signature deploys the account.
  /// @return As `approve`.
  function approveWithSignature(SpendPermission calldata spendPermission, bytes calldata signature)
    external
    returns (bool);

  /// @notice Approves every permission of a batch that its account signed; anybody may submit it.
  /// @dev Reverts with `EmptySpendPermissionBatch`, `InvalidSignature`, then as `approve` for each.
  /// @return True if all are approved and none is revoked.
  function approveBatchWithSignature(
    SpendPermissionBatch calldata spendPermissionBatch,
    bytes calldata signature
  ) external returns (bool);

  /// @notice Revokes one permission and approves another; the caller is the account of both.
  /// @dev Reverts with `InvalidSender`, `MismatchedAccounts`, `InvalidLastUpdatedPeriod`, then as `approve`.
  /// @param expectedLastUpdatedPeriod What `getLastUpdatedPeriod(permissionToRevoke)` has to return: the
  ///        stored period, all zeros when nothing was ever spent.
  /// @return As `approve`, for the new permission. Its meter starts at zero.
  function approveWithRevoke(
    SpendPermission calldata permissionToApprove,
    SpendPermission calldata permissionToRevoke,
    PeriodSpend calldata expectedLastUpdatedPeriod
  ) external returns (bool);

  /// @notice Revokes a permission for good, approved or not; the caller is its account.
  /// @dev Reverts with `InvalidSender`. A second time is no error and emits nothing.
  function revoke(SpendPermission calldata spendPermission) external;

  /// @notice Revokes a permission for good, approved or not; the caller is its spender.
  /// @dev Reverts with `InvalidSender`. A second time is no error and emits nothing.
  function revokeAsSpender(SpendPermission calldata spendPermission) external;

  /// @notice Takes `value` from the account to the spender, who is the caller.
  /// @dev Reverts with, in this order: `InvalidSender`, `ZeroValue`, `UnauthorizedSpendPermission`,
  ///      `BeforeSpendPermissionStart` or `AfterSpendPermissionEnd`, `SpendValueOverflow`,
  ///      `ExceededSpendPermission`, then with whatever the account or the token reverts with.
  function spend(SpendPermission calldata spendPermission, uint160 value) external;

  /// @notice As `spend`, after the account has withdrawn from MagicSpend.
  /// @dev Reverts with `InvalidSender`, `SpendTokenWithdrawAssetMismatch`, `SpendValueWithdrawAmountMismatch`,
  ///      `InvalidWithdrawRequestNonce`, then as `spend`, then with MagicSpend's errors.
  /// @param withdrawRequest Its asset is the token (`address(0)` for the native token), its amount at most
  ///        `value`, and the low 128 bits of its nonce are those of the permission's hash.
  function spendWithWithdraw(
    SpendPermission calldata spendPermission,
    uint160 value,
    IMagicSpend.WithdrawRequest calldata withdrawRequest
  ) external;

  /* ---------------------------------------- views ---------------------------------------- */

  /// @notice The EIP-712 hash that an account signs to approve a permission, and the permission's identity.
  function getHash(SpendPermission calldata spendPermission) external view returns (bytes32);

  /// @notice The EIP-712 hash that an account signs to approve a batch.
  /// @dev Reverts with `EmptySpendPermissionBatch`.
  function getBatchHash(SpendPermissionBatch calldata spendPermissionBatch) external view returns (bytes32);

  /// @notice Whether a permission was ever approved. Stays true after a revoke.
  function isApproved(SpendPermission calldata spendPermission) external view returns (bool);

  /// @notice Whether a permission is revoked.
  function isRevoked(SpendPermission calldata spendPermission) external view returns (bool);

  /// @notice Approved and not revoked. Says nothing of time, the account's owners or its balance.
  function isValid(SpendPermission calldata spendPermission) external view returns (bool);

  /// @notice The stored period, with its sum: of the last spend, however long ago; zeros when never spent.
  function getLastUpdatedPeriod(SpendPermission calldata spendPermission)
    external
    view
    returns (PeriodSpend memory);

  /// @notice The period that contains the current time, with the sum spent in it, approved or not.
  /// @dev Periods are `[start + n * period, min(end, start + (n + 1) * period))`.
  /// @dev Reverts with `BeforeSpendPermissionStart` or `AfterSpendPermissionEnd`.
  function getCurrentPeriod(SpendPermission calldata spendPermission)
    external
    view
    returns (PeriodSpend memory);

  /// @notice The EIP-712 domain, by ERC-5267.
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
    );
}
