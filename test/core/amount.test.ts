import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Amount, InputError } from '../../src/index.js'
import { thrown } from './thrown.js'

const options = { decimals: 6, field: 'perCallUsd' }

describe('parse', () => {
  test.each([
    ['1', 1_000_000n],
    ['0.05', 50_000n],
    ['0.000001', 1n],
    ['10.10', 10_100_000n],
    ['25.000000', 25_000_000n],
    [2, 2_000_000n],
    [0.05, 50_000n],
    [1e3, 1_000_000_000n],
    [123_456_789.123456, 123_456_789_123_456n],
  ])('default: %s', (value, units) => {
    expect(Amount.parse(value, options)).toBe(units)
  })

  test('args: decimals', () => {
    expect(Amount.parse('1', { decimals: 0, field: 'a' })).toBe(1n)
    expect(Amount.parse('1.000000000000000001', { decimals: 18, field: 'a' })).toBe(10n ** 18n + 1n)
    expect(() => Amount.parse('1.0', { decimals: 0, field: 'a' })).toThrow('More decimals than the 0')
  })

  test('args: zero', () => {
    for (const value of ['0', '0.00', 0, -0]) expect(Amount.parse(value, { ...options, zero: true })).toBe(0n)
    for (const value of ['0', '0.00', '0.000000', 0, -0])
      expect(() => Amount.parse(value, options)).toThrow('Zero makes no sense here.')
  })

  test('behavior: up to the largest uint160, not one unit more', () => {
    const largest = Amount.format(Amount.max, 6)
    expect(Amount.parse(largest, options)).toBe(2n ** 160n - 1n)
    expect(() => Amount.parse(Amount.format(Amount.max + 1n, 6), options)).toThrow(`More than ${largest}`)
  })

  test.each([
    ['NaN', Number.NaN],
    ['Infinity', Number.POSITIVE_INFINITY],
    ['-Infinity', Number.NEGATIVE_INFINITY],
    ['a negative number', -1],
    ['a sum of floats', 0.1 + 0.2],
    ['a number with an exponent, small', 1e-7],
    ['a number with an exponent, large', 1e21],
    ['a number past the safe integers', 2 ** 53],
    ['a number of 16 digits, which may be another one than was written', 9_007_199_254.740992],
    ['more decimals than the token, as a number', 0.0000011],
    ['more decimals than the token', '1.0000000'],
    ['the word NaN', 'NaN'],
    ['the word Infinity', 'Infinity'],
    ['the empty string', ''],
    ['a blank', ' '],
    ['white space before', ' 1'],
    ['white space after', '1 '],
    ['a line break after', '1\n'],
    ['a minus', '-1'],
    ['a minus zero', '-0'],
    ['a plus', '+1'],
    ['scientific notation', '1e3'],
    ['scientific notation, upper case', '1E3'],
    ['hexadecimal', '0x10'],
    ['octal', '0o7'],
    ['an underscore', '1_000'],
    ['a comma for thousands', '1,000'],
    ['a comma for decimals', '0,05'],
    ['a currency sign', '$1'],
    ['Arabic digits', '١'],
    ['full-width digits', '１'],
    ['a leading zero', '01'],
    ['two leading zeros', '00.1'],
    ['no digit before the dot', '.5'],
    ['no digit after the dot', '5.'],
    ['a dot alone', '.'],
    ['two dots', '1.2.3'],
    ['a bigint', 1n],
    ['null', null],
    ['undefined', undefined],
    ['true', true],
    ['an object', {}],
    ['an array', ['1']],
    ['a String object', new String('1')],
    ['an endless string', '9'.repeat(1_000_000)],
  ])('error: %s', (_, value) => {
    const error = thrown(InputError, () => Amount.parse(value, options))
    expect(error.code).toBe('INVALID_AMOUNT')
    expect(error.field).toBe('perCallUsd')
    expect(error.given.length).toBeLessThanOrEqual(120)
    expect(error.valid).toContain('at most 6 decimals')
    expect(error.retryable).toBe(false)
  })
})

describe('format', () => {
  test('default', () => {
    expect(Amount.format(50_000n, 6)).toBe('0.05')
    expect(Amount.format(2_000_000n, 6)).toBe('2')
    expect(Amount.format(0n, 6)).toBe('0')
    expect(Amount.format(1n, 6)).toBe('0.000001')
    expect(Amount.format(1200n, 0)).toBe('1200')
  })

  test('behavior: a difference may be negative', () => {
    expect(Amount.format(-50_000n, 6)).toBe('-0.05')
  })
})

const units = fc.bigInt({ min: 1n, max: Amount.max })
const decimals = fc.integer({ min: 0, max: 24 })

test('behavior: what format writes, parse reads', () => {
  fc.assert(
    fc.property(units, decimals, (units, decimals) => {
      expect(Amount.parse(Amount.format(units, decimals), { decimals, field: 'a' })).toBe(units)
    }),
  )
})

test('behavior: a number is read as its decimal notation, or refused', () => {
  fc.assert(
    fc.property(fc.double(), (number) => {
      try {
        const read = Amount.parse(number, { ...options, zero: true })
        expect(Amount.format(read, 6)).toBe(String(number === 0 ? 0 : number))
      } catch (error) {
        expect(error).toBeInstanceOf(InputError)
      }
    }),
  )
})

test('behavior: any string is read exactly, or refused', () => {
  const almost = fc.string({ unit: fc.constantFrom(...'0123456789.-+eE_ ,'), maxLength: 12 })
  fc.assert(
    fc.property(fc.oneof(fc.string(), almost), (text) => {
      try {
        const units = Amount.parse(text, { ...options, zero: true })
        const [whole, fraction = ''] = text.split('.')
        expect(units.toString().padStart(7, '0')).toBe(`${whole}${fraction.padEnd(6, '0')}`.padStart(7, '0'))
      } catch (error) {
        if (!(error instanceof InputError)) throw error
      }
    }),
    { numRuns: 1000 },
  )
})
