/** What a server answers with 402: the ways in which it lets itself be paid. */
import { decodePaymentRequiredHeader } from '@x402/core/http'
import type { PaymentRequired } from '@x402/core/types'
import * as Body from './Body.js'
import * as Offer from './Offer.js'
import { type Violation, violation } from './Violation.js'

export type Challenge = {
  readonly allowed: true
  readonly x402Version: Offer.Version
  /** In the order of the server, those that cannot be read included. */
  readonly offers: readonly (Offer.Offer | Violation)[]
  /** As the server sent it, because resource and extensions go back to it with the payment. */
  readonly required: PaymentRequired
}

export type ReadOptions = Partial<Body.Limits>

/** What is read of a challenge's body, unless said otherwise: no server has more to say about its price. */
export const limits = { maxBytes: 65_536, timeoutMs: 10_000 } as const

/**
 * Reads a 402: by its `PAYMENT-REQUIRED` header (v2) where there is one, else by its JSON body (v1). The body is used
 * up, or cancelled.
 *
 * @returns the challenge, or `CHALLENGE_UNREADABLE`, `BODY_TOO_LARGE`, `TIMED_OUT`
 * @throws the reason of the caller's signal, and what the network throws
 */
export async function read(response: Response, options: ReadOptions = {}): Promise<Challenge | Violation> {
  const header = response.headers.get('payment-required')
  if (header) {
    await response.body?.cancel()
    return parse(2, () => decodePaymentRequiredHeader(header))
  }
  const body = await Body.read(response, { ...limits, ...options })
  if (!body.allowed) return body
  return parse(1, () => JSON.parse(body.text))
}

function parse(x402Version: Offer.Version, decode: () => unknown): Challenge | Violation {
  const required = decoded(decode)
  const where = x402Version === 2 ? 'PAYMENT-REQUIRED header' : 'body'
  const no = (why: string) =>
    violation('CHALLENGE_UNREADABLE', `The server asks for a payment (402), and the ${where} ${why}`)
  if (typeof required !== 'object' || required === null) return no('cannot be read.')
  if (!('x402Version' in required) || required.x402Version !== x402Version)
    return no(`is not of x402 version ${x402Version}.`)
  if (!('accepts' in required) || !Array.isArray(required.accepts) || required.accepts.length === 0)
    return no('offers no way to pay.')
  const offers = required.accepts.map((given) => Offer.read(given, x402Version))
  return { allowed: true, x402Version, offers, required: required as PaymentRequired }
}

function decoded(decode: () => unknown): unknown {
  try {
    const value = decode()
    // What cannot be written again, such as the deepest of nestings, could not go back with a payment.
    JSON.stringify(value)
    return value
  } catch {
    return undefined
  }
}
