import { encodeFunctionData, erc20Abi } from 'viem'
import { describe, expect, test } from 'vitest'
import { useBase } from '../base.js'
import { assertSound, type Rows } from '../ledger/books.js'
import * as kit from './kit.js'

const base = await useBase()
kit.endAfterEach()

describe.each(kit.storeKinds)('$name', (kind) => {
  const start = async () => {
    const store = kit.books(kind)()
    return { store, ...(await kit.approved(base, store)) }
  }
  const story = ({ receipts }: Rows) => receipts.map(({ event, note }) => `${event} ${note}`)

  describe("the agent's key elsewhere", () => {
    test('behavior: its pulls and transfers are adopted, metered and flagged', async () => {
      const account = await start()
      const { budget, store, grant, order } = account
      await kit.stealPull(base, account, kit.usd('4'))
      await kit.stealTransfer(base, account, kit.usd('3'))
      await budget.sync()
      expect(await budget.spentTotalUsd()).toBe('4')
      expect(await budget.remainingTodayUsd()).toBe('1')
      const rows = await assertSound(store, grant.grantId)
      expect(story(rows)).toEqual(['foreign FOREIGN_PULL', 'foreign FOREIGN_TRANSFER'])
      expect(rows.events.map(({ key }) => key)).toEqual([null, null])
      expect(await kit.refusal(budget.spend(order('a', '1.000001')))).toMatchObject({
        code: 'BUDGET_EXCEEDED',
      })
      expect(await budget.spend(order('b'))).toMatchObject({ key: 'b' })
      expect(await budget.verify()).toMatchObject({ equal: true })
    })

    test('behavior: beyond the cap of the process as well; nothing more is reserved then', async () => {
      const account = await start()
      const { budget, order } = account
      await kit.stealPull(base, account, kit.usd('5'))
      await base.warp((await base.now()) + 86_400)
      await kit.stealPull(base, account, kit.usd('5'))
      await budget.sync()
      expect(await budget.spentTotalUsd()).toBe('10')
      expect(await kit.refusal(budget.spend(order('a')))).toMatchObject({ code: 'BUDGET_EXCEEDED' })
      expect(await budget.remaining()).toMatchObject({ total: 0n, perDay: 0n, overall: 0n })
      expect(await budget.verify()).toMatchObject({ equal: true })
    })

    test('behavior: it takes the nonce of a payment: released when that is final, and the key may be used again', async () => {
      const endpoint = kit.endpoint(base)
      const store = kit.books(kind)()
      const account = await kit.approved(base, store, {}, { client: endpoint.client })
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
      await kit.stealPull(base, account, kit.usd('2'))
      endpoint.answer = (_, forward) => forward()
      await budget.sync()
      // Provisionally both count: the payment could still take its place back.
      expect([await budget.reserved(), await budget.spentTotalUsd()]).toEqual([kit.usd('1'), '2'])
      await base.finalize()
      await budget.sync()
      expect(await spending).toMatchObject({ code: 'RELEASED', retryable: true })
      expect(await budget.spend(order('a'))).toMatchObject({ key: 'a' })
      expect(await kit.balanceOf(base, payee, grant.token.address)).toBe(kit.usd('1'))
      await assertSound(store, grant.grantId)
      expect(await budget.verify()).toMatchObject({ equal: true })
    })
  })

  test('behavior: a transfer of nothing, which anybody can make in the name of the agent, is no fact', async () => {
    const { budget, store, agent, grant } = await start()
    const stranger = await base.createAccount()
    const data = encodeFunctionData({
      abi: erc20Abi,
      functionName: 'transferFrom',
      args: [agent.address, kit.freshAddress(), 0n],
    })
    const receipt = await base.client.sendTransactionSync({
      account: stranger,
      to: grant.token.address,
      data,
    })
    expect(receipt).toMatchObject({ status: 'success', logs: [{}] })
    await budget.sync()
    const { events, receipts } = await assertSound(store, grant.grantId)
    expect([events, receipts]).toEqual([[], []])
    expect(await budget.verify()).toMatchObject({ equal: true })
  })

  describe('reorganisations', () => {
    test.each([
      { gone: 'pull and transfer are', sending: 1, depth: 2 },
      { gone: 'the transfer is', sending: 2, depth: 1 },
    ])('behavior: $gone gone: paid again, and once', async ({ sending, depth }) => {
      const endpoint = kit.endpoint(base)
      const store = kit.books(kind)()
      const account = await kit.approved(base, store, {}, { client: endpoint.client })
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
        'settled settled',
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
      expect(events.map(({ blockNumber, key }) => [blockNumber, key])).toEqual([
        [number, 'a'],
        [number, 'a'],
      ])
      expect(await again.verify()).toMatchObject({ equal: true })
    })

    test('behavior: a stolen pull that is gone is no longer spent', async () => {
      const account = await start()
      const { budget, store, grant } = account
      const before = await base.snapshot()
      await kit.stealPull(base, account, kit.usd('4'))
      await budget.sync()
      await kit.replaceBlocks(base, before, 1)
      await budget.sync()
      expect(await budget.spentTotalUsd()).toBe('0')
      expect(story(await assertSound(store, grant.grantId))).toEqual([
        'foreign FOREIGN_PULL',
        'reorged REORGED',
      ])
      expect(await budget.verify()).toMatchObject({ equal: true })
    })
  })

  test('behavior: rebuilt from nothing, the books hold what the chain holds', async () => {
    const account = await start()
    const { budget, store, grant, order } = account
    await budget.spend({ ...order('a', '2'), task: 'report' })
    await kit.stealPull(base, account, kit.usd('1'))
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
