// Payments through the guard that go out together, and what happens to the others where one of them is bad.
import { encodeFunctionData, erc20Abi } from 'viem'
import { describe, expect, test } from 'vitest'
import * as Batch from '../../src/Batch.js'
import { Guard, type Store } from '../../src/index.js'
import { useBase } from '../base.js'
import { assertSound } from '../ledger/books.js'
import { storeKinds } from '../ledger/stores.js'
import { blacklist } from './blacklist.js'
import * as guardKit from './guardKit.js'
import * as kit from './kit.js'
import * as outboxKit from './outboxKit.js'

const base = await useBase()
kit.endAfterEach()

const key = (spent: unknown) => (spent as { key?: string }).key
const code = (error: unknown) => (error as { code?: string }).code

/** The wallet gives away all but so much of its USDC. */
async function leave(it: outboxKit.Outbox, usdc: string) {
  const token = it.grant.token.address
  const amount = (await kit.balanceOf(base, it.wallet.address, token)) - kit.usd(usdc)
  const args = [kit.freshAddress(), amount] as const
  await it.wallet.execute([
    { to: token, data: encodeFunctionData({ abi: erc20Abi, functionName: 'transfer', args }) },
  ])
}

/** Between simulation and mining of the next batch something happens. */
function beforeMined(it: outboxKit.Outbox, happen: () => Promise<unknown>) {
  it.endpoint.answer = async ({ method }, forward) => {
    if (method !== 'eth_sendRawTransaction') return forward()
    it.endpoint.answer = (_, forward) => forward()
    await happen()
    return forward()
  }
}

describe.each(storeKinds)('$name', (kind) => {
  const begin = (options: Parameters<typeof outboxKit.start>[2] = {}, store: Store = kit.books(kind)()) =>
    outboxKit.start(base, store, options)

  test('default', async () => {
    const it = await begin()
    const spends = await Promise.all(await outboxKit.together(it, outboxKit.orders(it)))
    expect(spends.map(key).sort()).toEqual(outboxKit.orders(it).map(({ key }) => key))
    expect(await it.mined()).toBe(1)
    expect(await it.paid()).toHaveLength(10)
    for (const payee of it.payees) expect(await it.balance(payee)).toBe(kit.usd('1'))
    await assertSound(it.store, it.grant.grantId)
    expect(await it.budget.verify()).toMatchObject({ equal: true })
  })

  test('behavior: two workers on one store never pay a payment twice', async () => {
    const open = kit.books(kind)
    const it = await begin({}, open())
    const other = await kit.open(base, it, open())
    const orders = outboxKit.orders(it)
    const spends = await Promise.all(
      [it.budget, other].flatMap((budget) => orders.map((order) => budget.spend(order))),
    )
    expect(new Set(spends.map(key)).size).toBe(10)
    const paid = await it.paid()
    expect(paid).toHaveLength(10)
    // No transaction of either of them was for nothing.
    expect(await it.mined()).toBe(new Set(paid.map(({ transactionHash }) => transactionHash)).size)
    expect(await other.verify()).toMatchObject({ equal: true })
  })
})

describe.each(kit.storeKinds)('$name', (kind) => {
  const begin = (options: Parameters<typeof outboxKit.start>[2] = {}, store: Store = kit.books(kind)()) =>
    outboxKit.start(base, store, options)

  /** So many payments in a batch that is stored and went nowhere, when the budget was closed. */
  async function stored(count: number) {
    const open = kit.books(kind)
    const it = await begin({}, open())
    const taken = guardKit.swallow(it.endpoint)
    const spends = await outboxKit.together(it, outboxKit.orders(it, count))
    await taken
    await it.budget.close()
    await Promise.all(spends)
    return { it, open }
  }

  test('behavior: what is reserved while a batch is on its way goes into the next', async () => {
    const it = await begin()
    const [first, ...others] = outboxKit.orders(it, 6)
    if (!first) throw new Error('There are orders.')
    await base.client.setAutomine(false)
    kit.later(() => base.client.setAutomine(true))
    const spends = await outboxKit.together(it, [first])
    await it.budget.sync()
    spends.push(...(await outboxKit.together(it, others)))
    await it.budget.sync()
    await it.budget.sync()
    expect(it.raws).toHaveLength(1)
    await base.mine()
    await it.budget.sync()
    expect(it.raws).toHaveLength(2)
    await base.mine()
    expect((await Promise.all(spends)).map(key)).toEqual(['p0', 'p1', 'p2', 'p3', 'p4', 'p5'])
    expect(await it.mined()).toBe(2)
  })

  test('args: batchDelayMs, what comes within it goes out together', async () => {
    const it = await begin({ options: { batchDelayMs: 600_000 } })
    const spends = []
    for (const order of outboxKit.orders(it, 3)) {
      spends.push(...(await outboxKit.together(it, [order])))
      await it.budget.sync()
    }
    expect(it.raws).toHaveLength(0)
    // Whoever opens the books with another delay need not wait.
    const other = await kit.open(base, it, it.store)
    for (const { key } of outboxKit.orders(it, 3)) await kit.untilPaid(other, key)
    await it.budget.sync()
    await Promise.all(spends)
    expect(await it.mined()).toBe(1)
  })

  test('behavior: where the policy caps tasks, one transaction for each task and ticket', async () => {
    const orchestrator = await guardKit.withGas(base)
    const it = await begin({
      terms: { orchestrator: orchestrator.address, perCallUsd: '5', perTaskUsd: '5' },
    })
    const [a, b] = await Promise.all(
      ['a', 'b'].map((task) => kit.ticketed(orchestrator, { permission: it.permission, task })),
    )
    const orders = outboxKit.orders(it, 6).map((order, i) => ({ ...order, ...(i % 2 === 0 ? a : b) }))
    await Promise.all(await outboxKit.together(it, orders))
    expect(await it.mined()).toBe(2)
    const tasks = (await it.paid()).map(({ task }) => task)
    expect(tasks.sort()).toEqual(
      [...Array(3).fill(Guard.task('a')), ...Array(3).fill(Guard.task('b'))].sort(),
    )
    expect(await it.budget.verify()).toMatchObject({ equal: true })
  })

  test('behavior: one bad payee among ten is found, and the nine go out as one', async () => {
    const it = await begin()
    const [, , bad] = it.payees
    if (!bad) throw new Error('There are payees.')
    await blacklist(base, it.grant.token.address, 'blacklist', bad)
    const spends = await Promise.all(await outboxKit.together(it, outboxKit.orders(it)))
    expect(spends.map((spent) => key(spent) ?? code(spent))).toEqual(
      outboxKit.orders(it).map(({ key, to }) => (to === bad ? 'CHAIN_REFUSED' : key)),
    )
    expect(await it.mined()).toBe(1)
    expect(await it.paid()).toHaveLength(9)
    expect(await it.budget.payment('p2')).toMatchObject({ status: 'released' })
    expect(await it.budget.reserved()).toBe(0n)
    await assertSound(it.store, it.grant.grantId)
  })

  test('behavior: refused on chain after a good simulation, only what fits is paid, and the rest released when that is final', async () => {
    const it = await begin()
    beforeMined(it, () => leave(it, '2'))
    const spends = await outboxKit.together(it, outboxKit.orders(it, 4))
    await it.received('settled', 2)
    // The batch, and the half of it that fits.
    expect(await it.mined()).toBe(2)
    expect(await it.paid()).toHaveLength(2)
    expect(await it.budget.reserved()).toBe(kit.usd('2'))
    await it.budget.sync()
    await base.finalize()
    await it.budget.sync()
    const ends = await Promise.all(spends)
    expect(ends.map((spent) => key(spent) ?? code(spent)).sort()).toEqual([
      'RELEASED',
      'RELEASED',
      'p0',
      'p1',
    ])
    expect(await it.budget.reserved()).toBe(0n)
    expect(await it.mined()).toBe(2)
    await assertSound(it.store, it.grant.grantId)
    expect(await it.budget.verify()).toMatchObject({ equal: true })
  })

  test('behavior: refused, and final before anybody looked: what fits is paid all the same', async () => {
    const { it, open } = await stored(4)
    await leave(it, '2')
    const [sent] = it.raws
    if (!sent) throw new Error('The batch was sent.')
    await base.client.sendRawTransactionSync({ serializedTransaction: sent.raw })
    expect(await it.mined()).toBe(1)
    await base.finalize()
    const again = await kit.open(base, it, open())
    for (const { key } of outboxKit.orders(it, 2)) await kit.untilPaid(again, key)
    expect(await it.paid()).toHaveLength(2)
    await base.finalize()
    await again.sync()
    expect(await again.payment('p3')).toMatchObject({ status: 'released' })
    expect(await again.verify()).toMatchObject({ equal: true })
  })

  test('behavior: its neighbours go out again with the numbers that they had', async () => {
    const it = await begin()
    const [, bad] = it.payees
    if (!bad) throw new Error('There are payees.')
    beforeMined(it, () => blacklist(base, it.grant.token.address, 'blacklist', bad))
    const spends = await outboxKit.together(it, outboxKit.orders(it, 4))
    const numbers = await Promise.all(
      outboxKit.orders(it, 4).map(({ key }) => guardKit.numberOf(it.store, it.grant, key)),
    )
    await it.received('settled', 3)
    await base.finalize()
    await it.budget.sync()
    const ends = await Promise.all(spends)
    expect(ends.map((spent) => key(spent) ?? code(spent))).toEqual(['p0', 'RELEASED', 'p2', 'p3'])
    const paid = (await it.paid()).map(({ number }) => number)
    expect(paid.sort()).toEqual(numbers.filter((_, i) => i !== 1).sort())
    await blacklist(base, it.grant.token.address, 'unBlacklist', bad)
    const [order] = outboxKit.orders(it, 4).slice(1)
    if (!order) throw new Error('There are orders.')
    await it.budget.spend(order)
    expect((await it.paid()).map(({ number }) => number).sort()).toEqual(numbers.sort())
  })

  test('behavior: where no simulation shows who is bad, halves of halves find it', async () => {
    const it = await begin()
    const [, , bad] = it.payees
    if (!bad) throw new Error('There are payees.')
    await blacklist(base, it.grant.token.address, 'blacklist', bad)
    const { agent } = it
    it.endpoint.answer = async ({ method, params }, forward) => {
      const [call] = (params ?? []) as { from?: string }[]
      if (call?.from?.toLowerCase() !== agent.address.toLowerCase()) return forward()
      if (method === 'eth_call') return '0x'
      return method === 'eth_estimateGas' ? '0x100000' : forward()
    }
    const spends = await outboxKit.together(it, outboxKit.orders(it, 4))
    await it.received('settled', 3)
    await it.budget.sync()
    await it.budget.sync()
    await base.finalize()
    await it.budget.sync()
    const ends = await Promise.all(spends)
    expect(ends.map((spent) => key(spent) ?? code(spent))).toEqual(['p0', 'p1', 'RELEASED', 'p3'])
    // Four, two and two, one and one.
    expect(await it.mined()).toBe(5)
    expect(await it.paid()).toHaveLength(3)
    await assertSound(it.store, it.grant.grantId)
  })

  test('behavior: the batch that was refused comes back in a reorganisation, and nothing is paid twice', async () => {
    const it = await begin()
    const before = await base.snapshot()
    beforeMined(it, () => leave(it, '2'))
    const spends = await outboxKit.together(it, outboxKit.orders(it, 4))
    await it.received('settled', 2)
    await it.budget.sync()
    // As if the wallet had given nothing away: now all of the first batch can be paid.
    await kit.replaceBlocks(base, before, 6)
    // The worker sends again what it has signed, from the first nonce on that is unused.
    const ends = await Promise.all(spends)
    expect(ends.map(key)).toEqual(['p0', 'p1', 'p2', 'p3'])
    await base.finalize()
    await it.budget.sync()
    expect(await it.paid()).toHaveLength(4)
    for (const payee of it.payees.slice(0, 4)) expect(await it.balance(payee)).toBe(kit.usd('1'))
    await assertSound(it.store, it.grant.grantId)
    expect(await it.budget.verify()).toMatchObject({ equal: true })
  })

  test('behavior: killed between what is stored and what is sent, each is paid once', async () => {
    const { it, open } = await stored(5)
    const again = await kit.open(base, it, open())
    for (const { key } of outboxKit.orders(it, 5)) await kit.untilPaid(again, key)
    expect(await it.paid()).toHaveLength(5)
    expect(await it.mined()).toBe(1)
    expect(await again.verify()).toMatchObject({ equal: true })
  })
})

test('behavior: the largest batch fits a transaction: 100 new payees, each with the longest proof of 65,536', async () => {
  const payees = Array.from({ length: Batch.most }, () => kit.freshAddress())
  const many = {
    rail: 'guard',
    perDayUsd: '100',
    totalUsd: '200',
    perCallUsd: '50',
    perWindowUsd: '150',
  } as const
  const account = await kit.createAccount(base, {
    ...many,
    window: 3_600,
    allow: [{ host: 'api.example.com', payTo: payees }],
  })
  const { permission, grant, agent } = account
  const lane = Guard.lane()
  const batch = Guard.batch(grant, {
    payments: payees.map((payee, i) => ({
      number: Guard.number(lane, i),
      ref: Guard.reference(grant.grantId, String(i)),
      payee,
      amount: kit.usd('1'),
    })),
    deadline: (await base.now()) + 600,
  })
  const budget = await kit.open(base, account, kit.books(kit.storeKinds[0] as never)())
  await budget.approve({ signature: account.signature })
  const call = Guard.preparePay({ permission, batch })
  const receipt = await base.client.sendTransactionSync({ account: agent, ...call })
  const longer = (16 - (batch.payments[0]?.proof.length ?? 0)) * 32 * Batch.most
  // A byte of calldata is 16 gas, and hashing a node of a proof less than 200.
  const worst = Number(receipt.gasUsed) + longer * 16 + (longer / 32) * 200
  expect(receipt.status).toBe('success')
  expect((worst * 5) / 4).toBeLessThan(2 ** 24)
  expect(call.data.length / 2 + longer).toBeLessThan(128 * 1024)
})
