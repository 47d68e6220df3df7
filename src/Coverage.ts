import type { Address } from 'viem'
import * as Amount from './Amount.js'
import * as Exposure from './Exposure.js'
import type { Grant } from './Grant.js'
import * as Permission from './Permission.js'
import * as Time from './Time.js'

/**
 * Who makes a cap hold when the agent's key and process are stolen:
 * - `chain`: the contracts, exactly at the limit
 * - `chain (conservative)`: the contracts, at less than the limit
 * - `process`: hardcap's own code only, so nobody any more
 * - `none`: there is no such cap
 */
export type Holder = 'chain' | 'chain (conservative)' | 'process' | 'none'

/** One thing that a grant limits, and who holds it. */
export type Line = {
  readonly cap:
    | 'perCall'
    | 'perTask'
    | 'perDay'
    | 'total'
    | 'start'
    | 'expiry'
    | 'payees'
    | 'hosts'
    | 'revocation'
    | 'pause'
    | 'sessions'
  /** Base units (bigint) for amounts; unix seconds for dates and a count for payees and hosts (number). */
  readonly limit: bigint | number | null
  readonly holder: Holder
  /** One sentence for a person. */
  readonly words: string
}

/** What a grant limits, who holds each limit, and the most that can be lost. Plain data. */
export type Coverage = {
  readonly rail: Grant['rail']
  readonly token: { readonly symbol: string; readonly decimals: number }
  readonly caps: readonly Line[]
  /** Unix seconds from which the chain lets nothing out any more; null where there is no end. */
  readonly end: number | null
  /** Unix seconds from which on the worst case is counted. */
  readonly from: number
  /**
   * The most that a thief with the agent's key and process can take from `from` on, base units: at two
   * timestamps a second apart, in one UTC day, in any 24 hours, over the whole life (null: no end).
   */
  readonly worst: {
    readonly second: bigint
    readonly utcDay: bigint
    readonly day: bigint
    readonly life: bigint | null
  }
  /** `exact`: every figure of `worst` can be reached to the unit. `conservative`: it cannot be exceeded. */
  readonly bound: 'exact' | 'conservative'
  /** What the owner should read before signing. */
  readonly warnings: readonly string[]
}

export type Options = {
  /** Unix seconds: count what can be lost from then on. Default: from the grant's start, its whole life. */
  now?: number | undefined
  /** The permission of the grant. Default: `Permission.fromGrant(grant)`. */
  permission?: Permission.Permission | undefined
  /**
   * Other permissions that exist or were signed, submitted or not: whoever has a signature can submit it.
   * `used` is what the period at `now` has spent already, base units, default 0. Leave out revoked ones.
   */
  permissions?: readonly (Permission.Permission & { readonly used?: bigint | undefined })[] | undefined
  /** What the grant's own permission has spent already in its period at `now`, base units. Default 0. */
  used?: bigint | undefined
}

/**
 * Tells for each cap of a grant who holds it, and the most that can be lost. Printed with `console.log`, it
 * is the table that `format` gives.
 *
 * @example
 * ```ts
 * const coverage = Coverage.of(grant)
 * coverage.worst.day // 4_000_000n: two allowances of 2 USDC, across a midnight
 * console.log(coverage)
 * ```
 */
export function of(grant: Grant, options: Options = {}): Coverage {
  const permission = options.permission ?? Permission.fromGrant(grant)
  const from = options.now ?? Math.max(grant.startsAt, permission.start)
  const siblings = siblingsOf(permission, options.permissions ?? [])
  const exposure = Exposure.of([{ permission, used: options.used }, ...siblings.counted], from)
  const { second, utcDay, day, life, exact } = exposure
  const coverage: Coverage = {
    rail: grant.rail,
    token: { symbol: grant.token.symbol, decimals: grant.token.decimals },
    caps: linesOf(grant, permission),
    end: permission.end === Time.max ? null : permission.end,
    from,
    worst: { second, utcDay, day, life },
    bound: exact ? 'exact' : 'conservative',
    warnings: [
      ...warningsOf(grant, permission),
      ...siblings.notes,
      ...(exact ? [] : ['The periods of these permissions do not line up: the figures are upper bounds.']),
    ],
  }
  // Not enumerable, so that it stays plain data for everything but Node's console.
  Object.defineProperty(coverage, Symbol.for('nodejs.util.inspect.custom'), { value: () => format(coverage) })
  return coverage
}

/** The coverage as a table for a terminal: plain text, amounts as decimals of the token. */
export function format(coverage: Coverage): string {
  const { caps, end, from, worst, bound, warnings } = coverage
  const most = bound === 'exact' ? '' : 'at most '
  return [
    `What holds, on the ${coverage.rail} rail`,
    ...table([
      ['cap', 'limit', 'held by', ''],
      ...caps.map((line) => [line.cap, limit(coverage, line), line.holder, line.words]),
    ]),
    '',
    end === null ? 'The chain knows no end.' : `The chain ends it at ${Time.format(end)}.`,
    `The most that can be lost from ${Time.format(from)} on, with the agent's key and process stolen:`,
    ...table([
      ['within a second', most + money(coverage, worst.second)],
      ['in a UTC day', most + money(coverage, worst.utcDay)],
      ['in any 24 hours', most + money(coverage, worst.day)],
      [
        'over the life',
        worst.life === null ? 'all that the wallet ever holds' : most + money(coverage, worst.life),
      ],
    ]),
    ...(warnings.length === 0 ? [] : ['', 'Warnings', ...warnings.map((warning) => `  ! ${warning}`)]),
  ].join('\n')
}

/** The direct rail: the chain meters one allowance per period between start and end, and nothing else. */
function linesOf(grant: Grant, permission: Permission.Permission): Line[] {
  const { allow, perCall, perTask } = grant
  const payees = new Set(allow.flatMap((entry) => entry.payTo)).size
  const end = permission.end === Time.max ? null : permission.end
  return [
    {
      cap: 'perCall',
      limit: perCall,
      holder: 'process',
      words: 'The chain takes any amount that fits the allowance.',
    },
    perTask === null
      ? { cap: 'perTask', limit: null, holder: 'none', words: 'One task may use up the other caps.' }
      : { cap: 'perTask', limit: perTask, holder: 'process', words: 'The chain knows no tasks.' },
    perDayLine(grant, permission),
    totalLine(grant, permission),
    {
      cap: 'start',
      limit: permission.start,
      holder: 'chain',
      words: 'Nothing can be spent before.',
    },
    end === null
      ? { cap: 'expiry', limit: null, holder: 'none', words: 'It can be spent until it is revoked.' }
      : { cap: 'expiry', limit: end, holder: 'chain', words: 'Nothing can be spent from then on.' },
    allow.some((entry) => entry.payTo.length === 0)
      ? { cap: 'payees', limit: null, holder: 'none', words: 'A listed host may name any payee.' }
      : {
          cap: 'payees',
          limit: payees,
          holder: 'process',
          words: "The chain pays the agent's key, which can pay anybody.",
        },
    { cap: 'hosts', limit: allow.length, holder: 'process', words: 'The chain knows no hosts.' },
    {
      cap: 'revocation',
      limit: null,
      holder: 'chain',
      words: 'At once and for good; a thief who sees it coming can take what is left before it.',
    },
    { cap: 'pause', limit: null, holder: 'process', words: 'Only a revocation stops a stolen key.' },
    {
      cap: 'sessions',
      limit: null,
      holder: 'process',
      words: 'Limits of sessions and categories are bookkeeping.',
    },
  ]
}

function perDayLine({ perDay }: Grant, permission: Permission.Permission): Line {
  const cap = 'perDay'
  if (perDay === null) return { cap, limit: null, holder: 'none', words: 'One day may use up the total.' }
  const holder = holderOf(perDay, Exposure.of([{ permission }], permission.start).utcDay)
  const words = {
    chain: 'Per UTC day. Two days meet at midnight, so 24 hours can see two.',
    'chain (conservative)': 'A day can take no more than the total, which is less.',
    process: 'The periods of the permission are not UTC days.',
  }
  return { cap, limit: perDay, holder, words: words[holder] }
}

function totalLine({ perDay, total }: Grant, permission: Permission.Permission): Line {
  const cap = 'total'
  if (total === null)
    return { cap, limit: null, holder: 'none', words: 'Every day can be spent in full, until the end.' }
  const holder = holderOf(total, Exposure.of([{ permission }], permission.start).life)
  const words = {
    chain: perDay === null ? 'One allowance for the whole life.' : 'All days until the end add up to it.',
    'chain (conservative)': 'All days until the end add up to less.',
    process: 'The chain only counts days.',
  }
  return { cap, limit: total, holder, words: words[holder] }
}

/** The chain holds a cap where the permission, whatever happens, lets out no more than that. */
function holderOf(cap: bigint, most: bigint | null): Exclude<Holder, 'none'> {
  if (most === null || most > cap) return 'process'
  return most === cap ? 'chain' : 'chain (conservative)'
}

function warningsOf(grant: Grant, permission: Permission.Permission): string[] {
  const { allow, expiresAt, perDay, perTask, total } = grant
  const warnings: string[] = []
  const end = permission.end
  const held = totalLine(grant, permission).holder
  if (total === null) warnings.push('NO TOTAL: the day cap can be spent in full every day until the end.')
  if (expiresAt === null && end === Time.max)
    warnings.push('NO EXPIRY: the grant can be used until it is revoked.')
  if (perTask === null) warnings.push('No cap per task: one task may use up the other caps.')
  if (perDay !== null && total !== null && held === 'process')
    warnings.push(
      `The total of ${money(grant, total)} is held by the process only: the chain counts days. Define the grant with hold: 'total' to have the chain hold it.`,
    )
  if (grant.hold === 'total' && end !== (expiresAt ?? Time.max))
    warnings.push(
      `To hold the total, the chain ends the grant at ${Time.format(end)} instead of ${expiresAt === null ? 'never' : Time.format(expiresAt)}.`,
    )
  if (allow.some((entry) => entry.payTo.length === 0))
    warnings.push('Some hosts bind no payee: whatever payee such a host names is paid.')
  if (grant.status === 'revoked')
    warnings.push('The grant is marked as revoked. That stops the process; a stolen key only stops on chain.')
  return warnings
}

type Siblings = { counted: Exposure.Meter[]; notes: string[] }

/** The other permissions that the same key can spend from the same account. */
function siblingsOf(own: Permission.Permission, permissions: NonNullable<Options['permissions']>): Siblings {
  const counted = new Map<string, Exposure.Meter>()
  const foreign = new Map<string, string>()
  const ownHash = Permission.hash(own)
  for (const permission of permissions) {
    const hash = Permission.hash(permission)
    if (hash === ownHash && permission.chainId === own.chainId) continue
    const why = foreignness(own, permission)
    if (why === undefined) counted.set(hash, { permission, used: permission.used })
    else foreign.set(`${permission.chainId} ${hash}`, `Permission ${hash} ${why}: not counted.`)
  }
  const n = counted.size
  const notes = [...foreign.values()]
  if (n > 0)
    notes.unshift(
      `The agent's key can spend from ${n} more permission${n === 1 ? '' : 's'}. The chain meters each by itself, so the caps of each add up in what can be lost.`,
    )
  return { counted: [...counted.values()], notes }
}

function foreignness(own: Permission.Permission, other: Permission.Permission): string | undefined {
  const same = (a: Address, b: Address) => a.toLowerCase() === b.toLowerCase()
  if (other.chainId !== own.chainId) return `is for chain ${other.chainId}`
  if (!same(other.spender, own.spender)) return `has another spender, ${other.spender}, with a key of its own`
  if (!same(other.account, own.account)) return `spends from another account, ${other.account}`
  if (!same(other.token, own.token)) return `spends another token, ${other.token}`
  return undefined
}

function limit(coverage: Coverage, { cap, limit }: Line): string {
  if (limit === null) return '-'
  if (typeof limit === 'bigint') return money(coverage, limit)
  return cap === 'start' || cap === 'expiry' ? Time.format(limit) : String(limit)
}

function money({ token }: Pick<Coverage, 'token'>, amount: bigint): string {
  return `${Amount.format(amount, token.decimals)} ${token.symbol}`
}

/** Rows of cells as lines, every column but the last padded to its widest cell. */
function table(rows: readonly (readonly string[])[]): string[] {
  const widths: number[] = []
  for (const row of rows)
    for (const [n, cell] of row.entries()) widths[n] = Math.max(widths[n] ?? 0, cell.length)
  return rows.map((row) => `  ${row.map((cell, n) => cell.padEnd(widths[n] ?? 0)).join('  ')}`.trimEnd())
}
