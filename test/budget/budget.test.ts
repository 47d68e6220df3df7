import { describe, expect, test } from 'vitest'
import { Grant, type OpenBudgetOptions, openBudget, Permission } from '../../src/index.js'
import * as Meter from '../../src/Meter.js'
import { useBase } from '../base.js'
import * as kit from './kit.js'

const base = await useBase()
kit.endAfterEach()

describe.each(kit.storeKinds)('$name', (kind) => {
  const store = () => kit.books(kind)()

  describe('open', () => {
    test('default', async () => {
      const account = await kit.createAccount(base)
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
      const account = await kit.createAccount(base)
      await kit.open(base, account, open())
      const other = await kit.createAccount(base)
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
      const account = await kit.createAccount(base)
      const other = await kit.createAccount(base)
      const { permission } = account
      const elsewhere = Grant.define({
        owner: account.wallet.address,
        agent: account.agent.address,
        rail: 'direct',
        chain: 84532,
        allow: ['api.example.com'],
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
    test.each([
      ['pulled', () => Meter.total],
      ['sent', () => Meter.sent],
      ['today', (_: Permission.Permission, time: number) => Meter.day(time)],
      [
        'period',
        (permission: Permission.Permission, time: number) =>
          Meter.period(Permission.hash(permission), Permission.periodAt(permission, time)?.start ?? 0),
      ],
    ] as const)('behavior: %s differs where somebody changed it in the store', async (name, meter) => {
      const books = store()
      const { budget, grant, permission, order } = await kit.approved(base, books)
      await budget.spend(order('a'))
      const { grantId } = grant
      await books.transact(grantId, async (tx) => {
        const row = { grantId, name: meter(permission, await base.now()) }
        expect((await tx.get('meters', row))?.amount).toBe(kit.usd('1'))
        await tx.put('meters', { ...row, amount: kit.usd('1') - 1n })
      })
      const { equal, checks } = await budget.verify()
      expect(equal).toBe(false)
      expect(checks.filter((check) => !check.equal)).toEqual([
        { name, ledger: kit.usd('1') - 1n, chain: kit.usd('1'), equal: false },
      ])
    })

    test('behavior: approved and revoked differ too, until the chain is read again', async () => {
      const books = store()
      const { budget, grant } = await kit.approved(base, books)
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
      const { budget, order } = await kit.approved(base, store())
      const reason = new Error('too late')
      await expect(budget.spend(order('a'), { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
      expect(await budget.payment('a')).toBeUndefined()
    })

    test('behavior: aborted while it waits, the waiting ends and the payment goes on', async () => {
      const endpoint = kit.endpoint(base)
      const { budget, order } = await kit.approved(base, store(), {}, { client: endpoint.client })
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
      const { budget, order } = await kit.approved(base, store())
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
      const { budget, order } = await kit.approved(base, store(), {}, { onReceipt, onError })
      expect(await budget.spend(order('a'))).toMatchObject({ key: 'a' })
      expect(errors).toEqual([failure, failure])
    })
  })

  test('error: an order that cannot be read', async () => {
    const { budget, order } = await kit.approved(base, store())
    for (const [bad, field] of [
      [{ ...order('a'), key: '' }, 'key'],
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
