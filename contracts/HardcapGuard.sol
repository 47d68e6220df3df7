// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { LibClone } from "solady/utils/LibClone.sol";
import { SafeTransferLib } from "solady/utils/SafeTransferLib.sol";

import { BatchLib } from "./Batch.sol";
import { GuardHash } from "./GuardHash.sol";
import { GuardState } from "./GuardState.sol";
import { GuardViews } from "./GuardViews.sol";
import { IHardcapGuard } from "./interfaces/IHardcapGuard.sol";
import { IPurse } from "./interfaces/IPurse.sol";
import { ISpendPermissionManager } from "./interfaces/ISpendPermissionManager.sol";
import { PermissionHash } from "./PermissionHash.sol";
import { Policy, PolicyLib } from "./Policy.sol";
import { Purse } from "./Purse.sol";
import { SpendCall, SpendCallLib } from "./SpendCall.sol";

/// @title HardcapGuard
/// @notice See `IHardcapGuard`.
/// @dev Who may ask is decided here; what may be paid, and from which meters, in `GuardRules`.
/// @dev Money comes by `SPM.spend`, which asks for an approved, live permission of this
///      guard, and leaves in the same call, to the last unit. In between, code of the account and of its token runs;
///      by then everything is written down, and the lock keeps it from paying through the guard a second time.
contract HardcapGuard is GuardViews {
  using BatchLib for bytes;
  using SpendCallLib for SpendCall;

  /// @dev 1 inside a payment. A whole word: a bool would be read again to be written.
  uint256 private transient _locked;

  constructor() GuardState(address(new Purse())) {
    // Nowhere below is a call to SPM asked whether there was code to answer it.
    if (address(_SPM).code.length == 0) revert SpmMissing();
  }

  modifier lock() {
    if (_locked != 0) revert Reentrancy();
    _locked = 1;
    _;
    _locked = 0;
  }

  /* ---------------------------------------- paying ---------------------------------------- */

  /// @inheritdoc IHardcapGuard
  function pay(ISpendPermissionManager.SpendPermission calldata permission, bytes calldata batch)
    external
    lock
  {
    Context memory context = _contextOf(permission);
    _requireAgent(context);
    _pay(context, batch);
  }

  /// @inheritdoc IHardcapGuard
  function payWithSignature(
    ISpendPermissionManager.SpendPermission calldata permission,
    bytes calldata batch,
    bytes calldata agentSignature
  ) external lock {
    Context memory context = _contextOf(permission);
    _requireSigned(context, GuardHash.hashBatch(batch, context.permission), agentSignature);
    _pay(context, batch);
  }

  /// @inheritdoc IHardcapGuard
  function approveAndPay(
    ISpendPermissionManager.SpendPermission calldata permission,
    bytes calldata ownerSignature,
    bytes calldata batch,
    bytes calldata agentSignature
  ) external lock {
    Context memory context = _contextOf(permission);
    if (agentSignature.length == 0) _requireAgent(context);
    else _requireSigned(context, GuardHash.hashBatch(batch, context.permission), agentSignature);
    _approve(permission, context.permission, ownerSignature);
    _pay(context, batch);
  }

  /// @inheritdoc IHardcapGuard
  function fund(ISpendPermissionManager.SpendPermission calldata permission, Funding calldata funding)
    external
    lock
  {
    Context memory context = _contextOf(permission);
    _requireAgent(context);
    _fund(context, funding);
  }

  /// @inheritdoc IHardcapGuard
  function fundWithSignature(
    ISpendPermissionManager.SpendPermission calldata permission,
    Funding calldata funding,
    bytes calldata agentSignature
  ) external lock {
    Context memory context = _contextOf(permission);
    _requireSigned(context, GuardHash.hashFunding(funding, context.permission), agentSignature);
    _fund(context, funding);
  }

  function _requireAgent(Context memory context) private view {
    address agent = context.policy.agent;
    if (msg.sender != agent) revert WrongAgent(agent, msg.sender);
  }

  function _requireSigned(Context memory context, bytes32 structHash, bytes calldata signature) private view {
    address agent = context.policy.agent;
    if (!GuardHash.isSignedBy(agent, _hashTypedData(structHash), signature)) {
      revert InvalidAgentSignature(agent);
    }
  }

  function _pay(Context memory context, bytes calldata batch) private {
    uint256 deadline;
    bytes calldata ticket;
    uint256 first;
    (deadline, context.task, ticket, first) = batch.head();
    (Grant storage grant, uint256 meters) = _open(context, deadline);
    (uint256 amount, address payee) = _usePayments(grant, context, batch, first);
    _charge(grant, meters, context, ticket, amount);

    context.spendCall.send(amount);
    if (payee != address(0)) SafeTransferLib.safeTransfer(context.token, payee, amount);
    else _distribute(context.token, batch, first);
  }

  /// @dev Uses up the numbers of the payments, each of which has to be allowed by itself.
  /// @return sum What they come to.
  /// @return payee Of all of them; zero if there are several.
  function _usePayments(Grant storage grant, Context memory context, bytes calldata batch, uint256 at)
    private
    returns (uint256 sum, address payee)
  {
    if (at == batch.length) revert EmptyBatch();
    mapping(uint256 lane => Slot) storage lanes = grant.numbers[context.policy.agent];
    BatchLib.Entry memory payment;
    address previous;
    do {
      uint256 next = batch.read(at, payment);
      _use(lanes, payment.number);
      _requirePayment(context, payment, previous, batch.proofAt(at));
      _emitPaid(context, payment);
      if (sum == 0) payee = payment.payee;
      else if (payment.payee != payee) payee = address(0);
      unchecked {
        sum += payment.amount;
      }
      previous = payment.payee;
      at = next;
    } while (at != batch.length);
  }

  function _emitPaid(Context memory context, BatchLib.Entry memory payment) private {
    emit Paid(
      context.policy.grantId,
      payment.ref,
      payment.payee,
      context.permission,
      payment.number,
      payment.amount,
      context.task
    );
  }

  /// @dev Payments to one payee in a row leave in one transfer.
  function _distribute(address token, bytes calldata batch, uint256 at) private {
    BatchLib.Entry memory payment;
    address previous;
    uint256 due;
    while (at != batch.length) {
      at = batch.read(at, payment);
      if (payment.payee != previous) {
        if (due != 0) SafeTransferLib.safeTransfer(token, previous, due);
        (previous, due) = (payment.payee, 0);
      }
      unchecked {
        due += payment.amount;
      }
    }
    SafeTransferLib.safeTransfer(token, previous, due);
  }

  function _fund(Context memory context, Funding calldata funding) private {
    Policy memory policy = context.policy;
    context.task = funding.task;
    (Grant storage grant, uint256 meters) = _open(context, funding.deadline);
    _use(grant.numbers[policy.agent], funding.number);
    address purse = _purseOf(context);
    uint256 amount = _amountOf(context, funding.target, purse);
    _charge(grant, meters, context, funding.ticket, amount);
    emit Funded(policy.grantId, funding.ref, purse, context.permission, funding.number, amount, funding.task);

    if (purse.code.length == 0) _deployPurse(context);
    IPurse(purse).noteFunding(context.permission);
    context.spendCall.send(amount);
    SafeTransferLib.safeTransfer(context.token, purse, amount);
  }

  function _deployPurse(Context memory context) private {
    bytes memory arguments =
      _purseArguments(context.account, context.token, context.policy.grantId, context.policy.agent);
    LibClone.cloneDeterministic(_PURSE, arguments, bytes32(0));
  }

  function _use(mapping(uint256 lane => Slot) storage lanes, uint256 number) private {
    Slot storage lane = lanes[number >> 8];
    uint256 bits = lane.value;
    // forge-lint: disable-next-line(incorrect-shift): the bit of the number
    uint256 bit = 1 << (number & 0xff);
    if (bits & bit != 0) revert NumberUsed(number);
    lane.value = bits | bit;
  }

  /// @dev Counts `amount` against every meter that the policy has, or reverts.
  function _charge(
    Grant storage grant,
    uint256 meters,
    Context memory context,
    bytes calldata ticket,
    uint256 amount
  ) private {
    Policy memory policy = context.policy;
    grant.meters = _meter(meters, policy, amount);
    if (policy.window != 0) {
      Slot storage ring = grant.windows[policy.window];
      ring.value = _meterWindow(ring.value, policy, amount);
    }
    if (policy.perTask == _UNLIMITED) {
      _requireNoTicket(ticket);
    } else {
      Slot storage spent = grant.tasks[context.task];
      spent.value = _meterTask(spent.value, context, ticket, amount);
    }
  }

  /* ---------------------------------------- replacing and stopping ---------------------------------------- */

  /// @inheritdoc IHardcapGuard
  function replace(
    ISpendPermissionManager.SpendPermission calldata old,
    ISpendPermissionManager.SpendPermission calldata renewed,
    bytes calldata ownerSignature
  ) external lock {
    if (renewed.spender != address(this)) revert WrongSpender(renewed.spender);
    if (old.spender != address(this)) revert WrongSpender(old.spender);
    Policy memory policy = PolicyLib.decode(renewed.extraData);
    bytes32 oldHash = PermissionHash.hash(old);
    if (policy.replaces != oldHash) revert NotReplacing(policy.replaces, oldHash);

    // What a permission carries reaches no further than its own grant.
    bytes32 oldGrantId = PolicyLib.decode(old.extraData).grantId;
    if (old.account != renewed.account || old.token != renewed.token || oldGrantId != policy.grantId) {
      revert OtherGrant(old.account, old.token, oldGrantId);
    }

    bytes32 hash = PermissionHash.hash(renewed);
    _approve(renewed, hash, ownerSignature);
    _SPM.revokeAsSpender(old);
    emit Replaced(renewed.account, policy.grantId, hash, oldHash);
  }

  function _approve(
    ISpendPermissionManager.SpendPermission calldata permission,
    bytes32 hash,
    bytes calldata ownerSignature
  ) private {
    if (!_SPM.approveWithSignature(permission, ownerSignature)) revert ApprovalRefused(hash);
  }

  /// @inheritdoc IHardcapGuard
  function revoke(ISpendPermissionManager.SpendPermission calldata permission) external {
    if (permission.spender != address(this)) revert WrongSpender(permission.spender);
    Policy memory policy = PolicyLib.decode(permission.extraData);
    if (msg.sender != permission.account && msg.sender != policy.orchestrator && msg.sender != policy.agent) {
      revert Unauthorized(msg.sender);
    }
    revokeGrant(permission.account, permission.token, policy.grantId);
    _SPM.revokeAsSpender(permission);
  }
}
