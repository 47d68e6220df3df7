/**
 * Attempts to make payments: what is signed for them, stored before anybody sees it. Part of the books, as `Ledger`; how
 * it is sent is `Outbox`'s to say.
 */
import type { Hex } from 'viem'
import * as Book from './Book.js'
import { isDue } from './Ledger.js'
import * as Lost from './Lost.js'
import * as Payment from './Payment.js'
import type { GrantRow, PaymentRow, Store, Transaction, TransactionRow } from './Store.js'

/**
 * Gives the next step of a payment on the direct rail (or a call that is no payment: key '') a nonce and stores its
 * signed bytes, in one transaction: no nonce is ever taken without its bytes, no bytes exist that are not stored.
 * Returns what is stored already where another worker was faster, undefined where no step is due: also where the
 * books are paused, and the payment has not begun.
 */
export function sign(store: Store, options: Signing & Pick<TransactionRow, 'key' | 'kind'>) {
  const { grantId, key, kind } = options
  return store.transact(grantId, async (tx): Promise<TransactionRow | undefined> => {
    const row = await Book.get(tx, grantId)
    if (kind !== 'call') {
      const payment = await Payment.get(tx, grantId, key)
      if (Payment.legOf(payment, kind) === 'signed') return Payment.currentTransaction(tx, payment, kind)
      if (!isDue(payment, kind)) return undefined
      if (kind !== 'transfer' && row.paused === 1) return undefined
      await tx.put('payments', Payment.withLeg(payment, kind, 'signed'))
    }
    return putSigned(tx, row, { key, kind }, options)
  })
}

type Signing = {
  readonly grantId: Hex
  /** The agent's transaction count at the latest block, read just before. */
  readonly chainNonce: number
  readonly sign: (nonce: number) => Promise<{ readonly raw: Hex; readonly hash: Hex }>
}

/** Payments through the guard that go out together, as they were when that was decided, and until when they can. */
export type Batch = { readonly payments: readonly PaymentRow[]; readonly deadline: number }

/**
 * As `sign`, payments through the guard, in one transaction of the agent. Signs nothing where one of them is not as it
 * was any more: that is how one of many workers claims them, and no lease is needed, because nothing else is done
 * between the claim and the signature.
 */
export function signBatch(store: Store, options: Signing & Batch): Promise<TransactionRow | undefined> {
  const { grantId, payments } = options
  return store.transact(grantId, async (tx) => {
    const row = await Book.get(tx, grantId)
    const current = await asTheyAre(tx, row, payments)
    if (!current) return undefined
    const [{ key } = { key: '' }] = payments.length === 1 ? payments : []
    const signed = await putSigned(tx, row, { key, kind: 'payment' }, options)
    await putTried(tx, row, { ...options, payments: current }, signed.nonce)
    return signed
  })
}

/**
 * As `signBatch`, for a relay: stored before anything is signed for it. From then on only the deadline ends them, which
 * stays as it is where they were given to it before. False where one of them is not as it was.
 */
export function handOver(store: Store, options: Batch & { readonly grantId: Hex }): Promise<boolean> {
  const { grantId, payments } = options
  return store.transact(grantId, async (tx) => {
    const row = await Book.get(tx, grantId)
    const current = await asTheyAre(tx, row, payments)
    if (!current) return false
    await putTried(tx, row, { ...options, payments: current }, null)
    return true
  })
}

/**
 * Payments that were read before, as the books have them now; undefined where somebody has tried one since, and while the
 * books are paused where one would begin. What a funding may take can have been raised meanwhile: its call is the same.
 */
async function asTheyAre(
  tx: Transaction,
  { grantId, paused }: GrantRow,
  payments: Batch['payments'],
): Promise<readonly PaymentRow[] | undefined> {
  const rows: PaymentRow[] = []
  for (const before of payments) {
    const row = await Payment.get(tx, grantId, before.key)
    const { pull, nonce, deadline, triedAt, permissionHash } = row
    const isSame =
      pull === before.pull &&
      nonce === before.nonce &&
      deadline === before.deadline &&
      triedAt === before.triedAt &&
      permissionHash === before.permissionHash
    if (!isSame || (pull === 'none' && paused === 1)) return undefined
    rows.push(row)
  }
  return rows
}

async function putTried(
  tx: Transaction,
  { headNumber: triedAt }: GrantRow,
  { payments, deadline }: Batch,
  nonce: number | null,
): Promise<void> {
  const alone = payments.length === 1 ? 1 : 0
  for (const payment of payments) {
    const latest = Math.max(deadline, payment.deadline ?? 0)
    const signed = Payment.withLeg(payment, 'payment', 'signed')
    await tx.put('payments', { ...signed, deadline: latest, nonce, alone, triedAt })
  }
}

async function putSigned(
  tx: Transaction,
  { grantId, headNumber: signedAt }: GrantRow,
  step: Pick<TransactionRow, 'key' | 'kind'>,
  { chainNonce, sign }: Signing,
): Promise<TransactionRow> {
  const nonce = await freeNonce(tx, grantId, Math.max(chainNonce, await Lost.firstNonce(tx, grantId)))
  const row: TransactionRow = { grantId, nonce, ...step, ...(await sign(nonce)), signedAt }
  await tx.put('transactions', row)
  return row
}

/** One that was skipped, because an endpoint counted too many or a block is gone, would hold up all after it. */
async function freeNonce(tx: Transaction, grantId: Hex, from: number): Promise<number> {
  for (let nonce = from; ; nonce++) {
    const [taken] = await tx.list('transactions', { grantId, nonce }, { limit: 1 })
    if (!taken) return nonce
  }
}

/**
 * Stores another transaction for the nonce of an old one, which may still be mined in its place. Undefined where another
 * worker has done so since.
 */
export function replaceTransaction(
  store: Store,
  {
    grantId,
    old,
    raw,
    hash,
  }: Pick<TransactionRow, 'grantId' | 'raw' | 'hash'> & { readonly old: TransactionRow },
): Promise<TransactionRow | undefined> {
  return store.transact(grantId, async (tx) => {
    const { headNumber: signedAt } = await Book.get(tx, grantId)
    const candidates = await tx.list('transactions', { grantId, nonce: old.nonce })
    if (candidates.some((row) => row.signedAt > old.signedAt)) return undefined
    const row: TransactionRow = { ...old, raw, hash, signedAt }
    await tx.put('transactions', row)
    return row
  })
}

/**
 * The chain would refuse a payment by itself that it has refused with others before: now it fails by its own doing, once
 * its last transaction can no longer come back.
 */
export function setAlone(store: Store, { grantId, key, nonce }: PaymentRow): Promise<void> {
  return store.transact(grantId, async (tx) => {
    const payment = await Payment.get(tx, grantId, key)
    if (payment.pull === 'signed' && payment.nonce === nonce)
      await tx.put('payments', { ...payment, alone: 1 })
  })
}
