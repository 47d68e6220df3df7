import { describe, expect, test } from 'vitest'
import { postgres } from '../../src/postgres/index.js'
import { useBase } from '../base.js'
import * as kit from '../budget/kit.js'
import { databaseUrl, postgresBooks } from '../database.js'
import { type Fault, startProxy } from './proxy.js'

const base = await useBase()
kit.endAfterEach()

function books() {
  const made = postgresBooks()
  kit.later(made.end)
  return made
}

describe.each(kit.rails)('%s rail', (rail) => {
  test('behavior: two hosts with the same orders at once pay what fits one cap, and each order once', async () => {
    const { open } = books()
    const account = await kit.approved(base, open(), { rail })
    const hosts = [account.budget, await kit.open(base, account, open())]
    const orders = Array.from({ length: 8 }, (_, i) => account.order(`k${i}`))
    const results = await Promise.allSettled(
      hosts.flatMap((host) => orders.map((order) => host.spend(order))),
    )
    const paid = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value.key] : []))
    for (const result of results) {
      if (result.status === 'rejected') expect(result.reason).toMatchObject({ code: 'BUDGET_EXCEEDED' })
    }
    expect(new Set(paid).size).toBe(5)
    expect(await kit.balanceOf(base, account.payee, account.grant.token.address)).toBe(kit.usd('5'))
    for (const host of hosts) expect(await host.verify()).toMatchObject({ equal: true })
  })

  test('behavior: a line that breaks at commits costs an error, and the same key pays once', async () => {
    const { open, schema } = books()
    const account = await kit.approved(base, open(), { rail })
    await account.budget.close()
    const proxy = await startProxy(await databaseUrl())
    kit.later(proxy.stop)
    const store = postgres(proxy.url, { schema, busyTimeoutMs: 500, silenceTimeoutMs: 1_000 })
    kit.later(store.close)
    const budget = await kit.open(base, account, store, { onError: () => {} })
    const faults: Fault[] = ['after', 'before', 'silent', 'after']
    for (const [i, fault] of faults.entries()) {
      const order = account.order(`k${i}`)
      // It meets the next commit: that of the payment, or of a reading of the chain.
      proxy.fault = fault
      await budget.spend(order).catch((error: unknown) => {
        expect(error).toMatchObject({ code: expect.stringMatching(/^STORE_/), retryable: true })
      })
      while (proxy.fault !== 'none') await budget.sync().catch(() => {})
      expect(await budget.spend(order)).toMatchObject({ key: `k${i}` })
    }
    expect(await kit.balanceOf(base, account.payee, account.grant.token.address)).toBe(kit.usd('4'))
    expect(await budget.verify()).toMatchObject({ equal: true })
  })
})
