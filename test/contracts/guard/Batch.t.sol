// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { Test } from "forge-std/Test.sol";

import { Batch, BatchLib, Payment, Ticket } from "../../../contracts/Batch.sol";

contract BatchTest is Test {
  using BatchLib for bytes;

  /// @dev The whole batch, by the readers.
  function read(bytes calldata data) external pure returns (Batch memory batch) {
    (uint256 deadline, bytes32 task, bytes calldata ticket, uint256 at) = data.head();
    batch.deadline = uint48(deadline);
    batch.task = task;
    if (ticket.length != 0) {
      batch.ticket = Ticket(ticket.ticketCap(), ticket.ticketDeadline(), ticket.ticketSignature());
    }
    batch.payments = new Payment[](_count(data, at));
    BatchLib.Entry memory payment;
    for (uint256 i; at != data.length; ++i) {
      uint256 next = data.read(at, payment);
      batch.payments[i] =
        Payment(payment.number, payment.ref, payment.payee, uint112(payment.amount), data.proofAt(at));
      at = next;
    }
  }

  function _count(bytes calldata data, uint256 at) private pure returns (uint256 count) {
    BatchLib.Entry memory payment;
    for (; at != data.length; ++count) {
      at = data.read(at, payment);
    }
  }

  function readHead(bytes calldata data) external pure returns (uint256 first) {
    (,,, first) = data.head();
  }

  function encode(Batch calldata batch) external pure returns (bytes memory) {
    return BatchLib.encode(batch);
  }

  function test_default() public view {
    Batch memory batch;
    batch.deadline = 7;
    batch.task = keccak256("task");
    batch.ticket = Ticket(8, 9, hex"0a0b");
    batch.payments = new Payment[](1);
    batch.payments[0] = Payment(10, keccak256("ref"), address(0xbee), 11, new bytes32[](1));
    batch.payments[0].proof[0] = keccak256("node");
    bytes memory data = abi.encodePacked(
      uint48(7),
      uint16(23),
      keccak256("task"),
      abi.encodePacked(uint112(8), uint48(9), hex"0a0b"),
      abi.encodePacked(uint8(1), uint256(10), keccak256("ref"), address(0xbee), uint112(11)),
      keccak256("node")
    );
    assertEq(this.encode(batch), data);
    assertEq(abi.encode(this.read(data)), abi.encode(batch));
  }

  /// @dev Neither a task nor a ticket, nor any bytes for them.
  function test_args_noTask(uint48 deadline) public view {
    Batch memory batch;
    (batch.deadline, batch.payments) = (deadline, new Payment[](1));
    bytes memory data = abi.encodePacked(deadline, uint16(0), new bytes(99));
    assertEq(this.encode(batch), data);
    assertEq(abi.encode(this.read(data)), abi.encode(batch));
  }

  function test_args_anyBatch(Batch memory batch) public view {
    if (batch.ticket.signature.length == 0) (batch.ticket.cap, batch.ticket.deadline) = (0, 0);
    Payment[] memory payments = batch.payments;
    if (payments.length > 6) _cut(payments, 6);
    for (uint256 i; i < payments.length; ++i) {
      if (payments[i].proof.length > 6) payments[i].proof = new bytes32[](250 + i);
    }
    assertEq(abi.encode(this.read(this.encode(batch))), abi.encode(batch));
  }

  function _cut(Payment[] memory payments, uint256 length) private pure {
    assembly {
      mstore(payments, length)
    }
  }

  /// @dev A signature that is not there is no signature, whatever is in its place.
  function test_args_shortTicket(uint8 length) public view {
    length = uint8(bound(length, 1, 20));
    bytes memory data =
      abi.encodePacked(uint48(1), uint16(length) + 1, bytes32(0), new bytes(length), new bytes(99));
    assertEq(this.read(data).ticket.signature.length, 0);
    assertEq(this.read(data).payments.length, 1);
  }

  /// @dev Cut off anywhere: either between payments, or refused.
  function test_error_everyTruncation() public {
    Batch memory batch;
    batch.ticket = Ticket(1, 2, hex"03");
    batch.payments = new Payment[](3);
    for (uint256 i; i < 3; ++i) {
      batch.payments[i] = Payment(i, 0, address(1), 1, new bytes32[](i));
    }
    bytes memory data = this.encode(batch);
    uint256 head = 40 + 21;
    for (uint256 length; length < data.length; ++length) {
      bytes memory cut = new bytes(length);
      for (uint256 i; i < length; ++i) {
        cut[i] = data[i];
      }
      if (length == head || length == head + 99 || length == head + 99 + 131) {
        assertEq(this.read(cut).payments.length, (length - head + 98) / 115);
      } else {
        vm.expectRevert(BatchLib.MalformedBatch.selector);
        this.read(cut);
      }
    }
  }

  function test_error_ticketPastTheEnd(uint16 length) public {
    length = uint16(bound(length, 2, type(uint16).max));
    bytes memory data = abi.encodePacked(uint48(1), length, bytes32(0), new bytes(uint256(length) - 2));
    vm.expectRevert(BatchLib.MalformedBatch.selector);
    this.read(data);
    // Nobody has to read on to find out.
    vm.expectRevert(BatchLib.MalformedBatch.selector);
    this.readHead(data);
    assertEq(this.readHead(bytes.concat(data, hex"00")), data.length + 1);
  }

  /// @dev Said at length, what a zero says.
  function test_error_noTaskAndNoTicket() public {
    assertEq(this.read(abi.encodePacked(uint48(1), uint16(0), new bytes(99))).payments.length, 1);
    vm.expectRevert(BatchLib.MalformedBatch.selector);
    this.read(abi.encodePacked(uint48(1), uint16(1), bytes32(0), new bytes(99)));
  }

  function test_error_proofTooLong() public {
    Batch memory batch;
    batch.payments = new Payment[](1);
    batch.payments[0].proof = new bytes32[](256);
    vm.expectRevert(BatchLib.MalformedBatch.selector);
    this.encode(batch);
  }

  function test_error_ticketTooLong() public {
    Batch memory batch;
    batch.ticket.signature = new bytes(65_515);
    vm.expectRevert(BatchLib.MalformedBatch.selector);
    this.encode(batch);
    batch.ticket.signature = new bytes(65_514);
    assertEq(this.read(this.encode(batch)).ticket.signature.length, 65_514);
  }
}
