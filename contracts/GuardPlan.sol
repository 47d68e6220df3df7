// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { IERC20 } from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import { EIP712 } from "solady/utils/EIP712.sol";

import { GuardHash } from "./GuardHash.sol";
import { GuardState } from "./GuardState.sol";
import { IHardcapGuard } from "./interfaces/IHardcapGuard.sol";
import { ISpendPermissionManager } from "./interfaces/ISpendPermissionManager.sol";
import { PermissionHash } from "./PermissionHash.sol";
import { Policy, PolicyLib } from "./Policy.sol";
import { TrailingWindow } from "./TrailingWindow.sol";

/// @title GuardPlan
/// @notice The guard's storage, and what a payment or funding does to it.
/// @dev Plan, then commit. The plans look at everything that can refuse a payment and write nothing, so `simulate` is
///      the code that decides in `pay`; `_commit` writes what was planned and refuses nothing.
abstract contract GuardPlan is GuardState, EIP712 {
  address private constant _NATIVE_TOKEN = 0xEeeeeEeeeEeEeeEeEeEeeEEEeeeeEeeeeeeeEEeE;

  /// @dev What a payment or funding comes to, before it happens.
  struct Plan {
    bytes32 grant;
    uint256 amount;
    uint256 slot;
    uint256 ring;
    uint256 taskSpent;
    // The lanes that are touched, each with its bits.
    uint256 laneCount;
    uint256[] lanes;
    uint256[] bits;
  }

  /* ---------------------------------------- planning ---------------------------------------- */

  function _planBatch(
    ISpendPermissionManager.SpendPermission calldata permission,
    Policy memory policy,
    Batch calldata batch
  ) internal view returns (Plan memory plan) {
    _open(plan, permission, policy, batch.deadline, batch.payments.length);
    _addPayments(plan, permission, policy, batch.payments);
    _meter(plan, policy);
    _meterTask(plan, permission, policy, batch.task, batch.ticket);
  }

  function _planFunding(
    ISpendPermissionManager.SpendPermission calldata permission,
    Policy memory policy,
    Funding calldata funding,
    address purse
  ) internal view returns (Plan memory plan) {
    _open(plan, permission, policy, funding.deadline, 1);
    _use(plan, policy.agent, funding.number);
    if (funding.target > policy.maxFloat) revert OverFloat(funding.target, policy.maxFloat);
    // A target, not an amount: a donation to the purse makes the funding smaller instead of impossible.
    uint256 balance = IERC20(permission.token).balanceOf(purse);
    if (balance >= funding.target) revert NothingToFund(balance, funding.target);
    plan.amount = funding.target - balance;
    _meter(plan, policy);
    _meterTask(plan, permission, policy, funding.task, funding.ticket);
  }

  /// @dev What does not depend on the payments themselves.
  function _open(
    Plan memory plan,
    ISpendPermissionManager.SpendPermission calldata permission,
    Policy memory policy,
    uint256 deadline,
    uint256 count
  ) private view {
    if (permission.spender != address(this)) revert WrongSpender(permission.spender);
    if (permission.token == _NATIVE_TOKEN) revert NativeToken();
    if (block.timestamp >= deadline) revert DeadlinePassed(deadline, block.timestamp);

    plan.grant = _grantOf(permission.account, permission.token, policy.grantId);
    plan.slot = _grants[plan.grant];
    plan.lanes = new uint256[](count);
    plan.bits = new uint256[](count);
    _requireNotStopped(plan, permission.account, policy);
  }

  function _requireNotStopped(Plan memory plan, address account, Policy memory policy) private view {
    uint256 flags = plan.slot >> _FLAGS_OFFSET;
    if (flags == 0) return;

    bool others = flags & _OTHERS != 0;
    uint256 orchestratorFlags =
      others && policy.orchestrator != address(0) ? _flags[plan.grant][policy.orchestrator] : 0;
    uint256 agentFlags = others ? _flags[plan.grant][policy.agent] : 0;
    if (flags & _REVOKED != 0) revert RevokedBy(account);
    if (orchestratorFlags & _REVOKED != 0) revert RevokedBy(policy.orchestrator);
    if (agentFlags & _REVOKED != 0) revert RevokedBy(policy.agent);
    if (flags & _PAUSED != 0) revert PausedBy(account);
    if (orchestratorFlags & _PAUSED != 0) revert PausedBy(policy.orchestrator);
  }

  function _addPayments(
    Plan memory plan,
    ISpendPermissionManager.SpendPermission calldata permission,
    Policy memory policy,
    Payment[] calldata payments
  ) private view {
    if (payments.length == 0) revert EmptyBatch();

    uint256 amount;
    address payee;
    for (uint256 i; i < payments.length; ++i) {
      Payment calldata payment = payments[i];
      _use(plan, policy.agent, payment.number);
      if (payment.amount == 0) revert ZeroAmount(payment.number);
      if (payment.amount > policy.perCall) revert OverPerCall(payment.amount, policy.perCall);
      if (i == 0 || payment.payee != payee) {
        payee = payment.payee;
        _requirePayee(permission, policy, payee, payment.proof);
      }
      amount += payment.amount;
    }
    plan.amount = amount;
  }

  function _requirePayee(
    ISpendPermissionManager.SpendPermission calldata permission,
    Policy memory policy,
    address payee,
    bytes32[] calldata proof
  ) private view {
    if (
      payee == address(0) || payee == address(this) || payee == address(PermissionHash.SPM)
        || payee == permission.token
        || payee == purseOf(permission.account, permission.token, policy.grantId, policy.agent)
    ) revert ForbiddenPayee(payee);
    if (!PolicyLib.allows(policy.payees, payee, proof)) revert WrongPayee(payee);
  }

  /// @dev Marks a number in the plan, so that a batch cannot use it twice either.
  function _use(Plan memory plan, address agent, uint256 number) private view {
    uint256 lane = number >> 8;
    uint256 i;
    while (i < plan.laneCount && plan.lanes[i] != lane) ++i;
    if (i == plan.laneCount) {
      plan.laneCount = i + 1;
      plan.lanes[i] = lane;
      plan.bits[i] = _numbers[plan.grant][agent][lane];
    }

    uint256 bit = 1 << (number & 0xff);
    if (plan.bits[i] & bit != 0) revert NumberUsed(number);
    plan.bits[i] |= bit;
  }

  /// @dev The meters of the grant, and the trailing window. No sum overflows: what is unlimited is limited by its type.
  function _meter(Plan memory plan, Policy memory policy) private view {
    uint256 amount = plan.amount;
    (uint256 total, uint256 daySpent) = _spentOf(plan.slot);
    if (total + amount > policy.total) revert OverTotal(amount, total, policy.total);
    if (daySpent + amount > policy.perDay) revert OverDay(amount, daySpent, policy.perDay);

    uint256 flags = plan.slot >> _FLAGS_OFFSET;
    plan.slot = flags << _FLAGS_OFFSET | _today() << _DAY_OFFSET | (daySpent + amount) << _DAY_SPENT_OFFSET
      | (total + amount);

    if (policy.window != 0) {
      uint256 ring = _windows[plan.grant][policy.window];
      plan.ring = TrailingWindow.record(ring, block.timestamp, policy.window, amount, policy.perWindow);
    }
  }

  function _meterTask(
    Plan memory plan,
    ISpendPermissionManager.SpendPermission calldata permission,
    Policy memory policy,
    bytes32 task,
    Ticket calldata ticket
  ) private view {
    if (policy.perTask == _UNLIMITED) {
      if (ticket.signature.length != 0 || ticket.cap != 0 || ticket.deadline != 0) {
        revert TicketUnexpected();
      }
      return;
    }

    if (task == 0) revert TaskMissing();
    if (ticket.signature.length == 0) revert TicketMissing();
    if (block.timestamp >= ticket.deadline) revert TicketExpired(ticket.deadline, block.timestamp);
    bytes32 digest =
      hashTicket(permission.account, permission.token, policy.grantId, task, ticket.cap, ticket.deadline);
    if (!GuardHash.isSignedBy(policy.orchestrator, digest, ticket.signature)) {
      revert TicketInvalid(policy.orchestrator);
    }

    uint256 spent = _tasks[plan.grant][task];
    uint256 limit = ticket.cap < policy.perTask ? ticket.cap : policy.perTask;
    if (spent + plan.amount > limit) revert OverTask(plan.amount, spent, limit);
    plan.taskSpent = spent + plan.amount;
  }

  /* ---------------------------------------- committing ---------------------------------------- */

  function _commit(Plan memory plan, Policy memory policy, bytes32 task) internal {
    bytes32 grant = plan.grant;
    _grants[grant] = plan.slot;
    for (uint256 i; i < plan.laneCount; ++i) {
      _numbers[grant][policy.agent][plan.lanes[i]] = plan.bits[i];
    }
    if (policy.window != 0) _windows[grant][policy.window] = plan.ring;
    if (policy.perTask != _UNLIMITED) _tasks[grant][task] = plan.taskSpent;
  }

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
