/**
 * Fundings of the payer's float, through the guard: they are metered against the caps as payments are. The chain takes what
 * the purse lacks to a target when the funding is included, so what is reserved is the most that this can be: as if
 * everything that is held were settled before.
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
import * as Rules from './Rules.js'
import type { GrantRow, PaymentRow, Store, Transaction } from './Store.js'
import type * as Ticket from './Ticket.js'

/** A balance for the purse to be lifted to, base units. */
export type Request = {
  readonly key: string
  readonly target: bigint
  readonly task?: string | undefined
  readonly ticket?: Ticket.Ticket | undefined
}

/**
 * Decides and reserves a funding in one transaction. At most one is open: where one is, it is returned as `known`. A
 * refusal leaves a receipt.
 *
 * @throws GrantError `MISMATCH` where the grant has no purse, or the key is that of something else
 */
export function reserve(
  store: Store,
  grantId: Hex,
  { key, target, task, ticket }: Request,
): Promise<Ledger.Reservation> {
  return store.transact(grantId, async (tx): Promise<Ledger.Reservation> => {
    const row = await Book.get(tx, grantId)
    const { payer } = row
    if (payer === null) throw new GrantError('MISMATCH', `Grant ${grantId} has no purse to be funded.`)
    const open = await pending(tx, grantId)
    if (open) return { outcome: 'known', payment: open }
    const known = await tx.get('payments', { grantId, key })
    if (known) {
      const words = `The key ${JSON.stringify(key)} is in use already. Every funding needs a key of its own.`
      throw new GrantError('MISMATCH', words)
    }
    const amount = target - (await Float.free(tx, row))
    const order = { key, to: payer, amount, task, ticket }
    const refusal = await refusalOf(tx, row, { target, task, ticket })
    if (refusal) {
      const receipt = await Ledger.writeRefusal(tx, row, { ...order, amount: target }, refusal.code)
      return { outcome: 'refused', refusal, receipt }
    }
    const { number, numbers } = await PaymentNumber.take(tx, row, null)
    const ref = GuardNumber.reference(grantId, key)
    const payment: PaymentRow = { ...Payment.of(row, order, { via: 'funding', ref, number, payer }), target }
    await tx.put('payments', payment)
    await Meter.moveOpen(tx, payment, 1n)
    const draft = { ...Payment.labelsOf(payment), event: 'reserved', note: 'FUNDING' } as const
    return { outcome: 'reserved', payment, receipt: await Book.write(tx, { ...row, numbers }, draft) }
  })
}

async function refusalOf(
  tx: Transaction,
  row: GrantRow,
  request: Omit<Request, 'key'>,
): Promise<Ledger.Refusal | undefined> {
  const state = await Ledger.readState(tx, row, { task: request.task, isFunding: true })
  const { purse } = state
  // What is held is still there: to the chain the purse has it.
  const whole = purse && { ...purse, balance: Float.balance(row) }
  for (const refusal of Rules.target({ ...state, purse: whole }, request.target)) return refusal
  const decision = Decision.decideFunding(state, request)
  return decision.allowed ? Lost.refusal(row) : decision
}

/** The funding that is not seen on chain yet, if there is one. */
export async function pending(tx: Transaction, grantId: Hex): Promise<PaymentRow | undefined> {
  const open = await tx.list('payments', { grantId, open: 1 })
  return open.find(({ via, pull }) => via === 'funding' && (pull === 'none' || pull === 'signed'))
}

/**
 * What a funding on its way may take more, because so much more may leave the float before it is included. Returns why the
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

/** Reserves another amount for a funding that is open. */
export async function setAmount(tx: Transaction, funding: PaymentRow, amount: bigint): Promise<void> {
  await Meter.moveOpen(tx, funding, -1n)
  const changed = { ...funding, amount }
  await tx.put('payments', changed)
  await Meter.moveOpen(tx, changed, 1n)
}
