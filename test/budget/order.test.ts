import { toAccount } from 'viem/accounts'
import { describe, expect, test } from 'vitest'
import type { Receipt } from '../../src/index.js'
import { useBase } from '../base.js'
import { rowsOf } from '../ledger/books.js'
import * as kit from './kit.js'

const base = await useBase()
kit.endAfterEach()

const host = 'api.example.com'

describe.each(kit.storeKinds)('$name', (kind) => {
  const store = () => kit.books(kind)()

  test('error: TASK_MISSING where the grant caps tasks and none is named', async () => {
    const { budget, order } = await kit.approved(base, store(), { perTaskUsd: '2', perCallUsd: '2' })
    expect(await budget.check({ ...order('a') })).toMatchObject({ allowed: false, code: 'TASK_MISSING' })
    const error = await kit.refusal(budget.spend(order('a')))
    expect(error).toMatchObject({ code: 'TASK_MISSING', receipt: { event: 'refused', note: 'TASK_MISSING' } })
    expect(await budget.totals()).toEqual({ today: 0n, total: 0n, paid: 0n, reserved: 0n, filling: 0n })
    expect(await budget.spend({ ...order('a'), task: 'report' })).toMatchObject({ key: 'a' })
    const over = await kit.refusal(budget.spend({ ...order('b', '1.5'), task: 'report' }))
    expect(over).toMatchObject({ code: 'BUDGET_EXCEEDED', cap: 'perTask', figures: { cap: 'perTask' } })
    const amount = kit.usd('1')
    expect(await budget.totals()).toEqual({
      today: amount,
      total: amount,
      paid: amount,
      reserved: 0n,
      filling: 0n,
    })
  })

  test('error: UNKNOWN_FIELD with the field that was meant, and orders that are none', async () => {
    const { budget, order } = await kit.approved(base, store())
    const misspelt = { ...order('a'), taks: 'report' } as never
    for (const [asked, field] of [
      [budget.spend(misspelt), 'order.taks'],
      [budget.check(misspelt), 'request.taks'],
    ] as const) {
      await expect(asked).rejects.toMatchObject({
        code: 'UNKNOWN_FIELD',
        field,
        valid: expect.stringContaining('"task"'),
      })
    }
    for (const given of [undefined, null, 'a', []] as never[]) {
      await expect(budget.spend(given)).rejects.toMatchObject({ name: 'InputError', field: 'order' })
      await expect(budget.check(given)).rejects.toMatchObject({ name: 'InputError', field: 'request' })
    }
    const number = { ...order('a'), amount: 1 } as never
    await expect(budget.spend(number)).rejects.toMatchObject({ code: 'INVALID_AMOUNT', field: 'amount' })
    expect(await budget.receipts()).toEqual([])
  })

  test('behavior: a host is one label however it is written; one that cannot be read is not kept', async () => {
    const { budget, order } = await kit.approved(base, store())
    await budget.spend({ ...order('a'), host: 'API.Example.com:443' })
    await budget.spend({ ...order('b'), host })
    expect(await budget.spentUnder('host', host)).toBe(kit.usd('2'))
    expect(await budget.spend({ ...order('a'), host })).toMatchObject({ key: 'a' })
    const secret = 'https://user:secret@api.example.com/'
    const error = await kit.refusal(budget.spend({ ...order('c'), host: secret }))
    expect(error).toMatchObject({ code: 'NOT_ALLOWED', receipt: { host: 'unreadable' } })
    expect(JSON.stringify(await budget.receipts(), (_, v) => String(v?.host ?? v))).not.toContain('secret')
  })

  test('error: KEY_CONFLICT names the field that differs, and both values', async () => {
    const { budget, order } = await kit.approved(base, store())
    await budget.spend({ ...order('a'), task: 'report' })
    for (const [given, field, known, other] of [
      [{ ...order('a', '2'), task: 'report' }, 'amount', '1000000', '2000000'],
      [{ ...order('a'), task: 'other' }, 'task', 'report', 'other'],
      [order('a'), 'task', 'report', 'nothing'],
    ] as const) {
      const error = await kit.refusal(budget.spend(given))
      expect(error).toMatchObject({ code: 'KEY_CONFLICT', figures: { field, known, given: other } })
      expect(error.message).toContain(`another ${field}: ${known}, and not ${other}`)
    }
  })

  test('args: receipts from the newest on', async () => {
    const { budget, order } = await kit.approved(base, store())
    await budget.spend(order('a'))
    await kit.refusal(budget.spend(order('b', '9')))
    const seqs = (receipts: Receipt.Receipt[]) => receipts.map(({ seq }) => seq)
    expect(seqs(await budget.receipts())).toEqual([0, 1, 2])
    expect(seqs(await budget.receipts({ newest: true, limit: 2 }))).toEqual([2, 1])
    expect(seqs(await budget.receipts({ newest: true, offset: 2 }))).toEqual([0])
  })

  test('error: MISMATCH for an agent without its key, before anything is written', async () => {
    const account = await kit.createAccount(base)
    const books = store()
    const agent = toAccount(account.agent.address) as never
    await expect(kit.open(base, { ...account, agent }, books)).rejects.toMatchObject({ code: 'MISMATCH' })
    await expect(rowsOf(books, account.grant.grantId)).rejects.toMatchObject({ code: 'MISMATCH' })
  })
})
