/** What a caller wants to pay: read strictly, because a misspelt label would be a cap evaded. */
import { type Address, getAddress, isAddress } from 'viem'
import { InputError } from './errors.js'
import { GrantError } from './GrantError.js'
import * as Host from './Host.js'
import * as Input from './Input.js'
import * as Meter from './Meter.js'
import type { PaymentRow } from './Store.js'
import * as Ticket from './Ticket.js'

/** What a caller wants to pay, and under which names it is booked. `amount` in base units. */
export type Order = {
  /** Idempotency key: the same key is the same payment, at most once. */
  readonly key: string
  readonly to: Address
  readonly amount: bigint
  readonly host?: string | undefined
  /** Has to be there where the grant has a cap per task. */
  readonly task?: string | undefined
  readonly session?: string | undefined
  readonly category?: string | undefined
  readonly endpoint?: string | undefined
  /** The orchestrator's ticket for the task (`Guard.signTicket`). Has to be there where the chain holds `perTask`. */
  readonly ticket?: Ticket.Ticket | undefined
}

/** As an order, when its key is not known yet. */
export type Question = Omit<Order, 'key'> & { readonly key?: string | undefined }

const known = ['key', 'to', 'amount', 'ticket', ...Meter.labels]

/**
 * An order as the books keep it: the address checksummed, the host in its one canonical form.
 * @throws InputError
 */
export function read(given: unknown): Order {
  const input = Input.fields(given, 'order', known)
  return { key: keyOf(input.key), ...terms(input) }
}

/**
 * As `read`, for what is asked and not ordered: without a key, if need be.
 * @throws InputError
 */
export function readQuestion(given: unknown): Question {
  const input = Input.fields(given, 'request', known)
  if (input.key !== undefined) keyOf(input.key)
  return terms(input)
}

function terms(input: Record<string, unknown>): Omit<Order, 'key'> {
  const labels = Meter.labels
    .filter((label) => input[label] !== undefined)
    .map((label) => [label, text(input[label], label, labelOptions)])
  const { host, ...others }: { [label in Meter.Label]?: string } = Object.fromEntries(labels)
  const { amount } = input
  if (typeof amount !== 'bigint') {
    throw new InputError('INVALID_AMOUNT', {
      field: 'amount',
      given: amount,
      valid: 'a bigint of base units, such as 20_000n for 0.02 USDC',
      why: 'Not an amount.',
    })
  }
  return {
    to: address(input.to),
    amount,
    ...others,
    ...(host === undefined ? {} : { host: canonical(host) }),
    ...(input.ticket === undefined ? {} : { ticket: Ticket.read(input.ticket) }),
  }
}

/** A host that cannot be read stays as it is: the decision refuses it, with a receipt. */
function canonical(host: string): string {
  const read = Host.read(host)
  return read.ok ? read.host : host
}

/** Fundings have keys of their own: a caller's must not become one's, or the books would forget what is under it. */
function keyOf(value: unknown): string {
  const key = text(value, 'key', keyOptions)
  if (!key.startsWith('funding ')) return key
  throw new InputError('INVALID_VALUE', {
    field: 'key',
    given: key,
    valid: keyOptions.valid,
    why: 'Keys that begin with "funding " are those of fundings.',
  })
}

const keyOptions = {
  valid:
    'a string of 1 to 200 characters, none of them NUL and not beginning with "funding ", the same for every attempt at the same payment',
  why: 'Every payment needs an idempotency key.',
}
const labelOptions = {
  valid: 'a string of 1 to 200 characters, none of them NUL, or nothing',
  why: 'A label has to be readable.',
}

function text(value: unknown, field: string, options: { valid: string; why: string }): string {
  if (Input.isText(value)) return value
  throw new InputError('INVALID_VALUE', { field, given: value, ...options })
}

function address(value: unknown): Address {
  if (typeof value === 'string' && isAddress(value, { strict: false })) return getAddress(value)
  throw new InputError('INVALID_ADDRESS', {
    field: 'to',
    given: value,
    valid: 'an address of 20 bytes in hex',
    why: 'The payee is not an address.',
  })
}

/** The first term in which an order differs from the payment that has its key; undefined where none does. */
export function difference(
  payment: PaymentRow,
  order: Order,
): { readonly field: string; readonly known: string; readonly given: string } | undefined {
  const pairs: [string, unknown, unknown][] = [
    ['to', payment.payee, order.to],
    ['amount', payment.amount, order.amount],
    ...Meter.labels.map((label): [string, unknown, unknown] => [
      label,
      payment[label] ?? 'nothing',
      order[label] ?? 'nothing',
    ]),
  ]
  const [field, known, given] = pairs.find(([, known, given]) => known !== given) ?? []
  return field === undefined ? undefined : { field, known: String(known), given: String(given) }
}

/** The error for a key that belongs to a payment with other terms. */
export function conflict(order: Order, payment: PaymentRow): GrantError {
  const { field, known, given } = difference(payment, order) ?? { field: 'terms', known: '', given: '' }
  const { key } = order
  return new GrantError(
    'KEY_CONFLICT',
    `The key ${JSON.stringify(key)} belongs to a payment with another ${field}: ${known}, and not ${given}. Use a key of its own for every payment.`,
    { figures: { key, field, known, given, amount: payment.amount, payee: payment.payee } },
  )
}
