// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { Batch, BatchLib, Ticket } from "../../../contracts/Batch.sol";
import { IHardcapGuard } from "../../../contracts/interfaces/IHardcapGuard.sol";
import { ISpendPermissionManager } from "../../../contracts/interfaces/ISpendPermissionManager.sol";
import { Policy } from "../../../contracts/Policy.sol";
import { GuardTest } from "./GuardTest.sol";
import { Signer1271 } from "./mocks/Signers.sol";

contract TicketTest is GuardTest {
  uint112 private constant PER_TASK = 1e6;

  function test_default() public {
    ISpendPermissionManager.SpendPermission memory p = _approved(_taskPolicy(PER_TASK));
    _expectPaid(p, payee, NUMBER, 10, TASK);
    _pay(p, _taskBatch(TASK, PER_TASK, NUMBER, 10));
    assertEq(guard.used(p, TASK).perTask, 10);
    assertEq(guard.remaining(p, TASK).perTask, PER_TASK - 10);
  }

  /* ---------------------------------------- the cap ---------------------------------------- */

  function _expectOverTask(
    ISpendPermissionManager.SpendPermission memory p,
    Batch memory batch,
    uint256 used,
    uint256 limit
  ) private {
    _expectRefused(
      p,
      batch,
      IHardcapGuard.Reason.OverTask,
      abi.encodeWithSelector(IHardcapGuard.OverTask.selector, batch.payments[0].amount, used, limit)
    );
  }

  /// @dev The lower of the policy's cap and the ticket's.
  function test_behavior_cap(uint112 perTask, uint112 cap, uint112 first) public {
    perTask = uint112(bound(perTask, 2, PER_CALL - 1));
    cap = uint112(bound(cap, 2, type(uint112).max));
    uint112 limit = cap < perTask ? cap : perTask;
    first = uint112(bound(first, 1, limit - 1));
    ISpendPermissionManager.SpendPermission memory p = _approved(_taskPolicy(perTask));
    _expectOverTask(p, _taskBatch(TASK, cap, NUMBER, limit + 1 > PER_CALL ? PER_CALL : limit + 1), 0, limit);
    _pay(p, _taskBatch(TASK, cap, NUMBER, first));
    _expectOverTask(p, _taskBatch(TASK, cap, NUMBER + 1, limit - first + 1), first, limit);
    _pay(p, _taskBatch(TASK, cap, NUMBER + 1, limit - first));
    _expectOverTask(p, _taskBatch(TASK, cap, NUMBER + 2, 1), limit, limit);
    // Another task starts at zero.
    _pay(p, _taskBatch(keccak256("another task"), cap, NUMBER + 2, 1));
  }

  function test_behavior_zeroCaps() public {
    _expectOverTask(_approved(_taskPolicy(0)), _taskBatch(TASK, 5, NUMBER, 1), 0, 0);
    _expectOverTask(_approved(_taskPolicy(5)), _taskBatch(TASK, 0, NUMBER, 1), 0, 0);
  }

  /// @dev A later ticket can raise or lower the cap, over what was spent.
  function test_behavior_severalTickets() public {
    ISpendPermissionManager.SpendPermission memory p = _approved(_taskPolicy(PER_TASK));
    _pay(p, _taskBatch(TASK, 100, NUMBER, 100));
    _expectOverTask(p, _taskBatch(TASK, 50, NUMBER + 1, 1), 100, 50);
    _pay(p, _taskBatch(TASK, 150, NUMBER + 1, 50));
    _expectOverTask(p, _taskBatch(TASK, 150, NUMBER + 2, 1), 150, 150);
  }

  /// @dev A task belongs to the grant: permissions that cap tasks share it, one that does not leaves it alone.
  function test_behavior_siblings() public {
    ISpendPermissionManager.SpendPermission memory p = _approved(_taskPolicy(100));
    _pay(p, _taskBatch(TASK, 100, NUMBER, 60));
    ISpendPermissionManager.SpendPermission memory sibling = _approved(_taskPolicy(200));
    _pay(sibling, _taskBatch(TASK, 200, NUMBER + 1, 60));
    _expectOverTask(sibling, _taskBatch(TASK, 200, NUMBER + 2, 81), 120, 200);
    _expectOverTask(p, _taskBatch(TASK, 200, NUMBER + 2, 1), 120, 100);
    ISpendPermissionManager.SpendPermission memory uncapped = _approved(_policy());
    Batch memory batch = _batch(NUMBER + 2, 1);
    batch.task = TASK;
    _pay(uncapped, batch);
    assertEq(guard.used(p, TASK).perTask, 120);
  }

  /* ---------------------------------------- the ticket ---------------------------------------- */

  function test_behavior_deadline() public {
    ISpendPermissionManager.SpendPermission memory p = _approved(_taskPolicy(PER_TASK));
    uint48 deadline = START + 1 hours;
    Ticket memory ticket = _ticketUntil(TASK, 100, deadline);
    vm.warp(deadline - 1);
    Batch memory batch = _batch(NUMBER, 1);
    batch.task = TASK;
    batch.ticket = ticket;
    _pay(p, batch);
    for (uint256 late; late < 2; ++late) {
      vm.warp(deadline + late);
      batch = _batch(NUMBER + 1, 1);
      batch.task = TASK;
      batch.ticket = ticket;
      _expectRefused(
        p,
        batch,
        IHardcapGuard.Reason.TicketExpired,
        abi.encodeWithSelector(IHardcapGuard.TicketExpired.selector, deadline, uint256(deadline) + late)
      );
    }
  }

  function test_error_taskMissing() public {
    ISpendPermissionManager.SpendPermission memory p = _approved(_taskPolicy(PER_TASK));
    _expectRefused(
      p,
      _taskBatch(0, 100, NUMBER, 1),
      IHardcapGuard.Reason.TaskMissing,
      abi.encodeWithSelector(IHardcapGuard.TaskMissing.selector)
    );
  }

  function test_error_ticketMissing() public {
    ISpendPermissionManager.SpendPermission memory p = _approved(_taskPolicy(PER_TASK));
    Batch memory batch = _batch(NUMBER, 1);
    batch.task = TASK;
    _expectRefused(
      p,
      batch,
      IHardcapGuard.Reason.TicketMissing,
      abi.encodeWithSelector(IHardcapGuard.TicketMissing.selector)
    );
  }

  function _expectInvalid(ISpendPermissionManager.SpendPermission memory p, Batch memory batch) private {
    _expectRefused(
      p,
      batch,
      IHardcapGuard.Reason.TicketInvalid,
      abi.encodeWithSelector(IHardcapGuard.TicketInvalid.selector, orchestrator)
    );
  }

  /// @dev One field other than signed.
  function test_error_ticketOfSomethingElse() public {
    ISpendPermissionManager.SpendPermission memory p = _approved(_taskPolicy(PER_TASK));
    Batch memory batch = _taskBatch(TASK, 100, NUMBER, 1);
    batch.task = keccak256("another task");
    _expectInvalid(p, batch);
    batch = _taskBatch(TASK, 100, NUMBER, 1);
    batch.ticket.cap = 101;
    _expectInvalid(p, batch);
    batch = _taskBatch(TASK, 100, NUMBER, 1);
    ++batch.ticket.deadline;
    _expectInvalid(p, batch);
  }

  /// @dev Of another account, grant, chain or guard, or by somebody else.
  function test_error_ticketOfSomebodyElse() public {
    ISpendPermissionManager.SpendPermission memory p = _approved(_taskPolicy(PER_TASK));
    uint48 deadline = START + 1 hours;
    _expectInvalidSignature(p, _sign(orchestratorKey, _ticketHash(address(1), GRANT_ID, TASK, 100, deadline)));
    _expectInvalidSignature(
      p, _sign(orchestratorKey, _ticketHash(account, keccak256("other"), TASK, 100, deadline))
    );
    _expectInvalidSignature(p, _sign(agentKey, _ticketHash(account, GRANT_ID, TASK, 100, deadline)));
    vm.chainId(1);
    bytes memory signature = _sign(orchestratorKey, _ticketHash(account, GRANT_ID, TASK, 100, deadline));
    vm.chainId(8453);
    _expectInvalidSignature(p, signature);
    IHardcapGuard here = guard;
    guard = IHardcapGuard(address(2));
    signature = _sign(orchestratorKey, _ticketHash(account, GRANT_ID, TASK, 100, deadline));
    guard = here;
    _expectInvalidSignature(p, signature);
  }

  function _expectInvalidSignature(ISpendPermissionManager.SpendPermission memory p, bytes memory signature)
    private
  {
    Batch memory batch = _batch(NUMBER, 1);
    batch.task = TASK;
    batch.ticket = Ticket(100, START + 1 hours, signature);
    _expectInvalid(p, batch);
  }

  /// @dev An agent that is its own orchestrator can ticket anything, as its owner signed.
  function test_args_contractOrchestrator() public {
    address eoa = orchestrator;
    orchestrator = address(new Signer1271(eoa));
    ISpendPermissionManager.SpendPermission memory p = _approved(_taskPolicy(PER_TASK));
    _pay(p, _taskBatch(TASK, 100, NUMBER, 1));
    Batch memory batch = _taskBatch(TASK, 100, NUMBER + 1, 1);
    batch.ticket.signature[40] ^= 0x01;
    _expectInvalid(p, batch);
  }

  /// @dev The ticket is for the whole batch.
  function test_behavior_batch() public {
    ISpendPermissionManager.SpendPermission memory p = _approved(_taskPolicy(PER_TASK));
    Batch memory batch = _rowOf(5, NUMBER, 20);
    batch.task = TASK;
    batch.ticket = _ticket(TASK, 99);
    bytes memory data = BatchLib.encode(batch);
    vm.expectRevert(abi.encodeWithSelector(IHardcapGuard.OverTask.selector, 100, 0, 99));
    vm.prank(agent);
    guard.pay(p, data);
    batch.ticket = _ticket(TASK, 100);
    _pay(p, batch);
    assertEq(guard.used(p, TASK).perTask, 100);
  }

  /// @dev An orchestrator alone meters nothing.
  function test_behavior_orchestratorWithoutPerTask() public {
    Policy memory policy = _taskPolicy(UNLIMITED);
    ISpendPermissionManager.SpendPermission memory p = _approved(policy);
    _pay(p, NUMBER, 1);
    _expectRefused(
      p,
      _taskBatch(TASK, 100, NUMBER + 1, 1),
      IHardcapGuard.Reason.TicketUnexpected,
      abi.encodeWithSelector(IHardcapGuard.TicketUnexpected.selector)
    );
  }
}
