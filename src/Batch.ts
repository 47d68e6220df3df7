/**
 * Which payments through the guard go out together. Those of one permission do; where its policy caps tasks, those of one
 * task and ticket, because a call of the guard has one. Nothing new goes out while something is on its way and not mined:
 * that makes one transaction a block, whatever is reserved meanwhile, and keeps the agent's nonces few.
 */
import { type Hex, hexToBigInt } from 'viem'
import * as Grant from './Grant.js'
import * as GuardCall from './GuardCall.js'
import type { Batch, Funding } from './GuardHash.js'
import * as GuardNumber from './GuardNumber.js'
import { lifetime } from './Payment.js'
import type * as Permission from './Permission.js'
import * as Policy from './Policy.js'
import type { GrantRow, PaymentRow } from './Store.js'
import * as Ticket from './Ticket.js'

/**
 * The most payments in one call. 100 payments to as many accounts without USDC take 3,962,524 gas under a trailing window
 * and a list of 100 payees, and at most 4,603,324 and 60,805 bytes of calldata with a list of 65,536 (batch.test.ts), with
 * room below the 16,777,216 gas that a transaction may take (EIP-7825) and the 128 KiB that nodes accept.
 */
export const most = 100

/** Payments for one call of the guard. */
export type Group = {
  readonly payments: readonly PaymentRow[]
  /** The deadline that they have to keep; new ones get another one. */
  readonly deadline: number | null
}

/** What the books say, and the agent's transaction count at their head. */
export type Look = {
  readonly row: GrantRow
  readonly open: readonly PaymentRow[]
  readonly permissions: ReadonlyMap<Hex, Permission.Permission>
  readonly count: number
}

const isSigned = ({ pull, transfer, number }: PaymentRow) =>
  number !== null && pull === 'signed' && transfer === 'signed'

/** What goes out now, by the agent's own transactions. */
export function due(look: Look): Group[] {
  const { open, count } = look
  const isOnItsWay = open.some((p) => isSigned(p) && p.nonce !== null && p.nonce >= count)
  return [...reverted(look).flatMap(halves), ...(isOnItsWay ? [] : fresh(look))]
}

/** What goes out now, by a relay: at most one batch of new ones at each head, and again what nothing was seen of. */
export function dueForRelay(look: Look, { againAfter }: { readonly againAfter: number }): Group[] {
  const { row, open } = look
  const given = open.filter((p) => isSigned(p) && p.nonce === null)
  const isGivenNow = given.some(({ triedAt }) => triedAt === row.headNumber)
  const again = given.filter(
    ({ triedAt, deadline }) =>
      (triedAt === null || row.headNumber - triedAt >= againAfter) && (deadline ?? 0) > row.headTime,
  )
  return [
    ...reverted(look).flatMap(halves),
    ...grouped(look, again, ({ deadline }) => String(deadline)).map((payments) => ({
      payments: payments.slice(0, most),
      deadline: payments[0]?.deadline ?? null,
    })),
    ...(isGivenNow ? [] : fresh(look)),
  ]
}

/** What is reserved and not signed, the oldest first: numbers rise. */
function fresh(look: Look): Group[] {
  if (look.row.paused === 1) return []
  const unsigned = look.open.filter(({ pull }) => pull === 'none')
  const oldest = [...unsigned].sort((a, b) => ((a.number ?? '') < (b.number ?? '') ? -1 : 1))
  return grouped(look, oldest).map((payments) => ({ payments: payments.slice(0, most), deadline: null }))
}

/**
 * Payments whose batch is mined and was refused: by their nonce, which is used, and no event. They go out again under the
 * same numbers, so that at most one of their transactions pays, whatever a reorganisation brings back.
 */
function reverted({ open, count }: Look): PaymentRow[][] {
  const waiting = open.filter((p) => isSigned(p) && p.alone === 0 && p.nonce !== null && p.nonce < count)
  return groupBy(waiting, ({ nonce }) => String(nonce))
}

/** The simulation did not show who was to blame, so every attempt is half as large, down to single ones. */
function halves(payments: readonly PaymentRow[]): Group[] {
  const middle = Math.ceil(payments.length / 2)
  return [payments.slice(0, middle), payments.slice(middle)]
    .filter(({ length }) => length > 0)
    .map((payments) => ({ payments, deadline: null }))
}

function grouped(
  { permissions }: Look,
  payments: readonly PaymentRow[],
  also: (payment: PaymentRow) => string = () => '',
): PaymentRow[][] {
  return groupBy(payments, (payment) => {
    const { via, key, permissionHash, task, ticket } = payment
    // The guard funds one purse in a call, and pays nobody else.
    if (via === 'funding') return JSON.stringify([key])
    const permission = permissions.get(permissionHash)
    const isCapped = permission !== undefined && Policy.decode(permission.extraData).perTask !== null
    return JSON.stringify([permissionHash, also(payment), ...(isCapped ? [task, ticket] : [])])
  })
}

function groupBy(payments: readonly PaymentRow[], nameOf: (payment: PaymentRow) => string): PaymentRow[][] {
  const groups = new Map<string, PaymentRow[]>()
  for (const payment of payments) {
    const name = nameOf(payment)
    groups.set(name, [...(groups.get(name) ?? []), payment])
  }
  return [...groups.values()]
}

/** Until when what is signed now can be paid: by the later of both clocks, as a chain that stood still goes on at ours. */
export function deadlineOf({ headTime }: GrantRow): number {
  return Math.max(headTime, Math.floor(Date.now() / 1000)) + lifetime
}

/**
 * The batch that the guard is called with. Payments to one payee are put in a row, which share a transfer and a proof.
 *
 * @throws InputError where the grant lists a payee no more
 */
export function of(row: GrantRow, payments: readonly PaymentRow[], deadline: number): Batch {
  const sorted = [...payments].sort((a, b) => (a.payee === b.payee ? 0 : a.payee < b.payee ? -1 : 1))
  const [first] = sorted
  // Where tasks are not capped a task is a label: of a batch for several there is none.
  const task = sorted.every(({ task }) => task === first?.task) ? (first?.task ?? null) : null
  const ticket = first?.ticket ?? null
  return GuardCall.batch(Grant.parse(row.grant), {
    payments: sorted.map(({ number, ref, payee, amount }) => ({
      number: hexToBigInt(number ?? missing()),
      ref,
      payee,
      amount,
    })),
    deadline,
    task: task === null ? undefined : GuardNumber.task(task),
    ticket: ticket === null ? undefined : Ticket.parse(ticket),
  })
}

/** The funding that the guard is called with. */
export function fundingOf({ number, ref, target, task, ticket }: PaymentRow, deadline: number): Funding {
  return {
    deadline,
    task: task === null ? null : GuardNumber.task(task),
    ticket: ticket === null ? null : Ticket.parse(ticket),
    number: hexToBigInt(number ?? missing()),
    ref,
    target: target ?? missing(),
  }
}

function missing(): never {
  throw new Error('What goes through the guard has a number, and a funding a target.')
}
