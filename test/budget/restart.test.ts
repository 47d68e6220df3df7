import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { Grant, Permission } from '../../src/index.js'
import { stateOf } from '../../src/Payment.js'
import { sqlite } from '../../src/sqlite/index.js'
import { useBase } from '../base.js'
import { assertSound } from '../ledger/books.js'
import type { Job } from './killed.js'
import * as kit from './kit.js'

const base = await useBase()
kit.endAfterEach()

describe.each(kit.cases)('$name', ({ kind, rail }) => {
  test.each(kit.points[rail])(
    'behavior: closed when $at, opened again: paid exactly once',
    async ({ status, point }) => {
      const open = kit.books(kind)
      const endpoint = kit.endpoint(base)
      const store = open()
      const account = await kit.approved(base, store, { rail }, { client: endpoint.client })
      const { budget, order, payee, grant } = account
      const died = new Promise<void>((resolve) => {
        endpoint.answer = kit.dieAt(point, resolve)
      })
      const spending = kit.refusal(budget.spend(order('a')))
      await died
      await budget.close()
      expect(await spending).toMatchObject({ code: 'CLOSED', retryable: true })
      expect(await budget.payment('a')).toMatchObject({ status })
      expect(await budget.remainingTodayUsd()).toBe('4')
      await store.close()

      // Nobody asks for it again: the budget goes on by itself.
      const again = await kit.open(base, account, open())
      await kit.untilPaid(again, 'a')
      expect(await again.spend(order('a'))).toMatchObject({ key: 'a', amount: kit.usd('1') })
      expect(await kit.balanceOf(base, payee, grant.token.address)).toBe(kit.usd('1'))
      expect(await again.spentTotalUsd()).toBe('1')
      expect(await again.reserved()).toBe(0n)
      expect((await again.receipts()).map(({ event }) => event)).toEqual(['reserved', 'settled'])
      expect(await again.verify()).toMatchObject({ equal: true })
    },
  )
})

describe.each(kit.rails)('a process of its own, %s', (rail) => {
  async function job() {
    const folder = mkdtempSync(join(tmpdir(), 'hardcap-killed-'))
    kit.later(() => rmSync(folder, { recursive: true, force: true }))
    const path = join(folder, 'books.db')
    const store = sqlite(path)
    const account = await kit.approved(base, store, { rail })
    await account.budget.close()
    await store.close()
    const job: Job = {
      url: base.url,
      path,
      grant: Grant.serialize(account.grant),
      permission: Permission.serialize(account.permission),
      agentKey: account.agentKey,
      amount: String(kit.usd('1')),
      key: 'a',
    }
    return { account, job, path }
  }

  // Every child takes seconds to start: the ends that leave something behind on each side. All are closed above.
  const kills = kit.points[rail].filter(({ at }) => ['signed', 'pulled', 'transferred', 'sent'].includes(at))

  function start(job: Job) {
    const script = ['--import', 'tsx', 'test/budget/killed.ts', JSON.stringify(job)]
    const child = spawn(process.execPath, script, { stdio: ['ignore', 'pipe', 'inherit'] })
    kit.later(() => void child.kill('SIGKILL'))
    return child
  }

  test.each(kills)('behavior: SIGKILL when $at: paid exactly once after all', async ({ status, point }) => {
    const { account, job: work, path } = await job()
    const { order, payee, grant } = account
    const child = start({ ...work, point })
    const [word] = await once(child.stdout, 'data')
    expect(String(word)).toBe('here\n')
    child.kill('SIGKILL')
    await once(child, 'exit')

    const store = sqlite(path)
    kit.later(store.close)
    const rows = await assertSound(store, grant.grantId)
    expect(rows.payments.map(stateOf)).toMatchObject([{ status }])
    const budget = await kit.open(base, account, store)
    await kit.untilPaid(budget, 'a')
    await budget.spend(order('a'))
    expect(await kit.balanceOf(base, payee, grant.token.address)).toBe(kit.usd('1'))
    expect(await budget.spentTotalUsd()).toBe('1')
    expect(await budget.verify()).toMatchObject({ equal: true })
  })

  test('behavior: a budget that nobody waits for does not keep its process alive', async () => {
    const { account, job: work } = await job()
    const child = start(work)
    const [code] = await once(child, 'exit')
    expect(code).toBe(0)
    expect(await kit.balanceOf(base, account.payee, account.grant.token.address)).toBe(kit.usd('1'))
  })
})
