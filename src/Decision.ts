import { type Address, formatUnits, isAddress } from 'viem'
import { InputError } from './errors.js'
import type { Grant } from './Grant.js'
import type { Permission } from './Permission.js'

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
  readonly permission: Permission
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
const day = 86_400
const maxUint160 = 2n ** 160n - 1n

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
  if (typeof request.amount !== 'bigint' || request.amount <= 0n || request.amount > maxUint160) {
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
  if (grant.status === 'revoked' || revoked) {
    return {
      allowed: false,
      code: 'REVOKED',
      reason: `Grant ${grant.id} is revoked, which is final. Ask ${grant.owner} to sign a new grant.`,
      figures: { by: revoked ? 'chain' : 'grant' },
      retryable: false,
    }
  }
  if (paused) {
    return {
      allowed: false,
      code: 'PAUSED',
      reason: `Grant ${grant.id} is paused. It can be used again once it is resumed.`,
      figures: {},
      retryable: true,
    }
  }
  if (!approved) {
    return {
      allowed: false,
      code: 'NOT_APPROVED',
      reason: `The permission of grant ${grant.id} is not approved on chain ${grant.chainId}. Submit the owner's signature, or let ${grant.owner} approve it.`,
      figures: { chainId: grant.chainId },
      retryable: true,
    }
  }
  return undefined
}

function refuseDates(state: State): Refusal | undefined {
  const { grant, permission, now } = state
  const end = endOf(state)
  if (now < permission.start) {
    return {
      allowed: false,
      code: 'NOT_STARTED',
      reason: `Grant ${grant.id} starts at ${iso(permission.start)}; it is ${iso(now)} on chain. Try again then.`,
      figures: { start: permission.start, now },
      retryable: true,
      retryAt: permission.start,
    }
  }
  if (now >= end) {
    return {
      allowed: false,
      code: 'EXPIRED',
      reason: `Grant ${grant.id} ended at ${iso(end)}; it is ${iso(now)} on chain. Ask ${grant.owner} to sign a new grant.`,
      figures: { end, now },
      retryable: false,
    }
  }
  return undefined
}

function refuseHost(grant: Grant, host: string | undefined): Refusal | undefined {
  if (host === undefined || grant.allow.some((entry) => entry.host === host)) return undefined
  return notAllowed(
    `Host ${host} is not on the allowlist of grant ${grant.id}, which has ${hostsOf(grant)}. Ask ${grant.owner} to sign a grant that names it.`,
    { host },
  )
}

function refusePayee(grant: Grant, { host, to }: Request): Refusal | undefined {
  if (isAllowed(grant, to, host)) return undefined
  return notAllowed(
    host === undefined
      ? `${to} is not a payee of any host on the allowlist of grant ${grant.id}. Name the host that asks for the payment, or ask ${grant.owner} to sign a grant that names the payee.`
      : `${to} is not a payee of ${host} under grant ${grant.id}. Do not pay; ask ${grant.owner} to sign a grant that names it if ${host} confirms it.`,
    { to, ...(host === undefined ? {} : { host }) },
  )
}

/**
 * Whether `to` may be paid. With a host: the host is listed and binds `to`, or binds nobody in particular.
 * Without one: some host binds `to`; a host that binds nobody vouches for nobody.
 */
function isAllowed(grant: Grant, to: Address, host: string | undefined): boolean {
  const payee = to.toLowerCase()
  return grant.allow.some((entry) => {
    if (host !== undefined && entry.host !== host) return false
    if (host !== undefined && entry.payTo.length === 0) return true
    return entry.payTo.some((address) => address.toLowerCase() === payee)
  })
}

function notAllowed(reason: string, figures: Refusal['figures']): Refusal {
  return { allowed: false, code: 'NOT_ALLOWED', reason, figures, retryable: false }
}

function refuseAmount(state: State, amount: bigint): Refusal | undefined {
  const { grant, permission, now, used } = state
  if (amount > grant.perCall) {
    return {
      allowed: false,
      code: 'OVER_PER_CALL',
      cap: 'perCall',
      reason: `${money(grant, amount)} is more than the ${money(grant, grant.perCall)} that one call may cost. Ask ${grant.owner} to sign a grant with a higher cap per call.`,
      figures: { limit: grant.perCall, amount },
      retryable: false,
    }
  }
  if (grant.perTask !== null && used.task + amount > grant.perTask) {
    return exceeded(state, 'perTask', { limit: grant.perTask, used: used.task, amount })
  }
  if (grant.perDay !== null && used.day + amount > grant.perDay) {
    const midnight = now - (now % day) + day
    return exceeded(state, 'perDay', { limit: grant.perDay, used: used.day, amount }, midnight)
  }
  if (grant.total !== null && used.total + amount > grant.total) {
    return exceeded(state, 'total', { limit: grant.total, used: used.total, amount })
  }
  if (used.period + amount > permission.allowance) {
    const next = now - ((now - permission.start) % permission.period) + permission.period
    const cap = grant.perDay === null ? 'total' : 'perDay'
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
  const { grant, used } = state
  const { limit, amount } = figures
  // Waiting helps only where the next meter starts before the end, holds the amount, and the total does too.
  const fits = amount <= limit && (grant.total === null || used.total + amount <= grant.total)
  const retryAt = renews !== undefined && renews < endOf(state) && fits ? renews : undefined
  const spent = `${money(grant, figures.used)} of the ${money(grant, limit)} ${words[cap]} are spent or reserved`
  const help =
    retryAt === undefined
      ? `Ask ${grant.owner} to sign a grant with a higher cap.`
      : `Try again from ${iso(retryAt)}, or ask ${grant.owner} to sign a grant with a higher cap.`
  return {
    allowed: false,
    code: 'BUDGET_EXCEEDED',
    cap,
    reason: `${money(grant, amount)} does not fit: ${spent}. ${help}`,
    figures,
    retryable: retryAt !== undefined,
    ...(retryAt === undefined ? {} : { retryAt }),
  }
}

const words = { perTask: 'per task', perDay: 'per UTC day', total: 'in total' } as const satisfies Record<
  Cap,
  string
>

/** The first second at which nothing can be spent any more. */
function endOf({ grant, permission }: State): number {
  return grant.expiresAt === null ? permission.end : Math.min(permission.end, grant.expiresAt)
}

function left(limit: bigint, used: bigint): bigint {
  return used < limit ? limit - used : 0n
}

function money({ token }: Grant, amount: bigint): string {
  return `${formatUnits(amount, token.decimals)} ${token.symbol}`
}

/** A permission without an end has the largest uint48, which is beyond what a Date can hold. */
function iso(seconds: number): string {
  return seconds > 8.64e12 ? `${seconds} s` : new Date(seconds * 1000).toISOString().replace('.000Z', 'Z')
}

function hostsOf({ allow }: Grant): string {
  const hosts = allow.map((entry) => entry.host)
  return hosts.length > 5 ? `${hosts.slice(0, 5).join(', ')} and ${hosts.length - 5} more` : hosts.join(', ')
}
