import type { Cap, Decision, RefusalCode, SessionCap } from './Decision.js'
import { HardcapError } from './errors.js'
import type { Receipt } from './Receipt.js'

/** Why `budget.*` throws: a refusal's code, or something about the books, the agent or the chain. */
export type GrantErrorCode =
  | RefusalCode
  /** The idempotency key was used before with other terms. */
  | 'KEY_CONFLICT'
  /** The limit of a session would rise, which none does. */
  | 'SESSION_RAISED'
  /** The agent's EOA already serves another grant in these books. */
  | 'AGENT_IN_USE'
  /** Grant, permission, agent or chain do not belong together. */
  | 'MISMATCH'
  /** The agent's EOA cannot pay the gas of the payment. */
  | 'GAS_LOW'
  /** Told to `onError`: the agent's ETH has fallen below `gasWarningWei`. Nothing is refused for it. */
  | 'GAS_WARNING'
  /** Told to `onError`: a transaction is stuck, and `maxFeePerGas` leaves no room for a higher fee. */
  | 'FEE_CEILING'
  /** Told to `onError`: the relay threw. What it was given stays stored, and it is given it again. */
  | 'RELAY_FAILED'
  /** SpendPermissionManager is not an owner of the wallet, so every spend would revert. */
  | 'SPM_NOT_OWNER'
  /** The permission's account has no code: an EOA can approve but never be spent from. */
  | 'ACCOUNT_NOT_CONTRACT'
  /** The chain would refuse the pull; `cause` says why. */
  | 'CHAIN_REFUSED'
  /** The payment did not happen and never will; the same key may be used again. */
  | 'RELEASED'
  /** The money reached the agent but not the payee; the same key tries the payee again. */
  | 'STRANDED'
  /** The authorization was settled before it could be cancelled. */
  | 'SETTLED'
  /** Blocks that were final have changed: the endpoint lied, or the chain did. Nothing is reserved any more. */
  | 'FINALITY_BROKEN'
  /** The budget was closed, before the call or while it was waiting. */
  | 'CLOSED'

/** Thrown by `budget.*` and `pay`. `receipt` is the record that the refusal left, where it left one. */
export class GrantError extends HardcapError<GrantErrorCode> {
  override readonly name = 'GrantError'
  readonly receipt: Receipt | undefined
  /** The cap, for `OVER_PER_CALL` and `BUDGET_EXCEEDED`. */
  readonly cap: Cap | SessionCap | 'perCall' | undefined
  /** Unix seconds (chain time) from which a retry can succeed, where that is known. */
  readonly retryAt: number | undefined

  constructor(
    code: GrantErrorCode,
    message: string,
    options: {
      figures?: Record<string, unknown>
      retryable?: boolean
      retryAt?: number | undefined
      receipt?: Receipt | undefined
      cap?: Cap | SessionCap | 'perCall' | undefined
      cause?: unknown
    } = {},
  ) {
    super(code, message, options)
    this.receipt = options.receipt
    this.cap = options.cap
    this.retryAt = options.retryAt
  }

  /** The error for a refusal. */
  static of(refusal: Extract<Decision, { allowed: false }>, receipt?: Receipt): GrantError {
    const { code, reason, figures, retryable, retryAt, cap } = refusal
    return new GrantError(code, reason, {
      figures: { ...figures, ...(cap === undefined ? {} : { cap }) },
      retryable,
      retryAt,
      receipt,
      cap,
    })
  }
}
