import { describe, expect, test } from 'vitest'
import { usdc } from '../../src/Addresses.js'
import { stranger } from '../chain/guardScene.js'
import {
  also,
  at,
  type Behaviour,
  challengeBody,
  challengeHeader,
  hugeBody,
  redirect,
  slowDrip,
  startHostile,
  terms,
} from './hostile.js'
import { challenged } from './kit.js'

const payTo = stranger()
const offer = { scheme: 'exact', network: 'eip155:8453', asset: usdc[8453], payTo, amount: 10_000n }

/** What is read of a merchant's 402. */
async function ask(x402Version: 1 | 2, ...behaviours: Behaviour[]) {
  const { origin } = await startHostile({ payTo, x402Version }, ...behaviours)
  return challenged(origin)
}

describe('read', () => {
  test.each([1, 2] as const)('default: version %i', async (x402Version) => {
    const { challenge } = await ask(x402Version)
    expect(challenge).toMatchObject({
      allowed: true,
      x402Version,
      offers: [{ allowed: true, x402Version, ...offer, maxTimeoutSeconds: 60, extra: { version: '2' } }],
    })
  })

  test('behavior: the header before the body, and no body then', async () => {
    const { challenge } = await ask(2, (visit) => {
      const { challenge, response } = visit
      visit.challenge = () => {
        const end = response.end.bind(response)
        response.end = (() => end('{"x402Version":1,"accepts":[]}')) as typeof response.end
        return challenge()
      }
    })
    expect(challenge).toMatchObject({ x402Version: 2 })
  })

  test('behavior: after a redirect, and who was asked in the end', async () => {
    const { origin, host } = await startHostile({ payTo }, at('/a', redirect(302, '/b')))
    const { challenge, asked } = await challenged(`${origin}/a`)
    expect(challenge).toMatchObject({ x402Version: 2 })
    expect(asked).toMatchObject({ host, url: `${origin}/b` })
  })

  test('behavior: an offer that cannot be read leaves the others', async () => {
    const { challenge } = await ask(2, also({ maxTimeoutSeconds: -1 }, { payTo: '' }, { extra: 7 as never }))
    expect(challenge?.offers).toMatchObject([
      offer,
      { allowed: false, code: 'OFFER_UNREADABLE', figures: { field: 'maxTimeoutSeconds' } },
      { allowed: false, code: 'OFFER_UNREADABLE', figures: { field: 'payTo' } },
      { allowed: false, code: 'OFFER_UNREADABLE', figures: { field: 'extra' } },
    ])
  })

  test.each([
    ['10000', 10_000n],
    ['1', 1n],
    [String(2n ** 160n - 1n), 2n ** 160n - 1n],
    [String(2n ** 160n), null],
    ['0', null],
    ['-1', null],
    ['1.5', null],
    ['1e4', null],
    ['010', null],
    [' 1', null],
    ['0x10', null],
    ['$1', null],
    ['9'.repeat(5_000), null],
    ['NaN', null],
  ])('behavior: the amount %s is read as %s', async (amount, read) => {
    for (const x402Version of [1, 2] as const) {
      const { challenge } = await ask(x402Version, terms({ amount }))
      expect(challenge?.offers).toMatchObject([{ allowed: true, amount: read }])
    }
  })

  test('behavior: networks of version 1 by their names', async () => {
    const named = async (network: string) => (await ask(1, terms({ network }))).challenge?.offers[0]
    expect(await named('base-sepolia')).toMatchObject({ network: 'eip155:84532' })
    for (const network of ['solana', 'constructor', '__proto__'])
      expect(await named(network)).toMatchObject({ network })
  })

  test.each([
    ['no JSON', '<html>'],
    ['nothing', ''],
    ['null', 'null'],
    ['a list', '[]'],
    ['no version', '{"accepts":[{}]}'],
    ['another version', '{"x402Version":2,"accepts":[{}]}'],
    ['a version in words', '{"x402Version":"1","accepts":[{}]}'],
    ['no offers', '{"x402Version":1}'],
    ['an empty list of offers', '{"x402Version":1,"accepts":[]}'],
    ['offers that are none', '{"x402Version":1,"accepts":{"length":1}}'],
    [
      'nesting without end',
      `{"x402Version":1,"accepts":[{}],"a":${'['.repeat(30_000)}${']'.repeat(30_000)}}`,
    ],
  ])('error: a body with %s', async (_, body) => {
    const { refused } = await ask(1, challengeBody(body))
    expect(refused).toMatchObject({ allowed: false, code: 'CHALLENGE_UNREADABLE' })
  })

  test.each([
    ['no base64', '???'],
    ['no JSON', btoa('nothing')],
    ['another version', btoa('{"x402Version":1,"accepts":[{}]}')],
    ['no offers', btoa('{"x402Version":2,"accepts":[]}')],
  ])('error: a header with %s', async (_, header) => {
    const { refused } = await ask(1, challengeHeader(header))
    expect(refused).toMatchObject({ allowed: false, code: 'CHALLENGE_UNREADABLE' })
  })

  test('error: a body without end', async () => {
    const { refused } = await ask(1, hugeBody)
    expect(refused).toMatchObject({ code: 'BODY_TOO_LARGE', figures: { limit: 65_536 }, retryable: false })
    const announced = await ask(1, challengeBody(' '.repeat(65_537)))
    expect(announced.refused).toMatchObject({ code: 'BODY_TOO_LARGE' })
  })

  test('error: a body that comes by the drop', async () => {
    const { origin } = await startHostile({ payTo }, slowDrip)
    const { refused } = await challenged(origin, {}, { timeoutMs: 50 })
    expect(refused).toMatchObject({ code: 'TIMED_OUT', figures: { limit: 50 }, retryable: true })
  })

  test('args: signal', async () => {
    const { origin } = await startHostile({ payTo }, slowDrip)
    const signal = AbortSignal.timeout(50)
    await expect(challenged(origin, {}, { signal })).rejects.toMatchObject({ name: 'TimeoutError' })
  })

  test('args: maxBytes', async () => {
    const { origin } = await startHostile({ payTo, x402Version: 1 })
    const { refused } = await challenged(origin, {}, { maxBytes: 100 })
    expect(refused).toMatchObject({ code: 'BODY_TOO_LARGE', figures: { limit: 100 } })
  })
})
