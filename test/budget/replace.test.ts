import { describe, expect, test } from 'vitest'
import { type Grant, Guard, Permission, Spm, type Store } from '../../src/index.js'
import { useBase } from '../base.js'
import { assertSound } from '../ledger/books.js'
import * as guardKit from './guardKit.js'
import * as kit from './kit.js'

const base = await useBase()
kit.endAfterEach()

const rail = 'guard'

describe.each(kit.storeKinds)('$name', (kind) => {
  const store = () => kit.books(kind)()
  const events = async (books: Store, grant: Grant.Grant) =>
    (await assertSound(books, grant.grantId)).receipts.map(({ event }) => event)

  test('default', async () => {
    const books = store()
    const account = await kit.approved(base, books, { rail, perCallUsd: '2', perDayUsd: '2' })
    const { budget, grant, order } = account
    await budget.spend(order('a', '2'))
    expect(await kit.refusal(budget.spend(order('b')))).toMatchObject({ code: 'BUDGET_EXCEEDED' })
    const raised = await guardKit.renewed(budget, account, { perDay: kit.usd('3') })
    await budget.replace(raised)
    expect([budget.grant, budget.permission]).toEqual([raised.grant, raised.permission])
    expect(await budget.status()).toMatchObject({ status: 'active' })
    expect(await Spm.isRevoked(base.client, account)).toBe(true)
    expect(await budget.remaining()).toMatchObject({ perDay: kit.usd('1'), total: kit.usd('6') })
    await budget.spend(order('b'))
    expect(await kit.refusal(budget.spend(order('c', '0.01')))).toMatchObject({ cap: 'perDay' })
    expect(await budget.verify()).toMatchObject({ equal: true })
    expect(await events(books, grant)).toEqual([
      ...['reserved', 'settled', 'refused'],
      ...['replaced', 'reserved', 'settled', 'refused'],
    ])
  })

  test('behavior: what was spent stays, on the day, in all, in the window and on the task', async () => {
    const orchestrator = await guardKit.withGas(base)
    const terms = { perTaskUsd: '5', perWindowUsd: '5', window: 3_600, orchestrator: orchestrator.address }
    const account = await kit.approved(base, store(), { rail, ...terms })
    const { budget, order, permission } = account
    const task = await kit.ticketed(orchestrator, { permission, task: 'report', cap: '100' })
    await budget.spend({ ...order('a', '3'), ...task })
    const more = {
      perDay: kit.usd('50'),
      total: kit.usd('60'),
      perTask: kit.usd('40'),
      perWindow: kit.usd('30'),
    }
    await budget.replace(await guardKit.renewed(budget, account, more))
    expect(await budget.remaining(task)).toMatchObject({
      perDay: kit.usd('47'),
      total: kit.usd('57'),
      perTask: kit.usd('37'),
      perWindow: kit.usd('27'),
    })
    const chain = await Guard.remaining(base.client, {
      permission: budget.permission,
      task: Guard.task('report'),
    })
    expect(await budget.remaining(task)).toMatchObject({ ...chain, perCall: kit.usd('5') })
    await budget.spend({ ...order('b', '5'), ...task })
    expect(await budget.verify()).toMatchObject({ equal: true })
  })

  test('behavior: a task that only the books held keeps what was booked, where the chain begins to hold it', async () => {
    const account = await kit.approved(base, store(), { rail, perCallUsd: '3', perTaskUsd: '4' })
    const { budget, order } = account
    await budget.spend({ ...order('a', '3'), task: 'report' })
    const orchestrator = await guardKit.withGas(base)
    await budget.replace(await guardKit.renewed(budget, account, { orchestrator: orchestrator.address }))
    const { permission } = budget
    const task = await kit.ticketed(orchestrator, { permission, task: 'report' })
    expect(await kit.refusal(budget.spend({ ...order('b', '2'), ...task }))).toMatchObject({ cap: 'perTask' })
    expect(await budget.spend({ ...order('c', '1'), ...task })).toMatchObject({ key: 'c' })
    expect(await budget.verify()).toMatchObject({ equal: true })
  })

  test('behavior: lowered below what was spent, nothing is left', async () => {
    const account = await kit.approved(base, store(), { rail })
    const { budget, order } = account
    await budget.spend(order('a', '4'))
    const less = { perDay: kit.usd('3'), perCall: kit.usd('1') }
    await budget.replace(await guardKit.renewed(budget, account, less))
    expect(await budget.remaining()).toMatchObject({ perDay: 0n, overall: 0n })
    expect(await kit.refusal(budget.spend(order('b')))).toMatchObject({ cap: 'perDay' })
    expect(await kit.refusal(budget.spend(order('b', '2')))).toMatchObject({ code: 'OVER_PER_CALL' })
  })

  test('behavior: what is reserved goes through the new permission', async () => {
    const account = await reserved()
    const { budget, order, grant, books } = account
    const raised = await guardKit.renewed(budget, account, { perDay: kit.usd('6') })
    await budget.replace(raised)
    expect(await budget.payment('a')).toMatchObject({ status: 'reserved' })
    await budget.resume()
    expect(await account.spending).toMatchObject({ key: 'a' })
    const { events } = await assertSound(books, grant.grantId)
    expect(events.map(({ permissionHash }) => permissionHash)).toEqual([Permission.hash(raised.permission)])
    expect(await budget.spend(order('a'))).toMatchObject({ key: 'a' })
    expect(await budget.verify()).toMatchObject({ equal: true })
  })

  test('behavior: what is reserved for a payee that the new terms do not list is released', async () => {
    const account = await reserved()
    const { budget } = account
    const allow = [{ host: 'api.example.com', payTo: [kit.freshAddress()] }]
    await budget.replace(await guardKit.renewed(budget, account, { allow }))
    await budget.resume()
    expect(await account.spending).toMatchObject({ code: 'CHAIN_REFUSED' })
    expect(await budget.payment('a')).toMatchObject({ status: 'released' })
    expect(await budget.reserved()).toBe(0n)
  })

  test('behavior: what is signed under the old permission, and comes after it, is released; the key pays', async () => {
    const endpoint = kit.endpoint(base)
    const books = store()
    const account = await kit.approved(base, books, { rail }, { client: endpoint.client })
    const { budget, order, permission, payee, grant } = account
    const taken = guardKit.swallow(endpoint)
    const spending = kit.settledAs(budget.spend(order('a')))
    await taken
    const raised = await guardKit.renewed(budget, account)
    // Anybody may send it.
    const { signature } = raised
    const call = Guard.prepareReplace({ from: permission, to: raised.permission, signature })
    await kit.steal(base, await guardKit.withGas(base), call)
    endpoint.answer = (_, forward) => forward()
    await budget.replace(raised)
    expect(await budget.payment('a')).toMatchObject({ status: 'paying' })
    await base.finalize()
    await budget.sync()
    expect(await spending).toMatchObject({ code: 'RELEASED' })
    await budget.spend(order('a'))
    expect(await kit.balanceOf(base, payee, grant.token.address)).toBe(kit.usd('1'))
    await assertSound(books, grant.grantId)
    expect(await budget.verify()).toMatchObject({ equal: true })
  })

  test.each(['with the new terms', 'with the old ones, and replaced again'])(
    'behavior: replaced on chain before the books followed, opened %s',
    async (how) => {
      const books = store()
      await kit.morning(base)
      const account = await kit.approved(base, books, { rail })
      const { budget, order, permission } = account
      await budget.spend(order('a', '4'))
      const raised = await guardKit.renewed(budget, account, { perDay: kit.usd('6') })
      await budget.close()
      const call = Guard.prepareReplace({
        from: permission,
        to: raised.permission,
        signature: raised.signature,
      })
      await kit.steal(base, account.agent, call)
      const isNew = how === 'with the new terms'
      const again = await kit.open(base, isNew ? { ...account, ...raised } : account, books)
      if (!isNew) {
        expect(await kit.refusal(again.spend(order('b')))).toMatchObject({ code: 'REVOKED' })
        const sent = await base.client.getTransactionCount({ address: account.agent.address })
        await again.replace(raised)
        expect(await base.client.getTransactionCount({ address: account.agent.address })).toBe(sent)
      }
      expect(await again.remaining()).toMatchObject({ perDay: kit.usd('2') })
      // The transaction that replaced it is none that the books know.
      await kit.quiet(base, again)
      expect(await again.spend(order('b', '2'))).toMatchObject({ key: 'b' })
      expect(await again.verify()).toMatchObject({ equal: true })
    },
  )

  test('behavior: another process has replaced it meanwhile: the new terms hold here too', async () => {
    const open = kit.books(kind)
    const account = await kit.approved(base, open(), { rail })
    const { budget, order, permission } = account
    const second = await kit.open(base, account, open())
    const raised = await guardKit.renewed(budget, account, { perDay: kit.usd('6'), perCall: kit.usd('6') })
    await budget.replace(raised)
    expect(await second.spend(order('a', '6'))).toMatchObject({ key: 'a' })
    expect(second.permission).toEqual(raised.permission)
    const late = await guardKit.renewed({ grant: account.grant, permission }, account, {
      perDay: kit.usd('7'),
    })
    expect(await kit.refusal(second.replace(late))).toMatchObject({ code: 'MISMATCH' })
    expect(await second.verify()).toMatchObject({ equal: true })
    // Nor do books go back to terms of before, which a third process may be started with.
    await expect(kit.open(base, account, open())).rejects.toMatchObject({
      code: 'MISMATCH',
      message: expect.stringContaining('was replaced'),
    })
    expect(await budget.verify()).toMatchObject({ equal: true })
  })

  test('behavior: two processes at once', async () => {
    const open = kit.books(kind)
    const account = await kit.approved(base, open(), { rail })
    const { budget, order } = account
    const second = await kit.open(base, account, open())
    const raised = await guardKit.renewed(budget, account, { perDay: kit.usd('6') })
    await Promise.all([budget, second].map((each) => each.replace(raised)))
    await budget.replace(raised)
    await budget.sync()
    expect(await second.spend(order('a', '5'))).toMatchObject({ key: 'a' })
    expect(await budget.verify()).toMatchObject({ equal: true })
  })

  test('error: MISMATCH, which names what would have to stay', async () => {
    const account = await kit.approved(base, store(), { rail })
    const other = await kit.createAccount(base, { rail })
    const { budget, agent } = account
    const changes: [string, Partial<Grant.Grant>][] = [
      ['grantId', { grantId: other.grant.grantId }],
      ['owner', { owner: other.grant.owner }],
      ['agent', { agent: other.agent.address }],
      ['chainId', { chainId: 84532 }],
      ['rail', { rail: 'purse', maxFloat: kit.usd('1') }],
      ['in USDbC', { token: { ...account.grant.token, symbol: 'USDbC', address: kit.freshAddress() } }],
    ]
    const { signature } = await guardKit.renewed(budget, account)
    const replaces = Permission.hash(budget.permission)
    for (const [word, change] of changes) {
      const grant = { ...account.grant, ...change }
      const permission = Permission.fromGrant(grant, { replaces })
      const error = await kit.refusal(budget.replace({ grant, permission, signature }))
      expect([error.code, error.message]).toEqual([
        'MISMATCH',
        expect.stringContaining(word.split(' ').at(-1) ?? ''),
      ])
    }
    const { grant } = account
    for (const permission of [
      Permission.fromGrant(grant, { nonce: 1n }),
      Permission.fromGrant(grant, { replaces: Permission.hash(other.permission) }),
      { ...Permission.fromGrant(grant, { replaces }), allowance: 1n },
    ])
      expect(await kit.refusal(budget.replace({ grant, permission, signature }))).toMatchObject({
        code: 'MISMATCH',
      })
    expect(await base.client.getTransactionCount({ address: agent.address })).toBe(1)
  })

  test('error: a signature by somebody else, and a permission that was revoked before', async () => {
    const account = await kit.approved(base, store(), { rail })
    const stranger = await kit.createAccount(base, { rail })
    const { budget, order, wallet } = account
    const raised = await guardKit.renewed(budget, account)
    const signature = await stranger.wallet.account.signTypedData(Permission.typedData(raised.permission))
    await expect(budget.replace({ ...raised, signature })).rejects.toMatchObject({
      code: 'INVALID_SIGNATURE',
    })
    await wallet.execute([Spm.prepareRevoke({ permission: raised.permission })])
    expect(await kit.refusal(budget.replace(raised))).toMatchObject({ code: 'REVOKED' })
    expect(await budget.spend(order('a'))).toMatchObject({ key: 'a' })
  })

  /** A payment that is reserved in books that are paused before it is signed. */
  async function reserved() {
    const books = store()
    const endpoint = kit.endpoint(base)
    const account = await kit.approved(base, books, { rail }, { client: endpoint.client })
    const { budget, order } = account
    const paused = new Promise<void>((resolve) => {
      endpoint.answer = async ({ method }, forward) => {
        if (method !== 'eth_estimateGas') return forward()
        endpoint.answer = (_, forward) => forward()
        await budget.pause()
        resolve()
        return forward()
      }
    })
    const spending = kit.settledAs(budget.spend(order('a')))
    await paused
    return { ...account, books, spending }
  }
})

test('error: MISMATCH on the direct rail', async () => {
  const [kind] = kit.storeKinds
  if (!kind) throw new Error('There is a store.')
  const account = await kit.approved(base, kit.books(kind)(), { rail: 'direct' })
  const { budget, signature } = account
  const permission = Permission.fromGrant(account.grant, { nonce: 1n })
  const error = await kit.refusal(budget.replace({ grant: account.grant, permission, signature, nonce: 1n }))
  expect(error).toMatchObject({ code: 'MISMATCH', message: expect.stringContaining('direct rail') })
})
