/**
 * What servers try, against an agent with a budget: real servers, the real facilitator. After each the books are as the
 * chain is, what was paid is within the caps, and no signature is left that the books do not hold: `sound`, and again
 * after a thief has settled every payment that ever went out.
 */
import { zeroHash } from 'viem'
import { describe, expect, test } from 'vitest'
import { Amount, GrantError, Time } from '../../src/index.js'
import { X402Error } from '../../src/x402/index.js'
import { useBase } from '../base.js'
import * as kit from '../budget/kit.js'
import { startFacilitator } from './facilitator.js'
import * as Hostile from './hostile.js'
import { payer, settleAll } from './payKit.js'

kit.endAfterEach()
const base = await useBase()

const host = 'api.example.com'
const url = `https://${host}/v1`
const { terms, redirect, at, onRetry } = Hostile
type Behaviour = Hostile.Behaviour

/** A merchant that is `api.example.com` (and 127.0.0.1), one who is everybody else, and an agent who may pay the first. */
async function sceneOn(rail: 'purse' | 'direct', behaviours: readonly Behaviour[]) {
  const payTo = kit.freshAddress()
  const facilitator = await startFacilitator(base)
  const merchant = await Hostile.startHostile({ payTo, facilitator }, ...behaviours)
  const other = await Hostile.startHostile({ payTo: kit.freshAddress(), facilitator })
  // What a resolver and TLS do: whoever is asked, by the name that is asked for.
  const fetch: typeof globalThis.fetch = (input, init) => {
    const { hostname, port, pathname, search } = new URL(String(input))
    const { origin } = hostname === host && port === '' ? merchant : other
    return globalThis.fetch(`${origin}${pathname}${search}`, init)
  }
  const it = await payer(base, host, payTo, { fetch, challengeTimeoutMs: 100, terms: { rail } })
  /** What `pay` gives: a status, or the code of an error of ours, or its name. */
  const outcome = (asked = url, key?: string) =>
    it.pay(asked, {}, key === undefined ? {} : { key }).then(
      ({ status }) => status,
      (error: unknown) =>
        error instanceof GrantError || error instanceof X402Error ? error.code : (error as Error).name,
    )
  return { ...it, payTo, merchant, other, outcome }
}

const scene = (...behaviours: readonly Behaviour[]) => sceneOn('purse', behaviours)

const stranger = kit.freshAddress()
const eurc = '0x60a3E35Cc302bFA44Cb288Bc5a4F316Fdb1adb42'
const usdc = { name: 'USD Coin', version: '2' }

/** What is refused before anything is signed: whom the agent asks, what the merchant does, and the code. */
const refused: readonly (readonly [string, Behaviour | string, string, bigint?])[] = [
  ['redirects to another host', redirect(302, 'https://evil.io/'), 'REDIRECT_REFUSED'],
  ['redirects to another scheme', redirect(301, `http://${host}/`), 'REDIRECT_REFUSED'],
  ['redirects to another scheme elsewhere', redirect(307, 'http://evil.io/'), 'REDIRECT_REFUSED'],
  ['redirects to another port', redirect(308, `https://${host}:444/`), 'REDIRECT_REFUSED'],
  ['redirects to a look-alike', redirect(302, `https://${host}.evil.io/`), 'REDIRECT_REFUSED'],
  ['redirects by user info', redirect(302, `https://${host}@evil.io/`), 'REDIRECT_REFUSED'],
  ['redirects by a path without a scheme', redirect(302, '//evil.io/'), 'REDIRECT_REFUSED'],
  [
    'redirects out and back',
    redirect(302, `https://evil.io/?to=${encodeURIComponent(url)}`),
    'REDIRECT_REFUSED',
  ],
  ['redirects to itself', redirect(302, '/v1'), 'REDIRECT_LOOP'],
  ['is a prefix', `https://${host}.evil.io/v1`, 'NOT_ALLOWED'],
  ['is a suffix', `https://evil-${host}/v1`, 'NOT_ALLOWED'],
  ['is a subdomain', `https://www.${host}/v1`, 'NOT_ALLOWED'],
  ['hides behind a user', `https://${host}@evil.io/v1`, 'NOT_ALLOWED'],
  ['hides behind user and password', `https://${host}:443@evil.io/v1`, 'NOT_ALLOWED'],
  ['is written in another script', 'https://\u0430pi.example.com/v1', 'NOT_ALLOWED'],
  ['is that in punycode', 'https://xn--pi-7kc.example.com/v1', 'NOT_ALLOWED'],
  ['ends with a dot', `https://${host}./v1`, 'NOT_ALLOWED'],
  ['is another port', `https://${host}:444/v1`, 'NOT_ALLOWED'],
  ['is not encrypted', `http://${host}/v1`, 'NOT_ALLOWED'],
  ['asks above the cap of a call', terms({ amount: '50001' }), 'OVER_PER_CALL', 50_001n],
  ['asks in 18 decimals', terms({ amount: '10000000000000000' }), 'OVER_PER_CALL', 10n ** 16n],
  ['asks in dollars', terms({ amount: '0.01' }), 'AMOUNT_UNREADABLE'],
  ['asks for less than nothing', terms({ amount: '-10000' }), 'AMOUNT_UNREADABLE'],
  ['asks in another asset', terms({ asset: eurc }), 'ASSET_MISMATCH'],
  ['calls its asset otherwise', terms({ extra: { ...usdc, name: 'USDC' } }), 'ASSET_MISMATCH'],
  ['asks on another chain', terms({ network: 'eip155:1' }), 'NETWORK_MISMATCH'],
  ['asks by upto', Hostile.upto, 'SCHEME_UNSUPPORTED'],
  ['asks for a deposit', Hostile.batchSettlement(String(10n ** 18n)), 'SCHEME_UNSUPPORTED'],
  ['asks to capture later', Hostile.authCapture, 'SCHEME_UNSUPPORTED'],
  ['asks by Permit2', terms({ extra: { ...usdc, assetTransferMethod: 'permit2' } }), 'SCHEME_UNSUPPORTED'],
  ['has another payee', terms({ payTo: stranger }), 'PAYEE_CHANGED', 10_000n],
  ['asks for two seconds', terms({ maxTimeoutSeconds: 2 }), 'VALIDITY_TOO_SHORT', 10_000n],
  ['sends a 402 that is none', Hostile.challengeBody('{}'), 'CHALLENGE_UNREADABLE'],
  ['sends gigabytes', Hostile.hugeBody, 'BODY_TOO_LARGE'],
  ['sends a byte at a time', Hostile.slowDrip, 'TIMED_OUT'],
]

test('error: what is refused before anything is signed, each with a receipt of its own', async () => {
  let behave: Behaviour = () => {}
  const it = await scene((visit) => behave(visit))
  for (const [name, tried, code, amount = 0n] of refused) {
    behave = typeof tried === 'string' ? () => {} : tried
    const asked = typeof tried === 'string' ? tried : url
    const { length } = it.receipts
    expect([name, await it.outcome(asked)]).toEqual([name, code])
    const told = it.receipts.slice(length).map(({ note, ok, amountUsd }) => ({ note, ok, amountUsd }))
    const amountUsd = Amount.format(amount, 6)
    expect([name, told]).toEqual([name, [{ note: code, ok: false, amountUsd }]])
  }
  expect([it.signed, it.other.visits, it.merchant.payments]).toEqual([[], [], []])
  expect(await it.sound()).toEqual({ paid: 0n, held: 0n })
})

const once = { paid: 10_000n, held: 0n }
const owed = { paid: 0n, held: 10_000n }

/** What a merchant does that is paid or could be: what comes back, and what was paid and is held then. */
const signed: readonly (readonly [string, readonly Behaviour[], string | number, typeof once])[] = [
  ['behaves', [], 200, once],
  ['redirects within itself', [at('/v1', redirect(302, '/v2'))], 200, once],
  ['wants an authorization for ages', [terms({ maxTimeoutSeconds: 2 ** 40 })], 200, once],
  ['settles and hangs up', [Hostile.dropAfterSettling], 'TypeError', once],
  ['settles and answers 500', [Hostile.failAfterSettling], 500, once],
  ['settles and asks again', [Hostile.askAfterSettling], 402, once],
  ['settles twice', [Hostile.settleTwice], 200, once],
  ['settles, and names a transaction that there is not', [Hostile.lie(claim(zeroHash))], 200, once],
  ['never settles', [Hostile.neverSettle], 200, owed],
  ['never settles, and says so', [Hostile.neverSettle, Hostile.lie(claim(zeroHash))], 200, owed],
  ['asks again and again', [Hostile.neverEnough], 402, owed],
  ['raises the price on the retry', [onRetry(terms({ amount: '40000' })), Hostile.neverEnough], 402, owed],
  ['raises it above the cap', [onRetry(terms({ amount: '50001' })), Hostile.neverEnough], 402, owed],
  [
    'takes the payment elsewhere',
    [onRetry(redirect(307, 'https://evil.io/')), Hostile.neverSettle],
    'REDIRECT_REFUSED',
    owed,
  ],
]

function claim(transaction: `0x${string}`) {
  return { success: true, transaction, network: 'eip155:8453' } as const
}

describe.each(['purse', 'direct'] as const)('a merchant that is given a payment on the %s rail', (rail) => {
  const scene = (...behaviours: readonly Behaviour[]) => sceneOn(rail, behaviours)

  test.each(signed)('behavior: it %s', async (_, behaviours, comes, left) => {
    const it = await scene(...behaviours)
    expect(await it.outcome(url, 'a')).toBe(comes)
    expect(await it.sound()).toEqual(left)
    expect(it.signed).toHaveLength(1)
    const [{ validBefore = 0n } = {}] = it.signed.map(({ message }) => message as { validBefore?: bigint })
    expect(
      Number(validBefore) - Math.max(await base.now(), Math.floor(Date.now() / 1000)),
    ).toBeLessThanOrEqual(300)
    // The same key, whatever it costs by now, is no second payment.
    await it.outcome(url, 'a')
    expect(await it.sound()).toEqual(left)
    // Whoever has what went out settles it: it is paid, once.
    await settleAll(base, it.merchant, it.other)
    expect(await it.sound()).toEqual(once)
    expect(it.other.payments).toEqual([])
    const settled = it.receipts.filter(({ ok }) => ok)
    expect(settled).toMatchObject([{ host, amountUsd: '0.01', note: 'settled', key: 'a' }])
  })

  test('behavior: it never settles: what is held is released once its last second is final, and nothing is settled then', async () => {
    const it = await scene(Hostile.neverSettle)
    await it.outcome(url, 'a')
    await base.warp((await base.now()) + 600)
    await base.finalize()
    expect(await it.sound()).toEqual({ paid: 0n, held: 0n })
    expect(it.receipts).toMatchObject([{ host, amountUsd: '0.01', ok: false, note: 'RELEASED', key: 'a' }])
    await settleAll(base, it.merchant)
    expect(await it.sound()).toEqual({ paid: 0n, held: 0n })
  })

  test('behavior: it settles late, after the next day began', async () => {
    const settle: Parameters<typeof Hostile.settleLate>[0] = []
    const it = await scene(Hostile.settleLate(settle))
    const midnight = Time.midnight(await base.now()) + Time.day
    await base.warp(midnight - 20)
    expect(await it.outcome(url, 'a')).toBe(200)
    expect(await it.sound()).toEqual(owed)
    await base.nextBlockAt(midnight + 10)
    expect(await settle[0]?.()).toMatchObject({ success: true })
    expect(await it.sound()).toEqual(once)
    expect(await it.budget.spentTodayUsd()).toBe('0')
  })

  test('behavior: it names the transaction of another payment', async () => {
    let last = zeroHash as `0x${string}`
    const it = await scene((visit) => {
      if (visit.before === 1) return
      if (visit.payment) Hostile.neverSettle(visit)
      Hostile.lie(claim(last))(visit)
    })
    await it.outcome(url, 'a')
    expect(await it.sound()).toEqual(once)
    last = it.receipts[0]?.txHash ?? zeroHash
    expect(last).not.toBe(zeroHash)
    expect(await it.outcome(url, 'b')).toBe(200)
    expect(await it.sound()).toEqual({ paid: 10_000n, held: 10_000n })
    expect(it.receipts.map(({ key, txHash }) => [key, txHash])).toEqual([['a', last]])
  })

  test('behavior: many at once take what the caps leave, and no more', async () => {
    const it = await scene(terms({ amount: '50000' }), Hostile.neverSettle)
    const outcomes = await Promise.all(Array.from({ length: 14 }, () => it.outcome()))
    expect(outcomes.toSorted()).toEqual([...Array(10).fill(200), ...Array(4).fill('FLOAT_LOW')])
    expect(await it.sound()).toEqual({ paid: 0n, held: 500_000n })
    await settleAll(base, it.merchant)
    expect(await it.sound()).toEqual({ paid: 500_000n, held: 0n })
  })
})

test('behavior: a host in another case is that host', async () => {
  const it = await scene()
  expect(await it.outcome('https://API.Example.COM:443/v1', 'a')).toBe(200)
  expect(await it.sound()).toEqual(once)
  expect(it.receipts).toMatchObject([{ host, note: 'settled' }])
})
