// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { BatchLib } from "./Batch.sol";
import { GuardHash } from "./GuardHash.sol";
import { GuardRules } from "./GuardRules.sol";
import { GuardReason } from "./GuardReason.sol";
import { IHardcapGuard } from "./interfaces/IHardcapGuard.sol";
import { ISpendPermissionManager } from "./interfaces/ISpendPermissionManager.sol";
import { PermissionHash } from "./PermissionHash.sol";
import { Policy, PolicyLib } from "./Policy.sol";
import { TrailingWindow } from "./TrailingWindow.sol";

/// @title GuardViews
/// @notice What can be asked of the guard, apart from what its storage says directly.
abstract contract GuardViews is GuardRules {
  using BatchLib for bytes;

  ISpendPermissionManager internal constant _SPM = PermissionHash.SPM;

  /* ---------------------------------------- views ---------------------------------------- */

  /// @inheritdoc IHardcapGuard
  function check(ISpendPermissionManager.SpendPermission calldata, bytes calldata)
    external
    view
    returns (Reason)
  {
    return _reasonOf(this.simulate.selector);
  }

  /// @inheritdoc IHardcapGuard
  function checkFunding(ISpendPermissionManager.SpendPermission calldata, Funding calldata)
    external
    view
    returns (Reason)
  {
    return _reasonOf(this.simulateFunding.selector);
  }

  /// @dev Calls the guard itself, with the arguments that this call came with.
  function _reasonOf(bytes4 simulation) private view returns (Reason) {
    (bool success, bytes memory result) = address(this).staticcall(bytes.concat(simulation, msg.data[4:]));
    return success ? Reason.Ok : GuardReason.fromError(result);
  }

  /// @inheritdoc IHardcapGuard
  function simulate(ISpendPermissionManager.SpendPermission calldata permission, bytes calldata batch)
    external
    view
  {
    Context memory context = _contextOf(permission);
    (uint256 deadline, bytes32 task, bytes calldata ticket, uint256 first) = batch.head();
    context.task = task;
    (Grant storage grant, uint256 meters) = _open(context, deadline);
    uint256 amount = _requirePayments(grant, context, batch, first);
    _requireAffordable(grant, meters, context, ticket, amount);
    _requireSpendable(permission, amount);
  }

  /// @inheritdoc IHardcapGuard
  function simulateFunding(
    ISpendPermissionManager.SpendPermission calldata permission,
    Funding calldata funding
  ) external view {
    Context memory context = _contextOf(permission);
    context.task = funding.task;
    (Grant storage grant, uint256 meters) = _open(context, funding.deadline);
    if (_isUsed(grant, context.policy.agent, funding.number)) revert NumberUsed(funding.number);
    uint256 amount = _amountOf(context, funding.target, _purseOf(context));
    _requireAffordable(grant, meters, context, funding.ticket, amount);
    _requireSpendable(permission, amount);
  }

  /// @dev What `_usePayments` does, with nothing stored.
  function _requirePayments(Grant storage grant, Context memory context, bytes calldata batch, uint256 first)
    private
    view
    returns (uint256 sum)
  {
    if (first == batch.length) revert EmptyBatch();
    BatchLib.Entry memory payment;
    address previous;
    uint256 at = first;
    while (at != batch.length) {
      uint256 next = batch.read(at, payment);
      if (_isUsed(grant, context.policy.agent, payment.number) || _isBefore(batch, first, at, payment.number))
      {
        revert NumberUsed(payment.number);
      }
      _requirePayment(context, payment, previous, batch.proofAt(at));
      sum += payment.amount;
      previous = payment.payee;
      at = next;
    }
  }

  /// @dev Whether a payment of the batch before the one at `end` has this number.
  function _isBefore(bytes calldata batch, uint256 at, uint256 end, uint256 number)
    private
    pure
    returns (bool)
  {
    BatchLib.Entry memory payment;
    while (at != end) {
      uint256 next = batch.read(at, payment);
      if (payment.number == number) return true;
      at = next;
    }
    return false;
  }

  /// @dev What `_charge` does, with nothing stored.
  function _requireAffordable(
    Grant storage grant,
    uint256 meters,
    Context memory context,
    bytes calldata ticket,
    uint256 amount
  ) private view {
    Policy memory policy = context.policy;
    _meter(meters, policy, amount);
    if (policy.window != 0) _meterWindow(grant.windows[policy.window].value, policy, amount);
    if (policy.perTask == _UNLIMITED) _requireNoTicket(ticket);
    else _meterTask(grant.tasks[context.task].value, context, ticket, amount);
  }

  /// @dev What `SPM.spend` asks for, with its errors in its order.
  function _requireSpendable(ISpendPermissionManager.SpendPermission calldata permission, uint256 amount)
    private
    view
  {
    if (!_SPM.isValid(permission)) revert ISpendPermissionManager.UnauthorizedSpendPermission();
    uint256 sum = _SPM.getCurrentPeriod(permission).spend + amount;
    if (sum > type(uint160).max) revert ISpendPermissionManager.SpendValueOverflow(sum);
    if (sum > permission.allowance) {
      revert ISpendPermissionManager.ExceededSpendPermission(sum, permission.allowance);
    }
  }

  /// @inheritdoc IHardcapGuard
  function remaining(ISpendPermissionManager.SpendPermission calldata permission, bytes32 task)
    external
    view
    returns (Meters memory left)
  {
    Context memory context = _contextOf(permission);
    Meters memory spent = _used(permission, context, task);
    Policy memory policy = context.policy;
    left.perCall = policy.perCall;
    left.perDay = _left(policy.perDay, spent.perDay);
    left.total = _left(policy.total, spent.total);
    left.perTask = _left(policy.perTask, spent.perTask);
    left.perWindow = _left(policy.perWindow, spent.perWindow);
    left.float = _left(policy.maxFloat, spent.float);
    if (block.timestamp >= permission.start && block.timestamp < permission.end) {
      left.period = _left(permission.allowance, spent.period);
    }
  }

  /// @inheritdoc IHardcapGuard
  function used(ISpendPermissionManager.SpendPermission calldata permission, bytes32 task)
    external
    view
    returns (Meters memory)
  {
    return _used(permission, _contextOf(permission), task);
  }

  function _used(
    ISpendPermissionManager.SpendPermission calldata permission,
    Context memory context,
    bytes32 task
  ) private view returns (Meters memory spent) {
    Policy memory policy = context.policy;
    Grant storage grant = _grantOf(context.account, context.token, policy.grantId);
    (spent.total, spent.perDay) = _spentOf(grant.meters, _today());
    spent.perTask = grant.tasks[task].value;
    if (policy.window != 0) {
      uint256 ring = grant.windows[policy.window].value;
      spent.perWindow = TrailingWindow.used(ring, block.timestamp, policy.window);
    }
    if (block.timestamp >= permission.start && block.timestamp < permission.end) {
      spent.period = _SPM.getCurrentPeriod(permission).spend;
    }
    spent.float = _floatOf(context, _purseOf(context));
  }

  /// @dev A limit may have been lowered below what was spent before.
  function _left(uint256 limit, uint256 spent) private pure returns (uint256) {
    return spent < limit ? limit - spent : 0;
  }

  /// @inheritdoc IHardcapGuard
  function explain(bytes calldata extraData) external pure returns (Policy memory) {
    return PolicyLib.decode(extraData);
  }

  /// @inheritdoc IHardcapGuard
  function purseImplementation() external view returns (address) {
    return _PURSE;
  }

  /// @inheritdoc IHardcapGuard
  function hashBatch(ISpendPermissionManager.SpendPermission calldata permission, bytes calldata batch)
    external
    view
    returns (bytes32)
  {
    return _hashTypedData(GuardHash.hashBatch(batch, PermissionHash.hash(permission)));
  }

  /// @inheritdoc IHardcapGuard
  function hashFunding(ISpendPermissionManager.SpendPermission calldata permission, Funding calldata funding)
    external
    view
    returns (bytes32)
  {
    return _hashTypedData(GuardHash.hashFunding(funding, PermissionHash.hash(permission)));
  }
}
