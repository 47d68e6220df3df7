import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts'
import { describe, expect, test } from 'vitest'
import { Grant, Guard, type OpenBudgetOptions, openBudget, Permission } from '../../src/index.js'
import * as Meter from '../../src/Meter.js'
import { useBase } from '../base.js'
import * as kit from './kit.js'

const base = await useBase()
kit.endAfterEach()

describe.each(kit.cases)('$name', ({ kind, rail }) => {
  const store = () => kit.books(kind)()

  describe('open', () => {
    test('default', async () => {
      const account = await kit.createAccount(base, { rail })
      const budget = await kit.open(base, account, store())
      expect(budget).toMatchObject({ grant: account.grant, permission: account.permission })
      expect(await budget.receipts()).toEqual([])
      expect(await budget.remaining()).toMatchObject({
        perDay: kit.usd('5'),
        total: kit.usd('8'),
        overall: 0n,
      })
      expect(await budget.verify()).toMatchObject({ equal: true })
    })

    test("error: AGENT_IN_USE for a second grant of an agent's key in the same books", async () => {
      const open = kit.books(kind)
      const account = await kit.createAccount(base, { rail })
      await kit.open(base, account, open())
      const other = await kit.createAccount(base, { rail })
      const grant = Grant.parse(
        Grant.serialize(other.grant).replaceAll(other.agent.address, account.agent.address),
      )
      const opening = kit.open(
        base,
        { grant, permission: Permission.fromGrant(grant), agent: account.agent },
        open(),
      )
      await expect(opening).rejects.toMatchObject({
        code: 'AGENT_IN_USE',
        figures: { agent: account.agent.address, grantId: account.grant.grantId },
      })
    })

    test('error: MISMATCH where grant, permission, agent and chain do not belong together', async () => {
      const account = await kit.createAccount(base, { rail })
      const other = await kit.createAccount(base, { rail })
      const { permission } = account
      const elsewhere = Grant.define({
        owner: account.wallet.address,
        agent: account.agent.address,
        rail,
        chain: 84532,
        allow: [{ host: 'api.example.com', payTo: account.payee }],
        perDayUsd: '5',
      })
      const wrong: [Partial<OpenBudgetOptions>, string][] = [
        [{ grant: elsewhere, permission: Permission.fromGrant(elsewhere) }, '84532'],
        [{ agent: other.agent }, other.agent.address],
        [{ permission: other.permission }, 'account'],
        [{ permission: { ...permission, allowance: permission.allowance + 1n } }, 'allowance'],
        [{ permission: { ...permission, period: permission.period * 2 } }, 'period'],
        [{ permission: { ...permission, end: permission.end + 1 } }, 'end'],
        [{ permission: { ...permission, spender: other.agent.address } }, 'spender'],
        [{ permission: { ...permission, extraData: '0x01' } }, 'extraData'],
      ]
      for (const [change, word] of wrong) {
        const opening = openBudget(base.client, { ...account, store: store(), ...change })
        await expect(opening).rejects.toMatchObject({
          code: 'MISMATCH',
          retryable: false,
          message: expect.stringContaining(word),
        })
      }
    })
  })

  describe('verify', () => {
    type Of = { permission: Permission.Permission; time: number }
    /** What the books keep, and as what the chain says it: the guard has meters of its own. */
    const kept: Record<kit.Rail, readonly (readonly [string, readonly string[], (of: Of) => string])[]> = {
      direct: [
        ['total', ['pulled'], () => Meter.total],
        ['day', ['today'], ({ time }) => Meter.day(time)],
      ],
      guard: [
        ['total', ['pulled', 'total'], () => Meter.total],
        ['day', ['today', 'day'], ({ time }) => Meter.day(time)],
        ['window', ['window'], ({ time }) => Meter.bucket(3_600, Math.floor(time / 1_200))],
        ['task', ['tasks'], () => Meter.metered(Guard.task('report'))],
      ],
    }
    test.each([
      ...kept[rail],
      ['sent', ['sent'], () => Meter.sent],
      [
        'period',
        ['period'],
        ({ permission, time }: Of) =>
          Meter.period(Permission.hash(permission), Permission.periodAt(permission, time)?.start ?? 0),
      ],
    ] as const)('behavior: %s differs where somebody changed it in the store', async (_, names, meter) => {
      const books = store()
      const orchestrator = privateKeyToAccount(generatePrivateKey())
      const terms = { perTaskUsd: '5', perWindowUsd: '5', window: 3_600, orchestrator: orchestrator.address }
      const account = await kit.approved(base, books, { rail, ...(rail === 'guard' ? terms : {}) })
      const { budget, grant, permission, order } = account
      const task = rail === 'guard' ? await kit.ticketed(orchestrator, { permission, task: 'report' }) : {}
      await budget.spend({ ...order('a'), ...task })
      const { grantId } = grant
      await books.transact(grantId, async (tx) => {
        const row = { grantId, name: meter({ permission, time: await base.now() }) }
        expect((await tx.get('meters', row))?.amount).toBe(kit.usd('1'))
        await tx.put('meters', { ...row, amount: kit.usd('1') - 1n })
      })
      const { equal, checks } = await budget.verify()
      expect(equal).toBe(false)
      expect(checks.filter((check) => !check.equal)).toEqual(
        names.map((name) => ({ name, ledger: kit.usd('1') - 1n, chain: kit.usd('1'), equal: false })),
      )
    })

    test('behavior: approved and revoked differ too, until the chain is read again', async () => {
      const books = store()
      const { budget, grant } = await kit.approved(base, books, { rail })
      const { grantId } = grant
      await books.transact(grantId, async (tx) => {
        const row = await tx.get('grants', { grantId })
        if (row) await tx.put('grants', { ...row, approved: 0, revoked: 1 })
      })
      const { checks } = await budget.verify()
      expect(checks.filter(({ equal }) => !equal).map(({ name }) => name)).toEqual(['approved', 'revoked'])
      await base.mine()
      expect(await budget.verify()).toMatchObject({ equal: true })
    })
  })

  describe('waiting', () => {
    test('behavior: aborted before, nothing is reserved', async () => {
      const { budget, order } = await kit.approved(base, store(), { rail })
      const reason = new Error('too late')
      await expect(budget.spend(order('a'), { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
      expect(await budget.payment('a')).toBeUndefined()
    })

    test('behavior: aborted while it waits, the waiting ends and the payment goes on', async () => {
      const endpoint = kit.endpoint(base)
      const { budget, order } = await kit.approved(base, store(), { rail }, { client: endpoint.client })
      const abort = new AbortController()
      const reason = new Error('enough')
      let go = () => {}
      const gate = new Promise<void>((resolve) => {
        go = resolve
      })
      endpoint.answer = async ({ method }, forward) => {
        if (method !== 'eth_sendRawTransaction') return forward()
        abort.abort(reason)
        await gate
        return forward()
      }
      const patient = budget.spend(order('a'))
      await expect(budget.spend(order('a'), { signal: abort.signal })).rejects.toBe(reason)
      go()
      expect(await patient).toMatchObject({ key: 'a' })
    })

    test('error: CLOSED for everything after close, and nothing is reserved any more', async () => {
      const { budget, order } = await kit.approved(base, store(), { rail })
      await budget.close()
      await budget.close()
      expect(await kit.refusal(budget.spend(order('a')))).toMatchObject({ code: 'CLOSED', retryable: true })
      expect(await kit.refusal(budget.sync())).toMatchObject({ code: 'CLOSED' })
      expect(await kit.refusal(budget.verify())).toMatchObject({ code: 'CLOSED' })
      expect(await budget.payment('a')).toBeUndefined()
    })

    test('behavior: what a listener throws does not touch the payment', async () => {
      const errors: unknown[] = []
      const failure = new Error('the listener fails')
      const onReceipt = () => {
        throw failure
      }
      const onError = (error: unknown) => errors.push(error)
      const { budget, order } = await kit.approved(base, store(), { rail }, { onReceipt, onError })
      expect(await budget.spend(order('a'))).toMatchObject({ key: 'a' })
      expect(errors).toEqual([failure, failure])
    })
  })

  test('error: an order that cannot be read', async () => {
    const { budget, order } = await kit.approved(base, store(), { rail })
    for (const [bad, field] of [
      [{ ...order('a'), key: '' }, 'key'],
      [{ ...order('a'), key: 'funding 0x01' }, 'key'],
      [{ ...order('a'), key: 'k'.repeat(201) }, 'key'],
      [{ ...order('a'), task: '' }, 'task'],
      [{ ...order('a'), to: '0x12' as const }, 'to'],
      [{ ...order('a'), amount: 0n }, 'amount'],
    ] as const) {
      await expect(budget.spend(bad)).rejects.toMatchObject({ name: 'InputError', field })
    }
    expect(await budget.receipts()).toEqual([])
  })
})
