import { numberToHex } from 'viem'
import { describe, expect, test } from 'vitest'
import { useBase } from '../base.js'
import { assertSound } from '../ledger/books.js'
import * as kit from './kit.js'

const base = await useBase()
kit.endAfterEach()

describe.each(kit.cases)('$name', ({ kind, rail }) => {
  async function start() {
    const store = kit.books(kind)()
    const endpoint = kit.endpoint(base)
    return { store, endpoint, ...(await kit.approved(base, store, { rail }, { client: endpoint.client })) }
  }

  test('behavior: a sibling that is behind leaves out logs: nothing is released, and nothing paid twice', async () => {
    const { budget, endpoint, order, payee, grant, store } = await start()
    const sent = new Promise<void>((resolve) => {
      endpoint.answer = async ({ method }, forward) => {
        if (method === 'eth_getLogs') return []
        const answer = await forward()
        if (method === 'eth_sendRawTransaction') resolve()
        return answer
      }
    })
    const spending = budget.spend(order('a'))
    await sent
    await base.finalize()
    // On the direct rail the receipt tells of it, else what the guard has metered.
    const looking = budget.sync()
    if (rail === 'direct') await looking
    else await expect(looking).rejects.toMatchObject({ code: 'LOGS_MISSING' })
    expect(await budget.payment('a')).toMatchObject({ status: { direct: 'pulling', guard: 'paying' }[rail] })
    endpoint.answer = (_, forward) => forward()
    expect(await spending).toMatchObject({ key: 'a' })
    expect(await kit.balanceOf(base, payee, grant.token.address)).toBe(kit.usd('1'))
    await assertSound(store, grant.grantId)
    expect(await budget.verify()).toMatchObject({ equal: true })
  })

  test('behavior: an endpoint that gives logs of ten blocks at once is read to its head', async () => {
    const { budget, endpoint, order, ...account } = await start()
    await base.mine(45)
    endpoint.answer = async ({ method, params }, forward) => {
      const [range] = (params ?? []) as { fromBlock?: string; toBlock?: string }[]
      if (method === 'eth_getLogs' && Number(range?.toBlock) - Number(range?.fromBlock) >= 10) {
        throw Object.assign(new Error('query exceeds max block range 10'), { code: -32005 })
      }
      return forward()
    }
    expect(await budget.spend(order('a'))).toMatchObject({ key: 'a' })
    expect(await budget.verify()).toMatchObject({ equal: true })
    // From nothing too, where most of the way is final.
    await base.finalize()
    const rebuilt = await kit.open(base, account, kit.books(kind)(), { client: endpoint.client })
    expect(await rebuilt.spentTotalUsd()).toBe('1')
    expect(await rebuilt.verify()).toMatchObject({ equal: true })
  })

  test('behavior: a reorganisation in the middle of a reading: what was read is not believed', async () => {
    const { endpoint, store, order, budget, ...account } = await start()
    await budget.close()
    const quiet = await kit.open(base, account, store, { client: endpoint.client, pollMs: 3_600_000 })
    const before = await base.snapshot()
    await kit.stealSpend(base, account, kit.usd('4'))
    let done = false
    endpoint.answer = async ({ method }, forward) => {
      const answer = await forward()
      if (method !== 'eth_getLogs' || done) return answer
      done = true
      await kit.replaceBlocks(base, before, 1)
      return answer
    }
    await quiet.sync()
    expect(await quiet.spentTotalUsd()).toBe('0')
    expect(await quiet.verify()).toMatchObject({ equal: true })
  })

  test('behavior: a reorganisation in the middle of a reading that has put nothing in the place of a block yet', async () => {
    const { endpoint, store, order, budget, ...account } = await start()
    await budget.close()
    const quiet = await kit.open(base, account, store, { client: endpoint.client, pollMs: 3_600_000 })
    const before = await base.snapshot()
    await kit.stealSpend(base, account, kit.usd('4'))
    let gone: Promise<void> | undefined
    endpoint.answer = async ({ method }, forward) => {
      if (method === 'eth_getLogs') {
        gone ??= before()
        await gone
      }
      return forward()
    }
    await quiet.sync()
    await base.mine()
    await quiet.sync()
    expect(await quiet.spentTotalUsd()).toBe('0')
    expect(await quiet.verify()).toMatchObject({ equal: true })
  })

  test('behavior: an endpoint that falls behind the books is not believed', async () => {
    const { budget, endpoint, order } = await start()
    await budget.spend(order('a'))
    const behind = numberToHex((await base.client.getBlockNumber()) - 1n)
    const { request } = base.client
    endpoint.answer = ({ method, params }, forward) => {
      const [block] = (params ?? []) as string[]
      if (method !== 'eth_getBlockByNumber' || block !== 'latest') return forward()
      return request({ method, params: [behind, false] } as never)
    }
    await budget.sync()
    expect(await budget.payment('a')).toMatchObject({ status: 'paid' })
    expect(await budget.spentTotalUsd()).toBe('1')
  })

  test('behavior: an endpoint that forgets the final block is waited for, and nothing is reserved meanwhile', async () => {
    const { endpoint, store, order, budget: first, ...account } = await start()
    await base.finalize()
    await first.sync()
    await first.close()
    const { client } = endpoint
    const budget = await kit.open(base, account, store, { client, maxUnseenMs: 0 })
    const { finalNumber } = (await assertSound(store, account.grant.grantId)).grant
    endpoint.answer = async ({ method, params }, forward) => {
      const [block] = (params ?? []) as string[]
      return method === 'eth_getBlockByNumber' && block === numberToHex(finalNumber) ? null : forward()
    }
    await budget.sync()
    expect(await kit.refusal(budget.spend(order('a')))).toMatchObject({ code: 'CHAIN_UNSEEN' })
  })

  test('error: FINALITY_BROKEN where final blocks changed: everything halts, also what waits', async () => {
    const { endpoint, store, order, budget, ...account } = await start()
    const revert = await base.snapshot()
    await budget.spend(order('a'))
    await base.finalize()
    await budget.sync()
    let sent = () => {}
    const swallowed = new Promise<void>((resolve) => {
      sent = resolve
    })
    endpoint.answer = async ({ method }, forward) => {
      if (method !== 'eth_sendRawTransaction') return forward()
      sent()
      throw new Error('dropped')
    }
    const waiting = kit.refusal(budget.spend(order('b')))
    await swallowed
    await revert()
    await base.mine(70)
    const { grant: row } = await assertSound(store, account.grant.grantId)
    await expect(budget.sync()).rejects.toMatchObject({ code: 'FINALITY_BROKEN' })
    expect(await waiting).toMatchObject({
      code: 'FINALITY_BROKEN',
      retryable: false,
      figures: { block: row.finalNumber, expected: row.finalHash },
    })
    expect(await kit.refusal(budget.spend(order('c')))).toMatchObject({ code: 'FINALITY_BROKEN' })
    await budget.close()
    // It is the same when it is opened again, as long as the endpoint is on another chain.
    await expect(kit.open(base, account, store)).rejects.toMatchObject({ code: 'FINALITY_BROKEN' })
    expect((await assertSound(store, account.grant.grantId)).grant).toEqual(row)
  })

  test('behavior: on a chain that does not change, a look costs two requests', async () => {
    const { endpoint, budget, store, order, ...account } = await start()
    await budget.close()
    const quiet = await kit.open(base, account, store, { client: endpoint.client, pollMs: 3_600_000 })
    const methods: string[] = []
    endpoint.answer = ({ method }, forward) => {
      methods.push(method)
      return forward()
    }
    await quiet.sync()
    expect(methods).toEqual(['eth_getBlockByNumber', 'eth_getBlockByNumber'])
  })
})
