// Books with a float that come from a backup, or were lost: authorizations that they have forgotten may still be settled.
import { encodeFunctionData } from 'viem'
import { describe, expect, test } from 'vitest'
import { usdcAbi } from '../../abi/index.js'
import type { Budget } from '../../src/index.js'
import type { Store, TableName } from '../../src/Store.js'
import { useBase } from '../base.js'
import * as guardKit from './guardKit.js'
import * as kit from './kit.js'

kit.endAfterEach()
const base = await useBase()

const tables: readonly TableName[] = [
  ...(['grants', 'permissions', 'payments', 'transactions'] as const),
  ...(['events', 'sessions', 'meters', 'receipts'] as const),
]

/** The books of a grant as they are now, in a store of their own. */
async function copy(from: Store, to: Store, grantId: `0x${string}`): Promise<void> {
  for (const table of tables) {
    const rows = await from.transact(grantId, (tx) => tx.list(table, { grantId }))
    await to.transact(grantId, async (tx) => {
      for (const row of rows) await tx.put(table, row)
    })
  }
}

const cases = kit.storeKinds.flatMap((kind) =>
  (['purse', 'direct'] as const).map((rail) => ({ name: `${kind.name}, ${rail}`, kind, rail })),
)

describe.each(cases)('$name', ({ kind, rail }) => {
  /** Books that have a float, their copy, and an authorization of 1 USDC, key `a`, that the copy has never heard of. */
  async function restored() {
    await kit.morning(base)
    const store = kit.books(kind)()
    const terms = { rail, perCallUsd: '1', perDayUsd: '5', totalUsd: '8', maxFloatUsd: '3' } as const
    const it = await kit.approved(base, store, terms)
    const { budget, grant } = it
    const relayer = await guardKit.withGas(base)
    const token = grant.token.address
    const authorize = (books: Budget, key: string, amount = '1') =>
      books.authorize(it.order(key, amount), { validSeconds: 600 })
    const signed = async (books: Budget, one: Awaited<ReturnType<Budget['authorize']>>) => {
      const { key, payer, to, amount, validBefore, nonce } = one
      const args = [payer, to, amount, 0n, BigInt(validBefore), nonce, await books.sign(key)] as const
      const data = encodeFunctionData({ abi: usdcAbi, functionName: 'transferWithAuthorization', args })
      return { to: token, data, value: 0n }
    }
    await kit.steal(base, relayer, await signed(budget, await authorize(budget, 'before')))
    await budget.sync()
    const open = kit.books(kind)
    const backup = open()
    await copy(store, backup, grant.grantId)
    const call = await signed(budget, await authorize(budget, 'a'))
    await budget.close()
    return {
      ...it,
      authorize,
      backup,
      settle: () => kit.steal(base, relayer, call),
      paid: () => kit.balanceOf(base, it.payee, token),
    }
  }

  test("args: books: 'restored', no key is signed for while what was forgotten could be settled", async () => {
    const it = await restored()
    const budget = await kit.open(base, it, it.backup, { books: 'restored' })
    for (const [key, amount] of [
      ['a', '0.5'],
      ['a', '1'],
      ['b', '1'],
    ] as const)
      expect(await kit.refusal(it.authorize(budget, key, amount))).toMatchObject({ code: 'BOOKS_INCOMPLETE' })
    await it.settle()
    await kit.quiet(base, budget)
    expect(await kit.refusal(it.authorize(budget, 'a', '0.5'))).toMatchObject({ code: 'KEY_CONFLICT' })
    expect(await it.authorize(budget, 'a')).toMatchObject({ settled: true })
    expect(await it.authorize(budget, 'b')).toMatchObject({ settled: false })
    expect(await it.paid()).toBe(kit.usd('2'))
    expect(await budget.verify()).toMatchObject({ equal: true })
  })

  test("args: books: 'restored', never settled, its key may have other terms once it cannot be any more", async () => {
    const it = await restored()
    const budget = await kit.open(base, it, it.backup, { books: 'restored' })
    const { retryAt = 0 } = await kit.refusal(it.authorize(budget, 'a', '0.5'))
    await base.warp(retryAt - 1)
    await base.finalize()
    await budget.sync()
    expect(await kit.refusal(it.authorize(budget, 'a', '0.5'))).toMatchObject({ retryAt })
    await kit.quiet(base, budget)
    expect(await it.authorize(budget, 'a', '0.5')).toMatchObject({ settled: false })
    await expect(it.settle()).rejects.toThrow()
    expect(await budget.verify()).toMatchObject({ equal: true })
  })

  test("args: books: 'restored', also where the operator speaks for the agent's transactions", async () => {
    const it = await restored()
    const firstNonce = await base.client.getTransactionCount({ address: it.agent.address })
    // Through the guard transactions speak for themselves.
    const spoken = rail === 'direct' ? { firstNonce } : {}
    const budget = await kit.open(base, it, it.backup, { books: 'restored', ...spoken })
    expect(await kit.refusal(it.authorize(budget, 'b'))).toMatchObject({ code: 'BOOKS_INCOMPLETE' })
    await kit.quiet(base, budget)
    expect(await it.authorize(budget, 'b')).toMatchObject({ settled: false })
  })

  test('behavior: an authorization on chain that they never took tells of a backup', async () => {
    const it = await restored()
    await it.settle()
    const budget = await kit.open(base, it, it.backup)
    const { code, retryAt } = await kit.refusal(it.authorize(budget, 'b'))
    expect(code).toBe('BOOKS_INCOMPLETE')
    await budget.close()
    await base.mine()
    const again = await kit.open(base, it, it.backup)
    expect(await kit.refusal(it.authorize(again, 'b'))).toMatchObject({ retryAt })
    await kit.quiet(base, again)
    expect(await it.authorize(again, 'a')).toMatchObject({ settled: true })
    expect(await it.authorize(again, 'b')).toMatchObject({ settled: false })
    expect(await again.verify()).toMatchObject({ equal: true })
  })

  test('behavior: books that were lost wait, and know the key again', async () => {
    const it = await restored()
    const empty = kit.books(kind)()
    const lost = await kit.open(base, it, empty)
    expect(await kit.refusal(it.authorize(lost, 'b'))).toMatchObject({ code: 'BOOKS_INCOMPLETE' })
    await it.settle()
    await lost.close()
    // On the direct rail the agent's own transactions may be lost as well, which the operator has to speak for.
    const firstNonce = await base.client.getTransactionCount({ address: it.agent.address })
    const budget = await kit.open(base, it, empty, rail === 'direct' ? { firstNonce } : {})
    const { retryAt } = await kit.refusal(it.authorize(budget, 'b'))
    expect(retryAt).toBeGreaterThan(await base.now())
    await kit.quiet(base, budget)
    for (const key of ['before', 'a'])
      expect(await it.authorize(budget, key)).toMatchObject({ settled: true })
    expect(await it.authorize(budget, 'b')).toMatchObject({ settled: false })
    expect(await it.paid()).toBe(kit.usd('2'))
    expect(await budget.verify()).toMatchObject({ equal: true })
  })

  test('behavior: books that were closed and opened again wait for nothing', async () => {
    const it = await restored()
    const store = kit.books(kind)()
    await copy(it.backup, store, it.grant.grantId)
    const budget = await kit.open(base, it, store)
    expect(await it.authorize(budget, 'b')).toMatchObject({ settled: false })
    await budget.close()
    const again = await kit.open(base, it, store)
    expect(await again.float()).toMatchObject({ held: kit.usd('1') })
    expect(await it.authorize(again, 'c')).toMatchObject({ settled: false })
  })
})
