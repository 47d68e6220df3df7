import { describe, expect, test } from 'vitest'
import { Grant, Permission, Spm, Time } from '../../src/index.js'
import { useBase } from '../base.js'
import { assertSound } from '../ledger/books.js'
import * as kit from './kit.js'

const base = await useBase()
kit.endAfterEach()

/** Another permission of the same account and agent, which the books do not know, approved. */
async function sibling(account: kit.Account): Promise<Permission.Permission> {
  const permission = { ...account.permission, salt: 7n, allowance: kit.usd('100') }
  await account.wallet.execute([Spm.prepareApprove({ permission })])
  return permission
}

describe.each(kit.storeKinds)('$name', (kind) => {
  test("behavior: pulls by the agent's key through another permission are foreign and count", async () => {
    const store = kit.books(kind)()
    const account = await kit.approved(base, store)
    const { budget, agent, grant, order } = account
    const permission = await sibling(account)
    await kit.steal(base, agent, Spm.prepareSpend({ permission, amount: kit.usd('4') }))
    await budget.sync()
    expect([await budget.spentTotalUsd(), await budget.remainingTodayUsd()]).toEqual(['4', '1'])
    const { checks, equal } = await budget.verify()
    expect(equal).toBe(true)
    expect(checks.find(({ name }) => name === 'pulled')).toMatchObject({ chain: kit.usd('4') })
    expect(checks.find(({ name }) => name === 'period')).toMatchObject({ chain: 0n })
    const { receipts } = await assertSound(store, grant.grantId)
    expect(receipts).toMatchObject([{ event: 'foreign', note: 'FOREIGN_PULL', amount: kit.usd('4') }])
    expect(await kit.refusal(budget.spend(order('a', '1.000001')))).toMatchObject({
      code: 'BUDGET_EXCEEDED',
      cap: 'perDay',
    })
    expect(await budget.spend(order('b'))).toMatchObject({ key: 'b' })
  })

  test('behavior: what another key, or another token, takes is none of these books', async () => {
    const account = await kit.approved(base, kit.books(kind)())
    const { budget, wallet } = account
    const stranger = await base.createAccount()
    const others = [
      { ...account.permission, spender: stranger.address },
      { ...account.permission, token: '0xEeeeeEeeeEeEeeEeEeEeeEEEeeeeEeeeeeeeEEeE', salt: 8n },
    ] as const
    await base.fundEth(wallet.address, kit.usd('1'))
    for (const [i, permission] of others.entries()) {
      await wallet.execute([Spm.prepareApprove({ permission })])
      await kit.steal(base, i === 0 ? stranger : account.agent, Spm.prepareSpend({ permission, amount: 5n }))
    }
    await budget.sync()
    expect(await budget.spentTotalUsd()).toBe('0')
    expect(await budget.verify()).toMatchObject({ equal: true })
  })

  test('behavior: rebuilt from nothing after a replacement, with `since` the earlier spends are there', async () => {
    const account = await kit.approved(base, kit.books(kind)(), { totalUsd: '6' })
    const { budget, order, grant, wallet } = account
    await budget.spend(order('a', '4'))
    await budget.revoke()
    await budget.close()
    await base.warp(Time.midnight(await base.now()) + Time.day)
    await base.mine()
    await base.finalize()

    // The same terms but a later start: then nothing of the earlier permission is in the dates of the new one.
    const later = Grant.parse(
      Grant.serialize(grant).replace(
        `"startsAt":${grant.startsAt}`,
        `"startsAt":${grant.startsAt + Time.day}`,
      ),
    )
    const permission = Permission.fromGrant(later, { nonce: 1n })
    const again = { ...account, grant: later, permission }
    await expect(kit.open(base, again, kit.books(kind)())).rejects.toMatchObject({ code: 'MISMATCH' })
    const forgetful = await kit.open(base, again, kit.books(kind)(), { nonce: 1n })
    expect(await forgetful.totals()).toMatchObject({ total: 0n })
    const rebuilt = await kit.open(base, again, kit.books(kind)(), { nonce: 1n, since: grant.startsAt })
    await rebuilt.approve({ signature: await Permission.sign(wallet.account, permission) })
    expect(await rebuilt.totals()).toEqual({
      today: 0n,
      total: kit.usd('4'),
      paid: 0n,
      reserved: 0n,
      filling: 0n,
    })
    expect(await rebuilt.verify()).toMatchObject({ equal: true })
    expect(await kit.refusal(rebuilt.spend(order('b', '3')))).toMatchObject({
      code: 'BUDGET_EXCEEDED',
      cap: 'total',
    })
    expect(await kit.refusal(rebuilt.spend(order('c', '2')))).toMatchObject({ code: 'BOOKS_INCOMPLETE' })
    expect(await rebuilt.verify()).toMatchObject({ equal: true })
  })

  test('behavior: with the same grant and another nonce the earlier spends are there by themselves', async () => {
    const account = await kit.approved(base, kit.books(kind)(), { totalUsd: '6' })
    const { budget, order, grant, wallet } = account
    await budget.spend(order('a', '4'))
    await budget.revoke()
    await budget.close()
    const permission = Permission.fromGrant(grant, { nonce: 1n })
    const rebuilt = await kit.open(base, { ...account, permission }, kit.books(kind)(), { nonce: 1n })
    expect(await rebuilt.totals()).toMatchObject({ total: kit.usd('4') })
    await rebuilt.approve({ signature: await Permission.sign(wallet.account, permission) })
    expect(await kit.refusal(rebuilt.spend(order('b', '3')))).toMatchObject({ cap: 'perDay' })
    expect(await rebuilt.verify()).toMatchObject({ equal: true })
  })
})

test('error: MISMATCH for a grant of other terms than those that were signed', async () => {
  const account = await kit.createAccount(base)
  const { grant } = account
  const looser = Grant.parse(Grant.serialize(grant).replace('"perCall":"5000000"', '"perCall":"4000000"'))
  const store = kit.books(kit.storeKinds[0] ?? fail())()
  await expect(kit.open(base, { ...account, grant: looser }, store)).rejects.toMatchObject({
    code: 'MISMATCH',
    message: expect.stringMatching(/salt.*other terms of the grant than these, or to another nonce/),
  })
  await expect(kit.open(base, account, store, { nonce: 1n })).rejects.toMatchObject({ code: 'MISMATCH' })
})

function fail(): never {
  throw new Error('There is a store.')
}
