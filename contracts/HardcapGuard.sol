// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { LibClone } from "solady/utils/LibClone.sol";
import { SafeTransferLib } from "solady/utils/SafeTransferLib.sol";

import { GuardHash } from "./GuardHash.sol";
import { GuardState } from "./GuardState.sol";
import { GuardViews } from "./GuardViews.sol";
import { IHardcapGuard } from "./interfaces/IHardcapGuard.sol";
import { IPurse } from "./interfaces/IPurse.sol";
import { ISpendPermissionManager } from "./interfaces/ISpendPermissionManager.sol";
import { PermissionHash } from "./PermissionHash.sol";
import { Policy, PolicyLib } from "./Policy.sol";
import { Purse } from "./Purse.sol";

/// @title HardcapGuard
/// @notice See `IHardcapGuard`.
/// @dev Who may ask is decided here; what may be paid, and from which meters, in `GuardPlan`.
/// @dev Money comes by `SPM.spend`, which asks for an approved, live permission of this
///      guard, and leaves in the same call, to the last unit. In between, code of the account and of its token runs;
///      by then everything is written down, and the lock keeps it from paying through the guard a second time.
contract HardcapGuard is GuardViews {
  using GuardHash for Batch;
  using GuardHash for Funding;
  using PermissionHash for ISpendPermissionManager.SpendPermission;

  bool private transient _locked;

  constructor() GuardState(address(new Purse())) {
    // Nowhere below is a call to SPM asked whether there was code to answer it.
    if (address(_SPM).code.length == 0) revert SpmMissing();
  }

  modifier lock() {
    if (_locked) revert Reentrancy();
    _locked = true;
    _;
    _locked = false;
  }

  /* ---------------------------------------- paying ---------------------------------------- */

  /// @inheritdoc IHardcapGuard
  function pay(ISpendPermissionManager.SpendPermission calldata permission, Batch calldata batch)
    external
    lock
  {
    Policy memory policy = PolicyLib.decode(permission.extraData);
    _requireAgent(policy);
    _pay(permission, permission.hash(), policy, batch);
  }

  /// @inheritdoc IHardcapGuard
  function payWithSignature(
    ISpendPermissionManager.SpendPermission calldata permission,
    Batch calldata batch,
    bytes calldata agentSignature
  ) external lock {
    _paySigned(permission, batch, agentSignature);
  }

  /// @inheritdoc IHardcapGuard
  function approveAndPay(
    ISpendPermissionManager.SpendPermission calldata permission,
    bytes calldata ownerSignature,
    Batch calldata batch,
    bytes calldata agentSignature
  ) external lock {
    _approve(permission, permission.hash(), ownerSignature);
    if (agentSignature.length != 0) return _paySigned(permission, batch, agentSignature);
    Policy memory policy = PolicyLib.decode(permission.extraData);
    _requireAgent(policy);
    _pay(permission, permission.hash(), policy, batch);
  }

  /// @inheritdoc IHardcapGuard
  function fund(ISpendPermissionManager.SpendPermission calldata permission, Funding calldata funding)
    external
    lock
  {
    Policy memory policy = PolicyLib.decode(permission.extraData);
    _requireAgent(policy);
    _fund(permission, permission.hash(), policy, funding);
  }

  /// @inheritdoc IHardcapGuard
  function fundWithSignature(
    ISpendPermissionManager.SpendPermission calldata permission,
    Funding calldata funding,
    bytes calldata agentSignature
  ) external lock {
    Policy memory policy = PolicyLib.decode(permission.extraData);
    bytes32 hash = permission.hash();
    _requireSigned(policy, _hashTypedData(funding.hash(hash)), agentSignature);
    _fund(permission, hash, policy, funding);
  }

  function _paySigned(
    ISpendPermissionManager.SpendPermission calldata permission,
    Batch calldata batch,
    bytes calldata agentSignature
  ) private {
    Policy memory policy = PolicyLib.decode(permission.extraData);
    bytes32 hash = permission.hash();
    _requireSigned(policy, _hashTypedData(batch.hash(hash)), agentSignature);
    _pay(permission, hash, policy, batch);
  }

  function _requireAgent(Policy memory policy) private view {
    if (msg.sender != policy.agent) revert WrongAgent(policy.agent, msg.sender);
  }

  function _requireSigned(Policy memory policy, bytes32 digest, bytes calldata signature) private view {
    if (!GuardHash.isSignedBy(policy.agent, digest, signature)) revert InvalidAgentSignature(policy.agent);
  }

  function _pay(
    ISpendPermissionManager.SpendPermission calldata permission,
    bytes32 hash,
    Policy memory policy,
    Batch calldata batch
  ) private {
    Plan memory plan = _planBatch(permission, policy, batch);
    _commit(plan, policy, batch.task);
    _spend(permission, plan.amount);

    // Payments to one payee in a row leave in one transfer.
    uint256 due;
    for (uint256 i; i < batch.payments.length; ++i) {
      Payment calldata payment = batch.payments[i];
      emit Paid(policy.grantId, payment.ref, payment.payee, hash, payment.number, payment.amount, batch.task);
      due += payment.amount;
      if (i + 1 == batch.payments.length || batch.payments[i + 1].payee != payment.payee) {
        SafeTransferLib.safeTransfer(permission.token, payment.payee, due);
        due = 0;
      }
    }
  }

  function _fund(
    ISpendPermissionManager.SpendPermission calldata permission,
    bytes32 hash,
    Policy memory policy,
    Funding calldata funding
  ) private {
    address purse = purseOf(permission.account, permission.token, policy.grantId, policy.agent);
    Plan memory plan = _planFunding(permission, policy, funding, purse);
    _commit(plan, policy, funding.task);
    if (purse.code.length == 0) {
      bytes memory arguments =
        _purseArguments(permission.account, permission.token, policy.grantId, policy.agent);
      LibClone.cloneDeterministic(_PURSE, arguments, bytes32(0));
    }
    IPurse(purse).noteFunding(hash);
    emit Funded(policy.grantId, funding.ref, purse, hash, funding.number, plan.amount, funding.task);

    _spend(permission, plan.amount);
    SafeTransferLib.safeTransfer(permission.token, purse, plan.amount);
  }

  /// @dev `SPM.spend(permission, value)`, with the fields copied as they came instead of each read and checked, which
  ///      SPM does anyway. Reverts as SPM does.
  function _spend(ISpendPermissionManager.SpendPermission calldata permission, uint256 value) private {
    address spm = address(_SPM);
    bytes4 selector = ISpendPermissionManager.spend.selector;
    bytes calldata extraData = permission.extraData;
    assembly ("memory-safe") {
      let m := mload(0x40)
      mstore(m, selector)
      mstore(add(m, 0x04), 0x40) // where the permission starts
      mstore(add(m, 0x24), value)
      calldatacopy(add(m, 0x44), permission, 0x100) // account, ..., salt: eight words
      mstore(add(m, 0x144), 0x120) // where its extraData starts
      mstore(add(m, 0x164), extraData.length)
      calldatacopy(add(m, 0x184), extraData.offset, extraData.length)
      if iszero(call(gas(), spm, 0, m, add(0x184, extraData.length), 0, 0)) {
        returndatacopy(m, 0, returndatasize())
        revert(m, returndatasize())
      }
    }
  }

  /* ---------------------------------------- replacing and stopping ---------------------------------------- */

  /// @inheritdoc IHardcapGuard
  function replace(
    ISpendPermissionManager.SpendPermission calldata old,
    ISpendPermissionManager.SpendPermission calldata renewed,
    bytes calldata ownerSignature
  ) external lock {
    if (old.account != renewed.account) revert MismatchedAccounts(renewed.account, old.account);
    if (renewed.spender != address(this)) revert WrongSpender(renewed.spender);
    if (old.spender != address(this)) revert WrongSpender(old.spender);

    Policy memory policy = PolicyLib.decode(renewed.extraData);
    bytes32 oldHash = old.hash();
    if (policy.replaces != oldHash) revert NotReplacing(policy.replaces, oldHash);

    bytes32 hash = renewed.hash();
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
