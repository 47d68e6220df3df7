import { zeroHash } from 'viem'
import { describe, expect, test } from 'vitest'
import { type Budget, Guard, Purse } from '../../src/index.js'
import { useBase } from '../base.js'
import * as guardKit from './guardKit.js'
import * as kit from './kit.js'

kit.endAfterEach()
const base = await useBase()

describe.each(kit.storeKinds)('$name', (kind) => {
  const terms = { rail: 'purse', perCallUsd: '1', perDayUsd: '5', totalUsd: '8', maxFloatUsd: '3' } as const

  async function start() {
    const open = kit.books(kind)
    const it = await kit.approved(base, open(), terms)
    const relayer = await guardKit.withGas(base)
    type Authorized = Awaited<ReturnType<Budget['authorize']>>
    /** What a merchant settles with a signature that the agent gave it. */
    const signed = async ({ permission, to, amount: value, validBefore, nonce }: Authorized) => {
      const authorization = { to, value, validAfter: 0, validBefore, nonce }
      const proof = Guard.batch(it.grant, {
        payments: [{ number: 0n, ref: zeroHash, payee: to, amount: value }],
        deadline: 0,
      }).payments[0]?.proof
      const signature = await Purse.signPayment(it.agent, {
        permission,
        authorization,
        proof: proof ?? [],
      })
      return Purse.prepareSettle({ permission, authorization, signature })
    }
    return {
      ...it,
      open,
      relayer,
      signed,
      authorize: (key: string, amount = '1', validSeconds = 60) =>
        it.budget.authorize(it.order(key, amount), { validSeconds }),
      settle: async (authorized: Authorized) => kit.steal(base, relayer, await signed(authorized)),
    }
  }

  test('default: the purse is funded ahead, and pays without a transaction of the agent', async () => {
    const it = await start()
    const first = await it.authorize('a')
    expect(first).toMatchObject({
      key: 'a',
      to: it.payee,
      amount: kit.usd('1'),
      payer: Purse.address(it.permission),
      nonce: Guard.reference(it.grant.grantId, 'a'),
      settled: false,
    })
    const count = () => base.client.getTransactionCount({ address: it.agent.address })
    const before = await count()
    const second = await it.authorize('b')
    expect(await it.budget.float()).toMatchObject({
      balance: kit.usd('3'),
      held: kit.usd('2'),
      free: kit.usd('1'),
    })
    const hashes = [await it.settle(first), await it.settle(second)]
    await it.budget.sync()
    expect(await count()).toBe(before)
    expect(await it.budget.payment('a')).toMatchObject({ status: 'paid' })
    expect(await kit.balanceOf(base, it.payee, it.grant.token.address)).toBe(kit.usd('2'))
    const settled = (await it.budget.receipts()).filter(({ note }) => note === 'settled')
    expect(settled.map(({ txHash }) => txHash)).toEqual(hashes)
    expect(await it.budget.verify()).toMatchObject({ equal: true })
    expect(await it.budget.totals()).toMatchObject({ total: kit.usd('3'), paid: kit.usd('2') })
  })

  test('behavior: what is reserved can be settled, and nothing is paid by it twice', async () => {
    const it = await start()
    const first = await it.authorize('a')
    expect(await it.authorize('a', '1', 600)).toEqual(first)
    await it.settle(first)
    await expect(it.settle(first)).rejects.toThrow()
    await it.budget.sync()
    expect(await it.authorize('a')).toEqual({ ...first, settled: true })
    expect(await it.budget.verify()).toMatchObject({ equal: true })
  })

  test('behavior: ten at once share fundings, and keep to the float', async () => {
    const it = await start()
    const keys = Array.from({ length: 10 }, (_, n) => `key ${n}`)
    const all = await Promise.all(keys.map((key) => kit.settledAs(it.authorize(key, '0.5'))))
    const refused = all.filter((one) => one instanceof Error)
    expect(refused.map((error) => (error as { code?: string }).code)).toEqual(Array(4).fill('FLOAT_LOW'))
    expect(await it.budget.float()).toMatchObject({ balance: kit.usd('3'), free: 0n })
    expect(await it.budget.verify()).toMatchObject({ equal: true })
  })

  test('behavior: it is funded within the caps, to the last unit', async () => {
    const it = await start()
    for (const key of ['a', 'b', 'c', 'd', 'e']) await it.settle(await it.authorize(key))
    await it.budget.sync()
    expect(await kit.refusal(it.authorize('f', '0.000001'))).toMatchObject({
      code: 'BUDGET_EXCEEDED',
      cap: 'perDay',
      receipt: { note: 'BUDGET_EXCEEDED', amount: 1n, payee: it.payee },
    })
    expect(await it.budget.float()).toMatchObject({ balance: 0n, held: 0n })
    expect(await it.budget.verify()).toMatchObject({ equal: true })
  })

  test('behavior: never settled, it is released only once its last second is final, and cannot be settled then', async () => {
    const it = await start()
    const first = await it.authorize('a')
    await base.warp(first.validBefore)
    await it.budget.sync()
    expect(await it.budget.payment('a')).toMatchObject({ status: 'paying' })
    await base.finalize()
    await it.budget.sync()
    expect(await it.budget.payment('a')).toMatchObject({ status: 'released' })
    await expect(it.settle(first)).rejects.toThrow()
    expect((await it.budget.float()).held).toBe(0n)
    expect(await it.budget.verify()).toMatchObject({ equal: true })
  })

  test('behavior: cancelled on the token, its key is ended', async () => {
    const it = await start()
    const { permission, nonce } = await it.authorize('a')
    const signature = await Purse.signCancellation(it.agent, { permission, nonce })
    await kit.steal(base, it.relayer, Purse.prepareCancel({ permission, nonce, signature }))
    await base.finalize()
    await it.budget.sync()
    expect(await it.budget.payment('a')).toMatchObject({ status: 'released' })
    expect(await kit.refusal(it.authorize('a'))).toMatchObject({ code: 'KEY_ENDED' })
    expect(await it.budget.verify()).toMatchObject({ equal: true })
  })

  test('behavior: a sweep empties the float, and counts as nothing', async () => {
    const it = await start()
    await it.settle(await it.authorize('a'))
    await kit.steal(base, it.agent, Purse.prepareSweep({ permission: it.permission }))
    await it.budget.sync()
    expect(await it.budget.float()).toMatchObject({ balance: 0n })
    expect(await it.budget.verify()).toMatchObject({ equal: true })
    await it.settle(await it.authorize('b'))
    expect(await it.budget.verify()).toMatchObject({ equal: true })
  })

  test('behavior: by an owner of the agent key outside the books it is foreign', async () => {
    const it = await start()
    await it.budget.fund({ target: kit.usd('2') })
    const validBefore = (await base.now()) + 60
    const { permission, payee } = it
    const terms = { key: 'x', to: payee, amount: kit.usd('0.5'), nonce: zeroHash, validBefore, permission }
    await it.settle({ ...terms, payer: Purse.address(permission), settled: false })
    await it.budget.sync()
    expect((await it.budget.receipts({ newest: true, limit: 1 }))[0]).toMatchObject({
      note: 'FOREIGN_AUTHORIZATION',
      amount: kit.usd('0.5'),
    })
    expect(await it.budget.float()).toMatchObject({ balance: kit.usd('1.5'), free: kit.usd('1.5') })
    expect(await it.budget.verify()).toMatchObject({ equal: true })
  })

  test('behavior: `spend` pays through the guard, and not from the float', async () => {
    const it = await start()
    await it.budget.spend(it.order('a'))
    expect(await it.budget.float()).toMatchObject({ balance: 0n })
    expect(await it.budget.verify()).toMatchObject({ equal: true })
  })

  test('behavior: books that were lost are rebuilt, wait, and know the key again', async () => {
    const it = await start()
    const paid = await it.authorize('a')
    const open = await it.authorize('b')
    await it.settle(paid)
    await it.budget.close()
    const again = await kit.open(base, it, kit.books(kind)())
    expect(await kit.refusal(again.authorize(it.order('c'), { validSeconds: 60 }))).toMatchObject({
      code: 'BOOKS_INCOMPLETE',
    })
    await it.settle(open)
    await kit.quiet(base, again)
    expect(await again.verify()).toMatchObject({ equal: true })
    for (const key of ['a', 'b'])
      expect(await again.authorize(it.order(key), { validSeconds: 60 })).toMatchObject({ settled: true })
    expect(await again.verify()).toMatchObject({ equal: true })
    expect(await kit.balanceOf(base, it.payee, it.grant.token.address)).toBe(kit.usd('2'))
  })
})
