import { encodeFunctionData, erc20Abi } from 'viem'
import { describe, expect, test } from 'vitest'
import { useBase } from '../base.js'
import { assertSound, type Rows } from '../ledger/books.js'
import * as kit from './kit.js'

const base = await useBase()
kit.endAfterEach()

// What is only so on the direct rail, where two events make a payment, and the agent's key holds money in between.
describe.each(kit.storeKinds)('$name', (kind) => {
  const start = async () => {
    const store = kit.books(kind)()
    return { store, ...(await kit.approved(base, store, { rail: 'direct' })) }
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
})
