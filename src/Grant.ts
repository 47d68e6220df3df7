import { type Address, bytesToHex, type Chain, type Hex, pad } from 'viem'
import * as Allowlist from './Allowlist.js'
import * as Amount from './Amount.js'
import * as Caps from './Caps.js'
import { InputError } from './errors.js'
import * as Input from './Input.js'
import * as Json from './Json.js'
import * as Terms from './Terms.js'
import * as Time from './Time.js'
import type * as Token from './Token.js'

export type { Allowed } from './Allowlist.js'
export { hash } from './GrantHash.js'

/**
 * What a person agrees to: who may spend whose money, for what, how much and how long.
 * Amounts are base units of the token, times are unix seconds, intervals are half open
 * (`startsAt <= now < expiresAt`). Plain data: `serialize` and `parse` round-trip it.
 */
export type Grant = {
  readonly version: 1
  /** 128 random bits, as 32 bytes. Stays the same when the grant is replaced by one with other terms. */
  readonly grantId: Hex
  /** The caller's own name for the grant; the grantId where none was given. */
  readonly id: string
  /** The smart wallet whose money is spent. */
  readonly owner: Address
  /** The agent's own EOA, used for nothing else. */
  readonly agent: Address
  /** Who signs tickets for tasks, and may pause and revoke, besides the owner. Never on the direct rail. */
  readonly orchestrator: Address | null
  readonly chainId: number
  readonly token: Token.Token
  /**
   * How money moves, by whom the permission makes its spender. `direct`: the agent's EOA. `guard`: HardcapGuard,
   * which pays the payees. `purse`: HardcapGuard, which funds the agent's purse as well.
   */
  readonly rail: (typeof Terms.rails)[number]
  /** Sorted by host. An entry without payees binds the host to nobody. */
  readonly allow: readonly Allowlist.Allowed[]
  /** `any`: the guard lets any payee be paid. `listed`: those in `allow` alone. On the direct rail always `listed`. */
  readonly payees: 'listed' | 'any'
  readonly perCall: bigint
  /** Held by the chain on the guard rail alone, and with an orchestrator. */
  readonly perTask: bigint | null
  readonly perDay: bigint | null
  readonly total: bigint | null
  /** The most of any `window` seconds. Never on the direct rail. */
  readonly perWindow: bigint | null
  /** Seconds, 1 to 2^32 - 1; null where there is no `perWindow`, and only there. */
  readonly window: number | null
  /**
   * The most that a funding may lift the purse to; never null on the purse rail, always on the guard rail. On the direct
   * rail the same of the agent's own address, from which then authorizations are paid; held by the process.
   */
  readonly maxFloat: bigint | null
  readonly startsAt: number
  readonly expiresAt: number | null
  /**
   * What the permission's allowance mirrors on the direct rail where both a day cap and a total exist. The guard
   * holds both: `day` there.
   */
  readonly hold: 'day' | 'total'
  readonly status: 'active' | 'revoked'
}

/** A grant as people write it. */
export type DefineParams = Caps.CapsInput & {
  owner: Address
  agent: Address
  allow: readonly Allowlist.Entry[]
  /** `any` lets the guard pay anybody, and has to be said. Else every entry of `allow` needs its payees there. */
  payees?: Grant['payees'] | undefined
  /** Who signs tickets for tasks, and may pause and revoke, besides the owner. */
  orchestrator?: Address | undefined
  /** A name of the caller's own, up to 200 characters. */
  id?: string | undefined
  /** A chain or its id. Base where omitted. */
  chain?: number | Pick<Chain, 'id'> | undefined
  /** A symbol or an address. USDC where omitted. */
  token?: string | undefined
  /** A Date, an ISO string or unix milliseconds. The UTC midnight that began today where omitted. */
  startsAt?: Date | string | number | undefined
  /** Likewise, exclusive. A date without a time includes that UTC day. No expiry where omitted. */
  expiresAt?: Date | string | number | undefined
  hold?: Grant['hold'] | undefined
  /** `guard` where omitted. */
  rail?: Grant['rail'] | undefined
  status?: Grant['status'] | undefined
}

export type DefineOptions = {
  /** Unix seconds. The clock where omitted. */
  now?: number | undefined
  /** To replace a grant: its grantId, so that both are known as one. Random where omitted. */
  grantId?: Hex | undefined
}

const params = [
  ...['id', 'owner', 'agent', 'orchestrator', 'chain', 'token', 'rail', 'allow', 'payees'],
  ...['startsAt', 'expiresAt', 'hold', 'status'],
  ...Caps.fields,
]

/**
 * Defines a grant. Whatever cannot be read, or makes no sense, throws: no value is ever taken for "no limit".
 *
 * SpendPermissionManager counts days from `start`, so with a day cap the start has to be a UTC midnight for the
 * chain's day to be the calendar's: a future `startsAt` moves to the next midnight, a past one (which
 * SpendPermissionManager allows) to the one before. The grant shows what came of it.
 *
 * @example
 * ```ts
 * const grant = Grant.define({
 *   owner: wallet.address,
 *   agent: agent.address,
 *   allow: [{ host: 'api.example.com', payTo: payee }],
 *   perCallUsd: '0.05',
 *   perDayUsd: '2',
 *   totalUsd: '25',
 *   expiresAt: '2030-12-31',
 * })
 * ```
 * @throws InputError with any of its codes but `UNKNOWN_VERSION`
 */
export function define(given: DefineParams, options: DefineOptions = {}): Grant {
  const input = Input.fields(given, 'grant', params)
  // Defaults stand for undefined alone: a null, as for any field, is an error.
  const { chain = 8453, token: symbol = 'USDC', hold = 'day', status = 'active' } = input
  const { payees = 'listed' } = input
  const { grantId = pad(bytesToHex(crypto.getRandomValues(new Uint8Array(16)))) } = options
  const { now = Math.floor(Date.now() / 1000) } = options
  Input.integer(now, 'now', { min: 0, max: Time.max })
  Terms.grantId(grantId)

  const isChain = typeof chain === 'object' && chain !== null && 'id' in chain
  const chainId = Terms.chainId(isChain ? chain.id : chain, 'chain')
  const token = Terms.token(symbol, chainId)
  const rail = Input.oneOf(input.rail === undefined ? 'guard' : input.rail, 'rail', Terms.rails)
  const parties = Terms.parties(input, token)
  const caps = Caps.parse(input, { token, rail })
  const expiresAt =
    input.expiresAt === undefined ? null : Time.parse(input.expiresAt, { field: 'expiresAt', edge: 'end' })
  if (expiresAt !== null && expiresAt <= now)
    throw new InputError('INVALID_DATE', {
      field: 'expiresAt',
      given: input.expiresAt,
      valid: `a time after ${Time.format(now)}`,
      why: `The grant would have expired at ${Time.format(expiresAt)}.`,
    })

  const startsAt = start(input.startsAt, { now, wholeDays: caps.perDay !== null })
  const held =
    hold === 'total' && caps.perDay !== null && caps.total !== null ? caps.total / caps.perDay : null
  // Days that are over take their share of the total with them, and the last of them may be over already.
  if (held !== null && held > 0n && BigInt(startsAt) + held * BigInt(Time.day) <= now)
    throw new InputError('INVALID_DATE', {
      field: 'startsAt',
      given: input.startsAt,
      valid: `a day after ${Time.format(now - Number(held) * Time.day)}, a higher total, or no hold`,
      why: `Holding the total ends the grant ${held} days after its start, which is over.`,
    })

  return Terms.seal({
    version: 1,
    grantId,
    id: input.id === undefined ? grantId : Terms.id(input.id),
    ...parties,
    chainId,
    token,
    rail,
    payees: Input.oneOf(payees, 'payees', Terms.payees),
    ...caps,
    startsAt,
    expiresAt,
    hold: Input.oneOf(hold, 'hold', ['day', 'total']),
    status: Input.oneOf(status, 'status', ['active', 'revoked']),
  })
}

function start(value: unknown, options: { now: number; wholeDays: boolean }): number {
  if (value === undefined) return Time.midnight(options.now)
  const at = Time.parse(value, { field: 'startsAt', edge: 'start' })
  const midnight = Time.midnight(at)
  if (!options.wholeDays || at === midnight) return at
  return at > options.now ? midnight + Time.day : midnight
}

const keys = [
  ...['grantId', 'id', 'owner', 'agent', 'orchestrator', 'chainId', 'token', 'rail', 'allow', 'payees'],
  ...['perCall', 'perTask', 'perDay', 'total', 'perWindow', 'window', 'maxFloat'],
  ...['startsAt', 'expiresAt', 'hold', 'status'],
]

/**
 * Writes a grant as JSON, byte for byte the same for equal grants: fields in the order of the type, amounts as
 * decimal strings of base units, times as unix seconds, the token as its address, and a host that is bound to
 * nobody as a string, as in `define`.
 */
export function serialize(grant: Grant): string {
  const amount = (units: bigint | null) => (units === null ? null : units.toString())
  return JSON.stringify({
    version: grant.version,
    grantId: grant.grantId,
    id: grant.id,
    owner: grant.owner,
    agent: grant.agent,
    orchestrator: grant.orchestrator,
    chainId: grant.chainId,
    token: grant.token.address,
    rail: grant.rail,
    allow: grant.allow.map(({ host, payTo }) => (payTo.length === 0 ? host : { host, payTo })),
    payees: grant.payees,
    perCall: amount(grant.perCall),
    perTask: amount(grant.perTask),
    perDay: amount(grant.perDay),
    total: amount(grant.total),
    perWindow: amount(grant.perWindow),
    window: grant.window,
    maxFloat: amount(grant.maxFloat),
    startsAt: grant.startsAt,
    expiresAt: grant.expiresAt,
    hold: grant.hold,
    status: grant.status,
  })
}

/**
 * Reads what `serialize` wrote, and holds it to the same rules as `define`, save that a grant may have expired
 * since. The order of fields and white space between them are free, for stores that change them.
 *
 * @throws InputError `UNKNOWN_VERSION`, and all that `define` throws
 */
export function parse(text: string): Grant {
  const input = Json.record(Json.parse(text, 'grant'), 'grant', keys)
  const amount = (field: string) => Input.units(input[field], field, { min: 1n, max: Amount.max })
  const time = (field: string) =>
    Input.integer(input[field], field, { min: 0, max: Time.max, code: 'INVALID_DATE' })
  const orNull = <value>(field: string, read: (field: string) => value) =>
    input[field] === null ? null : read(field)

  const chainId = Terms.chainId(input.chainId, 'chainId')
  const token = Terms.token(Input.address(input.token, 'token'), chainId)
  const grant = Terms.seal({
    version: 1,
    grantId: Terms.grantId(input.grantId),
    id: Terms.id(input.id),
    ...Terms.parties({ ...input, orchestrator: input.orchestrator ?? undefined }, token),
    chainId,
    token,
    rail: Input.oneOf(input.rail, 'rail', Terms.rails),
    payees: Input.oneOf(input.payees, 'payees', Terms.payees),
    perCall: amount('perCall'),
    perTask: orNull('perTask', amount),
    perDay: orNull('perDay', amount),
    total: orNull('total', amount),
    perWindow: orNull('perWindow', amount),
    window: orNull('window', (field) => Caps.window(input[field])),
    maxFloat: orNull('maxFloat', amount),
    startsAt: time('startsAt'),
    expiresAt: orNull('expiresAt', time),
    hold: Input.oneOf(input.hold, 'hold', ['day', 'total']),
    status: Input.oneOf(input.status, 'status', ['active', 'revoked']),
  })
  Json.checkSame(text, serialize(grant), 'grant')
  return grant
}

/**
 * Whether the allowlist permits a payment. With a host: it must be listed, and where its entry binds payees, `to`
 * must be one of them. Without one: `to` must be a payee of some entry.
 */
export function isAllowed(grant: Grant, request: Allowlist.PermitsRequest): Allowlist.PermitsResult {
  return Allowlist.permits(grant.allow, request)
}
