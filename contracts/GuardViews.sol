// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { IERC20 } from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

import { GuardHash } from "./GuardHash.sol";
import { GuardPlan } from "./GuardPlan.sol";
import { GuardReason } from "./GuardReason.sol";
import { IHardcapGuard } from "./interfaces/IHardcapGuard.sol";
import { ISpendPermissionManager } from "./interfaces/ISpendPermissionManager.sol";
import { PermissionHash } from "./PermissionHash.sol";
import { Policy, PolicyLib } from "./Policy.sol";
import { TrailingWindow } from "./TrailingWindow.sol";

/// @title GuardViews
/// @notice What can be asked of the guard, apart from what its storage says directly.
abstract contract GuardViews is GuardPlan {
  using GuardHash for Batch;
  using GuardHash for Funding;
  using PermissionHash for ISpendPermissionManager.SpendPermission;

  ISpendPermissionManager internal constant _SPM = PermissionHash.SPM;

  /* ---------------------------------------- views ---------------------------------------- */

  /// @inheritdoc IHardcapGuard
  function check(ISpendPermissionManager.SpendPermission calldata, Batch calldata)
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
  function simulate(ISpendPermissionManager.SpendPermission calldata permission, Batch calldata batch)
    external
    view
  {
    Policy memory policy = PolicyLib.decode(permission.extraData);
    _requireSpendable(permission, _planBatch(permission, policy, batch).amount);
  }

  /// @inheritdoc IHardcapGuard
  function simulateFunding(
    ISpendPermissionManager.SpendPermission calldata permission,
    Funding calldata funding
  ) external view {
    Policy memory policy = PolicyLib.decode(permission.extraData);
    address purse = purseOf(permission.account, permission.token, policy.grantId, policy.agent);
    _requireSpendable(permission, _planFunding(permission, policy, funding, purse).amount);
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
    Policy memory policy = PolicyLib.decode(permission.extraData);
    Meters memory spent = _used(permission, policy, task);
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
    return _used(permission, PolicyLib.decode(permission.extraData), task);
  }

  function _used(
    ISpendPermissionManager.SpendPermission calldata permission,
    Policy memory policy,
    bytes32 task
  ) private view returns (Meters memory spent) {
    bytes32 grant = _grantOf(permission.account, permission.token, policy.grantId);
    (spent.total, spent.perDay) = _spentOf(_grants[grant]);
    spent.perTask = _tasks[grant][task];
    if (policy.window != 0) {
      spent.perWindow = TrailingWindow.used(_windows[grant][policy.window], block.timestamp, policy.window);
    }
    if (block.timestamp >= permission.start && block.timestamp < permission.end) {
      spent.period = _SPM.getCurrentPeriod(permission).spend;
    }
    spent.float = IERC20(permission.token)
      .balanceOf(purseOf(permission.account, permission.token, policy.grantId, policy.agent));
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
  function hashBatch(ISpendPermissionManager.SpendPermission calldata permission, Batch calldata batch)
    external
    view
    returns (bytes32)
  {
    return _hashTypedData(batch.hash(permission.hash()));
  }

  /// @inheritdoc IHardcapGuard
  function hashFunding(ISpendPermissionManager.SpendPermission calldata permission, Funding calldata funding)
    external
    view
    returns (bytes32)
  {
    return _hashTypedData(funding.hash(permission.hash()));
  }
}
