import type { Address } from 'viem'
import * as Amount from '../../src/Amount.js'
import * as Decision from '../../src/Decision.js'
import { InputError } from '../../src/errors.js'
import * as Grant from '../../src/Grant.js'
import * as Permission from '../../src/Permission.js'
import * as Time from '../../src/Time.js'

const { day } = Time

/** Numbers from a seed, the same on every machine. */
export type Random = ReturnType<typeof randomOf>

export function randomOf(seed: number) {
  let state = seed >>> 0
  // mulberry32: small, and random enough to choose test cases with.
  const unit = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  return {
    /** A whole number from `min` to `max`, both included. */
    integer: (min: number, max: number) => min + Math.floor(unit() * (max - min + 1)),
    chance: (probability: number) => unit() < probability,
    pick: <item>(items: readonly item[]): item => {
      const item = items[Math.floor(unit() * items.length)]
      if (item === undefined) throw new Error('Nothing to pick from.')
      return item
    },
  }
}

/**
 * A grant with one of its permissions, and what was seen to happen to it. The meters are sums of spends that
 * succeeded, nothing more: no chain state is read back.
 */
export type World = {
  readonly name: string
  readonly grant: Grant.Grant
  readonly permission: Permission.Permission
  approved: boolean
  revoked: boolean
  readonly spends: { time: number; amount: bigint }[]
}

/**
 * Two worlds of one random grant: its permission and a second one of the same terms, of which SPM knows nothing in
 * common. One call may be as much as the narrowest other cap, so that nothing binds that the chain does not hold.
 * `origin` is a UTC midnight; starts lie up to three days before and two days after it.
 */
export function worldsOf(
  random: Random,
  parties: { owner: Address; agent: Address },
  origin: number,
): World[] {
  const cap = random.pick([1n, 2n, BigInt(random.integer(3, 5_000_000)), BigInt(random.integer(1, 10 ** 9))])
  const kind = random.pick(['day', 'day', 'total', 'held', 'lifetime'] as const)
  const usd = (units: bigint) => Amount.format(units, 6)
  const caps = {
    day: { perDayUsd: usd(cap) },
    total: { totalUsd: usd(cap) },
    held: {
      perDayUsd: usd(cap),
      totalUsd: usd(cap * BigInt(random.integer(1, 7)) + (cap > 1n ? 1n : 0n)),
      hold: 'total' as const,
    },
    // A day cap that is not below the total: the permission mirrors the total.
    lifetime: { perDayUsd: usd(cap + BigInt(random.integer(0, 2))), totalUsd: usd(cap) },
  }[kind]
  const startsAt = origin + random.pick([0, -day, 2 * day, random.integer(-3 * day, 2 * day)])
  const expiresAt = origin + 2 * day + random.pick([day, 1, day + 1, random.integer(1, 2 * day)])
  const grant = Grant.define(
    {
      ...parties,
      ...caps,
      rail: 'direct',
      perCallUsd: usd(cap),
      allow: ['api.example.com'],
      startsAt: startsAt * 1000,
      ...(random.chance(0.2) ? {} : { expiresAt: expiresAt * 1000 }),
    },
    // Made when it starts, or its held total might be over already.
    { now: Math.min(origin, startsAt) },
  )
  // In some worlds nothing binds but the permission itself, with periods that are nobody's days.
  const alone = random.chance(0.3)
  const odd = { period: random.integer(day / 4, 2 * day), start: startsAt - random.integer(0, 5) }
  return [0n, 1n].map((nonce) => {
    const compiled = Permission.fromGrant(grant, { nonce })
    const permission = alone ? { ...compiled, ...odd } : compiled
    return {
      name: `${kind} ${Grant.serialize(grant)} ${Permission.serialize(permission)}`,
      grant: alone ? { ...grant, perCall: Amount.max, perDay: null, total: null } : grant,
      permission,
      approved: false,
      revoked: false,
      spends: [],
    }
  })
}

/** The moments at which something changes for a permission in `[since, until)`, and a second around them. */
export function moments({ permission }: World, since: number, until: number): number[] {
  const { start, end, period } = permission
  const edges = [start, end]
  for (let n = Math.max(0, Math.floor((since - start) / period)); n < 1000; n++) {
    const edge = start + n * period
    if (edge >= Math.min(end, until)) break
    edges.push(edge)
  }
  const around = edges.flatMap((edge) => [edge - 1, edge, edge + 1])
  return [...new Set(around)].filter((time) => time >= since && time < until)
}

/** What a decision looks at, by the model's own sums. */
export function stateOf(world: World, now: number): Decision.State {
  const { grant, permission, approved, revoked, spends } = world
  const sum = (since: number) =>
    spends.reduce((sum, { time, amount }) => (time >= since ? sum + amount : sum), 0n)
  const { start, period } = permission
  const periodStart = start + Math.floor((now - start) / period) * period
  const used = { period: sum(periodStart), day: sum(now - (now % day)), total: sum(0), task: 0n }
  return { grant, permission, now, paused: false, approved, revoked, used }
}

/** Amounts at the edges of what is left of the allowance. */
export function amounts(world: World, now: number): bigint[] {
  const { permission, used } = stateOf(world, now)
  const left = permission.allowance - used.period
  const all = [
    0n,
    1n,
    left - 1n,
    left,
    left + 1n,
    permission.allowance,
    permission.allowance + 1n,
    Amount.max,
  ]
  return [...new Set(all)].filter((amount) => amount >= 0n)
}

/** What `Decision.decide` says of a spend, in the words of SpendPermissionManager's errors. */
export function decided(state: Decision.State, to: Address, amount: bigint): string {
  try {
    const decision = Decision.decide(state, { to, amount, host: 'api.example.com' })
    if (decision.allowed) return 'ok'
    switch (decision.code) {
      case 'REVOKED':
      case 'NOT_APPROVED':
        return 'UNAUTHORIZED_SPEND_PERMISSION'
      case 'NOT_STARTED':
        return 'BEFORE_SPEND_PERMISSION_START'
      case 'EXPIRED':
        return 'AFTER_SPEND_PERMISSION_END'
      case 'OVER_PER_CALL':
      case 'BUDGET_EXCEEDED':
        // SPM tells a sum that does not even fit its type from one above the allowance.
        return state.used.period + amount > Amount.max ? 'SPEND_VALUE_OVERFLOW' : 'EXCEEDED_SPEND_PERMISSION'
      default:
        return decision.code
    }
  } catch (error) {
    if (error instanceof InputError && amount === 0n) return 'ZERO_VALUE'
    throw error
  }
}
