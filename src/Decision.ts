import { type Address, isAddress } from 'viem'
import * as Allowlist from './Allowlist.js'
import * as Amount from './Amount.js'
import { InputError } from './errors.js'
import type { Grant } from './Grant.js'
import * as Host from './Host.js'
import * as Permission from './Permission.js'
import * as Time from './Time.js'

/** Why a spend is refused. `BUDGET_EXCEEDED` names its cap in the figures. */
export type RefusalCode =
  | 'REVOKED'
  | 'PAUSED'
  | 'NOT_APPROVED'
  | 'NOT_STARTED'
  | 'EXPIRED'
  | 'NOT_ALLOWED'
  | 'OVER_PER_CALL'
  | 'BUDGET_EXCEEDED'
  | 'CHAIN_UNSEEN'

/** The caps that a spend can run into besides the one per call. */
export type Cap = 'perTask' | 'perDay' | 'total'

/** What somebody wants to pay. `amount` in base units. */
export type Request = {
  readonly to: Address
  readonly amount: bigint
  /** Resolved host, where one is known: it must be on the allowlist and bind the payee. */
  readonly host?: string | undefined
  readonly task?: string | undefined
}

/** Everything a decision looks at besides the request. Meters include what is reserved and still open. */
export type State = {
  readonly grant: Grant
  readonly permission: Permission.Permission
  /** Chain time: the timestamp of the latest block that was seen, unix seconds. */
  readonly now: number
  readonly paused: boolean
  /** As the chain answers: `isApproved`, `isRevoked`. */
  readonly approved: boolean
  readonly revoked: boolean
  /** Base units that count against each cap at `now`: settled in the period plus every open reservation. */
  readonly used: {
    /** The permission's current period. */
    readonly period: bigint
    /** The current UTC day. */
    readonly day: bigint
    /** The life of the grant. */
    readonly total: bigint
    /** The task that the request names; 0 where it names none. */
    readonly task: bigint
  }
}

/** Yes, or a refusal with the figures that explain it. */
export type Decision =
  | { readonly allowed: true }
  | {
      readonly allowed: false
      readonly code: RefusalCode
      /** The cap, for `OVER_PER_CALL` (`perCall`) and `BUDGET_EXCEEDED`. */
      readonly cap?: Cap | 'perCall'
      /** One sentence with the values, for a person. */
      readonly reason: string
      /** Base units or unix seconds by name, such as `{ limit, used, amount }`. */
      readonly figures: Readonly<Record<string, bigint | number | string>>
      /** Whether the same request can succeed later under the same grant. */
      readonly retryable: boolean
      /** Unix seconds at which it can, where that is known. */
      readonly retryAt?: number
    }

type Refusal = Extract<Decision, { allowed: false }>

const allow: Decision = { allowed: true }

/**
 * Whether a payment may be made now: status, dates, allowlist, then the caps from the narrowest to the
 * widest, and last the period of the permission itself, which the chain meters whatever the grant says.
 * The first rule that refuses answers. Nothing is read and nothing is changed.
 *
 * An approved permission in its dates is refused exactly where SpendPermissionManager would refuse the
 * pull, or earlier where a cap of the process is narrower; `test/chain/differential.test.ts` holds the two
 * against each other.
 *
 * @throws InputError `INVALID_AMOUNT` for an amount outside [1, 2^160), `INVALID_ADDRESS` for a payee that
 * is none. These come before any rule: such a request is a bug of the caller, not something to refuse.
 */
export function decide(state: State, request: Request): Decision {
  if (typeof request.amount !== 'bigint' || request.amount <= 0n || request.amount > Amount.max) {
    throw new InputError('INVALID_AMOUNT', {
      field: 'amount',
      given: request.amount,
      valid: 'a bigint of base units from 1 to 2^160 - 1',
      why: 'There is nothing to pay, or more than a spend permission can move.',
    })
  }
  if (!isAddress(request.to, { strict: false })) {
    throw new InputError('INVALID_ADDRESS', {
      field: 'to',
      given: request.to,
      valid: 'an address of 20 bytes in hex',
      why: 'The payee is not an address.',
    })
  }
  const { grant } = state
  return (
    refuseStatus(state) ??
    refuseDates(state) ??
    refuseHost(grant, request.host) ??
    refusePayee(grant, request) ??
    refuseAmount(state, request.amount) ??
    allow
  )
}

/**
 * What can be said before anything goes out to the network, when neither price nor payee is known yet:
 * status, dates, and the host if one is given. A yes here is not yet a yes of `decide`.
 */
export function precheck(state: State, request: Pick<Request, 'host'> = {}): Decision {
  return refuseStatus(state) ?? refuseDates(state) ?? refuseHost(state.grant, request.host) ?? allow
}

/** What one more spend could take at most, base units, never negative. A cap that is absent is null. */
export type Remaining = {
  readonly perCall: bigint
  readonly perTask: bigint | null
  readonly perDay: bigint | null
  readonly total: bigint | null
  /** What the chain would still let through in the permission's current period. */
  readonly period: bigint
  /** The least of them all; 0 while status or dates refuse. */
  readonly overall: bigint
}

/**
 * What one more spend could take now, by cap and overall. Spends that others made may exceed a cap, so a
 * cap that is used beyond its limit leaves 0. `decide` allows `overall` and refuses one unit more.
 */
export function remaining(state: State): Remaining {
  const { grant, permission, used } = state
  const perTask = grant.perTask === null ? null : left(grant.perTask, used.task)
  const perDay = grant.perDay === null ? null : left(grant.perDay, used.day)
  const total = grant.total === null ? null : left(grant.total, used.total)
  const period = left(permission.allowance, used.period)
  const open = refuseStatus(state) === undefined && refuseDates(state) === undefined
  const least = [perTask, perDay, total, period].reduce<bigint>(
    (least, cap) => (cap !== null && cap < least ? cap : least),
    grant.perCall,
  )
  return { perCall: grant.perCall, perTask, perDay, total, period, overall: open ? least : 0n }
}

function refuseStatus({ grant, paused, approved, revoked }: State): Refusal | undefined {
  const { chainId, id, owner } = grant
  if (grant.status === 'revoked' || revoked) {
    const reason = `Grant ${id} is revoked, which is final. Ask ${owner} to sign a new grant.`
    return refuse('REVOKED', reason, { by: revoked ? 'chain' : 'grant' })
  }
  if (paused) {
    const reason = `Grant ${id} is paused. It can be used again once it is resumed.`
    return refuse('PAUSED', reason, {}, true)
  }
  if (!approved) {
    const reason = `The permission of grant ${id} is not approved on chain ${chainId}. Submit the owner's signature, or let ${owner} approve it.`
    return refuse('NOT_APPROVED', reason, { chainId }, true)
  }
  return undefined
}

function refuseDates(state: State): Refusal | undefined {
  const { now } = state
  const { id, owner } = state.grant
  const { start } = state.permission
  const end = endOf(state)
  if (now < start) {
    const reason = `Grant ${id} starts at ${Time.format(start)}; it is ${Time.format(now)} on chain. Try again then.`
    return refuse('NOT_STARTED', reason, { start, now }, start)
  }
  if (now >= end) {
    const reason = `Grant ${id} ended at ${Time.format(end)}; it is ${Time.format(now)} on chain. Ask ${owner} to sign a new grant.`
    return refuse('EXPIRED', reason, { end, now })
  }
  return undefined
}

function refuseHost({ allow, id, owner }: Grant, host: string | undefined): Refusal | undefined {
  if (host === undefined) return undefined
  const read = Host.read(host)
  // What cannot be read may be a whole URL with a password in it, so it is not repeated.
  if (!read.ok) return refuse('NOT_ALLOWED', `The host cannot be read. ${read.reason}`, {})
  if (allow.some((entry) => entry.host === read.host)) return undefined
  const reason = `${read.host} is not on the allowlist of grant ${id}. Ask ${owner} to sign a grant that names it.`
  return refuse('NOT_ALLOWED', reason, { host: read.host })
}

function refusePayee({ allow, owner }: Grant, { host, to }: Request): Refusal | undefined {
  const permitted = Allowlist.permits(allow, { to, host })
  if (permitted.allowed) return undefined
  const help = `Ask ${owner} to sign a grant that names the payee${host === undefined ? ', or name the host that asks for the payment' : ''}.`
  const figures = { to, ...(host === undefined ? {} : { host }) }
  return refuse('NOT_ALLOWED', `${permitted.reason} ${help}`, figures)
}

function refuseAmount(state: State, amount: bigint): Refusal | undefined {
  const { grant, permission, now, used } = state
  const { owner, perCall, perTask, perDay, total } = grant
  if (amount > perCall) {
    const reason = `${money(grant, amount)} is more than the ${money(grant, perCall)} that one call may cost. Ask ${owner} to sign a grant with a higher cap per call.`
    return { ...refuse('OVER_PER_CALL', reason, { limit: perCall, amount }), cap: 'perCall' }
  }
  if (perTask !== null && used.task + amount > perTask)
    return exceeded(state, 'perTask', { limit: perTask, used: used.task, amount })
  if (perDay !== null && used.day + amount > perDay) {
    const next = Time.midnight(now) + Time.day
    return exceeded(state, 'perDay', { limit: perDay, used: used.day, amount }, next)
  }
  if (total !== null && used.total + amount > total)
    return exceeded(state, 'total', { limit: total, used: used.total, amount })
  if (used.period + amount > permission.allowance) {
    // Which of the two the allowance mirrors, see `Permission.fromGrant`.
    const cap = perDay !== null && (total === null || perDay < total) ? 'perDay' : 'total'
    const next = Permission.periodAt(permission, now)?.end
    return exceeded(state, cap, { limit: permission.allowance, used: used.period, amount }, next)
  }
  return undefined
}

/** `renews`: when the meter of the cap starts again, unix seconds, if it does. */
function exceeded(
  state: State,
  cap: Cap,
  figures: { limit: bigint; used: bigint; amount: bigint },
  renews?: number,
): Refusal {
  const { grant } = state
  const { limit, used, amount } = figures
  // Waiting helps only where the next meter starts before the end, holds the amount, and the total does too.
  const fits = amount <= limit && (grant.total === null || state.used.total + amount <= grant.total)
  const retryAt = renews !== undefined && renews < endOf(state) && fits ? renews : undefined
  const wait = retryAt === undefined ? 'Ask' : `Try again from ${Time.format(retryAt)}, or ask`
  const reason = `${money(grant, amount)} does not fit: ${money(grant, used)} of the ${money(grant, limit)} ${words[cap]} are spent or reserved. ${wait} ${grant.owner} to sign a grant with a higher cap.`
  return { ...refuse('BUDGET_EXCEEDED', reason, figures, retryAt ?? false), cap }
}

const words = { perTask: 'per task', perDay: 'per UTC day', total: 'in total' } as const satisfies Record<
  Cap,
  string
>

/** `retry`: whether the same request can succeed later, or the unix seconds from which it can. */
function refuse(
  code: RefusalCode,
  reason: string,
  figures: Refusal['figures'],
  retry: boolean | number = false,
): Refusal {
  const refusal = { allowed: false, code, reason, figures, retryable: retry !== false } as const
  return typeof retry === 'number' ? { ...refusal, retryAt: retry } : refusal
}

/** The first second at which nothing can be spent any more. */
function endOf({ grant, permission }: State): number {
  return grant.expiresAt === null ? permission.end : Math.min(permission.end, grant.expiresAt)
}

function left(limit: bigint, used: bigint): bigint {
  return used < limit ? limit - used : 0n
}

function money({ token }: Grant, amount: bigint): string {
  return `${Amount.format(amount, token.decimals)} ${token.symbol}`
}
