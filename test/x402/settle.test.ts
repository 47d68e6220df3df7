/** What a merchant can do with a signature that it got: each ends with at most one settlement on chain. */
import type { SettleResponse } from '@x402/core/types'
import { zeroHash } from 'viem'
import { describe, expect, test } from 'vitest'
import { Payload } from '../../src/x402/index.js'
import { useBase } from '../base.js'
import { stranger } from '../chain/guardScene.js'
import { balanceOf } from '../chain/kit.js'
import { startFacilitator } from './facilitator.js'
import {
  askAfterSettling,
  type Behaviour,
  dropAfterSettling,
  failAfterSettling,
  lie,
  neverEnough,
  neverSettle,
  settleLate,
  settleTwice,
  startHostile,
} from './hostile.js'
import { pay, payers, settlements } from './kit.js'

const base = await useBase()
const kinds = Object.keys(payers) as (keyof typeof payers)[]

/** A merchant who behaves like this, a payer, and what the chain says of the payer's first key. */
async function scene(kind: keyof typeof payers, ...behaviours: Behaviour[]) {
  const payTo = stranger()
  const facilitator = await startFacilitator(base)
  const merchant = await startHostile({ payTo, facilitator }, ...behaviours)
  const { grant, payer } = await payers[kind](base, merchant.host, payTo)
  const nonce = Payload.authorize(
    { payTo, amount: 1n, validSeconds: 60 },
    { grantId: grant.grantId, key: 'key-1', now: 0 },
  ).nonce
  const settled = async () => ({
    paid: await balanceOf(base, payTo),
    times: (await settlements(base, payer.address, nonce)).length,
  })
  return { merchant, settled, pay: () => pay(base, merchant.origin, { grant, payer }) }
}

const once = { paid: 10_000n, times: 1 }
const never = { paid: 0n, times: 0 }

describe.each(kinds)('a signature of %s', (kind) => {
  test('default: is settled, and the answer says by what', async () => {
    const it = await scene(kind)
    const { response } = await it.pay()
    expect(response.headers.get('PAYMENT-RESPONSE')).not.toBe(null)
    expect(await it.settled()).toEqual(once)
    expect(it.merchant.settlements).toMatchObject([{ success: true }])
  })

  test.each<[string, Behaviour, number]>([
    ['answers with a failure', failAfterSettling, 500],
    ['asks again', askAfterSettling, 402],
  ])('behavior: a merchant that settles and %s has been paid', async (_, behaviour, status) => {
    const it = await scene(kind, behaviour)
    expect((await it.pay()).response.status).toBe(status)
    expect(await it.settled()).toEqual(once)
  })

  test('behavior: a merchant that settles and hangs up has been paid', async () => {
    const it = await scene(kind, dropAfterSettling)
    await expect(it.pay()).rejects.toThrow('fetch failed')
    expect(await it.settled()).toEqual(once)
  })

  test('behavior: a merchant that settles twice is paid once', async () => {
    const it = await scene(kind, settleTwice)
    await it.pay()
    expect(it.merchant.settlements).toMatchObject([{ success: true }, { success: false }])
    expect(await it.settled()).toEqual(once)
  })

  test('behavior: a merchant that never settles has served for nothing, whatever it says', async () => {
    const claimed: SettleResponse = { success: true, transaction: zeroHash, network: 'eip155:8453' }
    const it = await scene(kind, neverSettle, lie(claimed))
    const { response } = await it.pay()
    expect(response.headers.get('PAYMENT-RESPONSE')).not.toBe(null)
    expect(await it.settled()).toEqual(never)
  })

  test('behavior: a merchant that always asks again has not been paid', async () => {
    const it = await scene(kind, neverEnough)
    expect((await it.pay()).response.status).toBe(402)
    expect(await it.settled()).toEqual(never)
  })

  test('behavior: a merchant that settles late is paid until the authorization ends, and not from then on', async () => {
    const held: (() => Promise<SettleResponse | undefined>)[] = []
    const it = await scene(kind, settleLate(held))
    const { payload } = await it.pay()
    const { authorization } = payload.payload as { authorization: { validBefore: string } }
    const validBefore = Number(authorization.validBefore)
    const atEnd = await base.snapshot()
    await base.nextBlockAt(validBefore)
    expect(await held[0]?.()).toMatchObject({ success: false })
    expect(await it.settled()).toEqual(never)
    await atEnd()
    await base.nextBlockAt(validBefore - 1)
    expect(await held[0]?.()).toMatchObject({ success: true })
    expect(await it.settled()).toEqual(once)
  })
})

test('error: a header that pays is not sent on to another host', async () => {
  const other = await startHostile({ payTo: stranger() })
  const it = await scene('account', (visit) => {
    visit.answer = () => void visit.response.writeHead(307, { location: other.origin }).end()
  })
  await expect(it.pay()).rejects.toThrow(`redirects, to ${other.host}`)
  expect(other.visits).toEqual([])
})
