/**
 * The ledger's backward half: what the chain says becomes what the books say. A reading replaces
 * everything that is not final yet, in one transaction with how far the chain has been read.
 */
import type { Hex } from 'viem'
import * as Book from './Book.js'
import { GrantError } from './GrantError.js'
import * as Meter from './Meter.js'
import * as Payment from './Payment.js'
import * as Permission from './Permission.js'
import * as Receipt from './Receipt.js'
import type { EventRow, GrantRow, PaymentRow, Store, Transaction } from './Store.js'

/** A fact as it was read, before it is known whose it is. */
export type Fact = Omit<EventRow, 'key' | 'final'>

/** One reading of the chain: every fact in the blocks after `after`, up to and including `head`. */
export type Reading = {
  /** The final block that the reading went out from. */
  readonly after: number
  readonly head: Book.BlockId
  readonly final: Book.BlockId
  readonly facts: readonly Fact[]
  /** The agent's transaction count in the state of the final block; null where nothing waited for it. */
  readonly finalNonce: number | null
  /** `isApproved` and `isRevoked` of the current permission, at the head. */
  readonly approved: boolean
  readonly revoked: boolean
}

/** What a reading changed, for whoever waits. */
export type Advance = { readonly applied: boolean; readonly receipts: readonly Receipt.Receipt[] }

/**
 * Puts a reading into the books. A reading that went out from another final block than the books have by
 * now, or that ends below what was read or was final already, is dropped: another worker was faster, or the
 * endpoint lags behind its sibling.
 */
export function advance(store: Store, grantId: Hex, reading: Reading): Promise<Advance> {
  return store.transact(grantId, async (tx) => {
    const before = await Book.get(tx, grantId)
    const { after, head, final } = reading
    if (after !== before.finalNumber || final.number < after || head.number < before.headNumber)
      return { applied: false, receipts: [] }
    const page: Page = { tx, receipts: [], row: before }

    const provisional = await tx.list('events', { grantId, final: 0 })
    const read = new Map(reading.facts.map((fact) => [idOf(fact), fact]))
    const kept = new Set(provisional.map(idOf))
    for (const event of provisional.reverse()) if (!read.has(idOf(event))) await undo(page, event)
    page.row = {
      ...page.row,
      headNumber: head.number,
      headHash: head.hash,
      headTime: head.time,
      approved: reading.approved ? 1 : 0,
      revoked: reading.revoked ? 1 : 0,
    }
    for (const fact of reading.facts) if (!kept.has(idOf(fact))) await apply(page, fact)

    await finalize(page, reading)
    await tx.put('grants', { ...page.row, finalNumber: final.number, finalHash: final.hash })
    return { applied: true, receipts: page.receipts }
  })
}

type Page = { readonly tx: Transaction; row: GrantRow; readonly receipts: Receipt.Receipt[] }

function idOf({ blockHash, logIndex }: Fact): string {
  return `${blockHash}:${logIndex}`
}

async function note(page: Page, draft: Receipt.ReceiptDraft): Promise<void> {
  const { grant, receipt } = await Receipt.append(page.tx, page.row, draft)
  page.row = grant
  page.receipts.push(receipt)
}

/** The payment that signed the fact's transaction for this leg with these terms and still waits for it. */
async function paymentOf(tx: Transaction, fact: Fact): Promise<PaymentRow | undefined> {
  const { grantId, txHash, kind } = fact
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

async function apply(page: Page, fact: Fact): Promise<void> {
  const { tx } = page
  const { kind, txHash, amount, payee } = fact
  const payment = await paymentOf(tx, fact)
  await tx.put('events', { ...fact, key: payment?.key ?? null, final: 0 })
  const move = kind === 'pull' ? Meter.movePull : Meter.moveTransfer
  await move(tx, fact, 1n, payment !== undefined)
  if (!payment) {
    const note_ = kind === 'pull' ? 'FOREIGN_PULL' : 'FOREIGN_TRANSFER'
    return note(page, { event: 'foreign', note: note_, amount, payee, txHash })
  }
  await tx.put('payments', { ...payment, [kind]: 'seen' })
  if (kind === 'transfer') {
    await note(page, { ...Payment.labelsOf(payment), event: 'settled', note: 'settled', txHash })
  }
}

/** The exact inverse of `apply`, for a fact that the chain no longer has. */
async function undo(page: Page, event: EventRow): Promise<void> {
  const { tx } = page
  const { grantId, kind, key, amount, payee, txHash } = event
  await tx.remove('events', event)
  const move = kind === 'pull' ? Meter.movePull : Meter.moveTransfer
  await move(tx, event, -1n, key !== null)
  if (key === null) return note(page, { event: 'reorged', note: 'REORGED', amount, payee, txHash })
  const payment = await Payment.get(tx, grantId, key)
  // Open again whatever it was: a stranded payment too rests on a pull that has to come back now.
  await tx.put('payments', { ...payment, [kind]: 'signed', open: 1 })
  if (kind === 'transfer') {
    await note(page, { ...Payment.labelsOf(payment), event: 'reorged', note: 'REORGED', txHash })
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
    for (const leg of ['pull', 'transfer'] as const) {
      const reason = payment[leg] === 'signed' ? await failureOf(tx, payment, leg, reading) : undefined
      if (reason) payment = await fail(page, payment, leg, reason)
    }
    if (payment.open === 1 && (await Payment.isDone(tx, payment)))
      await tx.put('payments', { ...payment, open: 0 })
  }
}

async function failureOf(
  tx: Transaction,
  payment: PaymentRow,
  leg: 'pull' | 'transfer',
  reading: Reading,
): Promise<string | undefined> {
  const transaction = await Payment.currentTransaction(tx, payment, leg)
  if (!transaction) throw new Error(`Payment ${payment.key} has a signed ${leg} without a transaction.`)
  const { nonce, hash } = transaction
  const { number, time } = reading.final
  if (reading.finalNonce !== null && nonce < reading.finalNonce) {
    return `Nonce ${nonce} of the agent was used by final block ${number} without the ${leg} of ${hash}: it reverted, or another transaction took its place.`
  }
  if (leg === 'transfer') return undefined
  const { grantId, permissionHash } = payment
  const stored = await tx.get('permissions', { grantId, hash: permissionHash })
  if (!stored) throw new Error(`Permission ${permissionHash} is not in the books.`)
  const { end } = Permission.parse(stored.permission)
  return time >= end ? `The permission ended before the pull of ${hash} was included.` : undefined
}

async function fail(
  page: Page,
  payment: PaymentRow,
  leg: 'pull' | 'transfer',
  reason: string,
): Promise<PaymentRow> {
  const failed = await Payment.fail(page.tx, page.row, payment, leg, reason)
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
