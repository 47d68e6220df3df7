// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { ISpendPermissionManager } from "./ISpendPermissionManager.sol";

/// @title IPurseGuard
/// @notice What a purse asks the guard that deployed it. The guard implements it.
interface IPurseGuard {
  /// @notice Whether anybody who may has stopped a permission of a grant.
  /// @param orchestrator Of the permission's policy; the zero address for none, whose flags nobody can have set.
  /// @param agent Of the permission's policy.
  /// @return paused By the account or the orchestrator. Reversible.
  /// @return revoked By the account, the orchestrator or the agent. Final.
  function stops(address account, address token, bytes32 grantId, address orchestrator, address agent)
    external
    view
    returns (bool paused, bool revoked);
}

/// @title IPurse
/// @notice A float of one agent, under one grant, from which anybody can settle what the agent signs by EIP-3009:
///         the payer of x402 `exact`, without a transaction by the agent per call. It pays allowlisted payees, by
///         the token's `transferWithAuthorization`, and its account, by `sweep`. Nothing else moves anything.
/// @dev Units: amounts in base units of the token, times in unix seconds; an end is exclusive.
/// @dev An ERC-1167 clone of one implementation per guard, with the immutable arguments
///      `abi.encodePacked(account, token, grantId, agent)` (92 bytes) and salt zero (Solady's `LibClone`), so its
///      address follows from these four and the guard. Deployed by the guard, before it is first funded.
/// @dev Assumptions: the token implements EIP-3009 with ERC-1271 payers, as USDC since version 2.2 does, has a
///      `DOMAIN_SEPARATOR()`, and moves exactly the value that it is asked to move. SPM never takes back an
///      approval other than by a revoke. Other assets than the token that are sent here stay here.
interface IPurse {
  /* ---------------------------------------- events ---------------------------------------- */

  /// @notice The whole balance went back to the account.
  /// @param by Who asked for it.
  /// @param amount In base units, more than zero. No meter is credited.
  event Swept(bytes32 indexed grantId, address indexed by, uint256 amount);

  /* ---------------------------------------- errors ---------------------------------------- */

  /// @notice Only the guard can tell the purse what funded it.
  error OnlyGuard(address caller);

  /// @notice The purse was last funded under `expected`; `actual` is the hash of the permission in the call.
  error NotFundedBy(bytes32 actual, bytes32 expected);

  /// @notice The permission is live, so only the account, the agent or the policy's orchestrator can sweep.
  error SweepNotAllowed(address caller);

  /* ---------------------------------------- actions ---------------------------------------- */

  /// @notice Returns the whole balance to the account.
  /// @dev The account and the agent: always, with any permission, an empty one too. Everybody else has to show
  ///      the permission that last funded the purse: its orchestrator can sweep always, anyone once it is revoked
  ///      (through SPM, or by a final flag at the guard) or has ended. A pause is not a reason.
  /// @dev Reverts with, in this order: `NotFundedBy`, `SweepNotAllowed`, then with the token's own error.
  /// @return amount What was returned, in base units. Zero, without an event, if there was nothing.
  function sweep(ISpendPermissionManager.SpendPermission calldata permission)
    external
    returns (uint256 amount);

  /// @notice Notes under which permission money arrives: from now on the purse pays under this one only. If it is
  ///         another one than before, or the first, what the purse holds goes back to the account before, so that
  ///         under no permission more can be paid than came by it (and was donated since).
  /// @dev Reverts with `OnlyGuard`. The guard calls it before the money arrives, in the same transaction, with a
  ///      permission of the purse's account, token, grant and agent whose spender is the guard; the purse relies
  ///      on that, and that SPM lets nothing be spent under a permission that is not approved. A balance that is there
  ///      counts towards a funding's target only if `fundedBy` is the same permission.
  /// @param permission SPM's hash of the permission.
  function noteFunding(bytes32 permission) external;

  /* ---------------------------------------- views ---------------------------------------- */

  /// @notice ERC-1271: whether the purse agrees to an EIP-3009 authorization of its token.
  /// @dev Does not revert: what is not accepted, however malformed, gives `0xffffffff`. `signature` is packed, every
  ///      bit of it counts, and it is either
  ///
  ///      a cancellation (`CancelAuthorization(purse, nonce)`):
  ///        uint8 kind = 2, bytes32 nonce, bytes agentSignature
  ///
  ///      or a payment (`TransferWithAuthorization(purse, to, value, validAfter, validBefore, nonce)`):
  ///        uint8 kind = 1,
  ///        address to, uint112 value, uint48 validAfter, uint48 validBefore, bytes32 nonce,
  ///        uint160 allowance, uint48 period, uint48 start, uint48 end, uint256 salt,
  ///        bytes3 head of extraData, uint16 length of tail, bytes tail of extraData,
  ///        uint8 length of proof, bytes32[] proof,
  ///        bytes agentSignature
  ///
  ///      where `allowance` to `tail` are the permission that last funded the purse, without what the purse knows:
  ///      its account, spender and token, and between head and tail of its extraData grantId and agent; `proof` shows `to` to be among the policy's payees (and
  ///      is empty where any payee is allowed), and `agentSignature`, to the end, is the agent's over `hash`:
  ///      ECDSA of 65 bytes (64 by EIP-2098), or else what the agent's own ERC-1271 accepts. `hash` is not believed but
  ///      rebuilt, with the domain that the token tells.
  /// @dev A payment is accepted while the permission has started and not ended, is not revoked, nothing is paused,
  ///      `to` is a payee and `value` is at most the policy's `perCall`. When it can be settled is the token's to
  ///      check: `validAfter < now < validBefore`. A cancellation needs the agent's signature alone.
  /// @dev 65 bytes and the ERC-6492 suffix are refused: tokens and facilitators take these for something else.
  /// @return magicValue `0x1626ba7e` if accepted.
  function isValidSignature(bytes32 hash, bytes calldata signature) external view returns (bytes4 magicValue);

  /// @notice The guard that deployed the implementation: the spender of every permission that funds the purse.
  function guard() external view returns (IPurseGuard);

  /// @notice Whose money it is: the only receiver of `sweep`.
  function account() external view returns (address);

  /// @notice The only token that the purse pays in.
  function token() external view returns (address);

  /// @notice The grant, which stays the same through replaced permissions.
  function grantId() external view returns (bytes32);

  /// @notice The only one whose signature makes the purse pay.
  function agent() external view returns (address);

  /// @notice SPM's hash of the permission that last funded the purse; zero before the first time.
  function fundedBy() external view returns (bytes32);
}
