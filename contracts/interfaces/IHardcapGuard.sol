// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { Policy } from "../Policy.sol";
import { IPurseGuard } from "./IPurse.sol";
import { ISpendPermissionManager } from "./ISpendPermissionManager.sol";

/// @title IHardcapGuard
/// @notice The spender of Coinbase Spend Permissions whose `extraData` is a `Policy`: it takes the money that its
///         policy allows, passes it on to the payees, and keeps what SPM cannot: per call, UTC day, lifetime total,
///         trailing window, tasks, payees, pause and revocation.
/// @dev A signed permission is never worth more than its visible fields: whatever its `extraData` says, the money
///      comes from its account by `SPM.spend`, so within allowance and dates, and only while it is approved. A policy
///      can only narrow that.
/// @dev Units: amounts in base units of the token, times in unix seconds, lengths in seconds. Intervals are half
///      open: a deadline is passed, and a permission ended, at the second that it names.
/// @dev Meters belong to a grant, `(account, token, grantId)`: permissions that renew, replace or accompany each
///      other under one grantId share what was spent, each with its own limits. Total and day are always kept; a
///      window is kept per length, a task per task, each from the first payment of a permission that caps it.
/// @dev Payment numbers belong to `(account, token, grantId, agent)`: each pays once. They are unordered; the 256
///      numbers that share their upper 248 bits share a storage slot.
/// @dev Assumptions: SPM is the published one. The token moves exactly what it is asked to move: tokens that take a
///      fee on transfer or rebase are not supported, nor is the native token. The guard keeps no balance: what it
///      was given by mistake, or as a donation that keeps its balance slot warm, stays where it is.
/// @dev No owner, no upgrade, no setting.
interface IHardcapGuard is IPurseGuard {
  /* ---------------------------------------- structs ---------------------------------------- */

  /// @notice A payment to the agent's purse, given as the balance that the purse is to have afterwards.
  struct Funding {
    /// @dev First second at which the funding cannot be paid any more.
    uint48 deadline;
    /// @dev What the funding is for; as in `Batch`.
    bytes32 task;
    /// @dev `BatchLib.encode(Ticket)`, where the policy caps tasks; empty where it does not.
    bytes ticket;
    /// @dev As in `Payment`; payments and fundings share their numbers.
    uint256 number;
    /// @dev Returned in the event; as in `Payment`.
    bytes32 ref;
    /// @dev Balance of the purse afterwards; at most the policy's `maxFloat`. What another permission put there before goes
    ///      back to the account and does not count.
    uint112 target;
  }

  /// @notice What was spent, or what is left to spend, by each meter; in base units.
  struct Meters {
    /// @dev Of one payment.
    uint256 perCall;
    /// @dev In this UTC day, under the whole grant.
    uint256 perDay;
    /// @dev Ever, under the whole grant.
    uint256 total;
    /// @dev On the task that was asked for, under the whole grant.
    uint256 perTask;
    /// @dev In the trailing window (up to a third longer), by permissions with this window length.
    uint256 perWindow;
    /// @dev In SPM's current period, by this permission.
    uint256 period;
    /// @dev In the purse. What another permission put there does not count: this one's first funding sends it back.
    uint256 float;
  }

  /// @notice Why a payment or funding would be refused, in the order in which the guard looks.
  enum Reason {
    /// Nothing is in the way, as far as guard and SPM can tell: the account's balance and owners, the caller and the
    /// agent's signature are not looked at.
    Ok,
    /// An error that is not listed here, of a token or of a contract that signs.
    Other,
    /// `UnknownPolicyVersion`
    UnknownPolicyVersion,
    /// `MalformedPolicy`
    MalformedPolicy,
    /// `WrongSpender`
    WrongSpender,
    /// `NativeToken`
    NativeToken,
    /// `DeadlinePassed`
    DeadlinePassed,
    /// `RevokedBy`
    Revoked,
    /// `PausedBy`
    Paused,
    /// `BatchLib.MalformedBatch`; payments only
    MalformedBatch,
    /// `EmptyBatch`; payments only
    EmptyBatch,
    /// `NumberUsed`
    NumberUsed,
    /// `OverFloat`; fundings only
    OverFloat,
    /// `NothingToFund`; fundings only
    NothingToFund,
    /// `ZeroAmount`; payments only, as the next three
    ZeroAmount,
    /// `OverPerCall`
    OverPerCall,
    /// `ForbiddenPayee`
    ForbiddenPayee,
    /// `WrongPayee`
    WrongPayee,
    /// `OverTotal`
    OverTotal,
    /// `OverDay`
    OverDay,
    /// `OverWindow`
    OverWindow,
    /// `TicketUnexpected`
    TicketUnexpected,
    /// `TaskMissing`
    TaskMissing,
    /// `TicketMissing`
    TicketMissing,
    /// `TicketExpired`
    TicketExpired,
    /// `TicketInvalid`
    TicketInvalid,
    /// `OverTask`
    OverTask,
    /// SPM's `UnauthorizedSpendPermission`: not approved, or revoked
    NotApproved,
    /// SPM's `BeforeSpendPermissionStart`
    NotStarted,
    /// SPM's `AfterSpendPermissionEnd`
    Ended,
    /// SPM's `ExceededSpendPermission` or `SpendValueOverflow`
    OverAllowance
  }

  /* ---------------------------------------- events ---------------------------------------- */

  /// @notice A payment was made.
  /// @dev Anybody can make payments of their own under any grantId and ref: `permission`, which commits to the
  ///      account and the token, says whose it is.
  event Paid(
    bytes32 indexed grantId,
    bytes32 indexed ref,
    address indexed payee,
    bytes32 permission,
    uint256 number,
    uint256 amount,
    bytes32 task
  );

  /// @notice A purse was funded. As `Paid`.
  event Funded(
    bytes32 indexed grantId,
    bytes32 indexed ref,
    address indexed purse,
    bytes32 permission,
    uint256 number,
    uint256 amount,
    bytes32 task
  );

  /// @notice `by` paused a grant. Nobody but the account and the orchestrators is listened to.
  event Paused(address indexed account, bytes32 indexed grantId, address indexed by, address token);

  /// @notice `by` took its pause back.
  event Resumed(address indexed account, bytes32 indexed grantId, address indexed by, address token);

  /// @notice `by` revoked a grant for good. Nobody but the account, the orchestrators and the agents is listened to.
  event Revoked(address indexed account, bytes32 indexed grantId, address indexed by, address token);

  /// @notice A permission was approved in place of another one, which is revoked.
  event Replaced(
    address indexed account, bytes32 indexed grantId, bytes32 indexed permission, bytes32 oldPermission
  );

  /* ---------------------------------------- errors ---------------------------------------- */

  /// @notice The guard cannot be deployed where SPM is not.
  error SpmMissing();

  /// @notice A call from within a payment.
  error Reentrancy();

  /// @notice The permission's spender is not this guard.
  error WrongSpender(address spender);

  /// @notice The native token cannot be metered here.
  error NativeToken();

  /// @notice The caller is not the policy's agent.
  error WrongAgent(address expected, address actual);

  /// @notice The policy's agent has not signed this.
  error InvalidAgentSignature(address agent);

  /// @notice The batch or funding came too late.
  error DeadlinePassed(uint256 deadline, uint256 time);

  /// @notice The grant is paused by its account or the policy's orchestrator.
  error PausedBy(address by);

  /// @notice The grant is revoked, for good, by its account or the policy's orchestrator or agent.
  error RevokedBy(address by);

  /// @notice A batch needs at least one payment.
  error EmptyBatch();

  /// @notice The number was used before, on chain or in this batch.
  error NumberUsed(uint256 number);

  /// @notice The amount of a payment is zero.
  error ZeroAmount(uint256 number);

  /// @notice One payment is above the policy's limit.
  error OverPerCall(uint256 amount, uint256 limit);

  /// @notice The payee is zero, the guard, SPM or the token; or, where any payee is allowed, the agent's own purse, which
  ///         has to be funded instead.
  error ForbiddenPayee(address payee);

  /// @notice The proof does not show that the policy allows this payee.
  error WrongPayee(address payee);

  /// @notice The grant's lifetime spend, with this amount, is above the policy's limit.
  error OverTotal(uint256 amount, uint256 used, uint256 limit);

  /// @notice The grant's spend of this UTC day, with this amount, is above the policy's limit.
  error OverDay(uint256 amount, uint256 used, uint256 limit);

  /// @notice The policy caps tasks, so a task has to be named.
  error TaskMissing();

  /// @notice The policy does not cap tasks, so nothing would enforce the ticket.
  error TicketUnexpected();

  /// @notice The policy caps tasks, so the orchestrator has to sign for this one.
  error TicketMissing();

  /// @notice The ticket came too late.
  error TicketExpired(uint256 deadline, uint256 time);

  /// @notice The orchestrator has not signed this ticket for this account, token, grant and task.
  error TicketInvalid(address orchestrator);

  /// @notice The task's spend, with this amount, is above the lower of the policy's limit and the ticket's.
  error OverTask(uint256 amount, uint256 used, uint256 limit);

  /// @notice The balance to fund to is above the policy's limit.
  error OverFloat(uint256 target, uint256 limit);

  /// @notice The purse holds the target already.
  error NothingToFund(uint256 balance, uint256 target);

  /// @notice The permission was revoked before, so that it cannot be approved.
  error ApprovalRefused(bytes32 permission);

  /// @notice The new policy does not name the old permission.
  error NotReplacing(bytes32 expected, bytes32 actual);

  /// @notice The permission to replace belongs to another grant: account, token and grantId are not all the same.
  error OtherGrant(address oldAccount, address oldToken, bytes32 oldGrantId);

  /// @notice The caller is neither the permission's account nor its policy's orchestrator or agent.
  error Unauthorized(address caller);

  /* ---------------------------------------- paying ---------------------------------------- */

  /// @notice Pays a batch; the caller is the agent.
  /// @dev Reverts with, in this order: `Reentrancy`, the errors of `PolicyLib.decode`, `WrongAgent`, those of `simulate`
  ///      other than SPM's, then SPM's, the account's and the token's. Nothing is paid then.
  /// @param batch `BatchLib.encode(Batch)`.
  function pay(ISpendPermissionManager.SpendPermission calldata permission, bytes calldata batch) external;

  /// @notice Pays a batch that the agent signed; anybody may submit it, until its deadline.
  /// @dev As `pay`, with `MalformedBatch` and `InvalidAgentSignature` in place of `WrongAgent`. An agent without code signs by ECDSA, one
  ///      with code by ECDSA or ERC-1271. Proofs and ticket are not signed: they prove themselves.
  /// @param agentSignature Over `hashBatch`.
  function payWithSignature(
    ISpendPermissionManager.SpendPermission calldata permission,
    bytes calldata batch,
    bytes calldata agentSignature
  ) external;

  /// @notice Approves a permission that its account signed, and pays a first batch from it.
  /// @dev As `pay` or `payWithSignature`; after `WrongAgent` or `InvalidAgentSignature` come SPM's errors of
  ///      `approveWithSignature` and `ApprovalRefused`. Approved before is no error.
  /// @param ownerSignature The account's over `SPM.getHash(permission)`; ERC-6492 deploys the account.
  /// @param agentSignature Over `hashBatch`; empty if the caller is the agent.
  function approveAndPay(
    ISpendPermissionManager.SpendPermission calldata permission,
    bytes calldata ownerSignature,
    bytes calldata batch,
    bytes calldata agentSignature
  ) external;

  /// @notice Funds the agent's purse; the caller is the agent. Deploys the purse first, if it is not there yet.
  /// @dev The difference between target and balance is metered as a payment. Reverts as `pay`, see `simulateFunding`.
  function fund(ISpendPermissionManager.SpendPermission calldata permission, Funding calldata funding)
    external;

  /// @notice Funds the agent's purse as the agent signed; anybody may submit it, until its deadline.
  /// @dev As `fund`, with `InvalidAgentSignature` in place of `WrongAgent`.
  /// @param agentSignature Over `hashFunding`.
  function fundWithSignature(
    ISpendPermissionManager.SpendPermission calldata permission,
    Funding calldata funding,
    bytes calldata agentSignature
  ) external;

  /* ---------------------------------------- replacing and stopping ---------------------------------------- */

  /// @notice Approves a permission that its account signed and revokes the one of the same grant that its policy names
  ///         in `replaces`; anybody may submit it. What was spent stays spent.
  /// @dev Of the same grant: wallets do not show what a policy names, and what a permission carries unseen is not to
  ///      stop other grants of the account. The agent may be another one.
  /// @dev Reverts with `Reentrancy`, `WrongSpender`, the errors of `PolicyLib.decode`, `NotReplacing`, `OtherGrant`,
  ///      SPM's of `approveWithSignature`, `ApprovalRefused`. Done before, or half, is no error.
  /// @param ownerSignature The account's over `SPM.getHash(renewed)`.
  function replace(
    ISpendPermissionManager.SpendPermission calldata old,
    ISpendPermissionManager.SpendPermission calldata renewed,
    bytes calldata ownerSignature
  ) external;

  /// @notice Pauses a grant, as far as the caller can: its account for every permission, an orchestrator for those
  ///         whose policy names it. Heard from nobody else. Purses stop as well.
  function pause(address account, address token, bytes32 grantId) external;

  /// @notice Takes back the caller's own pause, and no other.
  function resume(address account, address token, bytes32 grantId) external;

  /// @notice Revokes a grant for good, as far as the caller can, and the permission at hand with SPM.
  /// @dev The caller is the permission's account or its policy's orchestrator or agent. Reverts with `WrongSpender`,
  ///      the errors of `PolicyLib.decode`, `Unauthorized`.
  function revoke(ISpendPermissionManager.SpendPermission calldata permission) external;

  /// @notice Revokes a grant for good, as far as the caller can: its account for every permission, an orchestrator or
  ///         agent for those whose policy names it. Heard from nobody else. No permission is revoked with SPM.
  function revokeGrant(address account, address token, bytes32 grantId) external;

  /* ---------------------------------------- views ---------------------------------------- */

  /// @notice Whether a batch would be paid, by what guard and SPM know.
  /// @dev `Ok` exactly when `simulate` does not revert; otherwise the name of its error.
  function check(ISpendPermissionManager.SpendPermission calldata permission, bytes calldata batch)
    external
    view
    returns (Reason);

  /// @notice Whether a purse would be funded, by what guard, SPM and the token know.
  function checkFunding(ISpendPermissionManager.SpendPermission calldata permission, Funding calldata funding)
    external
    view
    returns (Reason);

  /// @notice Reverts with the error, figures and all, that a batch would be refused with, in the order of `Reason`.
  /// @dev The same code as `pay`, up to the effects, and then SPM's conditions.
  function simulate(ISpendPermissionManager.SpendPermission calldata permission, bytes calldata batch)
    external
    view;

  /// @notice As `simulate`, for a funding.
  function simulateFunding(
    ISpendPermissionManager.SpendPermission calldata permission,
    Funding calldata funding
  ) external view;

  /// @notice What is left under each cap; the lowest is what can be spent.
  /// @dev A cap that the policy does not have counts as the largest value of its type, less what was spent where that
  ///      is kept all the same (total and day). `period` is zero outside the permission's dates. Flags, approval and
  ///      balances are not looked at. Reverts with the errors of `PolicyLib.decode`.
  /// @param task Whose `perTask` is returned; the cap of its ticket is not known here.
  function remaining(ISpendPermissionManager.SpendPermission calldata permission, bytes32 task)
    external
    view
    returns (Meters memory);

  /// @notice What was spent, by each meter. `perCall` is zero, `float` what the purse holds from this permission.
  /// @dev As `remaining`. A window or task that the policy does not cap is not kept by it; a task reads what siblings
  ///      metered, a window zero.
  function used(ISpendPermissionManager.SpendPermission calldata permission, bytes32 task)
    external
    view
    returns (Meters memory);

  /// @notice Whether a payment number was used.
  function isUsed(address account, address token, bytes32 grantId, address agent, uint256 number)
    external
    view
    returns (bool);

  /// @notice What `extraData` says, for anybody who was handed opaque bytes.
  /// @dev Reverts with the errors of `PolicyLib.decode`.
  function explain(bytes calldata extraData) external pure returns (Policy memory);

  /// @notice The purse of an agent under a grant, deployed or not.
  function purseOf(address account, address token, bytes32 grantId, address agent)
    external
    view
    returns (address);

  /// @notice What every purse is a clone of.
  function purseImplementation() external view returns (address);

  /// @notice The EIP-712 hash that the agent signs for `payWithSignature`, in the guard's domain (`Hardcap Guard`,
  ///         version `1`): `Batch(bytes32 permission,uint48 deadline,bytes32 task,Payment[] payments)` with
  ///         `Payment(uint256 number,bytes32 ref,address payee,uint112 amount)`; `permission` is SPM's hash of it.
  function hashBatch(ISpendPermissionManager.SpendPermission calldata permission, bytes calldata batch)
    external
    view
    returns (bytes32);

  /// @notice The EIP-712 hash that the agent signs for `fundWithSignature`:
  ///         `Funding(bytes32 permission,uint48 deadline,bytes32 task,uint256 number,bytes32 ref,uint112 target)`.
  function hashFunding(ISpendPermissionManager.SpendPermission calldata permission, Funding calldata funding)
    external
    view
    returns (bytes32);

  /// @notice The EIP-712 hash that the orchestrator signs for a task:
  ///         `Ticket(address account,address token,bytes32 grantId,bytes32 task,uint112 cap,uint48 deadline)`.
  function hashTicket(
    address account,
    address token,
    bytes32 grantId,
    bytes32 task,
    uint112 cap,
    uint48 deadline
  ) external view returns (bytes32);
}
