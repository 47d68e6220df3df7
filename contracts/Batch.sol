// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @notice Payments for one task, made together or not at all.
struct Batch {
  /// @dev First second at which the batch cannot be paid any more.
  uint48 deadline;
  /// @dev What the payments are for, zero for nothing. A label in the events, unless the policy caps tasks.
  bytes32 task;
  /// @dev For `task`, where the policy caps tasks; none where it does not.
  Ticket ticket;
  /// @dev Equal payees in a row share a transfer.
  Payment[] payments;
}

/// @notice One payment of a batch.
struct Payment {
  /// @dev Chosen before the first attempt, and kept through every retry.
  uint256 number;
  /// @dev Returned in the event: `keccak256(grantId, idempotency key)`, or anything else.
  bytes32 ref;
  address payee;
  /// @dev In base units of the permission's token.
  uint112 amount;
  /// @dev That the policy's Merkle root contains the payee. Empty where any payee is allowed, and where the payee is
  ///      that of the payment before.
  bytes32[] proof;
}

/// @notice The orchestrator's word that a task exists, and what it may cost.
struct Ticket {
  /// @dev Most that the task may cost over its lifetime; the policy's `perTask` holds as well.
  uint112 cap;
  /// @dev First second at which the ticket cannot be used any more.
  uint48 deadline;
  /// @dev By the orchestrator, over `IHardcapGuard.hashTicket`. Empty for no ticket.
  bytes signature;
}

/// @title BatchLib
/// @notice `Batch` as bytes, the form in which it is sent: the ABI's padding, and reading it, would cost a payment some
///         3,000 gas. What the agent signs is the struct, see `GuardHash`.
/// @dev A batch:   `deadline (6) | t (2) | task (32) | ticket (t - 1) | payments, to the end`,
///                 where t is zero if there is no task; then neither it nor a ticket is there
///      A ticket:  `cap (14) | deadline (6) | signature, to the end`, or nothing at all
///      A payment: `length of the proof (1) | number (32) | ref (32) | payee (20) | amount (14) | proof (32 each)`
library BatchLib {
  uint256 private constant _HEAD = 8;
  uint256 private constant _PAYMENT_HEAD = 99;

  /// @notice A payment without its proof.
  struct Entry {
    uint256 number;
    bytes32 ref;
    address payee;
    uint256 amount;
  }

  /// @notice The bytes are not what `encode` makes of any batch.
  error MalformedBatch();

  /* ---------------------------------------- batch and ticket ---------------------------------------- */

  /// @notice What is not a payment, and where the first payment starts: the batch's length if there is none.
  /// @dev No ticket is an empty one.
  function head(bytes calldata batch)
    internal
    pure
    returns (uint256 deadline, bytes32 task, bytes calldata encodedTicket, uint256 first)
  {
    assembly ("memory-safe") {
      let word := calldataload(batch.offset)
      deadline := shr(208, word)
      first := _HEAD
      encodedTicket.offset := batch.offset
      encodedTicket.length := 0
      let t := and(shr(192, word), 0xffff)
      if t {
        task := calldataload(add(batch.offset, _HEAD))
        encodedTicket.offset := add(batch.offset, add(_HEAD, 32))
        encodedTicket.length := sub(t, 1)
        first := add(_HEAD, add(31, t))
        // Nothing has one form only.
        if iszero(or(task, encodedTicket.length)) { first := not(0) }
      }
    }
    if (first > batch.length) revert MalformedBatch();
  }

  function ticketCap(bytes calldata t) internal pure returns (uint112) {
    return uint112(_word(t, 0) >> 144);
  }

  function ticketDeadline(bytes calldata t) internal pure returns (uint48) {
    return uint48(_word(t, 14) >> 208);
  }

  /// @notice Empty if there is none, or no ticket.
  function ticketSignature(bytes calldata t) internal pure returns (bytes calldata) {
    return t.length > 20 ? t[20:] : t[:0];
  }

  /* ---------------------------------------- payments ---------------------------------------- */

  /// @notice Reads the payment at `at`.
  /// @return next Where the next one starts: the batch's length if there is none.
  function read(bytes calldata batch, uint256 at, Entry memory payment) internal pure returns (uint256 next) {
    assembly ("memory-safe") {
      let start := add(batch.offset, at)
      mstore(payment, calldataload(add(start, 1))) // number
      mstore(add(payment, 0x20), calldataload(add(start, 33))) // ref
      mstore(add(payment, 0x40), shr(96, calldataload(add(start, 65)))) // payee
      mstore(add(payment, 0x60), shr(144, calldataload(add(start, 85)))) // amount
      next := add(at, add(_PAYMENT_HEAD, shl(5, byte(0, calldataload(start)))))
    }
    if (next > batch.length) revert MalformedBatch();
  }

  /// @notice The proof of the payment at `at`, which `read` has accepted.
  function proofAt(bytes calldata batch, uint256 at) internal pure returns (bytes32[] calldata proof) {
    assembly ("memory-safe") {
      let start := add(batch.offset, at)
      proof.length := byte(0, calldataload(start))
      proof.offset := add(start, _PAYMENT_HEAD)
    }
  }

  /// @dev The word that starts at `at`; what lies behind the batch is cut off by whoever asks.
  function _word(bytes calldata data, uint256 at) private pure returns (uint256 word) {
    assembly ("memory-safe") {
      word := calldataload(add(data.offset, at))
    }
  }

  /* ---------------------------------------- encoding ---------------------------------------- */

  /// @notice The bytes that stand for `batch`.
  /// @dev A proof has at most 255 nodes and a ticket at most 65,534 bytes, or it reverts with `MalformedBatch`.
  function encode(Batch memory batch) internal pure returns (bytes memory data) {
    bytes memory encodedTicket = encode(batch.ticket);
    if (encodedTicket.length >= type(uint16).max) revert MalformedBatch();
    data = batch.task == 0 && encodedTicket.length == 0
      ? abi.encodePacked(batch.deadline, uint16(0))
      : abi.encodePacked(batch.deadline, uint16(encodedTicket.length + 1), batch.task, encodedTicket);
    for (uint256 i; i < batch.payments.length; ++i) {
      Payment memory p = batch.payments[i];
      if (p.proof.length > type(uint8).max) revert MalformedBatch();
      bytes memory fields = abi.encodePacked(uint8(p.proof.length), p.number, p.ref, p.payee, p.amount);
      data = abi.encodePacked(data, fields, p.proof);
    }
  }

  /// @notice The bytes that stand for a ticket: none if it has no signature.
  function encode(Ticket memory t) internal pure returns (bytes memory) {
    if (t.signature.length == 0) return "";
    return abi.encodePacked(t.cap, t.deadline, t.signature);
  }
}
