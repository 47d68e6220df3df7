/**
 * The record of every decision and of every settlement, refusals included. Append-only and hash-chained
 * per grant: each receipt's hash covers its own bytes, and its bytes name the hash before it, so whoever
 * kept one head can tell whether anything up to it was altered, dropped or reordered.
 */
import { type Address, type Hex, keccak256, stringToBytes } from 'viem'
import { HardcapError } from './errors.js'
import type { GrantRow, ReceiptRow, Transaction } from './Store.js'

export { fromJson, toCsv, toJson } from './ReceiptText.js'

/**
 * What a receipt records. `reserved` and `refused` are decisions. `settled`: the payee's transfer was seen
 * on chain. `released`: the payment never happened and never will. `stranded`: the money reached the agent
 * but not the payee. `reorged`: the chain took a settlement back, the payment is open again. `foreign`:
 * somebody used the agent's key outside these books. `paused`, `resumed` and `replaced` are the owner's
 * and the service's own acts. `requested`: somebody asks the owner for a higher cap.
 */
export type ReceiptEvent =
  | 'reserved'
  | 'refused'
  | 'settled'
  | 'released'
  | 'stranded'
  | 'reorged'
  | 'foreign'
  | 'paused'
  | 'resumed'
  | 'replaced'
  | 'requested'

export type Receipt = {
  readonly grantId: Hex
  /** From 0, without gaps. */
  readonly seq: number
  /** Chain time, unix seconds. */
  readonly time: number
  readonly event: ReceiptEvent
  /** Whether money moved, or may. */
  readonly ok: boolean
  /**
   * `settled`, or the code that explains it, such as `OVER_PER_CALL`. Of what is settled also `FUNDED`, which fills a float;
   * `ADOPTED`, which was foreign before its key was known; `SETTLED_AGAIN` after a reorganisation.
   */
  readonly note: string
  /** Base units, also of a refused amount. */
  readonly amount: bigint
  readonly payee: Address | null
  readonly key: string | null
  readonly host: string | null
  readonly task: string | null
  readonly session: string | null
  readonly category: string | null
  readonly endpoint: string | null
  readonly txHash: Hex | null
  /** The hash of the receipt before it; 32 zero bytes for the first. */
  readonly previous: Hex
  readonly hash: Hex
}

/** What a caller of `append` says; the rest follows from the books. */
export type ReceiptDraft = Pick<Receipt, 'event' | 'note' | 'amount'> &
  Partial<Omit<Receipt, 'grantId' | 'seq' | 'time' | 'ok' | 'previous' | 'hash'>>

/** `previous` of the first receipt. */
export const genesis: Hex = `0x${'00'.repeat(32)}`

const accepted = new Set<ReceiptEvent>(['reserved', 'settled', 'foreign', 'resumed', 'replaced'])

/** Writes the next receipt of a grant and returns it with the grant's new row, which the caller puts. */
export async function append(
  tx: Transaction,
  grant: GrantRow,
  draft: ReceiptDraft,
): Promise<{ receipt: Receipt; grant: GrantRow }> {
  const body: Omit<Receipt, 'hash'> = {
    grantId: grant.grantId,
    seq: grant.receipts,
    time: grant.headTime,
    event: draft.event,
    ok: accepted.has(draft.event),
    note: draft.note,
    amount: draft.amount,
    payee: draft.payee ?? null,
    key: draft.key ?? null,
    host: draft.host ?? null,
    task: draft.task ?? null,
    session: draft.session ?? null,
    category: draft.category ?? null,
    endpoint: draft.endpoint ?? null,
    txHash: draft.txHash ?? null,
    previous: grant.receiptHash,
  }
  const text = serialize(body)
  const hash = hashOf(text)
  await tx.put('receipts', { grantId: grant.grantId, seq: body.seq, receipt: text, hash })
  return { receipt: { ...body, hash }, grant: { ...grant, receipts: body.seq + 1, receiptHash: hash } }
}

/** The bytes that the hash covers: JSON with the fields in the order of the type, the amount as text. */
export function serialize(receipt: Omit<Receipt, 'hash'>): string {
  const { grantId, seq, time, event, ok, note, amount, payee, key, host, task, session } = receipt
  const { category, endpoint, txHash, previous } = receipt
  return JSON.stringify({
    version: 1,
    grantId,
    seq,
    time,
    event,
    ok,
    note,
    amount: String(amount),
    payee,
    key,
    host,
    task,
    session,
    category,
    endpoint,
    txHash,
    previous,
  })
}

/** The hash of a receipt, from its bytes. */
export function hashOf(text: string): Hex {
  return keccak256(stringToBytes(text))
}

/** The receipt of a row. */
export function fromRow(row: ReceiptRow): Receipt {
  const { version, amount, ...body } = JSON.parse(row.receipt)
  if (version !== 1) {
    throw new HardcapError(
      'UNKNOWN_VERSION',
      `Receipt ${row.seq} has version ${version}; this hardcap reads 1.`,
    )
  }
  return { ...body, amount: BigInt(amount), hash: row.hash }
}

/** Where a chain of receipts breaks, or that it holds. */
export type ChainCheck =
  | { readonly holds: true; readonly receipts: number; readonly head: Hex }
  | { readonly holds: false; readonly seq: number; readonly reason: string }

/**
 * Recomputes the chain from the first receipt on. With `head`, the hash that somebody kept earlier, it
 * also tells whether the receipts up to that one are still there, and with `grantId` whether they are that grant's.
 */
export function verify(
  receipts: Iterable<Receipt>,
  options: { head?: Hex | undefined; grantId?: Hex | undefined } = {},
): ChainCheck {
  let previous = genesis
  let seq = 0
  let sawHead = options.head === undefined || options.head === genesis
  for (const receipt of receipts) {
    if (receipt.seq !== seq) {
      return { holds: false, seq, reason: `Receipt ${seq} is missing: ${receipt.seq} stands in its place.` }
    }
    if (receipt.previous !== previous) {
      return { holds: false, seq, reason: `Receipt ${seq} does not name the hash of the one before it.` }
    }
    if (options.grantId !== undefined && receipt.grantId !== options.grantId) {
      return { holds: false, seq, reason: `Receipt ${seq} is one of grant ${receipt.grantId}.` }
    }
    if (hashOf(serialize(receipt)) !== receipt.hash) {
      return { holds: false, seq, reason: `Receipt ${seq} does not have the hash of its content.` }
    }
    previous = receipt.hash
    sawHead ||= receipt.hash === options.head
    seq += 1
  }
  if (!sawHead) {
    return { holds: false, seq, reason: `The receipts end at ${seq} without the head ${options.head}.` }
  }
  return { holds: true, receipts: seq, head: previous }
}
