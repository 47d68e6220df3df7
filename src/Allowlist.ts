import { type Address, isAddressEqual } from 'viem'
import { InputError } from './errors.js'
import * as Host from './Host.js'
import * as Input from './Input.js'

/** A host and the payees that it is bound to. */
export type Allowed = {
  /** Lower-case ASCII host with an optional port, such as `api.example.com` or `127.0.0.1:4021`. */
  readonly host: string
  /** Checksummed, sorted, without duplicates; empty where the host is bound to nobody. */
  readonly payTo: readonly Address[]
}

/** How people write an entry: a host, or a host with the payees that its payments have to go to. */
export type Entry = string | { host: string; payTo: Address | readonly Address[] }

/**
 * Reads the hosts that may be paid, sorted by host.
 *
 * @param options.refused addresses that make no sense as payees, with the reason, such as the token itself
 * @throws InputError `EMPTY_ALLOWLIST`, `INVALID_HOST`, `DUPLICATE_HOST`, `INVALID_ADDRESS`, `INVALID_VALUE`,
 * `UNKNOWN_FIELD`
 */
export function parse(value: unknown, options: ParseOptions): readonly Allowed[] {
  const { field, refused } = options
  const example = 'an array such as ["api.example.com", { host: "api.example.org", payTo: "0x..." }]'
  if (!Array.isArray(value))
    throw new InputError('INVALID_VALUE', { field, given: value, valid: example, why: 'Not an array.' })
  if (value.length === 0)
    throw new InputError('EMPTY_ALLOWLIST', {
      field,
      given: value,
      valid: example,
      why: 'Nothing is allowed, so nothing could be paid.',
    })

  const seen = new Map<string, number>()
  // A hole in the array is an entry that cannot be read, not one that is not there.
  const allow = Array.from(value, (entry: unknown, i): Allowed => {
    const at = `${field}[${i}]`
    const { host: given, payTo } =
      typeof entry === 'string' ? { host: entry } : Input.fields(entry, at, ['host', 'payTo'])
    const host = Host.parse(given, typeof entry === 'string' ? at : `${at}.host`)
    const first = seen.get(host)
    if (first !== undefined)
      throw new InputError('DUPLICATE_HOST', {
        field: at,
        given: host,
        valid: 'every host once, with all its payees in one array',
        why: `The host is already at ${field}[${first}].`,
      })
    seen.set(host, i)
    return Object.freeze({
      host,
      payTo: typeof entry === 'string' ? Object.freeze([]) : payees(payTo, `${at}.payTo`, refused),
    })
  })
  return Object.freeze(allow.sort((a, b) => (a.host < b.host ? -1 : 1)))
}

export type ParseOptions = {
  /** How to name the field in errors. */
  field: string
  refused: readonly { readonly address: Address; readonly why: string }[]
}

/** Absent or empty payees are an error: they would mean "anybody", and a host alone says so on purpose. */
function payees(value: unknown, field: string, refused: ParseOptions['refused']): readonly Address[] {
  const list: readonly unknown[] = Array.isArray(value) ? Array.from(value) : [value]
  const invalid = (given: unknown, why: string) =>
    new InputError('INVALID_ADDRESS', {
      field,
      given,
      valid: 'an address or a non-empty array of them; a host that may pay anybody is written as a string',
      why,
    })
  if (value === undefined || list.length === 0) throw invalid(value, 'No payee.')
  const addresses = list.map((item, i) => {
    const payee = Input.address(item, Array.isArray(value) ? `${field}[${i}]` : field)
    const reason = refused.find((other) => isAddressEqual(other.address, payee))
    if (reason) throw invalid(payee, reason.why)
    return payee
  })
  return Object.freeze([...new Set(addresses)].sort(byAddress))
}

/** In the order of their numbers, which is also that of their lower-case digits. */
function byAddress(a: Address, b: Address): number {
  return a.toLowerCase() < b.toLowerCase() ? -1 : 1
}

/**
 * Whether a payment is on the list. With a host: the host must be listed, and where its entry binds payees,
 * `to` must be one of them. Without one: `to` must be a payee of some entry.
 */
export function permits(allow: readonly Allowed[], request: PermitsRequest): PermitsResult {
  const { host, to } = request
  const binds = (entry: Allowed) => entry.payTo.some((payee) => payee.toLowerCase() === to.toLowerCase())
  if (host === undefined) {
    if (allow.some(binds)) return { allowed: true }
    return no(`${to} is not a payee of any allowed host, and the payment names no host.`)
  }

  const read = Host.read(host)
  if (!read.ok) return no(`The host cannot be read: ${read.reason}`)
  const entry = allow.find((entry) => entry.host === read.host)
  if (!entry) return no(`${read.host} is not on the allowlist.`)
  if (entry.payTo.length === 0 || binds(entry)) return { allowed: true }
  return no(`${to} is not a payee of ${read.host}.`)
}

export type PermitsRequest = { to: Address; host?: string | undefined }

export type PermitsResult =
  | { readonly allowed: true }
  | { readonly allowed: false; readonly code: 'NOT_ALLOWED'; readonly reason: string }

function no(reason: string): PermitsResult {
  return { allowed: false, code: 'NOT_ALLOWED', reason }
}
