import { isAddress } from 'viem'
import * as Amount from './Amount.js'
import { InputError } from './errors.js'
import type { Refusal } from './Refusal.js'
import * as Rules from './Rules.js'
import { type FundingRequest, needsTicket, type Request, railOf, type State } from './State.js'
import * as TrailingWindow from './TrailingWindow.js'

export type { Cap, Refusal, RefusalCode, SessionCap } from './Refusal.js'
export type { FundingRequest, Request, State, Stops, Ticket } from './State.js'

/** Yes, or a refusal with the figures that explain it. */
export type Decision = { readonly allowed: true } | Refusal

/**
 * Whether a payment may be made now: status, dates, allowlist, then the caps from the narrowest to the
 * widest, and last the period of the permission itself, which the chain meters whatever the grant says.
 * The first rule that refuses answers. Nothing is read and nothing is changed.
 *
 * From a purse it is the fundings that are metered, see `decideFunding`; here instead the float has to last.
 *
 * An approved permission in its dates is refused exactly where SpendPermissionManager would refuse the
 * pull, or earlier where a cap of the process is narrower, and on the guard rail exactly where the guard would
 * refuse the payment: `test/chain/differential.test.ts` and `guardDifferential.test.ts` hold them against each other.
 *
 * @throws InputError `INVALID_AMOUNT` for an amount outside [1, 2^160), `INVALID_ADDRESS` for a payee that
 * is none. These come before any rule: such a request is a bug of the caller, not something to refuse.
 */
export function decide(state: State, request: Request): Decision {
  return first(refusals(state, request))
}

/**
 * Every rule that refuses, in the order in which `decide` asks, each as if it were the only one.
 *
 * @throws InputError as `decide`, when the first is asked for
 */
export function* refusals(state: State, request: Request): Generator<Refusal, void> {
  checkAmount(request.amount, 'amount')
  if (!isAddress(request.to, { strict: false })) {
    throw new InputError('INVALID_ADDRESS', {
      field: 'to',
      given: request.to,
      valid: 'an address of 20 bytes in hex',
      why: 'The payee is not an address.',
    })
  }
  const { amount } = request
  yield* Rules.status(state)
  yield* Rules.dates(state)
  yield* Rules.host(state.grant, request.host)
  yield* Rules.payee(state, request)
  yield* Rules.perCall(state, amount)
  yield* Rules.task(state, request, amount)
  yield* railOf(state, request) === 'purse' ? Rules.float(state, amount) : Rules.meters(state, amount)
}

/**
 * Whether the purse may be lifted to `target` now. What is missing there is metered as a payment is, except that
 * `maxFloat` stands in place of the cap per call.
 *
 * @throws InputError `INVALID_AMOUNT` for a target outside [1, 2^160)
 */
export function decideFunding(state: State, request: FundingRequest): Decision {
  return first(fundingRefusals(state, request))
}

/** As `refusals`, for a funding. */
export function* fundingRefusals(state: State, request: FundingRequest): Generator<Refusal, void> {
  const { target } = request
  checkAmount(target, 'target')
  const amount = target - (state.purse?.balance ?? 0n)
  yield* Rules.status(state)
  yield* Rules.dates(state)
  yield* Rules.target(state, target)
  if (amount <= 0n) return
  if (needsTicket(state, 'guard')) yield* Rules.task(state, { ...request, via: 'guard' }, amount)
  yield* Rules.meters(state, amount)
}

/**
 * What can be said before anything goes out to the network, when neither price nor payee is known yet:
 * status, dates, and the host if one is given. A yes here is not yet a yes of `decide`.
 */
export function precheck(state: State, request: Pick<Request, 'host'> = {}): Decision {
  for (const rule of [Rules.status(state), Rules.dates(state), Rules.host(state.grant, request.host)]) {
    const decision = first(rule)
    if (!decision.allowed) return decision
  }
  return { allowed: true }
}

/** What one more spend could take at most, base units, never negative. A cap that is absent is null. */
export type Remaining = {
  readonly perCall: bigint
  /** Of the task's ticket where one is given; else of the grant's cap alone. */
  readonly perTask: bigint | null
  readonly perDay: bigint | null
  /** In the trailing window. */
  readonly perWindow: bigint | null
  readonly total: bigint | null
  /** What the chain would still let through in the permission's current period. */
  readonly period: bigint
  /** What a funding could still add to the purse, by `maxFloat`; null without a purse. */
  readonly float: bigint | null
  /** The least that binds a payment; 0 while status or dates refuse. */
  readonly overall: bigint
}

/**
 * What one more spend could take now, by cap and overall. Spends that others made may exceed a cap, so a
 * cap that is used beyond its limit leaves 0. `decide` allows `overall` and refuses one unit more, given a task and
 * a ticket where it asks for them.
 */
export function remaining(state: State, request: Pick<Request, 'ticket' | 'via'> = {}): Remaining {
  const { grant, permission, used, purse, now } = state
  const { perCall, perWindow, window } = grant
  const under = (limit: bigint | null, used: bigint) => (limit === null ? null : left(limit, used))
  const slot = state.window ?? TrailingWindow.empty
  const spent = window === null ? 0n : TrailingWindow.used(slot, { time: now, window })
  const balance = purse?.balance ?? 0n
  const caps = {
    perTask: under(Rules.taskLimit(state, request), used.task),
    perDay: under(grant.perDay, used.day),
    perWindow: under(perWindow, spent),
    total: under(grant.total, used.total),
    period: left(permission.allowance, used.period),
    float: under(grant.maxFloat, balance),
  }
  const { float, perTask, ...metered } = caps
  const binding = railOf(state, request) === 'purse' ? [balance] : Object.values(metered)
  const least = [perTask, ...binding].reduce<bigint>(
    (least, cap) => (cap !== null && cap < least ? cap : least),
    perCall,
  )
  return { perCall, ...caps, overall: precheck(state).allowed ? least : 0n }
}

function checkAmount(amount: unknown, field: string): void {
  if (typeof amount === 'bigint' && amount > 0n && amount <= Amount.max) return
  throw new InputError('INVALID_AMOUNT', {
    field,
    given: amount,
    valid: 'a bigint of base units from 1 to 2^160 - 1',
    why: 'There is nothing to pay, or more than a spend permission can move.',
  })
}

function first(refusals: Iterable<Refusal>): Decision {
  for (const refusal of refusals) return refusal
  return { allowed: true }
}

function left(limit: bigint, used: bigint): bigint {
  return used < limit ? limit - used : 0n
}
