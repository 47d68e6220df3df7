/**
 * The ledger's backward half: what the chain says becomes what the books say. A reading replaces
 * everything that is not final yet, in one transaction with how far the chain has been read.
 */
import type { Hex } from 'viem'
import * as Book from './Book.js'
import type { Fact } from './Facts.js'
import * as Failure from './Failure.js'
import * as Funding from './Funding.js'
import { GrantError } from './GrantError.js'
import * as Meter from './Meter.js'
import * as Payment from './Payment.js'
import type * as Permission from './Permission.js'
import * as Receipt from './Receipt.js'
import type { EventRow, FactKind, GrantRow, PaymentRow, Store, Transaction } from './Store.js'
import * as Totals from './Totals.js'

/** One reading of the chain: every fact in the blocks after `after`, up to and including `head`, but for what is kept. */
export type Reading = {
  /** The final block that the reading went out from. */
  readonly after: number
  /**
   * What was not read again: the blocks above `final` up to and including `to`. They are as the books have them, as
   * long as these end with the block `headHash`, which the endpoint's chain goes through.
   */
  readonly kept?: { readonly to: number; readonly headHash: string } | undefined
  readonly head: Book.BlockId
  readonly final: Book.BlockId
  readonly facts: readonly Fact[]
  /** The agent's transaction count in the state of the final block; null where nothing waited for it. */
  readonly finalNonce: number | null
  /** Of the payment numbers that wait for an answer, whether the guard has used them, at the head. */
  readonly numbers: ReadonlyMap<Hex, boolean>
  /** Of the authorizations that nobody can settle any more, whether the token has used their nonces, at the head. */
  readonly nonces: ReadonlyMap<Hex, boolean>
  /** What the payer holds, and whose permission funded it last, at the head; undefined on the way there. */
  readonly payer?: { readonly balance: bigint; readonly fundedBy: Hex | null } | undefined
  /** The permission that is in use, and its `isApproved` and `isRevoked` at the head. */
  readonly permissionHash: Hex
  readonly approved: boolean
  readonly revoked: boolean
  /** Whose flags stand at the guard, at the head; null for none, and on the direct rail. */
  readonly pausedBy: GrantRow['pausedBy']
  readonly revokedBy: GrantRow['revokedBy']
  /** Permissions under the grant that the books did not know. */
  readonly siblings: readonly Permission.Permission[]
  /** What the chain itself has metered, at the head; undefined where the reading does not reach it. */
  readonly totals?: Totals.Totals | undefined
}

/** What a reading changed, for whoever waits. `doubt`: it was dropped because the chain itself says otherwise. */
export type Advance = {
  readonly applied: boolean
  readonly receipts: readonly Receipt.Receipt[]
  readonly doubt?: Totals.Doubt
}

/**
 * Puts a reading into the books. A reading that went out from another final block, or keeps what other blocks held, than
 * the books have by now, or that ends below what was read or was final already, is dropped: another worker was faster,
 * or the endpoint lags behind its sibling. So is one that asked about a permission which is not in use any more.
 *
 * One that does not come to what the chain itself has metered is dropped in doubt, and so is one without the event of a
 * number that the guard has used, or of a nonce that the token has: logs were left out, and to believe it would release a payment that was made.
 */
export async function advance(store: Store, grantId: Hex, reading: Reading): Promise<Advance> {
  try {
    return await store.transact(grantId, (tx) => replace(tx, grantId, reading))
  } catch (error) {
    // Thrown, so that nothing of it stays in the books.
    if (error instanceof Contradicted) return { applied: false, receipts: [], doubt: error.doubt }
    throw error
  }
}

class Contradicted extends Error {
  constructor(readonly doubt: Totals.Doubt) {
    super('The chain has metered something else.')
  }
}

async function replace(tx: Transaction, grantId: Hex, reading: Reading): Promise<Advance> {
  const before = await Book.get(tx, grantId)
  const { after, kept, head, final } = reading
  if (after !== before.finalNumber || final.number < after || head.number < before.headNumber)
    return { applied: false, receipts: [] }
  if (kept && kept.headHash !== before.headHash) return { applied: false, receipts: [] }
  if (reading.permissionHash !== before.permissionHash) return { applied: false, receipts: [] }
  const page: Page = { tx, receipts: [], row: before, waiting: new Map() }
  for (const sibling of reading.siblings) await Book.addPermission(tx, grantId, sibling)

  const isKept = ({ blockNumber }: Fact) =>
    kept !== undefined && blockNumber > final.number && blockNumber <= kept.to
  const provisional = (await tx.list('events', { grantId, final: 0 })).filter((event) => !isKept(event))
  const read = new Map(reading.facts.map((fact) => [idOf(fact), fact]))
  const known = new Set(provisional.map(idOf))
  const undone = provisional.reverse().filter((event) => !read.has(idOf(event)))
  for (const event of undone) await undo(page, event)
  if (undone.length > 0) await Funding.reserveWhole(tx, grantId)
  page.row = {
    ...page.row,
    headNumber: head.number,
    headHash: head.hash,
    headTime: head.time,
    approved: reading.approved ? 1 : 0,
    revoked: reading.revoked ? 1 : 0,
    pausedBy: reading.pausedBy,
    revokedBy: reading.revokedBy,
    payerBalance: reading.payer?.balance ?? null,
    fundedBy: reading.payer?.fundedBy ?? null,
  }
  // Once for all facts: of a long past, most are of no payment that waits.
  const open = await tx.list('payments', { grantId, open: 1 })
  page.waiting = new Map(open.map(({ ref, key }) => [ref, key]))
  for (const fact of reading.facts) if (!known.has(idOf(fact))) await apply(page, fact)
  await assertBelievable(tx, page.row, reading)

  await finalize(page, reading)
  await tx.put('grants', {
    ...page.row,
    finalNumber: final.number,
    finalHash: final.hash,
    finalTime: final.time,
  })
  return { applied: true, receipts: page.receipts }
}

type Page = {
  readonly tx: Transaction
  row: GrantRow
  readonly receipts: Receipt.Receipt[]
  /** The keys of the payments that are open, by their references: what a fact may belong to. */
  waiting: ReadonlyMap<Hex, string>
}

function idOf({ blockHash, logIndex }: Fact): string {
  return `${blockHash}:${logIndex}`
}

async function note(page: Page, draft: Receipt.ReceiptDraft): Promise<void> {
  const { grant, receipt } = await Receipt.append(page.tx, page.row, draft)
  page.row = grant
  page.receipts.push(receipt)
}

async function assertBelievable(tx: Transaction, row: GrantRow, reading: Reading): Promise<void> {
  const { numbers, nonces, totals } = reading
  const { grantId } = row
  for (const [number, used] of numbers) {
    const [event] = used ? await tx.list('events', { grantId, number }, { limit: 1 }) : []
    if (used && !event) throw new Contradicted({ what: 'number', books: 'unused', chain: 'used' })
  }
  for (const [ref, used] of nonces) {
    const events = used ? await tx.list('events', { grantId, ref }) : []
    if (used && !events.some(({ payer }) => payer !== null))
      throw new Contradicted({ what: 'nonce', books: 'unused', chain: 'used' })
  }
  const doubt = totals && (await Totals.compare(tx, row, totals))
  if (doubt) throw new Contradicted(doubt)
}

/** The payment that a fact belongs to: it has equal terms and still waits for it. */
async function paymentOf(page: Page, fact: Fact): Promise<PaymentRow | undefined> {
  if (fact.ref !== null) return paymentUnder(page, fact, fact.ref)
  const { tx } = page
  const { grantId, txHash } = fact
  const kind = fact.kind === 'pull' ? fact.kind : 'transfer'
  const [transaction] = await tx.list('transactions', { grantId, hash: txHash, kind })
  if (!transaction) return undefined
  const payment = await tx.get('payments', { grantId, key: transaction.key })
  if (payment?.[kind] !== 'signed' || payment.amount !== fact.amount) return undefined
  if (kind === 'pull' && payment.permissionHash !== fact.permissionHash) return undefined
  if (kind === 'transfer' && payment.payee !== fact.payee) return undefined
  // By nonce: of transactions that compete for one, such as a replacement with a higher fee, only one is mined.
  const current = await Payment.currentTransaction(tx, payment, kind)
  return current?.nonce === transaction.nonce ? payment : undefined
}

/** Whoever sent it, and also where these books were restored from before it was signed. */
async function paymentUnder({ tx, waiting }: Page, fact: Fact, ref: Hex): Promise<PaymentRow | undefined> {
  const { grantId, kind, number, payee, amount } = fact
  const key = waiting.get(ref)
  if (key === undefined) return undefined
  const payment = await Payment.get(tx, grantId, key)
  if (!Payment.legsOf(payment).includes(kind)) return undefined
  if (payment.number !== number || payment.payee !== payee) return undefined
  // What a funding takes is for the chain to say, up to its target.
  if (payment.target === null ? amount !== payment.amount : amount > payment.target) return undefined
  return payment.pull === 'none' || payment.pull === 'signed' ? payment : undefined
}

async function apply(page: Page, fact: Fact): Promise<void> {
  const { tx } = page
  const { kind, txHash, amount, payee } = fact
  const payment = await paymentOf(page, fact)
  await tx.put('events', { ...fact, key: payment?.key ?? null, final: 0 })
  // Once it is final it ends its authorization, see `Failure`.
  if (kind === 'cancellation') return
  await Meter.moveFact(tx, fact, 1n, { payment, payer: page.row.payer })
  if (!payment) return note(page, { event: 'foreign', note: foreign[kind], amount, payee, txHash })
  const deadline = fact.ref === null ? null : (payment.deadline ?? Payment.latestDeadline(fact.time))
  const isSettled = kind !== 'pull' || Payment.isWhole(payment, kind)
  const told = isSettled ? 1 : payment.told
  await Payment.change(tx, payment, { ...Payment.withLeg(payment, kind, 'seen'), deadline, told })
  if (isSettled) {
    const draft = { ...Payment.labelsOf(payment), amount, txHash }
    await note(page, { ...draft, event: 'settled', note: settled(payment) })
  }
}

function settled({ via, told }: PaymentRow): string {
  if (via === 'funding') return 'FUNDED'
  return told === 1 ? 'SETTLED_AGAIN' : 'settled'
}

const foreign = {
  pull: 'FOREIGN_PULL',
  transfer: 'FOREIGN_TRANSFER',
  payment: 'FOREIGN_PAYMENT',
  authorization: 'FOREIGN_AUTHORIZATION',
} as const

/** The exact inverse of `apply`, for a fact that the chain no longer has. */
async function undo(page: Page, event: EventRow): Promise<void> {
  const { tx } = page
  const { grantId, kind, key, amount, payee, txHash } = event
  await tx.remove('events', event)
  if (kind === 'cancellation') return
  const payment = key === null ? undefined : await Payment.get(tx, grantId, key)
  await Meter.moveFact(tx, event, -1n, { payment, payer: page.row.payer })
  if (!payment) return note(page, { event: 'reorged', note: 'REORGED', amount, payee, txHash })
  // Open again whatever it was: a stranded payment too rests on a pull that has to come back now.
  await Payment.change(tx, payment, { ...Payment.withLeg(payment, kind, 'signed'), open: 1 })
  if (kind !== 'pull' || Payment.isWhole(payment, kind)) {
    await note(page, { ...Payment.labelsOf(payment), amount, event: 'reorged', note: 'REORGED', txHash })
  }
}

/** What the final block decides: facts that stay, legs that will never come, payments that are done. */
async function finalize(page: Page, reading: Reading): Promise<void> {
  const { tx } = page
  const { grantId } = page.row
  for (const event of await tx.list('events', { grantId, final: 0 })) {
    if (event.blockNumber <= reading.final.number) await tx.put('events', { ...event, final: 1 })
  }
  for (const open of await tx.list('payments', { grantId, open: 1 })) {
    let payment = open
    for (const leg of Payment.legsOf(payment)) {
      const isSigned = Payment.legOf(payment, leg) === 'signed'
      const failure = isSigned ? await Failure.of(tx, payment, leg, reading) : undefined
      if (failure) payment = await fail(page, payment, leg, failure)
    }
    if (payment.open === 1 && (await Payment.isDone(tx, payment)))
      await tx.put('payments', { ...payment, open: 0 })
  }
}

async function fail(
  page: Page,
  payment: PaymentRow,
  leg: FactKind,
  { reason, note }: Failure.Failure,
): Promise<PaymentRow> {
  const failed = await Payment.fail(page.tx, page.row, payment, leg, reason, note)
  page.row = failed.row
  if (failed.receipt) page.receipts.push(failed.receipt)
  return failed.payment
}

/**
 * Checks that the final block that the books rest on is still what the endpoint says it is.
 *
 * @throws GrantError `FINALITY_BROKEN` where it is not.
 */
export function assertFinal(row: GrantRow, hash: Hex): void {
  if (hash === row.finalHash) return
  throw new GrantError(
    'FINALITY_BROKEN',
    `Block ${row.finalNumber} was final with hash ${row.finalHash} and is now ${hash}. The endpoint is not on the chain that these books follow, and nothing is paid any more. Check the endpoint, then open the budget again.`,
    { figures: { block: row.finalNumber, expected: row.finalHash, actual: hash } },
  )
}
