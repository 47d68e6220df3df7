/** Receipts as text to hand out: JSON that can be read and verified again, CSV for a spreadsheet. */
import { isHex } from 'viem'
import * as Amount from './Amount.js'
import { InputError } from './errors.js'
import type { Receipt } from './Receipt.js'

const fields = [
  ...['grantId', 'seq', 'time', 'event', 'ok', 'note', 'amount', 'payee', 'key', 'host', 'task'],
  ...['session', 'category', 'endpoint', 'txHash', 'previous', 'hash'],
] as readonly (keyof Receipt)[]

/** A JSON array, one receipt a line, amounts as decimal text of base units. */
export function toJson(receipts: Iterable<Receipt>): string {
  const lines = [...receipts].map((receipt) =>
    JSON.stringify(Object.fromEntries(fields.map((field) => [field, plain(receipt[field])]))),
  )
  return lines.length === 0 ? '[]\n' : `[\n${lines.join(',\n')}\n]\n`
}

/**
 * Reads what `toJson` wrote. Whether it is unbroken is for `verify` to say.
 * @throws InputError `INVALID_VALUE`
 */
export function fromJson(text: string): Receipt[] {
  const given: unknown = parse(text)
  if (!Array.isArray(given)) throw unreadable('the text', 'Not a JSON array.')
  return given.map((item: unknown, n) => {
    const where = `receipt ${n}`
    if (typeof item !== 'object' || item === null) throw unreadable(where, 'Not an object.')
    const record = item as Record<string, unknown>
    for (const field of fields) if (!(field in record)) throw unreadable(where, `It has no ${field}.`)
    for (const field of ['grantId', 'previous', 'hash'])
      if (!isHex(record[field])) throw unreadable(where, `Its ${field} is not hexadecimal.`)
    const { amount } = record
    if (typeof amount !== 'string' || !/^\d{1,100}$/.test(amount))
      throw unreadable(where, 'Its amount is not a whole number in a string.')
    return { ...record, amount: BigInt(amount) } as Receipt
  })
}

/**
 * CSV (RFC 4180) with a header, amounts both in base units and in whole tokens. A text that a spreadsheet would take for
 * a formula begins with an apostrophe.
 */
export function toCsv(receipts: Iterable<Receipt>, { decimals }: { readonly decimals: number }): string {
  const header = [...fields.slice(0, 7), 'amountUsd', ...fields.slice(7)]
  const rows = [...receipts].map((receipt) => {
    const { amount, time } = receipt
    const derived: Record<string, unknown> = {
      amountUsd: Amount.format(amount, decimals),
      time: new Date(time * 1000).toISOString(),
    }
    return header.map((name) => cell(derived[name] ?? receipt[name as keyof Receipt])).join(',')
  })
  return `${[header.join(','), ...rows].join('\r\n')}\r\n`
}

function cell(value: unknown): string {
  const text = value === null ? '' : String(value)
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}

function plain(value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw unreadable('the text', 'Not JSON.')
  }
}

function unreadable(given: string, why: string): InputError {
  return new InputError('INVALID_VALUE', {
    field: 'receipts',
    given,
    valid: 'what Receipt.toJson returns',
    why,
  })
}
