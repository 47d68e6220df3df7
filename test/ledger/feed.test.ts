/** One way to the chain for many grants, and one that tells of new blocks by itself. */
import { createPublicClient, webSocket } from 'viem'
import { expect, test } from 'vitest'
import { Feed, memory } from '../../src/index.js'
import { useBase } from '../base.js'
import * as kit from '../budget/kit.js'
import * as hazard from './hazardKit.js'
import { honest, Says, startRpc } from './rpc.js'

const base = await useBase()
kit.endAfterEach()

/** Grants that follow the chain together, on both rails, and what their endpoint is asked. */
async function together(many: number) {
  const rpc = await startRpc(base)
  kit.later(rpc.stop)
  const feed = Feed.create(rpc.client, hazard.quiet)
  const store = memory()
  const errors: unknown[] = []
  const onError = (error: unknown) => errors.push(error)
  const all: hazard.World[] = []
  for (let n = 0; n < many; n++) {
    const rail = n % 2 === 0 ? 'guard' : 'direct'
    const { budget, ...it } = await hazard.world(base, store, { rail })
    await budget.close()
    all.push({ ...it, budget: await it.open(store, { client: rpc.client, feed, onError }) })
  }
  await base.mine(1)
  await feed.sync()
  return { rpc, feed, all, errors }
}

/** Requests for blocks and logs, which do not depend on a grant's own state. */
const common = (rpc: { asked: readonly { method: string }[] }) =>
  rpc.asked
    .map(({ method }) => method)
    .filter((method) => /getLogs|getBlock/.test(method))
    .sort()

test('default', async () => {
  const { feed, all, errors } = await together(3)
  for (const it of all) await hazard.steal(it, '1')
  await feed.sync()
  expect(await Promise.all(all.map(({ budget }) => budget.spentTotalUsd()))).toEqual(['1', '1', '1'])
  expect(errors).toEqual([])
  for (const it of all) await hazard.holds(it)
})

test('behavior: blocks and logs are asked for once, however many grants there are', async () => {
  const costs: string[][] = []
  for (const many of [2, 6]) {
    const { rpc, feed, all } = await together(many)
    await base.mine(1)
    await feed.sync()
    await hazard.steal(all[0] as hazard.World, '1')
    rpc.asked.length = 0
    await feed.sync()
    costs.push(common(rpc))
    expect(await all[0]?.budget.spentTotalUsd()).toBe('1')
  }
  expect(costs[1]).toEqual(costs[0])
})

test('behavior: a grant that is behind catches up by itself, and then follows with the others', async () => {
  const { rpc, feed, all } = await together(2)
  const late = await hazard.world(base, memory(), {})
  await late.budget.close()
  await hazard.steal(late, '2')
  await base.mine(40)
  const budget = await late.open(late.store, { client: rpc.client, feed })
  expect(await budget.spentTotalUsd()).toBe('2')
  await feed.sync()
  await hazard.steal(late, '1')
  await hazard.steal(all[1] as hazard.World, '1')
  await feed.sync()
  expect([await budget.spentTotalUsd(), await all[1]?.budget.spentTotalUsd()]).toEqual(['3', '1'])
  await hazard.holds({ ...late, budget })
})

test('error: each is told of what fails, and the next look goes on', async () => {
  const { rpc, feed, all, errors } = await together(2)
  await hazard.steal(all[0] as hazard.World, '1')
  rpc.lie = () => Promise.reject(new Says(-32603, 'gone'))
  await feed.sync()
  expect(errors).toHaveLength(2)
  expect(errors).toMatchObject([{ code: 'RPC_FAILED' }, { code: 'RPC_FAILED' }])
  rpc.lie = honest
  await feed.sync()
  expect(await all[0]?.budget.spentTotalUsd()).toBe('1')
})

test('behavior: over a WebSocket a new block is read when it comes, without asking', async () => {
  const { budget, ...it } = await hazard.world(base, memory())
  await budget.close()
  const client = createPublicClient({
    chain: base.chain,
    transport: webSocket(base.url.replace('http', 'ws'), { retryCount: 0 }),
    cacheTime: 0,
  })
  const seen = new Promise<string>((resolve) => {
    const onReceipt = ({ event }: { event: string }) => resolve(event)
    void it.open(it.store, { client, onReceipt }).then(async (following) => {
      kit.later(async () => (await client.transport.getRpcClient()).close())
      await hazard.steal({ ...it, budget: following }, '1')
    })
  })
  expect(await seen).toBe('foreign')
})
