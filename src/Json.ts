import { InputError } from './errors.js'
import * as Input from './Input.js'

/**
 * Reads JSON.
 *
 * @throws InputError `INVALID_VALUE`
 */
export function parse(text: unknown, field: string): unknown {
  const fail = (why: string) =>
    new InputError('INVALID_VALUE', { field, given: text, valid: 'JSON text, as serialize writes it', why })
  if (typeof text !== 'string') throw fail('Not text.')
  try {
    return JSON.parse(text)
  } catch {
    throw fail('Not JSON.')
  }
}

/**
 * The fields of a versioned record: exactly `version: 1` and the others named, none missing, none unknown.
 *
 * @throws InputError `UNKNOWN_VERSION`, `INVALID_VALUE`, `UNKNOWN_FIELD`
 */
export function record(value: unknown, field: string, keys: readonly string[]): Record<string, unknown> {
  // First of all, as another version may well have other fields.
  if (typeof value === 'object' && value !== null && 'version' in value && value.version !== 1)
    throw new InputError('UNKNOWN_VERSION', {
      field: `${field}.version`,
      given: value.version,
      valid: '1',
      why: 'Written by another version of hardcap.',
    })
  const all = ['version', ...keys]
  const read = Input.fields(value, field, all)
  for (const key of all) {
    if (Object.hasOwn(read, key)) continue
    throw new InputError('INVALID_VALUE', {
      field: `${field}.${key}`,
      given: undefined,
      valid: `all of ${all.join(', ')}`,
      why: 'The field is missing.',
    })
  }
  return read
}

/**
 * That `text` says nothing more than `canonical`. A key that is there twice, of which readers of JSON take either,
 * makes it longer, and so does a value in an odd notation.
 *
 * @throws InputError `INVALID_VALUE`
 */
export function checkSame(text: string, canonical: string, field: string): void {
  const length = (json: string) => json.replace(/\s+/g, '').length
  if (length(text) === length(canonical)) return
  throw new InputError('INVALID_VALUE', {
    field,
    given: text,
    valid: 'text as serialize writes it, at most with other white space and another order of fields',
    why: 'A field is there twice, or a value is in an unusual notation.',
  })
}
