import type { LocalAccount } from 'viem'
import { describe, expect, test } from 'vitest'
import { type Budget, Guard, type Order, type Permission } from '../../src/index.js'
import { useBase } from '../base.js'
import { assertSound } from '../ledger/books.js'
import { blacklist } from './blacklist.js'
import * as guardKit from './guardKit.js'
import * as kit from './kit.js'

const base = await useBase()
kit.endAfterEach()

describe.each(kit.storeKinds)('$name', (kind) => {
  const store = () => kit.books(kind)()

  /** An approved budget with an orchestrator, who can send transactions. */
  async function start(terms: Parameters<typeof kit.approved>[2] = {}, options = {}) {
    const books = store()
    const orchestrator = await guardKit.withGas(base)
    const named = { rail: 'guard', orchestrator: orchestrator.address, ...terms } as const
    const account = await kit.approved(base, books, named, options)
    return { ...account, books, orchestrator, key: Guard.key(account.permission) }
  }

  async function refused(budget: Budget, order: Order) {
    const error = await kit.refusal(budget.spend(order))
    expect(error.receipt).toMatchObject({ event: 'refused', ok: false, note: error.code, key: order.key })
    expect(await budget.payment(order.key)).toBeUndefined()
    return error
  }

  describe('REVOKED', () => {
    test.each([
      ['account', 'the permission'],
      ['account', 'the grant'],
      ['orchestrator', 'the permission'],
      ['orchestrator', 'the grant'],
      ['agent', 'the permission'],
    ] as const)('error: at the guard by the %s, %s', async (by, what) => {
      const { budget, order, wallet, orchestrator, permission, key, signature } = await start()
      const call = what === 'the grant' ? Guard.prepareRevokeGrant(key) : Guard.prepareRevoke({ permission })
      if (by === 'account') await wallet.execute([call])
      else if (by === 'orchestrator') await kit.steal(base, orchestrator, call)
      else await budget.revoke()
      await budget.sync()
      expect(await budget.status()).toMatchObject({ revokedBy: by, pausedBy: null })
      expect(await refused(budget, order('a'))).toMatchObject({
        code: 'REVOKED',
        retryable: false,
        figures: { by },
      })
      expect(await budget.verify()).toMatchObject({ equal: true })
      expect(await kit.refusal(budget.approve({ signature }))).toMatchObject({ code: 'REVOKED' })
    })

    test('error: of the whole grant, before anything was approved, and for what would replace it', async () => {
      const account = await kit.createAccount(base, { rail: 'guard' })
      const budget = await kit.open(base, account, store())
      await account.wallet.execute([Guard.prepareRevokeGrant(Guard.key(account.permission))])
      const { signature, agent } = account
      const approving = await kit.refusal(budget.approve({ signature }))
      expect(approving).toMatchObject({ code: 'REVOKED', figures: { by: 'account' } })
      const renewed = await guardKit.renewed(budget, account)
      expect(await kit.refusal(budget.replace(renewed))).toMatchObject({ code: 'REVOKED' })
      expect(await base.client.getTransactionCount({ address: agent.address })).toBe(0)
    })
  })

  describe('PAUSED', () => {
    test.each(['account', 'orchestrator'] as const)(
      'error: at the guard by the %s, until resumed',
      async (by) => {
        const { budget, order, wallet, orchestrator, key } = await start()
        const call = (call: Guard.Call) =>
          by === 'account' ? wallet.execute([call]) : kit.steal(base, orchestrator, call)
        await call(Guard.preparePause(key))
        await budget.sync()
        expect(await budget.status()).toMatchObject({ pausedBy: by, revokedBy: null, paused: false })
        expect(await refused(budget, order('a'))).toMatchObject({
          code: 'PAUSED',
          retryable: true,
          figures: { by },
        })
        expect(await budget.verify()).toMatchObject({ equal: true })
        await call(Guard.prepareResume(key))
        await budget.sync()
        expect(await budget.spend(order('a'))).toMatchObject({ key: 'a' })
      },
    )

    test('behavior: of both the account is named, then who is left', async () => {
      const { budget, wallet, orchestrator, key } = await start()
      await wallet.execute([Guard.preparePause(key)])
      await kit.steal(base, orchestrator, Guard.preparePause(key))
      await budget.sync()
      expect(await budget.status()).toMatchObject({ pausedBy: 'account' })
      await wallet.execute([Guard.prepareResume(key)])
      await budget.sync()
      expect(await budget.status()).toMatchObject({ pausedBy: 'orchestrator' })
    })

    test('behavior: nobody listens to a stranger, or to the agent', async () => {
      const { budget, order, agent, key } = await start()
      await kit.steal(base, await guardKit.withGas(base), Guard.preparePause(key))
      await kit.steal(base, agent, Guard.preparePause(key))
      await budget.sync()
      expect(await budget.spend(order('a'))).toMatchObject({ key: 'a' })
    })

    test('behavior: verify sees a pause that the books do not', async () => {
      const { budget, wallet, key, books, grant } = await start()
      await wallet.execute([Guard.preparePause(key)])
      await budget.sync()
      const { grantId } = grant
      await books.transact(grantId, async (tx) => {
        const row = await tx.get('grants', { grantId })
        if (row) await tx.put('grants', { ...row, pausedBy: null })
      })
      const { checks } = await budget.verify()
      expect(checks.filter(({ equal }) => !equal)).toMatchObject([
        { name: 'paused', ledger: false, chain: true },
      ])
    })

    test('error: CHAIN_REFUSED where the pause comes between decision and payment; resumed, the key pays', async () => {
      const endpoint = kit.endpoint(base)
      const { budget, order, wallet, key } = await start({}, { client: endpoint.client })
      endpoint.answer = async ({ method }, forward) => {
        if (method !== 'eth_estimateGas') return forward()
        endpoint.answer = (_, forward) => forward()
        await wallet.execute([Guard.preparePause(key)])
        return forward()
      }
      const error = await kit.refusal(budget.spend(order('a')))
      expect(error).toMatchObject({ code: 'CHAIN_REFUSED', figures: { code: 'PAUSED_BY' } })
      expect(await budget.payment('a')).toMatchObject({ status: 'released' })
      await wallet.execute([Guard.prepareResume(key)])
      await budget.sync()
      expect(await budget.spend(order('a'))).toMatchObject({ key: 'a' })
    })
  })

  describe('tickets', () => {
    const tasks = { perCallUsd: '3', perTaskUsd: '4' }
    const ticketed = (
      { orchestrator, permission }: { orchestrator: LocalAccount; permission: Permission.Permission },
      more: { task?: string; cap?: string; deadline?: number } = {},
    ) => kit.ticketed(orchestrator, { permission, task: 'report', ...more })

    test('default', async () => {
      const it = await start(tasks)
      const { budget, order, grant, books } = it
      const task = await ticketed(it)
      await budget.spend({ ...order('a', '3'), ...task })
      expect(await budget.remaining(task)).toMatchObject({ perTask: kit.usd('1') })
      expect(await refused(budget, { ...order('b', '2'), ...task })).toMatchObject({
        code: 'BUDGET_EXCEEDED',
        figures: { cap: 'perTask', limit: kit.usd('4'), used: kit.usd('3') },
      })
      await budget.spend({ ...order('c', '2'), ...(await ticketed(it, { task: 'other' })) })
      await assertSound(books, grant.grantId)
      expect(await budget.verify()).toMatchObject({ equal: true })
    })

    test('behavior: of ten at once for a task as many as its ticket allows', async () => {
      const it = await start({ ...tasks, perCallUsd: '1' })
      const { budget, order } = it
      const task = await ticketed(it, { cap: '3' })
      const keys = Array.from({ length: 10 }, (_, i) => `k${i}`)
      const all = await Promise.allSettled(keys.map((key) => budget.spend({ ...order(key), ...task })))
      expect(all.filter(({ status }) => status === 'fulfilled')).toHaveLength(3)
      expect(await budget.verify()).toMatchObject({ equal: true })
    })

    test('error: TASK_MISSING, TICKET_MISSING and TICKET_EXPIRED', async () => {
      const it = await start(tasks)
      const { budget, order } = it
      expect(await refused(budget, order('a'))).toMatchObject({ code: 'TASK_MISSING' })
      expect(await refused(budget, { ...order('b'), task: 'report' })).toMatchObject({
        code: 'TICKET_MISSING',
        retryable: true,
      })
      const deadline = await base.now()
      const old = await ticketed(it, { deadline })
      expect(await refused(budget, { ...order('c'), ...old })).toMatchObject({
        code: 'TICKET_EXPIRED',
        figures: { task: 'report', deadline },
      })
    })

    test('error: TICKET_INVALID by somebody else, for another task, with another cap, or without a signature', async () => {
      const it = await start(tasks)
      const { budget, order, permission, agent } = it
      const { ticket } = await ticketed(it)
      const terms = { chainId: permission.chainId, account: permission.account, token: permission.token }
      const typed = Guard.ticketTypedData({
        ...terms,
        grantId: it.grant.grantId,
        task: Guard.task('report'),
        cap: ticket.cap,
        deadline: ticket.deadline,
      })
      const own = await agent.signTypedData?.(typed)
      const wrong = [
        { task: 'report', ticket: { ...ticket, signature: own ?? '0x12' } },
        { task: 'other', ticket },
        { task: 'report', ticket: { ...ticket, cap: ticket.cap + 1n } },
        { task: 'report', ticket: { ...ticket, signature: '0x1234' } },
      ] as const
      for (const [i, task] of wrong.entries()) {
        expect(await refused(budget, { ...order(`k${i}`), ...task })).toMatchObject({
          code: 'TICKET_INVALID',
        })
      }
      expect(await budget.spend({ ...order('a'), task: 'report', ticket })).toMatchObject({ key: 'a' })
    })

    test('error: INVALID_VALUE for a ticket that nobody asks for', async () => {
      const it = await start()
      const { budget, order } = it
      const spending = budget.spend({ ...order('a'), ...(await ticketed(it)) })
      await expect(spending).rejects.toMatchObject({ code: 'INVALID_VALUE', field: 'ticket' })
      expect(await budget.receipts()).toEqual([])
    })

    test('error: CHAIN_REFUSED for a ticket that ends before it is paid; with another one the key pays', async () => {
      const endpoint = kit.endpoint(base)
      const it = await start(tasks, { client: endpoint.client })
      const { budget, order, payee, grant } = it
      const deadline = (await base.now()) + 300
      const short = await ticketed(it, { deadline })
      endpoint.answer = async ({ method }, forward) => {
        if (method !== 'eth_estimateGas') return forward()
        endpoint.answer = (_, forward) => forward()
        await base.warp(deadline)
        return forward()
      }
      const error = await kit.refusal(budget.spend({ ...order('a'), ...short }))
      expect(error).toMatchObject({ code: 'CHAIN_REFUSED', figures: { code: 'TICKET_EXPIRED' } })
      expect(await budget.totals()).toMatchObject({ reserved: 0n, total: 0n })
      await budget.spend({ ...order('a'), ...(await ticketed(it)) })
      expect(await kit.balanceOf(base, payee, grant.token.address)).toBe(kit.usd('1'))
      expect(await budget.verify()).toMatchObject({ equal: true })
    })
  })

  test('error: BUDGET_EXCEEDED in the trailing window, until there is room', async () => {
    const { budget, order } = await start({ perDayUsd: '8', perWindowUsd: '5', window: 3_600 })
    await budget.spend(order('a', '4'))
    const error = await refused(budget, order('b', '2'))
    const figures = { cap: 'perWindow', limit: kit.usd('5'), used: kit.usd('4') }
    expect(error).toMatchObject({ code: 'BUDGET_EXCEEDED', figures, retryable: true })
    await base.warp(Number(error.retryAt))
    await budget.sync()
    // A new day may have begun, which is no cap here.
    expect(await budget.spend(order('b', '1'))).toMatchObject({ key: 'b' })
    expect(await budget.verify()).toMatchObject({ equal: true })
  })

  test('error: CHAIN_REFUSED for a payee whom the token does not pay: nothing is signed, and the key pays later', async () => {
    const { budget, order, payee, grant, agent } = await start()
    const token = grant.token.address
    await blacklist(base, token, 'blacklist', payee)
    expect(await kit.refusal(budget.spend(order('a')))).toMatchObject({ code: 'CHAIN_REFUSED' })
    expect(await base.client.getTransactionCount({ address: agent.address })).toBe(1)
    await blacklist(base, token, 'unBlacklist', payee)
    await budget.spend(order('a'))
    expect(await kit.balanceOf(base, payee, token)).toBe(kit.usd('1'))
  })

  test('error: MISMATCH where the guard is not deployed', async () => {
    const account = await kit.createAccount(base, { rail: 'guard' })
    const endpoint = kit.endpoint(base)
    endpoint.answer = async ({ method }, forward) => (method === 'eth_getCode' ? '0x' : forward())
    await expect(kit.open(base, account, store(), { client: endpoint.client })).rejects.toMatchObject({
      code: 'MISMATCH',
      message: expect.stringContaining('not deployed'),
    })
  })
})
