import type { Address } from 'viem'
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
