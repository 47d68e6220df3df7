import * as Amount from './Amount.js'
import type { Grant } from './Grant.js'
import { endOf, type State } from './State.js'
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
  /** There is a cap per task, and no task is named. */
  | 'TASK_MISSING'
  /** It does, and the orchestrator has not signed for the task. */
  | 'TICKET_MISSING'
  | 'TICKET_EXPIRED'
  | 'TICKET_INVALID'
  | 'BUDGET_EXCEEDED'
  /** The payment names a session that nobody opened, or that is ended. */
  | 'SESSION_UNKNOWN'
  | 'SESSION_ENDED'
  /** The purse holds less than the payment: it has to be funded first. */
  | 'FLOAT_LOW'
  /** The key's authorization was cancelled, or its nonce was used for other terms: it can never pay. */
  | 'KEY_ENDED'
  /** The purse holds the target of a funding, or more. */
  | 'NOTHING_TO_FUND'
  | 'CHAIN_UNSEEN'
  /** The chain has metered more, or less, than the logs that the endpoint gives come to. */
  | 'LOGS_MISSING'
  /** The books were lost or restored, and what they have forgotten may still land. */
  | 'BOOKS_INCOMPLETE'

/** The caps that a spend can run into besides the one per call; `maxFloat` for fundings alone. */
export type Cap = 'perTask' | 'perDay' | 'perWindow' | 'total' | 'maxFloat'

/** The limits of a session: of one request, of one task within it, of all of it. */
export type SessionCap = 'perRequest' | 'perSessionTask' | 'perSession'

/** A refusal with the figures that explain it. */
export type Refusal = {
  readonly allowed: false
  readonly code: RefusalCode
  /** The cap, for `OVER_PER_CALL` and `BUDGET_EXCEEDED`. */
  readonly cap?: Cap | SessionCap | 'perCall'
  /** One sentence with the values, for a person. */
  readonly reason: string
  /** Base units or unix seconds by name, such as `{ limit, used, amount }`. */
  readonly figures: Readonly<Record<string, bigint | number | string>>
  /** Whether the same request can succeed later under the same grant. */
  readonly retryable: boolean
  /** Unix seconds at which it can, where that is known. */
  readonly retryAt?: number
}

/** `retry`: whether the same request can succeed later, or the unix seconds from which it can. */
export function refuse(
  code: RefusalCode,
  reason: string,
  figures: Refusal['figures'],
  retry: boolean | number = false,
): Refusal {
  const refusal = { allowed: false, code, reason, figures, retryable: retry !== false } as const
  return typeof retry === 'number' ? { ...refusal, retryAt: retry } : refusal
}

/** A cap that an amount does not fit under. `renews`: when its meter has room for the amount, unix seconds, if ever. */
export function exceeded(
  state: State,
  cap: Cap,
  figures: { limit: bigint; used: bigint; amount: bigint; periodEnd?: number },
  renews?: number,
): Refusal {
  const { grant } = state
  const { limit, used, amount } = figures
  // Waiting helps only where the next meter starts before the end, holds the amount, and the total does too.
  const fits = amount <= limit && (grant.total === null || state.used.total + amount <= grant.total)
  const retryAt = renews !== undefined && renews < endOf(state) && fits ? renews : undefined
  const wait = retryAt === undefined ? 'Ask' : `Try again from ${Time.format(retryAt)}, or ask`
  const reason = `${money(grant, amount)} does not fit: ${money(grant, used)} of the ${money(grant, limit)} ${words(cap, grant)} are spent or reserved. ${wait} ${grant.owner} to sign a grant with a higher cap.`
  return { ...refuse('BUDGET_EXCEEDED', reason, figures, retryAt ?? false), cap }
}

function words(cap: Cap, { window }: Grant): string {
  return {
    perTask: 'per task',
    perDay: 'per UTC day',
    perWindow: `per ${window} seconds`,
    total: 'in total',
    maxFloat: 'in the purse',
  }[cap]
}

export function money({ token }: Pick<Grant, 'token'>, amount: bigint): string {
  return `${Amount.format(amount, token.decimals)} ${token.symbol}`
}
