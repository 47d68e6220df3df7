import { describe, expect, test } from 'vitest'
import { Grant, Guard, Permission, Time } from '../../src/index.js'
import { useBase } from '../base.js'
import * as kit from './kit.js'

const base = await useBase()
kit.endAfterEach()

const guard = { rail: 'guard' } as const

describe.each(kit.storeKinds)('$name', (kind) => {
  const store = () => kit.books(kind)()

  test('default', async () => {
    const { budget, grant, payee, agent, order } = await kit.approved(base, store(), guard)
    const spent = await budget.spend({ ...order('a'), host: 'api.example.com', task: 'report' })
    const { logs, from } = await base.client.getTransactionReceipt({ hash: spent.txHash })
    expect(Guard.parseLogs(logs)).toMatchObject([
      { type: 'paid', payee, amount: kit.usd('1'), ref: Guard.reference(grant.grantId, 'a'), task: Guard.task('report') },
    ])
    expect(from).toBe(agent.address.toLowerCase())
    expect(await kit.balanceOf(base, payee, grant.token.address)).toBe(kit.usd('1'))
    expect(await kit.balanceOf(base, agent.address, grant.token.address)).toBe(0n)
    expect(await budget.payment('a')).toMatchObject({ status: 'paid', final: false, to: payee })
    expect(await budget.verify()).toMatchObject({ equal: true })
  })

  test('behavior: a raised limit keeps what was spent', async () => {
    const { budget, wallet, grant, order } = await kit.approved(base, store(), { ...guard, perDayUsd: '2' })
    await budget.spend(order('a', '2'))
    expect((await kit.refusal(budget.spend(order('b')))).code).toBe('BUDGET_EXCEEDED')
    const raised = Grant.parse({ ...JSON.parse(Grant.serialize(grant)), perDay: String(kit.usd('3')) })
    const permission = Permission.fromGrant(raised, { replaces: Permission.hash(budget.permission) })
    const signature = await Permission.sign(wallet.account, permission)
    await budget.replace({ grant: raised, permission, signature })
    expect(budget.permission).toEqual(permission)
    expect(await budget.remaining()).toMatchObject({ perDay: kit.usd('1') })
    await budget.spend(order('b'))
    expect((await kit.refusal(budget.spend(order('c', '0.01')))).code).toBe('BUDGET_EXCEEDED')
    expect(await budget.verify()).toMatchObject({ equal: true })
  })

  test('behavior: a payment whose number was never used is released at its deadline', async () => {
    const account = await kit.createAccount(base, guard)
    const endpoint = kit.endpoint(base)
    const budget = await kit.open(base, account, store(), { client: endpoint.client })
    await budget.approve({ signature: account.signature })
    endpoint.answer = async ({ method }, forward) =>
      method === 'eth_sendRawTransaction' ? '0x' : forward()
    const spending = kit.refusal(budget.spend(kit.order(account)('a')))
    while ((await budget.payment('a'))?.status !== 'paying') await budget.sync()
    await base.warp((await base.now()) + Time.day)
    await base.finalize()
    expect(await spending).toMatchObject({ code: 'RELEASED' })
    expect(await budget.reserved()).toBe(0n)
  })
})
