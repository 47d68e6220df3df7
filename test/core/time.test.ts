import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { InputError, Time } from '../../src/index.js'
import { thrown } from './thrown.js'

const start = { field: 'startsAt', edge: 'start' } as const
const end = { field: 'expiresAt', edge: 'end' } as const
const at = (...date: [number, number, number, number?, number?, number?]) => Date.UTC(...date) / 1000

describe('parse', () => {
  test('default', () => {
    const instant = at(2030, 11, 31, 18)
    for (const value of [
      '2030-12-31T18:00:00Z',
      '2030-12-31T18:00Z',
      new Date(instant * 1000),
      instant * 1000,
    ])
      for (const options of [start, end]) expect(Time.parse(value, options)).toBe(instant)
  })

  test('behavior: a date alone is the whole UTC day', () => {
    expect(Time.parse('2030-12-31', start)).toBe(at(2030, 11, 31))
    expect(Time.parse('2030-12-31', end)).toBe(at(2031, 0, 1))
    expect(Time.parse('2028-02-29', end)).toBe(at(2028, 2, 1))
  })

  test('behavior: an offset', () => {
    expect(Time.parse('2030-01-01T01:00:00+02:00', end)).toBe(at(2029, 11, 31, 23))
    expect(Time.parse('2030-01-01T01:00:00-05:30', end)).toBe(at(2030, 0, 1, 6, 30))
    expect(Time.parse('2030-01-01T01:00:00-00:00', end)).toBe(at(2030, 0, 1, 1))
  })

  test('behavior: a start is rounded up to the second, an end down', () => {
    const instant = at(2030, 0, 1, 12)
    for (const value of ['2030-01-01T12:00:00.001Z', new Date(instant * 1000 + 1), instant * 1000 + 1]) {
      expect(Time.parse(value, start)).toBe(instant + 1)
      expect(Time.parse(value, end)).toBe(instant)
    }
    expect(Time.parse('2030-01-01T12:00:00.000Z', start)).toBe(instant)
  })

  test.each([
    ['an invalid Date', new Date('x'), 'Not a valid date.'],
    ['NaN', Number.NaN, 'Not a valid date.'],
    ['Infinity', Number.POSITIVE_INFINITY, 'Later than any date.'],
    ['later than uint48 seconds', 2 ** 48 * 1000, 'Later than any date.'],
    ['later than any date', 8.64e15 + 1, 'Later than any date.'],
    ['a negative number', -1, 'Before 1970.'],
    ['a Date before 1970', new Date(-1), 'Before 1970.'],
    ['seconds', 1_924_992_000, 'This looks like unix seconds'],
    ['zero', 0, 'This looks like unix seconds'],
    ['parts of a millisecond', 1_924_992_000_000.5, 'Not whole milliseconds.'],
    ['a time without a zone', '2030-12-31T18:00:00', 'without a zone'],
    ['30 February', '2030-02-30', 'no such day'],
    ['29 February in a common year', '2030-02-29', 'no such day'],
    ['a month too many', '2030-13-01', 'no such day'],
    ['month zero', '2030-00-01', 'no such day'],
    ['day zero', '2030-01-00', 'no such day'],
    ['30 February with a time', '2030-02-30T00:00:00Z', 'no such day'],
    ['a date before 1970', '1969-12-31', 'before 1970'],
    ['a time that an offset takes before 1970', '1970-01-01T00:00:00+01:00', 'Before 1970.'],
    ['hour 24', '2030-12-31T24:00:00Z', 'no such time'],
    ['minute 60', '2030-12-31T23:60:00Z', 'no such time'],
    ['a leap second', '2030-12-31T23:59:60Z', 'no such time'],
    ['an offset that nobody has', '2030-12-31T18:00:00+15:00', 'no such offset'],
    ['an American date', '12/31/2030', 'Not an ISO date.'],
    ['a short date', '2030-1-1', 'Not an ISO date.'],
    ['a year', '2030', 'Not an ISO date.'],
    ['a month', '2030-12', 'Not an ISO date.'],
    ['a blank instead of the T', '2030-12-31 18:00:00Z', 'Not an ISO date.'],
    ['lower case', '2030-12-31t18:00:00z', 'Not an ISO date.'],
    ['a number in a string', '1924992000000', 'Not an ISO date.'],
    ['a line break after', '2030-12-31\n', 'Not an ISO date.'],
    ['a word', 'tomorrow', 'Not an ISO date.'],
    ['the empty string', '', 'Not an ISO date.'],
    ['null', null, 'Not a date.'],
    ['undefined', undefined, 'Not a date.'],
    ['a bigint', 1_924_992_000_000n, 'Not a date.'],
    ['an object', {}, 'Not a date.'],
  ])('error: %s', (_, value, why) => {
    for (const options of [start, end]) {
      const error = thrown(InputError, () => Time.parse(value, options))
      expect(error.code).toBe('INVALID_DATE')
      expect(error.field).toBe(options.field)
      expect(error.message).toContain(why)
      expect(error.valid).toContain('2030-12-31T18:00:00Z')
    }
  })

  test('behavior: reads every instant as Date does', () => {
    const dates = fc.date({ min: new Date(0), max: new Date('9999-12-30T00:00:00Z'), noInvalidDate: true })
    fc.assert(
      fc.property(dates, (date) => {
        expect(Time.parse(date.toISOString(), start)).toBe(Math.ceil(date.getTime() / 1000))
        expect(Time.parse(date.toISOString(), end)).toBe(Math.floor(date.getTime() / 1000))
        const text = date.toISOString().slice(0, 10)
        expect(Time.parse(text, start)).toBe(Date.parse(text) / 1000)
        expect(Time.parse(text, end)).toBe(Date.parse(text) / 1000 + Time.day)
      }),
    )
  })
})

test('midnight: default', () => {
  const midnight = at(2030, 0, 1)
  for (const seconds of [0, 1, Time.day - 1]) expect(Time.midnight(midnight + seconds)).toBe(midnight)
  expect(Time.midnight(midnight + Time.day)).toBe(midnight + Time.day)
})

test('format: default', () => {
  expect(Time.format(at(2030, 11, 31, 18))).toBe('2030-12-31T18:00:00Z')
})

test('format: behavior: beyond what a date can say', () => {
  expect(Time.format(Time.max)).toBe('never')
})
