/** A merchant that speaks x402 by itself, v1 or v2, and misbehaves as it is told. Behaviours are put together freely. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'
import {
  decodePaymentSignatureHeader,
  encodePaymentRequiredHeader,
  encodePaymentResponseHeader,
} from '@x402/core/http'
import { HTTPFacilitatorClient } from '@x402/core/server'
import type { PaymentPayload, PaymentRequired, PaymentRequirements, SettleResponse } from '@x402/core/types'
import type { Address } from 'viem'
import { usdc } from '../../src/Addresses.js'
import type { Facilitator } from './facilitator.js'
import { type Served, serve } from './serve.js'

/** One way to pay, in words of either version. */
export type Terms = {
  readonly scheme: string
  readonly network: string
  readonly asset: string
  readonly amount: string
  readonly payTo: string
  readonly maxTimeoutSeconds: number
  readonly extra: Record<string, unknown>
}

/** A request on its way through the behaviours, which change what is done about it. */
export type Visit = {
  /** How many there were before. */
  readonly before: number
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly body: string
  payment: PaymentPayload | undefined
  offers: readonly Terms[]
  /** Asks for a payment. */
  challenge: () => void | Promise<void>
  settle: () => Promise<SettleResponse | undefined>
  /** Answers a payment. */
  answer: (settled: SettleResponse | undefined) => void | Promise<void>
}

export type Behaviour = (visit: Visit) => void

export type Hostile = Served & {
  /** What it was asked, without payments' headers. */
  readonly visits: readonly {
    readonly method: string
    readonly url: string
    readonly body: string
    readonly paid: boolean
  }[]
  /** What settlements said, in their order. */
  readonly settlements: readonly SettleResponse[]
  /** Every payment that it was given. */
  readonly payments: readonly PaymentPayload[]
}

/** Every page costs 10,000 base units of USDC to `payTo`, until behaviours say otherwise. */
export async function startHostile(
  options: { readonly payTo: Address; readonly facilitator?: Facilitator; readonly x402Version?: 1 | 2 },
  ...behaviours: readonly Behaviour[]
): Promise<Hostile> {
  const { payTo, facilitator, x402Version = 2 } = options
  const terms: Terms = {
    scheme: 'exact',
    network: x402Version === 1 ? 'base' : 'eip155:8453',
    asset: usdc[8453],
    amount: '10000',
    payTo,
    maxTimeoutSeconds: 60,
    extra: { name: 'USD Coin', version: '2' },
  }
  const visits: Hostile['visits'][number][] = []
  const settlements: SettleResponse[] = []
  const payments: PaymentPayload[] = []
  const served = await serve(async (request, response) => {
    const { method = '', url = '', headers } = request
    const header = headers['payment-signature'] ?? headers['x-payment']
    const payment = typeof header === 'string' ? decodePaymentSignatureHeader(header) : undefined
    if (payment) payments.push(payment)
    const body = await text(request)
    const visit: Visit = {
      before: visits.length,
      request,
      response,
      body,
      payment,
      offers: [terms],
      challenge: () => challenge(visit, x402Version, served.origin),
      settle: async () => {
        if (!facilitator || !payment) return undefined
        const [first = terms] = visit.offers
        const client = new HTTPFacilitatorClient(facilitator)
        const settled = await client.settle(payment, write(first, x402Version, served.origin))
        settlements.push(settled)
        return settled
      },
      answer: (settled) => {
        if (settled) response.setHeader(answerHeader(x402Version), encodePaymentResponseHeader(settled))
        response.end('bought')
      },
    }
    visits.push({ method, url, body, paid: payment !== undefined })
    for (const behave of behaviours) behave(visit)
    if (visit.payment === undefined) await visit.challenge()
    else await visit.answer(await visit.settle())
  })
  return { ...served, visits, settlements, payments }
}

function challenge({ offers, response }: Visit, x402Version: 1 | 2, origin: string): void {
  const accepts = offers.map((terms) => write(terms, x402Version, origin))
  const required = { x402Version, error: 'payment required', accepts, resource: { url: `${origin}/` } }
  response.statusCode = 402
  if (x402Version === 2)
    response.setHeader('PAYMENT-REQUIRED', encodePaymentRequiredHeader(required as PaymentRequired))
  response.setHeader('content-type', 'application/json')
  response.end(x402Version === 2 ? '{}' : JSON.stringify({ ...required, resource: undefined }))
}

function write(terms: Terms, x402Version: 1 | 2, origin: string): PaymentRequirements {
  const { amount, ...rest } = terms
  const written =
    x402Version === 2
      ? terms
      : {
          ...rest,
          maxAmountRequired: amount,
          resource: `${origin}/`,
          description: '',
          mimeType: 'text/plain',
        }
  return written as unknown as PaymentRequirements
}

function answerHeader(x402Version: 1 | 2): string {
  return x402Version === 2 ? 'PAYMENT-RESPONSE' : 'X-PAYMENT-RESPONSE'
}

/* ------------------------------------------ when ------------------------------------------ */

/** Only from the second request on. */
export const onRetry =
  (behave: Behaviour): Behaviour =>
  (visit) => {
    if (visit.before > 0) behave(visit)
  }

/** Only on one path. */
export const at =
  (path: string, behave: Behaviour): Behaviour =>
  (visit) => {
    if (visit.request.url === path) behave(visit)
  }

/* ----------------------------------------- asking ----------------------------------------- */

/** Another price, asset, payee, network, scheme, time. */
export const terms =
  (changes: Partial<Terms>): Behaviour =>
  (visit) => {
    visit.offers = visit.offers.map((offer) => ({ ...offer, ...changes }))
  }

/** Further ways to pay, after the first. */
export const also =
  (...changes: readonly Partial<Terms>[]): Behaviour =>
  (visit) => {
    visit.offers = visit.offers.flatMap((offer) => [
      offer,
      ...changes.map((change) => ({ ...offer, ...change })),
    ])
  }

/** Schemes that sign for more than the price: a deposit, a most, a reservation to be captured. */
export const batchSettlement = (minDeposit: string) =>
  terms({ scheme: 'batch-settlement', extra: { name: 'USD Coin', version: '2', minDeposit } })
export const upto = terms({
  scheme: 'upto',
  extra: { name: 'USD Coin', version: '2', assetTransferMethod: 'permit2' },
})
export const authCapture = terms({ scheme: 'auth-capture' })

/** Asks again, whatever was paid. */
export const neverEnough: Behaviour = (visit) => {
  visit.payment = undefined
}

/** Sends everybody elsewhere. */
export const redirect =
  (status: number, location: string): Behaviour =>
  (visit) => {
    visit.challenge = visit.answer = () => {
      visit.response.writeHead(status, { location }).end()
    }
  }

/** A 402 with this body, and no header. */
export const challengeBody =
  (body: string): Behaviour =>
  (visit) => {
    visit.challenge = () => void visit.response.writeHead(402).end(body)
  }

/** A 402 whose header is this. */
export const challengeHeader =
  (value: string): Behaviour =>
  (visit) => {
    visit.challenge = () => void visit.response.writeHead(402, { 'PAYMENT-REQUIRED': value }).end()
  }

/** A 402 with a body that ends when whoever reads it hangs up, and not before. */
export const hugeBody: Behaviour = (visit) => {
  const { response } = visit
  visit.challenge = () => {
    response.writeHead(402)
    const chunk = Buffer.alloc(65_536, ' ')
    const fill = () => {
      while (!response.destroyed && response.write(chunk));
    }
    response.on('drain', fill)
    fill()
  }
}

/** A 402 with one byte of a body, and then another, and so on. */
export const slowDrip: Behaviour = (visit) => {
  const { response } = visit
  visit.challenge = () => {
    response.writeHead(402)
    const timer = setInterval(() => response.write(' '), 10)
    response.on('close', () => clearInterval(timer))
  }
}

/* ---------------------------------------- answering ---------------------------------------- */

/** Settles, and hangs up. */
export const dropAfterSettling: Behaviour = (visit) => {
  visit.answer = () => void visit.response.destroy()
}

/** Settles, and answers with a failure. */
export const failAfterSettling: Behaviour = (visit) => {
  visit.answer = () => void visit.response.writeHead(500).end()
}

/** Settles, and asks again. */
export const askAfterSettling: Behaviour = (visit) => {
  visit.answer = () => visit.challenge()
}

/** Serves, and keeps the payment for itself. */
export const neverSettle: Behaviour = (visit) => {
  visit.settle = async () => undefined
}

/** Keeps the payment, to settle it when `held` is called. */
export const settleLate =
  (held: (() => Promise<SettleResponse | undefined>)[]): Behaviour =>
  (visit) => {
    const { settle } = visit
    visit.settle = async () => {
      held.push(settle)
      return undefined
    }
  }

/** Settles, and tries to once more. */
export const settleTwice: Behaviour = (visit) => {
  const { settle } = visit
  visit.settle = async () => {
    const settled = await settle()
    await settle()
    return settled
  }
}

/** Says that it settled, in a transaction of its choice. */
export const lie =
  (settled: SettleResponse): Behaviour =>
  (visit) => {
    const { answer } = visit
    visit.answer = () => answer(settled)
  }
