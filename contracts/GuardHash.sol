// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { ECDSA } from "solady/utils/ECDSA.sol";
import { SignatureCheckerLib } from "solady/utils/SignatureCheckerLib.sol";

import { BatchLib } from "./Batch.sol";
import { IHardcapGuard } from "./interfaces/IHardcapGuard.sol";

/// @title GuardHash
/// @notice EIP-712 struct hashes of what agents and orchestrators sign for the guard, and their signatures.
library GuardHash {
  using BatchLib for bytes;

  bytes32 private constant _PAYMENT_TYPEHASH =
    keccak256("Payment(uint256 number,bytes32 ref,address payee,uint112 amount)");
  bytes32 private constant _BATCH_TYPEHASH = keccak256(
    "Batch(bytes32 permission,uint48 deadline,bytes32 task,Payment[] payments)"
    "Payment(uint256 number,bytes32 ref,address payee,uint112 amount)"
  );
  bytes32 private constant _FUNDING_TYPEHASH = keccak256(
    "Funding(bytes32 permission,uint48 deadline,bytes32 task,uint256 number,bytes32 ref,uint112 target)"
  );
  bytes32 private constant _TICKET_TYPEHASH = keccak256(
    "Ticket(address account,address token,bytes32 grantId,bytes32 task,uint112 cap,uint48 deadline)"
  );

  /// @param permission SPM's hash of the permission.
  function hashBatch(bytes calldata batch, bytes32 permission) internal pure returns (bytes32) {
    (uint256 deadline, bytes32 task,, uint256 at) = batch.head();
    BatchLib.Entry memory payment;
    bytes memory payments;
    while (at != batch.length) {
      uint256 next = batch.read(at, payment);
      payments = bytes.concat(payments, keccak256(abi.encode(_PAYMENT_TYPEHASH, payment)));
      at = next;
    }
    return keccak256(abi.encode(_BATCH_TYPEHASH, permission, deadline, task, keccak256(payments)));
  }

  /// @param permission SPM's hash of the permission.
  function hashFunding(IHardcapGuard.Funding calldata funding, bytes32 permission)
    internal
    pure
    returns (bytes32)
  {
    return keccak256(
      abi.encode(
        _FUNDING_TYPEHASH,
        permission,
        funding.deadline,
        funding.task,
        funding.number,
        funding.ref,
        funding.target
      )
    );
  }

  /// @dev A ticket is for a task of a grant, under whatever permission.
  function hashTicket(
    address account,
    address token,
    bytes32 grantId,
    bytes32 task,
    uint112 cap,
    uint48 deadline
  ) internal pure returns (bytes32) {
    return keccak256(abi.encode(_TICKET_TYPEHASH, account, token, grantId, task, cap, deadline));
  }

  /// @notice Whether `signer`, not the zero address, signed `digest`.
  /// @dev ECDSA first, so that an EOA stays able to sign when it delegates to code (EIP-7702) that does not know its
  ///      plain signatures; then ERC-1271. A signature has malleable forms: what it allows is held by numbers.
  function isSignedBy(address signer, bytes32 digest, bytes calldata signature) internal view returns (bool) {
    if (ECDSA.tryRecoverCalldata(digest, signature) == signer) return true;
    return signer.code.length != 0
      && SignatureCheckerLib.isValidERC1271SignatureNowCalldata(signer, digest, signature);
  }
}
