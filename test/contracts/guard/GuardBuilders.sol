// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { Test } from "forge-std/Test.sol";

import { Batch, Payment, Ticket } from "../../../contracts/Batch.sol";
import { IHardcapGuard } from "../../../contracts/interfaces/IHardcapGuard.sol";
import { ISpendPermissionManager } from "../../../contracts/interfaces/ISpendPermissionManager.sol";
import { ANY_PAYEE, Policy, PolicyLib } from "../../../contracts/Policy.sol";

/// @dev Policies, permissions, payments, proofs and tickets, without anything that deploys code.
abstract contract GuardBuilders is Test {
  ISpendPermissionManager internal constant SPM =
    ISpendPermissionManager(payable(0xf85210B21cC50302F477BA56686d2019dC9b67Ad));
  address internal constant TOKEN = 0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913;

  /// @dev A UTC midnight.
  uint48 internal constant START = 1_800_057_600;
  uint48 internal constant END = START + 100 days;
  uint160 internal constant ALLOWANCE = 1_000_000e6;
  uint256 internal constant BALANCE = 10_000_000e6;
  uint112 internal constant UNLIMITED = type(uint112).max;
  uint48 internal constant UNLIMITED_WINDOW = type(uint48).max;

  uint112 internal constant PER_CALL = 5e6;
  uint112 internal constant PER_DAY = 20e6;
  uint112 internal constant TOTAL = 100e6;
  bytes32 internal constant GRANT_ID = keccak256("grant");
  bytes32 internal constant TASK = keccak256("task");
  /// @dev The first number of a lane of random bits, as a ledger has it.
  uint256 internal constant NUMBER = uint256(keccak256("lane")) & ~uint256(0xff);

  IHardcapGuard internal guard;
  address internal owner;
  uint256 internal ownerKey;
  address internal agent;
  uint256 internal agentKey;
  address internal orchestrator;
  uint256 internal orchestratorKey;
  address internal account;
  /// @dev The leaves of the policies' tree.
  address[8] internal payees;
  /// @dev The first of them.
  address internal payee;

  function _makeActors() internal {
    (owner, ownerKey) = makeAddrAndKey("owner");
    (agent, agentKey) = makeAddrAndKey("agent");
    (orchestrator, orchestratorKey) = makeAddrAndKey("orchestrator");
    for (uint256 i; i < payees.length; ++i) {
      payees[i] = makeAddr(string.concat("payee ", vm.toString(i)));
    }
    payee = payees[0];
  }

  /* ---------------------------------------- policies and permissions ---------------------------------------- */

  /// @dev Per call, per day, total and payees.
  function _policy() internal view returns (Policy memory) {
    return Policy({
      grantId: GRANT_ID,
      agent: agent,
      orchestrator: address(0),
      perCall: PER_CALL,
      perDay: PER_DAY,
      total: TOTAL,
      perTask: UNLIMITED,
      perWindow: UNLIMITED_WINDOW,
      window: 0,
      maxFloat: 0,
      payees: _root(),
      replaces: 0
    });
  }

  /// @dev Nothing but the agent.
  function _openPolicy() internal view returns (Policy memory policy) {
    policy = _policy();
    policy.perCall = UNLIMITED;
    policy.perDay = UNLIMITED;
    policy.total = UNLIMITED;
    policy.payees = ANY_PAYEE;
  }

  function _taskPolicy(uint112 perTask) internal view returns (Policy memory policy) {
    policy = _policy();
    policy.orchestrator = orchestrator;
    policy.perTask = perTask;
  }

  function _windowPolicy(uint48 perWindow, uint32 window) internal view returns (Policy memory policy) {
    policy = _openPolicy();
    policy.perWindow = perWindow;
    policy.window = window;
  }

  function _fundPolicy(uint112 maxFloat) internal view returns (Policy memory policy) {
    policy = _policy();
    policy.maxFloat = maxFloat;
  }

  /// @dev Every cap there is.
  function _fullPolicy() internal view returns (Policy memory policy) {
    policy = _taskPolicy(50e6);
    policy.perWindow = 50e6;
    policy.window = 1 days;
    policy.maxFloat = 10e6;
  }

  function _permission(Policy memory policy)
    internal
    view
    returns (ISpendPermissionManager.SpendPermission memory)
  {
    return ISpendPermissionManager.SpendPermission({
      account: account,
      spender: address(guard),
      token: TOKEN,
      allowance: ALLOWANCE,
      period: 1 days,
      start: START,
      end: END,
      salt: 1,
      extraData: PolicyLib.encode(policy)
    });
  }

  function _approve(ISpendPermissionManager.SpendPermission memory p) internal {
    vm.prank(p.account);
    assertTrue(SPM.approve(p), "approve");
  }

  function _approved(Policy memory policy)
    internal
    returns (ISpendPermissionManager.SpendPermission memory p)
  {
    p = _permission(policy);
    _approve(p);
  }

  function _approved() internal returns (ISpendPermissionManager.SpendPermission memory) {
    return _approved(_policy());
  }

  /* ---------------------------------------- payees ---------------------------------------- */

  /// @dev The tree of OpenZeppelin's StandardMerkleTree over addresses, put together by itself.
  function _root() internal view returns (bytes32) {
    return _node(3, 0);
  }

  /// @dev The proof of the payee at `index`.
  function _proof(uint256 index) internal view returns (bytes32[] memory proof) {
    proof = new bytes32[](3);
    for (uint256 level; level < 3; ++level) {
      proof[level] = _node(level, (index >> level) ^ 1);
    }
  }

  function _node(uint256 level, uint256 index) private view returns (bytes32) {
    if (level == 0) return keccak256(bytes.concat(keccak256(abi.encode(payees[index]))));
    bytes32 a = _node(level - 1, 2 * index);
    bytes32 b = _node(level - 1, 2 * index + 1);
    return a < b ? keccak256(abi.encode(a, b)) : keccak256(abi.encode(b, a));
  }

  /* ---------------------------------------- batches ---------------------------------------- */

  function _ref(uint256 number) internal pure returns (bytes32) {
    return keccak256(abi.encode("ref", number));
  }

  function _paymentTo(uint256 payeeIndex, uint256 number, uint112 amount)
    internal
    view
    returns (Payment memory)
  {
    return Payment(number, _ref(number), payees[payeeIndex], amount, _proof(payeeIndex));
  }

  function _payment(uint256 number, uint112 amount) internal view returns (Payment memory) {
    return _paymentTo(0, number, amount);
  }

  function _batch(Payment[] memory payments) internal view returns (Batch memory batch) {
    batch.deadline = uint48(block.timestamp) + 60;
    batch.payments = payments;
  }

  function _batch(Payment memory payment) internal view returns (Batch memory batch) {
    batch = _batch(new Payment[](1));
    batch.payments[0] = payment;
  }

  function _batch(uint256 number, uint112 amount) internal view returns (Batch memory) {
    return _batch(_payment(number, amount));
  }

  /// @dev `count` equal payments to one payee, of which only the first has a proof.
  function _rowOf(uint256 count, uint256 number, uint112 amount) internal view returns (Batch memory batch) {
    batch = _batch(new Payment[](count));
    for (uint256 i; i < count; ++i) {
      batch.payments[i] = _payment(number + i, amount);
      if (i != 0) batch.payments[i].proof = new bytes32[](0);
    }
  }

  function _taskBatch(bytes32 task, uint112 cap, uint256 number, uint112 amount)
    internal
    view
    returns (Batch memory batch)
  {
    batch = _batch(number, amount);
    batch.task = task;
    batch.ticket = _ticket(task, cap);
  }

  function _funding(uint256 number, uint112 target)
    internal
    view
    returns (IHardcapGuard.Funding memory funding)
  {
    funding.deadline = uint48(block.timestamp) + 60;
    funding.number = number;
    funding.ref = _ref(number);
    funding.target = target;
  }

  /* ---------------------------------------- signatures ---------------------------------------- */

  function _sign(uint256 key, bytes32 digest) internal pure returns (bytes memory) {
    (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
    return abi.encodePacked(r, s, v);
  }

  function _ticket(bytes32 task, uint112 cap) internal view returns (Ticket memory) {
    return _ticketUntil(task, cap, uint48(block.timestamp) + 1 hours);
  }

  function _ticketUntil(bytes32 task, uint112 cap, uint48 deadline) internal view returns (Ticket memory) {
    return Ticket(cap, deadline, _sign(orchestratorKey, _ticketHash(account, GRANT_ID, task, cap, deadline)));
  }

  /// @dev Computed apart from the guard.
  function _ticketHash(address account_, bytes32 grantId, bytes32 task, uint112 cap, uint48 deadline)
    internal
    view
    returns (bytes32)
  {
    bytes32 typehash = keccak256(
      "Ticket(address account,address token,bytes32 grantId,bytes32 task,uint112 cap,uint48 deadline)"
    );
    return _typed(keccak256(abi.encode(typehash, account_, TOKEN, grantId, task, cap, deadline)));
  }

  /// @dev Computed apart from the guard.
  function _batchHash(ISpendPermissionManager.SpendPermission memory p, Batch memory batch)
    internal
    view
    returns (bytes32)
  {
    bytes memory payments;
    for (uint256 i; i < batch.payments.length; ++i) {
      Payment memory payment = batch.payments[i];
      bytes32 typehash = keccak256("Payment(uint256 number,bytes32 ref,address payee,uint112 amount)");
      payments = bytes.concat(
        payments, keccak256(abi.encode(typehash, payment.number, payment.ref, payment.payee, payment.amount))
      );
    }
    bytes32 batchTypehash = keccak256(
      "Batch(bytes32 permission,uint48 deadline,bytes32 task,Payment[] payments)Payment(uint256 number,bytes32 ref,address payee,uint112 amount)"
    );
    return _typed(
      keccak256(abi.encode(batchTypehash, SPM.getHash(p), batch.deadline, batch.task, keccak256(payments)))
    );
  }

  /// @dev Computed apart from the guard.
  function _fundingHash(
    ISpendPermissionManager.SpendPermission memory p,
    IHardcapGuard.Funding memory funding
  ) internal view returns (bytes32) {
    bytes32 typehash = keccak256(
      "Funding(bytes32 permission,uint48 deadline,bytes32 task,uint256 number,bytes32 ref,uint112 target)"
    );
    return _typed(
      keccak256(
        abi.encode(
          typehash,
          SPM.getHash(p),
          funding.deadline,
          funding.task,
          funding.number,
          funding.ref,
          funding.target
        )
      )
    );
  }

  function _typed(bytes32 structHash) private view returns (bytes32) {
    bytes32 domain = keccak256(
      abi.encode(
        keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
        keccak256("Hardcap Guard"),
        keccak256("1"),
        block.chainid,
        address(guard)
      )
    );
    return keccak256(abi.encodePacked(hex"1901", domain, structHash));
  }
}
