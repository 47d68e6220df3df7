import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { Guard } from '../../src/index.js'
import { useBase } from '../base.js'
import * as kit from './kit.js'

const base = await useBase()
kit.endAfterEach()

/** Caps that leave the session to say no. */
const wide = { rail: 'guard', perCallUsd: '60', perDayUsd: '200', totalUsd: '500' } as const

describe.each(kit.storeKinds)('$name', (kind) => {
  const store = () => kit.books(kind)()

  test('default', async () => {
    const { budget, order } = await kit.approved(base, store(), wide)
    const session = await budget.openSession()
    expect(await session.limits()).toEqual({
      perRequest: kit.usd('1'),
      perTask: kit.usd('10'),
      perSession: kit.usd('50'),
    })
    await session.spend({ ...order('a', '0.75'), task: 'report' })
    expect(await session.spentUsd()).toBe('0.75')
    expect(await session.remaining({ task: 'report' })).toEqual({
      perRequest: kit.usd('1'),
      perTask: kit.usd('9.25'),
      perSession: kit.usd('49.25'),
    })
    const [, settled] = await budget.receipts()
    expect(settled).toMatchObject({ event: 'settled', session: session.id, task: 'report' })
  })

  test('behavior: request, task, session are asked in this order, at their limits and one unit over', async () => {
    const { budget, order } = await kit.approved(base, store(), wide)
    const limits = { perRequestUsd: '2', perTaskUsd: '3', perSessionUsd: '4' }
    const session = await budget.openSession(limits)
    const refused = async (amount: string, task: string) => {
      const { code, cap } = await kit.refusal(session.spend({ ...order(`no ${amount}`, amount), task }))
      return [code, cap]
    }
    await session.spend({ ...order('a', '2'), task: 'one' })
    expect(await refused('2.000001', 'one')).toEqual(['OVER_PER_CALL', 'perRequest'])
    expect(await refused('1.000001', 'one')).toEqual(['BUDGET_EXCEEDED', 'perSessionTask'])
    await session.spend({ ...order('b', '1'), task: 'one' })
    expect(await refused('1.000001', 'two')).toEqual(['BUDGET_EXCEEDED', 'perSession'])
    await session.spend({ ...order('c', '1'), task: 'two' })
    expect(await refused('0.000001', 'two')).toEqual(['BUDGET_EXCEEDED', 'perSession'])
    expect(await session.remaining()).toMatchObject({ perSession: 0n })
  })

  test.each(kit.rails)(
    'behavior: on the %s rail what nothing explains is charged to the sessions that are open',
    async (rail) => {
      const account = await kit.approved(
        base,
        store(),
        rail === 'guard' ? wide : { perCallUsd: '4', perDayUsd: '8' },
      )
      const { budget, order } = account
      await kit.stealSpend(base, account, kit.usd('1'))
      await budget.sync()
      const session = await budget.openSession({ perRequestUsd: '4', perSessionUsd: '4' })
      const other = await budget.openSession()
      expect(await session.spentUsd()).toBe('0')
      await session.spend(order('a', '0.5'))
      const before = await base.snapshot()
      await kit.stealSpend(base, account, kit.usd('2'))
      await budget.sync()
      expect(await session.spentUsd()).toBe('2.5')
      expect(await other.spentUsd()).toBe('2')
      expect(await session.remaining()).toMatchObject({ perSession: kit.usd('1.5') })
      expect((await session.export()).spent.total_usdc).toBe('2.5')
      expect(await kit.refusal(session.spend(order('b', '1.500001')))).toMatchObject({ cap: 'perSession' })
      // A theft that a reorganisation takes back is not charged any more.
      await kit.replaceBlocks(base, before, 3)
      await budget.sync()
      expect(await session.spentUsd()).toBe('0.5')
    },
  )

  test('behavior: a forgotten payment is charged until its key explains it', async () => {
    await kit.morning(base)
    const account = await kit.approved(base, store(), wide)
    const rebuilt = await kit.open(base, account, store())
    const session = await rebuilt.openSession()
    await account.budget.spend(account.order('a', '0.75'))
    await rebuilt.sync()
    expect(await session.spentUsd()).toBe('0.75')
    // In the session or not, as its key says.
    await rebuilt.spend(account.order('a', '0.75'))
    expect(await session.spentUsd()).toBe('0')
  })

  test('behavior: a payment of before that its key explains does not hide a later one from the session', async () => {
    const account = await kit.approved(base, store(), wide)
    const { budget, grant, payee, agent } = account
    const ref = Guard.reference(grant.grantId, 'old')
    await kit.payElsewhere(base, account, { ref, amount: kit.usd('3') }, agent)
    await budget.sync()
    const session = await budget.openSession({ perSessionUsd: '5' })
    await budget.spend({ key: 'old', to: payee, amount: kit.usd('3') })
    await kit.payElsewhere(base, account, { amount: kit.usd('3') }, agent)
    await budget.sync()
    expect(await session.remaining()).toMatchObject({ perSession: kit.usd('2') })
  })

  test("behavior: the grant's caps hold all the same, and are asked first", async () => {
    const { budget, order } = await kit.approved(base, store(), { ...wide, perCallUsd: '0.5' })
    const session = await budget.openSession({ perRequestUsd: '5' })
    expect(await kit.refusal(session.spend(order('a', '6')))).toMatchObject({ cap: 'perCall' })
    expect(await session.check({ to: order('a').to, amount: kit.usd('6') })).toMatchObject({ cap: 'perCall' })
  })

  test('behavior: several at once, each with its own; ten parallel calls keep one limit', async () => {
    const { budget, order } = await kit.approved(base, store(), wide)
    const [one, two] = [await budget.openSession({ perSessionUsd: '3' }), await budget.openSession()]
    const spends = Array.from({ length: 10 }, (_, n) => one.spend(order(`one ${n}`)))
    const results = await Promise.allSettled([...spends, two.spend(order('two'))])
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(4)
    expect([await one.spentUsd(), await two.spentUsd()]).toEqual(['3', '1'])
    expect(await budget.verify()).toMatchObject({ equal: true })
  })

  test('behavior: resumed by its id after a restart, with what it has spent and its limits', async () => {
    const open = kit.books(kind)
    const account = await kit.approved(base, open(), wide)
    const before = await account.budget.openSession({ id: 'run-1', perSessionUsd: '2' })
    await before.spend(account.order('a', '1'))
    await account.budget.close()
    const budget = await kit.open(base, account, open())
    const session = await budget.openSession({ id: 'run-1' })
    expect(await session.remaining()).toMatchObject({ perSession: kit.usd('1') })
    await session.spend(account.order('b', '1'))
    expect(await kit.refusal(session.spend(account.order('c', '0.01')))).toMatchObject({ cap: 'perSession' })
  })

  test('behavior: limits can be lowered and never raised', async () => {
    const { budget, order } = await kit.approved(base, store(), wide)
    const session = await budget.openSession({ id: 'run' })
    await session.lower({ perRequestUsd: '0.5', perSessionUsd: '50' })
    expect(await kit.refusal(session.spend(order('a', '0.500001')))).toMatchObject({ cap: 'perRequest' })
    expect((await kit.refusal(session.lower({ perRequestUsd: '0.500001' }))).code).toBe('SESSION_RAISED')
    expect((await kit.refusal(budget.openSession({ id: 'run', perTaskUsd: '11' }))).code).toBe(
      'SESSION_RAISED',
    )
    expect(await (await budget.openSession({ id: 'run', perTaskUsd: '9' })).limits()).toEqual({
      perRequest: kit.usd('0.5'),
      perTask: kit.usd('9'),
      perSession: kit.usd('50'),
    })
  })

  test('behavior: an ended session takes nothing more, for good; what is unknown takes nothing', async () => {
    const { budget, order } = await kit.approved(base, store(), wide)
    const session = await budget.openSession({ id: 'run' })
    await session.spend(order('a'))
    await session.end()
    expect((await kit.refusal(session.spend(order('b')))).code).toBe('SESSION_ENDED')
    expect((await kit.refusal(budget.openSession({ id: 'run' }))).code).toBe('SESSION_ENDED')
    expect((await kit.refusal(budget.spend({ ...order('c'), session: 'rum' }))).code).toBe('SESSION_UNKNOWN')
    expect(await session.spend(order('a'))).toMatchObject({ key: 'a' })
    expect(await session.spentUsd()).toBe('1')
  })

  test('behavior: a payment that is released gives its room back', async () => {
    const account = await kit.createAccount(base, wide, { usdc: '0' })
    const budget = await kit.open(base, account, store())
    await budget.approve({ signature: account.signature })
    const session = await budget.openSession()
    const order = { ...kit.order(account)('a'), task: 'report' }
    expect((await kit.refusal(session.spend(order))).code).toBe('CHAIN_REFUSED')
    expect(await session.remaining({ task: 'report' })).toMatchObject({
      perTask: kit.usd('10'),
      perSession: kit.usd('50'),
    })
  })

  test('args: file, the export is there, whole, and up to date', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'hardcap-session-'))
    kit.later(() => rmSync(folder, { recursive: true }))
    const file = join(folder, 'session.json')
    const { budget, order } = await kit.approved(base, store(), wide)
    const session = await budget.openSession({ id: 'run', file })
    const read = () => JSON.parse(readFileSync(file, 'utf8'))
    expect(read()).toMatchObject({ session_id: 'run', spent: { total_usdc: 0 }, transactions: [] })
    const spend = { ...order('a', '0.35'), task: 'by "task"', category: 'search', endpoint: '/v1?q=1' }
    const { txHash } = await session.spend(spend)
    await session.spend({ ...order('b', '0.000001'), category: 'search' })
    await session.end()
    expect(read()).toEqual({
      session_id: 'run',
      started_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000Z$/),
      limits: { per_task_max_usdc: 10, per_session_max_usdc: 50, per_request_max_usdc: 1 },
      spent: {
        total_usdc: 0.350001,
        by_category: { search: 0.350001 },
        by_task: { 'by "task"': 0.35 },
      },
      transactions: [
        { timestamp: expect.any(String), endpoint: '/v1?q=1', amount_usdc: 0.35, tx_hash: txHash },
        { timestamp: expect.any(String), endpoint: null, amount_usdc: 0.000001, tx_hash: expect.any(String) },
      ],
    })
    expect(readFileSync(file, 'utf8')).toContain('"amount_usdc": 0.000001')
    expect(readdirSync(folder)).toEqual(['session.json'])
  })

  test('error: limits and options that cannot be read', async () => {
    const { budget } = await kit.approved(base, store(), wide)
    for (const [options, code] of [
      [{ perRequestUsd: '-1' }, 'INVALID_AMOUNT'],
      [{ perSessionUsd: '0.0000001' }, 'INVALID_AMOUNT'],
      [{ perSesionUsd: '1' }, 'UNKNOWN_FIELD'],
      [{ id: '' }, 'INVALID_VALUE'],
      [{ file: 7 }, 'INVALID_VALUE'],
    ] as const)
      await expect(budget.openSession(options as never)).rejects.toMatchObject({ code })
  })
})
