import type { Address, Client, Hex, TransactionReceipt } from 'viem'
import { missing, type Outcome, perform, settled } from './Action.js'
import {
  type Key,
  prepareApproveAndPay,
  prepareFund,
  prepareFundWithSignature,
  preparePause,
  preparePay,
  preparePayWithSignature,
  prepareReplace,
  prepareResume,
  prepareRevoke,
  prepareRevokeGrant,
} from './GuardCall.js'
import { type GuardEvent, parseLogs } from './GuardEvent.js'
import type { Batch, Funding } from './GuardHash.js'
import { stopsOfAccount } from './GuardRead.js'
import { hash as hashPermission, type Permission } from './Permission.js'
import * as Policy from './Policy.js'
import { isApproved, isRevoked } from './SpmRead.js'
import { assertChain, type Call, type Mined, mined, send, sender } from './Transaction.js'

export type { Outcome } from './Action.js'
export * from './GuardCall.js'
export * from './GuardEvent.js'
export * from './GuardHash.js'
export * from './GuardNumber.js'
export * from './GuardRead.js'
export type { Call, Mined } from './Transaction.js'

type Event<type extends GuardEvent['type']> = Extract<GuardEvent, { type: type }>

/** A batch that was paid, with the event of each payment, in their order. */
export type Paid = Mined & { readonly payments: readonly Event<'paid'>[] }

/** A purse that was funded: `amount` is what was added, and metered. */
export type Funded = Mined & Pick<Event<'funded'>, 'purse' | 'amount' | 'number' | 'ref'>

type BatchOf = { permission: Permission; batch: Batch }
type FundingOf = { permission: Permission; funding: Funding }

/* ------------------------------------------ paying ------------------------------------------ */

/**
 * Pays a batch as the agent: all of it, or nothing.
 * @throws ChainError `NUMBER_USED`, `OVER_DAY` and what else guard, SpendPermissionManager, account and token refuse
 * with; `WRONG_SENDER`; PolicyError where the permission has no policy
 */
export async function pay(client: Client, options: BatchOf): Promise<Paid> {
  const doing = paying(options.batch)
  const from = Policy.decode(options.permission.extraData).agent
  await open(client, options.permission.chainId, doing)
  return paid(await perform(client, { from, call: preparePay(options), doing }), options, doing)
}

/**
 * Pays a batch that the agent signed. The client may be anybody's.
 * @throws as `pay`, and ChainError `INVALID_AGENT_SIGNATURE`
 */
export async function payWithSignature(client: Client, options: BatchOf & { signature: Hex }): Promise<Paid> {
  const doing = paying(options.batch)
  await open(client, options.permission.chainId, doing)
  return paid(await send(client, { call: preparePayWithSignature(options), doing }), options, doing)
}

/**
 * Approves a permission that its account signed, and pays a first batch, in one transaction: as the agent, or as
 * anybody with the agent's signature. Approved before is no error.
 * @throws as `payWithSignature`, and ChainError `INVALID_SIGNATURE`, `APPROVAL_REFUSED`
 */
export async function approveAndPay(
  client: Client,
  options: BatchOf & { ownerSignature: Hex; agentSignature?: Hex | undefined },
): Promise<Paid> {
  const doing = `Approving, and ${paying(options.batch).toLowerCase()}`
  await open(client, options.permission.chainId, doing)
  const call = prepareApproveAndPay(options)
  const from = Policy.decode(options.permission.extraData).agent
  const receipt =
    options.agentSignature === undefined
      ? await perform(client, { from, call, doing })
      : await send(client, { call, doing })
  return paid(receipt, options, doing)
}

/**
 * Fills the agent's purse up to the target, as the agent. The purse is deployed first if it is not there.
 * @throws ChainError `OVER_FLOAT`, `NOTHING_TO_FUND`, and as `pay`
 */
export async function fund(client: Client, options: FundingOf): Promise<Funded> {
  const doing = funding(options.funding)
  const from = Policy.decode(options.permission.extraData).agent
  await open(client, options.permission.chainId, doing)
  return funded(await perform(client, { from, call: prepareFund(options), doing }), options, doing)
}

/**
 * Fills the agent's purse up to the target, as the agent signed. The client may be anybody's.
 * @throws as `fund`, and ChainError `INVALID_AGENT_SIGNATURE`
 */
export async function fundWithSignature(
  client: Client,
  options: FundingOf & { signature: Hex },
): Promise<Funded> {
  const doing = funding(options.funding)
  await open(client, options.permission.chainId, doing)
  return funded(await send(client, { call: prepareFundWithSignature(options), doing }), options, doing)
}

/* ----------------------------------- replacing and stopping ----------------------------------- */

/**
 * Approves `to`, which its account signed, and revokes `from`, which the policy of `to` names, in one transaction
 * that anybody may send. Under the same grantId, what was spent stays spent. Done before is `already`.
 * @throws ChainError `NOT_REPLACING`, `OTHER_GRANT`, `INVALID_SIGNATURE`, `APPROVAL_REFUSED` and what else
 * the chain said
 */
export async function replace(
  client: Client,
  options: { from: Permission; to: Permission; signature: Hex },
): Promise<Outcome> {
  const { from, to } = options
  const doing = 'Replacing the permission'
  await open(client, to.chainId, doing)
  const isDone = async (blockNumber?: bigint) => {
    const [approved, revoked, old] = await Promise.all([
      isApproved(client, { permission: to, blockNumber }),
      isRevoked(client, { permission: to, blockNumber }),
      isRevoked(client, { permission: from, blockNumber }),
    ])
    return approved && !revoked && old
  }
  if (await isDone()) return { already: true }
  const receipt = await send(client, { call: prepareReplace(options), doing })
  const hash = hashPermission(to)
  const done = parseLogs(receipt.logs).some((event) => event.type === 'replaced' && event.permission === hash)
  return done ? { already: false, ...mined(receipt) } : settled(receipt, doing, isDone)
}

/** Who does it: the grant's account where omitted. */
type By = { by?: Address | undefined }

/**
 * Stops all permissions of a grant until `resume`, their purses too. `by` is its account, or an orchestrator, who
 * stops those that name it.
 * @throws ChainError `WRONG_SENDER` and what the chain said
 */
export async function pause(client: Client, options: Key & By): Promise<Outcome> {
  const call = preparePause(options)
  return stop(client, { ...options, doing: 'Pausing the grant', call, type: 'paused' })
}

/**
 * Takes back a pause of `by`, and no other.
 * @throws ChainError `WRONG_SENDER` and what the chain said
 */
export async function resume(client: Client, options: Key & By): Promise<Outcome> {
  const call = prepareResume(options)
  return stop(client, { ...options, doing: 'Resuming the grant', call, type: 'resumed' })
}

/**
 * Revokes for good all permissions of a grant that `by` can: its account all, an orchestrator or agent those that
 * name it. Unlike `revoke`, none of them is revoked with SpendPermissionManager.
 * @throws ChainError `WRONG_SENDER` and what the chain said
 */
export async function revokeGrant(client: Client, options: Key & By): Promise<Outcome> {
  const call = prepareRevokeGrant(options)
  return stop(client, { ...options, doing: 'Revoking the grant', call, type: 'revoked' })
}

/**
 * Revokes a permission for good, with SpendPermissionManager, and with it all others of its grant that `by` can: its
 * account all, its orchestrator or agent those that name it.
 * @throws ChainError `UNAUTHORIZED` where `by` is none of them, `WRONG_SENDER` and what else the chain said;
 * PolicyError where the permission has no policy
 */
export async function revoke(client: Client, options: { permission: Permission } & By): Promise<Outcome> {
  const { permission, by = permission.account } = options
  const { chainId, account, token, extraData } = permission
  const { grantId } = Policy.decode(extraData)
  const call = prepareRevoke({ permission })
  const doing = 'Revoking the permission'
  return stop(client, { chainId, account, token, grantId, by, doing, call, type: 'revoked', permission })
}

/* ------------------------------------------ helpers ------------------------------------------ */

async function stop(
  client: Client,
  options: Key &
    By & { doing: string; call: Call; type: 'paused' | 'resumed' | 'revoked'; permission?: Permission },
): Promise<Outcome> {
  const { chainId, account, grantId, by = account, doing, call, type, permission } = options
  await open(client, chainId, doing)
  const isDone = async (blockNumber?: bigint) => {
    // Others than the account cannot be told apart from it, so they always send.
    if (by.toLowerCase() !== account.toLowerCase()) return blockNumber !== undefined
    const { paused, revoked } = await stopsOfAccount(client, { ...options, blockNumber })
    if (type !== 'revoked') return paused === (type === 'paused')
    return revoked && (permission === undefined || (await isRevoked(client, { permission, blockNumber })))
  }
  if (await isDone()) return { already: true }
  const receipt = await perform(client, { from: by, call, doing })
  const done = parseLogs(receipt.logs).some(
    (event) =>
      event.type === type && event.grantId === grantId && same(event.by, by) && same(event.account, account),
  )
  return done ? { already: false, ...mined(receipt) } : settled(receipt, doing, isDone)
}

function same(a: Address, b: Address): boolean {
  return a.toLowerCase() === b.toLowerCase()
}

async function open(client: Client, chainId: number, doing: string): Promise<void> {
  sender(client, doing)
  await assertChain(client, chainId, doing)
}

function paid(receipt: TransactionReceipt, { permission, batch }: BatchOf, doing: string): Paid {
  const hash = hashPermission(permission)
  const events = parseLogs(receipt.logs).filter((event) => event.type === 'paid' && event.permission === hash)
  const payments = batch.payments.flatMap(
    ({ number }) =>
      events.find((event): event is Event<'paid'> => event.type === 'paid' && event.number === number) ?? [],
  )
  if (payments.length !== batch.payments.length) throw missing(doing, receipt)
  return { ...mined(receipt), payments }
}

function funded(receipt: TransactionReceipt, { permission, funding }: FundingOf, doing: string): Funded {
  const hash = hashPermission(permission)
  const event = parseLogs(receipt.logs).find(
    (event) => event.type === 'funded' && event.permission === hash && event.number === funding.number,
  )
  if (event?.type !== 'funded') throw missing(doing, receipt)
  const { purse, amount, number, ref } = event
  return { ...mined(receipt), purse, amount, number, ref }
}

function paying({ payments }: Batch): string {
  const sum = payments.reduce((sum, { amount }) => sum + amount, 0n)
  return `Paying ${sum} in ${payments.length} ${payments.length === 1 ? 'payment' : 'payments'}`
}

function funding({ target }: Funding): string {
  return `Funding the purse to ${target}`
}
