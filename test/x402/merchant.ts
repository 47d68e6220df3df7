import type { Facilitator } from '../../script/x402/facilitator.js'
import { merchants as listeners, type Priced } from '../../script/x402/merchant.js'
import { type Served, serve } from './serve.js'

const start =
  (kind: keyof typeof listeners) =>
  (facilitator: Facilitator, priced: Priced): Promise<Served> =>
    serve(listeners[kind](facilitator, priced))

/** Unmodified servers, until the test is over. */
export const merchants = { hono: start('hono'), express: start('express') } as const
