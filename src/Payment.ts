/**
 * One payment. On the direct rail it has two legs, which are two facts on chain. The pull moves money from
 * the account to the agent (SpendPermissionManager.spend, event SpendPermissionUsed); the transfer moves it on
 * to the payee (the token's Transfer). Each leg is `none`, then `signed` (its bytes are stored before anybody
 * broadcasts them), then `seen` or `failed`:
 *
 *   reserved ──sign──▸ pulling ──event──▸ pulled ──sign──▸ paying ──event──▸ paid
 *                         │                                  │
 *                         └─▸ released                       └─▸ stranded ──the same key──▸ paying
 *
 * Through the guard both legs are one transaction and one fact (its event Paid), so they move together:
 *
 *   reserved ──sign──▸ paying ──event──▸ paid
 *                         │
 *                         └─▸ released
 *
 * An authorization out of the payer's float (`Authorization`) goes as one does through the guard, but that it is signed as
 * it is reserved, and sent by somebody else. A funding of that float is a payment through the guard, or on the direct rail
 * a pull by itself.
 *
 * A leg is `seen` by an event with equal terms, never by a receipt or an answer: on the direct rail of its own
 * transaction, through the guard of its own number and reference, whoever sent it. It `failed` when a final block
 * shows its nonce used without that event; a pull also when the permission ended. A payment through the guard fails at
 * its deadline, if a final block shows its number unused then; before it, where its transaction was for it alone, as a
 * pull does, if besides its number is unused. Where others were in its transaction, it is signed once more, with fewer of
 * them and the same number. Until then it stays open, and what is open counts against every cap.
 */
import type { Hex } from 'viem'
import { GrantError } from './GrantError.js'
import * as Meter from './Meter.js'
import type { Order } from './Order.js'
import * as Receipt from './Receipt.js'
import type { FactKind, GrantRow, Leg, PaymentRow, Transaction, TransactionRow } from './Store.js'
import * as Ticket from './Ticket.js'

/** Where a payment stands. See the top of this file. */
export type PaymentState =
  | { readonly status: 'reserved' }
  | { readonly status: 'pulling' }
  | { readonly status: 'pulled' }
  | { readonly status: 'paying' }
  /** `final`: no reorganisation can take it back any more. */
  | { readonly status: 'paid'; readonly final: boolean }
  | { readonly status: 'released'; readonly reason: string }
  | { readonly status: 'stranded'; readonly reason: string }

/** The state that a row's legs spell. */
export function stateOf(row: PaymentRow): PaymentState {
  if (row.transfer === 'seen') return { status: 'paid', final: row.open === 0 }
  if (row.transfer === 'signed') return { status: 'paying' }
  if (row.pull === 'failed') return { status: 'released', reason: row.failure ?? 'unknown' }
  if (row.transfer === 'failed') return { status: 'stranded', reason: row.failure ?? 'unknown' }
  if (row.pull === 'seen') return { status: 'pulled' }
  return { status: row.pull === 'signed' ? 'pulling' : 'reserved' }
}

/** What is reserved for an order, of which nothing is signed yet. */
export function of(
  row: GrantRow,
  order: Order,
  how: Pick<PaymentRow, 'via' | 'ref' | 'number' | 'payer'>,
): PaymentRow {
  return {
    grantId: row.grantId,
    key: order.key,
    payee: order.to,
    amount: order.amount,
    permissionHash: row.permissionHash,
    host: order.host ?? null,
    task: order.task ?? null,
    session: order.session ?? null,
    category: order.category ?? null,
    endpoint: order.endpoint ?? null,
    ...how,
    target: null,
    deadline: null,
    nonce: null,
    alone: 0,
    triedAt: null,
    ticket: order.ticket ? Ticket.serialize(order.ticket) : null,
    reservedAt: row.headTime,
    pull: 'none',
    transfer: 'none',
    told: 0,
    failure: null,
    open: 1,
  }
}

/** Seconds after which the guard refuses a payment that was signed and is not included. */
export const lifetime = 600

/**
 * No earlier than the deadline of an attempt that was seen in a block at `time` and that the books know nothing of: it
 * was signed before, by a clock that was not ahead by more than a lifetime.
 */
export function latestDeadline(time: number): number {
  return time + 2 * lifetime
}

/** The kinds of transactions that a payment takes, in their order: what is seen of it on chain. */
export function legsOf(payment: PaymentRow): readonly FactKind[] {
  const { via } = payment
  if (via === 'direct') return ['pull', 'transfer']
  if (isPulled(payment)) return ['pull']
  return [via === 'authorization' ? via : 'payment']
}

/** Whether it fills the float by a pull: the guard gives numbers. */
export function isPulled({ via, number }: Pick<PaymentRow, 'via' | 'number'>): boolean {
  return via === 'funding' && number === null
}

/** Whether a fact of this kind is all of a payment. */
export function isWhole(payment: PaymentRow, kind: FactKind): boolean {
  return kind === 'payment' || kind === 'authorization' || isPulled(payment)
}

/** How far a leg is. */
export function legOf(payment: PaymentRow, kind: FactKind): Leg {
  return payment[kind === 'transfer' ? kind : 'pull']
}

/** The payment with one leg further; but on the direct rail both are one. */
export function withLeg(payment: PaymentRow, kind: FactKind, leg: Leg): PaymentRow {
  return isWhole(payment, kind) ? { ...payment, pull: leg, transfer: leg } : { ...payment, [kind]: leg }
}

/** Puts a payment with a leg further, or back, and what the agent holds for payees with it. */
export async function change(tx: Transaction, before: PaymentRow, after: PaymentRow): Promise<void> {
  await tx.put('payments', after)
  if (isCarried(before) === isCarried(after)) return
  await Meter.moveCarried(tx, after, isCarried(after) ? 1n : -1n)
}

/** Whether the agent's own address, which has a float as well, holds it for the payee, or may be about to pay him. */
function isCarried({ via, payer, pull, transfer }: PaymentRow): boolean {
  return (
    via === 'direct' && payer !== null && transfer !== 'seen' && (pull === 'seen' || transfer === 'signed')
  )
}

/** The pull arrived, and nothing was signed for the payee yet. */
export function isTransferDue(payment: PaymentRow): boolean {
  return payment.pull === 'seen' && payment.transfer === 'none'
}

/** The payment with this key, which must be there. */
export async function get(tx: Transaction, grantId: Hex, key: string): Promise<PaymentRow> {
  const payment = await tx.get('payments', { grantId, key })
  if (!payment)
    throw new GrantError('MISMATCH', `No payment has the key ${JSON.stringify(key)} in grant ${grantId}.`)
  return payment
}

/** One of the transactions that a leg rests on: of those with the nonce that it was signed with last. */
export async function currentTransaction(
  tx: Transaction,
  payment: PaymentRow,
  kind: FactKind,
): Promise<TransactionRow | undefined> {
  const { grantId, key, nonce } = payment
  // A transaction of the guard may be for many payments, one of the direct rail is for one.
  if (kind === 'payment' && nonce === null) return undefined
  const which = kind === 'payment' && nonce !== null ? { grantId, nonce, kind } : { grantId, key, kind }
  const rows = await tx.list('transactions', which, { descending: true })
  // By when, and not by nonce: one that was skipped before is taken later.
  return rows.reduce<TransactionRow | undefined>(
    (latest, row) => (latest && latest.signedAt >= row.signedAt ? latest : row),
    undefined,
  )
}

/** All that compete for the nonce of a leg: replaced with higher fees, any of them may be mined. */
export async function candidates(
  tx: Transaction,
  payment: PaymentRow,
  kind: FactKind,
): Promise<TransactionRow[]> {
  const current = await currentTransaction(tx, payment, kind)
  if (!current) return []
  return tx.list('transactions', { grantId: payment.grantId, nonce: current.nonce })
}

/** Whether a payment has come to its end, and none of it can be taken back. */
export async function isDone(tx: Transaction, payment: PaymentRow): Promise<boolean> {
  const { grantId, key, pull, transfer } = payment
  if (pull === 'none' || pull === 'signed' || transfer === 'signed') return false
  if (pull === 'seen' && transfer === 'none') return false
  return (await tx.list('events', { grantId, key, final: 0 }, { limit: 1 })).length === 0
}

/** What a receipt says of a payment. */
export function labelsOf(payment: PaymentRow) {
  const { key, payee, amount, host, task, session, category, endpoint } = payment
  return { key, payee, amount, host, task, session, category, endpoint }
}

/** A payment after a leg of it failed, and the grant's row with the receipt that this left, if it left one. */
export type Failed = {
  readonly payment: PaymentRow
  readonly row: GrantRow
  readonly receipt?: Receipt.Receipt
}

/**
 * A leg failed for good. Without its pull a payment is released, unless a transfer is under way all the
 * same: the agent may hold money from an earlier pull. With its pull, but without its transfer, it is
 * stranded.
 */
export async function fail(
  tx: Transaction,
  row: GrantRow,
  payment: PaymentRow,
  kind: FactKind,
  reason: string,
  note = 'RELEASED',
): Promise<Failed> {
  if (kind !== 'transfer') await Meter.moveOpen(tx, payment, -1n)
  const leg = kind === 'transfer' ? kind : 'pull'
  const transfer = isWhole(payment, kind) ? 'none' : payment.transfer
  const failed: PaymentRow = { ...payment, transfer, [leg]: 'failed', failure: reason }
  const { status } = stateOf(failed)
  const closed: PaymentRow = { ...failed, open: (await isDone(tx, failed)) ? 0 : 1 }
  await change(tx, payment, closed)
  if (status !== 'released' && status !== 'stranded') return { payment: closed, row }
  if (status === 'released') await Meter.moveLabels(tx, payment, -1n)
  const { grant, receipt } = await Receipt.append(tx, row, {
    ...labelsOf(payment),
    event: status,
    note: status === 'released' ? note : 'STRANDED',
  })
  await tx.put('grants', grant)
  return { payment: closed, row: grant, receipt }
}
