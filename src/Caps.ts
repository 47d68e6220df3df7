import * as Amount from './Amount.js'
import { InputError } from './errors.js'
import * as Input from './Input.js'
import type { Token } from './Token.js'

/** The caps of a grant, in base units of its token. `null` is a cap that was not asked for. */
export type Caps = {
  readonly perCall: bigint
  readonly perTask: bigint | null
  readonly perDay: bigint | null
  readonly total: bigint | null
  readonly perWindow: bigint | null
  /** Seconds; null where `perWindow` is, and only there. */
  readonly window: number | null
  readonly maxFloat: bigint | null
}

/** Caps as people write them: decimal strings of whole tokens, or numbers where those are exact. */
export type CapsInput = {
  /** The most that one payment may be. Omitted: 1.00 or the smallest other cap, whichever is less. */
  perCallUsd?: string | number | undefined
  /** The most that payments of one task may add up to. */
  perTaskUsd?: string | number | undefined
  /** The most per UTC day. */
  perDayUsd?: string | number | undefined
  /** The most over the life of the grant. */
  totalUsd?: string | number | undefined
  /** The most in any `window` seconds, wherever they begin. */
  perWindowUsd?: string | number | undefined
  /** Seconds, 1 to 2^32 - 1. Goes with `perWindowUsd`. */
  window?: number | undefined
  /**
   * The most that a funding may lift the purse to. Omitted: ten times perCall, and at most every other cap. On the direct
   * rail the most that the agent's address may hold of it to pay with by authorizations; omitted there: none are paid.
   */
  maxFloatUsd?: string | number | undefined
}

export const fields = [
  'perCallUsd',
  'perTaskUsd',
  'perDayUsd',
  'totalUsd',
  'perWindowUsd',
  'window',
  'maxFloatUsd',
] as const satisfies (keyof CapsInput)[]

/** What the guard's types can hold of each cap. One more is the type's largest value, which means "no cap" there. */
export const most = {
  perCall: 2n ** 112n - 2n,
  perTask: 2n ** 112n - 2n,
  perDay: 2n ** 112n - 2n,
  total: 2n ** 112n - 2n,
  perWindow: 2n ** 48n - 2n,
  maxFloat: 2n ** 112n - 1n,
} as const

type Context = { token: Token; rail: 'direct' | 'guard' | 'purse' }

/**
 * Reads caps into base units.
 *
 * @throws InputError `INVALID_AMOUNT`, `INVALID_VALUE`, `CAP_MISSING`, `CAP_CONFLICT`, `RAIL_CONFLICT`
 */
export function parse(input: Partial<Record<keyof CapsInput, unknown>>, context: Context): Caps {
  const { decimals } = context.token
  const read = (field: Exclude<keyof CapsInput, 'window'>) =>
    input[field] === undefined ? null : Amount.parse(input[field], { decimals, field })
  const others = {
    perTask: read('perTaskUsd'),
    perDay: read('perDayUsd'),
    total: read('totalUsd'),
    perWindow: read('perWindowUsd'),
  }
  const least = (start: bigint) =>
    Object.values(others).reduce<bigint>((least, cap) => (cap !== null && cap < least ? cap : least), start)
  const perCall = read('perCallUsd') ?? least(10n ** BigInt(decimals))
  const caps = {
    perCall,
    ...others,
    window: input.window === undefined ? null : window(input.window),
    maxFloat: read('maxFloatUsd') ?? (context.rail === 'purse' ? least(10n * perCall) : null),
  }
  check({ ...caps, ...context })
  return caps
}

/** The length of a trailing window. */
export function window(value: unknown): number {
  return Input.integer(value, 'window', { min: 1, max: 2 ** 32 - 1 })
}

/**
 * That the caps say something together: something bounds the grant (perDay or total), and one payment of perCall
 * fits into every other cap. A perDay above total, and a perTask above either, are merely never reached. And that
 * the rail can hold them.
 *
 * @throws InputError `INVALID_AMOUNT`, `CAP_MISSING`, `CAP_CONFLICT`, `RAIL_CONFLICT`
 */
export function check(caps: Caps & Context): void {
  const { perCall, perWindow, window, token, rail } = caps
  if (caps.perDay === null && caps.total === null)
    throw new InputError('CAP_MISSING', {
      field: 'perDayUsd',
      given: undefined,
      valid: 'perDayUsd, totalUsd or both',
      why: 'A grant needs a cap per day or in total: without one nothing bounds what it can cost.',
    })
  if ((perWindow === null) !== (window === null))
    throw new InputError('CAP_CONFLICT', {
      field: 'window',
      given: window ?? undefined,
      valid: 'perWindowUsd and window together, such as "5" and 3600, or neither',
      why: 'A cap per window and the window in seconds say nothing without each other.',
    })
  checkRail(caps)
  for (const name of ['perTask', 'perDay', 'total', 'perWindow', 'maxFloat'] as const) {
    const cap = caps[name]
    if (cap === null || perCall <= cap) continue
    const [given, other] = [perCall, cap].map((units) => Amount.format(units, token.decimals))
    throw new InputError('CAP_CONFLICT', {
      field: 'perCallUsd',
      given,
      valid: `at most ${other}, or a higher ${name}Usd`,
      why: `perCallUsd ${given} is above ${name}Usd ${other}, so it could never be reached.`,
      figures: { perCall, [name]: cap },
    })
  }
  if (rail === 'direct') return
  for (const [name, limit] of Object.entries(most) as [keyof typeof most, bigint][]) {
    const cap = caps[name]
    if (cap === null || cap <= limit) continue
    throw new InputError('INVALID_AMOUNT', {
      field: `${name}Usd`,
      given: Amount.format(cap, token.decimals),
      valid: `at most ${Amount.format(limit, token.decimals)}`,
      why: 'More than the guard can meter.',
      figures: { [name]: cap, limit },
    })
  }
}

/** What a rail does not have, it does not pretend to hold. */
function checkRail({ rail, token, perWindow, maxFloat }: Caps & Context): void {
  const amount = (units: bigint) => Amount.format(units, token.decimals)
  const conflict = (field: string, given: unknown, valid: string, why: string) =>
    new InputError('RAIL_CONFLICT', { field, given, valid, why, figures: { rail } })
  if (rail === 'direct' && perWindow !== null)
    throw conflict(
      'perWindowUsd',
      amount(perWindow),
      'rail "guard" or "purse"',
      'Only the guard keeps a window.',
    )
  if (rail === 'guard' && maxFloat !== null)
    throw conflict(
      'maxFloatUsd',
      amount(maxFloat),
      'rail "purse" or "direct"',
      'The guard rail pays from no float.',
    )
  if (rail === 'purse' && maxFloat === null)
    throw conflict('maxFloatUsd', maxFloat, 'an amount', 'The purse rail needs the most that a purse holds.')
}
