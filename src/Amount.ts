import { InputError } from './errors.js'

/** The largest amount that a spend permission can hold: its `allowance` is a uint160 of base units. */
export const max = 2n ** 160n - 1n

/** Integer part without a leading zero, a dot only between digits, ASCII digits only. */
const plain = /^(?:0|[1-9][0-9]*)(?:\.[0-9]+)?$/

/** Every decimal number of up to 15 digits survives the way through a double unchanged (IEEE 754). */
const exactDigits = 15

/** Longer than any amount that fits: a limit on work, not on meaning. */
const maxLength = 100

/**
 * Reads a decimal amount such as `'2'` or `'0.05'` into base units of a token, exactly, never through a float.
 *
 * A number is read by its decimal notation, and only where that is certain to be what was written: up to 15
 * significant digits and no exponent. `0.1 + 0.2` has seventeen and is refused.
 *
 * @example
 * ```ts
 * Amount.parse('0.05', { decimals: 6, field: 'perCallUsd' }) // 50_000n
 * ```
 * @returns base units, 1 to 2^160 - 1; also 0 with `zero: true`.
 * @throws InputError `INVALID_AMOUNT`
 */
export function parse(value: unknown, options: ParseOptions): bigint {
  const { decimals, field, zero = false } = options
  const fail = (why: string) => {
    const valid = `a decimal number with at most ${decimals} decimals, such as "0.05"${zero ? '' : ', above zero'}`
    return new InputError('INVALID_AMOUNT', { field, given: value, valid, why })
  }

  if (typeof value !== 'string' && typeof value !== 'number') {
    if (typeof value === 'bigint')
      throw fail('A bigint does not say whether it counts dollars or base units.')
    throw fail('Not an amount.')
  }
  const text = String(value)
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw fail('Not a finite number.')
    if (text.includes('e')) throw fail('The number is too large or too small to be written plainly.')
    if (text.replace(/^-?0?\.?0*|\./g, '').length > exactDigits)
      throw fail('The number is not exact as a float: write it as a string.')
  }
  if (text === '') throw fail('The amount is empty.')
  if (text.startsWith('-')) throw fail('The amount is negative.')
  if (text.length > maxLength) throw fail('The amount is too long.')
  if (!plain.test(text)) throw fail('Not a plain decimal number.')

  const [whole = '', fraction = ''] = text.split('.')
  if (fraction.length > decimals) throw fail(`More decimals than the ${decimals} that the token has.`)
  const units = BigInt(whole + fraction.padEnd(decimals, '0'))
  if (units === 0n && !zero) throw fail('Zero makes no sense here.')
  if (units > max) throw fail(`More than ${format(max, decimals)}, the most that a permission can hold.`)
  return units
}

export type ParseOptions = {
  /** Decimals of the token. */
  decimals: number
  /** How to name the field in errors, such as `perDayUsd`. */
  field: string
  /** Whether zero makes sense. */
  zero?: boolean
}

/**
 * Writes base units as an exact decimal number without trailing zeros: the inverse of `parse`.
 *
 * @example
 * ```ts
 * Amount.format(50_000n, 6) // '0.05'
 * ```
 */
export function format(units: bigint, decimals: number): string {
  const sign = units < 0n ? '-' : ''
  const digits = (units < 0n ? -units : units).toString().padStart(decimals + 1, '0')
  const whole = digits.slice(0, digits.length - decimals)
  const fraction = digits.slice(digits.length - decimals).replace(/0+$/, '')
  return sign + (fraction === '' ? whole : `${whole}.${fraction}`)
}
