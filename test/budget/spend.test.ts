import { erc20Abi, parseEventLogs } from 'viem'
import { describe, expect, test } from 'vitest'
import { Time } from '../../src/index.js'
import { useBase } from '../base.js'
import * as kit from './kit.js'

const base = await useBase()
kit.endAfterEach()

describe.each(kit.cases)('$name', ({ kind, rail }) => {
  const store = () => kit.books(kind)()

  test('default', async () => {
    const { budget, grant, payee, order } = await kit.approved(base, store(), { rail })
    const spent = await budget.spend({ ...order('a'), host: 'api.example.com', task: 'report' })
    expect(spent).toEqual({
      key: 'a',
      to: payee,
      amount: kit.usd('1'),
      txHash: expect.stringMatching(/^0x/),
      blockNumber: Number(await base.client.getBlockNumber()),
      final: false,
    })
    const { logs } = await base.client.getTransactionReceipt({ hash: spent.txHash })
    const transfers = parseEventLogs({ abi: erc20Abi, eventName: 'Transfer', logs })
    expect(transfers.filter(({ args }) => args.to === payee)).toMatchObject([
      { args: { value: kit.usd('1') } },
    ])
    expect(await kit.balanceOf(base, payee, grant.token.address)).toBe(kit.usd('1'))
    expect(await budget.payment('a')).toMatchObject({ status: 'paid', final: false, to: payee })
    expect(await budget.reserved()).toBe(0n)
    expect(await budget.spentUnder('task', 'report')).toBe(kit.usd('1'))
    expect((await budget.receipts()).map(({ event }) => event)).toEqual(['reserved', 'settled'])
    expect(await budget.verify()).toMatchObject({ equal: true })
  })

  test('behavior: final after finality, and the same key answers with the same payment', async () => {
    const { budget, order, payee, grant } = await kit.approved(base, store(), { rail })
    const spent = await budget.spend(order('a'))
    await base.finalize()
    await budget.sync()
    expect(await budget.spend(order('a'))).toEqual({ ...spent, final: true })
    expect(await kit.balanceOf(base, payee, grant.token.address)).toBe(kit.usd('1'))
  })

  test('behavior: totals of today and in all, across a UTC midnight', async () => {
    const { budget, order } = await kit.approved(base, store(), { rail })
    const totals = async () => [
      await budget.spentTodayUsd(),
      await budget.remainingTodayUsd(),
      await budget.spentTotalUsd(),
    ]
    expect(await totals()).toEqual(['0', '5', '0'])
    await budget.spend(order('a', '0.75'))
    expect(await totals()).toEqual(['0.75', '4.25', '0.75'])
    await base.warp(Time.midnight(await base.now()) + Time.day)
    await budget.sync()
    expect(await totals()).toEqual(['0', '5', '0.75'])
    await budget.spend(order('b', '0.000001'))
    expect(await totals()).toEqual(['0.000001', '4.999999', '0.750001'])
    expect(await budget.verify()).toMatchObject({ equal: true })
  })

  test('behavior: of ten at once as many as fit are paid, and not one more', async () => {
    const { budget, order, payee, grant } = await kit.approved(base, store(), { rail })
    const keys = Array.from({ length: 10 }, (_, i) => `k${i}`)
    const results = await Promise.allSettled(keys.map((key) => budget.spend(order(key))))
    const paid = results.filter(({ status }) => status === 'fulfilled')
    expect(paid).toHaveLength(5)
    for (const result of results) {
      if (result.status === 'rejected') expect(result.reason).toMatchObject({ code: 'BUDGET_EXCEEDED' })
    }
    expect(await kit.balanceOf(base, payee, grant.token.address)).toBe(kit.usd('5'))
    expect(await budget.verify()).toMatchObject({ equal: true })
  })

  test('behavior: one key at once pays once', async () => {
    const { budget, order, payee, grant } = await kit.approved(base, store(), { rail })
    const all = await Promise.all([1, 2, 3, 4, 5].map(() => budget.spend(order('a'))))
    expect(new Set(all.map(({ txHash }) => txHash)).size).toBe(1)
    expect(await kit.balanceOf(base, payee, grant.token.address)).toBe(kit.usd('1'))
  })

  test('behavior: two processes on one store share caps, keys and nonces', async () => {
    const open = kit.books(kind)
    const account = await kit.approved(base, open(), { rail })
    const { budget, order, payee, grant } = account
    const second = await kit.open(base, account, open())
    const spends = ['a', 'b', 'c', 'd'].flatMap((key) => [budget.spend(order(key)), second.spend(order(key))])
    const hashes = (await Promise.all(spends)).map(({ txHash }) => txHash)
    // Through the guard several go out in one.
    expect(new Set(hashes).size)[rail === 'direct' ? 'toBe' : 'toBeLessThanOrEqual'](4)
    const more = await Promise.allSettled([budget.spend(order('e')), second.spend(order('f'))])
    expect(more.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
    expect(await kit.balanceOf(base, payee, grant.token.address)).toBe(kit.usd('5'))
    expect(await budget.verify()).toMatchObject({ equal: true })
    expect(await second.verify()).toMatchObject({ equal: true })
  })

  test('behavior: what another process pays while this one tries is not refused here', async () => {
    const open = kit.books(kind)
    const account = await kit.approved(base, open(), { rail, perDayUsd: '1', totalUsd: '8', perCallUsd: '1' })
    const { budget, order, agent, grant, payee } = account
    await budget.close()
    const endpoint = kit.endpoint(base)
    const late = await kit.open(base, account, open(), { client: endpoint.client })
    const simulated = new Promise<void>((resolve) => {
      endpoint.answer = async ({ method, params }, forward) => {
        const [call] = (params ?? []) as { from?: string }[]
        if (method !== 'eth_call' || call?.from?.toLowerCase() !== agent.address.toLowerCase())
          return forward()
        endpoint.answer = (_, forward) => forward()
        // By now the chain has no allowance left today: for this very payment.
        const early = await kit.open(base, account, open())
        await early.spend(order('a'))
        resolve()
        return forward()
      }
    })
    const spending = late.spend(order('a'))
    await simulated
    expect(await spending).toMatchObject({ key: 'a' })
    expect(await kit.balanceOf(base, payee, grant.token.address)).toBe(kit.usd('1'))
    expect((await late.receipts()).map(({ event }) => event)).toEqual(['reserved', 'settled'])
  })

  test('error: KEY_CONFLICT', async () => {
    const { budget, order } = await kit.approved(base, store(), { rail })
    await budget.spend(order('a'))
    const error = await kit.refusal(budget.spend(order('a', '2')))
    expect(error).toMatchObject({ code: 'KEY_CONFLICT', retryable: false, figures: { amount: kit.usd('1') } })
    expect(error.message).toContain(String(kit.usd('2')))
  })

  test('error: GAS_LOW before anything is pulled, and the key works once there is gas', async () => {
    const { budget, order, agent, wallet, grant } = await kit.approved(base, store(), { rail })
    const gas = await base.client.getBalance({ address: agent.address })
    await base.client.setBalance({ address: agent.address, value: 1n })
    const error = await kit.refusal(budget.spend(order('a')))
    expect(error).toMatchObject({ code: 'GAS_LOW', retryable: true, figures: { balance: 1n } })
    expect(await budget.payment('a')).toMatchObject({ status: 'released' })
    expect(await kit.balanceOf(base, wallet.address, grant.token.address)).toBe(kit.usd('1000'))
    await base.client.setBalance({ address: agent.address, value: gas })
    expect(await budget.spend(order('a'))).toMatchObject({ amount: kit.usd('1') })
    const events = (await budget.receipts()).map(({ event }) => event)
    expect(events).toEqual(['reserved', 'released', 'reserved', 'settled'])
  })

  test('error: CHAIN_REFUSED where the account has no USDC: nothing is signed, everything is released', async () => {
    const account = await kit.createAccount(base, { rail }, { usdc: '0' })
    const told: string[] = []
    const budget = await kit.open(base, account, store(), {
      onReceipt: ({ event }) => told.push(event),
    })
    await budget.approve({ signature: account.signature })
    const nonce = await base.client.getTransactionCount({ address: account.agent.address })
    const error = await kit.refusal(budget.spend(kit.order(account)('a')))
    expect(error).toMatchObject({ code: 'CHAIN_REFUSED', figures: { amount: kit.usd('1') } })
    expect(await budget.payment('a')).toMatchObject({ status: 'released' })
    expect(await budget.reserved()).toBe(0n)
    expect(await base.client.getTransactionCount({ address: account.agent.address })).toBe(nonce)
    expect(told).toEqual(['reserved', 'released'])
  })
})
