import { describe, expect, test } from 'vitest'
import { useBase } from '../base.js'
import { assertSound, type Rows } from '../ledger/books.js'
import * as kit from './kit.js'

const base = await useBase()
kit.endAfterEach()

describe.each(kit.cases)('$name', ({ kind, rail }) => {
  const start = async () => {
    const store = kit.books(kind)()
    return { store, ...(await kit.approved(base, store, { rail })) }
  }
  const story = ({ receipts }: Rows) => receipts.map(({ event, note }) => `${event} ${note}`)

  describe("the agent's key elsewhere", () => {
    test('behavior: it takes the nonce of a payment: released when that is final, and the key may be used again', async () => {
      const endpoint = kit.endpoint(base)
      const store = kit.books(kind)()
      const account = await kit.approved(base, store, { rail }, { client: endpoint.client })
      const { budget, order, grant, payee } = account
      const signed = new Promise<void>((resolve) => {
        endpoint.answer = async ({ method }, forward) => {
          if (method !== 'eth_sendRawTransaction') return forward()
          resolve()
          return Promise.reject(new Error('dropped'))
        }
      })
      const spending = kit.refusal(budget.spend(order('a')))
      await signed
      await kit.stealSpend(base, account, kit.usd('2'))
      endpoint.answer = (_, forward) => forward()
      await budget.sync()
      // Provisionally both count: the payment could still take its place back.
      expect([await budget.reserved(), await budget.spentTotalUsd()]).toEqual([kit.usd('1'), '2'])
      await base.finalize()
      await budget.sync()
      expect(await spending).toMatchObject({ code: 'RELEASED', retryable: true })
      expect(await budget.spend(order('a'))).toMatchObject({ key: 'a' })
      // Through the guard even the thief could only pay the payee.
      const taken = { direct: kit.usd('0'), guard: kit.usd('2') }[rail]
      expect(await kit.balanceOf(base, payee, grant.token.address)).toBe(taken + kit.usd('1'))
      await assertSound(store, grant.grantId)
      expect(await budget.verify()).toMatchObject({ equal: true })
    })
  })

  describe('reorganisations', () => {
    const lost = {
      direct: [
        { gone: 'pull and transfer are', sending: 1, depth: 2 },
        { gone: 'the transfer is', sending: 2, depth: 1 },
      ],
      guard: [{ gone: 'the payment is', sending: 1, depth: 1 }],
    }
    test.each(lost[rail])('behavior: $gone gone: paid again, and once', async ({ sending, depth }) => {
      const endpoint = kit.endpoint(base)
      const store = kit.books(kind)()
      const account = await kit.approved(base, store, { rail }, { client: endpoint.client })
      const { budget, grant, payee, order } = account
      let sent = 0
      let before = async () => {}
      endpoint.answer = async ({ method }, forward) => {
        if (method === 'eth_sendRawTransaction' && ++sent === sending) before = await base.snapshot()
        return forward()
      }
      await budget.spend(order('a'))
      // Sent again before the other blocks are there, it would make the very blocks that were there.
      endpoint.answer = ({ method }, forward) =>
        method === 'eth_sendRawTransaction' ? Promise.reject(new Error('not now')) : forward()
      await kit.replaceBlocks(base, before, depth)
      await budget.sync()
      expect(await budget.payment('a')).toMatchObject({ status: 'paying' })
      endpoint.answer = (_, forward) => forward()
      await kit.untilPaid(budget, 'a')
      expect(await kit.balanceOf(base, payee, grant.token.address)).toBe(kit.usd('1'))
      expect(await budget.spentTotalUsd()).toBe('1')
      expect(await budget.verify()).toMatchObject({ equal: true })
      expect(story(await assertSound(store, grant.grantId))).toEqual([
        'reserved reserved',
        'settled settled',
        'reorged REORGED',
        'settled SETTLED_AGAIN',
      ])
    })

    test('behavior: the transactions come back in another block', async () => {
      const { budget, store, grant, order, ...account } = await start()
      const before = await base.snapshot()
      await budget.spend(order('a'))
      await budget.close()
      const { transactions } = await assertSound(store, grant.grantId)
      await kit.replaceBlocks(base, before, 1)
      await base.client.setAutomine(false)
      for (const { raw, kind } of transactions) {
        if (kind !== 'call') await base.client.sendRawTransaction({ serializedTransaction: raw })
      }
      await base.mine()
      await base.client.setAutomine(true)
      const again = await kit.open(base, { ...account, grant }, store)
      const { events } = await assertSound(store, grant.grantId)
      const number = Number(await base.client.getBlockNumber())
      expect(events.map(({ kind, blockNumber, key }) => [kind, blockNumber, key])).toEqual(
        { direct: ['pull', 'transfer'], guard: ['payment'] }[rail].map((kind) => [kind, number, 'a']),
      )
      expect(await again.verify()).toMatchObject({ equal: true })
    })

    test('behavior: what was stolen and is gone is no longer spent', async () => {
      const account = await start()
      const { budget, store, grant } = account
      const before = await base.snapshot()
      await kit.stealSpend(base, account, kit.usd('4'))
      await budget.sync()
      await kit.replaceBlocks(base, before, 1)
      await budget.sync()
      expect(await budget.spentTotalUsd()).toBe('0')
      expect(story(await assertSound(store, grant.grantId))).toEqual([
        { direct: 'foreign FOREIGN_PULL', guard: 'foreign FOREIGN_PAYMENT' }[rail],
        'reorged REORGED',
      ])
      expect(await budget.verify()).toMatchObject({ equal: true })
    })
  })

  test('behavior: rebuilt from nothing, the books hold what the chain holds', async () => {
    const account = await start()
    const { budget, store, grant, order } = account
    await budget.spend({ ...order('a', '2'), task: 'report' })
    await kit.stealSpend(base, account, kit.usd('1'))
    await base.finalize()
    await base.warp(Math.ceil((await base.now()) / 86_400) * 86_400)
    await budget.sync()
    await budget.spend(order('b', '3'))
    await budget.close()

    const empty = kit.books(kind)()
    const rebuilt = await kit.open(base, account, empty)
    const [before, after] = [await assertSound(store, grant.grantId), await assertSound(empty, grant.grantId)]
    const chainHeld = ({ meters }: Rows) =>
      Object.entries(meters).filter(([name]) => /^(total|sent|day:|period:)/.test(name))
    expect(chainHeld(after)).toEqual(chainHeld(before))
    expect(chainHeld(after)).toHaveLength(6)
    expect([await rebuilt.spentTotalUsd(), await rebuilt.spentTodayUsd()]).toEqual(['6', '3'])
    expect(await rebuilt.verify()).toMatchObject({ equal: true })
  })
})
