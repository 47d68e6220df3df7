/** Pages of receipts, newest first, and what was spent by day and host. */
import type { Address, Hex } from 'viem'
import * as Meter from '../Meter.js'
import * as Receipt from '../Receipt.js'
import type { EventRow, Store, Transaction } from '../Store.js'
import * as Time from '../Time.js'
import type { ReceiptKind, Receipts, Spending } from './Schema.js'
import * as Show from './Show.js'

/** Receipts that are looked at for one page, and events for one transaction: nobody holds the books for long. */
const looked = 2_000
const chunk = 500
/** Events that one answer about spending goes back through. */
const deepest = 50_000

export type Filter = {
  readonly cursor?: number | undefined
  readonly limit?: number | undefined
  readonly kind?: ReceiptKind | undefined
  readonly host?: string | undefined
  readonly task?: string | undefined
}

/** The receipts `[from, to)` by seq, oldest first. */
export function between(store: Store, grantId: Hex, from: number, to: number): Promise<Receipt.Receipt[]> {
  return store.transact(grantId, (tx) => range(tx, grantId, from, to))
}

async function range(tx: Transaction, grantId: Hex, from: number, to: number) {
  const keys = Array.from({ length: Math.max(0, to - from) }, (_, n) => ({ grantId, seq: from + n }))
  await tx.load('receipts', keys)
  const rows = await Promise.all(keys.map((key) => tx.get('receipts', key)))
  return rows.flatMap((row) => (row ? [Receipt.fromRow(row)] : []))
}

/** A receipt has no index but its seq, so a filter looks at some thousand and says where to go on. */
export async function page(store: Store, grantId: Hex, filter: Filter): Promise<Receipts> {
  const { limit = 50, kind, host, task } = filter
  const head = (await store.transact(grantId, (tx) => tx.get('grants', { grantId })))?.receipts ?? 0
  let before = Math.min(filter.cursor ?? head, head)
  const last = Math.max(0, before - looked)
  const found: Receipt.Receipt[] = []
  while (before > last && found.length < limit) {
    const from = Math.max(last, before - chunk)
    for (const receipt of (await between(store, grantId, from, before)).reverse()) {
      if (found.length === limit) break
      before = receipt.seq
      if (kind !== undefined && receipt.event !== kind) continue
      if (host !== undefined && receipt.host !== host) continue
      if (task !== undefined && receipt.task !== task) continue
      found.push(receipt)
    }
  }
  return { receipts: found.map(Show.receipt), nextCursor: before > 0 ? String(before) : null }
}

/**
 * What was spent on each of the last `days` UTC days up to the books' head, by the host it was for. It reads back
 * by key, so that what comes meanwhile shifts nothing, and ends with the signal, whose reason it throws.
 */
export async function spending(
  store: Store,
  grantId: Hex,
  days: number,
  signal: AbortSignal,
): Promise<Spending> {
  const totals = new Map<number, Map<string | null, bigint>>()
  let since = 0
  let payer: Address | null = null
  let last: EventRow | undefined
  for (let looked = 0; looked < deepest; looked += chunk) {
    signal.throwIfAborted()
    const rows = await store.transact(grantId, async (tx) => {
      const row = await tx.get('grants', { grantId })
      payer = row?.payer ?? null
      since = Time.midnight(row?.headTime ?? 0) - (days - 1) * Time.day
      const page = { descending: true, limit: chunk, ...(last ? { after: last } : {}) }
      return withHosts(tx, grantId, await tx.list('events', { grantId }, page))
    })
    for (const { event, host } of rows) {
      if (!Meter.isSpent(event, payer) || event.time < since) continue
      const day = Time.midnight(event.time)
      const byHost = totals.get(day) ?? new Map<string | null, bigint>()
      totals.set(day, byHost.set(host, (byHost.get(host) ?? 0n) + event.amount))
    }
    last = rows.at(-1)?.event
    if (rows.length < chunk || rows.some(({ event }) => event.time < since)) break
  }
  const sorted = [...totals].sort(([a], [b]) => a - b)
  return {
    days: sorted.map(([day, byHost]) => ({
      day,
      total: String([...byHost.values()].reduce((sum, amount) => sum + amount, 0n)),
      byHost: [...byHost].map(([host, amount]) => ({ host, amount: String(amount) })),
    })),
  }
}

async function withHosts(tx: Transaction, grantId: Hex, events: readonly EventRow[]) {
  const keys = [...new Set(events.flatMap(({ key }) => (key === null ? [] : [key])))]
  await tx.load(
    'payments',
    keys.map((key) => ({ grantId, key })),
  )
  return Promise.all(
    events.map(async (event) => {
      const payment = event.key === null ? undefined : await tx.get('payments', { grantId, key: event.key })
      return { event, host: payment?.host ?? null }
    }),
  )
}
