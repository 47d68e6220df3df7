// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { Ownable } from "solady/auth/Ownable.sol";
import { SafeTransferLib } from "solady/utils/SafeTransferLib.sol";
import { SignatureCheckerLib } from "solady/utils/SignatureCheckerLib.sol";

import { IMagicSpend } from "../interfaces/IMagicSpend.sol";

/// @title MagicSpend
/// @notice DEVNET STAND-IN for Coinbase's MagicSpend at `0x011A61C07DbF256A68256B1cB51A5e246730aB92`, only as far
///         as SpendPermissionManager needs it (no paymaster, no owner actions on the funds, no cap per withdrawal):
///         written from published facts, placed on test chains, never deployed elsewhere, unaudited.
/// @dev The runtime code is put at that address with empty storage, so it has no owner, and no request is valid,
///      until a test writes one to the slot where Solady's `Ownable` keeps it, as the original does.
contract MagicSpend is IMagicSpend, Ownable {
  /// @inheritdoc IMagicSpend
  mapping(address account => mapping(uint256 nonce => bool)) public nonceUsed;

  /// @notice Accepts the native token that is to be withdrawn.
  receive() external payable { }

  /// @inheritdoc IMagicSpend
  function withdraw(WithdrawRequest calldata withdrawRequest) external {
    if (nonceUsed[msg.sender][withdrawRequest.nonce]) revert InvalidNonce(withdrawRequest.nonce);
    nonceUsed[msg.sender][withdrawRequest.nonce] = true;
    emit MagicSpendWithdrawal(
      msg.sender, withdrawRequest.asset, withdrawRequest.amount, withdrawRequest.nonce
    );

    bool signed = SignatureCheckerLib.isValidSignatureNowCalldata(
      owner(), getHash(msg.sender, withdrawRequest), withdrawRequest.signature
    );
    if (!signed) revert InvalidSignature();
    // forge-lint: disable-next-line(block-timestamp): the original compares with it too
    if (block.timestamp > withdrawRequest.expiry) revert Expired();

    if (withdrawRequest.asset == address(0)) {
      SafeTransferLib.safeTransferETH(msg.sender, withdrawRequest.amount);
    } else {
      SafeTransferLib.safeTransfer(withdrawRequest.asset, msg.sender, withdrawRequest.amount);
    }
  }

  /// @inheritdoc IMagicSpend
  function getHash(address account, WithdrawRequest calldata withdrawRequest) public view returns (bytes32) {
    return SignatureCheckerLib.toEthSignedMessageHash(
      abi.encode(
        address(this),
        account,
        block.chainid,
        withdrawRequest.asset,
        withdrawRequest.amount,
        withdrawRequest.nonce,
        withdrawRequest.expiry
      )
    );
  }
}
