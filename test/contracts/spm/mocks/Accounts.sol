// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { ISpendPermissionManager } from "../../../../contracts/interfaces/ISpendPermissionManager.sol";

/// @dev Says yes to SPM and does nothing.
contract IdleAccount {
  function execute(address, uint256, bytes calldata) external payable { }

  receive() external payable { }
}

/// @dev Sends another amount of native token than it was asked for.
contract WrongAmountAccount {
  uint256 public amount;

  constructor(uint256 amount_) payable {
    amount = amount_;
  }

  function execute(address target, uint256, bytes calldata) external payable {
    (bool ok, bytes memory answer) = target.call{ value: amount }("");
    if (!ok) {
      assembly ("memory-safe") {
        revert(add(answer, 0x20), mload(answer))
      }
    }
  }
}

/// @dev Does what it is asked, and before that calls back, once.
contract ReentrantAccount {
  address private _target;
  bytes private _data;
  bool public reentered;
  bytes public answer;

  receive() external payable { }

  function setCallback(address target, bytes calldata data) external {
    (_target, _data) = (target, data);
  }

  function execute(address target, uint256 value, bytes calldata data) external payable {
    if (_target != address(0)) {
      address callback = _target;
      _target = address(0);
      (reentered, answer) = callback.call(_data);
    }
    (bool ok,) = target.call{ value: value }(data);
    require(ok, "execute failed");
  }
}

/// @dev A spender that is a contract.
contract SpenderContract {
  ISpendPermissionManager private immutable _spm;

  constructor(ISpendPermissionManager spm) {
    _spm = spm;
  }

  receive() external payable { }

  function spend(ISpendPermissionManager.SpendPermission calldata p, uint160 value) external {
    _spm.spend(p, value);
  }
}

/// @dev Signs for anything, but only once somebody has prepared it.
contract PreparableAccount {
  bool public prepared;
  bytes32 private immutable _accepted;

  constructor(bytes memory accepted) {
    _accepted = keccak256(accepted);
  }

  function prepare() external {
    prepared = true;
  }

  function isValidSignature(bytes32, bytes calldata signature) external view returns (bytes4) {
    return prepared && keccak256(signature) == _accepted ? this.isValidSignature.selector : bytes4(0);
  }
}
