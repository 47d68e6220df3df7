/** Two processes that follow one grant at once, on every store: what one has read the other does not undo. */
import { describe, expect, test } from 'vitest'
import { useBase } from '../base.js'
import * as kit from '../budget/kit.js'
import { assertSound } from './books.js'
import * as hazard from './hazardKit.js'
import { storeKinds } from './stores.js'

const base = await useBase()
kit.endAfterEach()

describe.each(storeKinds)('$name', (kind) => {
  async function two() {
    const open = kit.books(kind)
    const it = await hazard.world(base, open())
    return { it, other: { ...it, budget: await it.open(open()) } }
  }

  test('behavior: two syncers at once: each fact is in the books once', async () => {
    const { it, other } = await two()
    for (let block = 1; block <= 6; block++) {
      await hazard.steal(it, '1')
      await Promise.all([it.budget.sync(), other.budget.sync()])
    }
    expect(await it.budget.spentTotalUsd()).toBe('6')
    const { receipts } = await assertSound(it.store, it.grant.grantId)
    expect(receipts.map(({ event }) => event)).toEqual(Array(6).fill('foreign'))
    await hazard.holds(it)
    await hazard.holds(other)
  })

  test('behavior: two syncers at once, through a reorganisation', async () => {
    const { it, other } = await two()
    const back = await base.snapshot()
    await hazard.pay(it, 'a')
    await hazard.steal(it, '2')
    await Promise.all([it.budget.sync(), other.budget.sync()])
    expect(await other.budget.spentTotalUsd()).toBe('3')
    await kit.replaceBlocks(base, back, 4)
    await Promise.all([other.budget.sync(), it.budget.sync()])
    await kit.untilPaid(other.budget, 'a')
    await Promise.all([other.budget.sync(), it.budget.sync()])
    expect(await it.budget.spentTotalUsd()).toBe('1')
    expect(await hazard.timesPaid(it, 'a')).toBe(1)
    await hazard.holds(it)
    await hazard.holds(other)
  })
})
