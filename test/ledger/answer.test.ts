// Answers that are odd and allowed, and endpoints that know less than others: the books go on, and count once.
import { describe, expect, test } from 'vitest'
import { memory } from '../../src/index.js'
import { useBase } from '../base.js'
import * as guardKit from '../budget/guardKit.js'
import * as kit from '../budget/kit.js'
import { assertSound } from './books.js'
import * as hazard from './hazardKit.js'
import { honest, Says, Status } from './rpc.js'

const base = await useBase()
kit.endAfterEach()
const start = (options: Parameters<typeof hazard.world>[2] = {}) => hazard.world(base, memory(), options)

describe.each(kit.rails)('%s', (rail) => {
  test('behavior: a log that is told twice in an answer counts once', async () => {
    const it = await start({ rail })
    it.rpc.lie = async (asked, forward) => {
      const answer = (await forward()) as unknown[]
      return asked.method === 'eth_getLogs' ? [...answer, ...answer] : answer
    }
    await hazard.pay(it, 'a')
    it.rpc.lie = honest
    await base.finalize()
    await hazard.holds(it)
    expect(await it.budget.totals()).toMatchObject({ total: kit.usd('1'), paid: kit.usd('1') })
  })

  test('behavior: without the state of old blocks payments settle all the same', async () => {
    const it = await start({ rail })
    await base.mine(200)
    it.rpc.lie = async (asked, forward) => {
      const at = asked.method === 'eth_getTransactionCount' ? String(asked.params[1]) : ''
      const isOld = at.startsWith('0x') && BigInt(at) < (await base.client.getBlockNumber()) - 30n
      if (isOld) throw new Says(-32000, 'missing trie node')
      return forward()
    }
    await hazard.pay(it, 'a')
    expect(await it.budget.payment('a')).toMatchObject({ status: 'paid' })
  })

  test('behavior: a log whose time is null counts on its day', async () => {
    const it = await start({ rail })
    it.rpc.lie = async (asked, forward) => {
      const answer = (await forward()) as object[]
      return asked.method === 'eth_getLogs' ? answer.map((log) => ({ ...log, blockTimestamp: null })) : answer
    }
    await hazard.steal(it, '2')
    await it.budget.sync()
    expect(await it.budget.spentTodayUsd()).toBe('2')
  })
})

test('behavior: a sibling that has not heard of the final block yet reads to the head', async () => {
  const it = await start()
  await base.mine(70)
  await it.budget.sync()
  const { finalNumber } = (await assertSound(it.store, it.grant.grantId)).grant
  it.rpc.lie = ({ method, params }, forward) =>
    method === 'eth_getBlockByNumber' && params[0] === 'finalized'
      ? forward({ method, params: [`0x${(finalNumber - 1).toString(16)}`, false] })
      : forward()
  await hazard.steal(it, '2')
  await it.budget.sync()
  expect(await it.budget.spentTotalUsd()).toBe('2')
})

test('behavior: a sibling permission whose approval takes too long to look for: what it paid counts', async () => {
  const it = await start()
  const other = await base.createAccount()
  const theirs = await guardKit.sibling(base, it, { agent: other.address })
  await kit.payElsewhere(base, theirs, {}, other)
  it.rpc.lie = async (asked, forward) => {
    const [filter] = asked.params as ({ fromBlock?: string } | undefined)[]
    if (asked.method === 'eth_getLogs' && filter?.fromBlock === '0x0') throw new Status(504)
    return forward()
  }
  await it.budget.sync()
  expect(await it.budget.spentTotalUsd()).toBe('1')
})

test('behavior: rounds that are asked for while one waits for the endpoint become one', async () => {
  const it = await start()
  let open = () => {}
  const gate = new Promise<void>((resolve) => {
    open = resolve
  })
  it.rpc.lie = async (_, forward) => {
    await gate
    return forward()
  }
  it.rpc.asked.length = 0
  const rounds = Array.from({ length: 50 }, () => it.budget.sync())
  open()
  await Promise.all(rounds)
  expect(it.rpc.asked.length).toBeLessThan(20)
})

test('behavior: a count of the agent that was once too high leaves no hole that stops it', async () => {
  const it = await start()
  let isFirst = true
  it.rpc.lie = async (asked, forward) => {
    const answer = await forward()
    if (asked.method === 'eth_sendRawTransaction') isFirst = false
    const isCount = asked.method === 'eth_getTransactionCount' && asked.params[1] === 'latest'
    return isCount && isFirst ? `0x${(Number(answer) + 1).toString(16)}` : answer
  }
  const first = kit.settledAs(it.budget.spend(it.order('a')))
  while (isFirst) await it.budget.sync()
  const { deadline } = (await assertSound(it.store, it.grant.grantId)).payments[0] ?? {}
  await base.warp((deadline ?? 0) + 1)
  await base.finalize()
  await it.budget.sync()
  expect(await first).toMatchObject({ code: 'RELEASED' })
  await hazard.pay(it, 'b')
  await hazard.holds(it, ['a', 'b'])
})
