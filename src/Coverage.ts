import * as Amount from './Amount.js'
import * as DirectCoverage from './DirectCoverage.js'
import type { Grant } from './Grant.js'
import * as GuardCoverage from './GuardCoverage.js'
import * as Permission from './Permission.js'
import * as Siblings from './Siblings.js'
import type { Ticket } from './State.js'
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
    | 'perWindow'
    | 'maxFloat'
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
   * Other permissions that exist or were signed, submitted or not: whoever has a signature can submit it. Leave out
   * revoked ones.
   */
  permissions?: readonly Siblings.Sibling[] | undefined
  /** What the grant's own permission has spent already in its period at `now`, base units. Default 0. */
  used?: bigint | undefined
  /** What the guard has metered under the grant at `now`. Default: nothing. */
  spent?: Siblings.Spent | undefined
  /**
   * The tickets of tasks that a thief could use, with what was spent of each, base units. Default: as if the
   * orchestrator signed every ticket that the thief asks for.
   */
  tickets?: readonly (Ticket & { readonly used?: bigint | undefined })[] | undefined
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
  const known = { from, used: options.used, spent: options.spent, tickets: options.tickets }
  const { exposure, notes } = Siblings.exposure(grant, permission, options.permissions ?? [], known)
  const { second, utcDay, day, life, exact } = exposure
  const isDirect = grant.rail === 'direct'
  const lines = isDirect ? DirectCoverage.lines : GuardCoverage.lines
  const warnings = isDirect ? DirectCoverage.warnings : GuardCoverage.warnings
  const coverage: Coverage = {
    rail: grant.rail,
    token: { symbol: grant.token.symbol, decimals: grant.token.decimals },
    caps: lines(grant, permission),
    end: permission.end === Time.max ? null : permission.end,
    from,
    worst: { second, utcDay, day, life },
    bound: exact ? 'exact' : 'conservative',
    warnings: [
      ...warnings(grant, permission),
      ...notes,
      ...(exact ? [] : ['The caps of these permissions do not line up: the figures are upper bounds.']),
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
