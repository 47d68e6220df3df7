// Authorizations on the direct rail: the agent's own address pays them, topped up by pulls.
import { encodeFunctionData } from 'viem'
import { describe, expect, test } from 'vitest'
import { usdcAbi } from '../../abi/index.js'
import { type Budget, Guard } from '../../src/index.js'
import { useBase } from '../base.js'
import * as guardKit from './guardKit.js'
import * as kit from './kit.js'

kit.endAfterEach()
const base = await useBase()

describe.each(kit.storeKinds)('$name', (kind) => {
  const terms = { rail: 'direct', perCallUsd: '1', perDayUsd: '5', totalUsd: '8', maxFloatUsd: '3' } as const

  async function start(changes: Parameters<typeof kit.approved>[2] = {}) {
    const open = kit.books(kind)
    const it = await kit.approved(base, open(), { ...terms, ...changes })
    const relayer = await guardKit.withGas(base)
    type Authorized = Awaited<ReturnType<Budget['authorize']>>
    return {
      ...it,
      open,
      authorize: (key: string, amount = '1', budget = it.budget) =>
        budget.authorize(it.order(key, amount), { validSeconds: 60 }),
      /** What a merchant does with a signature that the budget gave it. */
      async settle({ key, payer, to, amount, validBefore, nonce }: Authorized, budget = it.budget) {
        const data = encodeFunctionData({
          abi: usdcAbi,
          functionName: 'transferWithAuthorization',
          args: [payer, to, amount, 0n, BigInt(validBefore), nonce, await budget.sign(key)],
        })
        return kit.steal(base, relayer, { to: it.grant.token.address, data, value: 0n })
      },
      paid: () => kit.balanceOf(base, it.payee, it.grant.token.address),
      agents: () => kit.balanceOf(base, it.agent.address, it.grant.token.address),
    }
  }

  test('default: one pull ahead, then no transaction of the agent', async () => {
    const it = await start()
    const first = await it.authorize('a')
    expect(first).toMatchObject({
      payer: it.agent.address,
      amount: kit.usd('1'),
      nonce: Guard.reference(it.grant.grantId, 'a'),
      settled: false,
    })
    const count = () => base.client.getTransactionCount({ address: it.agent.address })
    const before = await count()
    const second = await it.authorize('b')
    const float = { balance: kit.usd('3'), held: kit.usd('2'), free: kit.usd('1') }
    expect(await it.budget.float()).toEqual({ payer: it.agent.address, ...float })
    const hashes = [await it.settle(first), await it.settle(second)]
    await it.budget.sync()
    expect([await count(), await it.paid()]).toEqual([before, kit.usd('2')])
    const settled = (await it.budget.receipts()).filter(({ note }) => note === 'settled')
    expect(settled.map(({ txHash }) => txHash)).toEqual(hashes)
    expect(await it.budget.totals()).toMatchObject({ total: kit.usd('3'), paid: kit.usd('2') })
    expect(await it.budget.verify()).toMatchObject({ equal: true })
  })

  test('behavior: next to `spend`, whose money is on its way through the same address', async () => {
    const it = await start({ perDayUsd: '8' })
    const first = await it.authorize('a')
    const spent = it.budget.spend(it.order('s'))
    const more = await Promise.all(['b', 'c'].map((key) => it.authorize(key)))
    await spent
    for (const one of [first, ...more]) await it.settle(one)
    await it.budget.sync()
    expect([await it.paid(), await it.agents()]).toEqual([kit.usd('4'), 0n])
    expect(await it.budget.float()).toMatchObject({ balance: 0n, held: 0n })
    expect(await it.budget.verify()).toMatchObject({ equal: true })
  })

  test('behavior: ten at once share pulls, and keep to the float', async () => {
    const it = await start()
    const keys = Array.from({ length: 10 }, (_, n) => `key ${n}`)
    const all = await Promise.all(keys.map((key) => kit.settledAs(it.authorize(key, '0.5'))))
    const codes = all.map((one) => (one instanceof Error ? (one as { code?: string }).code : 'reserved'))
    expect(codes.sort()).toEqual([...Array(4).fill('FLOAT_LOW'), ...Array(6).fill('reserved')])
    expect(await it.agents()).toBe(kit.usd('3'))
    expect(await it.budget.verify()).toMatchObject({ equal: true })
  })

  test('behavior: it is pulled within the caps, to the last unit', async () => {
    const it = await start()
    for (const key of ['a', 'b', 'c', 'd', 'e']) await it.settle(await it.authorize(key))
    await it.budget.sync()
    expect(await kit.refusal(it.authorize('f', '0.000001'))).toMatchObject({
      code: 'BUDGET_EXCEEDED',
      cap: 'perDay',
      receipt: { note: 'BUDGET_EXCEEDED', amount: 1n, payee: it.payee },
    })
    expect(await it.agents()).toBe(0n)
    expect(await it.budget.verify()).toMatchObject({ equal: true })
  })

  test('behavior: strict, each call is pulled for by itself', async () => {
    const it = await start({ maxFloatUsd: '1' })
    const first = await it.authorize('a', '0.4')
    expect(await it.agents()).toBe(kit.usd('0.4'))
    await it.settle(first)
    await it.settle(await it.authorize('b', '0.7'))
    await it.budget.sync()
    expect([await it.paid(), await it.agents()]).toEqual([kit.usd('1.1'), 0n])
    expect(await it.budget.verify()).toMatchObject({ equal: true })
  })

  test('behavior: never settled it is float again, and cannot be settled then', async () => {
    const it = await start({ maxFloatUsd: '1' })
    const first = await it.authorize('a')
    await base.warp(first.validBefore)
    await base.finalize()
    await it.budget.sync()
    expect(await it.budget.payment('a')).toMatchObject({ status: 'released' })
    const count = () => base.client.getTransactionCount({ address: it.agent.address })
    const before = await count()
    await it.settle(await it.authorize('b'))
    await it.budget.sync()
    expect([await count(), await it.paid(), await it.agents()]).toEqual([before, kit.usd('1'), 0n])
    expect(await it.budget.totals()).toMatchObject({ total: kit.usd('1') })
    expect(await it.budget.verify()).toMatchObject({ equal: true })
  })

  test('behavior: cancelled, its key is ended and its amount is float', async () => {
    const it = await start({ maxFloatUsd: '1' })
    const first = await it.authorize('a')
    await it.budget.cancel('a')
    await expect(it.settle(first)).rejects.toThrow()
    await base.finalize()
    await it.budget.sync()
    expect(await it.budget.payment('a')).toMatchObject({ status: 'released' })
    expect(await kit.refusal(it.authorize('a'))).toMatchObject({ code: 'KEY_ENDED' })
    await it.settle(await it.authorize('b'))
    expect(await it.budget.verify()).toMatchObject({ equal: true })
  })

  test('behavior: what others gave to the agent is left alone', async () => {
    const it = await start({ maxFloatUsd: '1' })
    await base.fundUsdc(it.agent.address, kit.usd('7'))
    await it.settle(await it.authorize('a'))
    await it.budget.sync()
    expect([await it.agents(), (await it.budget.totals()).total]).toEqual([kit.usd('7'), kit.usd('1')])
    expect(await it.budget.verify()).toMatchObject({ equal: true })
  })

  test('error: FLOAT_LOW where more left the agent than was ever pulled; nothing is pulled again and again', async () => {
    const it = await start({ maxFloatUsd: '1' })
    await base.fundUsdc(it.agent.address, kit.usd('7'))
    await it.settle(await it.authorize('a'))
    const data = encodeFunctionData({
      abi: usdcAbi,
      functionName: 'transfer',
      args: [it.payee, kit.usd('7')],
    })
    await kit.steal(base, it.agent, { to: it.grant.token.address, data, value: 0n })
    await it.budget.sync()
    expect(await kit.refusal(it.authorize('b'))).toMatchObject({
      code: 'FLOAT_LOW',
      figures: { missing: kit.usd('7') },
    })
    expect((await it.budget.totals()).total).toBe(kit.usd('1'))
  })

  test('error: the agent itself is no payee', async () => {
    const it = await start()
    const order = { ...it.order('a', '1'), to: it.agent.address }
    expect(await kit.refusal(it.budget.authorize(order, { validSeconds: 60 }))).toMatchObject({
      code: 'NOT_ALLOWED',
    })
    expect((await it.budget.totals()).total).toBe(0n)
  })

  test('error: a grant that names no float', async () => {
    const it = await start({ maxFloatUsd: undefined })
    expect(await kit.refusal(it.authorize('a'))).toMatchObject({ code: 'MISMATCH' })
  })
})
