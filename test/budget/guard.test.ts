import { describe, expect, test } from 'vitest'
import { Guard, type Store, Time } from '../../src/index.js'
import { lifetime } from '../../src/Payment.js'
import { useBase } from '../base.js'
import { assertSound } from '../ledger/books.js'
import * as guardKit from './guardKit.js'
import * as kit from './kit.js'

const base = await useBase()
kit.endAfterEach()

const rail = 'guard'

describe.each(kit.storeKinds)('$name', (kind) => {
  const store = () => kit.books(kind)()

  test('default', async () => {
    const { budget, grant, payee, agent, order } = await kit.approved(base, store(), { rail })
    const spent = await budget.spend({ ...order('a'), host: 'api.example.com', task: 'report' })
    const { logs, from } = await base.client.getTransactionReceipt({ hash: spent.txHash })
    expect(Guard.parseLogs(logs)).toMatchObject([
      {
        type: 'paid',
        payee,
        amount: kit.usd('1'),
        ref: Guard.reference(grant.grantId, 'a'),
        task: Guard.task('report'),
      },
    ])
    expect(from).toBe(agent.address.toLowerCase())
    expect(await kit.balanceOf(base, payee, grant.token.address)).toBe(kit.usd('1'))
    expect(await kit.balanceOf(base, agent.address, grant.token.address)).toBe(0n)
    expect(await budget.verify()).toMatchObject({ equal: true })
  })

  /** A payment that is signed, and that the endpoint keeps to itself. */
  async function signed(books: Store = store()) {
    const endpoint = kit.endpoint(base)
    const account = await kit.approved(base, books, { rail }, { client: endpoint.client })
    const taken = guardKit.swallow(endpoint)
    const spending = kit.settledAs(account.budget.spend(account.order('a')))
    await taken
    const { grant, payee } = account
    const own = {
      number: await guardKit.numberOf(books, grant, 'a'),
      ref: Guard.reference(grant.grantId, 'a'),
    }
    const received = () => kit.balanceOf(base, payee, grant.token.address)
    return { ...account, endpoint, books, spending, own, received }
  }

  test("behavior: relayed by a stranger with the agent's signature, it is that payment", async () => {
    const it = await signed()
    const { agent, permission, budget, order } = it
    const batch = await kit.batchElsewhere(base, it, it.own)
    const signature = await Guard.signBatch(agent, { permission, batch })
    const stranger = await guardKit.withGas(base)
    const call = Guard.preparePayWithSignature({ permission, batch, signature })
    const txHash = await kit.steal(base, stranger, call)
    expect(await it.spending).toMatchObject({ key: 'a', txHash })
    // What the agent signed itself comes late, and pays nobody.
    it.endpoint.answer = (_, forward) => forward()
    await budget.sync()
    await base.finalize()
    await budget.sync()
    expect(await budget.spend(order('a'))).toMatchObject({ txHash, final: true })
    expect(await it.received()).toBe(kit.usd('1'))
    await assertSound(it.books, it.grant.grantId)
    expect(await budget.verify()).toMatchObject({ equal: true })
  })

  test.each([
    ['amount', { amount: 1_500_000n }],
    ['reference', { ref: Guard.task('another') }],
  ])(
    'behavior: a thief pays another %s under its number: released, and never paid twice',
    async (_, terms) => {
      const it = await signed()
      const { budget, agent, order } = it
      const taken = 'amount' in terms ? 1_500_000n : kit.usd('1')
      const theft = await kit.payElsewhere(base, it, { ...it.own, ...terms }, agent)
      await budget.sync()
      expect(await budget.payment('a')).toMatchObject({ status: 'paying' })
      expect(await budget.totals()).toMatchObject({ total: taken, reserved: kit.usd('1') })
      await base.finalize()
      await budget.sync()
      const reason = `Its number was used by another payment, of ${taken} to ${it.payee} in ${theft}.`
      expect(await it.spending).toMatchObject({ code: 'RELEASED', message: expect.stringContaining(reason) })
      it.endpoint.answer = (_, forward) => forward()
      await budget.spend(order('a'))
      await budget.spend(order('a'))
      expect(await it.received()).toBe(taken + kit.usd('1'))
      await assertSound(it.books, it.grant.grantId)
      expect(await budget.verify()).toMatchObject({ equal: true })
    },
  )

  test('behavior: a thief pays it as it is: paid, and once', async () => {
    const it = await signed()
    const theft = await kit.payElsewhere(base, it, it.own, it.agent)
    expect(await it.spending).toMatchObject({ txHash: theft })
    it.endpoint.answer = (_, forward) => forward()
    await base.finalize()
    await it.budget.sync()
    expect(await it.received()).toBe(kit.usd('1'))
    expect(await it.budget.verify()).toMatchObject({ equal: true })
  })

  test.each([
    [-1, 'paying'],
    [0, 'released'],
    [1, 'released'],
  ])(
    'behavior: never included, and a final block is %i seconds after its deadline: %s',
    async (late, status) => {
      const it = await signed()
      const { grantId } = it.grant
      const row = await it.books.transact(grantId, (tx) => tx.get('payments', { grantId, key: 'a' }))
      const deadline = row?.deadline ?? 0
      expect(deadline).toBeGreaterThanOrEqual((await base.now()) + lifetime - 60)
      await base.warp(deadline + late)
      await it.budget.sync()
      expect(await it.budget.payment('a')).toMatchObject({ status: 'paying' })
      const block = await base.client.getBlock()
      const forward = it.endpoint.answer
      // The final block is just that one.
      it.endpoint.answer = async (asked, next) => {
        const [tag] = (asked.params ?? []) as unknown[]
        if (asked.method !== 'eth_getBlockByNumber' || tag !== 'finalized') return forward(asked, next)
        return base.client.request({
          method: 'eth_getBlockByNumber',
          params: [`0x${block.number.toString(16)}`, false],
        })
      }
      await base.mine()
      await it.budget.sync()
      expect(await it.budget.payment('a')).toMatchObject({ status })
      expect(await it.budget.reserved()).toBe(status === 'paying' ? kit.usd('1') : 0n)
    },
  )

  test('behavior: released at its deadline, what was signed is refused by the chain, and the key pays', async () => {
    const it = await signed()
    await base.warp((await base.now()) + 2 * lifetime + Time.day)
    await base.finalize()
    await it.budget.sync()
    expect(await it.spending).toMatchObject({ code: 'RELEASED', retryable: true })
    it.endpoint.answer = (_, forward) => forward()
    await it.budget.spend(it.order('a'))
    expect(await guardKit.numberOf(it.books, it.grant, 'a')).toBe(it.own.number)
    expect(await it.received()).toBe(kit.usd('1'))
    expect(await it.budget.verify()).toMatchObject({ equal: true })
  })

  test('behavior: its transaction reverts: released once that is final, and not before', async () => {
    const it = await signed()
    const { wallet, grant, permission, budget, order } = it
    const key = Guard.key(permission)
    await wallet.execute([Guard.preparePause(key)])
    it.endpoint.answer = (_, forward) => forward()
    await budget.sync()
    await budget.sync()
    expect(await base.client.getTransactionCount({ address: it.agent.address })).toBe(2)
    expect(await budget.payment('a')).toMatchObject({ status: 'paying' })
    await base.finalize()
    await budget.sync()
    expect(await it.spending).toMatchObject({
      code: 'RELEASED',
      message: expect.stringContaining('reverted'),
    })
    await wallet.execute([Guard.prepareResume(key)])
    await budget.sync()
    expect(await budget.spend(order('a'))).toMatchObject({ key: 'a' })
    await assertSound(it.books, grant.grantId)
  })

  test('behavior: an endpoint without the event of a number that is used: nothing is released', async () => {
    const it = await signed()
    it.endpoint.answer = async ({ method }, forward) => (method === 'eth_getLogs' ? [] : forward())
    // A round sends it, and the one after misses its event.
    await kit.settledAs(it.budget.sync())
    await kit.settledAs(it.budget.sync())
    await base.warp((await base.now()) + Time.day)
    await base.finalize()
    await expect(it.budget.sync()).rejects.toMatchObject({ code: 'LOGS_MISSING' })
    expect(await it.budget.payment('a')).toMatchObject({ status: 'paying' })
    it.endpoint.answer = (_, forward) => forward()
    expect(await it.spending).toMatchObject({ key: 'a' })
    expect(await it.received()).toBe(kit.usd('1'))
    expect(await it.budget.verify()).toMatchObject({ equal: true })
  })
})
