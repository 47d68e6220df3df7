// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { Batch, BatchLib } from "../../../contracts/Batch.sol";
import { IHardcapGuard } from "../../../contracts/interfaces/IHardcapGuard.sol";
import { ISpendPermissionManager } from "../../../contracts/interfaces/ISpendPermissionManager.sol";
import { GuardTest } from "./GuardTest.sol";
import { NoSigner, SecretSigner, Signer1271 } from "./mocks/Signers.sol";

contract PayWithSignatureTest is GuardTest {
  address private relayer = makeAddr("relayer");

  function _relay(
    ISpendPermissionManager.SpendPermission memory p,
    Batch memory batch,
    bytes memory signature
  ) private {
    bytes memory data = BatchLib.encode(batch);
    vm.prank(relayer);
    guard.payWithSignature(p, data, signature);
  }

  function _expectInvalid(
    ISpendPermissionManager.SpendPermission memory p,
    Batch memory batch,
    bytes memory signature
  ) private {
    bytes memory data = BatchLib.encode(batch);
    vm.prank(relayer);
    vm.expectRevert(abi.encodeWithSelector(IHardcapGuard.InvalidAgentSignature.selector, agent));
    guard.payWithSignature(p, data, signature);
  }

  function _signed(ISpendPermissionManager.SpendPermission memory p, Batch memory batch)
    private
    view
    returns (bytes memory)
  {
    return _sign(agentKey, _batchHash(p, batch));
  }

  function test_default() public {
    ISpendPermissionManager.SpendPermission memory p = _approved();
    Batch memory batch = _batch(NUMBER, 1e6);
    bytes memory signature = _signed(p, batch);
    _expectPaid(p, payee, NUMBER, 1e6, 0);
    _relay(p, batch, signature);
    assertEq(USDC.balanceOf(payee), 1e6);
  }

  function test_args_severalPaymentsAndATask(bytes32 task, uint8 count) public {
    ISpendPermissionManager.SpendPermission memory p = _approved();
    Batch memory batch = _rowOf(bound(count, 1, 30), NUMBER, 3);
    batch.task = task;
    _relay(p, batch, _signed(p, batch));
    assertEq(USDC.balanceOf(payee), 3 * batch.payments.length);
  }

  /// @dev EIP-2098.
  function test_args_shortSignature() public {
    ISpendPermissionManager.SpendPermission memory p = _approved();
    Batch memory batch = _batch(NUMBER, 1);
    (uint8 v, bytes32 r, bytes32 s) = vm.sign(agentKey, _batchHash(p, batch));
    _relay(p, batch, abi.encodePacked(r, uint256(s) | uint256(v - 27) << 255));
  }

  function test_args_contractAgent() public {
    agent = address(new Signer1271(agent));
    ISpendPermissionManager.SpendPermission memory p = _approved();
    Batch memory batch = _batch(NUMBER, 1);
    _relay(p, batch, _signed(p, batch));
    batch = _batch(NUMBER + 1, 1);
    _expectInvalid(p, batch, _sign(ownerKey, _batchHash(p, batch)));
  }

  /// @dev An EOA that delegates to code (EIP-7702) that does not know its plain signatures goes on signing, by both.
  function test_args_delegatedAgent() public {
    ISpendPermissionManager.SpendPermission memory p = _approved();
    vm.etch(agent, address(new NoSigner()).code);
    Batch memory batch = _batch(NUMBER, 1);
    _relay(p, batch, _signed(p, batch));
    batch = _batch(NUMBER + 1, 1);
    _expectInvalid(p, batch, "open sesame");
    vm.etch(agent, address(new SecretSigner()).code);
    _relay(p, batch, "open sesame");
  }

  /// @dev The relayer can choose another proof or ticket: these prove themselves, and show nothing else then.
  function test_behavior_proofsAndTicketsAreNotSigned() public {
    ISpendPermissionManager.SpendPermission memory p = _approved(_taskPolicy(100));
    Batch memory batch = _taskBatch(TASK, 100, NUMBER, 50);
    bytes memory signature = _signed(p, batch);
    batch.payments[0].proof = _proof(1);
    bytes memory data = BatchLib.encode(batch);
    vm.expectRevert(abi.encodeWithSelector(IHardcapGuard.WrongPayee.selector, payee));
    guard.payWithSignature(p, data, signature);
    batch.payments[0].proof = _proof(0);
    batch.ticket = _ticket(TASK, 60);
    _relay(p, batch, signature);
  }

  /// @dev Also in its malleable form: the number is used.
  function test_error_replayed() public {
    ISpendPermissionManager.SpendPermission memory p = _approved();
    Batch memory batch = _batch(NUMBER, 1);
    bytes memory signature = _signed(p, batch);
    _relay(p, batch, signature);
    bytes memory data = BatchLib.encode(batch);
    vm.expectRevert(abi.encodeWithSelector(IHardcapGuard.NumberUsed.selector, NUMBER));
    guard.payWithSignature(p, data, signature);

    (uint8 v, bytes32 r, bytes32 s) = vm.sign(agentKey, _batchHash(p, batch));
    uint256 n = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141;
    signature = abi.encodePacked(r, n - uint256(s), v == 27 ? 28 : 27);
    vm.expectRevert(abi.encodeWithSelector(IHardcapGuard.NumberUsed.selector, NUMBER));
    guard.payWithSignature(p, data, signature);
  }

  /// @dev Each signed field, changed by itself.
  function test_error_anotherBatch() public {
    ISpendPermissionManager.SpendPermission memory p = _approved(_openPolicy());
    bytes memory signature = _signed(p, _rowOf(2, NUMBER, 5));
    _relayUnchanged(p, signature);

    Batch memory batch = _rowOf(2, NUMBER, 5);
    ++batch.deadline;
    _expectInvalid(p, batch, signature);
    batch = _rowOf(2, NUMBER, 5);
    batch.task = TASK;
    _expectInvalid(p, batch, signature);
    batch = _rowOf(2, NUMBER, 5);
    ++batch.payments[1].number;
    _expectInvalid(p, batch, signature);
    batch = _rowOf(2, NUMBER, 5);
    batch.payments[1].ref = 0;
    _expectInvalid(p, batch, signature);
    batch = _rowOf(2, NUMBER, 5);
    batch.payments[1].payee = payees[1];
    _expectInvalid(p, batch, signature);
    batch = _rowOf(2, NUMBER, 5);
    ++batch.payments[1].amount;
    _expectInvalid(p, batch, signature);
    _expectInvalid(p, _rowOf(1, NUMBER, 5), signature);
    _expectInvalid(p, _rowOf(3, NUMBER, 5), signature);
  }

  function _relayUnchanged(ISpendPermissionManager.SpendPermission memory p, bytes memory signature) private {
    uint256 snapshot = vm.snapshotState();
    _relay(p, _rowOf(2, NUMBER, 5), signature);
    vm.revertToState(snapshot);
  }

  function test_error_anotherPermission() public {
    ISpendPermissionManager.SpendPermission memory p = _approved();
    Batch memory batch = _batch(NUMBER, 1);
    bytes memory signature = _signed(p, batch);
    p.salt = 2;
    _approve(p);
    _expectInvalid(p, batch, signature);
  }

  function test_error_anotherChain() public {
    ISpendPermissionManager.SpendPermission memory p = _approved();
    Batch memory batch = _batch(NUMBER, 1);
    bytes memory signature = _signed(p, batch);
    vm.chainId(1);
    _expectInvalid(p, batch, signature);
    // After a split, what is signed for the new chain is valid there.
    _approve(p);
    _relay(p, batch, _signed(p, batch));
  }

  function test_error_anotherSigner(uint256 key) public {
    key = bound(key, 1, 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364140);
    vm.assume(vm.addr(key) != agent);
    ISpendPermissionManager.SpendPermission memory p = _approved();
    Batch memory batch = _batch(NUMBER, 1);
    _expectInvalid(p, batch, _sign(key, _batchHash(p, batch)));
  }

  function test_error_noSignature(bytes memory signature) public {
    _expectInvalid(_approved(), _batch(NUMBER, 1), signature);
  }

  function test_error_malformedBatch() public {
    ISpendPermissionManager.SpendPermission memory p = _approved();
    vm.expectRevert(BatchLib.MalformedBatch.selector);
    guard.payWithSignature(p, hex"00", "");
  }

  function test_error_deadlinePassed() public {
    ISpendPermissionManager.SpendPermission memory p = _approved();
    Batch memory batch = _batch(NUMBER, 1);
    bytes memory signature = _signed(p, batch);
    vm.warp(batch.deadline);
    bytes memory data = BatchLib.encode(batch);
    vm.expectRevert(
      abi.encodeWithSelector(IHardcapGuard.DeadlinePassed.selector, batch.deadline, batch.deadline)
    );
    guard.payWithSignature(p, data, signature);
  }
}
