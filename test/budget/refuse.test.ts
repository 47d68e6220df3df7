import { describe, expect, test } from 'vitest'
import { type Budget, type GrantError, Spm, Time } from '../../src/index.js'
import { useBase } from '../base.js'
import * as kit from './kit.js'

const base = await useBase()
kit.endAfterEach()

describe.each(kit.cases)('$name', ({ kind, rail }) => {
  const store = () => kit.books(kind)()

  /** The refusal of a spend, which must leave a receipt and nothing else. */
  async function refused(budget: Budget, spend: Parameters<Budget['spend']>[0]): Promise<GrantError> {
    const before = await budget.remaining()
    const error = await kit.refusal(budget.spend(spend))
    const receipts = await budget.receipts()
    expect(error.receipt).toEqual(receipts.at(-1))
    expect(error.receipt).toMatchObject({
      event: 'refused',
      ok: false,
      note: error.code,
      amount: spend.amount,
      payee: spend.to,
      key: spend.key,
    })
    expect(await budget.remaining()).toEqual(before)
    expect(await budget.payment(spend.key)).toBeUndefined()
    return error
  }

  test('error: NOT_APPROVED', async () => {
    const account = await kit.createAccount(base, { rail })
    const budget = await kit.open(base, account, store())
    expect(await refused(budget, kit.order(account)('a'))).toMatchObject({
      code: 'NOT_APPROVED',
      retryable: true,
    })
  })

  test('error: REVOKED by the owner, and by the budget itself', async () => {
    const { wallet, permission, budget, order } = await kit.approved(base, store(), { rail })
    await wallet.execute([Spm.prepareRevoke({ permission })])
    await budget.sync()
    expect(await refused(budget, order('a'))).toMatchObject({ code: 'REVOKED', retryable: false })
    const other = await kit.approved(base, store(), { rail })
    await other.budget.revoke()
    expect(await refused(other.budget, other.order('a'))).toMatchObject({ code: 'REVOKED' })
    expect(await other.budget.verify()).toMatchObject({ equal: true })
  })

  test('error: PAUSED until resumed', async () => {
    const { budget, order } = await kit.approved(base, store(), { rail })
    await budget.pause()
    expect(await budget.status()).toMatchObject({ paused: true })
    expect(await refused(budget, order('a'))).toMatchObject({ code: 'PAUSED', retryable: true })
    await budget.resume()
    expect(await budget.spend(order('a'))).toMatchObject({ amount: kit.usd('1') })
    const events = (await budget.receipts()).map(({ event }) => event)
    expect(events).toEqual(['paused', 'refused', 'resumed', 'reserved', 'settled'])
  })

  test('error: NOT_STARTED and EXPIRED', async () => {
    const now = await base.now()
    const start = Time.midnight(now) + 2 * Time.day
    const { budget, order, permission } = await kit.approved(base, store(), {
      rail,
      startsAt: start * 1000,
      expiresAt: (start + Time.day) * 1000,
    })
    expect(await refused(budget, order('a'))).toMatchObject({
      code: 'NOT_STARTED',
      retryable: true,
      retryAt: permission.start,
    })
    await base.warp(permission.start)
    await budget.sync()
    await budget.spend(order('b'))
    await base.warp(permission.end)
    await budget.sync()
    expect(await refused(budget, order('c'))).toMatchObject({ code: 'EXPIRED', retryable: false })
    expect(await budget.verify()).toMatchObject({ equal: true })
  })

  test('error: NOT_ALLOWED by host, and by payee', async () => {
    const { budget, order } = await kit.approved(base, store(), { rail })
    const byHost = await refused(budget, { ...order('a'), host: 'api.example.com.evil.io' })
    expect(byHost).toMatchObject({ code: 'NOT_ALLOWED', figures: { host: 'api.example.com.evil.io' } })
    expect(byHost.receipt?.host).toBe('api.example.com.evil.io')
    const stranger = kit.freshAddress()
    const byPayee = await refused(budget, { ...order('b'), to: stranger })
    expect(byPayee).toMatchObject({ code: 'NOT_ALLOWED', figures: { to: stranger } })
  })

  test('error: OVER_PER_CALL', async () => {
    const { budget, order } = await kit.approved(base, store(), { rail, perCallUsd: '1' })
    const amount = kit.usd('1') + 1n
    expect(await refused(budget, { ...order('a'), amount })).toMatchObject({
      code: 'OVER_PER_CALL',
      figures: { cap: 'perCall', limit: kit.usd('1'), amount },
    })
  })

  test('error: BUDGET_EXCEEDED by task, by day, and in total', async () => {
    const { budget, order } = await kit.approved(base, store(), {
      rail,
      perCallUsd: '4',
      perTaskUsd: '4',
      perDayUsd: '5',
      totalUsd: '8',
    })
    await budget.spend({ ...order('a', '3'), task: 'report' })
    expect(await refused(budget, { ...order('b', '2'), task: 'report' })).toMatchObject({
      code: 'BUDGET_EXCEEDED',
      figures: { cap: 'perTask', limit: kit.usd('4'), used: kit.usd('3'), amount: kit.usd('2') },
    })
    const midnight = Time.midnight(await base.now()) + Time.day
    expect(await refused(budget, { ...order('c', '3'), task: 'other' })).toMatchObject({
      code: 'BUDGET_EXCEEDED',
      figures: { cap: 'perDay', limit: kit.usd('5'), used: kit.usd('3') },
      retryable: true,
      retryAt: midnight,
    })
    await base.warp(midnight)
    await budget.sync()
    await budget.spend({ ...order('d', '3'), task: 'd' })
    await budget.spend({ ...order('e', '2'), task: 'e' })
    await base.warp(midnight + Time.day)
    await budget.sync()
    expect(await refused(budget, { ...order('f'), task: 'f' })).toMatchObject({
      code: 'BUDGET_EXCEEDED',
      figures: { cap: 'total', limit: kit.usd('8'), used: kit.usd('8') },
      retryable: false,
    })
  })

  test('error: CHAIN_UNSEEN where the endpoint is gone, until it is back', async () => {
    const endpoint = kit.endpoint(base)
    const { client } = endpoint
    const errors: unknown[] = []
    const { budget, order, ...account } = await kit.approved(base, store(), { rail })
    await budget.close()
    const again = await kit.open(base, account, kit.books(kind)(), {
      client,
      maxUnseenMs: 0,
      onError: (error) => errors.push(error),
    })
    endpoint.answer = () => Promise.reject(new Error('https://rpc.example.com/secret-key is gone'))
    const error = await refused(again, order('a'))
    expect(error).toMatchObject({ code: 'CHAIN_UNSEEN', retryable: true })
    await again.close()
    await expect(kit.open(base, account, kit.books(kind)(), { client })).rejects.toMatchObject({
      code: 'RPC_FAILED',
      message: expect.not.stringContaining('secret-key'),
    })
  })
})
