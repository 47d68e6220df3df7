import type { Address, Hex } from 'viem'
import { hardcapGuard } from './Addresses.js'
import * as Exposure from './Exposure.js'
import { PolicyError } from './errors.js'
import type { Grant } from './Grant.js'
import * as Permission from './Permission.js'
import * as Policy from './Policy.js'
import type { Draw, Pool } from './Pool.js'
import * as PoolExposure from './PoolExposure.js'
import type { Ticket } from './State.js'
import type { TrailingWindow } from './TrailingWindow.js'

/** What the guard has metered under a grant at one moment, base units. */
export type Spent = {
  /** On the UTC day. */
  readonly day?: bigint | undefined
  /** Ever. */
  readonly total?: bigint | undefined
  /** In the trailing window of the permission's length. */
  readonly window?: TrailingWindow | undefined
  /** What the agent's purse, or on the direct rail its float, holds: it left the account before, and can still be paid out. */
  readonly float?: bigint | undefined
}

/** A permission besides the grant's own: `used` in its period and, at the guard, `spent` under its grantId. */
export type Sibling = Permission.Permission & {
  readonly used?: bigint | undefined
  readonly spent?: Spent | undefined
}

type Known = {
  readonly from: number
  readonly used: bigint | undefined
  readonly spent: Spent | undefined
  readonly tickets: readonly (Ticket & { readonly used?: bigint | undefined })[] | undefined
}

/**
 * What the agent's key lets out at the most, through the grant's own permission and all others that it can spend from
 * the same account: those that name it as their spender, each with a meter of its own, and those whose policy names it
 * at the guard, where all under one grantId share their meters.
 */
export function exposure(
  grant: Grant,
  own: Permission.Permission,
  siblings: readonly Sibling[],
  known: Known,
): { exposure: Exposure.Exposure; notes: string[] } {
  const { from } = known
  const { counted, notes } = sort(grant, own, siblings)
  const all = [{ ...own, used: known.used, spent: known.spent }, ...counted]
  const direct = all.filter(({ spender }) => same(spender, grant.agent))
  if (direct.length === all.length && grant.maxFloat === null) {
    const meters = all.map((permission) => ({ permission, used: permission.used }))
    return { exposure: Exposure.of(meters, from), notes }
  }
  const none = { perDay: null, total: null, perWindow: null, window: null }
  const isPulling = same(own.spender, grant.agent)
  const [float, maxFloat] = isPulling ? [known.spent?.float ?? 0n, grant.maxFloat ?? 0n] : [0n, 0n]
  const pools: Pool[] = direct.map((permission, n) => ({
    ...empty,
    // The first is the grant's own, by which alone its float is filled.
    ...(n === 0 ? { float, maxFloat } : {}),
    draws: [{ permission, used: permission.used ?? 0n, limits: none }],
  }))
  const groups = new Map<Hex, Sibling[]>()
  for (const permission of all) {
    if (direct.includes(permission)) continue
    const { grantId } = Policy.decode(permission.extraData)
    groups.set(grantId, [...(groups.get(grantId) ?? []), permission])
  }
  for (const group of groups.values()) pools.push(poolOf(group))
  const ticketed = known.tickets && withTickets(pools, grant, known.tickets, from)
  const found = PoolExposure.of(ticketed?.pools ?? pools, from)
  const exposure = withFloat(found, float)
  return { exposure: ticketed?.exact === false ? { ...exposure, exact: false } : exposure, notes }
}

/** What the agent's own address holds can be taken whatever becomes of the permission. */
function withFloat(found: Exposure.Exposure, float: bigint): Exposure.Exposure {
  const most = (amount: bigint) => (amount > float ? amount : float)
  const { second, utcDay, day, life } = found
  return {
    ...found,
    second: most(second),
    utcDay: most(utcDay),
    day: most(day),
    life: life === null ? null : most(life),
  }
}

const empty = { day: 0n, total: 0n, windows: new Map(), float: 0n, maxFloat: 0n } as const

function poolOf(group: readonly Sibling[]): Pool {
  const windows = new Map<number, TrailingWindow>()
  const draws: Draw[] = []
  let maxFloat = 0n
  for (const permission of group) {
    const limits = Policy.decode(permission.extraData)
    draws.push({ permission, used: permission.used ?? 0n, limits })
    if ((limits.maxFloat ?? 0n) > maxFloat) maxFloat = limits.maxFloat ?? 0n
    const ring = permission.spent?.window
    if (limits.window !== null && ring !== undefined) windows.set(limits.window, ring)
  }
  const spent = group.find(({ spent }) => spent !== undefined)?.spent
  const { day = 0n, total = 0n, float = 0n } = spent ?? {}
  return { draws, day, total, windows, float, maxFloat }
}

/** Where every permission of the grant asks for tickets, no more comes out than the tickets are good for. */
function withTickets(
  pools: readonly Pool[],
  grant: Grant,
  tickets: NonNullable<Known['tickets']>,
  from: number,
): { pools: Pool[]; exact: boolean } {
  let exact = true
  const limited = pools.map((pool): Pool => {
    const policies = pool.draws.map(({ permission, limits }) =>
      'grantId' in limits ? Policy.decode(permission.extraData) : undefined,
    )
    const [first] = policies
    if (first?.grantId !== grant.grantId) return pool
    let good = 0n
    for (const { cap, deadline, used = 0n } of tickets) {
      const perTask = policies.reduce<bigint | null>((most, policy) => {
        const next = policy?.perTask ?? null
        return most === null || next === null ? null : next > most ? next : most
      }, 0n)
      // One permission without the cap, or with another orchestrator, asks nobody for these tickets.
      if (perTask === null || policies.some((policy) => policy?.orchestrator !== first.orchestrator))
        return pool
      const limit = cap < perTask ? cap : perTask
      if (deadline > from && limit > used) good += limit - used
      if (pool.draws.some(({ permission }) => deadline < permission.end)) exact = false
    }
    const most = pool.total + good
    const cut = (total: bigint | null) => (total === null || total > most ? most : total)
    const draws = pool.draws.map((draw) => ({
      ...draw,
      limits: { ...draw.limits, total: cut(draw.limits.total) },
    }))
    return { ...pool, draws }
  })
  return { pools: limited, exact }
}

/** Which of them the same key can spend from the same account, and why not the others. */
function sort(grant: Grant, own: Permission.Permission, siblings: readonly Sibling[]) {
  const counted = new Map<string, Sibling>()
  const foreign = new Map<string, string>()
  const ownHash = Permission.hash(own)
  for (const sibling of siblings) {
    const hash = Permission.hash(sibling)
    if (hash === ownHash && sibling.chainId === own.chainId) continue
    const why = foreignness(grant, own, sibling)
    if (why === undefined) counted.set(hash, sibling)
    else foreign.set(`${sibling.chainId} ${hash}`, `Permission ${hash} ${why}: not counted.`)
  }
  const all = [...counted.values()]
  const shared = all.filter((sibling) => sharesMeters(grant, own, sibling)).length
  const apart = all.length - shared
  const plural = (n: number) => `${n} more permission${n === 1 ? '' : 's'}`
  return {
    counted: all,
    notes: [
      ...(apart > 0
        ? [
            `The agent's key can spend from ${plural(apart)}. The chain meters each by itself, so the caps of each add up in what can be lost.`,
          ]
        : []),
      ...(shared > 0
        ? [
            `The agent's key can spend from ${plural(shared)} under this grantId. They share its meters, so the highest caps among them bound what can be lost.`,
          ]
        : []),
      ...foreign.values(),
    ],
  }
}

function sharesMeters(grant: Grant, own: Permission.Permission, sibling: Permission.Permission): boolean {
  if (same(own.spender, grant.agent) || !same(sibling.spender, own.spender)) return false
  return Policy.decode(sibling.extraData).grantId === Policy.decode(own.extraData).grantId
}

function foreignness(
  { agent }: Grant,
  own: Permission.Permission,
  other: Permission.Permission,
): string | undefined {
  const guard = same(own.spender, agent) ? hardcapGuard : own.spender
  if (other.chainId !== own.chainId) return `is for chain ${other.chainId}`
  if (!same(other.spender, agent) && !same(other.spender, guard))
    return `has another spender, ${other.spender}, with a key of its own`
  if (!same(other.account, own.account)) return `spends from another account, ${other.account}`
  if (!same(other.token, own.token)) return `spends another token, ${other.token}`
  if (same(other.spender, agent)) return undefined
  try {
    const policy = Policy.decode(other.extraData)
    return same(policy.agent, agent) ? undefined : `has another agent, ${policy.agent}, with a key of its own`
  } catch (error) {
    if (error instanceof PolicyError) return 'has a policy that the guard cannot read, so it pays nothing'
    throw error
  }
}

function same(a: Address, b: Address): boolean {
  return a.toLowerCase() === b.toLowerCase()
}
