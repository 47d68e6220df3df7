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
import { PermissionDomain, PermissionHash } from "./PermissionHash.sol";
import { ANY_PAYEE, Policy, PolicyLib } from "./Policy.sol";
import { SpendCall, SpendCallLib } from "./SpendCall.sol";
import { TrailingWindow } from "./TrailingWindow.sol";

/// @title GuardRules
/// @notice What a policy allows: everything that can refuse a payment or a funding before SPM is asked.
/// @dev Nothing is written here. The rules return what the meters come to, which a payment stores and a simulation drops,
///      so that both are decided by the same code in the same order.
abstract contract GuardRules is GuardState, PermissionDomain, EIP712 {
  using BatchLib for bytes;
  using SpendCallLib for SpendCall;

  /// @dev What a payment or funding is asked for under.
  struct Context {
    Policy policy;
    SpendCall spendCall;
    /// SPM's hash of the permission.
    bytes32 permission;
    address account;
    address token;
    bytes32 task;
  }

  address private constant _NATIVE_TOKEN = 0xEeeeeEeeeEeEeeEeEeEeeEEEeeeeEeeeeeeeEEeE;

  /* ---------------------------------------- any payment ---------------------------------------- */

  function _contextOf(ISpendPermissionManager.SpendPermission calldata permission)
    internal
    view
    returns (Context memory context)
  {
    SpendCall spendCall = SpendCallLib.prepare(permission, permission.extraData);
    PolicyLib.decodeInto(context.policy, spendCall.extraData());
    context.spendCall = spendCall;
    context.permission = spendCall.hash(_spmDomain());
    context.account = spendCall.account();
    context.token = spendCall.token();
  }

  /// @dev What does not depend on numbers and amounts.
  function _open(Context memory context, uint256 deadline)
    internal
    view
    returns (Grant storage grant, uint256 meters)
  {
    address spender = context.spendCall.spender();
    if (spender != address(this)) revert WrongSpender(spender);
    if (context.token == _NATIVE_TOKEN) revert NativeToken();
    if (block.timestamp >= deadline) revert DeadlinePassed(deadline, block.timestamp);

    Policy memory policy = context.policy;
    grant = _grantOf(context.account, context.token, policy.grantId);
    meters = grant.meters;
    uint256 flags = meters >> _FLAGS_OFFSET;
    if (flags != 0) _requireNotStopped(grant, flags, context.account, policy);
  }

  function _requireNotStopped(Grant storage grant, uint256 flags, address account, Policy memory policy)
    private
    view
  {
    (uint256 orchestratorFlags, uint256 agentFlags) =
      _othersFlags(grant, flags, policy.orchestrator, policy.agent);
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
    Context memory context,
    BatchLib.Entry memory payment,
    address previous,
    bytes32[] calldata proof
  ) internal view {
    Policy memory policy = context.policy;
    if (payment.amount == 0) revert ZeroAmount(payment.number);
    if (payment.amount > policy.perCall) revert OverPerCall(payment.amount, policy.perCall);

    address payee = payment.payee;
    if (payee == address(0)) revert ForbiddenPayee(payee);
    if (payee == previous) return;
    if (payee == address(this) || payee == address(PermissionHash.SPM) || payee == context.token) {
      revert ForbiddenPayee(payee);
    }
    if (policy.payees != ANY_PAYEE) {
      if (!PolicyLib.allows(policy.payees, payee, proof)) revert WrongPayee(payee);
    } else if (payee == _purseOf(context)) {
      // To be funded instead, up to `maxFloat`.
      revert ForbiddenPayee(payee);
    }
  }

  /// @dev What the purse lacks. A target, not an amount: a donation makes the funding smaller instead of impossible.
  ///      What the purse holds from another permission goes back to the account when this one funds it.
  function _amountOf(Context memory context, uint112 target, address purse) internal view returns (uint256) {
    uint112 maxFloat = context.policy.maxFloat;
    if (target > maxFloat) revert OverFloat(target, maxFloat);
    uint256 balance = _floatOf(context, purse);
    if (balance >= target) revert NothingToFund(balance, target);
    return target - balance;
  }

  /// @dev The purse's balance, if this permission was the last to fund it.
  function _floatOf(Context memory context, address purse) internal view returns (uint256) {
    if (purse.code.length == 0 || IPurse(purse).fundedBy() != context.permission) return 0;
    return IERC20(context.token).balanceOf(purse);
  }

  function _purseOf(Context memory context) internal view returns (address) {
    return purseOf(context.account, context.token, context.policy.grantId, context.policy.agent);
  }

  /* ---------------------------------------- meters ---------------------------------------- */

  /// @dev The meters of the grant with `amount` spent now. They do not overflow: what is unlimited is limited by its
  ///      type, and a day by the total.
  function _meter(uint256 meters, Policy memory policy, uint256 amount) internal view returns (uint256) {
    unchecked {
      uint256 today = _today();
      (uint256 total, uint256 daySpent) = _spentOf(meters, today);
      if (total + amount > policy.total) revert OverTotal(amount, total, policy.total);
      if (daySpent + amount > policy.perDay) revert OverDay(amount, daySpent, policy.perDay);

      uint256 flags = meters >> _FLAGS_OFFSET << _FLAGS_OFFSET;
      return flags | today << _DAY_OFFSET | (daySpent + amount) << _DAY_SPENT_OFFSET | (total + amount);
    }
  }

  /// @dev The trailing window with `amount` spent now. The policy has one.
  function _meterWindow(uint256 ring, Policy memory policy, uint256 amount) internal view returns (uint256) {
    return TrailingWindow.record(ring, block.timestamp, policy.window, amount, policy.perWindow);
  }

  /// @dev The task with `amount` spent on it, which overflows no more than a total. The policy caps tasks.
  function _meterTask(uint256 spent, Context memory context, bytes calldata ticket, uint256 amount)
    internal
    view
    returns (uint256)
  {
    if (context.task == 0) revert TaskMissing();
    _requireTicket(context, ticket);
    uint256 limit = context.policy.perTask;
    uint256 cap = ticket.ticketCap();
    if (cap < limit) limit = cap;
    unchecked {
      if (spent + amount > limit) revert OverTask(amount, spent, limit);
      return spent + amount;
    }
  }

  function _requireTicket(Context memory context, bytes calldata ticket) private view {
    bytes calldata signature = ticket.ticketSignature();
    if (signature.length == 0) revert TicketMissing();
    uint48 deadline = ticket.ticketDeadline();
    if (block.timestamp >= deadline) revert TicketExpired(deadline, block.timestamp);
    bytes32 grantId = context.policy.grantId;
    bytes32 digest =
      hashTicket(context.account, context.token, grantId, context.task, ticket.ticketCap(), deadline);
    address orchestrator = context.policy.orchestrator;
    if (!GuardHash.isSignedBy(orchestrator, digest, signature)) revert TicketInvalid(orchestrator);
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
