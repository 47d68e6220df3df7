// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { Batch, BatchLib, Payment, Ticket } from "../../../contracts/Batch.sol";
import { IHardcapGuard } from "../../../contracts/interfaces/IHardcapGuard.sol";
import { ISpendPermissionManager } from "../../../contracts/interfaces/ISpendPermissionManager.sol";
import { ANY_PAYEE, Policy, PolicyLib } from "../../../contracts/Policy.sol";
import { GuardTest } from "./GuardTest.sol";

/// @dev Who may pay, whom and how. The meters: PayMeters.t.sol.
contract PayTest is GuardTest {
  bytes32 private constant TRANSFER = keccak256("Transfer(address,address,uint256)");
  bytes32 private constant USED =
    keccak256("SpendPermissionUsed(bytes32,address,address,address,(uint48,uint48,uint160))");

  function test_default() public {
    ISpendPermissionManager.SpendPermission memory p = _approved();
    _expectPaid(p, payee, NUMBER, 1e6, 0);
    _pay(p, NUMBER, 1e6);
    assertEq(USDC.balanceOf(payee), 1e6);
    assertEq(USDC.balanceOf(account), BALANCE - 1e6);
    assertTrue(guard.isUsed(account, TOKEN, GRANT_ID, agent, NUMBER));
    assertEq(guard.used(p, 0).total, 1e6);
  }

  /* ---------------------------------------- args ---------------------------------------- */

  function test_args_task(bytes32 task) public {
    ISpendPermissionManager.SpendPermission memory p = _approved();
    Batch memory batch = _batch(NUMBER, 1);
    batch.task = task;
    _expectPaid(p, payee, NUMBER, 1, task);
    _pay(p, batch);
    assertEq(guard.used(p, task).perTask, 0);
  }

  function test_args_anyNumber(uint256 number, uint256 other) public {
    vm.assume(number != other);
    ISpendPermissionManager.SpendPermission memory p = _approved();
    _pay(p, number, 1);
    assertTrue(guard.isUsed(account, TOKEN, GRANT_ID, agent, number));
    assertFalse(guard.isUsed(account, TOKEN, GRANT_ID, agent, other));
    _pay(p, other, 1);
  }

  function test_args_everyListedPayee() public {
    ISpendPermissionManager.SpendPermission memory p = _approved();
    for (uint256 i; i < payees.length; ++i) {
      _pay(p, _batch(_paymentTo(i, NUMBER + i, uint112(i + 1))));
      assertEq(USDC.balanceOf(payees[i]), i + 1);
    }
  }

  function test_args_anyPayee(address to) public {
    vm.assume(to != address(0) && to != address(guard) && to != address(SPM) && to != TOKEN);
    vm.assume(to != guard.purseOf(account, TOKEN, GRANT_ID, agent));
    ISpendPermissionManager.SpendPermission memory p = _approved(_openPolicy());
    uint256 before = USDC.balanceOf(to);
    _pay(p, _batch(Payment(NUMBER, _ref(NUMBER), to, 7, new bytes32[](0))));
    assertEq(USDC.balanceOf(to), to == account ? before : before + 7);
  }

  function test_args_amounts(uint112 amount) public {
    amount = uint112(bound(amount, 1, BALANCE));
    ISpendPermissionManager.SpendPermission memory p = _permission(_openPolicy());
    p.allowance = type(uint160).max;
    _approve(p);
    _pay(p, NUMBER, amount);
    assertEq(USDC.balanceOf(payee), amount);
  }

  /* ---------------------------------------- behavior: batches ---------------------------------------- */

  /// @dev One spend of the sum, an event for each, equal payees in a row in one transfer.
  function test_behavior_batch() public {
    ISpendPermissionManager.SpendPermission memory p = _approved();
    Payment[] memory payments = new Payment[](6);
    uint256[6] memory to = [uint256(0), 0, 1, 1, 1, 0];
    for (uint256 i; i < 6; ++i) {
      payments[i] = _paymentTo(to[i], NUMBER + 250 + i, uint112(i + 1));
      if (i != 0 && to[i] == to[i - 1]) payments[i].proof = new bytes32[](0);
    }
    for (uint256 i; i < 6; ++i) {
      _expectPaid(p, payees[to[i]], NUMBER + 250 + i, uint112(i + 1), 0);
    }
    _pay(p, _batch(payments));
    assertEq(USDC.balanceOf(payees[0]), 1 + 2 + 6);
    assertEq(USDC.balanceOf(payees[1]), 3 + 4 + 5);
    assertEq(guard.used(p, 0).total, 21);
    for (uint256 i; i < 6; ++i) {
      assertTrue(guard.isUsed(account, TOKEN, GRANT_ID, agent, NUMBER + 250 + i));
    }
  }

  function test_behavior_batch_fewestTransfers() public {
    ISpendPermissionManager.SpendPermission memory p = _approved();
    Payment[] memory payments = new Payment[](5);
    uint256[5] memory to = [uint256(0), 0, 1, 0, 0];
    for (uint256 i; i < 5; ++i) {
      payments[i] = _paymentTo(to[i], NUMBER + i, 1);
    }
    vm.recordLogs();
    _pay(p, _batch(payments));
    // From the account to the guard, and from there three times.
    assertEq(_count(TOKEN, TRANSFER), 4);
  }

  function test_behavior_batch_oneSpendOneTransferForOnePayee() public {
    ISpendPermissionManager.SpendPermission memory p = _approved();
    bytes memory batch = BatchLib.encode(_rowOf(10, NUMBER, 1));
    vm.recordLogs();
    vm.prank(agent);
    guard.pay(p, batch);
    assertEq(_count(TOKEN, TRANSFER), 2);
    vm.recordLogs();
    batch = BatchLib.encode(_rowOf(10, NUMBER + 10, 1));
    vm.prank(agent);
    guard.pay(p, batch);
    assertEq(_count(address(SPM), USED), 1);
    assertEq(USDC.balanceOf(payee), 20);
  }

  /// @dev Any number of payments to any payees: each gets its sum.
  function test_behavior_batch_anyOrder(uint256 seed, uint8 count) public {
    count = uint8(bound(count, 1, 40));
    ISpendPermissionManager.SpendPermission memory p = _approved();
    uint256[8] memory due;
    Payment[] memory payments = new Payment[](count);
    for (uint256 i; i < count; ++i) {
      uint256 to = uint256(keccak256(abi.encode(seed, i))) % 3;
      uint112 amount = uint112(uint256(keccak256(abi.encode(seed, i, "amount"))) % 100 + 1);
      payments[i] = _paymentTo(to, uint256(keccak256(abi.encode(seed, i, "number"))), amount);
      due[to] += amount;
    }
    _pay(p, _batch(payments));
    for (uint256 i; i < 8; ++i) {
      assertEq(USDC.balanceOf(payees[i]), due[i]);
    }
  }

  /* ---------------------------------------- behavior: numbers ---------------------------------------- */

  /// @dev Whatever else is different: a number pays once.
  function test_behavior_retry(uint112 amount, uint256 to, bytes32 task) public {
    ISpendPermissionManager.SpendPermission memory p = _approved();
    _pay(p, NUMBER, 1);
    Batch memory batch = _batch(_paymentTo(to % 8, NUMBER, uint112(bound(amount, 1, PER_CALL))));
    batch.task = task;
    _expectNumberUsed(p, batch, NUMBER);
  }

  function test_behavior_numbersOfSiblings() public {
    ISpendPermissionManager.SpendPermission memory p = _approved();
    _pay(p, NUMBER, 1);
    // Another permission of the same grant and agent shares them.
    Policy memory policy = _policy();
    policy.total = 200e6;
    _expectNumberUsed(_approved(policy), _batch(NUMBER, 1), NUMBER);
    // Another agent, or another grant, has its own.
    address first = agent;
    (agent,) = makeAddrAndKey("second agent");
    _pay(_approved(_policy()), NUMBER, 1);
    agent = first;
    policy = _policy();
    policy.grantId = keccak256("another grant");
    bytes memory batch = BatchLib.encode(_batch(NUMBER, 1));
    p = _approved(policy);
    vm.prank(agent);
    guard.pay(p, batch);
  }

  function test_error_numberTwiceInABatch() public {
    ISpendPermissionManager.SpendPermission memory p = _approved();
    Payment[] memory payments = new Payment[](3);
    payments[0] = _payment(NUMBER + 1, 1);
    payments[1] = _payment(NUMBER + 2 ** 128, 1);
    payments[2] = _payment(NUMBER + 1, 2);
    _expectNumberUsed(p, _batch(payments), NUMBER + 1);
  }

  function _expectNumberUsed(
    ISpendPermissionManager.SpendPermission memory p,
    Batch memory batch,
    uint256 number
  ) private {
    _expectRefused(
      p,
      batch,
      IHardcapGuard.Reason.NumberUsed,
      abi.encodeWithSelector(IHardcapGuard.NumberUsed.selector, number)
    );
  }

  /* ---------------------------------------- deadline ---------------------------------------- */

  function test_behavior_lastSecond(uint48 time) public {
    ISpendPermissionManager.SpendPermission memory p = _approved();
    time = uint48(bound(time, START, END - 1));
    Batch memory batch = _batch(NUMBER, 1);
    batch.deadline = time + 1;
    vm.warp(time);
    _pay(p, batch);
  }

  function test_error_deadlinePassed() public {
    ISpendPermissionManager.SpendPermission memory p = _approved();
    Batch memory batch = _batch(NUMBER, 1);
    for (uint256 late; late < 3; ++late) {
      vm.warp(batch.deadline + late);
      _expectRefused(
        p,
        batch,
        IHardcapGuard.Reason.DeadlinePassed,
        abi.encodeWithSelector(
          IHardcapGuard.DeadlinePassed.selector, batch.deadline, uint256(batch.deadline) + late
        )
      );
    }
  }

  /* ---------------------------------------- error: callers and permissions ---------------------------------------- */

  function test_error_wrongAgent(address caller) public {
    vm.assume(caller != agent);
    ISpendPermissionManager.SpendPermission memory p = _approved();
    bytes memory batch = BatchLib.encode(_batch(NUMBER, 1));
    vm.expectRevert(abi.encodeWithSelector(IHardcapGuard.WrongAgent.selector, agent, caller));
    vm.prank(caller);
    guard.pay(p, batch);
  }

  function test_error_malformedPolicy() public {
    ISpendPermissionManager.SpendPermission memory p = _permission(_policy());
    p.extraData = abi.encodePacked(p.extraData, uint8(0));
    _approve(p);
    _expectRefused(
      p,
      _batch(NUMBER, 1),
      IHardcapGuard.Reason.MalformedPolicy,
      abi.encodeWithSelector(PolicyLib.MalformedPolicy.selector)
    );
    p.extraData[0] = 0x02;
    _approve(p);
    _expectRefused(
      p,
      _batch(NUMBER, 1),
      IHardcapGuard.Reason.UnknownPolicyVersion,
      abi.encodeWithSelector(PolicyLib.UnknownPolicyVersion.selector, 2)
    );
  }

  function test_error_wrongSpender(address spender) public {
    vm.assume(spender != address(guard) && spender != address(0));
    ISpendPermissionManager.SpendPermission memory p = _permission(_policy());
    p.spender = spender;
    _approve(p);
    _expectRefused(
      p,
      _batch(NUMBER, 1),
      IHardcapGuard.Reason.WrongSpender,
      abi.encodeWithSelector(IHardcapGuard.WrongSpender.selector, spender)
    );
  }

  function test_error_nativeToken() public {
    ISpendPermissionManager.SpendPermission memory p = _permission(_policy());
    p.token = 0xEeeeeEeeeEeEeeEeEeEeeEEEeeeeEeeeeeeeEEeE;
    _approve(p);
    vm.deal(account, 1 ether);
    _expectRefused(
      p,
      _batch(NUMBER, 1),
      IHardcapGuard.Reason.NativeToken,
      abi.encodeWithSelector(IHardcapGuard.NativeToken.selector)
    );
  }

  function test_error_notApproved() public {
    ISpendPermissionManager.SpendPermission memory p = _permission(_policy());
    bytes memory error = abi.encodeWithSelector(ISpendPermissionManager.UnauthorizedSpendPermission.selector);
    _expectRefused(p, _batch(NUMBER, 1), IHardcapGuard.Reason.NotApproved, error);
    _approve(p);
    _pay(p, NUMBER, 1);
    vm.prank(account);
    SPM.revoke(p);
    _expectRefused(p, _batch(NUMBER + 1, 1), IHardcapGuard.Reason.NotApproved, error);
  }

  function test_error_outsideItsDates() public {
    ISpendPermissionManager.SpendPermission memory p = _approved();
    vm.warp(START - 1);
    _expectRefused(
      p,
      _batch(NUMBER, 1),
      IHardcapGuard.Reason.NotStarted,
      abi.encodeWithSelector(ISpendPermissionManager.BeforeSpendPermissionStart.selector, START - 1, START)
    );
    vm.warp(END - 1);
    _pay(p, NUMBER, 1);
    vm.warp(END);
    _expectRefused(
      p,
      _batch(NUMBER + 1, 1),
      IHardcapGuard.Reason.Ended,
      abi.encodeWithSelector(ISpendPermissionManager.AfterSpendPermissionEnd.selector, END, END)
    );
  }

  /// @dev Whatever the policy says, no more than the permission's visible allowance.
  function test_error_overAllowance() public {
    ISpendPermissionManager.SpendPermission memory p = _permission(_openPolicy());
    p.allowance = 100;
    _approve(p);
    _pay(p, NUMBER, 100);
    _expectRefused(
      p,
      _batch(NUMBER + 1, 1),
      IHardcapGuard.Reason.OverAllowance,
      abi.encodeWithSelector(ISpendPermissionManager.ExceededSpendPermission.selector, 101, 100)
    );
    vm.warp(START + 1 days);
    _pay(p, NUMBER + 1, 100);
  }

  /// @dev The wallet has not enough: the token's error, and nothing is left behind.
  function test_error_balance() public {
    ISpendPermissionManager.SpendPermission memory p = _permission(_openPolicy());
    p.allowance = type(uint160).max;
    _approve(p);
    bytes memory batch = BatchLib.encode(_batch(NUMBER, uint112(BALANCE + 1)));
    vm.prank(agent);
    vm.expectRevert();
    guard.pay(p, batch);
    assertFalse(guard.isUsed(account, TOKEN, GRANT_ID, agent, NUMBER));
    assertEq(guard.used(p, 0).total, 0);
  }

  /* ---------------------------------------- error: batches ---------------------------------------- */

  function test_error_emptyBatch() public {
    _expectRefused(
      _approved(),
      _batch(new Payment[](0)),
      IHardcapGuard.Reason.EmptyBatch,
      abi.encodeWithSelector(IHardcapGuard.EmptyBatch.selector)
    );
  }

  function test_error_malformedBatch(uint256 length) public {
    bytes memory data = BatchLib.encode(_batch(NUMBER, 1));
    length = bound(length, 0, data.length - 1);
    vm.assume(length != 8);
    assembly {
      mstore(data, length)
    }
    _expectRefused(
      _approved(),
      data,
      IHardcapGuard.Reason.MalformedBatch,
      abi.encodeWithSelector(BatchLib.MalformedBatch.selector)
    );
  }

  function test_error_zeroAmount() public {
    Batch memory batch = _rowOf(3, NUMBER, 1);
    batch.payments[1].amount = 0;
    _expectRefused(
      _approved(),
      batch,
      IHardcapGuard.Reason.ZeroAmount,
      abi.encodeWithSelector(IHardcapGuard.ZeroAmount.selector, NUMBER + 1)
    );
  }

  function test_error_ticketUnexpected() public {
    Batch memory batch = _batch(NUMBER, 1);
    batch.ticket = Ticket(1, 2, hex"00");
    _expectRefused(
      _approved(),
      batch,
      IHardcapGuard.Reason.TicketUnexpected,
      abi.encodeWithSelector(IHardcapGuard.TicketUnexpected.selector)
    );
  }

  /* ---------------------------------------- error: payees ---------------------------------------- */

  function _expectWrongPayee(Payment memory payment) private {
    ISpendPermissionManager.SpendPermission memory p = _permission(_policy());
    _expectRefused(
      p,
      _batch(payment),
      IHardcapGuard.Reason.WrongPayee,
      abi.encodeWithSelector(IHardcapGuard.WrongPayee.selector, payment.payee)
    );
  }

  function test_error_wrongPayee(address to) public {
    vm.assume(to != address(0) && to != address(guard) && to != address(SPM) && to != TOKEN);
    for (uint256 i; i < payees.length; ++i) {
      vm.assume(to != payees[i]);
    }
    _expectWrongPayee(Payment(NUMBER, 0, to, 1, _proof(0)));
    _expectWrongPayee(Payment(NUMBER, 0, to, 1, new bytes32[](0)));
  }

  function test_error_wrongProof() public {
    _expectWrongPayee(Payment(NUMBER, 0, payees[0], 1, _proof(1)));
    _expectWrongPayee(Payment(NUMBER, 0, payees[0], 1, new bytes32[](0)));
  }

  /// @dev Only the payee right before it vouches for a payment.
  function test_error_proofOfAnotherPayment() public {
    Payment[] memory payments = new Payment[](3);
    payments[0] = _paymentTo(0, NUMBER, 1);
    payments[1] = _paymentTo(1, NUMBER + 1, 1);
    payments[2] = _paymentTo(0, NUMBER + 2, 1);
    payments[2].proof = new bytes32[](0);
    _expectRefused(
      _approved(),
      _batch(payments),
      IHardcapGuard.Reason.WrongPayee,
      abi.encodeWithSelector(IHardcapGuard.WrongPayee.selector, payees[0])
    );
  }

  function test_error_forbiddenPayee() public {
    address purse = guard.purseOf(account, TOKEN, GRANT_ID, agent);
    address[5] memory forbidden = [address(0), address(guard), address(SPM), TOKEN, purse];
    for (uint256 i; i < forbidden.length; ++i) {
      _expectForbidden(_openPolicy(), forbidden[i]);
      // The list makes no exceptions, but for the purse, which it can only hold on purpose.
      Policy memory policy = _policy();
      policy.payees = keccak256(bytes.concat(keccak256(abi.encode(forbidden[i]))));
      if (forbidden[i] != purse) _expectForbidden(policy, forbidden[i]);
    }
  }

  /// @dev Zero is nobody, also after somebody.
  function test_error_forbiddenPayee_zeroInARow() public {
    ISpendPermissionManager.SpendPermission memory p = _approved(_openPolicy());
    Payment[] memory payments = new Payment[](2);
    payments[0] = _payment(NUMBER, 1);
    payments[1] = Payment(NUMBER + 1, 0, address(0), 1, new bytes32[](0));
    _expectRefused(
      p,
      _batch(payments),
      IHardcapGuard.Reason.ForbiddenPayee,
      abi.encodeWithSelector(IHardcapGuard.ForbiddenPayee.selector, address(0))
    );
  }

  function _expectForbidden(Policy memory policy, address to) private {
    _expectRefused(
      _permission(policy),
      _batch(Payment(NUMBER, 0, to, 1, new bytes32[](0))),
      IHardcapGuard.Reason.ForbiddenPayee,
      abi.encodeWithSelector(IHardcapGuard.ForbiddenPayee.selector, to)
    );
  }

  /// @dev Nobody has to be listed: with no tree, nobody is.
  function test_error_noPayees() public {
    Policy memory policy = _policy();
    policy.payees = 0;
    assertTrue(policy.payees != ANY_PAYEE);
    _expectRefused(
      _approved(policy),
      _batch(NUMBER, 1),
      IHardcapGuard.Reason.WrongPayee,
      abi.encodeWithSelector(IHardcapGuard.WrongPayee.selector, payee)
    );
  }
}
