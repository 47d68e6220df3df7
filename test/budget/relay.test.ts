// Somebody else sends what the agent signs: the agent needs no ETH, and the relay need not be believed.
import { createWalletClient, type Hex, http, numberToHex } from 'viem'
import { describe, expect, test } from 'vitest'
import {
  type Budget,
  GrantError,
  Guard,
  type OpenBudgetOptions,
  Relay,
  type Store,
  Time,
} from '../../src/index.js'
import { lifetime } from '../../src/Payment.js'
import { useBase } from '../base.js'
import { assertSound } from '../ledger/books.js'
import { honest, startRpc } from '../ledger/rpc.js'
import * as guardKit from './guardKit.js'
import * as kit from './kit.js'

const base = await useBase()
kit.endAfterEach()

const rail = 'guard'
type Call = Guard.Call

/** A relay by an account with ETH, and what it was given. */
async function relay() {
  const account = await guardKit.withGas(base)
  const client = createWalletClient({ account, chain: base.chain, transport: http(base.url) })
  const send = Relay.fromClient(client)
  const given: Call[] = []
  const state = {
    account,
    given,
    /** What it does with a call. */
    answer: (call: Call): Promise<unknown> => send(call),
    send,
    relay: (call: Call): Promise<unknown> => {
      given.push(call)
      return state.answer(call)
    },
  }
  return state
}

describe.each(kit.storeKinds)('$name', (kind) => {
  /** An account whose agent has no ETH. */
  async function start(options: Partial<OpenBudgetOptions> = {}, store: Store = kit.books(kind)()) {
    const relayer = await relay()
    const account = await kit.createAccount(base, { rail }, { eth: '0' })
    const told: unknown[] = []
    const onError = (error: unknown) => told.push(error)
    const budget = await kit.open(base, account, store, { relay: relayer.relay, onError, ...options })
    await budget.approve({ signature: account.signature })
    const received = () => kit.balanceOf(base, account.payee, account.grant.token.address)
    return { ...account, relayer, told, store, budget, received, order: kit.order(account) }
  }
  type Started = Awaited<ReturnType<typeof start>>

  async function isDone({ budget, store, grant, agent }: Started, live: Budget = budget) {
    await assertSound(store, grant.grantId)
    expect(await live.verify()).toMatchObject({ equal: true })
    expect(await base.client.getTransactionCount({ address: agent.address })).toBe(0)
    expect(await base.client.getBalance({ address: agent.address })).toBe(0n)
  }

  const given = (it: Started, count: number) => untilGiven(it.budget, it.relayer.given, count)
  async function untilGiven(budget: Budget, calls: readonly Call[], count: number) {
    for (let round = 0; calls.length < count && round < 50; round++) await budget.sync()
    expect(calls).toHaveLength(count)
  }

  test('default: an agent with 0 ETH has its grant approved, pays and replaces', async () => {
    const it = await start()
    const spent = await it.budget.spend(it.order('a'))
    const { from } = await base.client.getTransaction({ hash: spent.txHash })
    expect(from).toBe(it.relayer.account.address.toLowerCase())
    await it.budget.replace(await guardKit.renewed(it.budget, it, { perCall: kit.usd('4') }))
    await it.budget.spend(it.order('b'))
    expect(await it.received()).toBe(kit.usd('2'))
    expect(it.told).toEqual([])
    await isDone(it)
  })

  test('behavior: ten at once are one call', async () => {
    const it = await start()
    const approvals = it.relayer.given.length
    const held = kit.endpoint(base)
    const budget = await kit.open(base, it, it.store, { relay: it.relayer.relay, client: held.client })
    await it.budget.close()
    let release = () => {}
    const gate = new Promise<void>((resolve) => {
      release = resolve
    })
    held.answer = async (_, forward) => {
      await gate
      return forward()
    }
    const keys = Array.from({ length: 5 }, (_, i) => `k${i}`)
    const spends = keys.map((key) => budget.spend(it.order(key)))
    for (const key of keys) while (!(await budget.payment(key))) await new Promise(setImmediate)
    release()
    await Promise.all(spends)
    expect(it.relayer.given.length - approvals).toBe(1)
    expect(await it.received()).toBe(kit.usd('5'))
    await isDone(it, budget)
  })

  test('behavior: one that says it sent, and did not, is given it again, the same bytes; paid once', async () => {
    const it = await start()
    it.relayer.answer = async () => `0x${'11'.repeat(32)}`
    const spending = it.budget.spend(it.order('a'))
    const before = it.relayer.given.length
    await given(it, before + 1)
    await base.mine(9)
    await it.budget.sync()
    await given(it, before + 1)
    it.relayer.answer = it.relayer.send
    await base.mine()
    await spending
    const [first, second] = it.relayer.given.slice(before)
    expect(second).toEqual(first)
    expect(await it.received()).toBe(kit.usd('1'))
    await isDone(it)
  })

  test('behavior: one that never sends: released by the deadline and nothing else, and what it keeps pays nobody', async () => {
    const it = await start()
    it.relayer.answer = async () => undefined
    const spending = kit.settledAs(it.budget.spend(it.order('a')))
    await given(it, it.relayer.given.length + 1)
    await base.mine(200)
    await it.budget.sync()
    expect(await it.budget.payment('a')).toMatchObject({ status: 'paying' })
    expect(await it.budget.reserved()).toBe(kit.usd('1'))
    await base.warp((await base.now()) + 2 * lifetime + Time.day)
    const handed = it.relayer.given.length
    await it.budget.sync()
    expect(await it.budget.payment('a')).toMatchObject({ status: 'paying' })
    await base.finalize()
    await it.budget.sync()
    expect(await spending).toMatchObject({ code: 'RELEASED' })
    // Past its deadline it is not given again, and comes too late.
    expect(it.relayer.given).toHaveLength(handed)
    const last = it.relayer.given.at(-1)
    if (!last) throw new Error('It was given something.')
    await expect(it.relayer.send(last)).rejects.toThrow()
    it.relayer.answer = it.relayer.send
    await it.budget.spend(it.order('a'))
    expect(await it.received()).toBe(kit.usd('1'))
    await isDone(it)
  })

  test('behavior: one that sends twice pays once', async () => {
    const it = await start()
    const { account } = it.relayer
    it.relayer.answer = async (call) => {
      for (let time = 0; time < 2; time++)
        await base.client.sendTransactionSync({ account, ...call, gas: 1_000_000n })
    }
    await it.budget.spend(it.order('a'))
    await it.budget.sync()
    expect(await base.client.getTransactionCount({ address: account.address })).toBe(3)
    expect(await it.received()).toBe(kit.usd('1'))
    await isDone(it)
  })

  test('error: RELAY_FAILED is told, without what could be a secret, and it is given the call again', async () => {
    const it = await start()
    it.relayer.answer = async () => {
      throw new TypeError('fetch failed: https://user:secret@relay.example')
    }
    const spending = it.budget.spend(it.order('a'))
    await given(it, it.relayer.given.length + 1)
    it.relayer.answer = it.relayer.send
    await base.mine(10)
    await spending
    const [error] = it.told
    expect(error).toBeInstanceOf(GrantError)
    expect(error).toMatchObject({ code: 'RELAY_FAILED', retryable: true })
    expect(String(error)).not.toContain('secret')
  })

  test('behavior: what its node has dropped does not hold up the next call', async () => {
    const { account, send } = await relay()
    const call = (data: Hex) => ({ to: kit.freshAddress(), data, value: 0n })
    await base.client.setAutomine(false)
    const dropped = (await send(call('0x01'))) as Hex
    await base.client.dropTransaction({ hash: dropped })
    await send(call('0x02'))
    await base.mine(1)
    await base.client.setAutomine(true)
    expect(await base.client.getTransactionCount({ address: account.address })).toBe(1)
  })

  test('behavior: one that hangs holds nothing up', async () => {
    const it = await start()
    it.relayer.answer = () => new Promise(() => {})
    const first = it.budget.spend(it.order('a'))
    await given(it, it.relayer.given.length + 1)
    it.relayer.answer = it.relayer.send
    await base.mine()
    await it.budget.spend(it.order('b'))
    await base.mine(10)
    await first
    expect(await it.received()).toBe(kit.usd('2'))
    await isDone(it)
  })

  test('behavior: a stranger that gets hold of the call pays it, and that is the payment', async () => {
    const it = await start()
    it.relayer.answer = async () => undefined
    const spending = it.budget.spend(it.order('a'))
    await given(it, it.relayer.given.length + 1)
    const stranger = await guardKit.withGas(base)
    const call = it.relayer.given.at(-1)
    if (!call) throw new Error('It was given something.')
    const txHash = await kit.steal(base, stranger, call)
    expect(await spending).toMatchObject({ txHash })
    await isDone(it)
  })

  test('behavior: closed between what is stored and what is given, it is given when opened again', async () => {
    const open = kit.books(kind)
    const it = await start({}, open())
    it.relayer.answer = () => new Promise(() => {})
    const spending = kit.settledAs(it.budget.spend(it.order('a')))
    await given(it, it.relayer.given.length + 1)
    await it.budget.close()
    expect(await spending).toMatchObject({ code: 'CLOSED' })
    const other = await relay()
    const again = await kit.open(base, it, open(), { relay: other.relay })
    await base.mine(10)
    await kit.untilPaid(again, 'a')
    expect(await it.received()).toBe(kit.usd('1'))
    await isDone(it, again)
  })

  test('error: revoke is for the agent itself to send, which has no ETH', async () => {
    const it = await start()
    expect(await kit.refusal(it.budget.revoke())).toMatchObject({ code: 'GAS_LOW' })
  })

  test('error: MISMATCH on the direct rail, where the agent sends by itself', async () => {
    const account = await kit.createAccount(base)
    const { relay: given } = await relay()
    await expect(kit.open(base, account, kit.books(kind)(), { relay: given })).rejects.toMatchObject({
      code: 'MISMATCH',
    })
  })

  describe('books that were lost', () => {
    /** A payment that a relay was given and has not sent, and books that know nothing of it. */
    async function lost(options: Partial<OpenBudgetOptions> = {}) {
      await kit.morning(base)
      const it = await start()
      it.relayer.answer = async () => undefined
      const spending = kit.settledAs(it.budget.spend(it.order('a')))
      await given(it, it.relayer.given.length + 1)
      await it.budget.close()
      await spending
      it.relayer.answer = it.relayer.send
      const rebuilt = await kit.open(base, it, kit.books(kind)(), { relay: it.relayer.relay, ...options })
      return { ...it, rebuilt }
    }

    test('behavior: empty ones of an approved permission reserve nothing until what was given cannot land', async () => {
      const it = await lost()
      const error = await kit.refusal(it.rebuilt.spend(it.order('a')))
      expect(error).toMatchObject({ code: 'BOOKS_INCOMPLETE', retryable: true })
      const [call] = it.relayer.given.slice(-1)
      if (!call) throw new Error('It was given something.')
      await kit.mined(base, await it.relayer.send(call))
      await it.rebuilt.sync()
      expect(await it.rebuilt.spend(it.order('a'))).toMatchObject({ key: 'a' })
      await kit.quiet(base, it.rebuilt)
      await it.rebuilt.spend(it.order('b'))
      expect(await it.received()).toBe(kit.usd('2'))
    })

    test("args: books: 'new', the operator says that there were none before", async () => {
      const account = await kit.createAccount(base, { rail }, { eth: '0' })
      const { relay: send } = await relay()
      const first = await kit.open(base, account, kit.books(kind)(), { relay: send })
      await first.approve({ signature: account.signature })
      await first.close()
      const budget = await kit.open(base, account, kit.books(kind)(), { relay: send, books: 'new' })
      expect(await budget.spend(kit.order(account)('a'))).toMatchObject({ key: 'a' })
    })

    test("args: books: 'restored', a backup waits, which nobody could know otherwise", async () => {
      await kit.morning(base)
      const open = kit.books(kind)
      const it = await start({}, open())
      await it.budget.close()
      const restored = await kit.open(base, it, open(), { relay: it.relayer.relay, books: 'restored' })
      expect(await kit.refusal(restored.spend(it.order('a')))).toMatchObject({ code: 'BOOKS_INCOMPLETE' })
      await kit.quiet(base, restored)
      expect(await restored.spend(it.order('a'))).toMatchObject({ key: 'a' })
    })

    test('behavior: also where the endpoint was behind when they were opened', async () => {
      await kit.morning(base)
      const open = kit.books(kind)
      const store = open()
      const it = await start({}, store)
      await base.mine(2)
      await it.budget.sync()
      await it.budget.close()
      const { grant, permission, agent } = it
      const row = await store.transact(grant.grantId, (tx) => tx.get('grants', { grantId: grant.grantId }))
      const number = Guard.number(BigInt(row?.lane ?? 0), 3)
      const batch = await kit.batchElsewhere(base, it, { number })
      const signature = await Guard.signBatch(agent, { permission, batch })
      await kit.mined(
        base,
        await it.relayer.send(Guard.preparePayWithSignature({ permission, batch, signature })),
      )
      const rpc = await startRpc(base)
      kit.later(rpc.stop)
      const behind = numberToHex((row?.headNumber ?? 0) - 1)
      rpc.lie = ({ method, params }, forward) =>
        method === 'eth_getBlockByNumber' && params[0] === 'latest'
          ? forward({ method, params: [behind, false] })
          : forward()
      const options = { relay: it.relayer.relay, client: rpc.client, pollMs: 3_600_000 }
      const restored = await kit.open(base, it, open(), options)
      rpc.lie = honest
      await restored.sync()
      const { order } = it
      expect(await kit.refusal(restored.spend(order('a')))).toMatchObject({ code: 'BOOKS_INCOMPLETE' })
    })

    test('behavior: a number of its own on chain that it never took tells of a backup', async () => {
      await kit.morning(base)
      const open = kit.books(kind)
      const it = await start({}, open())
      await it.budget.close()
      const row = await it.store.transact(it.grant.grantId, (tx) =>
        tx.get('grants', { grantId: it.grant.grantId }),
      )
      const batch = await kit.batchElsewhere(base, it, { number: Guard.number(BigInt(row?.lane ?? 0), 3) })
      const signature = await Guard.signBatch(it.agent, { permission: it.permission, batch })
      const { permission } = it
      await kit.mined(
        base,
        await it.relayer.send(Guard.preparePayWithSignature({ permission, batch, signature })),
      )
      const restored = await kit.open(base, it, open(), { relay: it.relayer.relay })
      const { retryAt } = await kit.refusal(restored.spend(it.order('a')))
      expect(retryAt).toBeGreaterThan(await base.now())
      await restored.close()
      await base.warp((await base.now()) + 100)
      const again = await kit.open(base, it, open(), { relay: it.relayer.relay })
      expect(await kit.refusal(again.spend(it.order('a')))).toMatchObject({ retryAt })
    })
  })
})
