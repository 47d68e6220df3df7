/** What goes back to a server that asked for a payment: the authorization, signed, in the words of x402. */
import { encodePaymentSignatureHeader } from '@x402/core/http'
import type { PaymentPayload, SchemeNetworkClient } from '@x402/core/types'
import { findDefaultAsset } from '@x402/evm'
import { type Hex, isAddressEqual } from 'viem'
import * as GuardNumber from '../GuardNumber.js'
import type { Authorization } from '../PurseBlob.js'
import type { Challenge } from './Challenge.js'
import type { Payable } from './Judgement.js'
import * as Offer from './Offer.js'
import type { Payer } from './Payer.js'
import { X402Error } from './Violation.js'

/**
 * The authorization that pays an offer under a key, which is what the books reserve before anything is signed. Its
 * nonce is the key's reference, so that the chain shows which key it paid, and no key pays twice.
 *
 * @param options.now unix seconds, the later of chain time and this machine's clock: the facilitator goes by the one
 * and the token by the other
 */
export function authorize(
  { payTo, amount, validSeconds }: Pick<Payable, 'payTo' | 'amount' | 'validSeconds'>,
  { grantId, key, now }: { grantId: Hex; key: string; now: number },
): Authorization {
  const nonce = GuardNumber.reference(grantId, key)
  // From the beginning of time on: a start says nothing that the nonce does not, and clocks differ.
  return { to: payTo, value: amount, validAfter: 0, validBefore: now + validSeconds, nonce }
}

/** Signs what is reserved, and writes it as the server wants it. */
export async function create(options: {
  readonly challenge: Challenge
  readonly offer: Offer.Offer
  readonly payer: Payer
  readonly authorization: Authorization
}): Promise<PaymentPayload> {
  const { challenge, offer, payer, authorization } = options
  const { requirements } = offer
  const payload = await signed(offer, payer, authorization)
  if (challenge.x402Version === 1) return v1(offer, payload) as unknown as PaymentPayload
  const { resource, extensions } = challenge.required
  return {
    x402Version: 2,
    payload,
    accepted: requirements,
    ...(resource === undefined ? {} : { resource }),
    ...(extensions === undefined || extensions === null ? {} : { extensions }),
  }
}

/** The header by which it is sent, of its version. */
export function headers(payload: PaymentPayload): Record<string, string> {
  const name = payload.x402Version === 1 ? 'X-PAYMENT' : 'PAYMENT-SIGNATURE'
  return { [name]: encodePaymentSignatureHeader(payload) }
}

/**
 * The same for people who have an `x402Client` of their own: `client.register('eip155:8453', scheme(...))`, and for v1
 * `client.registerV1('base', scheme(...))`. `reserve` decides, reserves and answers with what was reserved and who signs it,
 * or throws: nothing is signed then.
 */
export function scheme(
  reserve: (offer: Offer.Offer) => Promise<{ readonly payer: Payer; readonly authorization: Authorization }>,
): SchemeNetworkClient {
  return {
    scheme: 'exact',
    // Without it the client's own spend controls know of no asset, and refuse all.
    findDefaultAsset,
    async createPaymentPayload(x402Version, requirements) {
      const offer = Offer.read(requirements, x402Version === 1 ? 1 : 2)
      if (!offer.allowed) throw X402Error.of(offer)
      const { payer, authorization } = await reserve(offer)
      const payload = await signed(offer, payer, authorization)
      return x402Version === 1 ? v1(offer, payload) : { x402Version, payload }
    },
  }
}

function v1({ requirements }: Offer.Offer, payload: Record<string, unknown>) {
  const { scheme, network } = requirements
  return { x402Version: 1, scheme, network, payload }
}

async function signed(offer: Offer.Offer, payer: Payer, authorization: Authorization) {
  const { to, value, validAfter, validBefore, nonce } = authorization
  if (value !== offer.amount || !isAddressEqual(to, offer.payTo as Hex))
    throw new X402Error(
      'RESERVATION_MISMATCH',
      `What was reserved (${value} to ${to}) is not what was offered (${offer.amount} to ${offer.payTo}). Nothing was signed.`,
      { figures: { reserved: value, to } },
    )
  const signature = await payer.sign(authorization)
  return {
    signature,
    authorization: {
      from: payer.address,
      to,
      value: String(value),
      validAfter: String(validAfter),
      validBefore: String(validBefore),
      nonce,
    },
  }
}
