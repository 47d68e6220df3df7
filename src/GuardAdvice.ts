import type { Advice } from './ChainError.js'

/** By the name of the custom error in the contracts: IHardcapGuard.sol, Policy.sol, TrailingWindow.sol, IPurse.sol. */
export const guardErrors = {
  Reentrancy: { code: 'REENTRANCY', advice: 'A call from within a payment: somebody in it called back.' },
  WrongSpender: {
    code: 'WRONG_SPENDER',
    advice: 'The permission is not on the guard or purse rail: its spender has to be the guard.',
  },
  NativeToken: { code: 'NATIVE_TOKEN', advice: 'The guard pays ERC-20 tokens only.' },
  UnknownPolicyVersion: {
    code: 'UNKNOWN_POLICY_VERSION',
    advice: 'The policy was made for another guard.',
  },
  MalformedPolicy: {
    code: 'MALFORMED_POLICY',
    advice: "The permission's extraData is not a policy: make the permission with Permission.fromGrant.",
  },
  WrongAgent: {
    code: 'WRONG_AGENT',
    advice: 'Only the agent can send this: send it from there, or submit what the agent signed.',
  },
  InvalidAgentSignature: {
    code: 'INVALID_AGENT_SIGNATURE',
    advice: 'The agent did not sign exactly this under this permission: have it signed again.',
  },
  DeadlinePassed: {
    code: 'DEADLINE_PASSED',
    advice: 'It came too late. Try again with a later deadline and the same numbers.',
  },
  PausedBy: { code: 'PAUSED_BY', advice: 'The grant is paused: whoever paused it has to resume it.' },
  RevokedBy: { code: 'REVOKED_BY', advice: 'The grant is revoked, for good: ask the owner for a new one.' },
  MalformedBatch: { code: 'MALFORMED_BATCH', advice: 'The bytes are not a batch.' },
  EmptyBatch: { code: 'EMPTY_BATCH', advice: 'A batch needs at least one payment.' },
  NumberUsed: {
    code: 'NUMBER_USED',
    advice: 'The payment with this number was made before: nothing is left to do for it.',
  },
  ZeroAmount: { code: 'ZERO_AMOUNT', advice: 'Pay at least one base unit.' },
  OverPerCall: {
    code: 'OVER_PER_CALL',
    advice: 'One payment is above its cap: pay less, or ask the owner for a higher cap.',
  },
  ForbiddenPayee: {
    code: 'FORBIDDEN_PAYEE',
    advice: 'The payee is a contract that is part of the payment itself.',
  },
  WrongPayee: {
    code: 'WRONG_PAYEE',
    advice: 'The payee is not listed in the policy, or the proof is not for this list.',
  },
  OverTotal: {
    code: 'OVER_TOTAL',
    advice: 'The grant would have spent more than its total: ask the owner for more.',
  },
  OverDay: {
    code: 'OVER_DAY',
    advice: 'The UTC day would see more than its cap: pay less, or wait for the next day.',
    retryable: true,
  },
  OverWindow: {
    code: 'OVER_WINDOW',
    advice: 'The trailing window would see more than its cap: pay less, or wait.',
    retryable: true,
  },
  TaskMissing: { code: 'TASK_MISSING', advice: 'The policy caps tasks: name the task.' },
  TicketUnexpected: {
    code: 'TICKET_UNEXPECTED',
    advice: 'The policy caps no tasks, so nothing would hold the ticket: leave it out.',
  },
  TicketMissing: {
    code: 'TICKET_MISSING',
    advice: "The policy caps tasks: get the orchestrator's ticket for this one.",
  },
  TicketExpired: { code: 'TICKET_EXPIRED', advice: 'Get a new ticket from the orchestrator.' },
  TicketInvalid: {
    code: 'TICKET_INVALID',
    advice: 'The orchestrator did not sign this ticket for this account, token, grant and task.',
  },
  OverTask: {
    code: 'OVER_TASK',
    advice: "The task would cost more than its cap, the policy's or the ticket's: pay less.",
  },
  OverFloat: {
    code: 'OVER_FLOAT',
    advice: 'The purse would hold more than the policy lets it: lower the target.',
  },
  NothingToFund: {
    code: 'NOTHING_TO_FUND',
    advice: 'The purse holds the target already.',
    retryable: true,
  },
  ApprovalRefused: {
    code: 'APPROVAL_REFUSED',
    advice: 'The permission was revoked before, which is for good: sign a new one, with a new salt.',
  },
  NotReplacing: {
    code: 'NOT_REPLACING',
    advice: "The new permission's policy does not name the old one: make it with `replaces`.",
  },
  OtherGrant: {
    code: 'OTHER_GRANT',
    advice: 'Only a permission of the same account, token and grantId can be replaced.',
  },
  Unauthorized: {
    code: 'UNAUTHORIZED',
    advice: "Only the permission's account, or its policy's orchestrator or agent, can do this.",
  },
  SpmMissing: {
    code: 'SPM_MISSING',
    advice: 'The guard can only be deployed where SpendPermissionManager is.',
  },
  OnlyGuard: { code: 'ONLY_GUARD', advice: 'Only the guard can call this.' },
  NotFundedBy: {
    code: 'NOT_FUNDED_BY',
    advice: 'The purse was last funded under the expected permission: give that one.',
  },
  SweepNotAllowed: {
    code: 'SWEEP_NOT_ALLOWED',
    advice:
      'While the permission is live, only the account, the agent or the orchestrator can empty the purse.',
  },
} as const satisfies Record<string, Advice>
