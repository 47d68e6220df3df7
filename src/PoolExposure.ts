import type { Exposure } from './Exposure.js'
import * as Pool from './Pool.js'
import * as Time from './Time.js'
import * as TrailingWindow from './TrailingWindow.js'

/** Steps of plans for one figure: some tenths of a second. Beyond, a bound is given instead. */
const effort = 100_000

/** Seconds after which things must repeat to be looked at one by one. */
const longest = 400 * Time.day

/**
 * What can be taken at the most, from `from` on (unix seconds, inclusive), through permissions whose grants the guard
 * meters, and those of the direct rail, each a pool of its own. Grants are metered apart from each other, so what they
 * let out adds up.
 */
export function of(pools: readonly Pool.Pool[], from: number): Exposure {
  const second = peak(pools, from, 2)
  const utcDay = peak(pools, from, Time.day, true)
  const day = peak(pools, from, Time.day)
  const all = life(pools, from)
  return {
    second: second.most,
    utcDay: utcDay.most,
    day: day.most,
    life: all.most,
    exact: second.exact && utcDay.exact && day.exact && all.exact,
  }
}

/**
 * The most in any `[t, t + width)` from `from` on, or in any UTC day. Sliding such a stretch to the right, what it
 * lets out can only grow where its last second enters a new period, day or bucket, or the purse had more time to fill:
 * so it is enough to look there, and between two changes of the permissions at the first and last of what repeats.
 */
function peak(pools: readonly Pool.Pool[], from: number, width: number, aligned = false) {
  const bound = pools.reduce((sum, pool) => sum + (Pool.bound(pool, from, width, aligned) ?? 0n), 0n)
  const left: Pool.Effort = { left: effort }
  const draws = pools.flatMap((pool) => pool.draws)
  const edges = edgesOf(draws, from)
  const repeat = repeats(draws)
  const span = Math.min(repeat, longest) + width
  let most = 0n
  let found = 0n
  for (const first of starts(draws, edges, { from, width: aligned ? 1 : width, span })) {
    const since = aligned ? Math.max(from, Time.midnight(first)) : first
    const until = aligned ? Time.midnight(since) + Time.day : since + width
    const all = together(pools, { from, since, until }, left)
    if (all === undefined) return { most: bound, exact: found === bound }
    if (all.found >= bound) return { most: bound, exact: true }
    if (all.most > most) most = all.most
    if (all.found > found) found = all.found
  }
  // What never repeats was looked at all along, or it was not.
  const complete = repeat <= longest || edges.every((edge, n) => (edges[n + 1] ?? edge) - edge <= span)
  if (!complete || most > bound) most = bound
  return { most, exact: found === most }
}

function life(pools: readonly Pool.Pool[], from: number): { most: bigint | null; exact: boolean } {
  const bounds = pools.map((pool) => Pool.bound(pool, from, Time.max))
  if (bounds.includes(null)) return { most: null, exact: true }
  const bound = bounds.reduce<bigint>((sum, most) => sum + (most ?? 0n), 0n)
  const all = together(pools, { from, since: from, until: Time.max }, { left: effort })
  if (all === undefined) return { most: bound, exact: false }
  const most = all.most < bound ? all.most : bound
  return { most, exact: all.found === most }
}

function together(pools: readonly Pool.Pool[], stretch: Pool.Stretch, effort: Pool.Effort) {
  let [most, found] = [0n, 0n]
  for (const pool of pools) {
    const take = Pool.take(pool, stretch, effort)
    if (take === undefined) return undefined
    most += take.most
    found += take.found
  }
  return { most, found }
}

/** Where to begin a stretch: at `from`, and so that its last second enters something new. */
function* starts(
  draws: readonly Pool.Draw[],
  edges: readonly number[],
  { from, width, span }: { from: number; width: number; span: number },
): Generator<number> {
  const seen = new Set<number>([from])
  yield from
  for (const [n, edge] of edges.entries()) {
    const next = edges[n + 1]
    if (next === undefined) break
    const stretches = [
      [edge, Math.min(next, edge + span)],
      [Math.max(edge, next - span), next],
    ] as const
    for (const [since, until] of stretches)
      for (const moment of Pool.moments(draws, since, until + 1)) {
        const start = Math.max(from, moment - width + 1)
        if (seen.has(start)) continue
        seen.add(start)
        yield start
      }
  }
}

/** The moments from `from` on at which the set of running permissions, or what was there at `from`, changes. */
function edgesOf(draws: readonly Pool.Draw[], from: number): number[] {
  const edges = new Set([from])
  for (const { permission, limits } of draws) {
    const { start, end, period } = permission
    const { window } = limits
    edges.add(start).add(end)
    edges.add(from < start ? start : Math.min(end, from - ((from - start) % period) + period))
    if (limits.perDay !== null) edges.add(Time.midnight(from) + Time.day)
    if (window !== null) {
      const length = TrailingWindow.bucket(window)
      for (let step = 1; step <= 4; step++) edges.add(from - (from % length) + step * length)
    }
  }
  const last = Math.max(...draws.map(({ permission }) => permission.end))
  return [...edges].filter((edge) => edge >= from && edge <= last).sort((a, b) => a - b)
}

/** The least common multiple of all that renews, in seconds; Infinity if beyond use. */
function repeats(draws: readonly Pool.Draw[]): number {
  const lengths = draws.flatMap(({ permission: { start, end, period }, limits: { perDay, window } }) => [
    ...(period < end - start ? [period] : []),
    ...(perDay === null ? [] : [Time.day]),
    ...(window === null ? [] : [TrailingWindow.bucket(window)]),
  ])
  return lengths.reduce((multiple, length) => {
    const next = (multiple / gcd(multiple, length)) * length
    return next <= longest ? next : Number.POSITIVE_INFINITY
  }, 1)
}

function gcd(a: number, b: number): number {
  return a === Number.POSITIVE_INFINITY ? b : b === 0 ? a : gcd(b, a % b)
}
