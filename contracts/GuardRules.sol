// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { IERC20 } from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import { EIP712 } from "solady/utils/EIP712.sol";

import { BatchLib } from "./Batch.sol";
import { GuardHash } from "./GuardHash.sol";
import { GuardState } from "./GuardState.sol";
import { IHardcapGuard } from "./interfaces/IHardcapGuard.sol";
import { IPurse } from "./interfaces/IPurse.sol";
import { ISpendPermissionManager } from "./interfaces/ISpendPermissionManager.sol";
import { PermissionHash } from "./PermissionHash.sol";
import { ANY_PAYEE, Policy, PolicyLib } from "./Policy.sol";
import { TrailingWindow } from "./TrailingWindow.sol";

/// @title GuardRules
/// @notice What a policy allows: everything that can refuse a payment or a funding before SPM is asked.
/// @dev Nothing is written here. The rules return what the meters come to, which a payment stores and a simulation drops,
///      so that both are decided by the same code in the same order.
abstract contract GuardRules is GuardState, EIP712 {
  using BatchLib for bytes;

  address private constant _NATIVE_TOKEN = 0xEeeeeEeeeEeEeeEeEeEeeEEEeeeeEeeeeeeeEEeE;

  uint256 private immutable _CHAIN_ID = block.chainid;
  bytes32 private immutable _SPM_DOMAIN = PermissionHash.domain();

  /// @dev SPM's, also on a chain that split off under another id.
  function _spmDomain() internal view returns (bytes32) {
    return block.chainid == _CHAIN_ID ? _SPM_DOMAIN : PermissionHash.domain();
  }

  /* ---------------------------------------- any payment ---------------------------------------- */

  /// @dev What does not depend on numbers and amounts.
  function _open(
    ISpendPermissionManager.SpendPermission calldata permission,
    Policy memory policy,
    uint256 deadline
  ) internal view returns (Grant storage grant, uint256 meters) {
    address account = permission.account;
    address token = permission.token;
    if (permission.spender != address(this)) revert WrongSpender(permission.spender);
    if (token == _NATIVE_TOKEN) revert NativeToken();
    if (block.timestamp >= deadline) revert DeadlinePassed(deadline, block.timestamp);

    grant = _grants[account][token][policy.grantId];
    meters = grant.meters;
    uint256 flags = meters >> _FLAGS_OFFSET;
    if (flags != 0) _requireNotStopped(grant, flags, account, policy);
  }

  function _requireNotStopped(Grant storage grant, uint256 flags, address account, Policy memory policy)
    private
    view
  {
    uint256 orchestratorFlags;
    uint256 agentFlags;
    if (flags & _OTHERS != 0) {
      // Nobody can have set a flag as the zero address.
      orchestratorFlags = grant.flags[policy.orchestrator];
      agentFlags = grant.flags[policy.agent];
    }
    if (flags & _REVOKED != 0) revert RevokedBy(account);
    if (orchestratorFlags & _REVOKED != 0) revert RevokedBy(policy.orchestrator);
    if (agentFlags & _REVOKED != 0) revert RevokedBy(policy.agent);
    if (flags & _PAUSED != 0) revert PausedBy(account);
    if (orchestratorFlags & _PAUSED != 0) revert PausedBy(policy.orchestrator);
  }

  /* ---------------------------------------- amounts ---------------------------------------- */

  /// @dev Whether a payment by itself is allowed.
  /// @param previous Payee of the payment before, who need not be looked at again; zero for none.
  function _requirePayment(
    ISpendPermissionManager.SpendPermission calldata permission,
    Policy memory policy,
    BatchLib.Entry memory payment,
    address previous,
    bytes32[] calldata proof
  ) internal view {
    if (payment.amount == 0) revert ZeroAmount(payment.number);
    if (payment.amount > policy.perCall) revert OverPerCall(payment.amount, policy.perCall);

    address payee = payment.payee;
    if (payee == address(0)) revert ForbiddenPayee(payee);
    if (payee == previous) return;
    if (payee == address(this) || payee == address(PermissionHash.SPM) || payee == permission.token) {
      revert ForbiddenPayee(payee);
    }
    if (policy.payees != ANY_PAYEE) {
      if (!PolicyLib.allows(policy.payees, payee, proof)) revert WrongPayee(payee);
    } else if (payee == purseOf(permission.account, permission.token, policy.grantId, policy.agent)) {
      // To be funded instead, up to `maxFloat`.
      revert ForbiddenPayee(payee);
    }
  }

  /// @dev What the purse lacks. A target, not an amount: a donation makes the funding smaller instead of impossible.
  ///      What the purse holds from another permission goes back to the account when this one funds it.
  function _amountOf(
    ISpendPermissionManager.SpendPermission calldata permission,
    bytes32 hash,
    Policy memory policy,
    Funding calldata funding,
    address purse
  ) internal view returns (uint256) {
    if (funding.target > policy.maxFloat) revert OverFloat(funding.target, policy.maxFloat);
    uint256 balance = _floatOf(permission.token, purse, hash);
    if (balance >= funding.target) revert NothingToFund(balance, funding.target);
    return funding.target - balance;
  }

  /// @dev The purse's balance, if this permission was the last to fund it.
  function _floatOf(address token, address purse, bytes32 hash) internal view returns (uint256) {
    if (purse.code.length == 0 || IPurse(purse).fundedBy() != hash) return 0;
    return IERC20(token).balanceOf(purse);
  }

  /* ---------------------------------------- meters ---------------------------------------- */

  /// @dev The meters of the grant with `amount` spent now. They do not overflow: what is unlimited is limited by its
  ///      type, and a day by the total.
  function _meter(uint256 meters, Policy memory policy, uint256 amount) internal view returns (uint256) {
    unchecked {
      (uint256 total, uint256 daySpent) = _spentOf(meters);
      if (total + amount > policy.total) revert OverTotal(amount, total, policy.total);
      if (daySpent + amount > policy.perDay) revert OverDay(amount, daySpent, policy.perDay);

      uint256 flags = meters >> _FLAGS_OFFSET << _FLAGS_OFFSET;
      return flags | _today() << _DAY_OFFSET | (daySpent + amount) << _DAY_SPENT_OFFSET | (total + amount);
    }
  }

  /// @dev The trailing window with `amount` spent now. The policy has one.
  function _meterWindow(Grant storage grant, Policy memory policy, uint256 amount)
    internal
    view
    returns (uint256)
  {
    uint256 ring = grant.windows[policy.window];
    return TrailingWindow.record(ring, block.timestamp, policy.window, amount, policy.perWindow);
  }

  /// @dev The task with `amount` spent on it. The policy caps tasks.
  function _meterTask(
    Grant storage grant,
    ISpendPermissionManager.SpendPermission calldata permission,
    Policy memory policy,
    bytes32 task,
    bytes calldata ticket,
    uint256 amount
  ) internal view returns (uint256) {
    if (task == 0) revert TaskMissing();
    _requireTicket(permission, policy, task, ticket);
    uint256 spent = grant.tasks[task];
    uint256 cap = ticket.ticketCap();
    uint256 limit = cap < policy.perTask ? cap : policy.perTask;
    if (spent + amount > limit) revert OverTask(amount, spent, limit);
    return spent + amount;
  }

  function _requireTicket(
    ISpendPermissionManager.SpendPermission calldata permission,
    Policy memory policy,
    bytes32 task,
    bytes calldata ticket
  ) private view {
    bytes calldata signature = ticket.ticketSignature();
    if (signature.length == 0) revert TicketMissing();
    uint48 deadline = ticket.ticketDeadline();
    if (block.timestamp >= deadline) revert TicketExpired(deadline, block.timestamp);
    bytes32 digest =
      hashTicket(permission.account, permission.token, policy.grantId, task, ticket.ticketCap(), deadline);
    if (!GuardHash.isSignedBy(policy.orchestrator, digest, signature)) {
      revert TicketInvalid(policy.orchestrator);
    }
  }

  /// @dev Where the policy does not cap tasks, nothing would enforce a ticket.
  function _requireNoTicket(bytes calldata ticket) internal pure {
    if (ticket.length != 0) revert TicketUnexpected();
  }

  /* ---------------------------------------- EIP-712 ---------------------------------------- */

  /// @inheritdoc IHardcapGuard
  function hashTicket(
    address account,
    address token,
    bytes32 grantId,
    bytes32 task,
    uint112 cap,
    uint48 deadline
  ) public view returns (bytes32) {
    return _hashTypedData(GuardHash.hashTicket(account, token, grantId, task, cap, deadline));
  }

  function _domainNameAndVersion() internal pure override returns (string memory, string memory) {
    return ("Hardcap Guard", "1");
  }
}
