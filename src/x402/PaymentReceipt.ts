/** What is told of payments: one for each refusal and each outcome, in dollars, for whoever pays by x402. */
import type { Address, Hex } from 'viem'
import * as Amount from '../Amount.js'
import type { Receipt, ReceiptEvent } from '../Receipt.js'

export type PaymentReceipt = {
  /** Which asked for it; null where nobody did, such as for money that somebody else moved. */
  readonly host: string | null
  /** Dollars, exact: also of what was refused. */
  readonly amountUsd: string
  /** Whether money moved. */
  readonly ok: boolean
  /** The transaction in which the chain shows it: never one that a server named. */
  readonly txHash?: Hex
  /** `settled`, or the code that explains it, such as `OVER_PER_CALL`. */
  readonly note: string
  /** Chain time, unix seconds. */
  readonly ts: number
  readonly key: string | null
  readonly task: string | null
  readonly session: string | null
  readonly category: string | null
}

/** What decides nothing and moves nothing stays in the books: what became of a reservation follows. */
const told: readonly ReceiptEvent[] = ['refused', 'settled', 'released', 'stranded', 'reorged', 'foreign']

export type About = {
  readonly decimals: number
  /** Whose float the grant pays from; null for none. */
  readonly payer: Address | null
}

/** Undefined for a receipt that is about no payment, or about one that only fills the float. */
export function of(receipt: Receipt, { decimals, payer }: About): PaymentReceipt | undefined {
  const { event, ok, amount, host, txHash, time: ts, key, task, session, category } = receipt
  if (!told.includes(event) || isFunding(receipt, payer)) return undefined
  const amountUsd = Amount.format(amount, decimals)
  const moved = txHash === null ? {} : { txHash }
  const note = isKnown(receipt) ? 'settled' : receipt.note
  return { host, amountUsd, ok, ...moved, note, ts, key, task, session, category }
}

/** Whether a receipt says what an earlier one has said: of a foreign payment, or of one that a reorganisation took back. */
export function isKnown({ note }: Receipt): boolean {
  return note === 'ADOPTED' || note === 'SETTLED_AGAIN'
}

/** What fills the float is spent by what empties it, and told of then. */
function isFunding({ event, note, host, key, payee }: Receipt, payer: Address | null): boolean {
  if (note === 'FUNDED') return true
  // Of books that were lost, their own fundings are foreign.
  if (host === null && payee !== null && payee === payer) return event === 'foreign' || event === 'reorged'
  return event === 'released' && host === null && key?.startsWith('funding ') === true
}
