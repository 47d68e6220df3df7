/** Unmodified servers of `@x402/hono` and `@x402/express`, with one page that costs something. */
import type { RequestListener } from 'node:http'
import { getRequestListener } from '@hono/node-server'
import { HTTPFacilitatorClient, x402ResourceServer } from '@x402/core/server'
import { ExactEvmScheme } from '@x402/evm/exact/server'
import { paymentMiddleware as expressPayments } from '@x402/express'
import { paymentMiddleware as honoPayments } from '@x402/hono'
import express from 'express'
import { Hono } from 'hono'
import type { Address } from 'viem'
import type { Facilitator } from './facilitator.js'

export type Priced = {
  readonly payTo: Address
  readonly price?: string
  readonly maxTimeoutSeconds?: number
}

/** `GET /paid` and `POST /paid` cost `price` (`$0.01` unless said otherwise); the POST answers with what it was sent. */
export const merchants = {
  hono: (facilitator: Facilitator, priced: Priced): RequestListener => {
    const app = new Hono()
    app.use(honoPayments(routes(priced), resourceServer(facilitator)))
    app.get('/paid', (c) => c.text('bought'))
    app.post('/paid', async (c) => c.text(await c.req.text()))
    return getRequestListener(app.fetch)
  },
  express: (facilitator: Facilitator, priced: Priced): RequestListener => {
    const app = express()
    app.use(expressPayments(routes(priced), resourceServer(facilitator)))
    app.get('/paid', (_, response) => void response.send('bought'))
    app.post('/paid', express.text(), (request, response) => void response.send(request.body))
    return app
  },
} as const

function resourceServer({ url }: Facilitator) {
  return new x402ResourceServer(new HTTPFacilitatorClient({ url })).register(
    'eip155:8453',
    new ExactEvmScheme(),
  )
}

function routes({ payTo, price = '$0.01', maxTimeoutSeconds = 300 }: Priced) {
  const accepts = { scheme: 'exact', payTo, price, maxTimeoutSeconds, network: 'eip155:8453' } as const
  return { 'GET /paid': { accepts }, 'POST /paid': { accepts } }
}
