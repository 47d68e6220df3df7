/** Unmodified servers of `@x402/hono` and `@x402/express`, with one page that costs something. */
import { HTTPFacilitatorClient, x402ResourceServer } from '@x402/core/server'
import { ExactEvmScheme } from '@x402/evm/exact/server'
import { paymentMiddleware as expressPayments } from '@x402/express'
import { paymentMiddleware as honoPayments } from '@x402/hono'
import express from 'express'
import { Hono } from 'hono'
import type { Address } from 'viem'
import type { Facilitator } from './facilitator.js'
import { type Served, serve, serveHono } from './serve.js'

export type Priced = { readonly payTo: Address; readonly price?: string }

/** `GET /paid` and `POST /paid` cost `price` (`$0.01` unless said otherwise); the POST answers with what it was sent. */
export const merchants = {
  hono: async (facilitator: Facilitator, priced: Priced): Promise<Served> => {
    const app = new Hono()
    app.use(honoPayments(routes(priced), resourceServer(facilitator)))
    app.get('/paid', (c) => c.text('bought'))
    app.post('/paid', async (c) => c.text(await c.req.text()))
    return serveHono(app)
  },
  express: async (facilitator: Facilitator, priced: Priced): Promise<Served> => {
    const app = express()
    app.use(expressPayments(routes(priced), resourceServer(facilitator)))
    app.get('/paid', (_, response) => void response.send('bought'))
    app.post('/paid', express.text(), (request, response) => void response.send(request.body))
    return serve(app)
  },
} as const

function resourceServer({ url }: Facilitator) {
  return new x402ResourceServer(new HTTPFacilitatorClient({ url })).register(
    'eip155:8453',
    new ExactEvmScheme(),
  )
}

function routes({ payTo, price = '$0.01' }: Priced) {
  const accepts = { scheme: 'exact', payTo, price, network: 'eip155:8453' } as const
  return { 'GET /paid': { accepts }, 'POST /paid': { accepts } }
}
