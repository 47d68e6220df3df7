/** A key's payment that is on chain, and not in these books: they were lost, or restored from before it. */
import * as Book from './Book.js'
import * as Meter from './Meter.js'
import * as Payment from './Payment.js'
import type * as Receipt from './Receipt.js'
import type { EventRow, GrantRow, PaymentRow, Transaction } from './Store.js'

/** The agent's payments under the reference of a key that no payment of the books explains: they were lost, or restored. */
export async function under(tx: Transaction, { grantId, ref }: PaymentRow): Promise<EventRow[]> {
  const events = await tx.list('events', { grantId, ref })
  // Other agents under the grant have numbers of their own, and purses.
  return events.filter(
    ({ kind, number, key }) => (number !== null || kind === 'authorization') && key === null,
  )
}

/** The event that used an authorization's nonce for something else: a cancellation, or other terms. */
export async function usedNonce(
  tx: Transaction,
  { grantId, ref, payer }: PaymentRow,
): Promise<EventRow | undefined> {
  const events = await tx.list('events', { grantId, ref })
  return events.find((event) => event.payer !== null && event.payer === payer && event.key === null)
}

/** What the chain says of it. */
export function termsOf({ kind, number, payer, payee, amount }: EventRow) {
  return { via: kind === 'authorization' ? kind : ('guard' as const), number, payer, payee, amount }
}

/** The key's payment is on chain already, with the same terms: it never pays again. */
export async function adopt(
  tx: Transaction,
  row: GrantRow,
  reserved: PaymentRow,
  paid: EventRow,
): Promise<{ readonly payment: PaymentRow; readonly receipt: Receipt.Receipt }> {
  const payment: PaymentRow = {
    ...reserved,
    ...termsOf(paid),
    pull: 'seen',
    transfer: 'seen',
    deadline: Payment.latestDeadline(paid.time),
    told: 1,
    open: paid.final === 1 ? 0 : 1,
  }
  await tx.put('payments', payment)
  await tx.put('events', { ...paid, key: payment.key })
  await Meter.explain(tx, paid)
  await Meter.movePaid(tx, payment, 1n)
  await Meter.moveLabels(tx, payment, 1n)
  const { txHash } = paid
  const draft = { ...Payment.labelsOf(payment), event: 'settled', note: 'ADOPTED', txHash } as const
  return { payment, receipt: await Book.write(tx, row, draft) }
}
