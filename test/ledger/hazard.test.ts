/** What can go wrong with a chain and the way to it, each by its name. Afterwards the books equal the chain. */
import { createPublicClient, http, numberToHex } from 'viem'
import { describe, expect, test } from 'vitest'
import { type OpenBudgetOptions, Time } from '../../src/index.js'
import { useBase } from '../base.js'
import * as guardKit from '../budget/guardKit.js'
import * as kit from '../budget/kit.js'
import { assertSound } from './books.js'
import * as hazard from './hazardKit.js'
import { honest, Says, Status, silence, widthOf } from './rpc.js'

const base = await useBase()
kit.endAfterEach()

describe.each(kit.storeKinds)('$name', (kind) => {
  const start = (options: Parameters<typeof hazard.world>[2] = {}) =>
    hazard.world(base, kit.books(kind)(), options)

  describe('reorganisations', () => {
    const depths = kind.name === 'memory' ? [1, 2, 17, 64] : [5]

    test.each(depths)(
      'behavior: %i blocks that drop a payment: it is paid again, and once',
      async (depth) => {
        const it = await start()
        const back = await base.snapshot()
        await hazard.pay(it, 'a')
        await base.mine(depth - 1)
        await it.budget.sync()
        await kit.replaceBlocks(base, back, depth)
        it.rpc.lie = (asked, forward) =>
          asked.method === 'eth_sendRawTransaction' ? Promise.reject(new Says(-32000, 'not now')) : forward()
        await it.budget.sync()
        expect(await it.budget.payment('a')).toMatchObject({ status: 'paying' })
        await hazard.holds(it)
        it.rpc.lie = honest
        await kit.untilPaid(it.budget, 'a')
        await hazard.holds(it)
        expect(await hazard.timesPaid(it, 'a')).toBe(1)
      },
    )

    test.each(depths.filter((depth) => depth > 1))(
      'behavior: %i blocks in another order: each payment at its new place',
      async (depth) => {
        const it = await start()
        const raw = await hazard.signed(it, 'a')
        const stealing = await otherAgent(it)
        const back = await base.snapshot()
        await hazard.include(base, raw)
        await stealing()
        await base.mine(Math.max(0, depth - 2))
        await it.budget.sync()
        expect(await it.budget.payment('a')).toMatchObject({ status: 'paid' })
        await back()
        await base.nextBlockAt((await base.now()) + 7)
        await stealing()
        await hazard.include(base, raw)
        await base.mine(Math.max(0, depth - 2))
        await hazard.holds(it)
        const { events } = await assertSound(it.store, it.grant.grantId)
        expect(events.map(({ key }) => key)).toEqual([null, 'a'])
      },
    )

    test.each(depths)(
      "behavior: %i blocks with another payment in the agent's nonce: never both",
      async (depth) => {
        const it = await start()
        const back = await base.snapshot()
        await hazard.pay(it, 'a')
        await base.mine(depth - 1)
        await it.budget.sync()
        await back()
        await base.nextBlockAt((await base.now()) + 7)
        await hazard.steal(it, '2')
        await base.mine(depth - 1)
        await hazard.holds(it)
        expect(await it.budget.spentTotalUsd()).toBe((await hazard.timesPaid(it, 'a')) === 1 ? '3' : '2')
        await base.finalize()
        await it.budget.sync()
        if ((await it.budget.payment('a'))?.status === 'released') await hazard.pay(it, 'a')
        else await kit.untilPaid(it.budget, 'a')
        await hazard.holds(it)
        expect(await hazard.timesPaid(it, 'a')).toBe(1)
      },
    )

    /** Has the payee paid by another agent of the grant, in a block of its own. */
    async function otherAgent(it: hazard.World) {
      const other = await base.createAccount()
      const theirs = await guardKit.sibling(base, it, { agent: other.address })
      return () => kit.payElsewhere(base, theirs, {}, other)
    }
  })

  test('behavior: re-inclusion after a release was considered: paid, and once', async () => {
    const it = await start()
    const raw = await hazard.signed(it, 'a')
    const back = await base.snapshot()
    // By the latest block its deadline has passed, by the final one it has not.
    await base.warp((await base.now()) + Time.day)
    await it.budget.sync()
    expect(await it.budget.payment('a')).toMatchObject({ status: 'paying' })
    expect(await it.budget.reserved()).toBe(kit.usd('1'))
    await back()
    await base.nextBlockAt((await base.now()) + 7)
    await hazard.include(base, raw)
    await base.mine(2)
    await it.budget.sync()
    expect(await it.budget.payment('a')).toMatchObject({ status: 'paid' })
    await base.finalize()
    await hazard.holds(it)
    expect(await hazard.timesPaid(it, 'a')).toBe(1)
  })

  test('behavior: the same block twice: nothing is read again, nothing changes', async () => {
    const it = await start()
    await hazard.pay(it, 'a')
    await base.finalize()
    await it.budget.sync()
    const rows = await assertSound(it.store, it.grant.grantId)
    it.rpc.asked.length = 0
    await it.budget.sync()
    expect(it.rpc.asked.map(({ method }) => method)).toEqual(['eth_getBlockByNumber', 'eth_getBlockByNumber'])
    // By another worker, which begins with what the first one has.
    const again = await it.open(it.store)
    await again.sync()
    expect(await assertSound(it.store, it.grant.grantId)).toEqual(rows)
  })

  test('behavior: a gap: what happened meanwhile is found, with as many blocks at once as the endpoint gives', async () => {
    const it = await start()
    await it.budget.close()
    await hazard.steal(it, '1')
    await base.mine(60)
    await hazard.steal(it, '2')
    await base.mine(150)
    await hazard.steal(it, '3')
    const widths: number[] = []
    it.rpc.lie = (asked, forward) => {
      if (asked.method !== 'eth_getLogs') return forward()
      widths.push(widthOf(asked))
      if (widthOf(asked) > 20) throw new Says(-32005, 'query exceeds max block range 20')
      return forward()
    }
    const budget = await it.open(it.store)
    expect(await budget.spentTotalUsd()).toBe('6')
    await hazard.holds({ ...it, budget })
    // Once it is known what is too wide, more is tried only now and then.
    expect(widths.filter((width) => width > 20).length).toBeLessThan(widths.length / 2)
  })

  test('behavior: a restart in the middle of a long way: it goes on where it was', async () => {
    const it = await start()
    await it.budget.close()
    await hazard.steal(it, '1')
    await base.mine(300)
    await hazard.steal(it, '2')
    it.rpc.lie = (asked, forward) => {
      if (asked.method === 'eth_getLogs' && widthOf(asked) > 50) throw new Says(-32005, 'range too wide')
      return forward()
    }
    const pages: Parameters<NonNullable<OpenBudgetOptions['onProgress']>>[0][] = []
    const stop = new Error('The power is cut.')
    const onProgress = (page: (typeof pages)[number]) => {
      pages.push(page)
      if (pages.length === 2) throw stop
    }
    await expect(it.open(it.store, { onProgress })).rejects.toBe(stop)
    const { grant: row } = await assertSound(it.store, it.grant.grantId)
    const [first, second] = pages
    expect(row.finalNumber).toBe(second?.at)
    expect(second).toMatchObject({ from: first?.from, to: Number(await base.client.getBlockNumber()) })
    expect(second?.blocksPerSecond).toBeGreaterThan(0)
    expect(Number.isInteger(second?.endsAt)).toBe(true)
    expect(second?.at).toBeGreaterThan(first?.at ?? Number.NaN)
    it.rpc.asked.length = 0
    const budget = await it.open(it.store)
    const asked = it.rpc.asked.filter(({ method }) => method === 'eth_getLogs')
    const from = asked.map(({ params }) =>
      Number((params as { fromBlock?: string }[])[0]?.fromBlock ?? Number.NaN),
    )
    expect(Math.min(...from.filter((number) => !Number.isNaN(number)))).toBe(row.finalNumber + 1)
    expect(await budget.spentTotalUsd()).toBe('3')
    await hazard.holds({ ...it, budget })
  })

  describe('an endpoint that', () => {
    /** Something that the books have not seen, in the middle of some blocks. */
    async function missed(it: hazard.World) {
      await base.mine(3)
      await hazard.steal(it, '2')
      await base.mine(3)
      it.rpc.asked.length = 0
    }

    test('behavior: answers 429: the same is asked for again, and no less', async () => {
      const it = await start()
      await missed(it)
      let left = 3
      it.rpc.lie = (asked, forward) => {
        if (asked.method === 'eth_getLogs' && left-- > 0) throw new Status(429)
        return forward()
      }
      await it.budget.sync()
      expect(await it.budget.spentTotalUsd()).toBe('2')
      const widths = it.rpc.asked.filter(({ method }) => method === 'eth_getLogs').map(widthOf)
      expect(new Set(widths)).toEqual(new Set([7]))
      it.rpc.lie = honest
      await hazard.holds(it)
    })

    test('behavior: answers 429 and nothing else: the round fails, and the next one goes on', async () => {
      const it = await start()
      await missed(it)
      it.rpc.lie = () => Promise.reject(new Status(429))
      await expect(it.budget.sync()).rejects.toMatchObject({ code: 'RPC_FAILED', retryable: true })
      it.rpc.lie = honest
      await hazard.holds(it)
      expect(await it.budget.spentTotalUsd()).toBe('2')
    })

    test('behavior: times out: it is asked again, and for less when that takes too long as well', async () => {
      const it = await start()
      await missed(it)
      it.rpc.lie = (asked, forward) => {
        if (asked.method === 'eth_getLogs' && widthOf(asked) > 3) throw new Status(504)
        return forward()
      }
      await it.budget.sync()
      expect(await it.budget.spentTotalUsd()).toBe('2')
      it.rpc.lie = honest
      await hazard.holds(it)
    })

    test('behavior: says nothing at all: the round fails, and the next one goes on', async () => {
      const it = await start()
      await missed(it)
      await it.budget.close()
      const transport = http(it.rpc.url, { retryCount: 0, timeout: 300 })
      const client = createPublicClient({ chain: base.chain, transport, pollingInterval: 1, cacheTime: 0 })
      const budget = await it.open(it.store, { client })
      await missed(it)
      it.rpc.lie = (asked, forward) => (asked.method === 'eth_getLogs' ? silence : forward())
      await expect(budget.sync()).rejects.toMatchObject({ code: 'RPC_FAILED', retryable: true })
      it.rpc.lie = honest
      await hazard.holds({ ...it, budget })
      expect(await budget.spentTotalUsd()).toBe('4')
    })

    test.each([
      ['null', () => null],
      ['logs that are null', () => [null]],
      [
        'a log without a block',
        (logs: unknown[]) => logs.map((log) => ({ ...(log as object), blockHash: null })),
      ],
      [
        'logs of other blocks',
        (logs: unknown[]) => logs.map((log) => ({ ...(log as object), blockNumber: '0x1' })),
      ],
    ])('behavior: answers with %s: nothing is believed', async (_, lie) => {
      const it = await start()
      await missed(it)
      it.rpc.lie = async (asked, forward) => {
        const answer = await forward()
        return asked.method === 'eth_getLogs' ? lie(answer as unknown[]) : answer
      }
      await expect(it.budget.sync()).rejects.toMatchObject({ code: 'RPC_FAILED' })
      expect(await it.budget.spentTotalUsd()).toBe('0')
      it.rpc.lie = honest
      await hazard.holds(it)
      expect(await it.budget.spentTotalUsd()).toBe('2')
    })

    test.each(kit.rails)(
      'behavior: leaves out logs: LOGS_MISSING, and nothing is reserved, %s',
      async (rail) => {
        const it = await start({ rail })
        await missed(it)
        it.rpc.lie = async (asked, forward) => (asked.method === 'eth_getLogs' ? [] : forward())
        await expect(it.budget.sync()).rejects.toMatchObject({
          code: 'LOGS_MISSING',
          retryable: true,
          figures: { books: 0n, chain: kit.usd('2') },
        })
        expect(await kit.refusal(it.budget.spend(it.order('a')))).toMatchObject({ code: 'LOGS_MISSING' })
        it.rpc.lie = honest
        await hazard.holds(it)
        expect(await it.budget.spentTotalUsd()).toBe('2')
        await hazard.pay(it, 'a')
        await hazard.holds(it)
      },
    )

    test('behavior: leaves out logs once: they are asked for again at once', async () => {
      const it = await start()
      await missed(it)
      let left = 2
      it.rpc.lie = async (asked, forward) => (asked.method === 'eth_getLogs' && left-- > 0 ? [] : forward())
      await it.budget.sync()
      expect(await it.budget.spentTotalUsd()).toBe('2')
      await hazard.holds(it)
    })

    test('behavior: lags behind its sibling: what it leaves out is found when it is final, at the latest', async () => {
      // On the direct rail the transfers of the agent are metered by nobody: they have to be read twice.
      const it = await start({ rail: 'direct' })
      await hazard.pay(it, 'a')
      await kit.stealPull(base, it, kit.usd('1'))
      await kit.stealTransfer(base, it, kit.usd('1'))
      await base.mine(1)
      it.rpc.lie = async (asked, forward) => {
        const answer = await forward()
        const isTransfers = JSON.stringify(asked.params).includes(it.grant.token.address)
        return asked.method === 'eth_getLogs' && isTransfers ? [] : answer
      }
      await it.budget.sync()
      it.rpc.lie = honest
      await it.budget.sync()
      const sent = async () =>
        (await assertSound(it.store, it.grant.grantId)).events.filter(({ kind }) => kind === 'transfer')
          .length
      expect(await sent()).toBe(1)
      await base.finalize()
      await it.budget.sync()
      expect(await sent()).toBe(2)
      await hazard.holds(it)
    })

    test('behavior: is behind its sibling with blocks as well: its own are no step back', async () => {
      const it = await start()
      await hazard.pay(it, 'a')
      const behind = (await base.client.getBlockNumber()) - 1n
      it.rpc.lie = ({ method, params }, forward) =>
        method === 'eth_getBlockByNumber' && params[0] === 'latest'
          ? forward({ method, params: [numberToHex(behind), false] })
          : forward()
      await it.budget.sync()
      expect(await it.budget.payment('a')).toMatchObject({ status: 'paid' })
      it.rpc.lie = honest
      await hazard.holds(it)
    })

    test('behavior: forgets a block it had: the round waits, nothing is reserved, nothing lost', async () => {
      const it = await start()
      await hazard.pay(it, 'a')
      await base.finalize()
      await it.budget.sync()
      const strict = await it.open(it.store, { maxUnseenMs: 0 })
      const { grant: row } = await assertSound(it.store, it.grant.grantId)
      await base.mine(1)
      it.rpc.lie = ({ method, params }, forward) =>
        method === 'eth_getBlockByNumber' && params[0] === numberToHex(row.finalNumber)
          ? Promise.resolve(null)
          : forward()
      await it.budget.sync()
      const { finalNumber, headNumber } = (await assertSound(it.store, it.grant.grantId)).grant
      expect([finalNumber, headNumber]).toEqual([row.finalNumber, row.headNumber])
      expect(await kit.refusal(strict.spend(it.order('b')))).toMatchObject({ code: 'CHAIN_UNSEEN' })
      it.rpc.lie = honest
      await hazard.holds(it)
    })

    test('behavior: forgets the head that the books have: it is read anew from the last block that stands', async () => {
      const it = await start()
      await hazard.pay(it, 'a')
      await base.mine(3)
      await it.budget.sync()
      const { grant: row } = await assertSound(it.store, it.grant.grantId)
      await base.mine(3)
      it.rpc.lie = ({ method, params }, forward) =>
        method === 'eth_getBlockByNumber' && params[0] === numberToHex(row.headNumber)
          ? Promise.resolve(null)
          : forward()
      await hazard.steal(it, '2')
      await it.budget.sync()
      expect(await it.budget.spentTotalUsd()).toBe('3')
      it.rpc.lie = honest
      await hazard.holds(it)
    })

    test('behavior: lies about finality: FINALITY_BROKEN, everything halts, nothing is paid twice', async () => {
      const it = await start()
      const back = await base.snapshot()
      await hazard.pay(it, 'a')
      it.rpc.lie = ({ method, params }, forward) =>
        method === 'eth_getBlockByNumber' && params[0] === 'finalized'
          ? forward({ method, params: ['latest', false] })
          : forward()
      await base.mine(1)
      await it.budget.sync()
      expect(await it.budget.payment('a')).toMatchObject({ status: 'paid', final: true })
      await kit.replaceBlocks(base, back, 5)
      const times = await hazard.timesPaid(it, 'a')
      await expect(it.budget.sync()).rejects.toMatchObject({ code: 'FINALITY_BROKEN' })
      expect(await kit.refusal(it.budget.spend(it.order('b')))).toMatchObject({ code: 'FINALITY_BROKEN' })
      await expect(it.budget.sync()).rejects.toMatchObject({ code: 'FINALITY_BROKEN' })
      expect([times, await hazard.timesPaid(it, 'a'), await hazard.timesPaid(it, 'b')]).toEqual([0, 0, 0])
    })
  })

  test('behavior: a new block costs the same whatever is provisional', async () => {
    const it = await start()
    await base.finalize()
    await it.budget.sync()
    /** Requests, and blocks that logs were asked of, for the next block and a payment in it. */
    const cost = async () => {
      await hazard.steal(it, '1')
      it.rpc.asked.length = 0
      await it.budget.sync()
      const logs = it.rpc.asked.filter(({ method }) => method === 'eth_getLogs')
      return [it.rpc.asked.length, logs.reduce((sum, asked) => sum + widthOf(asked), 0)]
    }
    // Nothing becomes final meanwhile.
    const settled = numberToHex((await assertSound(it.store, it.grant.grantId)).grant.finalNumber)
    it.rpc.lie = ({ method, params }, forward) =>
      method === 'eth_getBlockByNumber' && params[0] === 'finalized'
        ? forward({ method, params: [settled, false] })
        : forward()
    const first = await cost()
    await base.mine(50)
    await it.budget.sync()
    expect(await cost()).toEqual(first)
    await base.mine(50)
    await it.budget.sync()
    expect(await cost()).toEqual(first)
    // When a block becomes final with each that is new, each is read once more, and that is all.
    it.rpc.lie = honest
    await base.mine(1)
    await it.budget.sync()
    const [, blocks = 0] = await cost()
    expect(blocks).toBeLessThanOrEqual(2 * (first[1] ?? 0))
    await hazard.holds(it)
  })
})
