import * as Amount from './Amount.js'
import { InputError } from './errors.js'
import type { Token } from './Token.js'

/** The caps of a grant, in base units of its token. `null` is a cap that was not asked for. */
export type Caps = {
  readonly perCall: bigint
  readonly perTask: bigint | null
  readonly perDay: bigint | null
  readonly total: bigint | null
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
}

export const fields = [
  'perCallUsd',
  'perTaskUsd',
  'perDayUsd',
  'totalUsd',
] as const satisfies (keyof CapsInput)[]

/**
 * Reads caps into base units.
 *
 * @throws InputError `INVALID_AMOUNT`, `CAP_MISSING`, `CAP_CONFLICT`
 */
export function parse(input: Partial<Record<keyof CapsInput, unknown>>, token: Token): Caps {
  const read = (field: keyof CapsInput) =>
    input[field] === undefined ? null : Amount.parse(input[field], { decimals: token.decimals, field })
  const others = { perTask: read('perTaskUsd'), perDay: read('perDayUsd'), total: read('totalUsd') }
  const one = 10n ** BigInt(token.decimals)
  const least = [others.perTask, others.perDay, others.total].reduce<bigint>(
    (least, cap) => (cap !== null && cap < least ? cap : least),
    one,
  )
  const caps = { perCall: read('perCallUsd') ?? least, ...others }
  check(caps, token)
  return caps
}

/**
 * That the caps say something together: something bounds the grant (perDay or total), and one payment of perCall
 * fits into every other cap. A perDay above total, and a perTask above either, are merely never reached.
 *
 * @throws InputError `CAP_MISSING`, `CAP_CONFLICT`
 */
export function check(caps: Caps, token: Token): void {
  if (caps.perDay === null && caps.total === null)
    throw new InputError('CAP_MISSING', {
      field: 'perDayUsd',
      given: undefined,
      valid: 'perDayUsd, totalUsd or both',
      why: 'A grant needs a cap per day or in total: without one nothing bounds what it can cost.',
    })
  for (const name of ['perTask', 'perDay', 'total'] as const) {
    const cap = caps[name]
    if (cap === null || caps.perCall <= cap) continue
    const [perCall, other] = [caps.perCall, cap].map((units) => Amount.format(units, token.decimals))
    throw new InputError('CAP_CONFLICT', {
      field: 'perCallUsd',
      given: perCall,
      valid: `at most ${other}, or a higher ${name}Usd`,
      why: `perCallUsd ${perCall} is above ${name}Usd ${other}, so it could never be reached.`,
      figures: { perCall: caps.perCall, [name]: cap },
    })
  }
}
