// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { Policy } from "../../../contracts/Policy.sol";
import { PurseTest } from "./PurseTest.sol";

/// @dev Whole transactions of a facilitator, with warm balances and a proof of three words: only meaningful where
///      every call of a test is a transaction of its own (`forge test --isolate`), so asserted only there.
contract PurseGasTest is PurseTest {
  /// @dev A typical grant has no orchestrator.
  function test_default() public {
    Policy memory policy = _policy();
    policy.orchestrator = address(0);
    vm.prank(account);
    purse.sweep(_permission());
    _approve(_permission(policy));
    _fund(_permission(policy), FLOAT);
    Payment memory p = _payment();
    _mint(p.to, 1);
    bytes memory blob = _blob(p, _permission(policy));
    _settle(p, blob);
    _report("settle", vm.lastCallGas().gasTotalUsed, 125_000);
  }

  function test_args_orchestrator() public {
    Payment memory p = _payment();
    _mint(p.to, 1);
    bytes memory blob = _blob(p);
    _settle(p, blob);
    _report("settle, with an orchestrator", vm.lastCallGas().gasTotalUsed, 125_000);
  }

  function _report(string memory name, uint256 gas, uint256 limit) private {
    emit log_named_uint(name, gas);
    // Without isolation the storage is warm and there is no intrinsic gas.
    if (gas > 100_000) assertLe(gas, limit);
  }
}
