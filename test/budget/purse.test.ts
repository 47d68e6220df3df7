import { zeroHash } from 'viem'
import { describe, expect, test } from 'vitest'
import { type Budget, Guard, Purse } from '../../src/index.js'
import { useBase } from '../base.js'
import * as guardKit from './guardKit.js'
import * as kit from './kit.js'

kit.endAfterEach()
const base = await useBase()

/** An endpoint before which something else may happen. */
function racing() {
  const answer: { before: ((asked: { method: string }) => Promise<void>) | undefined } = { before: undefined }
  const endpoint = kit.endpoint(base)
  endpoint.answer = async (asked, forward) => {
    await answer.before?.(asked)
    return forward()
  }
  return { answer, client: endpoint.client }
}

describe.each(kit.storeKinds)('$name', (kind) => {
  const terms = { rail: 'purse', perCallUsd: '1', perDayUsd: '5', totalUsd: '8', maxFloatUsd: '3' } as const

  async function start(options: Parameters<typeof kit.approved>[3] = {}) {
    const open = kit.books(kind)
    const it = await kit.approved(base, open(), terms, options)
    const relayer = await guardKit.withGas(base)
    type Authorized = Awaited<ReturnType<Budget['authorize']>>
    /** What a merchant settles with a signature that the budget gave it. */
    const signed = async ({ key, permission, to, amount: value, validBefore, nonce }: Authorized) => {
      const authorization = { to, value, validAfter: 0, validBefore, nonce }
      const signature = await it.budget.sign(key)
      return Purse.prepareSettle({ permission, authorization, signature })
    }
    /** What somebody settles who has the agent's key. */
    const stolen = async ({ permission, to, amount: value, validBefore, nonce }: Authorized) => {
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
      stolen,
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

  test('behavior: signs to the letter what is reserved, and nothing else', async () => {
    const it = await start()
    expect((await kit.refusal(it.budget.sign('a'))).code).toBe('MISMATCH')
    await it.budget.spend(it.order('s'))
    expect((await kit.refusal(it.budget.sign('s'))).code).toBe('KEY_CONFLICT')
    const first = await it.authorize('a')
    const { permission, to, amount: value, validBefore, nonce } = first
    const signature = await it.budget.sign('a')
    const hash = Purse.authorizationHash({
      permission,
      authorization: { to, value, validAfter: 0, validBefore, nonce },
    })
    expect(await Purse.isValid(base.client, { permission, hash, signature })).toBe(true)
    // What was signed is not given up.
    await it.budget.giveUp('a', 'tested')
    expect(await it.budget.payment('a')).toMatchObject({ status: 'paying' })
    await it.authorize('b')
    await it.budget.giveUp('b', 'tested')
    expect((await kit.refusal(it.budget.sign('b'))).code).toBe('RELEASED')
  })

  describe('cancel', () => {
    test('default: its nonce is ended on the token, and what it held is free once that is final', async () => {
      const it = await start()
      const first = await it.authorize('a')
      await it.budget.sign('a')
      await it.budget.cancel('a')
      await expect(it.settle(first)).rejects.toThrow()
      expect(await it.budget.payment('a')).toMatchObject({ status: 'paying' })
      // Again is nothing new.
      await it.budget.cancel('a')
      await base.finalize()
      await it.budget.sync()
      expect(await it.budget.payment('a')).toMatchObject({ status: 'released' })
      expect(await it.budget.float()).toMatchObject({ held: 0n, free: kit.usd('3') })
      const [last] = await it.budget.receipts({ newest: true, limit: 1 })
      expect(last).toMatchObject({ event: 'released', note: 'CANCELLED', key: 'a' })
      expect(await kit.refusal(it.authorize('a'))).toMatchObject({ code: 'KEY_ENDED' })
      await it.budget.cancel('a')
      expect(await it.budget.verify()).toMatchObject({ equal: true })
    })

    test('behavior: a payee that was faster is paid', async () => {
      const it = await start()
      await it.settle(await it.authorize('a'))
      expect(await kit.refusal(it.budget.cancel('a'))).toMatchObject({
        code: 'SETTLED',
        figures: { key: 'a', amount: kit.usd('1') },
      })
      expect(await it.budget.verify()).toMatchObject({ equal: true })
    })

    test('behavior: a payee that is faster while it is on its way is paid', async () => {
      const { answer, client } = racing()
      const it = await start({ client })
      const first = await it.authorize('a')
      const call = await it.signed(first)
      answer.before = async ({ method }) => {
        if (method !== 'eth_estimateGas') return
        answer.before = undefined
        await kit.steal(base, it.relayer, call)
      }
      expect(await kit.refusal(it.budget.cancel('a'))).toMatchObject({ code: 'SETTLED' })
      expect(await it.budget.verify()).toMatchObject({ equal: true })
    })

    test('behavior: by a relay the agent needs no gas', async () => {
      const sender = await guardKit.withGas(base)
      const it = await start({ relay: async (call) => void (await kit.steal(base, sender, call)) })
      await it.authorize('a')
      const count = () => base.client.getTransactionCount({ address: it.agent.address })
      const before = await count()
      await it.budget.cancel('a')
      expect(await count()).toBe(before)
      await base.finalize()
      await it.budget.sync()
      expect(await it.budget.payment('a')).toMatchObject({ status: 'released' })
    })

    test('error: of a payment that is no authorization, and of none', async () => {
      const it = await start()
      await it.budget.spend(it.order('s'))
      expect((await kit.refusal(it.budget.cancel('s'))).code).toBe('KEY_CONFLICT')
      expect((await kit.refusal(it.budget.cancel('a'))).code).toBe('MISMATCH')
    })
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
    const call = await it.stolen({ ...terms, payer: Purse.address(permission), settled: false })
    await kit.steal(base, it.relayer, call)
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
