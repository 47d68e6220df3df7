/** Running totals, one row each, kept as facts come and go: no cost here grows with history. */
import type { Hex } from 'viem'
import type { EventRow, PaymentRow, Transaction } from './Store.js'

/** Reserved and not yet pulled. Counts against every period that it could still settle in. */
export const open = 'open'
/** Pulled from the account, by the chain's events, foreign pulls included. */
export const total = 'total'
/** Received by payees for payments of these books. */
export const paid = 'paid'
/** Sent on by the agent, to whomever, foreign transfers included. */
export const sent = 'sent'
/** Pulled in one period of one permission. */
export const period = (permissionHash: Hex, start: number) => `period:${permissionHash}:${start}`
/** Pulled on the UTC day that holds `time`. */
export const day = (time: number) => `day:${time - (time % 86_400)}`

/** The labels of a payment that totals are kept for. */
export const labels = ['task', 'session', 'category', 'endpoint', 'host'] as const
export type Label = (typeof labels)[number]
/** Reserved or paid under a label; what was released does not count. */
export const labelled = (label: Label, value: string) => `${label}:${value}`

/** The amount of a meter; one that was never moved is 0. */
export async function read(tx: Transaction, grantId: Hex, name: string): Promise<bigint> {
  return (await tx.get('meters', { grantId, name }))?.amount ?? 0n
}

async function add(tx: Transaction, grantId: Hex, name: string, change: bigint): Promise<void> {
  const amount = (await read(tx, grantId, name)) + change
  if (amount < 0n)
    throw new Error(`Meter ${name} of grant ${grantId} would fall to ${amount}: the books are broken.`)
  await tx.put('meters', { grantId, name, amount })
}

/** A pull became expected (+1), or will never come (-1). */
export function moveOpen(tx: Transaction, payment: PaymentRow, sign: 1n | -1n): Promise<void> {
  return add(tx, payment.grantId, open, sign * payment.amount)
}

/** A payment counts under its labels (+1), or does not any more (-1). */
export async function moveLabels(tx: Transaction, payment: PaymentRow, sign: 1n | -1n): Promise<void> {
  for (const label of labels) {
    const value = payment[label]
    if (value !== null) await add(tx, payment.grantId, labelled(label, value), sign * payment.amount)
  }
}

/** A pull was seen (+1) or taken back by the chain (-1). `reserved`: it is a payment's, which was open. */
export async function movePull(
  tx: Transaction,
  event: Omit<EventRow, 'key' | 'final'>,
  sign: 1n | -1n,
  reserved: boolean,
): Promise<void> {
  const { grantId, permissionHash, periodStart, time, amount } = event
  if (permissionHash === null || periodStart === null)
    throw new Error('A pull names its permission and period.')
  if (reserved) await add(tx, grantId, open, -sign * amount)
  await add(tx, grantId, period(permissionHash, periodStart), sign * amount)
  await add(tx, grantId, day(time), sign * amount)
  await add(tx, grantId, total, sign * amount)
}

/** The agent sent tokens on (+1), or the chain took that back (-1). `own`: for a payment of these books. */
export async function moveTransfer(
  tx: Transaction,
  event: Omit<EventRow, 'key' | 'final'>,
  sign: 1n | -1n,
  own: boolean,
): Promise<void> {
  const { grantId, amount } = event
  await add(tx, grantId, sent, sign * amount)
  if (own) await add(tx, grantId, paid, sign * amount)
}
