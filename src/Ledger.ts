/**
 * The books: the only writer of money state. On the direct rail a payment has two legs, which are two
 * facts on chain. The pull moves money from the account to the agent (SpendPermissionManager.spend, event
 * SpendPermissionUsed); the transfer moves it on to the payee (the token's Transfer). Each leg is `none`,
 * then `signed` (its bytes are stored before anybody broadcasts them), then `seen` or `failed`:
 *
 *   reserved ──sign──▸ pulling ──event──▸ pulled ──sign──▸ paying ──event──▸ paid
 *                         │                                  │
 *                         └─▸ released                       └─▸ stranded ──the same key──▸ paying
 *
 * A leg is `seen` by an event of its own transaction with equal terms, never by a receipt or an answer.
 * It `failed` when a final block shows its nonce used without that event; a pull also when the permission
 * ended. Until then it stays open, and what is open counts against every cap. What lies above the final
 * block is provisional: each reading of the chain replaces it as a whole, so a reorganisation is nothing
 * special. Events that no payment explains are foreign: they are metered all the same.
 */
import type { Address, Hex } from 'viem'
import * as Decision from './Decision.js'
import * as Grant from './Grant.js'
import { GrantError } from './GrantError.js'
import * as Meter from './Meter.js'
import * as Permission from './Permission.js'
import * as Receipt from './Receipt.js'
import type { GrantRow, PaymentRow, Store, Transaction, TransactionRow } from './Store.js'

/** What a caller wants to pay, and under which names it is booked. `amount` in base units. */
export type Order = {
  /** Idempotency key: the same key is the same payment, at most once. */
  readonly key: string
  readonly to: Address
  readonly amount: bigint
  readonly host?: string | undefined
  readonly task?: string | undefined
  readonly session?: string | undefined
  readonly category?: string | undefined
  readonly endpoint?: string | undefined
}

/** Where a payment stands. See the top of this file. */
export type PaymentState =
  | { readonly status: 'reserved' }
  | { readonly status: 'pulling' }
  | { readonly status: 'pulled' }
  | { readonly status: 'paying' }
  /** `final`: no reorganisation can take it back any more. */
  | { readonly status: 'paid'; readonly final: boolean }
  | { readonly status: 'released'; readonly reason: string }
  | { readonly status: 'stranded'; readonly reason: string }

/** The state that a row's legs spell. */
export function stateOf(row: PaymentRow): PaymentState {
  if (row.transfer === 'seen') return { status: 'paid', final: row.open === 0 }
  if (row.transfer === 'signed') return { status: 'paying' }
  if (row.pull === 'failed') return { status: 'released', reason: row.failure ?? 'unknown' }
  if (row.transfer === 'failed') return { status: 'stranded', reason: row.failure ?? 'unknown' }
  if (row.pull === 'seen') return { status: 'pulled' }
  return { status: row.pull === 'signed' ? 'pulling' : 'reserved' }
}

/**
 * Opens a grant in the books, or finds it there. `start` is the block from which the chain will be read:
 * nothing of the grant may have happened in it or before.
 *
 * @throws GrantError `AGENT_IN_USE` where the agent serves another grant in these books.
 */
export async function open(
  store: Store,
  options: {
    readonly grant: Grant.Grant
    readonly permission: Permission.Permission
    readonly start: () => Promise<{ readonly number: number; readonly hash: Hex; readonly time: number }>
  },
): Promise<GrantRow> {
  const { grant, permission } = options
  const { grantId } = grant
  const known = await store.transact(grantId, (tx) => tx.get('grants', { grantId }))
  // Read before the transaction: no lock is held while the network answers.
  const start = known ? undefined : await options.start()
  return store.transact(grantId, async (tx) => {
    const permissionHash = Permission.hash(permission)
    const [other] = (await tx.list('grants', { agent: grant.agent, chainId: grant.chainId })).filter(
      (row) => row.grantId !== grantId,
    )
    if (other) {
      throw new GrantError(
        'AGENT_IN_USE',
        `Agent ${grant.agent} already serves grant ${other.grantId} in these books. On the direct rail an agent's key serves one grant: use a fresh key, or replace that grant.`,
        { figures: { agent: grant.agent, grantId: other.grantId } },
      )
    }
    const existing = await tx.get('grants', { grantId })
    if (!existing && !start) throw new Error('The grant vanished while it was opened.')
    const row: GrantRow = {
      ...(existing ?? {
        grantId,
        chainId: grant.chainId,
        agent: grant.agent,
        paused: 0,
        approved: 0,
        revoked: 0,
        startNumber: start?.number ?? 0,
        finalNumber: start?.number ?? 0,
        finalHash: start?.hash ?? '',
        headNumber: start?.number ?? 0,
        headHash: start?.hash ?? '',
        headTime: start?.time ?? 0,
        receipts: 0,
        receiptHash: Receipt.genesis,
      }),
      grant: Grant.serialize(grant),
      permissionHash,
    }
    await tx.put('grants', row)
    await tx.put('permissions', {
      grantId,
      hash: permissionHash,
      permission: Permission.serialize(permission),
    })
    return row
  })
}

/** The grant's row, which must be there. */
export async function grantRow(tx: Transaction, grantId: Hex): Promise<GrantRow> {
  const row = await tx.get('grants', { grantId })
  if (!row) throw new GrantError('MISMATCH', `Grant ${grantId} is not in these books. Open it first.`)
  return row
}

/** Everything that a decision looks at, as the books have it. */
export async function readState(tx: Transaction, row: GrantRow, task?: string): Promise<Decision.State> {
  const { grantId, permissionHash } = row
  const stored = await tx.get('permissions', { grantId, hash: permissionHash })
  if (!stored) throw new Error(`Permission ${permissionHash} is not in the books.`)
  const permission = Permission.parse(stored.permission)
  const now = row.headTime
  const open = await Meter.read(tx, grantId, Meter.open)
  const bounds = Permission.periodAt(permission, now)
  const period = bounds ? await Meter.read(tx, grantId, Meter.period(permissionHash, bounds.start)) : 0n
  return {
    grant: Grant.parse(row.grant),
    permission,
    now,
    paused: row.paused === 1,
    approved: row.approved === 1,
    revoked: row.revoked === 1,
    used: {
      period: period + open,
      day: (await Meter.read(tx, grantId, Meter.day(now))) + open,
      total: (await Meter.read(tx, grantId, Meter.total)) + open,
      task: task === undefined ? 0n : await Meter.read(tx, grantId, Meter.labelled('task', task)),
    },
  }
}

export type Reservation =
  | { readonly outcome: 'reserved'; readonly payment: PaymentRow; readonly receipt: Receipt.Receipt }
  /** The key is known, with these terms: nothing was reserved anew. */
  | { readonly outcome: 'known'; readonly payment: PaymentRow }
  | { readonly outcome: 'refused'; readonly refusal: Refusal; readonly receipt: Receipt.Receipt }
  /** The key is known, with other terms. */
  | { readonly outcome: 'conflict'; readonly payment: PaymentRow }

export type Refusal = Extract<Decision.Decision, { allowed: false }>

/**
 * Decides and reserves in one transaction, which is what makes ten parallel calls, or ten processes, keep
 * one cap. A refusal leaves a receipt and touches no meter. A payment that was released may be reserved
 * again under its key. `veto` refuses for a reason that only the caller knows.
 */
export function reserve(store: Store, grantId: Hex, order: Order, veto?: Refusal): Promise<Reservation> {
  return store.transact(grantId, async (tx): Promise<Reservation> => {
    const row = await grantRow(tx, grantId)
    const known = await tx.get('payments', { grantId, key: order.key })
    const payment: PaymentRow = {
      grantId,
      key: order.key,
      payee: order.to,
      amount: order.amount,
      permissionHash: row.permissionHash,
      host: order.host ?? null,
      task: order.task ?? null,
      session: order.session ?? null,
      category: order.category ?? null,
      endpoint: order.endpoint ?? null,
      reservedAt: row.headTime,
      pull: 'none',
      transfer: 'none',
      failure: null,
      open: 1,
    }
    if (known && !sameTerms(known, payment)) return { outcome: 'conflict', payment: known }
    if (known && stateOf(known).status !== 'released') return { outcome: 'known', payment: known }

    const decision = veto ?? Decision.decide(await readState(tx, row, order.task), order)
    if (!decision.allowed) {
      return { outcome: 'refused', refusal: decision, receipt: await refuse(tx, row, order, decision.code) }
    }
    await tx.put('payments', payment)
    await Meter.moveOpen(tx, payment, 1n)
    await Meter.moveLabels(tx, payment, 1n)
    const receipt = await write(tx, row, { ...labelsOf(payment), event: 'reserved', note: 'reserved' })
    return { outcome: 'reserved', payment, receipt }
  })
}

async function refuse(tx: Transaction, row: GrantRow, order: Order, code: string): Promise<Receipt.Receipt> {
  const { key, amount, host, task, session, category, endpoint } = order
  const labels = Object.entries({ host, task, session, category, endpoint }).filter(([, value]) => value)
  return write(tx, row, {
    ...Object.fromEntries(labels),
    event: 'refused',
    note: code,
    amount,
    key,
    payee: order.to,
  })
}

function sameTerms(a: PaymentRow, b: PaymentRow): boolean {
  return a.payee === b.payee && a.amount === b.amount && Meter.labels.every((label) => a[label] === b[label])
}

/** Releases a payment of which nothing was signed; anything else waits for the chain. */
export function release(store: Store, grantId: Hex, key: string, reason: string): Promise<PaymentRow> {
  return store.transact(grantId, async (tx) => {
    const payment = await paymentRow(tx, grantId, key)
    if (payment.pull !== 'none') return payment
    return (await fail(tx, await grantRow(tx, grantId), payment, 'pull', reason)).payment
  })
}

/** Strands a payment whose transfer cannot succeed; of the transfer nothing was signed. */
export function strand(store: Store, grantId: Hex, key: string, reason: string): Promise<PaymentRow> {
  return store.transact(grantId, async (tx) => {
    const payment = await paymentRow(tx, grantId, key)
    if (!isTransferDue(payment)) return payment
    return (await fail(tx, await grantRow(tx, grantId), payment, 'transfer', reason)).payment
  })
}

/** Opens a stranded payment again, so that its transfer is tried once more. */
export function reopen(store: Store, grantId: Hex, key: string): Promise<void> {
  return store.transact(grantId, async (tx) => {
    const payment = await paymentRow(tx, grantId, key)
    if (stateOf(payment).status !== 'stranded') return
    await tx.put('payments', { ...payment, transfer: 'none', failure: null, open: 1 })
  })
}

/**
 * Gives the next step of a payment (or a call that is no payment: key '') a nonce and stores its signed
 * bytes, in one transaction: no nonce is ever taken without its bytes, no bytes exist that are not stored.
 * Returns what is stored already where another worker was faster, undefined where no step is due.
 *
 * `chainNonce`: the agent's transaction count at the latest block, read just before.
 */
export function sign(
  store: Store,
  options: {
    readonly grantId: Hex
    readonly key: string
    readonly kind: TransactionRow['kind']
    readonly chainNonce: number
    readonly sign: (nonce: number) => Promise<{ readonly raw: Hex; readonly hash: Hex }>
  },
): Promise<TransactionRow | undefined> {
  const { grantId, key, kind } = options
  return store.transact(grantId, async (tx) => {
    const payment = kind === 'call' ? undefined : await paymentRow(tx, grantId, key)
    if (payment && kind !== 'call') {
      if (payment[kind] === 'signed') return currentTransaction(tx, payment, kind)
      const due = kind === 'pull' ? payment.pull === 'none' : isTransferDue(payment)
      if (!due) return undefined
      await tx.put('payments', { ...payment, [kind]: 'signed' })
    }
    const [last] = await tx.list('transactions', { grantId }, { descending: true, limit: 1 })
    const nonce = Math.max(options.chainNonce, (last?.nonce ?? -1) + 1)
    const row: TransactionRow = { grantId, nonce, kind, key, ...(await options.sign(nonce)) }
    await tx.put('transactions', row)
    return row
  })
}

/** The pull arrived, and nothing was signed for the payee yet. */
export function isTransferDue(payment: PaymentRow): boolean {
  return payment.pull === 'seen' && payment.transfer === 'none'
}

/** The transaction that a leg rests on: the latest one signed for it. */
export async function currentTransaction(
  tx: Transaction,
  payment: PaymentRow,
  kind: 'pull' | 'transfer',
): Promise<TransactionRow | undefined> {
  const { grantId, key } = payment
  const rows = await tx.list('transactions', { grantId, key, kind }, { descending: true, limit: 1 })
  return rows[0]
}

/**
 * A leg failed for good. Without its pull a payment is released, unless a transfer is under way all the
 * same: the agent may hold money from an earlier pull. With its pull, but without its transfer, it is
 * stranded.
 */
export async function fail(
  tx: Transaction,
  row: GrantRow,
  payment: PaymentRow,
  leg: 'pull' | 'transfer',
  reason: string,
): Promise<{ payment: PaymentRow; row: GrantRow; receipt?: Receipt.Receipt }> {
  if (leg === 'pull') await Meter.moveOpen(tx, payment, -1n)
  const failed: PaymentRow = { ...payment, [leg]: 'failed', failure: reason }
  const { status } = stateOf(failed)
  if (status !== 'released' && status !== 'stranded') {
    await tx.put('payments', failed)
    return { payment: failed, row }
  }
  const closed: PaymentRow = { ...failed, open: 0 }
  await tx.put('payments', closed)
  if (status === 'released') await Meter.moveLabels(tx, payment, -1n)
  const { grant, receipt } = await Receipt.append(tx, row, {
    ...labelsOf(payment),
    event: status,
    note: status === 'released' ? 'RELEASED' : 'STRANDED',
  })
  await tx.put('grants', grant)
  return { payment: closed, row: grant, receipt }
}

export async function paymentRow(tx: Transaction, grantId: Hex, key: string): Promise<PaymentRow> {
  const payment = await tx.get('payments', { grantId, key })
  if (!payment)
    throw new GrantError('MISMATCH', `No payment has the key ${JSON.stringify(key)} in grant ${grantId}.`)
  return payment
}

/** What a receipt says of a payment. */
export function labelsOf(payment: PaymentRow) {
  const { key, payee, amount, host, task, session, category, endpoint } = payment
  return { key, payee, amount, host, task, session, category, endpoint }
}

/** Appends a receipt and puts the grant's new head. */
export async function write(
  tx: Transaction,
  row: GrantRow,
  draft: Receipt.ReceiptDraft,
): Promise<Receipt.Receipt> {
  const { grant, receipt } = await Receipt.append(tx, row, draft)
  await tx.put('grants', grant)
  return receipt
}

/** Pauses or resumes: the books refuse, the chain knows nothing of it on the direct rail. */
export function setPaused(store: Store, grantId: Hex, paused: boolean): Promise<void> {
  return store.transact(grantId, async (tx) => {
    const row = await grantRow(tx, grantId)
    if ((row.paused === 1) === paused) return
    await write(
      tx,
      { ...row, paused: paused ? 1 : 0 },
      {
        event: paused ? 'paused' : 'resumed',
        note: paused ? 'PAUSED' : 'resumed',
        amount: 0n,
      },
    )
  })
}
