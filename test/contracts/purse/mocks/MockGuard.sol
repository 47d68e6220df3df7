// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { LibClone } from "solady/utils/LibClone.sol";

import { IPurse } from "../../../../contracts/interfaces/IPurse.sol";
import { ISpendPermissionManager } from "../../../../contracts/interfaces/ISpendPermissionManager.sol";
import { Purse } from "../../../../contracts/Purse.sol";

/// @dev A guard that checks nothing, so that a purse can be brought to where the real one never would.
contract MockGuard {
  address public immutable purseImplementation = address(new Purse());

  bool private _paused;
  bool private _revoked;

  function deploy(address account, address token, bytes32 grantId, address agent) external returns (Purse) {
    bytes memory arguments = abi.encodePacked(account, token, grantId, agent);
    return Purse(LibClone.cloneDeterministic(purseImplementation, arguments, 0));
  }

  function note(IPurse purse, bytes32 permission) external {
    purse.noteFunding(permission);
  }

  function stop(bool paused, bool revoked) external {
    (_paused, _revoked) = (paused, revoked);
  }

  function stops(address, address, bytes32, address, address) external view returns (bool, bool) {
    return (_paused, _revoked);
  }

  function revokeWithSpm(
    ISpendPermissionManager spm,
    ISpendPermissionManager.SpendPermission calldata permission
  ) external {
    spm.revokeAsSpender(permission);
  }
}
