import type { Permission } from './Permission.js'
import type { Policy } from './Policy.js'
import * as Time from './Time.js'
import * as TrailingWindow from './TrailingWindow.js'

/** What a policy caps over time. A permission of the direct rail has none of it. */
export type Limits = Pick<Policy, 'perDay' | 'total' | 'perWindow' | 'window'>

/** A permission that a thief can spend from, with what its period has spent already, base units. */
export type Draw = { readonly permission: Permission; readonly used: bigint; readonly limits: Limits }

/**
 * The permissions that share the meters of one grant, with what these had at one moment, base units. The guard counts
 * them together, each against its own caps, so what one has spent is gone for the others as well.
 */
export type Pool = {
  readonly draws: readonly Draw[]
  /** On the UTC day. */
  readonly day: bigint
  /** Ever. */
  readonly total: bigint
  /** In trailing windows, by their length. */
  readonly windows: ReadonlyMap<number, TrailingWindow.TrailingWindow>
  /** What the purse holds: it left the account before, and can still be paid out. */
  readonly float: bigint
  /** The most that fundings lift the purse to; 0 without one. */
  readonly maxFloat: bigint
}

/** What can be taken in a stretch of time: never more than `most`; `found` is what a plan does take. */
export type Take = { readonly most: bigint; readonly found: bigint }

/** A stretch of time `[since, until)`, of somebody who starts at `from`. Unix seconds. */
export type Stretch = { readonly from: number; readonly since: number; readonly until: number }

/** Counts down to 0, where a plan would take too long to make. */
export type Effort = { left: number }

/**
 * What reaches payees in a stretch. The thief may fill the purse before it and empties it then. Undefined where the
 * effort does not suffice.
 *
 * A single permission is taken from exactly: every cap limits what is spent in a stretch of time, so whoever takes
 * all there is as soon as it is there has, at every moment, the most that one can have. Siblings share caps, so each
 * by itself, and all of them under each cap that they share, bound what they give together.
 */
export function take(pool: Pool, stretch: Stretch, effort: Effort): Take | undefined {
  const { since, until } = stretch
  if (!pool.draws.some(({ permission: { start, end } }) => since < end && start < until))
    return { most: 0n, found: 0n }
  const found = plan(pool, stretch, effort)
  if (found === undefined) return undefined
  if (pool.draws.length === 1) return { most: found, found }
  // What the purse holds by then comes on top.
  const held = pool.float + room(pool, stretch)
  const dry = { ...pool, float: 0n, maxFloat: 0n }
  const total = byTotal(pool, stretch, effort)
  const day = byDay(dry, stretch, effort)
  const window = byWindow(dry, stretch, effort)
  if (total === undefined || day === undefined || window === undefined) return undefined
  return { most: least([total, day + held, window + held]), found }
}

/**
 * A bound without a plan, for stretches of `width` seconds wherever they begin: the least of what the caps let out by
 * themselves. `aligned`: the stretch is a UTC day. Null where there is no bound.
 */
export function bound(pool: Pool, from: number, width: number, aligned = false): bigint | null {
  const { draws, float, maxFloat } = pool
  const first = Math.max(from, Math.min(...draws.map(({ permission }) => permission.start)))
  const last = Math.max(...draws.map(({ permission }) => permission.end))
  if (first >= last) return 0n
  const span = Math.min(width, last - first)
  const touched = (length: number) => Math.floor((span - 2) / length) + 2
  const times = (limit: bigint | null, count: number) => (limit === null ? null : limit * BigInt(count))
  const renews = ({ permission: { start, end, period } }: Draw) => end === Time.max && period < end - start
  const endless = width >= Time.max && draws.some(renews)
  const periods = draws.map(({ permission: { start, end, period, allowance } }) =>
    times(allowance, Math.min(Math.ceil((end - start) / period), touched(period))),
  )
  const windows = new Map<number | null, bigint | null>()
  for (const { limits } of draws) {
    const { window, perWindow } = limits
    const length = TrailingWindow.bucket(window ?? 1)
    // One in the last second of a bucket, the next three buckets and a second later, then one every four.
    const rest = span - 3 * length - 2
    const count = rest < 0 ? 1 : Math.floor(rest / (4 * length)) + 2
    windows.set(window, maximum([windows.get(window) ?? 0n, times(perWindow, count)]))
  }
  const day = times(maximum(draws.map(({ limits }) => limits.perDay)), aligned ? 1 : touched(Time.day))
  const metered = endless ? null : minimum([sum(periods), day, sum([...windows.values()])])
  const total = left(maximum(draws.map(({ limits }) => limits.total)), pool.total)
  return minimum([
    metered === null ? null : metered + (maxFloat > float ? maxFloat : float),
    total === null ? null : total + float,
  ])
}

/** A thief's plan: everything as soon as it is there, from the permission with the narrowest caps first. */
function plan(pool: Pool, stretch: Stretch, effort: Effort): bigint | undefined {
  const { from, since, until } = stretch
  const draws = [...pool.draws].sort(
    (a, b) => compare(a.limits.perDay, b.limits.perDay) || compare(a.limits.total, b.limits.total),
  )
  const grab = grabber(pool, draws, from)
  const space = room(pool, stretch)
  let stored = 0n
  if (space > 0n)
    for (const time of moments(draws, from, since)) {
      if (effort.left-- <= 0) return undefined
      stored += grab(time, space - stored)
      if (stored >= space) break
    }
  let taken = 0n
  for (const time of moments(draws, since, until)) {
    if (effort.left-- <= 0) return undefined
    taken += grab(time)
    if (draws.every((draw) => grab.over(draw))) break
  }
  return taken + stored + pool.float
}

/** What a thief may add to the purse before the stretch. */
function room({ draws, maxFloat, float }: Pool, { from, since }: Stretch): bigint {
  const start = Math.min(...draws.map(({ permission }) => permission.start))
  return since <= from || since <= start || float > maxFloat ? 0n : maxFloat - float
}

/** The meters as the guard and SpendPermissionManager keep them; grabs what they let out, up to `most`. */
function grabber(pool: Pool, draws: readonly Draw[], from: number) {
  let { total } = pool
  let day = { index: Math.floor(from / Time.day), spent: pool.day }
  const windows = new Map(pool.windows)
  const periods = new Map<Draw, { index: number; used: bigint }>()
  const periodOf = ({ permission: { start, period } }: Draw, time: number) =>
    Math.floor((time - start) / period)
  for (const draw of draws) periods.set(draw, { index: periodOf(draw, from), used: draw.used })

  const grab = (time: number, most?: bigint): bigint => {
    let grabbed = 0n
    for (const draw of draws) {
      const { permission, limits } = draw
      if (time < permission.start || permission.end <= time) continue
      const today = Math.floor(time / Time.day)
      if (day.index !== today) day = { index: today, spent: 0n }
      const index = periodOf(draw, time)
      const stored = periods.get(draw)
      const period = stored?.index === index ? stored : { index, used: 0n }
      const slot = windows.get(limits.window ?? 0) ?? TrailingWindow.empty
      const seen = limits.window === null ? 0n : TrailingWindow.used(slot, { time, window: limits.window })
      const amount = least(
        [
          left(permission.allowance, period.used),
          left(limits.perDay, day.spent),
          left(limits.total, total),
          left(limits.perWindow, seen),
          most === undefined ? null : most - grabbed,
        ].filter((cap) => cap !== null),
      )
      if (amount <= 0n) continue
      grabbed += amount
      total += amount
      day.spent += amount
      periods.set(draw, { index, used: period.used + amount })
      if (limits.window !== null)
        windows.set(limits.window, TrailingWindow.record(slot, { time, window: limits.window, amount }))
    }
    return grabbed
  }
  /** Whether the total of the permission is used up, so that nothing comes from it any more. */
  grab.over = ({ limits }: Draw) => limits.total !== null && total >= limits.total
  return grab
}

/** `since`, and every second in `[since, until)` at which a meter starts anew: in between nothing more is there. */
export function* moments(draws: readonly Draw[], since: number, until: number): Generator<number> {
  for (let time = since; time < until; ) {
    yield time
    let next = until
    for (const draw of draws) for (const edge of edgesAfter(draw, time)) if (edge < next) next = edge
    time = next
  }
}

/** The next seconds after `time` at which something starts anew for a permission. */
function edgesAfter({ permission, limits }: Draw, time: number): number[] {
  const { start, end, period } = permission
  if (time >= end) return []
  if (time < start) return [start]
  const multiple = (length: number) => time - (time % length) + length
  return [
    time - ((time - start) % period) + period,
    ...(limits.perDay === null ? [] : [multiple(Time.day)]),
    ...(limits.window === null ? [] : [multiple(TrailingWindow.bucket(limits.window))]),
  ].filter((edge) => edge < end)
}

/** What each gives alone, but together no more than any total lets those out that have it, or a lower one. */
function byTotal(pool: Pool, stretch: Stretch, effort: Effort): bigint | undefined {
  const alone = each({ ...pool, float: 0n, maxFloat: 0n }, stretch, effort, 'total')
  const space = room(pool, stretch)
  // Whoever fills the purse beforehand spends of the total as well.
  return alone && pool.float + least([...nested(alone, pool.total, space), above(alone, -1n) + space])
}

/** Likewise by the caps per day, day after day. */
function byDay(pool: Pool, { from, since, until }: Stretch, effort: Effort): bigint | undefined {
  const end = Math.min(until, Math.max(...pool.draws.map(({ permission }) => permission.end)))
  let sum = 0n
  for (let begin = since; begin < end; begin = Time.midnight(begin) + Time.day) {
    const today = Time.midnight(begin) === Time.midnight(from) ? pool.day : 0n
    const stretch = { from, since: begin, until: Math.min(end, Time.midnight(begin) + Time.day) }
    const alone = each(pool, stretch, effort, 'perDay')
    if (!alone) return undefined
    sum += least([...nested(alone, today, 0n), above(alone, -1n)])
  }
  return sum
}

/** Likewise by the windows: those of one length share one, others add up. */
function byWindow(pool: Pool, stretch: Stretch, effort: Effort): bigint | undefined {
  let sum = 0n
  for (const window of new Set(pool.draws.map(({ limits }) => limits.window))) {
    const draws = pool.draws.filter(({ limits }) => limits.window === window)
    const alone = each({ ...pool, draws }, stretch, effort, 'perWindow')
    const [first] = draws
    if (!alone || !first) return undefined
    const start = Math.min(...draws.map(({ permission }) => permission.start))
    const end = Math.max(...draws.map(({ permission }) => permission.end))
    const permission = { ...first.permission, start, end, period: Time.max, allowance: 2n ** 160n }
    const perWindow = maximum(draws.map(({ limits }) => limits.perWindow))
    const limits = { perDay: null, total: null, perWindow, window }
    const all = above(alone, -1n)
    const shared =
      window === null ? all : plan({ ...pool, draws: [{ permission, used: 0n, limits }] }, stretch, effort)
    if (shared === undefined) return undefined
    sum += least([all, shared])
  }
  return sum
}

type Alone = { readonly limit: bigint | null; readonly most: bigint }

/** What each permission gives by itself, and its cap. */
function each(pool: Pool, stretch: Stretch, effort: Effort, cap: 'total' | 'perDay' | 'perWindow') {
  const alone: Alone[] = []
  for (const draw of pool.draws) {
    const most = plan({ ...pool, draws: [draw] }, stretch, effort)
    if (most === undefined) return undefined
    alone.push({ limit: draw.limits[cap], most })
  }
  return alone
}

/** For each cap: what is left of it, and what those with a higher one give; `extra` if there are any. */
function nested(alone: readonly Alone[], used: bigint, extra: bigint): bigint[] {
  const levels = alone.flatMap(({ limit }) => (limit === null ? [] : [limit]))
  const higher = (level: bigint) => alone.some(({ limit }) => limit === null || limit > level)
  return levels.map((level) => {
    const rest = level > used ? level - used : 0n
    return rest + above(alone, level) + (higher(level) ? extra : 0n)
  })
}

function above(alone: readonly Alone[], level: bigint): bigint {
  return alone.reduce((sum, { limit, most }) => (limit === null || limit > level ? sum + most : sum), 0n)
}

function left(limit: bigint | null, used: bigint): bigint | null {
  if (limit === null) return null
  return used < limit ? limit - used : 0n
}

function compare(a: bigint | null, b: bigint | null): number {
  if (a === b) return 0
  if (a === null || b === null) return a === null ? 1 : -1
  return a < b ? -1 : 1
}

function least(amounts: readonly bigint[]): bigint {
  return amounts.reduce((a, b) => (a < b ? a : b))
}

/** Null is without a limit. */
function minimum(amounts: readonly (bigint | null)[]): bigint | null {
  const limits = amounts.filter((amount) => amount !== null)
  return limits.length === 0 ? null : least(limits)
}

function maximum(amounts: readonly (bigint | null)[]): bigint | null {
  return amounts.reduce((a, b) => (a === null || b === null ? null : a > b ? a : b), 0n)
}

function sum(amounts: readonly (bigint | null)[]): bigint | null {
  return amounts.reduce((a, b) => (a === null || b === null ? null : a + b), 0n)
}
