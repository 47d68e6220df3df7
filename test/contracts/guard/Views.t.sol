// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { LibClone } from "solady/utils/LibClone.sol";

import { Batch, BatchLib, Payment } from "../../../contracts/Batch.sol";
import { HardcapGuard } from "../../../contracts/HardcapGuard.sol";
import { IHardcapGuard } from "../../../contracts/interfaces/IHardcapGuard.sol";
import { IPurse } from "../../../contracts/interfaces/IPurse.sol";
import { ISpendPermissionManager } from "../../../contracts/interfaces/ISpendPermissionManager.sol";
import { Policy, PolicyLib } from "../../../contracts/Policy.sol";
import { GuardTest } from "./GuardTest.sol";

/// @dev `remaining`, `used`, `explain`, `isUsed`, `purseOf` and the hashes.
contract ViewsTest is GuardTest {
  function _assertEq(IHardcapGuard.Meters memory actual, IHardcapGuard.Meters memory expected) private pure {
    assertEq(actual.perCall, expected.perCall, "perCall");
    assertEq(actual.perDay, expected.perDay, "perDay");
    assertEq(actual.total, expected.total, "total");
    assertEq(actual.perTask, expected.perTask, "perTask");
    assertEq(actual.perWindow, expected.perWindow, "perWindow");
    assertEq(actual.period, expected.period, "period");
    assertEq(actual.float, expected.float, "float");
  }

  function test_default_untouched() public view {
    ISpendPermissionManager.SpendPermission memory p = _permission(_fullPolicy());
    _assertEq(
      guard.remaining(p, TASK), IHardcapGuard.Meters(PER_CALL, PER_DAY, TOTAL, 50e6, 50e6, ALLOWANCE, 10e6)
    );
    _assertEq(guard.used(p, TASK), IHardcapGuard.Meters(0, 0, 0, 0, 0, 0, 0));
  }

  function test_default() public {
    ISpendPermissionManager.SpendPermission memory p = _approved(_fullPolicy());
    _pay(p, _taskBatch(TASK, 20e6, NUMBER, 3e6));
    IHardcapGuard.Funding memory funding = _funding(NUMBER + 1, 2e6);
    funding.task = keccak256("another task");
    funding.ticket = BatchLib.encode(_ticket(funding.task, 20e6));
    _fund(p, funding);
    _assertEq(guard.used(p, TASK), IHardcapGuard.Meters(0, 5e6, 5e6, 3e6, 5e6, 5e6, 2e6));
    _assertEq(
      guard.remaining(p, TASK), IHardcapGuard.Meters(PER_CALL, 15e6, 95e6, 47e6, 45e6, ALLOWANCE - 5e6, 8e6)
    );
    assertEq(guard.remaining(p, funding.task).perTask, 48e6);

    // The next day: the window still holds, a new period has begun.
    vm.warp(START + 1 days);
    _assertEq(guard.used(p, TASK), IHardcapGuard.Meters(0, 0, 5e6, 3e6, 5e6, 0, 2e6));
    vm.warp(START + 4 days);
    _assertEq(guard.used(p, TASK), IHardcapGuard.Meters(0, 0, 5e6, 3e6, 0, 0, 2e6));
  }

  function test_behavior_unlimited() public {
    ISpendPermissionManager.SpendPermission memory p = _approved(_openPolicy());
    _pay(p, NUMBER, 7);
    _assertEq(
      guard.remaining(p, TASK),
      IHardcapGuard.Meters(
        UNLIMITED, UNLIMITED - 7, UNLIMITED - 7, UNLIMITED, UNLIMITED_WINDOW, ALLOWANCE - 7, 0
      )
    );
  }

  /// @dev Nothing is left under a limit that was lowered below what was spent.
  function test_behavior_loweredLimits() public {
    _pay(_approved(_windowPolicy(100, 60)), NUMBER, 100);
    Policy memory policy = _windowPolicy(50, 60);
    (policy.perDay, policy.total) = (50, 99);
    IHardcapGuard.Meters memory left = guard.remaining(_permission(policy), 0);
    assertEq(left.perDay, 0);
    assertEq(left.total, 0);
    assertEq(left.perWindow, 0);
  }

  function test_behavior_outsideItsDates() public {
    ISpendPermissionManager.SpendPermission memory p = _approved();
    vm.warp(START - 1);
    assertEq(guard.remaining(p, 0).period, 0);
    vm.warp(START);
    assertEq(guard.remaining(p, 0).period, ALLOWANCE);
    vm.warp(END - 1);
    assertEq(guard.remaining(p, 0).period, ALLOWANCE);
    vm.warp(END);
    assertEq(guard.remaining(p, 0).period, 0);
    assertEq(guard.used(p, 0).period, 0);
  }

  /// @dev What is left under each cap can be spent, and not a unit more.
  function test_behavior_remainingCanBeSpent(uint112 first, uint32 gap) public {
    Policy memory policy = _windowPolicy(90, 2 hours);
    (policy.perDay, policy.total) = (100, 150);
    ISpendPermissionManager.SpendPermission memory p = _approved(policy);
    _pay(p, NUMBER, uint112(bound(first, 1, 90)));
    vm.warp(START + bound(gap, 0, 2 days));
    IHardcapGuard.Meters memory left = guard.remaining(p, 0);
    uint256 least = left.perDay < left.total ? left.perDay : left.total;
    if (left.perWindow < least) least = left.perWindow;
    if (least != 0) {
      uint256 snapshot = vm.snapshotState();
      _pay(p, NUMBER + 1, uint112(least));
      vm.revertToState(snapshot);
    }
    bytes memory tooMuch = BatchLib.encode(_batch(NUMBER + 1, uint112(least + 1)));
    assertTrue(guard.check(p, tooMuch) != IHardcapGuard.Reason.Ok);
  }

  function test_error_malformedPolicy() public {
    ISpendPermissionManager.SpendPermission memory p = _permission(_policy());
    p.extraData = "";
    vm.expectRevert(PolicyLib.MalformedPolicy.selector);
    guard.remaining(p, 0);
    vm.expectRevert(PolicyLib.MalformedPolicy.selector);
    guard.used(p, 0);
    vm.expectRevert(PolicyLib.MalformedPolicy.selector);
    guard.explain("");
  }

  function test_explain() public view {
    Policy memory policy = _fullPolicy();
    policy.replaces = keccak256("old");
    assertEq(abi.encode(guard.explain(PolicyLib.encode(policy))), abi.encode(policy));
  }

  function test_purseOf(address account_, address token, bytes32 grantId, address agent_) public view {
    bytes memory arguments = abi.encodePacked(account_, token, grantId, agent_);
    address expected = LibClone.predictDeterministicAddress(
      guard.purseImplementation(), arguments, bytes32(0), address(guard)
    );
    assertEq(guard.purseOf(account_, token, grantId, agent_), expected);
    assertEq(address(IPurse(guard.purseImplementation()).guard()), address(guard));
  }

  /// @dev With the hashes that the tests compute by themselves, on any chain.
  function test_hashes(
    ISpendPermissionManager.SpendPermission memory p,
    IHardcapGuard.Funding memory funding,
    uint64 chainId
  ) public {
    vm.chainId(bound(chainId, 1, type(uint64).max));
    funding.number = bound(funding.number, 0, type(uint256).max - 3);
    assertEq(guard.hashFunding(p, funding), _fundingHash(p, funding));
    Payment[] memory payments = new Payment[](3);
    for (uint256 i; i < 3; ++i) {
      payments[i] = Payment(funding.number + i, funding.ref, p.account, funding.target, new bytes32[](i));
    }
    Batch memory batch = _batch(payments);
    batch.task = funding.task;
    assertEq(guard.hashBatch(p, BatchLib.encode(batch)), _batchHash(p, batch));
    batch.payments = new Payment[](0);
    assertEq(guard.hashBatch(p, BatchLib.encode(batch)), _batchHash(p, batch));
    assertEq(
      guard.hashTicket(account, TOKEN, funding.ref, funding.task, funding.target, funding.deadline),
      _ticketHash(account, funding.ref, funding.task, funding.target, funding.deadline)
    );
  }

  /// @dev Nothing works without SPM, so the guard does not come into being where it is not.
  function test_error_spmMissing() public {
    vm.etch(address(SPM), "");
    vm.expectRevert(IHardcapGuard.SpmMissing.selector);
    new HardcapGuard();
  }
}
