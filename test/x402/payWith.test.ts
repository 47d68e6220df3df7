import { describe, expect, test } from 'vitest'
import { memory } from '../../src/index.js'
import { payWith } from '../../src/x402/index.js'
import { useBase } from '../base.js'
import * as kit from '../budget/kit.js'
import { startFacilitator } from './facilitator.js'
import {
  askAfterSettling,
  type Behaviour,
  dropAfterSettling,
  failAfterSettling,
  neverSettle,
  settleTwice,
  startHostile,
} from './hostile.js'
import { merchants } from './merchant.js'
import type { Served } from './serve.js'

kit.endAfterEach()
const base = await useBase()

/** A budget that may pay a server 0.05 USDC a call, out of a purse of half a dollar at most. */
async function payer({ host }: Served, payTo: `0x${string}`) {
  const it = await kit.approved(base, memory(), {
    rail: 'purse',
    allow: [{ host, payTo }],
    perCallUsd: '0.05',
    perDayUsd: '1',
    totalUsd: '2',
    maxFloatUsd: '0.5',
  })
  return { ...it, pay: payWith(it.budget) }
}

async function hostile(...behaviours: Behaviour[]) {
  const payTo = kit.freshAddress()
  const merchant = await startHostile({ payTo, facilitator: await startFacilitator(base) }, ...behaviours)
  const it = await payer(merchant, payTo)
  /** What the payee has, what is held, and that the books are as the chain is. */
  const after = async () => {
    await it.budget.sync()
    const { equal, checks } = await it.budget.verify()
    expect(equal ? [] : checks).toEqual([])
    return {
      paid: await kit.balanceOf(base, payTo, it.grant.token.address),
      held: (await it.budget.float()).held,
    }
  }
  return { ...it, merchant, after }
}

describe.each(['hono', 'express'] as const)('an unmodified server of %s', (kind) => {
  test('default: is paid, once for each call, and the books say so', async () => {
    const payTo = kit.freshAddress()
    const merchant = await merchants[kind](await startFacilitator(base), { payTo })
    const { pay, budget, grant } = await payer(merchant, payTo)
    const url = `${merchant.origin}/paid`
    expect(await (await pay(url, {}, { key: 'a', task: 'report' })).text()).toBe('bought')
    const posted = await pay(url, {
      method: 'POST',
      body: 'words',
      headers: { 'content-type': 'text/plain' },
    })
    expect(await posted.text()).toBe('words')
    await budget.sync()
    expect(await budget.payment('a')).toMatchObject({ status: 'paid', amount: 10_000n })
    expect(await kit.balanceOf(base, payTo, grant.token.address)).toBe(20_000n)
    expect(await budget.spentUnder('task', 'report')).toBe(10_000n)
    expect(await pay.spentTodayUsd()).toBe('0.5')
    expect(await budget.verify()).toMatchObject({ equal: true })
  })
})

describe('behaviours', () => {
  test.each([
    ['settles and hangs up', dropAfterSettling],
    ['settles and answers 500', failAfterSettling],
    ['settles and asks again', askAfterSettling],
    ['settles twice', settleTwice],
  ] as const)('behavior: a server that %s is paid once', async (_, behaviour) => {
    const it = await hostile(behaviour)
    await it.pay(it.merchant.origin, {}, { key: 'a' }).catch(() => {})
    expect(await it.after()).toEqual({ paid: 10_000n, held: 0n })
    await it.pay(it.merchant.origin, {}, { key: 'a' }).catch(() => {})
    expect(await it.after()).toEqual({ paid: 10_000n, held: 0n })
  })

  test('behavior: a server that never settles holds the amount, until its last second is final', async () => {
    const it = await hostile(neverSettle)
    await it.pay(it.merchant.origin, {}, { key: 'a' })
    expect(await it.after()).toEqual({ paid: 0n, held: 10_000n })
    await base.warp((await base.now()) + 600)
    await base.finalize()
    expect(await it.after()).toEqual({ paid: 0n, held: 0n })
    expect(await it.budget.payment('a')).toMatchObject({ status: 'released' })
  })
})

test('error: what is not allowed is refused before anybody is asked, with a receipt', async () => {
  const it = await hostile()
  const other = await startHostile({ payTo: kit.freshAddress() })
  await expect(it.pay(other.origin)).rejects.toMatchObject({ code: 'NOT_ALLOWED' })
  await it.budget.pause()
  await expect(it.pay(it.merchant.origin)).rejects.toMatchObject({ code: 'PAUSED' })
  expect([other.visits, it.merchant.visits]).toEqual([[], []])
  const notes = (await it.budget.receipts()).map(({ note }) => note)
  expect(notes).toEqual(['NOT_ALLOWED', 'PAUSED', 'PAUSED'])
})

test('error: what the grant does not let a server ask for is refused, with the amount', async () => {
  const it = await hostile((visit) => {
    visit.offers = visit.offers.map((offer) => ({ ...offer, amount: '50001' }))
  })
  await expect(it.pay(it.merchant.origin, {}, { key: 'a' })).rejects.toMatchObject({ code: 'OVER_PER_CALL' })
  expect(await it.budget.receipts()).toMatchObject([{ note: 'OVER_PER_CALL', amount: 50_001n, key: 'a' }])
  expect(await it.after()).toEqual({ paid: 0n, held: 0n })
})
