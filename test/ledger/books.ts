/** Says whether books are sound: every number in them follows from the rows that it is a sum of. */
import { expect } from 'vitest'
import * as Book from '../../src/Book.js'
import * as Meter from '../../src/Meter.js'
import * as Payment from '../../src/Payment.js'
import * as Receipt from '../../src/Receipt.js'
import type { Store } from '../../src/Store.js'

/** Everything that the books say of one grant. */
export async function rowsOf(store: Store, grantId: `0x${string}`) {
  return store.transact(grantId, async (tx) => ({
    grant: await Book.get(tx, grantId),
    payments: await tx.list('payments', { grantId }),
    transactions: await tx.list('transactions', { grantId }),
    events: await tx.list('events', { grantId }),
    meters: Object.fromEntries(
      (await tx.list('meters', { grantId })).map(({ name, amount }) => [name, amount]),
    ),
    receipts: (await tx.list('receipts', { grantId })).map(Receipt.fromRow),
  }))
}

export type Rows = Awaited<ReturnType<typeof rowsOf>>

/**
 * The meters are the sums of the events and of the open payments, each leg is `seen` exactly where its event is,
 * `open` says whether anything can still happen, and the receipts are an unbroken chain up to the grant's head.
 */
export async function assertSound(store: Store, grantId: `0x${string}`): Promise<Rows> {
  const rows = await rowsOf(store, grantId)
  const { grant, payments, transactions, events, meters, receipts } = rows

  const expected: Record<string, bigint> = {}
  const add = (name: string, amount: bigint) => {
    expected[name] = (expected[name] ?? 0n) + amount
  }
  for (const {
    kind,
    amount,
    time,
    permissionHash,
    periodStart,
    window,
    task,
    key,
    number,
    payee,
  } of events) {
    if (kind === 'cancellation') continue
    // What fills a float is spent when it leaves it, and what leaves the agent was pulled before where it has no float.
    const isOut =
      kind === 'transfer' ? grant.payer !== null : kind === 'authorization' || payee !== grant.payer
    const isOwn = kind !== 'payment' || number !== null
    if (key === null && isOut && isOwn) add(Meter.unexplained, amount)
    const payment = payments.find((payment) => payment.key === key)
    if (kind !== 'pull' && payment && payment.via !== 'funding') add(Meter.paid, amount)
    if (kind === 'authorization') {
      add(Meter.authorized, amount)
      continue
    }
    if (kind !== 'pull') add(Meter.sent, amount)
    if (kind === 'transfer') continue
    add(Meter.total, amount)
    add(Meter.day(time), amount)
    add(Meter.period(permissionHash ?? '0x', periodStart ?? 0), amount)
    if (window !== null) add(Meter.bucket(window, Math.floor(time / Math.ceil(window / 3))), amount)
    if (task !== null) add(Meter.metered(task), amount)
  }
  for (const { via, payer, pull, transfer, amount } of payments) {
    const isMoving = transfer !== 'seen' && (pull === 'seen' || transfer === 'signed')
    if (via === 'direct' && payer !== null && isMoving) add(Meter.carried, amount)
  }
  for (const payment of payments) {
    const isOpen = payment.pull === 'none' || payment.pull === 'signed'
    if (isOpen) add(payment.via === 'authorization' ? Meter.held : Meter.open, payment.amount)
    if (isOpen && payment.number !== null && payment.task !== null)
      add(Meter.openTask(payment.task), payment.amount)
    if (Payment.stateOf(payment).status === 'released' || payment.via === 'funding') continue
    for (const label of Meter.labels) {
      const value = payment[label]
      if (value !== null) add(Meter.labelled(label, value), payment.amount)
    }
    const { session, task } = payment
    if (session !== null && task !== null) add(Meter.sessionTask(session, task), payment.amount)
  }
  const moved = Object.fromEntries(Object.entries(meters).filter(([, amount]) => amount !== 0n))
  expect(moved).toEqual(expected)

  for (const payment of payments) {
    const { key, open } = payment
    for (const kind of Payment.legsOf(payment)) {
      const leg = Payment.legOf(payment, kind)
      const own = events.filter((event) => event.key === key && event.kind === kind)
      expect([key, kind, own.length]).toEqual([key, kind, leg === 'seen' ? 1 : 0])
      const signed = transactions.filter((row) => row.key === key && row.kind === kind)
      // Through the guard it may have been seen, and taken back, and signed by other books.
      if (leg === 'signed' && payment.via === 'direct') expect(signed.length).toBeGreaterThan(0)
      // After a reorganisation a funding finds less in the float than it was counted upon to.
      const isAsReserved = (amount: bigint) =>
        payment.target === null ? amount === payment.amount : amount <= payment.target
      expect([key, kind, own.every(({ amount }) => isAsReserved(amount))]).toEqual([key, kind, true])
    }
    const legs = [payment.pull, payment.transfer] as const
    const provisional = events.some((event) => event.key === key && event.final === 0)
    const awaited = legs.includes('signed') || (payment.transfer === 'none' && payment.pull !== 'failed')
    expect([key, legs, open]).toEqual([key, legs, awaited || provisional ? 1 : 0])
  }
  for (const event of events) {
    expect(event.final).toBe(event.blockNumber <= grant.finalNumber ? 1 : 0)
    expect(event.blockNumber).toBeLessThanOrEqual(grant.headNumber)
  }
  // What competes for a nonce is the same, with other fees, signed one after the other.
  for (const row of transactions) {
    const { nonce, key, kind, signedAt } = row
    const others = transactions.filter((other) => other.nonce === nonce && other !== row)
    for (const other of others) expect(other).toMatchObject({ key, kind })
    expect(others.map((other) => other.signedAt)).not.toContain(signedAt)
  }
  for (const { key, pull, nonce } of payments) {
    if (pull === 'none' || nonce === null) continue
    expect([key, transactions.some((row) => row.nonce === nonce && row.kind === 'payment')]).toEqual([
      key,
      true,
    ])
  }
  expect(Receipt.verify(receipts, { head: grant.receiptHash })).toEqual({
    holds: true,
    receipts: grant.receipts,
    head: grant.receiptHash,
  })
  return rows
}
