// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { BatchLib } from "../../../contracts/Batch.sol";
import { IHardcapGuard } from "../../../contracts/interfaces/IHardcapGuard.sol";
import { IPurse } from "../../../contracts/interfaces/IPurse.sol";
import { ISpendPermissionManager } from "../../../contracts/interfaces/ISpendPermissionManager.sol";
import { Policy } from "../../../contracts/Policy.sol";
import { TrailingWindow } from "../../../contracts/TrailingWindow.sol";
import { GuardTest } from "./GuardTest.sol";

/// @dev `fund` and `fundWithSignature`.
contract FundTest is GuardTest {
  uint112 private constant MAX_FLOAT = 10e6;

  address private purse;

  function setUp() public override {
    super.setUp();
    purse = guard.purseOf(account, TOKEN, GRANT_ID, agent);
  }

  function _fundable() private returns (ISpendPermissionManager.SpendPermission memory) {
    return _approved(_fundPolicy(MAX_FLOAT));
  }

  function _expectFunded(
    ISpendPermissionManager.SpendPermission memory p,
    uint256 number,
    uint256 amount,
    bytes32 task
  ) private {
    vm.expectEmit(address(guard));
    emit IHardcapGuard.Funded(GRANT_ID, _ref(number), purse, SPM.getHash(p), number, amount, task);
  }

  function test_default() public {
    ISpendPermissionManager.SpendPermission memory p = _fundable();
    assertEq(purse.code.length, 0);
    _expectFunded(p, NUMBER, 2e6, 0);
    _fund(p, _funding(NUMBER, 2e6));
    assertEq(USDC.balanceOf(purse), 2e6);
    assertEq(IPurse(purse).fundedBy(), SPM.getHash(p));
    assertEq(IPurse(purse).account(), account);
    assertEq(IPurse(purse).token(), TOKEN);
    assertEq(IPurse(purse).grantId(), GRANT_ID);
    assertEq(IPurse(purse).agent(), agent);
    assertEq(guard.used(p, 0).total, 2e6);
    assertTrue(guard.isUsed(account, TOKEN, GRANT_ID, agent, NUMBER));
  }

  /// @dev A target: only what is missing is taken, and metered.
  function test_behavior_target() public {
    ISpendPermissionManager.SpendPermission memory p = _fundable();
    _fund(p, _funding(NUMBER, 2e6));
    _mint(purse, 1e6);
    _expectFunded(p, NUMBER + 1, 1e6, 0);
    _fund(p, _funding(NUMBER + 1, 4e6));
    assertEq(USDC.balanceOf(purse), 4e6);
    assertEq(guard.used(p, 0).total, 3e6);
  }

  function test_behavior_maxFloat(uint112 maxFloat, uint112 donation) public {
    maxFloat = uint112(bound(maxFloat, 2, PER_DAY));
    donation = uint112(bound(donation, 1, maxFloat - 1));
    ISpendPermissionManager.SpendPermission memory p = _approved(_fundPolicy(maxFloat));
    _expectRefused(
      p,
      _funding(NUMBER, maxFloat + 1),
      IHardcapGuard.Reason.OverFloat,
      abi.encodeWithSelector(IHardcapGuard.OverFloat.selector, maxFloat + 1, maxFloat)
    );
    _fund(p, _funding(NUMBER, 1));
    if (donation > 1) _mint(purse, donation - 1);
    _fund(p, _funding(NUMBER + 1, maxFloat));
    assertEq(USDC.balanceOf(purse), maxFloat);
    _expectNothing(p, _funding(NUMBER + 2, maxFloat), maxFloat);
  }

  function _expectNothing(
    ISpendPermissionManager.SpendPermission memory p,
    IHardcapGuard.Funding memory funding,
    uint256 balance
  ) private {
    _expectRefused(
      p,
      funding,
      IHardcapGuard.Reason.NothingToFund,
      abi.encodeWithSelector(IHardcapGuard.NothingToFund.selector, balance, funding.target)
    );
  }

  function test_error_noPurse() public {
    ISpendPermissionManager.SpendPermission memory p = _approved();
    _expectRefused(
      p,
      _funding(NUMBER, 1),
      IHardcapGuard.Reason.OverFloat,
      abi.encodeWithSelector(IHardcapGuard.OverFloat.selector, 1, 0)
    );
    _expectNothing(p, _funding(NUMBER, 0), 0);
  }

  /// @dev maxFloat stands in place of perCall, so more than perCall can be funded at once.
  function test_behavior_abovePerCall() public {
    ISpendPermissionManager.SpendPermission memory p = _fundable();
    assertGt(MAX_FLOAT, PER_CALL);
    _fund(p, _funding(NUMBER, MAX_FLOAT));
  }

  /* ---------------------------------------- the meters of any payment ---------------------------------------- */

  function test_behavior_dayAndTotal() public {
    Policy memory policy = _fundPolicy(MAX_FLOAT);
    policy.perDay = 100;
    policy.total = 150;
    ISpendPermissionManager.SpendPermission memory p = _approved(policy);
    _pay(p, NUMBER, 60);
    _expectRefused(
      p,
      _funding(NUMBER + 1, 41),
      IHardcapGuard.Reason.OverDay,
      abi.encodeWithSelector(IHardcapGuard.OverDay.selector, 41, 60, 100)
    );
    _fund(p, _funding(NUMBER + 1, 40));
    vm.warp(START + 1 days);
    _expectRefused(
      p,
      _funding(NUMBER + 2, 91),
      IHardcapGuard.Reason.OverTotal,
      abi.encodeWithSelector(IHardcapGuard.OverTotal.selector, 51, 100, 150)
    );
    _fund(p, _funding(NUMBER + 2, 90));
    _expectOverTotal(p, 1, 150, 150);
  }

  function test_behavior_windowAndTask() public {
    Policy memory policy = _fullPolicy();
    (policy.perWindow, policy.perTask) = (100, 80);
    ISpendPermissionManager.SpendPermission memory p = _approved(policy);
    IHardcapGuard.Funding memory funding = _funding(NUMBER, 81);
    funding.task = TASK;
    funding.ticket = BatchLib.encode(_ticket(TASK, 1000));
    _expectRefused(
      p,
      funding,
      IHardcapGuard.Reason.OverTask,
      abi.encodeWithSelector(IHardcapGuard.OverTask.selector, 81, 0, 80)
    );
    funding.target = 101;
    _expectRefused(
      p,
      funding,
      IHardcapGuard.Reason.OverWindow,
      abi.encodeWithSelector(TrailingWindow.OverWindow.selector, 101, 0, 100)
    );
    funding.target = 80;
    _expectFunded(p, NUMBER, 80, TASK);
    _fund(p, funding);
    assertEq(guard.used(p, TASK).perTask, 80);
    assertEq(guard.used(p, TASK).perWindow, 80);
  }

  function test_error_tickets() public {
    ISpendPermissionManager.SpendPermission memory p = _approved(_fullPolicy());
    IHardcapGuard.Funding memory funding = _funding(NUMBER, 1);
    _expectRefused(
      p, funding, IHardcapGuard.Reason.TaskMissing, abi.encodeWithSelector(IHardcapGuard.TaskMissing.selector)
    );
    funding.task = TASK;
    _expectRefused(
      p,
      funding,
      IHardcapGuard.Reason.TicketMissing,
      abi.encodeWithSelector(IHardcapGuard.TicketMissing.selector)
    );
    funding.ticket = new bytes(20);
    _expectRefused(
      p,
      funding,
      IHardcapGuard.Reason.TicketMissing,
      abi.encodeWithSelector(IHardcapGuard.TicketMissing.selector)
    );
    p = _fundable();
    _expectRefused(
      p,
      funding,
      IHardcapGuard.Reason.TicketUnexpected,
      abi.encodeWithSelector(IHardcapGuard.TicketUnexpected.selector)
    );
  }

  /// @dev Payments and fundings share their numbers.
  function test_error_numberUsed() public {
    ISpendPermissionManager.SpendPermission memory p = _fundable();
    _pay(p, NUMBER, 1);
    bytes memory error = abi.encodeWithSelector(IHardcapGuard.NumberUsed.selector, NUMBER);
    _expectRefused(p, _funding(NUMBER, 2), IHardcapGuard.Reason.NumberUsed, error);
    _fund(p, _funding(NUMBER + 1, 2));
    error = abi.encodeWithSelector(IHardcapGuard.NumberUsed.selector, NUMBER + 1);
    _expectRefused(p, _batch(NUMBER + 1, 1), IHardcapGuard.Reason.NumberUsed, error);
    // A retry of what was done says so, rather than that nothing is left to do.
    _expectRefused(p, _funding(NUMBER + 1, 2), IHardcapGuard.Reason.NumberUsed, error);
  }

  function test_error_deadlinePassed() public {
    ISpendPermissionManager.SpendPermission memory p = _fundable();
    IHardcapGuard.Funding memory funding = _funding(NUMBER, 1);
    vm.warp(funding.deadline);
    _expectRefused(
      p,
      funding,
      IHardcapGuard.Reason.DeadlinePassed,
      abi.encodeWithSelector(IHardcapGuard.DeadlinePassed.selector, funding.deadline, funding.deadline)
    );
    vm.warp(funding.deadline - 1);
    _fund(p, funding);
  }

  function test_error_notApproved() public {
    ISpendPermissionManager.SpendPermission memory p = _permission(_fundPolicy(MAX_FLOAT));
    _expectRefused(
      p,
      _funding(NUMBER, 1),
      IHardcapGuard.Reason.NotApproved,
      abi.encodeWithSelector(ISpendPermissionManager.UnauthorizedSpendPermission.selector)
    );
    assertEq(purse.code.length, 0);
  }

  function test_error_wrongAgent() public {
    ISpendPermissionManager.SpendPermission memory p = _fundable();
    vm.expectRevert(abi.encodeWithSelector(IHardcapGuard.WrongAgent.selector, agent, stranger));
    vm.prank(stranger);
    guard.fund(p, _funding(NUMBER, 1));
  }

  /* ---------------------------------------- several permissions ---------------------------------------- */

  /// @dev What another permission put into the purse goes back to the account and does not count.
  function test_behavior_renewed() public {
    ISpendPermissionManager.SpendPermission memory p = _fundable();
    _fund(p, _funding(NUMBER, 3e6));
    uint256 before = USDC.balanceOf(account);
    Policy memory policy = _fundPolicy(MAX_FLOAT - 1);
    ISpendPermissionManager.SpendPermission memory renewed = _approved(policy);
    assertEq(guard.remaining(renewed, 0).float, MAX_FLOAT - 1);
    _expectFunded(renewed, NUMBER + 1, 4e6, 0);
    _fund(renewed, _funding(NUMBER + 1, 4e6));
    assertEq(USDC.balanceOf(purse), 4e6);
    assertEq(USDC.balanceOf(account), before + 3e6 - 4e6);
    assertEq(guard.used(renewed, 0).total, 7e6);
    assertEq(IPurse(purse).fundedBy(), SPM.getHash(renewed));
    assertEq(guard.used(p, 0).float, 0);
    assertEq(guard.used(renewed, 0).float, 4e6);
  }

  /// @dev Money that waited at the purse's address belongs to no permission: however much, it keeps nobody from funding.
  function test_behavior_donatedBefore(uint112 donation) public {
    donation = uint112(bound(donation, 1, 2 * MAX_FLOAT));
    ISpendPermissionManager.SpendPermission memory p = _fundable();
    _mint(purse, donation);
    uint256 before = USDC.balanceOf(account);
    _fund(p, _funding(NUMBER, 2e6));
    assertEq(USDC.balanceOf(purse), 2e6);
    assertEq(USDC.balanceOf(account), before + donation - 2e6);
  }

  /// @dev Nor does what lies in it from another permission's time.
  function test_behavior_donatedBetween(uint112 donation) public {
    donation = uint112(bound(donation, 1, 2 * MAX_FLOAT));
    _fund(_fundable(), _funding(NUMBER, 3e6));
    _mint(purse, donation);
    uint256 before = USDC.balanceOf(account);
    ISpendPermissionManager.SpendPermission memory renewed = _approved(_fundPolicy(MAX_FLOAT - 1));
    _fund(renewed, _funding(NUMBER + 1, 2e6));
    assertEq(USDC.balanceOf(purse), 2e6);
    assertEq(USDC.balanceOf(account), before + 3e6 + donation - 2e6);
    assertEq(guard.used(renewed, 0).total, 5e6);
  }

  /// @dev Another agent under the same grant has its own purse.
  function test_behavior_agents() public {
    _fund(_fundable(), _funding(NUMBER, 3e6));
    (agent, agentKey) = makeAddrAndKey("second agent");
    address second = guard.purseOf(account, TOKEN, GRANT_ID, agent);
    ISpendPermissionManager.SpendPermission memory p = _fundable();
    _fund(p, _funding(NUMBER, 4e6));
    assertEq(USDC.balanceOf(purse), 3e6);
    assertEq(USDC.balanceOf(second), 4e6);
    assertEq(guard.used(p, 0).total, 7e6);
  }

  /* ---------------------------------------- by signature ---------------------------------------- */

  function test_default_withSignature() public {
    ISpendPermissionManager.SpendPermission memory p = _fundable();
    IHardcapGuard.Funding memory funding = _funding(NUMBER, 2e6);
    bytes memory signature = _sign(agentKey, _fundingHash(p, funding));
    vm.prank(stranger);
    guard.fundWithSignature(p, funding, signature);
    assertEq(USDC.balanceOf(purse), 2e6);

    vm.expectRevert(abi.encodeWithSelector(IHardcapGuard.NumberUsed.selector, NUMBER));
    guard.fundWithSignature(p, funding, signature);
  }

  function test_error_withSignatureOfSomethingElse() public {
    ISpendPermissionManager.SpendPermission memory p = _fundable();
    IHardcapGuard.Funding memory signed = _funding(NUMBER, 2);
    bytes memory signature = _sign(agentKey, _fundingHash(p, signed));
    for (uint256 field; field < 5; ++field) {
      IHardcapGuard.Funding memory funding = _funding(NUMBER, 2);
      if (field == 0) ++funding.deadline;
      if (field == 1) funding.task = TASK;
      if (field == 2) ++funding.number;
      if (field == 3) funding.ref = 0;
      if (field == 4) ++funding.target;
      vm.expectRevert(abi.encodeWithSelector(IHardcapGuard.InvalidAgentSignature.selector, agent));
      guard.fundWithSignature(p, funding, signature);
    }
    p.salt = 2;
    vm.expectRevert(abi.encodeWithSelector(IHardcapGuard.InvalidAgentSignature.selector, agent));
    guard.fundWithSignature(p, signed, signature);
  }

  /// @dev A signed batch is no signed funding, and the other way round.
  function test_error_withSignatureOfABatch() public {
    ISpendPermissionManager.SpendPermission memory p = _fundable();
    bytes memory signature = _sign(agentKey, _batchHash(p, _batch(NUMBER, 2)));
    vm.expectRevert(abi.encodeWithSelector(IHardcapGuard.InvalidAgentSignature.selector, agent));
    guard.fundWithSignature(p, _funding(NUMBER, 2), signature);
  }
}
