import { type Address, getAddress, isAddress, zeroAddress } from 'viem'
import { InputError } from './errors.js'

/**
 * The fields of a plain object, of which none may be unknown: a misspelt cap must never mean "no limit", and
 * neither must one that is inherited, which a copy would lose.
 *
 * @throws InputError `INVALID_VALUE`, `UNKNOWN_FIELD`
 */
export function fields(value: unknown, field: string, known: readonly string[]): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || !isPlain(value))
    throw new InputError('INVALID_VALUE', {
      field,
      given: value,
      valid: `a plain object with ${known.join(', ')}`,
      why: 'Not a plain object.',
    })
  const names = Object.getOwnPropertyNames(value)
  for (const name of names) {
    if (known.includes(name)) continue
    throw new InputError('UNKNOWN_FIELD', {
      field: `${field}.${name}`,
      given: name,
      valid: `"${closest(name, known)}" may have been meant; known are ${known.join(', ')}`,
      why: 'There is no such field.',
    })
  }
  // Read once: a getter could answer otherwise the second time.
  return Object.fromEntries(names.map((name) => [name, Reflect.get(value, name)]))
}

/** An object literal, from this realm or another; no array and no instance of a class. */
function isPlain(value: object): boolean {
  const prototype: object | null = Object.getPrototypeOf(value)
  return prototype === null || Object.getPrototypeOf(prototype) === null
}

/**
 * A checksummed address. Mixed case has to carry the right checksum, lower case carries none.
 *
 * @throws InputError `INVALID_ADDRESS`
 */
export function address(value: unknown, field: string): Address {
  const fail = (why: string) =>
    new InputError('INVALID_ADDRESS', {
      field,
      given: value,
      valid: 'an address such as 0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913, checksummed or in lower case',
      why,
    })
  if (typeof value !== 'string' || !/^0x[0-9a-fA-F]{40}$/.test(value))
    throw fail('Not an address: 0x and 40 hexadecimal digits.')
  if (!isAddress(value)) throw fail('The checksum is wrong: a digit may be mistyped.')
  if (value === zeroAddress) throw fail('The zero address belongs to nobody.')
  return getAddress(value)
}

/**
 * Whether it is text of 1 to 200 characters that every store keeps as it is. PostgreSQL has no NUL, and UTF-8 no half of
 * a surrogate pair: all halves would become one replacement, and two keys the same.
 */
export function isText(value: unknown): value is string {
  return typeof value === 'string' && value.length > 0 && value.length <= 200 && !/[\0\p{Cs}]/u.test(value)
}

/**
 * An unsigned integer written in decimal, as serialized amounts are.
 *
 * @throws InputError `INVALID_AMOUNT`
 */
export function units(value: unknown, field: string, range: { min: bigint; max: bigint }): bigint {
  const fail = (why: string) => {
    const valid = `a string with a whole number from ${range.min} to ${range.max}`
    return new InputError('INVALID_AMOUNT', { field, given: value, valid, why })
  }
  if (typeof value !== 'string' || !/^(?:0|[1-9][0-9]{0,99})$/.test(value))
    throw fail('Not a whole number in a string.')
  const read = BigInt(value)
  if (read < range.min || read > range.max) throw fail('Out of range.')
  return read
}

/**
 * A safe integer in a range, both ends included.
 *
 * @throws InputError with the given code
 */
export function integer(
  value: unknown,
  field: string,
  range: { min: number; max: number; code?: 'INVALID_VALUE' | 'INVALID_DATE' },
): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= range.min && value <= range.max)
    return value
  throw new InputError(range.code ?? 'INVALID_VALUE', {
    field,
    given: value,
    valid: `a whole number from ${range.min} to ${range.max}`,
    why: 'Not a whole number in range.',
  })
}

/**
 * One of a few words.
 *
 * @throws InputError `INVALID_VALUE`
 */
export function oneOf<const word extends string>(
  value: unknown,
  field: string,
  words: readonly word[],
): word {
  const found = words.find((word) => word === value)
  if (found !== undefined) return found
  const valid = words.map((word) => `"${word}"`).join(' or ')
  throw new InputError('INVALID_VALUE', { field, given: value, valid, why: 'Not one of the known values.' })
}

/** The known word with the fewest edits between it and `word`, upper and lower case being alike. */
function closest(word: string, known: readonly string[]): string {
  const distances = known.map((other) => ({
    other,
    distance: edits(word.toLowerCase(), other.toLowerCase()),
  }))
  return distances.reduce((best, next) => (next.distance < best.distance ? next : best)).other
}

/** Levenshtein distance, one row at a time. Long words are cut: they are a mistake anyhow. */
function edits(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (const [i, letter] of [...a.slice(0, 64)].entries()) {
    const next = [i + 1]
    for (const [j, other] of [...b].entries()) {
      const replaced = (row[j] ?? 0) + (letter === other ? 0 : 1)
      next.push(Math.min(replaced, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1))
    }
    row = next
  }
  return row[b.length] ?? 0
}
