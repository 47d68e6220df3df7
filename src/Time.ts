import { InputError } from './errors.js'

/** Seconds in a UTC day. Unix time has no leap seconds, so every day has as many. */
export const day = 86_400

/** The largest uint48, the type of every time in a spend permission: as an `end` it means "no end". */
export const max = 2 ** 48 - 1

/** The last instant that a JavaScript Date can hold, in milliseconds. */
const maxDate = 8.64e15

/** Numbers below are taken for seconds by mistake: as milliseconds they would be before March 1973. */
const minMilliseconds = 1e11

const isoDate = /^(\d{4})-(\d{2})-(\d{2})$/
/** Groups: 4 to 6 the time of day, 7 the fraction of a second, 8 to 10 the offset. */
const isoTime =
  /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?(?:Z|([+-])(\d{2}):(\d{2}))?$/

/** The start of the UTC day that holds `seconds`. */
export function midnight(seconds: number): number {
  return seconds - (seconds % day)
}

/** Unix seconds as `2030-12-31T00:00:00Z`; `never` beyond what a date can say, as `Time.max` is. */
export function format(seconds: number): string {
  if (seconds * 1000 > maxDate) return 'never'
  return new Date(seconds * 1000).toISOString().replace('.000Z', 'Z')
}

/**
 * Reads an instant into unix seconds. Intervals are half open, `start <= now < end`, and what is read never
 * lasts longer than what was said: a start is rounded up to the second, an end down.
 *
 * - `Date`, or a number of unix milliseconds
 * - an ISO date, `2030-12-31`: the whole UTC day, so as an end it is the next midnight
 * - an ISO date with a time, which has to say its zone: `2030-12-31T18:00:00Z`, `2030-12-31T18:00+02:00`
 *
 * @throws InputError `INVALID_DATE`
 */
export function parse(value: unknown, options: ParseOptions): number {
  const { field, edge } = options
  const fail = (why: string) => {
    const valid = 'a Date, an ISO date such as "2030-12-31" or "2030-12-31T18:00:00Z", or unix milliseconds'
    return new InputError('INVALID_DATE', { field, given: value, valid, why })
  }
  const round = edge === 'start' ? Math.ceil : Math.floor

  if (value instanceof Date || typeof value === 'number') {
    const milliseconds = Number(value)
    if (Number.isNaN(milliseconds)) throw fail('Not a valid date.')
    if (milliseconds > maxDate) throw fail('Later than any date.')
    if (milliseconds < 0) throw fail('Before 1970.')
    if (typeof value === 'number' && !Number.isInteger(value)) throw fail('Not whole milliseconds.')
    if (typeof value === 'number' && value < minMilliseconds)
      throw fail('This looks like unix seconds, and would be in 1973 or before. Multiply by 1000.')
    return round(milliseconds / 1000)
  }
  if (typeof value !== 'string') throw fail('Not a date.')

  const date = isoDate.exec(value)
  if (date) {
    const midnight = ofDate(date)
    if (midnight === null) throw fail('There is no such day, or it is before 1970.')
    return edge === 'start' ? midnight : midnight + day
  }

  const time = isoTime.exec(value)
  if (!time) throw fail('Not an ISO date.')
  if (!value.endsWith('Z') && time[8] === undefined)
    throw fail('A time without a zone means another instant on every machine. Add "Z" or an offset.')
  const midnight = ofDate(time)
  if (midnight === null) throw fail('There is no such day, or it is before 1970.')
  const part = (group: number) => Number(time[group] ?? 0)
  if (part(4) > 23 || part(5) > 59 || part(6) > 59) throw fail('There is no such time of day.')
  if (part(9) > 14 || part(10) > 59) throw fail('There is no such offset.')
  const offset = (part(9) * 3600 + part(10) * 60) * (time[8] === '-' ? -1 : 1)
  const instant = midnight + part(4) * 3600 + part(5) * 60 + part(6) - offset
  if (instant < 0) throw fail('Before 1970.')
  return edge === 'start' && part(7) > 0 ? instant + 1 : instant
}

export type ParseOptions = {
  /** How to name the field in errors, such as `expiresAt`. */
  field: string
  /** Whether the instant begins an interval (inclusive) or ends one (exclusive). */
  edge: 'start' | 'end'
}

/** The midnight that a matched ISO date begins with; null where the calendar has no such day. */
function ofDate(match: RegExpExecArray): number | null {
  const [year, month, dayOfMonth] = [Number(match[1]), Number(match[2]), Number(match[3])]
  if (year < 1970) return null
  const date = new Date(Date.UTC(year, month - 1, dayOfMonth))
  // 2030-02-30 rolls over to March, and month 13 to the next year.
  const real = date.getUTCMonth() === month - 1 && date.getUTCDate() === dayOfMonth
  return real ? date.getTime() / 1000 : null
}
