/** Which number a payment goes under through the guard, which pays every number at most once. */
import { type Hex, numberToHex } from 'viem'
import * as GuardNumber from './GuardNumber.js'
import type { EventRow, GrantRow, Transaction } from './Store.js'

/**
 * The number for a key, and how many the books have taken with it. A key keeps its number through every attempt, so
 * that no two of them can pay; one that the chain has used for another payment, for good, can pay no attempt any more,
 * and a new one takes its place. New are those that the chain shows unused: books that were restored from a backup
 * have forgotten what they took since.
 */
export async function take(
  tx: Transaction,
  { grantId, lane, numbers }: GrantRow,
  kept: Hex | null,
): Promise<{ readonly number: Hex; readonly numbers: number }> {
  if (kept !== null && !(await payerOf(tx, grantId, kept))) return { number: kept, numbers }
  for (let index = numbers; ; index++) {
    const number = numberToHex(GuardNumber.number(BigInt(lane), index), { size: 32 })
    const [seen] = await tx.list('events', { grantId, number }, { limit: 1 })
    if (!seen) return { number, numbers: index + 1 }
  }
}

/** The final event that used a number, if there is one. */
export async function payerOf(tx: Transaction, grantId: Hex, number: Hex): Promise<EventRow | undefined> {
  const [event] = await tx.list('events', { grantId, number, final: 1 }, { limit: 1 })
  return event
}

/** How far ahead of the books a number on chain is looked for: more than the largest batch. */
const ahead = 128

/** The index after the last of the books' own numbers that the chain has and they never took; else the next to take. */
export async function firstUnseen(tx: Transaction, { grantId, lane, numbers }: GrantRow): Promise<number> {
  let next = numbers
  for (let index = numbers; index < next + ahead; index++) {
    const number = numberToHex(GuardNumber.number(BigInt(lane), index), { size: 32 })
    const [seen] = await tx.list('events', { grantId, number }, { limit: 1 })
    if (seen) next = index + 1
  }
  return next
}
