import { describe, expect, test } from 'vitest'
import { usdc } from '../../src/Addresses.js'
import type { Grant } from '../../src/index.js'
import { Judgement } from '../../src/x402/index.js'
import { stranger } from '../chain/guardScene.js'
import {
  also,
  authCapture,
  type Behaviour,
  batchSettlement,
  onRetry,
  startHostile,
  type Terms,
  terms,
  upto,
} from './hostile.js'
import { challenged, grantOf } from './kit.js'

const payTo = stranger()
const other = stranger()
const eurc = '0x60a3E35Cc302bFA44Cb288Bc5a4F316Fdb1adb42'

/** What the grant says to a merchant who behaves like this. */
async function judge(
  behaviours: readonly Behaviour[],
  options: Partial<Judgement.JudgeOptions> & {
    terms?: Partial<Grant.DefineParams>
    x402Version?: 1 | 2
  } = {},
) {
  const { terms: changes = {}, x402Version = 2, ...rest } = options
  const { origin, host } = await startHostile({ payTo, x402Version }, ...behaviours)
  const grant = grantOf(host, payTo, changes)
  const { challenge, refused } = await challenged(origin)
  if (refused) throw new Error(refused.reason)
  return Judgement.select(challenge.offers, { grant, host, ...rest })
}

describe('select', () => {
  test.each([1, 2] as const)('default: version %i', async (x402Version) => {
    expect(await judge([], { x402Version })).toMatchObject({
      allowed: true,
      payable: { payTo, amount: 10_000n, validSeconds: 60, offer: { x402Version } },
    })
  })

  const lower = payTo.toLowerCase()
  test.each<[string, Partial<Terms>]>([
    ['addresses in lower case', { payTo: lower, asset: usdc[8453].toLowerCase() }],
    ['nothing extra', { extra: {} }],
    [
      'what is said to be the default',
      { extra: { assetTransferMethod: 'eip3009', paymentFlow: 'authorization' } },
    ],
    ['a flow that settles first', { extra: { paymentFlow: 'upfront' } }],
    ['the whole cap', { amount: '50000' }],
  ])('behavior: %s is fine', async (_, changes) => {
    expect(await judge([terms(changes)])).toMatchObject({ allowed: true, payable: { payTo } })
  })

  test.each<[string, string, Behaviour]>([
    ['another token', 'ASSET_MISMATCH', terms({ asset: eurc })],
    [
      'a token of another kind of chain',
      'ASSET_MISMATCH',
      terms({ asset: 'EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v' }),
    ],
    ['another name of the token', 'ASSET_MISMATCH', terms({ extra: { name: 'USDC', version: '2' } })],
    ['another version of the token', 'ASSET_MISMATCH', terms({ extra: { name: 'USD Coin', version: '1' } })],
    ['another chain', 'NETWORK_MISMATCH', terms({ network: 'eip155:84532' })],
    ['a chain that begins alike', 'NETWORK_MISMATCH', terms({ network: 'eip155:84531' })],
    ['any chain', 'NETWORK_MISMATCH', terms({ network: 'eip155:*' })],
    ['the most that something may cost', 'SCHEME_UNSUPPORTED', upto],
    ['a deposit of a million', 'SCHEME_UNSUPPORTED', batchSettlement('1000000000000')],
    ['an authorization to be captured', 'SCHEME_UNSUPPORTED', authCapture],
    ['a permit', 'SCHEME_UNSUPPORTED', terms({ extra: { assetTransferMethod: 'permit2' } })],
    ['an escrow', 'SCHEME_UNSUPPORTED', terms({ extra: { paymentFlow: 'escrow' } })],
    ['another payee', 'PAYEE_CHANGED', terms({ payTo: other })],
    ['a payee that is none', 'PAYEE_CHANGED', terms({ payTo: 'api.example.eth' })],
    ['a price in dollars', 'AMOUNT_UNREADABLE', terms({ amount: '$0.01' })],
    ['nothing', 'AMOUNT_UNREADABLE', terms({ amount: '0' })],
    ['less time than it takes', 'VALIDITY_TOO_SHORT', terms({ maxTimeoutSeconds: 9.9 })],
    ['a unit more than the cap', 'OVER_PER_CALL', terms({ amount: '50001' })],
    ['more than there is', 'OVER_PER_CALL', terms({ amount: String(2n ** 160n - 1n) })],
  ])('error: %s is %s', async (_, code, behaviour) => {
    expect(await judge([behaviour])).toMatchObject({
      allowed: false,
      code,
      retryable: false,
      all: [{ code }],
    })
  })

  test('error: a price that is raised on the retry', async () => {
    const { origin, host } = await startHostile({ payTo }, onRetry(terms({ amount: '60000' })))
    const grant = grantOf(host, payTo)
    const codes: string[] = []
    for (let n = 0; n < 2; n++) {
      const { challenge } = await challenged(origin)
      const judged = Judgement.select(challenge?.offers ?? [], { grant, host })
      codes.push(judged.allowed ? 'allowed' : judged.code)
    }
    expect(codes).toEqual(['allowed', 'OVER_PER_CALL'])
  })

  test('behavior: PAYEE_CHANGED lists both, and the price', async () => {
    const refused = await judge([terms({ payTo: other })])
    expect(refused).toMatchObject({ figures: { payTo: other, expected: payTo, amount: 10_000n } })
    if (refused.allowed) throw new Error('allowed')
    for (const named of [other, payTo, '0.01 USDC', refused.figures.host])
      expect(refused.reason).toContain(named)
  })

  test('behavior: OVER_PER_CALL has the figures, as a decision of the books has them', async () => {
    expect(await judge([terms({ amount: '50001' })])).toMatchObject({
      cap: 'perCall',
      figures: { limit: 50_000n, amount: 50_001n },
    })
  })

  test('behavior: rules are asked in their order', async () => {
    const wrong: [string, Partial<Terms>][] = [
      ['ASSET_MISMATCH', { asset: eurc }],
      ['NETWORK_MISMATCH', { network: 'eip155:1' }],
      ['SCHEME_UNSUPPORTED', { scheme: 'upto' }],
      ['PAYEE_CHANGED', { payTo: other }],
      ['AMOUNT_UNREADABLE', { amount: '-1' }],
      ['VALIDITY_TOO_SHORT', { maxTimeoutSeconds: 1 }],
      ['OVER_PER_CALL', { amount: '1000000' }],
    ]
    for (const [i, [code]] of wrong.entries()) {
      // A later amount must not hide an earlier one.
      const all = wrong
        .slice(i)
        .reverse()
        .map(([, changes]) => terms(changes))
      expect(await judge(all)).toMatchObject({ allowed: false, code })
    }
  })

  test('behavior: of several the cheapest that can be paid, whatever the others are', async () => {
    const several = also(
      { amount: '9000' },
      { amount: '1', asset: eurc },
      { amount: '2', payTo: other },
      { amount: '9000', maxTimeoutSeconds: 30 },
    )
    expect(await judge([several])).toMatchObject({
      allowed: true,
      payable: { amount: 9_000n, validSeconds: 60 },
    })
  })

  test('behavior: of several that cannot be paid, the one that came furthest', async () => {
    const offers = [
      terms({ scheme: 'upto' }),
      also({ asset: eurc }, { scheme: 'exact', amount: '60000' }, { maxTimeoutSeconds: 0 }),
    ]
    expect(await judge(offers)).toMatchObject({
      code: 'OVER_PER_CALL',
      all: [
        { code: 'SCHEME_UNSUPPORTED' },
        { code: 'ASSET_MISMATCH' },
        { code: 'OVER_PER_CALL' },
        { code: 'OFFER_UNREADABLE' },
      ],
    })
  })

  test.each([
    [60, 60],
    [10, 10],
    [300.9, 300],
    [31_536_000, 300],
    [1e300, 300],
  ])('behavior: %d seconds are asked for, %d it may be valid', async (maxTimeoutSeconds, validSeconds) => {
    expect(await judge([terms({ maxTimeoutSeconds })])).toMatchObject({ payable: { validSeconds } })
  })

  test('args: maxValidSeconds, minValidSeconds', async () => {
    expect(await judge([], { maxValidSeconds: 20 })).toMatchObject({ payable: { validSeconds: 20 } })
    expect(await judge([], { minValidSeconds: 61 })).toMatchObject({
      code: 'VALIDITY_TOO_SHORT',
      figures: { limit: 61, given: 60 },
    })
  })

  test('args: a host that is bound to nobody may name any payee, if it is one', async () => {
    const { origin, host } = await startHostile({ payTo: other })
    const grant = grantOf(host, payTo, { allow: [host], payees: 'any' })
    const { challenge } = await challenged(origin)
    expect(Judgement.select(challenge?.offers ?? [], { grant, host })).toMatchObject({
      payable: { payTo: other },
    })
    const none = await startHostile({ payTo: other }, terms({ payTo: 'nobody' }))
    const { challenge: unnamed } = await challenged(none.origin)
    expect(Judgement.select(unnamed?.offers ?? [], { grant, host })).toMatchObject({ code: 'PAYEE_CHANGED' })
  })
})
