/** Running totals, one row each, kept as facts come and go: no cost here grows with history. */
import type { Address, Hex } from 'viem'
import * as GuardNumber from './GuardNumber.js'
import type { EventRow, PaymentRow, Transaction } from './Store.js'
import * as TrailingWindow from './TrailingWindow.js'

/** Authorizations that are signed and not settled: what the payer's float will lack. */
export const held = 'held'
/** Settled out of the float, foreign authorizations included. No cap looks at it. */
export const authorized = 'authorized'
/** Reserved and not yet pulled. Counts against every period that it could still settle in. */
export const open = 'open'
/** The part of it that is for a task and goes through the guard. */
export const openTask = (task: string) => `open:task:${task}`
/** Pulled from the account, by the chain's events, foreign pulls included. */
export const total = 'total'
/** Received by payees for payments of these books. */
export const paid = 'paid'
/** What the agent's own key has spent for no payment of these books. Of a float, what left it. */
export const unexplained = 'unexplained'
/** Sent on by the agent, to whomever, foreign transfers included. */
export const sent = 'sent'
/** Pulled in one period of one permission. */
export const period = (permissionHash: Hex, start: number) => `period:${permissionHash}:${start}`
/** Paid through the guard in one bucket of the trailing window of so many seconds. */
export const bucket = (window: number, index: number) => `window:${window}:${index}`
/** The buckets that the trailing window at `time` looks at. */
export const buckets = (at: { time: number; window: number }) =>
  TrailingWindow.indexes(at).map((index) => bucket(at.window, index))
/** Paid through the guard for a task, by its hash, as the guard meters it. */
export const metered = (task: Hex) => `metered:${task}`
/** Pulled on the UTC day that holds `time`. */
export const day = (time: number) => `day:${time - (time % 86_400)}`

/** Pulled for payments of the direct rail that their payees have not received: with the agent, and none of its float. */
export const carried = 'carried'

/** No money: a number of somebody's own, see `Budget.cursor`. */
export const cursor = (name: string) => `cursor:${name}`

/** The labels of a payment that totals are kept for. */
export const labels = ['task', 'session', 'category', 'endpoint', 'host'] as const
export type Label = (typeof labels)[number]
/** Reserved or paid under a label; what was released does not count. */
export const labelled = (label: Label, value: string) => `${label}:${value}`

/** Everything that is kept of a task. */
export const ofTask = (task: string) => [
  labelled('task', task),
  metered(GuardNumber.task(task)),
  openTask(task),
]

/** The part of a session's that is for a task. Unambiguous, whatever both are called. */
export const sessionTask = (session: string, task: string) =>
  `session-task:${JSON.stringify([session, task])}`

/** The amount of a meter; one that was never moved is 0. */
export async function read(tx: Transaction, grantId: Hex, name: string): Promise<bigint> {
  return (await tx.get('meters', { grantId, name }))?.amount ?? 0n
}

/** Reads many at once, so that each of them is at hand. */
export function load(tx: Transaction, grantId: Hex, names: readonly string[]): Promise<void> {
  return tx.load(
    'meters',
    names.map((name) => ({ grantId, name })),
  )
}

/** What all meters of a kind hold together, such as those of tasks. Reads every meter of the grant. */
export async function sumOf(tx: Transaction, grantId: Hex, kind: typeof metered): Promise<bigint> {
  const prefix = kind('0x')
  const rows = (await tx.list('meters', { grantId })).filter(({ name }) => name.startsWith(prefix))
  return rows.reduce((sum, { amount }) => sum + amount, 0n)
}

async function add(tx: Transaction, grantId: Hex, name: string, change: bigint): Promise<void> {
  const amount = (await read(tx, grantId, name)) + change
  if (amount < 0n)
    throw new Error(`Meter ${name} of grant ${grantId} would fall to ${amount}: the books are broken.`)
  await tx.put('meters', { grantId, name, amount })
}

/** A pull became expected (+1), or will never come (-1); of an authorization its settlement. */
export async function moveOpen(tx: Transaction, payment: PaymentRow, sign: 1n | -1n): Promise<void> {
  const { grantId, via, amount, task, number } = payment
  if (via === 'authorization') return add(tx, grantId, held, sign * amount)
  await add(tx, grantId, open, sign * amount)
  if (task !== null && number !== null) await add(tx, grantId, openTask(task), sign * amount)
}

/** The agent holds what is for a payee (+1), or does not any more (-1). */
export function moveCarried(tx: Transaction, payment: PaymentRow, sign: 1n | -1n): Promise<void> {
  return add(tx, payment.grantId, carried, sign * payment.amount)
}

/** A payment counts under its labels (+1), or does not any more (-1). */
export async function moveLabels(tx: Transaction, payment: PaymentRow, sign: 1n | -1n): Promise<void> {
  // What fills the float is spent by the authorizations that empty it.
  if (payment.via === 'funding') return
  for (const label of labels) {
    const value = payment[label]
    if (value !== null) await add(tx, payment.grantId, labelled(label, value), sign * payment.amount)
  }
  const { grantId, session, task, amount } = payment
  if (session !== null && task !== null) await add(tx, grantId, sessionTask(session, task), sign * amount)
}

/** A fact, before it is known whose it is. */
type Fact = Omit<EventRow, 'key' | 'final'>

type Whose = {
  /** The one of these books that a fact belongs to. */
  readonly payment: PaymentRow | undefined
  /** Whose float the grant pays authorizations from; null for none. */
  readonly payer: Address | null
}

/** A fact was seen (+1), or taken back by the chain (-1). */
export async function moveFact(tx: Transaction, fact: Fact, sign: 1n | -1n, whose: Whose): Promise<void> {
  if (fact.kind === 'cancellation') return
  const { payment } = whose
  if (!payment && isOwn(fact) && isSpent(fact, whose.payer))
    await add(tx, fact.grantId, unexplained, sign * fact.amount)
  if (fact.kind === 'authorization') return moveAuthorized(tx, fact, sign, payment)
  if (fact.kind !== 'transfer') await movePull(tx, fact, sign, payment)
  // A purse that is funded is no payee.
  const isPaid = payment !== undefined && payment.via !== 'funding'
  if (fact.kind !== 'pull') await moveTransfer(tx, fact, sign, isPaid)
}

/** The float paid somebody: what fills it was metered before. */
async function moveAuthorized(
  tx: Transaction,
  { grantId, amount }: Fact,
  sign: 1n | -1n,
  payment: PaymentRow | undefined,
): Promise<void> {
  await add(tx, grantId, authorized, sign * amount)
  if (!payment) return
  await moveOpen(tx, payment, sign === 1n ? -1n : 1n)
  await movePaid(tx, payment, sign)
}

async function movePull(tx: Transaction, fact: Fact, sign: 1n | -1n, payment: PaymentRow | undefined) {
  const { grantId, permissionHash, periodStart, window, task, time } = fact
  const amount = sign * fact.amount
  if (permissionHash === null || periodStart === null)
    throw new Error('What leaves the account names its permission and period.')
  if (payment) await moveOpen(tx, payment, sign === 1n ? -1n : 1n)
  await add(tx, grantId, period(permissionHash, periodStart), amount)
  await add(tx, grantId, day(time), amount)
  await add(tx, grantId, total, amount)
  if (window !== null)
    await add(tx, grantId, bucket(window, Math.floor(time / TrailingWindow.bucket(window))), amount)
  if (task !== null) await add(tx, grantId, metered(task), amount)
}

/** By this agent's key: through the guard its numbers tell, and those of another agent are none of the books'. */
const isOwn = ({ kind, number }: Fact) => kind !== 'payment' || number !== null

/** Whether a fact is money spent. Where there is a float, what fills it is spent when it leaves it; `payer` is whose it is. */
export function isSpent({ kind, payee }: Pick<Fact, 'kind' | 'payee'>, payer: Address | null): boolean {
  if (kind === 'authorization') return true
  if (kind === 'transfer') return payer !== null
  return kind !== 'cancellation' && payee !== payer
}

/** What nothing explained turned out to be a payment of these books. */
export async function explain(tx: Transaction, { grantId, amount, time }: EventRow): Promise<void> {
  await add(tx, grantId, unexplained, -amount)
  // What came before a session was in what it began with, and must not hide what came since.
  for (const session of await tx.list('sessions', { grantId, endedAt: null })) {
    if (session.startedAt < time) continue
    const left = session.unexplained - amount
    await tx.put('sessions', { ...session, unexplained: left < 0n ? 0n : left })
  }
}

/** Tokens went on to somebody. `own`: for a payment of these books. */
async function moveTransfer(tx: Transaction, { grantId, amount }: Fact, sign: 1n | -1n, own: boolean) {
  await add(tx, grantId, sent, sign * amount)
  if (own) await movePaid(tx, { grantId, amount }, sign)
}

/** A payee was paid for a payment of these books (+1), or is not any more (-1). */
export function movePaid(
  tx: Transaction,
  { grantId, amount }: Pick<PaymentRow, 'grantId' | 'amount'>,
  sign: 1n | -1n,
): Promise<void> {
  return add(tx, grantId, paid, sign * amount)
}

/** The trailing window at `time`, with what is open as if it were spent now. */
export async function readWindow(
  tx: Transaction,
  grantId: Hex,
  at: { time: number; window: number },
): Promise<TrailingWindow.TrailingWindow> {
  const amounts = await Promise.all(buckets(at).map((name) => read(tx, grantId, name)))
  const reserved = await read(tx, grantId, open)
  return TrailingWindow.of([...amounts.slice(0, -1), (amounts.at(-1) ?? 0n) + reserved], at)
}
