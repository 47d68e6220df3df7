import { HardcapError } from '../errors.js'
import type { Receipt } from '../Receipt.js'
import type { Refusal } from '../Refusal.js'
import type { HostedCode, HostedRefusal } from './HostedPolicy.js'

/** Why a request or a challenge is not answered with money, besides what a decision of the books refuses for. */
export type ViolationCode =
  /** The host cannot be read, or the URL is one that must not be asked. */
  | 'NOT_ALLOWED'
  /** A redirect leaves the host, or falls from https to http. */
  | 'REDIRECT_REFUSED'
  /** More redirects in a row than are followed. */
  | 'REDIRECT_LOOP'
  /** A 402 whose terms cannot be read. */
  | 'CHALLENGE_UNREADABLE'
  | 'BODY_TOO_LARGE'
  /** The body did not end in time. */
  | 'TIMED_OUT'
  /** One offer of a challenge cannot be read. */
  | 'OFFER_UNREADABLE'
  | 'ASSET_MISMATCH'
  | 'NETWORK_MISMATCH'
  /** Another scheme than `exact`, or `exact` by other means than EIP-3009. */
  | 'SCHEME_UNSUPPORTED'
  /** The host is allowed, and asks for another payee than the grant binds it to. */
  | 'PAYEE_CHANGED'
  | 'AMOUNT_UNREADABLE'
  /** The server asks for an authorization so short that it could not be settled. */
  | 'VALIDITY_TOO_SHORT'
  | 'OVER_PER_CALL'

/** A refusal that comes from what a server sent, in the form of those that decisions give. */
export type Violation = Omit<Refusal, 'code'> & { readonly code: ViolationCode }

/** `retryable`: whether the same request can succeed later under the same grant. */
export function violation(
  code: ViolationCode,
  reason: string,
  figures: Violation['figures'] = {},
  retryable = false,
): Violation {
  return { allowed: false, code, reason, figures, retryable }
}

/** Why something about x402 throws. */
export type X402Code =
  | ViolationCode
  | HostedCode
  /** The answer is no 402, so there is nothing to pay. */
  | 'NO_CHALLENGE'
  /** The payment that was reserved is not the one that was offered: nothing was signed. */
  | 'RESERVATION_MISMATCH'
  /** A sink did not take a receipt. */
  | 'NOT_DELIVERED'
  /** The delivery was closed while it was waited for. */
  | 'CLOSED'

export class X402Error extends HardcapError<X402Code> {
  override readonly name = 'X402Error'

  /** The record that the refusal left, where it left one. */
  readonly receipt: Receipt | undefined

  constructor(
    code: X402Code,
    message: string,
    options: ConstructorParameters<typeof HardcapError>[2] & { readonly receipt?: Receipt | undefined } = {},
  ) {
    super(code, message, options)
    this.receipt = options.receipt
  }

  /** `figures` has the cap as well, where it is one. */
  static of(refusal: Violation | HostedRefusal, receipt?: Receipt): X402Error {
    const { code, reason, figures, retryable } = refusal
    const cap = 'cap' in refusal && refusal.cap ? { cap: refusal.cap } : {}
    return new X402Error(code, reason, { figures: { ...figures, ...cap }, retryable, receipt })
  }
}
