/**
 * The books of a grant: the only writer of money state. Deciding and reserving, and what is given up before it is signed;
 * what is signed is in `Attempt`, and what the chain says comes in through `Settlement`. What a payment is, and how it goes
 * from reserved to paid: see `Payment`.
 *
 * What lies above the final block is provisional: each reading of the chain replaces it as a whole, so a
 * reorganisation is nothing special. Events that no payment explains are foreign: they are metered all the same.
 */
import type { Hex } from 'viem'
import * as Book from './Book.js'
import * as Decision from './Decision.js'
import * as Float from './Float.js'
import * as Found from './Found.js'
import * as Grant from './Grant.js'
import * as GuardNumber from './GuardNumber.js'
import * as Host from './Host.js'
import * as Lost from './Lost.js'
import * as Meter from './Meter.js'
import * as Order from './Order.js'
import * as Payment from './Payment.js'
import * as PaymentNumber from './PaymentNumber.js'
import * as Permission from './Permission.js'
import type * as Receipt from './Receipt.js'
import { refuse } from './Refusal.js'
import * as Session from './Session.js'
import type { FactKind, GrantRow, PaymentRow, Store, Transaction } from './Store.js'

/** What a decision is about: a task, whose meter depends on what is to be paid. */
type About = Pick<Decision.Request, 'task' | 'via'> & { readonly isFunding?: boolean }

/** Everything that a decision looks at, as the books have it. */
export async function readState(tx: Transaction, row: GrantRow, about: About): Promise<Decision.State> {
  const { task } = about
  const { grantId, permissionHash } = row
  const stored = await tx.get('permissions', { grantId, hash: permissionHash })
  if (!stored) throw new Error(`Permission ${permissionHash} is not in the books.`)
  const permission = Permission.parse(stored.permission)
  const grant = Grant.parse(row.grant)
  const now = row.headTime
  const { window } = grant
  const bounds = Permission.periodAt(permission, now)
  await Meter.load(tx, grantId, [
    ...[Meter.open, Meter.held, Meter.day(now), Meter.total],
    ...(bounds ? [Meter.period(permissionHash, bounds.start)] : []),
    ...(window === null ? [] : Meter.buckets({ time: now, window })),
    ...(task === undefined ? [] : Meter.ofTask(task)),
  ])
  const open = await Meter.read(tx, grantId, Meter.open)
  const period = bounds ? await Meter.read(tx, grantId, Meter.period(permissionHash, bounds.start)) : 0n
  const { pausedBy, revokedBy } = row
  return {
    grant,
    permission,
    now,
    paused: row.paused === 1,
    approved: row.approved === 1,
    revoked: row.revoked === 1,
    stops: { paused: pausedBy ? [pausedBy] : [], revoked: revokedBy ? [revokedBy] : [] },
    used: {
      period: period + open,
      day: (await Meter.read(tx, grantId, Meter.day(now))) + open,
      total: (await Meter.read(tx, grantId, Meter.total)) + open,
      task: task === undefined ? 0n : await readTask(tx, grantId, { ...about, task }),
    },
    purse: await Float.purse(tx, row),
    window: window === null ? undefined : await Meter.readWindow(tx, grantId, { time: now, window }),
  }
}

/**
 * What counts against a task's cap: what the guard metered to it, whoever paid, or what these books did, where that is
 * more: the guard meters tasks only under a policy that caps them, and the grant may have had another one before. What
 * the float pays is not metered by the guard, and what fills it is not what the task has spent.
 */
async function readTask(
  tx: Transaction,
  grantId: Hex,
  { task, via, isFunding = false }: About & { readonly task: string },
): Promise<bigint> {
  const booked = isFunding ? 0n : await Meter.read(tx, grantId, Meter.labelled('task', task))
  if (via === 'purse') return booked
  const metered = await Meter.read(tx, grantId, Meter.metered(GuardNumber.task(task)))
  const guarded = metered + (await Meter.read(tx, grantId, Meter.openTask(task)))
  return booked > guarded ? booked : guarded
}

/**
 * As `Decision.decide`, and where the grant has a cap per task the order has to name one: else the cap would be
 * evaded by naming none.
 */
export function decide(state: Decision.State, order: Order.Question): Decision.Decision {
  const decision = Decision.decide(state, order)
  const { perTask, id } = state.grant
  if (!decision.allowed || perTask === null || order.task !== undefined) return decision
  const reason = `Grant ${id} caps what one task may cost, and the payment names none. Name the task that it is for.`
  return refuse('TASK_MISSING', reason, { limit: perTask })
}

/** What the books say to an order: by its grant, and then by its session. */
export async function decideIn(
  tx: Transaction,
  row: GrantRow,
  order: Order.Question & Pick<Decision.Request, 'via'>,
): Promise<Decision.Decision> {
  const state = await readState(tx, row, order)
  const decision = decide(state, order)
  if (!decision.allowed) return decision
  const lost = Lost.refusal(row)
  if (lost) return lost
  return (await Session.refusal(tx, state.grant, order)) ?? decision
}

export type Reservation =
  | { readonly outcome: 'reserved'; readonly payment: PaymentRow; readonly receipt: Receipt.Receipt }
  /** The key is known, with these terms: nothing was reserved anew. The receipt is of a payment found on chain. */
  | { readonly outcome: 'known'; readonly payment: PaymentRow; readonly receipt?: Receipt.Receipt }
  | { readonly outcome: 'refused'; readonly refusal: Refusal; readonly receipt: Receipt.Receipt }
  /** The key is known, with other terms. */
  | { readonly outcome: 'conflict'; readonly payment: PaymentRow }

export type Refusal = Extract<Decision.Decision, { allowed: false }>

/**
 * Decides and reserves in one transaction, which is what makes ten parallel calls, or ten processes, keep
 * one cap. A refusal leaves a receipt and touches no meter. A payment that was released may be reserved
 * again under its key. `veto` refuses for a reason that only the caller knows.
 */
export function reserve(
  store: Store,
  grantId: Hex,
  order: Order.Order,
  veto?: Refusal,
): Promise<Reservation> {
  return store.transact(grantId, async (tx): Promise<Reservation> => {
    const row = await Book.get(tx, grantId)
    const known = await tx.get('payments', { grantId, key: order.key })
    const ref = GuardNumber.reference(grantId, order.key)
    const via = Grant.parse(row.grant).rail === 'direct' ? 'direct' : 'guard'
    const { number, numbers } =
      via === 'guard'
        ? await PaymentNumber.take(tx, row, known?.number ?? null)
        : { number: null, numbers: row.numbers }
    const payer = via === 'direct' ? row.payer : null
    const payment = Payment.of(row, order, { via, ref, number, payer })
    const recalled = await recall(tx, row, payment, order)
    if (recalled) return recalled

    const decision = veto ?? (await decideIn(tx, row, { ...order, via: 'guard' }))
    if (!decision.allowed) {
      return {
        outcome: 'refused',
        refusal: decision,
        receipt: await writeRefusal(tx, row, order, decision.code),
      }
    }
    await tx.put('payments', { ...payment, told: known?.told ?? 0 })
    await Meter.moveOpen(tx, payment, 1n)
    await Meter.moveLabels(tx, payment, 1n)
    const receipt = await Book.write(
      tx,
      { ...row, numbers },
      { ...Payment.labelsOf(payment), event: 'reserved', note: 'reserved' },
    )
    return { outcome: 'reserved', payment, receipt }
  })
}

/** What the books, or the chain, know of an order's key already; undefined where it may be reserved. */
export async function recall(
  tx: Transaction,
  row: GrantRow,
  payment: PaymentRow,
  order: Order.Order,
): Promise<Extract<Reservation, { outcome: 'known' | 'conflict' }> | undefined> {
  const known = await tx.get('payments', payment)
  if (known && Order.difference(known, order)) return { outcome: 'conflict', payment: known }
  if (known && Payment.stateOf(known).status !== 'released') return { outcome: 'known', payment: known }
  const seen = await Found.under(tx, payment)
  const paid = seen.find(({ payee, amount }) => payee === order.to && amount === order.amount)
  if (paid) return { outcome: 'known', ...(await Found.adopt(tx, row, payment, paid)) }
  // Of a key that is not known it has to be assumed that these are the terms that it had.
  if (!known && seen[0]) return { outcome: 'conflict', payment: { ...payment, ...Found.termsOf(seen[0]) } }
  return undefined
}

/** Leaves the receipt of a refusal. */
export async function writeRefusal(
  tx: Transaction,
  row: GrantRow,
  order: Omit<Order.Order, 'to'> & { readonly to?: Order.Order['to'] },
  code: string,
): Promise<Receipt.Receipt> {
  const { key, amount, task, session, category, endpoint } = order
  // What cannot be read may be a whole URL with a password in it, so it is not kept.
  const host = order.host === undefined || Host.read(order.host).ok ? order.host : 'unreadable'
  const labels = Object.entries({ host, task, session, category, endpoint }).filter(([, value]) => value)
  return Book.write(tx, row, {
    ...Object.fromEntries(labels),
    event: 'refused',
    note: code,
    amount,
    key,
    payee: order.to ?? null,
  })
}

/**
 * Releases a payment of which nothing was signed, and leaves a receipt. Undefined, and nothing is changed, where
 * something was signed: that waits for the chain.
 */
export function release(
  store: Store,
  grantId: Hex,
  key: string,
  reason: string,
): Promise<Receipt.Receipt | undefined> {
  return failUnsigned(store, grantId, key, 'first', reason)
}

/** Strands a payment whose transfer cannot succeed. Undefined, and nothing is changed, where it was signed. */
export function strand(
  store: Store,
  grantId: Hex,
  key: string,
  reason: string,
): Promise<Receipt.Receipt | undefined> {
  return failUnsigned(store, grantId, key, 'second', reason)
}

function failUnsigned(store: Store, grantId: Hex, key: string, step: 'first' | 'second', reason: string) {
  return store.transact(grantId, async (tx) => {
    const payment = await Payment.get(tx, grantId, key)
    const leg = Payment.legsOf(payment)[step === 'first' ? 0 : 1]
    if (leg === undefined || !isDue(payment, leg)) return undefined
    return (await Payment.fail(tx, await Book.get(tx, grantId), payment, leg, reason)).receipt
  })
}

/** Opens a stranded payment again, so that its transfer is tried once more. */
export function reopen(store: Store, grantId: Hex, key: string): Promise<void> {
  return store.transact(grantId, async (tx) => {
    const payment = await Payment.get(tx, grantId, key)
    if (Payment.stateOf(payment).status !== 'stranded') return
    await tx.put('payments', { ...payment, transfer: 'none', failure: null, open: 1 })
  })
}

/** Whether a leg is the next step. */
export function isDue(payment: PaymentRow, leg: FactKind): boolean {
  return leg === 'transfer' ? Payment.isTransferDue(payment) : payment.pull === 'none'
}
