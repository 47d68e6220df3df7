import { HttpRequestError } from 'viem'
import { describe, expect, test } from 'vitest'
import { Guard, Permission, Purse } from '../../src/index.js'
import { useBase } from '../base.js'
import { assertSound } from '../ledger/books.js'
import * as guardKit from './guardKit.js'
import * as kit from './kit.js'

const base = await useBase()
kit.endAfterEach()

describe.each(kit.storeKinds)('$name', (kind) => {
  /** A budget with a trailing window of an hour, its endpoint, and the next payment of a key as another one could copy it. */
  async function start() {
    const store = kit.books(kind)()
    const endpoint = kit.endpoint(base)
    const terms = { rail: 'guard', perWindowUsd: '6', window: 3_600 } as const
    const account = await kit.approved(base, store, terms, { client: endpoint.client })
    return { ...account, store, endpoint }
  }

  test('behavior: what another agent pays counts, and settles nothing, however alike it is', async () => {
    const it = await start()
    const { budget, order, store, grant, payee, endpoint } = it
    const other = await guardKit.withGas(base)
    const theirs = await guardKit.sibling(base, it, { agent: other.address })
    const taken = guardKit.swallow(endpoint)
    const spending = budget.spend(order('a'))
    await taken
    const own = {
      number: await guardKit.numberOf(store, grant, 'a'),
      ref: Guard.reference(grant.grantId, 'a'),
    }
    await kit.payElsewhere(base, theirs, own, other)
    await budget.sync()
    expect(await budget.payment('a')).toMatchObject({ status: 'paying' })
    expect(await budget.totals()).toMatchObject({ total: kit.usd('1'), paid: 0n, reserved: kit.usd('1') })
    expect(await budget.verify()).toMatchObject({ equal: true })
    endpoint.answer = (_, forward) => forward()
    await spending
    expect(await kit.balanceOf(base, payee, grant.token.address)).toBe(kit.usd('2'))
    expect(await budget.remaining()).toMatchObject({ perDay: kit.usd('3'), perWindow: kit.usd('4') })
    const { events } = await assertSound(store, grant.grantId)
    expect(events.map(({ key, number }) => [key, number === null])).toEqual([
      [null, true],
      ['a', false],
    ])
    expect(await budget.verify()).toMatchObject({ equal: true })
  })

  test("behavior: a stranger's payment under the same grantId and reference, with money of its own, is nothing", async () => {
    const it = await start()
    const { budget, grant, store, order } = it
    const stranger = await kit.createAccount(base, { rail: 'guard' })
    const { grantId, allow } = grant
    const theirs = await guardKit.sibling(base, { ...stranger, payee: it.payee }, { grantId, allow })
    const ref = Guard.reference(grantId, 'a')
    const hash = await kit.payElsewhere(base, theirs, { ref }, stranger.agent)
    const { logs } = await base.client.getTransactionReceipt({ hash })
    expect(Guard.parseLogs(logs)).toMatchObject([{ type: 'paid', grantId, ref }])
    await budget.sync()
    expect(await budget.verify()).toMatchObject({ equal: true })
    expect((await assertSound(store, grantId)).events).toEqual([])
    await budget.spend(order('a'))
    expect(await budget.totals()).toMatchObject({ total: kit.usd('1') })
  })

  test.each([
    ['another window', { perWindow: kit.usd('6'), window: 600 }, '6'],
    ['no window', { perWindow: null, window: null }, '6'],
    ['the same window and another cap', { perWindow: kit.usd('5') }, '4'],
  ] as const)(
    'behavior: a sibling with %s counts for day and total, and for the window as its policy says',
    async (_, changes, left) => {
      const it = await start()
      const { budget, agent, grant, store } = it
      const sibling = await guardKit.sibling(base, it, changes)
      await kit.payElsewhere(base, sibling, { amount: kit.usd('2') }, agent)
      await budget.sync()
      expect(await budget.remaining()).toMatchObject({
        perDay: kit.usd('3'),
        total: kit.usd('6'),
        perWindow: kit.usd(left),
        period: kit.usd('5'),
      })
      const { receipts } = await assertSound(store, grant.grantId)
      expect(receipts).toMatchObject([{ event: 'foreign', note: 'FOREIGN_PAYMENT', amount: kit.usd('2') }])
      expect(await budget.verify()).toMatchObject({ equal: true })
      const { permission } = budget
      const used = await Guard.used(base.client, { permission })
      expect([used.perDay, used.perWindow]).toEqual([kit.usd('2'), kit.usd('6') - kit.usd(left)])
    },
  )

  test('behavior: fundings of a purse are payments out of the account', async () => {
    const it = await start()
    const { budget, agent, grant, store, order } = it
    const sibling = await guardKit.sibling(base, it, { rail: 'purse', maxFloat: kit.usd('3') })
    await guardKit.fund(base, agent, sibling, kit.usd('3'))
    await budget.sync()
    const purse = Purse.address(sibling.permission)
    expect(await assertSound(store, grant.grantId)).toMatchObject({
      events: [{ kind: 'payment', payee: purse, amount: kit.usd('3') }],
    })
    expect(await budget.remaining()).toMatchObject({ perDay: kit.usd('2'), perWindow: kit.usd('3') })
    expect(await kit.refusal(budget.spend(order('a', '3')))).toMatchObject({ cap: 'perDay' })
    expect(await budget.verify()).toMatchObject({ equal: true })
  })

  test('behavior: other grants of the account through the guard are none of these books', async () => {
    const it = await start()
    const other = await guardKit.withGas(base)
    const elsewhere = { grantId: Guard.task('another grant'), agent: other.address }
    const another = await guardKit.sibling(base, it, elsewhere)
    await kit.payElsewhere(base, another, { amount: kit.usd('2') }, other)
    await it.budget.sync()
    expect(await it.budget.totals()).toMatchObject({ today: 0n, total: 0n })
    expect((await assertSound(it.store, it.grant.grantId)).events).toEqual([])
    expect(await it.budget.verify()).toMatchObject({ equal: true })
  })

  test('behavior: a sibling whose approval the endpoint does not give is taken for one with the same policy', async () => {
    const it = await start()
    const { budget, endpoint, agent, store, grant } = it
    const sibling = await guardKit.sibling(base, it, { perWindow: null, window: null })
    await kit.payElsewhere(base, sibling, { amount: kit.usd('2') }, agent)
    const { refuse, stop } = refusing(endpoint)
    refuse(new Error('query exceeds max block range'))
    await budget.sync()
    expect(await budget.remaining()).toMatchObject({ perDay: kit.usd('3'), perWindow: kit.usd('4') })
    stop()
    await assertSound(store, grant.grantId)
    // More than there is, which can only refuse, and verify says so.
    const { checks } = await budget.verify()
    expect(checks.filter(({ equal }) => !equal).map(({ name }) => name)).toEqual(['window'])
  })

  test('behavior: while nobody answers for it, nothing is made up', async () => {
    const it = await start()
    const { budget, endpoint, agent, store, grant } = it
    const sibling = await guardKit.sibling(base, it, { perWindow: null, window: null })
    await kit.payElsewhere(base, sibling, { amount: kit.usd('2') }, agent)
    const { refuse, stop } = refusing(endpoint)
    refuse(new HttpRequestError({ url: 'https://rpc.example.com', status: 429 }))
    await expect(budget.sync()).rejects.toMatchObject({ code: 'RPC_FAILED' })
    stop()
    await budget.sync()
    expect(await budget.remaining()).toMatchObject({ perDay: kit.usd('3'), perWindow: kit.usd('6') })
    const { checks } = await budget.verify()
    expect(checks.filter(({ equal }) => !equal)).toEqual([])
    await assertSound(store, grant.grantId)
    expect(Permission.hash(sibling.permission)).not.toBe(Permission.hash(budget.permission))
  })

  /** An endpoint that answers no question about logs from the first block on. */
  function refusing(endpoint: ReturnType<typeof kit.endpoint>) {
    return {
      refuse(error: Error) {
        endpoint.answer = ({ method, params }, forward) => {
          const [range] = (params ?? []) as { fromBlock?: string }[]
          return method === 'eth_getLogs' && range?.fromBlock === '0x0' ? Promise.reject(error) : forward()
        }
      },
      stop() {
        endpoint.answer = (_, forward) => forward()
      },
    }
  }
})
