// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { IERC20 } from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import { SafeERC20 } from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import { IERC721 } from "@openzeppelin/contracts/token/ERC721/IERC721.sol";
import { ERC165Checker } from "@openzeppelin/contracts/utils/introspection/ERC165Checker.sol";
import { SafeTransferLib } from "solady/utils/SafeTransferLib.sol";

import { IMagicSpend } from "../interfaces/IMagicSpend.sol";
import { ISpendPermissionManager } from "../interfaces/ISpendPermissionManager.sol";
import { PublicERC6492Validator } from "./PublicERC6492Validator.sol";
import { SpendPermissionState } from "./SpendPermissionState.sol";

/// @dev What SPM asks of a smart wallet that it is an owner of.
interface IExecute {
  function execute(address target, uint256 value, bytes calldata data) external payable;
}

/// @title SpendPermissionManager
/// @notice DEVNET STAND-IN for Coinbase's SpendPermissionManager at
///         `0xf85210B21cC50302F477BA56686d2019dC9b67Ad`: the same interface and behaviour, written from published
///         facts, placed on test chains, never deployed elsewhere, unaudited.
/// @dev The runtime code is put at that address with empty storage, so there is no constructor and no immutable.
/// @dev Hashes, storage and views are inherited. A spend is counted before anything is called, so that a reentrant
///      call finds the meter as if the outer spend had finished; there is no lock, as there is none in the original.
contract SpendPermissionManager is SpendPermissionState {
  using SafeERC20 for IERC20;

  /* ---------------------------------------- constants ---------------------------------------- */

  /// @inheritdoc ISpendPermissionManager
  address public constant PUBLIC_ERC6492_VALIDATOR = 0xcfCE48B757601F3f351CB6f434CB0517aEEE293D;

  /// @inheritdoc ISpendPermissionManager
  address public constant MAGIC_SPEND = 0x011A61C07DbF256A68256B1cB51A5e246730aB92;

  /// @inheritdoc ISpendPermissionManager
  address public constant NATIVE_TOKEN = 0xEeeeeEeeeEeEeeEeEeEeeEEEeeeeEeeeeeeeEEeE;

  /// @dev What `receive` accepts; set only while an account is asked for native token.
  uint256 private transient _expectedReceiveAmount;

  /* ---------------------------------------- actions ---------------------------------------- */

  /// @dev Runs before anything else in the function, so `InvalidSender` is always the first error.
  modifier onlySender(address expected) {
    if (msg.sender != expected) revert InvalidSender(msg.sender, expected);
    _;
  }

  receive() external payable {
    if (msg.value != _expectedReceiveAmount) {
      revert UnexpectedReceiveAmount(msg.value, _expectedReceiveAmount);
    }
  }

  /// @inheritdoc ISpendPermissionManager
  function approve(SpendPermission calldata spendPermission)
    external
    onlySender(spendPermission.account)
    returns (bool)
  {
    return _approve(spendPermission);
  }

  /// @inheritdoc ISpendPermissionManager
  function approveWithSignature(SpendPermission calldata spendPermission, bytes calldata signature)
    external
    returns (bool)
  {
    _checkSignature(spendPermission.account, getHash(spendPermission), signature);
    return _approve(spendPermission);
  }

  /// @inheritdoc ISpendPermissionManager
  function approveBatchWithSignature(
    SpendPermissionBatch calldata spendPermissionBatch,
    bytes calldata signature
  ) external returns (bool) {
    _checkSignature(spendPermissionBatch.account, getBatchHash(spendPermissionBatch), signature);

    bool allApproved = true;
    for (uint256 i; i < spendPermissionBatch.permissions.length; ++i) {
      PermissionDetails calldata details = spendPermissionBatch.permissions[i];
      // A revoked permission in the batch does not keep the others from being approved.
      bool approved = _approve(
        SpendPermission({
          account: spendPermissionBatch.account,
          spender: details.spender,
          token: details.token,
          allowance: details.allowance,
          period: spendPermissionBatch.period,
          start: spendPermissionBatch.start,
          end: spendPermissionBatch.end,
          salt: details.salt,
          extraData: details.extraData
        })
      );
      if (!approved) allApproved = false;
    }
    return allApproved;
  }

  /// @inheritdoc ISpendPermissionManager
  function approveWithRevoke(
    SpendPermission calldata permissionToApprove,
    SpendPermission calldata permissionToRevoke,
    PeriodSpend calldata expectedLastUpdatedPeriod
  ) external onlySender(permissionToApprove.account) returns (bool) {
    if (permissionToApprove.account != permissionToRevoke.account) {
      revert MismatchedAccounts(permissionToApprove.account, permissionToRevoke.account);
    }

    // A spend that slipped in between the account's look and its call would have changed the stored period.
    PeriodSpend memory actual = getLastUpdatedPeriod(permissionToRevoke);
    if (
      actual.start != expectedLastUpdatedPeriod.start || actual.end != expectedLastUpdatedPeriod.end
        || actual.spend != expectedLastUpdatedPeriod.spend
    ) revert InvalidLastUpdatedPeriod(actual, expectedLastUpdatedPeriod);

    _revoke(permissionToRevoke);
    return _approve(permissionToApprove);
  }

  /// @inheritdoc ISpendPermissionManager
  function revoke(SpendPermission calldata spendPermission) external onlySender(spendPermission.account) {
    _revoke(spendPermission);
  }

  /// @inheritdoc ISpendPermissionManager
  function revokeAsSpender(SpendPermission calldata spendPermission)
    external
    onlySender(spendPermission.spender)
  {
    _revoke(spendPermission);
  }

  /// @inheritdoc ISpendPermissionManager
  function spend(SpendPermission calldata spendPermission, uint160 value)
    external
    onlySender(spendPermission.spender)
  {
    _meter(spendPermission, value);
    _transfer(spendPermission, value);
  }

  /// @inheritdoc ISpendPermissionManager
  function spendWithWithdraw(
    SpendPermission calldata spendPermission,
    uint160 value,
    IMagicSpend.WithdrawRequest calldata withdrawRequest
  ) external onlySender(spendPermission.spender) {
    // MagicSpend writes the native token as the zero address.
    bool bothNative = spendPermission.token == NATIVE_TOKEN && withdrawRequest.asset == address(0);
    if (!bothNative && spendPermission.token != withdrawRequest.asset) {
      revert SpendTokenWithdrawAssetMismatch(spendPermission.token, withdrawRequest.asset);
    }
    if (withdrawRequest.amount > value) {
      revert SpendValueWithdrawAmountMismatch(value, withdrawRequest.amount);
    }

    // Binds the withdrawal to this permission; the upper half of the nonce is free.
    uint128 noncePostfix = uint128(withdrawRequest.nonce);
    uint128 hashPostfix = uint128(uint256(getHash(spendPermission)));
    if (noncePostfix != hashPostfix) revert InvalidWithdrawRequestNonce(noncePostfix, hashPostfix);

    _meter(spendPermission, value);
    IExecute(spendPermission.account)
      .execute(MAGIC_SPEND, 0, abi.encodeCall(IMagicSpend.withdraw, (withdrawRequest)));
    _transfer(spendPermission, value);
  }

  /* ---------------------------------------- approvals ---------------------------------------- */

  /// @dev The validator may deploy the account on the way, if the signature says how (ERC-6492).
  function _checkSignature(address account, bytes32 hash, bytes calldata signature) private {
    bool valid = PublicERC6492Validator(PUBLIC_ERC6492_VALIDATOR)
      .isValidSignatureNowAllowSideEffects(account, hash, signature);
    if (!valid) revert InvalidSignature();
  }

  /// @dev Whether the permission is approved afterwards, and not revoked.
  function _approve(SpendPermission memory p) private returns (bool) {
    if (p.token == address(0)) revert ZeroToken();
    if (p.token != NATIVE_TOKEN && ERC165Checker.supportsInterface(p.token, type(IERC721).interfaceId)) {
      revert ERC721TokenNotSupported(p.token);
    }
    if (p.spender == address(0)) revert ZeroSpender();
    if (p.period == 0) revert ZeroPeriod();
    if (p.allowance == 0) revert ZeroAllowance();
    if (p.start >= p.end) revert InvalidStartEnd(p.start, p.end);

    bytes32 hash = getHash(p);
    if (_revoked[hash]) return false;
    if (!_approved[hash]) {
      _approved[hash] = true;
      emit SpendPermissionApproved(hash, p);
    }
    return true;
  }

  function _revoke(SpendPermission memory p) private {
    bytes32 hash = getHash(p);
    if (_revoked[hash]) return;
    _revoked[hash] = true;
    emit SpendPermissionRevoked(hash, p);
  }

  /* ---------------------------------------- spending ---------------------------------------- */

  /// @dev Counts `value` against the current period, or reverts. No money has moved yet.
  function _meter(SpendPermission calldata p, uint160 value) private {
    if (value == 0) revert ZeroValue();

    bytes32 hash = getHash(p);
    if (!_isValid(hash)) revert UnauthorizedSpendPermission();

    PeriodSpend memory current = _currentPeriod(p, hash);
    uint256 sum = uint256(current.spend) + value;
    if (sum > type(uint160).max) revert SpendValueOverflow(sum);
    if (sum > p.allowance) revert ExceededSpendPermission(sum, p.allowance);

    // forge-lint: disable-next-line(unsafe-typecast): compared with the largest uint160 above
    current.spend = uint160(sum);
    _lastUpdatedPeriod[hash] = current;
    emit SpendPermissionUsed(
      hash, p.account, p.spender, p.token, PeriodSpend(current.start, current.end, value)
    );
  }

  /// @dev Moves `value` from the account to the spender. The account's code runs here, and so may a token's.
  function _transfer(SpendPermission calldata p, uint160 value) private {
    if (p.token == NATIVE_TOKEN) {
      // In two steps: the account pays SPM, SPM pays the spender. An account that sends nothing makes the second
      // step fail, since SPM holds nothing between spends: `receive` refuses it.
      _expectedReceiveAmount = value;
      IExecute(p.account).execute(address(this), value, "");
      _expectedReceiveAmount = 0;
      SafeTransferLib.safeTransferETH(p.spender, value);
    } else {
      IExecute(p.account).execute(p.token, 0, abi.encodeCall(IERC20.approve, (address(this), value)));
      IERC20(p.token).safeTransferFrom(p.account, p.spender, value);
    }
  }
}
