import { describe, expect, test } from 'vitest'
import { usdc } from '../../src/Addresses.js'
import { Grant } from '../../src/index.js'
import { Judgement, resolve, X402Error } from '../../src/x402/index.js'
import { useBase } from '../base.js'
import { stranger } from '../chain/guardScene.js'
import { startFacilitator } from './facilitator.js'
import {
  also,
  at,
  type Behaviour,
  challengeBody,
  hugeBody,
  neverEnough,
  redirect,
  slowDrip,
  startHostile,
  terms,
} from './hostile.js'
import { challenged } from './kit.js'
import { merchants } from './merchant.js'

const base = await useBase()
const payTo = stranger()
const eurc = '0x60a3E35Cc302bFA44Cb288Bc5a4F316Fdb1adb42'

/** Asks for nothing. */
const answers =
  (status: number): Behaviour =>
  (visit) => {
    visit.challenge = () => void visit.response.writeHead(status).end('free')
  }

describe('resolve', () => {
  test('default: what an unmodified server asks for, as an entry of a grant that pays it', async () => {
    const facilitator = await startFacilitator(base)
    const { origin, host } = await merchants.hono(facilitator, { payTo, price: '$0.05' })
    const resolved = await resolve(`${origin}/paid`)
    expect(resolved).toEqual({
      host,
      entry: { host, payTo: [payTo] },
      prices: [
        {
          scheme: 'exact',
          network: 'eip155:8453',
          asset: usdc[8453],
          symbol: 'USDC',
          payTo,
          amount: 50_000n,
          price: '0.05',
        },
      ],
    })
    if (!resolved.entry) throw new Error('No entry.')
    const grant = Grant.define({
      owner: stranger(),
      agent: stranger(),
      allow: [resolved.entry],
      perCallUsd: resolved.prices[0]?.price ?? 0,
      perDayUsd: 1,
    })
    const { challenge } = await challenged(`${origin}/paid`)
    expect(Judgement.select(challenge?.offers ?? [], { grant, host })).toMatchObject({ allowed: true })
  })

  test('behavior: only who is paid in the wanted way is proposed, once each', async () => {
    const second = stranger()
    const ways = also(
      { payTo: second.toLowerCase() },
      { payTo: second, amount: '20000' },
      { payTo: stranger(), asset: eurc },
      { payTo: stranger(), network: 'eip155:84532' },
      { payTo: stranger(), scheme: 'upto' },
      { payTo: 'nobody' },
      { payTo: stranger(), amount: 'much' },
    )
    const { origin, host } = await startHostile({ payTo, x402Version: 2 }, ways)
    const { entry, prices } = await resolve(origin)
    expect(entry).toEqual({ host, payTo: [payTo, second] })
    expect(prices.map(({ symbol, price }) => [symbol, price])).toEqual([
      ['USDC', '0.01'],
      ['USDC', '0.01'],
      ['USDC', '0.02'],
      ['EURC', '0.01'],
      [null, null],
      ['USDC', '0.01'],
      ['USDC', '0.01'],
    ])
  })

  test('behavior: nothing to propose is no entry', async () => {
    const { origin, visits } = await startHostile({ payTo }, terms({ asset: eurc }))
    expect(await resolve(origin)).toMatchObject({ entry: null, prices: [{ symbol: 'EURC', price: '0.01' }] })
    expect(visits).toEqual([{ method: 'GET', url: '/', body: '', paid: false }])
  })

  test('args: init, chainId', async () => {
    const { origin, visits } = await startHostile(
      { payTo, x402Version: 1 },
      terms({ network: 'base-sepolia', asset: usdc[84532] }),
    )
    const resolved = await resolve(origin, { chainId: 84532, init: { method: 'POST', body: '{}' } })
    expect(resolved).toMatchObject({
      entry: { payTo: [payTo] },
      prices: [{ network: 'eip155:84532', price: '0.01' }],
    })
    expect(visits).toEqual([{ method: 'POST', url: '/', body: '{}', paid: false }])
    expect((await resolve(origin)).entry).toBe(null)
  })

  test('args: timeoutMs, also to the first byte', async () => {
    const silent = await startHostile({ payTo }, (visit) => {
      visit.challenge = () => {}
    })
    await expect(resolve(silent.origin, { timeoutMs: 50 })).rejects.toMatchObject({
      code: 'TIMED_OUT',
      retryable: true,
    })
    const { origin } = await startHostile({ payTo }, slowDrip)
    await expect(resolve(origin, { timeoutMs: 50 })).rejects.toMatchObject({ code: 'TIMED_OUT' })
    const signal = AbortSignal.timeout(50)
    await expect(resolve(silent.origin, { init: { signal } })).rejects.toMatchObject({ name: 'TimeoutError' })
  })

  test.each<[string, Behaviour[]]>([
    ['NO_CHALLENGE', [answers(200)]],
    ['NO_CHALLENGE', [answers(404)]],
    ['CHALLENGE_UNREADABLE', [challengeBody('pay me')]],
    ['BODY_TOO_LARGE', [hugeBody]],
    ['REDIRECT_LOOP', [redirect(302, '/')]],
    ['REDIRECT_REFUSED', [at('/', redirect(302, 'https://api.example.com/'))]],
  ])('error: %s', async (code, behaviours) => {
    const { origin } = await startHostile({ payTo }, ...behaviours, neverEnough)
    const error = await resolve(origin).catch((error: unknown) => error)
    expect(error).toBeInstanceOf(X402Error)
    expect(error).toMatchObject({ code })
  })

  test('error: a URL that must not be asked', async () => {
    await expect(resolve('http://api.example.com/')).rejects.toMatchObject({ code: 'NOT_ALLOWED' })
    await expect(resolve('https://me:secret@api.example.com/')).rejects.toMatchObject({ code: 'NOT_ALLOWED' })
    await expect(resolve('https://api.example.com/', { token: 'DAI' })).rejects.toMatchObject({
      code: 'UNKNOWN_TOKEN',
    })
  })
})
