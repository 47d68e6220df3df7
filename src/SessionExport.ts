/** A session as JSON in the form that agents' skills already keep, and that file on disk. */
import type { Hex } from 'viem'
import * as Amount from './Amount.js'
import type { Grant } from './Grant.js'
import * as Payment from './Payment.js'
import * as Session from './Session.js'
import type { EventRow, PaymentRow, Transaction } from './Store.js'

/**
 * What `toText` writes. Amounts are JSON numbers of USDC in plain decimal notation, written from base units digit by
 * digit; here, where a number would be a float, they are the same digits as text.
 */
export type SessionExport = {
  readonly session_id: string
  /** ISO 8601, by chain time. */
  readonly started_at: string
  readonly limits: {
    readonly per_task_max_usdc: string
    readonly per_session_max_usdc: string
    readonly per_request_max_usdc: string
  }
  /** Reserved or paid; the total also has what is charged to the session because nothing explains it. */
  readonly spent: {
    readonly total_usdc: string
    readonly by_category: Readonly<Record<string, string>>
    readonly by_task: Readonly<Record<string, string>>
  }
  /** What was paid, in the order of the chain. */
  readonly transactions: readonly {
    readonly timestamp: string
    readonly endpoint: string | null
    readonly amount_usdc: string
    readonly tx_hash: Hex
  }[]
}

/** @throws GrantError `SESSION_UNKNOWN` */
export async function of(tx: Transaction, grant: Grant, id: string): Promise<SessionExport> {
  const { grantId, token } = grant
  const row = await Session.get(tx, grantId, id)
  const usdc = (units: bigint) => Amount.format(units, token.decimals)
  const payments = await tx.list('payments', { grantId, session: id })
  const live = payments.filter((payment) => Payment.stateOf(payment).status !== 'released')
  const sums = (label: 'category' | 'task') => {
    const totals = new Map<string, bigint>()
    for (const payment of live) {
      const name = payment[label]
      if (name !== null) totals.set(name, (totals.get(name) ?? 0n) + payment.amount)
    }
    return Object.fromEntries([...totals].map(([name, units]) => [name, usdc(units)]))
  }
  const paid: { event: EventRow; payment: PaymentRow }[] = []
  for (const payment of live) {
    const events = await tx.list('events', { grantId, key: payment.key })
    const event = events.find(({ kind }) => kind !== 'pull')
    if (event) paid.push({ event, payment })
  }
  paid.sort((a, b) => a.event.blockNumber - b.event.blockNumber || a.event.logIndex - b.event.logIndex)
  return {
    session_id: id,
    started_at: iso(row.startedAt),
    limits: {
      per_task_max_usdc: usdc(row.perTask),
      per_session_max_usdc: usdc(row.perSession),
      per_request_max_usdc: usdc(row.perRequest),
    },
    spent: {
      total_usdc: usdc((await Session.readUsed(tx, grantId, { session: id })).session),
      by_category: sums('category'),
      by_task: sums('task'),
    },
    transactions: paid.map(({ event, payment }) => ({
      timestamp: iso(event.time),
      endpoint: payment.endpoint ?? payment.host,
      amount_usdc: usdc(payment.amount),
      tx_hash: event.txHash,
    })),
  }
}

/** The JSON text, with amounts as numbers: exact, because no float is on the way. */
export function toText(session: SessionExport): string {
  return write(session, [])
}

/** `path`: the names that lead to the value. */
function write(value: unknown, path: readonly string[]): string {
  const inner = '  '.repeat(path.length + 1)
  const wrap = (open: string, lines: readonly string[], close: string) =>
    lines.length === 0
      ? open + close
      : `${open}\n${inner}${lines.join(`,\n${inner}`)}\n${inner.slice(2)}${close}`
  if (typeof value === 'string') return isAmount(path) ? value : JSON.stringify(value)
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  if (Array.isArray(value))
    return wrap(
      '[',
      value.map((item, n) => write(item, [...path, String(n)])),
      ']',
    )
  const members = Object.entries(value).map(
    ([name, member]) => `${JSON.stringify(name)}: ${write(member, [...path, name])}`,
  )
  return wrap('{', members, '}')
}

function isAmount(path: readonly string[]): boolean {
  const [name = '', parent = ''] = path.toReversed()
  // Below these the names are the caller's own.
  if (parent === 'by_category' || parent === 'by_task') return true
  return name.endsWith('_usdc')
}

function iso(time: number): string {
  return new Date(time * 1000).toISOString()
}
