import { wrapFetchWithPayment, x402Client } from '@x402/fetch'
import { describe, expect, test } from 'vitest'
import { Judgement, type Offer, Payload, X402Error } from '../../src/x402/index.js'
import { useBase } from '../base.js'
import { stranger } from '../chain/guardScene.js'
import { balanceOf } from '../chain/kit.js'
import { startFacilitator } from './facilitator.js'
import { startHostile } from './hostile.js'
import { now, pay, payers, settlements } from './kit.js'
import { merchants } from './merchant.js'

const base = await useBase()
const kinds = Object.keys(payers) as (keyof typeof payers)[]
const servers = Object.keys(merchants) as (keyof typeof merchants)[]
const pairs = kinds.flatMap((payer) => servers.map((server) => ({ payer, server })))

describe('an unmodified server and facilitator', () => {
  test.each(pairs)('default: $server is paid by $payer', async ({ payer: kind, server }) => {
    const payTo = stranger()
    const facilitator = await startFacilitator(base)
    const { origin, host } = await merchants[server](facilitator, { payTo })
    const { grant, payer } = await payers[kind](base, host, payTo)
    const { response, nonce } = await pay(base, `${origin}/paid`, { grant, payer })
    expect([response.status, await response.text()]).toEqual([200, 'bought'])
    expect(await balanceOf(base, payTo)).toBe(10_000n)
    expect(await balanceOf(base, payer.address)).toBe(990_000n)
    expect(await settlements(base, payer.address, nonce)).toHaveLength(1)
  })

  test.each(kinds)('args: x402 version 1, paid by %s', async (kind) => {
    const payTo = stranger()
    const facilitator = await startFacilitator(base)
    const { origin, host, settlements: said } = await startHostile({ payTo, facilitator, x402Version: 1 })
    const { grant, payer } = await payers[kind](base, host, payTo)
    const { response } = await pay(base, origin, { grant, payer })
    expect(await response.text()).toBe('bought')
    expect(said).toMatchObject([{ success: true, payer: payer.address }])
    expect(await balanceOf(base, payTo)).toBe(10_000n)
  })

  test('args: a body, which is sent again with the payment', async () => {
    const payTo = stranger()
    const facilitator = await startFacilitator(base)
    const { origin, host } = await merchants.hono(facilitator, { payTo })
    const { grant, payer } = await payers.account(base, host, payTo)
    const init = { method: 'POST', body: 'a question' }
    const { response } = await pay(base, `${origin}/paid`, { grant, payer, init })
    expect(await response.text()).toBe('a question')
  })

  test('behavior: a key is paid once, whatever is signed for it again', async () => {
    const payTo = stranger()
    const facilitator = await startFacilitator(base)
    const { origin, host } = await merchants.hono(facilitator, { payTo })
    const { grant, payer } = await payers.purse(base, host, payTo)
    await pay(base, `${origin}/paid`, { grant, payer })
    const again = await pay(base, `${origin}/paid`, { grant, payer })
    expect(again.response.status).toBe(402)
    expect(await balanceOf(base, payTo)).toBe(10_000n)
    await pay(base, `${origin}/paid`, { grant, payer, key: 'key-2' })
    expect(await balanceOf(base, payTo)).toBe(20_000n)
  })
})

describe('scheme', () => {
  test.each(kinds)("default: in somebody's own x402Client, for %s", async (kind) => {
    const payTo = stranger()
    const facilitator = await startFacilitator(base)
    const { origin, host } = await merchants.hono(facilitator, { payTo })
    const { grant, payer } = await payers[kind](base, host, payTo)
    const reserve = async (offer: Offer) => {
      const payable = Judgement.judge(offer, { grant, host })
      if ('allowed' in payable) throw X402Error.of(payable)
      const terms = { grantId: grant.grantId, key: 'key-1', now: await now(base) }
      return { payer, authorization: Payload.authorize(payable, terms) }
    }
    const client = new x402Client().register('eip155:8453', Payload.scheme(reserve))
    const response = await wrapFetchWithPayment(fetch, client)(`${origin}/paid`)
    expect(await response.text()).toBe('bought')
    expect(await balanceOf(base, payTo)).toBe(10_000n)
  })

  test('error: what was reserved is something else than what is offered', async () => {
    const payTo = stranger()
    const { origin, host } = await startHostile({ payTo })
    const { grant, payer } = await payers.account(base, host, payTo)
    for (const other of [{ amount: 9_999n }, { payTo: stranger() }]) {
      const reserve = async () => {
        const terms = { payTo, amount: 10_000n, validSeconds: 60, ...other }
        const key = { grantId: grant.grantId, key: 'key-1', now: await now(base) }
        return { payer, authorization: Payload.authorize(terms, key) }
      }
      const client = new x402Client().register('eip155:8453', Payload.scheme(reserve))
      const paying = wrapFetchWithPayment(fetch, client)(origin)
      await expect(paying).rejects.toThrow('Nothing was signed.')
    }
  })
})
