// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { PurseTest } from "./PurseTest.sol";

/// @dev `isValidSignature` of a payment that would be right, if nobody had stopped it.
contract PurseStoppedTest is PurseTest {
  Payment private _p;

  function setUp() public override {
    super.setUp();
    _p = _payment();
    _p.validBefore = END + 100;
  }

  /* ---------------------------------------- pause ---------------------------------------- */

  function test_behavior_pausedByTheAccount() public {
    _pauseAndResume(account);
  }

  function test_behavior_pausedByTheOrchestrator() public {
    _pauseAndResume(orchestrator);
  }

  function test_behavior_pausedByBoth() public {
    _pause(account);
    _pause(orchestrator);
    vm.prank(account);
    guard.resume(account, address(USDC), GRANT);
    _refuses(_p);
    vm.prank(orchestrator);
    guard.resume(account, address(USDC), GRANT);
    _pays(_p);
  }

  function test_behavior_pausedByAnybodyElse() public {
    _pause(agent);
    _pause(stranger);
    _pause(facilitator);
    _pays(_p);
  }

  function test_behavior_anotherGrantPaused() public {
    vm.startPrank(account);
    guard.pause(account, address(USDC), "another grant");
    guard.pause(account, stranger, GRANT);
    guard.pause(stranger, address(USDC), GRANT);
    vm.stopPrank();
    _pays(_p);
  }

  /* ---------------------------------------- revoke ---------------------------------------- */

  function test_behavior_revokedAtTheGuard() public {
    address[3] memory revokers = [account, orchestrator, agent];
    uint256 snapshot = vm.snapshotState();
    for (uint256 i; i < revokers.length; ++i) {
      vm.prank(revokers[i]);
      guard.revoke(_permission());
      _refuses(_p);
      vm.revertToState(snapshot);
    }
    _pays(_p);
  }

  function test_behavior_grantRevokedAtTheGuard() public {
    address[3] memory revokers = [account, orchestrator, agent];
    uint256 snapshot = vm.snapshotState();
    for (uint256 i; i < revokers.length; ++i) {
      _revokeGrant(revokers[i]);
      assertFalse(SPM.isRevoked(_permission()));
      _refuses(_p);
      vm.revertToState(snapshot);
    }
    _pays(_p);
  }

  function test_behavior_grantRevokedByAnybodyElse() public {
    _revokeGrant(stranger);
    _revokeGrant(owner);
    _pays(_p);
  }

  /// @dev Without a word to the guard, as a wallet's own page does it.
  function test_behavior_revokedAtSpm() public {
    vm.prank(account);
    SPM.revoke(_permission());
    _refuses(_p);
  }

  function test_behavior_revokeCannotBeTakenBack() public {
    _revokeGrant(account);
    vm.prank(account);
    guard.resume(account, address(USDC), GRANT);
    _refuses(_p);
  }

  /* ---------------------------------------- time ---------------------------------------- */

  function test_behavior_ended(uint48 time) public {
    vm.warp(END);
    _refuses(_p);
    time = uint48(bound(time, END, type(uint48).max - 1));
    vm.warp(time);
    _p.validBefore = type(uint48).max;
    _refuses(_p);
  }

  /* ---------------------------------------- at the guard ---------------------------------------- */

  function _pause(address by) private {
    vm.prank(by);
    guard.pause(account, address(USDC), GRANT);
  }

  function _pauseAndResume(address by) private {
    _pause(by);
    _refuses(_p);
    vm.prank(by);
    guard.resume(account, address(USDC), GRANT);
    _pays(_p);
  }

  function _revokeGrant(address by) private {
    vm.prank(by);
    guard.revokeGrant(account, address(USDC), GRANT);
  }
}
