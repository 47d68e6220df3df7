import { type Address, type Hex, hashTypedData } from 'viem'
import { hardcapGuard } from './Addresses.js'
import { InputError } from './errors.js'
import { hash as hashPermission, type Permission } from './Permission.js'
import * as Policy from './Policy.js'
import { type Signer, signAs } from './Signer.js'

/** One payment of a batch. */
export type Payment = {
  /** uint256. Chosen before the first attempt and kept through every retry: it pays at most once. See `number`. */
  readonly number: bigint
  /** 32 bytes that the event returns. See `reference`. */
  readonly ref: Hex
  readonly payee: Address
  /** uint112, base units. */
  readonly amount: bigint
  /** That the policy lists the payee; empty where it allows any, or where the payment before has the same payee. */
  readonly proof: readonly Hex[]
}

/** The orchestrator's word that a task exists, and what it may cost. */
export type Ticket = {
  /** uint112, base units: the most over the task's lifetime. The policy's `perTask` holds as well. */
  readonly cap: bigint
  /** Unix seconds, exclusive. */
  readonly deadline: number
  readonly signature: Hex
}

/** Payments for one task, made together or not at all. */
export type Batch = {
  /** Unix seconds, exclusive. */
  readonly deadline: number
  /** 32 bytes (see `task`), or null for none. A label in the events, unless the policy caps tasks. */
  readonly task: Hex | null
  /** For the task, where the policy caps tasks; null where it does not. */
  readonly ticket: Ticket | null
  readonly payments: readonly Payment[]
}

/** A payment to the agent's purse, given as the balance that the purse is to have afterwards. */
export type Funding = Pick<Batch, 'deadline' | 'task' | 'ticket'> & {
  readonly number: bigint
  readonly ref: Hex
  /** uint112, base units: at most the policy's `maxFloat`. */
  readonly target: bigint
}

/** What an orchestrator signs: the same for every permission of the grant. */
export type TicketTerms = {
  readonly chainId: number
  readonly account: Address
  readonly token: Address
  readonly grantId: Hex
  readonly task: Hex
} & Omit<Ticket, 'signature'>

const noTask: Hex = `0x${'0'.repeat(64)}`

const payment = [
  { name: 'number', type: 'uint256' },
  { name: 'ref', type: 'bytes32' },
  { name: 'payee', type: 'address' },
  { name: 'amount', type: 'uint112' },
] as const

const head = [
  { name: 'permission', type: 'bytes32' },
  { name: 'deadline', type: 'uint48' },
  { name: 'task', type: 'bytes32' },
] as const

const batchTypes = {
  Batch: [...head, { name: 'payments', type: 'Payment[]' }],
  Payment: payment,
} as const

const fundingTypes = {
  Funding: [
    ...head,
    { name: 'number', type: 'uint256' },
    { name: 'ref', type: 'bytes32' },
    { name: 'target', type: 'uint112' },
  ],
} as const

const ticketTypes = {
  Ticket: [
    { name: 'account', type: 'address' },
    { name: 'token', type: 'address' },
    { name: 'grantId', type: 'bytes32' },
    { name: 'task', type: 'bytes32' },
    { name: 'cap', type: 'uint112' },
    { name: 'deadline', type: 'uint48' },
  ],
} as const

/** The EIP-712 domain of HardcapGuard. */
function domain(chainId: number) {
  return { name: 'Hardcap Guard', version: '1', chainId, verifyingContract: hardcapGuard } as const
}

/* ------------------------------------------ batches ------------------------------------------ */

type BatchOf = { permission: Permission; batch: Batch }

/** What the agent signs for a batch that somebody else submits. Proofs and ticket are not in it. */
export function batchTypedData({ permission, batch }: BatchOf) {
  return {
    domain: domain(permission.chainId),
    types: batchTypes,
    primaryType: 'Batch',
    message: {
      permission: hashPermission(permission),
      deadline: batch.deadline,
      task: batch.task ?? noTask,
      payments: batch.payments.map(({ proof, ...payment }) => payment),
    },
  } as const
}

/** The EIP-712 digest of a batch, computed here, equal to `hashBatch` of the guard. */
export function batchHash(options: BatchOf): Hex {
  return hashTypedData(batchTypedData(options))
}

/**
 * The agent's signature over a batch, for `payWithSignature`. Before the deadline anybody who has it can submit it.
 *
 * @throws PermissionError `SIGNER_MISMATCH`, `CHAIN_MISMATCH`; PolicyError where the permission has no policy
 */
export async function signBatch(signer: Signer, options: BatchOf): Promise<Hex> {
  return await signAs(signer, { definition: batchTypedData(options), ...agentOf(options.permission) })
}

/* ------------------------------------------ fundings ------------------------------------------ */

type FundingOf = { permission: Permission; funding: Funding }

/** What the agent signs for a funding that somebody else submits. */
export function fundingTypedData({ permission, funding }: FundingOf) {
  const { deadline, task, number, ref, target } = funding
  return {
    domain: domain(permission.chainId),
    types: fundingTypes,
    primaryType: 'Funding',
    message: { permission: hashPermission(permission), deadline, task: task ?? noTask, number, ref, target },
  } as const
}

/** The EIP-712 digest of a funding, computed here, equal to `hashFunding` of the guard. */
export function fundingHash(options: FundingOf): Hex {
  return hashTypedData(fundingTypedData(options))
}

/**
 * The agent's signature over a funding, for `fundWithSignature`.
 *
 * @throws as `signBatch`
 */
export async function signFunding(signer: Signer, options: FundingOf): Promise<Hex> {
  return await signAs(signer, { definition: fundingTypedData(options), ...agentOf(options.permission) })
}

/* ------------------------------------------ tickets ------------------------------------------ */

/** What the orchestrator signs for a task. */
export function ticketTypedData({ chainId, ...message }: TicketTerms) {
  return { domain: domain(chainId), types: ticketTypes, primaryType: 'Ticket', message } as const
}

/** The EIP-712 digest of a ticket, computed here, equal to `hashTicket` of the guard. */
export function ticketHash(terms: TicketTerms): Hex {
  return hashTypedData(ticketTypedData(terms))
}

/**
 * The orchestrator's ticket for a task under a permission: good for its siblings and successors under the same grant
 * too, until its deadline, and for `cap` base units over the task's lifetime.
 *
 * @throws InputError `INVALID_VALUE` where the policy has no orchestrator; as `signBatch`
 */
export async function signTicket(
  signer: Signer,
  options: { permission: Permission; task: Hex; cap: bigint; deadline: number },
): Promise<Ticket> {
  const { permission, task, cap, deadline } = options
  const { chainId, account, token } = permission
  const { grantId, orchestrator } = Policy.decode(permission.extraData)
  if (orchestrator === null)
    throw new InputError('INVALID_VALUE', {
      field: 'permission',
      given: permission,
      valid: 'a permission whose policy names an orchestrator',
      why: 'Nobody signs tickets for it.',
    })
  const signature = await signAs(signer, {
    definition: ticketTypedData({ chainId, account, token, grantId, task, cap, deadline }),
    address: orchestrator,
    chainId,
    subject: 'The tickets of this grant are signed by its orchestrator',
    remedy: "Give the orchestrator's account.",
  })
  return { cap, deadline, signature }
}

function agentOf({ chainId, extraData }: Permission) {
  return {
    address: Policy.decode(extraData).agent,
    chainId,
    subject: 'The agent of the permission is',
    remedy: "Give the agent's account.",
  }
}
