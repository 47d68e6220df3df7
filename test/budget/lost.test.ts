// Books that have forgotten what the agent signed: rebuilt from nothing, or restored from a backup.
import { describe, expect, test } from 'vitest'
import { useBase } from '../base.js'
import * as kit from './kit.js'

const base = await useBase()
kit.endAfterEach()

describe.each(kit.storeKinds)('$name', (kind) => {
  const store = () => kit.books(kind)()

  test('default: rebuilt, nothing is reserved until what was signed before can no longer land', async () => {
    await kit.morning(base)
    const account = await kit.approved(base, store(), { rail: 'guard' })
    await account.budget.spend(account.order('a'))
    await account.budget.close()
    const rebuilt = await kit.open(base, account, store())
    const error = await kit.refusal(rebuilt.spend(account.order('b')))
    expect(error).toMatchObject({ code: 'BOOKS_INCOMPLETE', retryable: true })
    expect(await rebuilt.check(account.order('b'))).toMatchObject({ code: 'BOOKS_INCOMPLETE' })
    // What is known by its reference needs no waiting.
    expect(await rebuilt.spend(account.order('a'))).toMatchObject({ key: 'a' })
    const { retryAt = 0 } = error
    await base.warp(retryAt - 1)
    await base.finalize()
    await rebuilt.sync()
    // The last final block is before it, and the one at it is not final yet.
    await base.warp(Math.max(retryAt, (await base.now()) + 1))
    await base.finalize()
    await rebuilt.sync()
    expect(await rebuilt.spend(account.order('b'))).toMatchObject({ key: 'b' })
    expect(await rebuilt.verify()).toMatchObject({ equal: true })
  })

  test('behavior: the waiting outlives a restart, and is not begun anew by it', async () => {
    await kit.morning(base)
    const account = await kit.approved(base, store(), { rail: 'guard' })
    await account.budget.spend(account.order('a'))
    await account.budget.close()
    const open = kit.books(kind)
    const rebuilt = await kit.open(base, account, open())
    const { retryAt } = await kit.refusal(rebuilt.spend(account.order('b')))
    await rebuilt.close()
    await base.warp((await base.now()) + 300)
    const again = await kit.open(base, account, open())
    expect(await kit.refusal(again.spend(account.order('b')))).toMatchObject({ retryAt })
  })

  test('behavior: a new agent waits for nothing', async () => {
    const { budget, order } = await kit.approved(base, store(), { rail: 'guard' })
    expect(await budget.spend(order('a'))).toMatchObject({ key: 'a' })
  })

  test('args: firstNonce, on the direct rail nothing is reserved until the operator names it', async () => {
    const account = await kit.approved(base, store())
    await account.budget.spend(account.order('a'))
    await account.budget.close()
    const open = kit.books(kind)
    const rebuilt = await kit.open(base, account, open())
    const error = await kit.refusal(rebuilt.spend(account.order('b')))
    expect(error).toMatchObject({ code: 'BOOKS_INCOMPLETE', retryable: false })
    await rebuilt.close()
    const used = await base.client.getTransactionCount({ address: account.agent.address })
    await expect(kit.open(base, account, open(), { firstNonce: used - 1 })).rejects.toMatchObject({
      code: 'MISMATCH',
      figures: { firstNonce: used - 1, used },
    })
    const accepted = await kit.open(base, account, open(), { firstNonce: used })
    expect(await accepted.spend(account.order('b'))).toMatchObject({ key: 'b' })
    await accepted.close()
    // Said once, it is said.
    const later = await kit.open(base, account, open())
    expect(await later.spend(account.order('c'))).toMatchObject({ key: 'c' })
    expect(await later.verify()).toMatchObject({ equal: true })
  })
})
