/** What an owner has to know to allow a host: whom it wants to be paid, how much and where. Nothing is paid. */
import type { Address } from 'viem'
import { getAddress, isAddress } from 'viem'
import * as Amount from '../Amount.js'
import * as Token from '../Token.js'
import * as Challenge from './Challenge.js'
import * as Exchange from './Exchange.js'
import type { Offer } from './Offer.js'
import { violation, X402Error } from './Violation.js'

/** A price that a host asks for. */
export type Price = {
  readonly scheme: string
  /** CAIP-2, such as `eip155:8453`. */
  readonly network: string
  readonly asset: string
  /** Such as `USDC`; null for a token that hardcap does not know. */
  readonly symbol: string | null
  readonly payTo: string
  /** Base units of the asset. */
  readonly amount: bigint
  /** In whole tokens, exact; null for a token that hardcap does not know. */
  readonly price: string | null
}

export type Resolved = {
  readonly host: string
  /** What to write into a grant's `allow`; null where no price could be paid under the wanted terms. */
  readonly entry: { readonly host: string; readonly payTo: readonly Address[] } | null
  /** Every price that can be read, in the order of the server. */
  readonly prices: readonly Price[]
}

export type ResolveOptions = {
  /** The chain and token of the grant to be. Base and USDC unless said otherwise. */
  readonly chainId?: number | undefined
  readonly token?: string | undefined
  /** The request to probe with, such as a POST with its body. GET unless said otherwise. */
  readonly init?: RequestInit | undefined
  /** Milliseconds that all of it may take. 30,000 unless said otherwise. */
  readonly timeoutMs?: number | undefined
  readonly fetch?: typeof globalThis.fetch | undefined
}

/**
 * Asks a URL what it costs and proposes the entry for a grant's allowlist. What it proposes is what the server says now:
 * it is for the owner to find out whether that is who he means.
 *
 * @throws X402Error `NO_CHALLENGE` where nothing is to be paid, `NOT_ALLOWED`, `REDIRECT_REFUSED`,
 * `CHALLENGE_UNREADABLE`, `TIMED_OUT` and others; InputError `UNKNOWN_TOKEN`; what `fetch` throws
 */
export async function resolve(url: string | URL, options: ResolveOptions = {}): Promise<Resolved> {
  const { chainId = 8453, token: symbol = 'USDC', init = {}, timeoutMs = 30_000, fetch } = options
  const token = Token.resolve(symbol, { chainId, field: 'token' })
  const deadline = AbortSignal.timeout(timeoutMs)
  const signal = init.signal ? AbortSignal.any([init.signal, deadline]) : deadline
  const opened = await Exchange.open(url, { ...init, signal })
  if (!opened.allowed) throw X402Error.of(opened)
  const { host } = opened.outgoing
  const challenge = await probe(opened.outgoing, fetch).catch((error: unknown) => {
    if (!deadline.aborted || init.signal?.aborted) throw error
    const reason = `${host} did not answer in full within ${timeoutMs} ms.`
    throw X402Error.of(violation('TIMED_OUT', reason, { host, limit: timeoutMs }, true))
  })

  const offers = challenge.offers.filter((offer) => offer.allowed)
  const prices = offers.flatMap(priceOf)
  const isMeant = ({ scheme, network, asset }: Price) =>
    scheme === 'exact' && network === `eip155:${chainId}` && same(asset, token.address)
  const payees = prices
    .filter(isMeant)
    .flatMap(({ payTo }) => (isAddress(payTo, { strict: false }) ? getAddress(payTo) : []))
  const payTo = [...new Set(payees)]
  return { host, prices, entry: payTo.length === 0 ? null : { host, payTo } }
}

async function probe(outgoing: Exchange.Outgoing, fetch: ResolveOptions['fetch']) {
  const answered = await Exchange.send(outgoing, { fetch })
  if (!answered.allowed) throw X402Error.of(answered)
  const { response, asked } = answered
  if (response.status !== 402) {
    await response.body?.cancel()
    const reason = `${asked.host} answers ${response.status} and asks for no payment. A URL or method that costs something has to be asked.`
    throw new X402Error('NO_CHALLENGE', reason, { figures: { host: asked.host, status: response.status } })
  }
  const challenge = await Challenge.read(response)
  if (!challenge.allowed) throw X402Error.of(challenge)
  return challenge
}

function priceOf({ scheme, network, asset, payTo, amount }: Offer): Price[] {
  if (amount === null) return []
  const chainId = Number(/^eip155:(\d{1,15})$/.exec(network)?.[1])
  const token = Token.known[chainId]?.find(({ address }) => same(address, asset))
  const price = token ? Amount.format(amount, token.decimals) : null
  return [{ scheme, network, asset, symbol: token?.symbol ?? null, payTo, amount, price }]
}

function same(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase()
}
