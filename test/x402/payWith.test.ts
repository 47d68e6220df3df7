import { describe, expect, test } from 'vitest'
import { InputError } from '../../src/index.js'
import { payWith } from '../../src/x402/index.js'
import { useBase } from '../base.js'
import * as kit from '../budget/kit.js'
import { startFacilitator } from './facilitator.js'
import { startHostile } from './hostile.js'
import { merchants } from './merchant.js'
import { payer } from './payKit.js'

kit.endAfterEach()
const base = await useBase()

const rails = {
  purse: { rail: 'purse' },
  direct: { rail: 'direct' },
  strict: { rail: 'purse', maxFloatUsd: '0.05' },
} as const
const pairs = (['hono', 'express'] as const).flatMap((server) =>
  (Object.keys(rails) as (keyof typeof rails)[]).map((name) => ({ server, name, terms: rails[name] })),
)

describe('an unmodified server', () => {
  test.each(pairs)('default: $server is paid on the rail $name, once for each call', async (pair) => {
    const payTo = kit.freshAddress()
    const merchant = await merchants[pair.server](await startFacilitator(base), { payTo })
    const it = await payer(base, merchant.host, payTo, { terms: pair.terms })
    const url = `${merchant.origin}/paid`
    const { id: session } = await it.budget.openSession()
    const first = await it.pay(url, {}, { key: 'a', task: 'report', session, category: 'search' })
    expect(await first.text()).toBe('bought')
    await it.sound()
    const init = { method: 'POST', body: 'words', headers: { 'content-type': 'text/plain' } }
    expect(await (await it.pay(url, init, { key: 'b' })).text()).toBe('words')
    expect(await it.sound()).toEqual({ paid: 20_000n, held: 0n })
    const { host } = merchant
    const receipt = { host, amountUsd: '0.01', ok: true, note: 'settled', ts: expect.any(Number) }
    expect(it.receipts).toMatchObject([
      { ...receipt, key: 'a', task: 'report', session, category: 'search' },
      { ...receipt, key: 'b', task: null },
    ])
    expect(await it.budget.spentUnder('task', 'report')).toBe(10_000n)
    // What fills the float is what the caps meter: half a dollar, or the price of each call.
    expect(await it.pay.spentTodayUsd()).toBe(pair.name === 'strict' ? '0.02' : '0.5')
    expect(await it.pay.spentTotalUsd()).toBe(await it.pay.spentTodayUsd())
    expect(await it.pay.remainingTodayUsd()).toBe(pair.name === 'strict' ? '0.98' : '0.5')
    expect(await it.pay.status()).toMatchObject({ status: 'active' })
  })
})

test('behavior: what costs nothing is answered, and leaves no receipt', async () => {
  const merchant = await startHostile({ payTo: kit.freshAddress() }, (visit) => {
    visit.challenge = () => void visit.response.end('free')
  })
  const it = await payer(base, merchant.host, kit.freshAddress())
  expect(await (await it.pay(merchant.origin)).text()).toBe('free')
  expect(await it.budget.receipts()).toEqual([])
})

test('error: what is not allowed is refused before anybody is asked, with a receipt', async () => {
  const payTo = kit.freshAddress()
  const merchant = await startHostile({ payTo })
  const other = await startHostile({ payTo: kit.freshAddress() })
  const it = await payer(base, merchant.host, payTo, {
    terms: { expiresAt: (await base.now()) * 1000 + 60_000 },
  })
  await expect(it.pay(other.origin)).rejects.toMatchObject({ code: 'NOT_ALLOWED', receipt: { ok: false } })
  await it.budget.pause()
  await expect(it.pay(merchant.origin)).rejects.toMatchObject({ code: 'PAUSED' })
  await it.budget.resume()
  await base.warp((await base.now()) + 61)
  await it.budget.sync()
  await expect(it.pay(merchant.origin)).rejects.toMatchObject({ code: 'EXPIRED' })
  expect([other.visits, merchant.visits]).toEqual([[], []])
  expect(it.receipts.map(({ note }) => note)).toEqual(['NOT_ALLOWED', 'PAUSED', 'EXPIRED'])
})

test('behavior: a caller who goes away waits for nothing, and what was signed stays held', async () => {
  const payTo = kit.freshAddress()
  const aborting = new AbortController()
  const merchant = await startHostile({ payTo }, (visit) => {
    visit.answer = () => aborting.abort(new Error('enough'))
  })
  const it = await payer(base, merchant.host, payTo)
  await expect(it.pay(merchant.origin, { signal: aborting.signal })).rejects.toThrow('enough')
  expect(await it.sound()).toEqual({ paid: 0n, held: 10_000n })
  await expect(it.pay(merchant.origin, { signal: aborting.signal })).rejects.toThrow('enough')
  expect(merchant.visits).toHaveLength(2)
})

test('error: a key with other terms, and headers that pay', async () => {
  const payTo = kit.freshAddress()
  let amount = '10000'
  const merchant = await startHostile({ payTo }, (visit) => {
    visit.offers = visit.offers.map((offer) => ({ ...offer, amount }))
  })
  const it = await payer(base, merchant.host, payTo)
  await it.pay(merchant.origin, {}, { key: 'a' })
  amount = '20000'
  await expect(it.pay(merchant.origin, {}, { key: 'a' })).rejects.toMatchObject({ code: 'KEY_CONFLICT' })
  await expect(it.pay(merchant.origin, { headers: { 'x-payment': 'mine' } })).rejects.toThrow(InputError)
  expect(await it.sound()).toEqual({ paid: 0n, held: 10_000n })
})

test('behavior: nobody is told any more once it is closed, and the budget stays open', async () => {
  const payTo = kit.freshAddress()
  const merchant = await startHostile({ payTo, facilitator: await startFacilitator(base) })
  const it = await payer(base, merchant.host, payTo)
  await it.pay.close()
  const told: unknown[] = []
  const again = payWith(it.budget, { onReceipt: (receipt) => told.push(receipt) })
  kit.later(again.close)
  await again(merchant.origin)
  expect(await it.sound()).toEqual({ paid: 10_000n, held: 0n })
  expect([it.receipts, told.length]).toEqual([[], 1])
})
