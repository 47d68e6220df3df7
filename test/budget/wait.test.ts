import { afterEach, describe, expect, test, vi } from 'vitest'
import { ChainError, Permission, type Receipt } from '../../src/index.js'
import { useBase } from '../base.js'
import { assertSound } from '../ledger/books.js'
import * as kit from './kit.js'

const base = await useBase()
kit.endAfterEach()
afterEach(() => {
  vi.useRealTimers()
})

describe.each(kit.cases)('$name', ({ kind, rail }) => {
  async function start(options: Parameters<typeof kit.approved>[3] = {}) {
    const store = kit.books(kind)()
    const endpoint = kit.endpoint(base)
    const account = await kit.approved(base, store, { rail }, { client: endpoint.client, ...options })
    return { store, endpoint, ...account }
  }

  test('behavior: while paused, what is reserved does not begin, and what has begun goes on', async () => {
    const open = kit.books(kind)
    const endpoint = kit.endpoint(base)
    const told: string[] = []
    let onReserved = () => {}
    const onReceipt = ({ event }: Receipt.Receipt) => {
      told.push(event)
      if (event === 'reserved') onReserved()
    }
    const account = await kit.approved(base, open(), { rail }, { client: endpoint.client, onReceipt })
    const { budget, order, agent } = account
    // The first payment is under way when the pause comes, the second is only reserved.
    let begun = () => {}
    const underWay = new Promise<void>((resolve) => {
      begun = resolve
    })
    let goOn = () => {}
    const paused = new Promise<void>((resolve) => {
      goOn = resolve
    })
    endpoint.answer = async ({ method }, forward) => {
      if (method !== 'eth_sendRawTransaction') return forward()
      endpoint.answer = (_, forward) => forward()
      begun()
      await paused
      return forward()
    }
    const first = budget.spend(order('a'))
    await underWay
    const reserved = new Promise<void>((resolve) => {
      onReserved = resolve
    })
    const second = budget.spend(order('b'))
    await reserved
    await budget.pause()
    goOn()
    await first
    await budget.sync()
    expect(await budget.payment('b')).toMatchObject({ status: 'reserved' })
    expect(await base.client.getTransactionCount({ address: agent.address })).toBe(
      { direct: 3, guard: 2 }[rail],
    )
    await budget.resume()
    expect(await second).toMatchObject({ key: 'b' })
    expect(told).toEqual(['reserved', 'reserved', 'paused', 'settled', 'resumed', 'settled'])
  })

  test('behavior: a replacement is told', async () => {
    const { budget, grant, store, agent } = await start()
    await budget.close()
    const told: string[] = []
    const permission = Permission.fromGrant(grant, { nonce: 1n })
    const onReceipt = ({ event }: Receipt.Receipt) => told.push(event)
    await kit.open(base, { grant, permission, agent }, store, { nonce: 1n, onReceipt })
    expect(told).toEqual(['replaced'])
  })

  test('behavior: a refused broadcast is told, with what the endpoint said and without its URL', async () => {
    const errors: unknown[] = []
    const { budget, endpoint, order } = await start({ onError: (error) => errors.push(error) })
    let refused = 0
    endpoint.answer = async ({ method }, forward) => {
      if (method !== 'eth_sendRawTransaction' || refused++ > 0) return forward()
      const said = 'transaction underpriced, see https://rpc.example.com/secret-key'
      throw Object.assign(new Error(said), { code: -32000 })
    }
    expect(await budget.spend(order('a'))).toMatchObject({ key: 'a' })
    expect(errors).toHaveLength(1)
    expect(errors[0]).toBeInstanceOf(ChainError)
    expect(errors[0]).toMatchObject({
      code: 'NOT_BROADCAST',
      retryable: true,
      figures: { nonce: 1, reason: 'transaction underpriced, see a URL' },
    })
    expect(String((errors[0] as Error).message)).not.toContain('secret-key')
  })

  test('behavior: that it is known already is no error', async () => {
    const errors: unknown[] = []
    const { budget, endpoint, order } = await start({ onError: (error) => errors.push(error) })
    endpoint.answer = async ({ method }, forward) => {
      if (method !== 'eth_sendRawTransaction') return forward()
      await forward()
      throw Object.assign(new Error('already known'), { code: -32000 })
    }
    expect(await budget.spend(order('a'))).toMatchObject({ key: 'a' })
    expect(errors).toEqual([])
  })

  test('behavior: the state of old blocks is asked for only while something is signed', async () => {
    const { budget, endpoint, order, store, grant } = await start()
    await budget.spend(order('a'))
    await base.finalize()
    await budget.sync()
    endpoint.answer = async ({ method, params }, forward) => {
      const [, block] = (params ?? []) as unknown[]
      if (method === 'eth_getTransactionCount' && typeof block === 'string' && block.startsWith('0x')) {
        throw Object.assign(new Error('missing trie node'), { code: -32000 })
      }
      return forward()
    }
    await base.mine(3)
    await budget.sync()
    const { grant: row } = await assertSound(store, grant.grantId)
    expect(row.headNumber).toBe(Number(await base.client.getBlockNumber()))
  })

  test('args: maxHeadAgeSeconds, nothing is reserved on a head that is older', async () => {
    const { budget, order, store, ...account } = await start()
    await budget.close()
    const headTime = await base.now()
    vi.useFakeTimers({ toFake: ['Date'], now: (headTime + 61) * 1000 })
    const careful = await kit.open(base, account, store, { maxHeadAgeSeconds: 60 })
    expect(await kit.refusal(careful.spend(order('a')))).toMatchObject({
      code: 'CHAIN_UNSEEN',
      retryable: true,
      figures: { headAgeSeconds: 61, maxHeadAgeSeconds: 60 },
    })
    vi.setSystemTime((headTime + 60) * 1000)
    expect(await careful.spend(order('a'))).toMatchObject({ key: 'a' })
  })

  test('error: CLOSED says whether the payment was reserved', async () => {
    const { budget, endpoint, order } = await start()
    const sent = new Promise<void>((resolve) => {
      endpoint.answer = async ({ method }, forward) => {
        if (method !== 'eth_sendRawTransaction') return forward()
        resolve()
        throw new Error('gone')
      }
    })
    const waiting = kit.refusal(budget.spend(order('a')))
    await sent
    await budget.close()
    expect(await waiting).toMatchObject({
      code: 'CLOSED',
      message: expect.stringContaining('stays reserved'),
    })
    const after = await kit.refusal(budget.spend(order('b')))
    expect(after).toMatchObject({ code: 'CLOSED', message: expect.stringContaining('nothing was reserved') })
  })
})
