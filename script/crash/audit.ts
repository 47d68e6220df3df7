/** What is wrong with a world, by what the token's own events say, by what was told, and by the books. */
import { Time } from '../../src/index.js'

/** What one scenario came to. Amounts in base units of USDC, `lost` and `duplicated` are payments. */
export type Row = {
  readonly scenario: string
  /** The most that the grants may spend in all, after the last raise. */
  readonly cap: number
  /** What reached the payees, by the token's own events. */
  readonly paid: number
  /** What left the accounts above a cap: the total, or a day's. */
  readonly over: number
  /** Paid in the words of a replica or of the books, and not on chain; or without an end. */
  readonly lost: number
  /** How often a key was paid again. */
  readonly duplicated: number
  /** The books hold what the chain holds, and nothing is reserved any more. */
  readonly equal: boolean
}

/** One of the token's events: base units, and the time of its block in unix seconds. */
export type Transfer = { readonly amount: bigint; readonly time: number }

/** Everything that there is to see of a world at its end. No two keys have the same amount. */
export type Sight = {
  readonly total: bigint
  readonly perDay: bigint
  /** Every order that was ever given, by its key. */
  readonly orders: ReadonlyMap<string, bigint>
  /** Keys that somebody was told are paid. */
  readonly toldPaid: ReadonlySet<string>
  /** Keys that are neither paid nor refused. */
  readonly endless: ReadonlySet<string>
  readonly received: readonly Transfer[]
  /** Out of the account. */
  readonly left: readonly Transfer[]
  /** Of every store: what `verify` and `totals` say. */
  readonly books: readonly {
    readonly equal: boolean
    readonly total: bigint
    readonly paid: bigint
    readonly reserved: bigint
  }[]
  /** Keys that books were restored without, on a rail where they do not find them again. */
  readonly forgotten: ReadonlySet<string>
}

export function tally(sight: Sight): Omit<Row, 'scenario'> {
  const { total, perDay, orders, received, left, books } = sight
  const times = new Map<bigint, number>()
  for (const { amount } of received) times.set(amount, (times.get(amount) ?? 0) + 1)
  const days = new Map<number, bigint>()
  for (const { time, amount } of left)
    days.set(Time.midnight(time), (days.get(Time.midnight(time)) ?? 0n) + amount)
  const paid = sum(received.map(({ amount }) => amount))
  const gone = sum(left.map(({ amount }) => amount))
  const lost = [...orders].filter(
    ([key, amount]) => sight.endless.has(key) || (sight.toldPaid.has(key) && !times.has(amount)),
  )
  const forgotten = new Set([...sight.forgotten].map((key) => orders.get(key)))
  const known = sum(received.flatMap(({ amount }) => (forgotten.has(amount) ? [] : [amount])))
  return {
    cap: Number(total),
    paid: Number(paid),
    over: Number(
      sum([above(gone > paid ? gone : paid, total), ...[...days.values()].map((day) => above(day, perDay))]),
    ),
    lost: lost.length,
    duplicated: [...times.values()].reduce((more, count) => more + count - 1, 0),
    equal:
      books.every(({ equal, total, reserved }) => equal && total === gone && reserved === 0n) &&
      sum(books.map(({ paid }) => paid)) === known,
  }
}

/** The rows of several rounds of one scenario as one. */
export function add(one: Row, other: Row): Row {
  return {
    scenario: one.scenario,
    cap: one.cap + other.cap,
    paid: one.paid + other.paid,
    over: one.over + other.over,
    lost: one.lost + other.lost,
    duplicated: one.duplicated + other.duplicated,
    equal: one.equal && other.equal,
  }
}

/** Whether everything was kept that is promised. */
export function holds(rows: readonly Row[]): boolean {
  return rows.every(
    ({ over, lost, duplicated, equal }) => over === 0 && lost === 0 && duplicated === 0 && equal,
  )
}

export function sum(amounts: readonly bigint[]): bigint {
  return amounts.reduce((sum, amount) => sum + amount, 0n)
}

function above(spent: bigint, limit: bigint): bigint {
  return spent > limit ? spent - limit : 0n
}
