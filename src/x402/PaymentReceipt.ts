/** What is told of payments: one for each refusal and each outcome, in dollars, for whoever pays by x402. */
import type { Hex } from 'viem'
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

/** Undefined for a receipt that is about no payment, or about one that only fills the float. */
export function of(receipt: Receipt, decimals: number): PaymentReceipt | undefined {
  const { event, note, ok, amount, host, txHash, time: ts, key, task, session, category } = receipt
  if (!told.includes(event) || isFunding(receipt)) return undefined
  const amountUsd = Amount.format(amount, decimals)
  const moved = txHash === null ? {} : { txHash }
  return { host, amountUsd, ok, ...moved, note, ts, key, task, session, category }
}

/** What fills the float is spent by the authorizations that empty it, and told of then. */
function isFunding({ event, note, host, key }: Receipt): boolean {
  return note === 'FUNDED' || (event === 'released' && host === null && key?.startsWith('funding ') === true)
}
