// Logs that an endpoint leaves out of what becomes final: nothing that was paid is taken for unpaid.
import { expect, test } from 'vitest'
import { memory } from '../../src/index.js'
import { useBase } from '../base.js'
import * as kit from '../budget/kit.js'
import { assertSound } from './books.js'
import * as hazard from './hazardKit.js'
import { honest, type Lie, Says, widthOf } from './rpc.js'

const base = await useBase()
kit.endAfterEach()
const start = (options: Parameters<typeof hazard.world>[2] = {}) => hazard.world(base, memory(), options)

const asksForTransfers = ({ grant }: hazard.World, asked: { method: string; params: unknown }) =>
  asked.method === 'eth_getLogs' &&
  JSON.stringify(asked.params).toLowerCase().includes(grant.token.address.toLowerCase())

/** Leaves out the token's logs. */
const noTransfers =
  (it: hazard.World): Lie =>
  async (asked, forward) => {
    const answer = await forward()
    return asksForTransfers(it, asked) ? [] : answer
  }

test('behavior: on the direct rail a transfer left out when it becomes final is not stranded, and not paid again', async () => {
  const it = await start({ rail: 'direct' })
  // The agent holds something, and another leg is awaited.
  await kit.stealPull(base, it, kit.usd('3'))
  const paying = it.budget.spend(it.order('a', '3'))
  await kit.untilPaid(it.budget, 'a')
  await paying
  await hazard.signed(it, 'b')
  await base.finalize()
  it.rpc.lie = noTransfers(it)
  await it.budget.sync()
  expect(await it.budget.payment('a')).toMatchObject({ status: 'paid' })
  it.rpc.lie = honest
  await it.budget.sync()
  await it.budget.spend(it.order('a', '3'))
  for (let n = 0; n < 10; n++) await it.budget.sync()
  expect(await kit.balanceOf(base, it.payee, it.grant.token.address)).toBe(kit.usd('4'))
})

test('behavior: the next honest answer is believed, and the books go on to the head', async () => {
  const it = await start({ rail: 'direct' })
  await hazard.pay(it, 'a')
  await base.finalize()
  it.rpc.lie = noTransfers(it)
  await it.budget.sync()
  it.rpc.lie = honest
  await base.mine(1)
  await it.budget.sync()
  const { grant } = await assertSound(it.store, it.grant.grantId)
  expect(grant.headNumber).toBe(Number(await base.client.getBlockNumber()))
  expect(await it.budget.payment('a')).toMatchObject({ status: 'paid' })
})

test('behavior: neither logs nor receipt of a transfer, and its nonce is used: it waits for one of them', async () => {
  const it = await start({ rail: 'direct' })
  await base.fundUsdc(it.agent.address, kit.usd('1'))
  let sent = 0
  it.rpc.lie = async (asked, forward) => {
    if (asksForTransfers(it, asked)) return []
    if (asked.method === 'eth_getTransactionReceipt') return null
    const answer = await forward()
    if (asked.method === 'eth_sendRawTransaction') sent += 1
    return answer
  }
  const spending = kit.settledAs(it.budget.spend(it.order('a')))
  while (sent < 2) await it.budget.sync()
  await base.mine(2)
  await base.finalize()
  await it.budget.sync()
  expect(await it.budget.payment('a')).toMatchObject({ status: 'paying' })
  it.rpc.lie = honest
  await base.mine(1)
  await it.budget.sync()
  expect(await spending).toMatchObject({ key: 'a' })
  expect(await kit.balanceOf(base, it.payee, it.grant.token.address)).toBe(kit.usd('1'))
  expect(await it.budget.verify()).toMatchObject({ equal: true })
})

test('behavior: a page of a long way without its logs is not stored: the endpoint is believed once it is well again', async () => {
  const it = await start()
  await it.budget.close()
  await hazard.steal(it, '1')
  await base.mine(300)
  await hazard.steal(it, '2')
  let isFirst = true
  it.rpc.lie = async (asked, forward) => {
    if (asked.method !== 'eth_getLogs') return forward()
    if (widthOf(asked) > 50) throw new Says(-32005, 'range too wide')
    return isFirst ? [] : forward()
  }
  const onProgress = () => {
    isFirst = false
  }
  await kit.settledAs(it.open(it.store, { onProgress }))
  it.rpc.lie = honest
  await base.mine(70)
  const again = await it.open(it.store)
  expect(await again.spentTotalUsd()).toBe('3')
  expect(await again.verify()).toMatchObject({ equal: true })
})
