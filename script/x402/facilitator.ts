/** An unmodified facilitator of `@x402/evm`, v1 and v2, that settles on a local Base. */
import type { RequestListener } from 'node:http'
import { getRequestListener } from '@hono/node-server'
import { x402Facilitator } from '@x402/core/facilitator'
import type { PaymentPayload, PaymentRequirements } from '@x402/core/types'
import { toFacilitatorEvmSigner } from '@x402/evm'
import { ExactEvmScheme } from '@x402/evm/exact/facilitator'
import { ExactEvmSchemeV1 } from '@x402/evm/exact/v1/facilitator'
import { Hono } from 'hono'
import { createWalletClient, http, nonceManager, publicActions } from 'viem'
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts'
import type { Base } from '../../src/testing/index.js'

export type Facilitator = { readonly url: string }

type Asked = { paymentPayload: PaymentPayload; paymentRequirements: PaymentRequirements }

/** One with an account of its own, which pays for gas. */
export async function facilitatorOf(base: Base): Promise<RequestListener> {
  const account = privateKeyToAccount(generatePrivateKey(), { nonceManager })
  await base.fundEth(account.address, 10n ** 18n)
  const client = createWalletClient({
    account,
    chain: base.chain,
    transport: http(base.url),
    pollingInterval: 20,
  }).extend(publicActions)
  // What the signer asks for is untyped there; viem's client does each of it.
  const signer = toFacilitatorEvmSigner({ ...client, address: account.address } as unknown as Parameters<
    typeof toFacilitatorEvmSigner
  >[0])
  const facilitator = new x402Facilitator()
    .register(`eip155:${base.chain.id}`, new ExactEvmScheme(signer))
    .registerV1('base' as never, new ExactEvmSchemeV1(signer))

  const app = new Hono()
  app.get('/supported', (c) => c.json(facilitator.getSupported()))
  for (const verb of ['verify', 'settle'] as const)
    app.post(`/${verb}`, async (c) => {
      const { paymentPayload, paymentRequirements } = await c.req.json<Asked>()
      return c.json(await facilitator[verb](paymentPayload, paymentRequirements))
    })
  return getRequestListener(app.fetch)
}
