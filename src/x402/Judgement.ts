/** What a grant says to the offers of a challenge, before anything is asked of the books. */
import { type Address, getAddress, isAddress, isAddressEqual } from 'viem'
import type { Grant } from '../Grant.js'
import { money } from '../Refusal.js'
import * as Rules from '../Rules.js'
import type { Offer } from './Offer.js'
import { type Violation, violation } from './Violation.js'

/** An offer that the grant can pay: by EIP-3009, in its token, to a payee of the host. */
export type Payable = {
  readonly offer: Offer
  readonly payTo: Address
  /** Base units of the grant's token. */
  readonly amount: bigint
  /** For how long an authorization is made, seconds: what the server asks for, at most what the settings allow. */
  readonly validSeconds: number
}

export type JudgeOptions = {
  readonly grant: Grant
  /** Which asks, in the form of `Host.parse`. That it is on the allowlist is for `Decision.precheck` to say. */
  readonly host: string
  /** The longest that an authorization may be valid, whatever the server asks. 300 seconds unless said otherwise. */
  readonly maxValidSeconds?: number | undefined
  /** The shortest that a server may ask for. 10 seconds unless said otherwise: a facilitator wants 6 to be left. */
  readonly minValidSeconds?: number | undefined
}

export type Judgement =
  | { readonly allowed: true; readonly payable: Payable }
  | (Violation & {
      /** What is wrong with each of the offers, in their order. */
      readonly all: readonly Violation[]
    })

/**
 * The cheapest offer that the grant can pay, the first of several. Where there is none, what is wrong with the one that
 * came furthest: asset, network, scheme, payee, amount, validity, cap per call, in this order. What is left of the other
 * caps is for the books to say.
 */
export function select(offers: readonly (Offer | Violation)[], options: JudgeOptions): Judgement {
  let best: Payable | undefined
  const all: Violation[] = []
  for (const offer of offers) {
    const judged = offer.allowed ? judge(offer, options) : offer
    if ('allowed' in judged) all.push(judged)
    else if (!best || judged.amount < best.amount) best = judged
  }
  if (best) return { allowed: true, payable: best }
  const nearest = all.reduce<Violation | undefined>(
    (near, next) => (near && order.indexOf(near.code) >= order.indexOf(next.code) ? near : next),
    undefined,
  )
  return { ...(nearest ?? violation('CHALLENGE_UNREADABLE', 'The server offers no way to pay.')), all }
}

/** In which the rules are asked. */
const order: readonly Violation['code'][] = [
  'OFFER_UNREADABLE',
  'ASSET_MISMATCH',
  'NETWORK_MISMATCH',
  'SCHEME_UNSUPPORTED',
  'PAYEE_CHANGED',
  'AMOUNT_UNREADABLE',
  'VALIDITY_TOO_SHORT',
  'OVER_PER_CALL',
]

/** What the grant says to one offer. */
export function judge(offer: Offer, options: JudgeOptions): Payable | Violation {
  const { grant, host, maxValidSeconds = 300, minValidSeconds = 10 } = options
  const mismatch = assetMismatch(offer, grant) ?? networkMismatch(offer, grant) ?? schemeUnsupported(offer)
  if (mismatch) return mismatch
  const payTo = payeeOf(offer, options)
  if (typeof payTo !== 'string') return payTo

  const { amount, maxTimeoutSeconds } = offer
  if (amount === null)
    return violation(
      'AMOUNT_UNREADABLE',
      `${host} asks for an amount that is no whole number of base units above zero.`,
      {
        host,
      },
    )
  const validSeconds = Math.floor(Math.min(maxTimeoutSeconds, maxValidSeconds))
  if (validSeconds < minValidSeconds) {
    const reason = `${host} asks for an authorization of ${validSeconds} seconds, less than the ${minValidSeconds} in which one can be settled.`
    return violation('VALIDITY_TOO_SHORT', reason, {
      host,
      amount,
      limit: minValidSeconds,
      given: validSeconds,
    })
  }
  for (const { reason, figures, cap } of Rules.perCall({ grant }, amount))
    return { ...violation('OVER_PER_CALL', reason, { ...figures, host }), ...(cap ? { cap } : {}) }
  return { offer, payTo, amount, validSeconds }
}

/** A price is so many base units of one token: of another one it says nothing about money. */
function assetMismatch({ asset, network, extra }: Offer, { token, chainId }: Grant): Violation | undefined {
  const figures = { asset: short(asset), network: short(network), expected: token.address }
  if (!isAddress(asset, { strict: false }) || !isAddressEqual(asset, token.address)) {
    const reason = `The price is in ${short(asset)} on ${short(network)}, and the grant pays in ${token.symbol} (${token.address}) on eip155:${chainId}.`
    return violation('ASSET_MISMATCH', reason, figures)
  }
  for (const field of ['name', 'version'] as const) {
    const given = extra[field]
    if (given === undefined || given === token[field]) continue
    const reason = `The offer gives ${token.symbol} another ${field} than the "${token[field]}" of its contract: what is signed for it could not be settled.`
    return violation('ASSET_MISMATCH', reason, figures)
  }
  return undefined
}

function networkMismatch({ network }: Offer, { chainId }: Grant): Violation | undefined {
  const expected = `eip155:${chainId}`
  if (network === expected) return undefined
  const reason = `The price is to be paid on ${short(network)}, and the grant pays on ${expected}.`
  return violation('NETWORK_MISMATCH', reason, { network: short(network), expected })
}

/** Only what moves exactly the price, once: what deposits, reserves or approves more than that is not signed. */
function schemeUnsupported({ scheme, extra }: Offer): Violation | undefined {
  const { assetTransferMethod: method = 'eip3009', paymentFlow: flow = 'authorization' } = extra
  const named = { scheme: short(scheme), method: short(method), flow: short(flow) }
  if (scheme === 'exact' && method === 'eip3009' && (flow === 'authorization' || flow === 'upfront'))
    return undefined
  const reason = `The server wants to be paid by scheme ${named.scheme} (${named.method}, ${named.flow}), and only exact by eip3009 is paid.`
  return violation('SCHEME_UNSUPPORTED', reason, named)
}

function payeeOf({ payTo, amount }: Offer, { grant, host }: JudgeOptions): Address | Violation {
  const bound = grant.allow.find((entry) => entry.host === host)?.payTo ?? []
  const isRead = isAddress(payTo, { strict: false })
  // An entry without payees binds the host to nobody.
  if (isRead && (bound.length === 0 || bound.some((payee) => isAddressEqual(payee, payTo))))
    return getAddress(payTo)
  const price = amount === null ? 'a payment' : money(grant, amount)
  const allowed = bound.join(', ') || 'any address'
  const reason = `${host} asks for ${price} to ${short(payTo)}, and the grant binds it to ${allowed}. If the host has a new payee, ask ${grant.owner} to sign a grant that names it.`
  return violation('PAYEE_CHANGED', reason, {
    host,
    payTo: short(payTo),
    expected: allowed,
    ...(amount === null ? {} : { amount }),
  })
}

/** What a server wrote, on one line and short enough to be read. */
function short(value: unknown): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? 'nothing')
  const printable = text.replace(/[^ -~]/g, '?')
  return printable.length > 80 ? `${printable.slice(0, 77)}...` : printable
}
