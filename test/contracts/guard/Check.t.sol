// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { Batch, BatchLib, Payment } from "../../../contracts/Batch.sol";
import { GuardReason } from "../../../contracts/GuardReason.sol";
import { IHardcapGuard } from "../../../contracts/interfaces/IHardcapGuard.sol";
import { ISpendPermissionManager } from "../../../contracts/interfaces/ISpendPermissionManager.sol";
import { ANY_PAYEE, Policy } from "../../../contracts/Policy.sol";
import { GuardTest } from "./GuardTest.sol";

/// @dev `check` is `Ok` exactly when `pay` succeeds, and otherwise names `pay`'s error; `simulate` reverts with it.
contract CheckTest is GuardTest {
  uint256 private nonce;
  uint256 private seed;

  /// @dev Small numbers, so that caps are met, and met exactly.
  function _draw(uint256 below) private returns (uint256) {
    return uint256(keccak256(abi.encode(seed, ++nonce))) % below;
  }

  function _chance(uint256 oneIn) private returns (bool) {
    return _draw(oneIn) == 0;
  }

  function _limit() private returns (uint112) {
    return _chance(3) ? UNLIMITED : uint112(_draw(40));
  }

  function _randomPolicy() private returns (Policy memory policy) {
    policy = _policy();
    (policy.perCall, policy.perDay, policy.total) = (_limit(), _limit(), _limit());
    if (_chance(2)) policy.orchestrator = orchestrator;
    if (policy.orchestrator != address(0) && _chance(2)) policy.perTask = _limit();
    if (_chance(2)) (policy.perWindow, policy.window) = (uint48(_draw(40)), uint32(_draw(7200) + 1));
    if (_chance(2)) policy.maxFloat = uint112(_draw(40));
    if (_chance(3)) policy.payees = ANY_PAYEE;
  }

  function _randomPermission() private returns (ISpendPermissionManager.SpendPermission memory p) {
    p = _permission(_randomPolicy());
    p.allowance = uint160(_draw(60) + 1);
    p.period = uint48(_draw(10_000) + 1);
    p.start = START + uint48(_draw(1000));
    p.end = p.start + uint48(_draw(100_000) + 1);
    if (_chance(30)) p.spender = stranger;
    if (_chance(30)) p.extraData[_draw(p.extraData.length)] ^= 0x01;
    if (!_chance(20)) _approve(p);
  }

  function _randomBatch() private returns (Batch memory batch) {
    batch = _batch(new Payment[](_draw(4)));
    if (_chance(20)) batch.deadline = uint48(block.timestamp);
    for (uint256 i; i < batch.payments.length; ++i) {
      batch.payments[i] = _paymentTo(_draw(2), NUMBER + _draw(40), uint112(_draw(12)));
      if (i != 0 && _chance(2)) batch.payments[i].proof = new bytes32[](0);
      if (_chance(20)) batch.payments[i].payee = [address(0), TOKEN, address(guard), stranger][_draw(4)];
      if (_chance(30)) batch.payments[i].payee = guard.purseOf(account, TOKEN, GRANT_ID, agent);
    }
    if (_chance(2)) batch.task = keccak256(abi.encode("task", _draw(2)));
    if (_chance(2)) {
      batch.ticket = _ticketUntil(batch.task, uint112(_draw(40)), uint48(block.timestamp + _draw(10)));
      if (_chance(10)) batch.ticket.signature[10] ^= 0x01;
    }
  }

  function _randomFunding() private returns (IHardcapGuard.Funding memory funding) {
    funding = _funding(NUMBER + _draw(40), uint112(_draw(30)));
    Batch memory batch = _randomBatch();
    (funding.deadline, funding.task) = (batch.deadline, batch.task);
    funding.ticket = BatchLib.encode(batch.ticket);
  }

  function _stopOrGo() private {
    address by = [account, orchestrator, agent, stranger][_draw(4)];
    vm.startPrank(by);
    uint256 what = _draw(30);
    if (what < 3) guard.pause(account, TOKEN, GRANT_ID);
    else if (what < 29) guard.resume(account, TOKEN, GRANT_ID);
    else if (_chance(3)) guard.revokeGrant(account, TOKEN, GRANT_ID);
    vm.stopPrank();
  }

  /// @dev Permissions of one grant, payments, fundings, stops and time, in any order.
  function test_behavior_agreesWithPay(uint256 seed_) public {
    seed = seed_;
    ISpendPermissionManager.SpendPermission[3] memory siblings;
    for (uint256 i; i < 3; ++i) {
      siblings[i] = _randomPermission();
    }
    for (uint256 i; i < 25; ++i) {
      vm.warp(block.timestamp + _draw(_chance(5) ? 50_000 : 2000));
      if (_chance(5)) _stopOrGo();
      ISpendPermissionManager.SpendPermission memory p = siblings[_draw(3)];
      if (_chance(4)) _compareFunding(p, _randomFunding());
      else _comparePayment(p, BatchLib.encode(_randomBatch()));
    }
  }

  function _comparePayment(ISpendPermissionManager.SpendPermission memory p, bytes memory batch) private {
    if (_chance(40)) batch[_draw(batch.length)] ^= 0x01;
    IHardcapGuard.Reason reason = guard.check(p, batch);
    (bool simulated, bytes memory simulationError) =
      address(guard).call(abi.encodeCall(guard.simulate, (p, batch)));
    vm.prank(agent);
    (bool paid, bytes memory error) = address(guard).call(abi.encodeCall(guard.pay, (p, batch)));
    // What pay alone looks at.
    if (bytes4(error) == IHardcapGuard.WrongAgent.selector) return;
    _assertAgree(reason, simulated, simulationError, paid, error);
  }

  function _compareFunding(
    ISpendPermissionManager.SpendPermission memory p,
    IHardcapGuard.Funding memory funding
  ) private {
    IHardcapGuard.Reason reason = guard.checkFunding(p, funding);
    (bool simulated, bytes memory simulationError) =
      address(guard).call(abi.encodeCall(guard.simulateFunding, (p, funding)));
    vm.prank(agent);
    (bool paid, bytes memory error) = address(guard).call(abi.encodeCall(guard.fund, (p, funding)));
    if (bytes4(error) == IHardcapGuard.WrongAgent.selector) return;
    _assertAgree(reason, simulated, simulationError, paid, error);
  }

  function _assertAgree(
    IHardcapGuard.Reason reason,
    bool simulated,
    bytes memory simulationError,
    bool paid,
    bytes memory error
  ) private view {
    assertEq(simulated, paid, "simulate");
    assertEq(simulationError, error, "error");
    if (paid) assertEq(uint256(reason), uint256(IHardcapGuard.Reason.Ok), "ok");
    else assertEq(uint256(reason), uint256(GuardReason.fromError(error)), "reason");
    assertTrue(reason != IHardcapGuard.Reason.Other, "other");
    assertEq(USDC.balanceOf(address(guard)), 1, "dust");
  }

  /* ---------------------------------------- what is not listed ---------------------------------------- */

  function test_error_other() public pure {
    assertEq(uint256(GuardReason.fromError("")), uint256(IHardcapGuard.Reason.Other));
    assertEq(uint256(GuardReason.fromError(hex"01")), uint256(IHardcapGuard.Reason.Other));
    assertEq(
      uint256(GuardReason.fromError(abi.encodeWithSelector(IHardcapGuard.Reentrancy.selector))),
      uint256(IHardcapGuard.Reason.Other)
    );
    assertEq(
      uint256(
        GuardReason.fromError(abi.encodeWithSelector(ISpendPermissionManager.SpendValueOverflow.selector, 1))
      ),
      uint256(IHardcapGuard.Reason.OverAllowance)
    );
  }

  /// @dev A balance that cannot be read, of a purse that is there.
  function test_error_other_token() public {
    ISpendPermissionManager.SpendPermission memory p = _approved(_fundPolicy(10));
    _fund(p, _funding(NUMBER, 5));
    vm.mockCallRevert(TOKEN, abi.encodeWithSignature("balanceOf(address)"), "broken");
    assertEq(uint256(guard.checkFunding(p, _funding(NUMBER + 1, 6))), uint256(IHardcapGuard.Reason.Other));
  }

  /// @dev As SPM: the sum of a period does not leave its type, whatever the allowance.
  function test_error_overflow() public {
    ISpendPermissionManager.SpendPermission memory p = _permission(_openPolicy());
    p.allowance = type(uint160).max;
    _approve(p);
    vm.mockCall(
      address(SPM),
      abi.encodeCall(SPM.getCurrentPeriod, (p)),
      abi.encode(ISpendPermissionManager.PeriodSpend(START, END, type(uint160).max))
    );
    bytes memory batch = BatchLib.encode(_batch(NUMBER, 1));
    assertEq(uint256(guard.check(p, batch)), uint256(IHardcapGuard.Reason.OverAllowance));
    vm.expectRevert(
      abi.encodeWithSelector(
        ISpendPermissionManager.SpendValueOverflow.selector, uint256(type(uint160).max) + 1
      )
    );
    guard.simulate(p, batch);
  }
}
