/**
 * Fundings of the payer's float, which are metered against the caps as payments are. Through the guard the chain takes what
 * the purse lacks to a target when the funding is included, so what is reserved is the most that this can be: as if
 * everything that is held were settled before. On the direct rail a pull takes what the float lacks by now.
 *
 * A grant whose float is one call's cap is strict: each call is funded with what it lacks, and nothing ahead.
 */
import type { Hex } from 'viem'
import * as Book from './Book.js'
import * as Decision from './Decision.js'
import * as Float from './Float.js'
import { GrantError } from './GrantError.js'
import * as GuardNumber from './GuardNumber.js'
import * as Ledger from './Ledger.js'
import * as Lost from './Lost.js'
import * as Meter from './Meter.js'
import * as Payment from './Payment.js'
import * as PaymentNumber from './PaymentNumber.js'
import type * as Receipt from './Receipt.js'
import { refuse } from './Refusal.js'
import * as Rules from './Rules.js'
import type { GrantRow, PaymentRow, Store, Transaction } from './Store.js'
import type * as Ticket from './Ticket.js'

/**
 * Either a balance for the purse to be lifted to, or what another authorization needs of it: then it is lifted as far as
 * the float and the caps let it, and no less than that. Base units.
 */
export type Request = (
  | { readonly target: bigint; readonly lacking?: undefined }
  | { readonly lacking: bigint; readonly target?: undefined }
) & { readonly task?: string | undefined; readonly ticket?: Ticket.Ticket | undefined }

export type Reservation =
  | { readonly outcome: 'reserved'; readonly payment: PaymentRow; readonly receipt: Receipt.Receipt }
  /** Another one is on its way. */
  | { readonly outcome: 'known'; readonly payment: PaymentRow }
  /** Leaves no receipt. */
  | { readonly outcome: 'refused'; readonly refusal: Ledger.Refusal }

/**
 * Decides and reserves a funding in one transaction. At most one is open: where one is, it is returned as `known`.
 *
 * @throws GrantError `MISMATCH` where the grant has no float; InputError `INVALID_AMOUNT`
 */
export function reserve(
  store: Store,
  grantId: Hex,
  request: Request,
  veto?: Ledger.Refusal,
): Promise<Reservation> {
  return store.transact(grantId, async (tx): Promise<Reservation> => {
    const row = await Book.get(tx, grantId)
    const { payer } = row
    if (payer === null) throw new GrantError('MISMATCH', `Grant ${grantId} has no float to be funded.`)
    const open = await pending(tx, grantId)
    if (open) return { outcome: 'known', payment: open }
    const { task, ticket } = request
    const state = await stateOf(tx, row, task)
    let refusal = veto ?? Float.unread(row) ?? Lost.refusal(row) ?? (await overdrawn(tx, row))
    let target: bigint | undefined
    for (const next of refusal ? [] : await targets(tx, row, state, request)) {
      refusal = await refusalOf(tx, row, state, { target: next, task, ticket })
      target = next
      if (!refusal) break
    }
    if (refusal || target === undefined) return { outcome: 'refused', refusal: refusal ?? never() }
    const isPulled = Float.isAgents(row)
    const { number, numbers } = isPulled
      ? { number: null, numbers: row.numbers }
      : await PaymentNumber.take(tx, row, null)
    // Used once, as its number is.
    const key = `funding ${number ?? crypto.randomUUID()}`
    const ref = GuardNumber.reference(grantId, key)
    const amount = target - (state.purse?.balance ?? 0n)
    const order = { key, to: payer, amount, task, ticket }
    const reserved = Payment.of(row, order, { via: 'funding', ref, number, payer })
    const payment: PaymentRow = { ...reserved, target: isPulled ? null : target }
    await tx.put('payments', payment)
    await Meter.moveOpen(tx, payment, 1n)
    const draft = { ...Payment.labelsOf(payment), event: 'reserved', note: 'FUNDING' } as const
    return { outcome: 'reserved', payment, receipt: await Book.write(tx, { ...row, numbers }, draft) }
  })
}

/**
 * On the direct rail: where more has left the agent's address than was ever pulled, there was money of others in it, and a
 * pull would not be seen as float. It would be pulled again and again.
 */
async function overdrawn(tx: Transaction, row: GrantRow): Promise<Ledger.Refusal | undefined> {
  if (!Float.isAgents(row)) return undefined
  const pulled = await Float.pulled(tx, row)
  if (pulled >= 0n) return undefined
  const reason = `${-pulled} base units more have left agent ${row.agent} than were ever pulled to it, so what is its float cannot be told any more, and nothing is pulled. Give the grant an agent that is used for nothing else.`
  return refuse('FLOAT_LOW', reason, { agent: row.agent, missing: -pulled })
}

/** As a funding is decided in: with what the float has when it is included, at the least. */
async function stateOf(tx: Transaction, row: GrantRow, task: string | undefined): Promise<Decision.State> {
  const state = await Ledger.readState(tx, row, { task, isFunding: true })
  if (!state.purse || !Float.isAgents(row)) return state
  // A pull takes the same whatever is settled before it.
  return { ...state, purse: { ...state.purse, balance: await Float.balance(tx, row) } }
}

function never(): never {
  throw new Error('A funding has a target.')
}

/** Balances to be tried, from the highest on. */
async function targets(
  tx: Transaction,
  row: GrantRow,
  state: Decision.State,
  request: Request,
): Promise<readonly bigint[]> {
  if (request.target !== undefined) return [request.target]
  const least = (await Meter.read(tx, row.grantId, Meter.held)) + request.lacking
  const { perCall, maxFloat } = state.grant
  const most = maxFloat ?? 0n
  if (most === perCall) return [least]
  const remaining = Decision.remaining(state, { ...request, via: 'guard' })
  const { perCall: _, float: __, overall: ___, ...caps } = remaining
  const room = Object.values(caps).reduce<bigint>(
    (room, cap) => (cap !== null && cap < room ? cap : room),
    most,
  )
  const within = (state.purse?.balance ?? 0n) + room
  return [most, within < most ? within : most, least].filter(
    (target, n, all) => target >= least && all.indexOf(target) === n,
  )
}

async function refusalOf(
  tx: Transaction,
  row: GrantRow,
  state: Decision.State,
  request: Decision.FundingRequest,
): Promise<Ledger.Refusal | undefined> {
  const { purse } = state
  // What is held is still there: to the chain the purse has it.
  const whole = purse && { ...purse, balance: await Float.balance(tx, row) }
  for (const refusal of Rules.target({ ...state, purse: whole }, request.target)) return refusal
  const decision = Decision.decideFunding(state, request)
  return decision.allowed ? undefined : decision
}

/** The funding that is not seen on chain yet, if there is one. */
export async function pending(tx: Transaction, grantId: Hex): Promise<PaymentRow | undefined> {
  const open = await tx.list('payments', { grantId, open: 1 })
  return open.find(({ via, pull }) => via === 'funding' && (pull === 'none' || pull === 'signed'))
}

/**
 * What a funding on its way through the guard may take more, because so much more may leave the float before it is included. Returns why the
 * caps do not let it, if so.
 */
export async function raise(
  tx: Transaction,
  row: GrantRow,
  more: bigint,
): Promise<Ledger.Refusal | undefined> {
  const funding = await pending(tx, row.grantId)
  if (funding === undefined || funding.target === null) return undefined
  const { target } = funding
  const amount = funding.amount + more < target ? funding.amount + more : target
  if (amount === funding.amount) return undefined
  const state = await Ledger.readState(tx, row, {})
  for (const refusal of Rules.meters(state, amount - funding.amount)) return refusal
  await setAmount(tx, funding, amount)
  return undefined
}

/**
 * Has all that are on their way through the guard reserve the whole of their targets: what they were counted upon to find
 * in the float may not be there, because the chain took something back.
 */
export async function reserveWhole(tx: Transaction, grantId: Hex): Promise<void> {
  for (const payment of await tx.list('payments', { grantId, open: 1 })) {
    const { target, pull } = payment
    if (target !== null && (pull === 'none' || pull === 'signed')) await setAmount(tx, payment, target)
  }
}

/** Reserves another amount for a funding that is open. */
async function setAmount(tx: Transaction, funding: PaymentRow, amount: bigint): Promise<void> {
  await Meter.moveOpen(tx, funding, -1n)
  const changed = { ...funding, amount }
  await tx.put('payments', changed)
  await Meter.moveOpen(tx, changed, 1n)
}
