// Transactions that are stuck: replaced with higher fees at the same nonce, and paid once whichever is mined.
import { describe, expect, test } from 'vitest'
import * as Fee from '../../src/Fee.js'
import { type Budget, GrantError, type OpenBudgetOptions } from '../../src/index.js'
import { useBase } from '../base.js'
import { assertSound } from '../ledger/books.js'
import * as kit from './kit.js'
import * as outboxKit from './outboxKit.js'
import type { Answer } from './points.js'

const base = await useBase()
kit.endAfterEach()

/** As an endpoint whose pool nobody mines from. */
const swallowing: Answer = async ({ method }, forward) =>
  method === 'eth_sendRawTransaction' ? `0x${'00'.repeat(32)}` : forward()

/** A bounded number of rounds. */
async function firstSent({ raws, told }: outboxKit.Outbox, budget: Budget): Promise<void> {
  for (let round = 0; round < 50; round++) {
    if (raws.length > 0) return
    await budget.sync()
  }
  throw new Error('Nothing was sent.', { cause: told })
}

const codes = (told: readonly unknown[]) =>
  told.flatMap((error) => (error instanceof GrantError ? error.code : []))

describe.each(kit.cases)('$name', ({ kind, rail }) => {
  /** A payment whose first transaction no block takes. */
  async function stuck(options: Partial<OpenBudgetOptions> = {}) {
    const more = { replaceAfterBlocks: 3, ...options }
    const it = await outboxKit.start(base, kit.books(kind)(), { terms: { rail }, options: more })
    it.endpoint.answer = swallowing
    const [spending] = await outboxKit.together(it, outboxKit.orders(it, 1))
    await firstSent(it, it.budget)
    return { ...it, spending }
  }

  const send = async (sent: outboxKit.Sent | undefined) => {
    if (!sent) throw new Error('Nothing was sent.')
    const { status } = await base.client.sendRawTransactionSync({ serializedTransaction: sent.raw })
    expect(status).toBe('success')
  }

  test.each(['first', 'last'] as const)(
    'behavior: replaced twice; the %s is mined: paid once',
    async (which) => {
      const it = await stuck()
      for (const count of [2, 3]) {
        await base.mine(2)
        await it.budget.sync()
        expect(it.raws).toHaveLength(count - 1)
        await base.mine()
        await it.budget.sync()
        expect(it.raws).toHaveLength(count)
      }
      const [first, second, third] = it.raws
      if (!first || !second || !third) throw new Error('There are three.')
      expect([second.nonce, third.nonce]).toEqual([first.nonce, first.nonce])
      expect(second.maxFeePerGas * 8n).toBeGreaterThan(first.maxFeePerGas * 9n)
      expect(third.maxFeePerGas * 8n).toBeGreaterThan(second.maxFeePerGas * 9n)
      await send(which === 'first' ? first : third)
      await expect(send(which === 'first' ? third : first)).rejects.toThrow(/nonce too low/)
      it.endpoint.answer = (_, forward) => forward()
      await kit.untilPaid(it.budget, 'p0')
      await it.budget.sync()
      expect(await it.spending).toMatchObject({ key: 'p0' })
      await base.finalize()
      await it.budget.sync()
      expect(await it.budget.payment('p0')).toMatchObject({ status: 'paid', final: true })
      expect(await it.balance(it.payees[0] ?? '0x')).toBe(kit.usd('1'))
      expect(await it.mined()).toBe(rail === 'direct' ? 2 : 1)
      await assertSound(it.store, it.grant.grantId)
      expect(await it.budget.verify()).toMatchObject({ equal: true })
    },
  )

  test('behavior: a reading without the logs of the one that was mined releases nothing', async () => {
    const it = await stuck()
    await base.mine(3)
    await it.budget.sync()
    const [first] = it.raws
    it.endpoint.answer = async (asked, forward) =>
      asked.method === 'eth_getLogs' ? [] : swallowing(asked, forward)
    await send(first)
    await base.finalize()
    await it.budget.sync().catch(() => {})
    await it.budget.sync().catch(() => {})
    expect(await it.budget.payment('p0')).toMatchObject({ status: rail === 'direct' ? 'pulling' : 'paying' })
    it.endpoint.answer = (_, forward) => forward()
    await kit.untilPaid(it.budget, 'p0')
    expect(await it.balance(it.payees[0] ?? '0x')).toBe(kit.usd('1'))
  })

  test('args: maxFeePerGas, more is never offered, and where it leaves no room that is told once', async () => {
    const it = await outboxKit.start(base, kit.books(kind)(), { terms: { rail } })
    await it.budget.close()
    it.endpoint.answer = swallowing
    const poor = { maxFeePerGas: 1_000n, replaceAfterBlocks: 3 }
    const onError = (error: unknown) => it.told.push(error)
    const budget = await kit.open(base, it, it.store, { ...poor, client: it.client, onError })
    const [order] = outboxKit.orders(it, 1)
    if (!order) throw new Error('There is an order.')
    const spending = kit.settledAs(budget.spend(order))
    await firstSent(it, budget)
    for (let round = 0; round < 3; round++) {
      await base.mine(3)
      await budget.sync()
    }
    expect(it.raws.map(({ maxFeePerGas }) => maxFeePerGas)).toEqual([1_000n])
    expect(codes(it.told)).toEqual(['FEE_CEILING'])
    await budget.close()
    it.endpoint.answer = (_, forward) => forward()
    expect(await spending).toMatchObject({ code: 'CLOSED' })
    const rich = await kit.open(base, it, it.store, { replaceAfterBlocks: 3 })
    await kit.untilPaid(rich, 'p0')
    expect(await it.balance(it.payees[0] ?? '0x')).toBe(kit.usd('1'))
  })

  test('behavior: an agent without the ETH for a higher fee keeps the one that it offered', async () => {
    const it = await stuck()
    const { address } = it.agent
    const balance = await base.client.getBalance({ address })
    await base.client.setBalance({ address, value: 1n })
    await base.mine(3)
    await it.budget.sync()
    await it.budget.sync()
    expect(it.raws).toHaveLength(1)
    expect(codes(it.told).filter((code) => code === 'GAS_LOW')).toEqual(['GAS_LOW'])
    await base.client.setBalance({ address, value: balance })
    await it.budget.sync()
    expect(it.raws).toHaveLength(2)
  })
})

describe('raised', () => {
  const gwei = 10n ** 9n

  test.each([
    { old: 8n * gwei, now: 8n * gwei, expected: 9n * gwei + 1n },
    { old: 8n * gwei, now: 20n * gwei, expected: 20n * gwei },
    { old: 0n, now: 0n, expected: 1n },
  ])('default: from $old, with $now now, to $expected', ({ old, now, expected }) => {
    const fees = (wei: bigint) => ({ maxFeePerGas: wei, maxPriorityFeePerGas: wei })
    expect(Fee.raised(fees(old), fees(now), 100n * gwei)).toEqual(fees(expected))
  })

  test('behavior: up to the ceiling, and not where an eighth more is above it', () => {
    const old = { maxFeePerGas: 8n * gwei, maxPriorityFeePerGas: gwei }
    const now = { maxFeePerGas: 50n * gwei, maxPriorityFeePerGas: gwei }
    expect(Fee.raised(old, now, 10n * gwei)).toEqual({
      maxFeePerGas: 10n * gwei,
      maxPriorityFeePerGas: gwei + gwei / 8n + 1n,
    })
    expect(Fee.raised(old, now, 9n * gwei)).toBeUndefined()
  })
})
