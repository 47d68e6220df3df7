/** The grant for people who have an `x402Client` of their own. */
import type { SchemeNetworkClient } from '@x402/core/types'
import type { Budget } from '../Budget.js'
import * as Host from '../Host.js'
import * as Payload from './Payload.js'
import * as Sinks from './Sinks.js'
import * as Till from './Till.js'

export type GrantSchemeOptions = Till.TillOptions & {
  /** Which asks, as the grant names it: a scheme is not told, so it is a scheme for one host. */
  readonly host: string
  /** Under which each payment is booked; its key is a new one each time. */
  readonly names?: Partial<Omit<Till.Names, 'key' | 'host'>> | undefined
}

/**
 * Pays `exact` under the grant: each payment is judged, reserved in the books and then signed, as `payWith` does it.
 *
 *     const client = new x402Client().register('eip155:8453', grantScheme(budget, { host: 'api.example.com' }))
 *     const pay = wrapFetchWithPayment(fetch, client)
 *
 * What `pay` is asked for elsewhere is paid to the payees of `host`, if at all: they are what the grant binds it to. Where
 * requests go, and what is followed, is for the `fetch` that is wrapped. `createPaymentPayload` throws GrantError and
 * X402Error, each after a receipt.
 *
 * @throws InputError `INVALID_HOST`
 */
export function grantScheme(budget: Budget, options: GrantSchemeOptions): SchemeNetworkClient {
  const { names: labels = {} } = options
  const host = Host.parse(options.host, 'host')
  const till = Till.open(budget, Sinks.start(budget, {}), options)
  return Payload.scheme(async (offer) => {
    const names = { ...labels, key: crypto.randomUUID(), host }
    await till.precheck(names)
    return till.reserve([offer], names)
  })
}
