import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Guard, type Receipt, Time } from '../../src/index.js'
import { useBase } from '../base.js'
import { assertSound, type Rows } from '../ledger/books.js'
import * as guardKit from './guardKit.js'
import * as kit from './kit.js'

const base = await useBase()
kit.endAfterEach()

describe.each(kit.storeKinds)('$name', (kind) => {
  const store = () => kit.books(kind)()
  const chainHeld = ({ meters }: Rows) =>
    Object.entries(meters).filter(
      ([name, amount]) => /^(total|sent|day:|period:|window:|metered:)/.test(name) && amount > 0n,
    )

  /** A life with payments for tasks on two days, a sibling of another agent, and raised limits. */
  async function lived() {
    const books = store()
    const orchestrator = await guardKit.withGas(base)
    const caps = { perDayUsd: '8', totalUsd: '20', perTaskUsd: '9', perWindowUsd: '15', window: 3_600 }
    const terms = { rail: 'guard', orchestrator: orchestrator.address, ...caps } as const
    const account = await kit.approved(base, books, terms)
    const { budget, order, permission } = account
    const task = (name: string) => kit.ticketed(orchestrator, { permission, task: name, cap: '9' })
    await budget.spend({ ...order('a', '2'), ...(await task('report')) })
    const other = await guardKit.withGas(base)
    const theirs = await guardKit.sibling(base, account, { agent: other.address, window: 600 })
    await kit.payElsewhere(base, theirs, { amount: kit.usd('1'), ...(await task('report')) }, other)
    await base.finalize()
    await base.warp(Time.midnight(await base.now()) + Time.day)
    await budget.sync()
    const renewed = await guardKit.renewed(budget, account, { perDay: kit.usd('10') })
    await budget.replace(renewed)
    await budget.spend({ ...order('b', '3'), ...(await task('other')) })
    await budget.close()
    return { ...account, ...renewed, books, task, other }
  }

  test('default', async () => {
    const it = await lived()
    const { books, grant } = it
    const empty = store()
    const rebuilt = await kit.open(base, it, empty)
    const [before, after] = [await assertSound(books, grant.grantId), await assertSound(empty, grant.grantId)]
    expect(chainHeld(after)).toEqual(chainHeld(before))
    expect(chainHeld(after).map(([name]) => name.split(':')[0])).toEqual(
      [
        'day',
        'day',
        'metered',
        'metered',
        'period',
        'period',
        'period',
        'sent',
        'total',
        'window',
        'window',
        'window',
      ].sort(),
    )
    expect(await rebuilt.totals()).toMatchObject({ today: kit.usd('3'), total: kit.usd('6'), paid: 0n })
    expect(await rebuilt.remaining({ task: 'report' })).toMatchObject({ perTask: kit.usd('6') })
    const chain = await Guard.remaining(base.client, {
      permission: it.permission,
      task: Guard.task('report'),
    })
    expect(await rebuilt.remaining({ task: 'report' })).toMatchObject({ ...chain, perCall: kit.usd('5') })
    expect(await rebuilt.verify()).toMatchObject({ equal: true })
  })

  test('behavior: a known key with the same terms is paid, and never pays again', async () => {
    const it = await lived()
    const { order, task, payee, grant, agent } = it
    const empty = store()
    const told: Receipt.Receipt[] = []
    const rebuilt = await kit.open(base, it, empty, { onReceipt: (receipt) => told.push(receipt) })
    const before = await kit.balanceOf(base, payee, grant.token.address)
    const nonce = await base.client.getTransactionCount({ address: agent.address })
    for (const key of ['a', 'b', 'a']) {
      const [amount, name] = key === 'a' ? ['2', 'report'] : ['3', 'other']
      expect(await rebuilt.spend({ ...order(key, amount), ...(await task(name)) })).toMatchObject({
        key,
        to: payee,
        amount: kit.usd(amount),
        final: key === 'a',
      })
    }
    expect(await kit.balanceOf(base, payee, grant.token.address)).toBe(before)
    expect(await base.client.getTransactionCount({ address: agent.address })).toBe(nonce)
    expect(await rebuilt.totals()).toMatchObject({ total: kit.usd('6'), paid: kit.usd('5'), reserved: 0n })
    expect(await rebuilt.spentUnder('task', 'report')).toBe(kit.usd('2'))
    const events = told.map(({ event, key }) => [event, key])
    expect(events.slice(-2)).toEqual([
      ['settled', 'a'],
      ['settled', 'b'],
    ])
    expect(await rebuilt.receipts()).toEqual(told)
    await assertSound(empty, grant.grantId)
    expect(await rebuilt.verify()).toMatchObject({ equal: true })
  })

  test('error: KEY_CONFLICT for a known key with other terms', async () => {
    const it = await lived()
    const { order, task, payee, grant } = it
    const rebuilt = await kit.open(base, it, store())
    const before = await kit.balanceOf(base, payee, grant.token.address)
    const spending = rebuilt.spend({ ...order('a', '1'), ...(await task('report')) })
    expect(await kit.refusal(spending)).toMatchObject({
      code: 'KEY_CONFLICT',
      figures: { key: 'a', field: 'amount', known: String(kit.usd('2')), given: String(kit.usd('1')) },
    })
    expect(await kit.balanceOf(base, payee, grant.token.address)).toBe(before)
    await kit.quiet(base, rebuilt)
    expect(await rebuilt.spend({ ...order('c'), ...(await task('c')) })).toMatchObject({ key: 'c' })
    expect(await rebuilt.verify()).toMatchObject({ equal: true })
  })

  test("behavior: a key that another agent's payment names is not known", async () => {
    const it = await lived()
    const { permission, order, task, payee, grant, other } = it
    const theirs = await guardKit.sibling(base, { ...it, permission }, { agent: other.address, window: 700 })
    const ref = Guard.reference(grant.grantId, 'c')
    await kit.payElsewhere(base, theirs, { ref, ...(await task('c')) }, other)
    const rebuilt = await kit.open(base, it, store())
    const before = await kit.balanceOf(base, payee, grant.token.address)
    await kit.quiet(base, rebuilt)
    await rebuilt.spend({ ...order('c'), ...(await task('c')) })
    expect(await kit.balanceOf(base, payee, grant.token.address)).toBe(before + kit.usd('1'))
    expect(await rebuilt.verify()).toMatchObject({ equal: true })
  })

  test('behavior: taken back by a reorganisation after it was recognised, the key waits and pays once', async () => {
    const account = await kit.approved(base, store(), { rail: 'guard' })
    const { budget, order, payee, grant } = account
    const before = await base.snapshot()
    await budget.spend(order('a'))
    await budget.close()
    const empty = store()
    const rebuilt = await kit.open(base, account, empty)
    await rebuilt.spend(order('a'))
    const number = await guardKit.numberOf(empty, grant, 'a')
    await kit.replaceBlocks(base, before, 1)
    await rebuilt.sync()
    expect(await rebuilt.payment('a')).toMatchObject({ status: 'paying' })
    expect(await rebuilt.totals()).toMatchObject({ total: 0n, paid: 0n, reserved: kit.usd('1') })
    await base.warp((await base.now()) + Time.day)
    await base.finalize()
    await rebuilt.sync()
    expect(await rebuilt.payment('a')).toMatchObject({ status: 'released' })
    await rebuilt.spend(order('a'))
    expect(await guardKit.numberOf(empty, grant, 'a')).toBe(number)
    expect(await kit.balanceOf(base, payee, grant.token.address)).toBe(kit.usd('1'))
    await assertSound(empty, grant.grantId)
    expect(await rebuilt.verify()).toMatchObject({ equal: true })
  })

  // The same history every time, so that a commit fails by its own doing; HARDCAP_SEED takes another.
  const seed = Number(process.env.HARDCAP_SEED ?? 20_301_231)
  const happening = fc.constantFrom('pay', 'pay', 'steal', 'sibling', 'day', 'finalize', 'reorg', 'mine')
  const [history = []] = fc.sample(fc.array(happening, { minLength: 14, maxLength: 14 }), {
    numRuns: 1,
    seed,
  })

  test(`behavior: a random history, deleted and read again: equal (HARDCAP_SEED=${seed})`, async () => {
    const books = store()
    const terms = {
      rail: 'guard',
      perDayUsd: '20',
      totalUsd: '60',
      perWindowUsd: '20',
      window: 3_600,
    } as const
    const account = await kit.approved(base, books, terms)
    const { budget, order, grant } = account
    const other = await guardKit.withGas(base)
    const theirs = await guardKit.sibling(base, account, { agent: other.address, window: 600 })
    let paid = 0
    const steps: Readonly<Record<(typeof history)[number], () => Promise<unknown>>> = {
      pay: () => budget.spend(order(`${paid++}`)),
      steal: () => kit.stealSpend(base, account, kit.usd('1')),
      sibling: () => kit.payElsewhere(base, theirs, {}, other),
      day: async () => base.warp(Time.midnight(await base.now()) + Time.day),
      finalize: () => base.finalize(),
      mine: () => base.mine(3),
      async reorg() {
        await base.finalize()
        await budget.sync()
        const back = await base.snapshot()
        await kit.payElsewhere(base, theirs, {}, other)
        await budget.sync()
        await kit.replaceBlocks(base, back, 2)
      },
    }
    for (const step of history) {
      await steps[step]()
      await budget.sync()
    }
    expect(await budget.verify()).toMatchObject({ equal: true })
    await budget.close()
    const empty = store()
    const rebuilt = await kit.open(base, account, empty)
    const [before, after] = [await assertSound(books, grant.grantId), await assertSound(empty, grant.grantId)]
    expect(chainHeld(after)).toEqual(chainHeld(before))
    expect(chainHeld(after).length).toBeGreaterThan(0)
    // What was settled is known by its reference, whatever else is forgotten.
    const settled = ({ events }: Rows) =>
      events.map(({ ref, number, payee, amount, txHash }) => [ref, number, payee, amount, txHash])
    expect(settled(after)).toEqual(settled(before))
    expect(await rebuilt.verify()).toMatchObject({ equal: true })
  })
})
