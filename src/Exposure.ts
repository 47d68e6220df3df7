import type { Permission } from './Permission.js'
import * as Time from './Time.js'

/**
 * What a set of permissions lets their common spender take, at the most, in base units.
 *
 * SpendPermissionManager meters each permission by itself: in every period of it one allowance, the last
 * period being clipped to the end and keeping a full one. So the most that a stretch of time lets out is,
 * for each permission, its allowance times the periods that the stretch touches.
 */
export type Exposure = {
  /** At two timestamps a second apart: a boundary between two periods lets out two allowances. */
  readonly second: bigint
  /** In one UTC day. */
  readonly utcDay: bigint
  /** In any 24 hours, `[t, t + 86,400)`. */
  readonly day: bigint
  /** From `from` to the last end; null where a permission renews without an end. */
  readonly life: bigint | null
  /** Whether each figure can be reached to the unit; else it is a bound that cannot be exceeded. */
  readonly exact: boolean
}

/** A permission with what its period at `from` has spent already, base units. */
export type Meter = { readonly permission: Permission; readonly used?: bigint | undefined }

/** Looks at more moments than this are not worth their time; a bound is given instead. */
const maxMoments = 50_000

/** What can be taken through these permissions from `from` on (unix seconds, inclusive). */
export function of(meters: readonly Meter[], from: number): Exposure {
  const second = peak(meters, from, 2)
  const day = peak(meters, from, Time.day)
  const utcDay = utcPeak(meters, from) ?? { most: day.most, exact: false }
  const endless = meters.some((meter) => renews(meter) && meter.permission.end === Time.max)
  return {
    second: second.most,
    utcDay: utcDay.most,
    day: day.most,
    life: endless ? null : taken(meters, from, from, Time.max),
    exact: second.exact && day.exact && utcDay.exact,
  }
}

/**
 * The most in any `[t, t + width)` from `from` on. Sliding such a window to the right, its sum can only grow
 * where its last second enters a new period: so these moments, and `from`, are all that has to be looked at.
 */
function peak(meters: readonly Meter[], from: number, width: number): { most: bigint; exact: boolean } {
  const moments = new Set([from])
  for (const edge of edges(meters, from)) {
    // Between two edges all repeats itself after the common multiple of the periods.
    const until = edge + repeat(meters, edge, 1) + width
    const starts = meters.map((meter) => periodStarts(meter, edge, until))
    const count = starts.reduce((sum, { count }) => sum + count, moments.size)
    if (meters.length > 1 && count > maxMoments) {
      // Each permission at its own worst moment: never exceeded, but perhaps not reached.
      const most = meters.reduce((sum, meter) => sum + peak([meter], from, width).most, 0n)
      return { most, exact: false }
    }
    for (const { first, period, count } of starts) {
      for (let n = 0; n < count; n++) moments.add(Math.max(from, first + n * period - width + 1))
    }
  }
  return { most: greatest(moments, (t) => taken(meters, from, t, t + width)), exact: true }
}

/** The most in one UTC day; undefined where there are too many different days to look at. */
function utcPeak(meters: readonly Meter[], from: number): { most: bigint; exact: boolean } | undefined {
  const days = new Set<number>()
  const end = Math.max(from, ...meters.map((meter) => meter.permission.end))
  for (const edge of edges(meters, from)) {
    const first = Time.midnight(edge)
    const count = Math.min(repeat(meters, edge, Time.day) / Time.day + 2, (end - first) / Time.day + 1)
    if (count > maxMoments - days.size) return undefined
    for (let n = 0; n < count; n++) days.add(first + n * Time.day)
  }
  return { most: greatest(days, (t) => taken(meters, from, t, t + Time.day)), exact: true }
}

/** What `[since, until)` lets out at the most, of what is left at `from`. */
function taken(meters: readonly Meter[], from: number, since: number, until: number): bigint {
  let sum = 0n
  for (const { permission, used = 0n } of meters) {
    const { start, end, period, allowance } = permission
    const first = Math.max(since, from, start)
    const last = Math.min(until, end) - 1
    if (first > last) continue
    const index = (time: number) => Math.floor((time - start) / period)
    sum += allowance * BigInt(index(last) - index(first))
    // Of its first period, what is left there. A caller's figure might exceed an allowance, the chain's never.
    const spent = from >= start && index(first) === index(from) ? used : 0n
    if (spent < allowance) sum += allowance - spent
  }
  return sum
}

/** The moments from `from` on at which the set of running permissions, or what is left of them, changes. */
function edges(meters: readonly Meter[], from: number): number[] {
  const all = meters.flatMap(({ permission: { start, end, period } }) => [
    start,
    end,
    // The end of the period at `from`: only this one may be partly used.
    from < start ? start : from - ((from - start) % period) + period,
  ])
  return [...new Set([from, ...all.filter((edge) => edge > from)])]
}

/** The period starts of a permission in `[since, until)`. */
function periodStarts({ permission }: Meter, since: number, until: number) {
  const { start, end, period } = permission
  const first = since <= start ? start : start + Math.ceil((since - start) / period) * period
  const last = Math.min(until, end) - 1
  return { first, period, count: first > last ? 0 : Math.floor((last - first) / period) + 1 }
}

/** The least common multiple of `unit` and the periods of what renews at `time`; Infinity if beyond use. */
function repeat(meters: readonly Meter[], time: number, unit: number): number {
  return meters
    .filter((meter) => renews(meter) && meter.permission.start <= time && time < meter.permission.end)
    .reduce((multiple, { permission: { period } }) => {
      const next = (multiple / gcd(multiple, period)) * period
      return next <= Time.max ? next : Number.POSITIVE_INFINITY
    }, unit)
}

function renews({ permission: { start, end, period } }: Meter): boolean {
  return period < end - start
}

function gcd(a: number, b: number): number {
  return a === Number.POSITIVE_INFINITY ? b : b === 0 ? a : gcd(b, a % b)
}

function greatest(moments: Iterable<number>, sum: (t: number) => bigint): bigint {
  let most = 0n
  for (const moment of moments) {
    const next = sum(moment)
    if (next > most) most = next
  }
  return most
}
