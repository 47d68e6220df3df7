/**
 * Authorizations (EIP-3009): what a payer lets somebody else settle, out of its float. Part of the books, as `Ledger`. Each
 * is reserved before it is signed, and its terms say all that a signature needs, so that none is stored: the same key
 * gives the same terms until they can be settled no more. Its nonce is the key's reference, so the token settles a key at
 * most once.
 *
 *   reserved and signed ──event──▸ paid
 *            │
 *            └─▸ released: its last second, or its cancellation, is final
 */
import type { Address, Hex, LocalAccount } from 'viem'
import * as AuthorizationSignature from './AuthorizationSignature.js'
import * as Book from './Book.js'
import * as Float from './Float.js'
import * as Found from './Found.js'
import * as Funding from './Funding.js'
import * as Grant from './Grant.js'
import { GrantError } from './GrantError.js'
import * as GuardNumber from './GuardNumber.js'
import * as Input from './Input.js'
import * as Ledger from './Ledger.js'
import * as Lost from './Lost.js'
import * as Meter from './Meter.js'
import type * as Order from './Order.js'
import * as Payment from './Payment.js'
import * as Permission from './Permission.js'
import type * as Receipt from './Receipt.js'
import { refuse } from './Refusal.js'
import * as Session from './Session.js'
import type { PaymentRow, Store, Transaction } from './Store.js'

export type Validity = {
  /** Seconds for which it can be settled, 1 to `Payment.lifetime`. */
  readonly validSeconds: number
  /** This machine's clock, unix seconds. The later of it and chain time counts. */
  readonly now: number
}

export type Reservation =
  | Ledger.Reservation
  /** All but the float allows it, which has to be funded first. Leaves no receipt. */
  | { readonly outcome: 'short'; readonly refusal: Ledger.Refusal }

/**
 * Decides and reserves in one transaction, as `Ledger.reserve`. What is returned as `known` and is not settled may be signed
 * again, with its own `deadline` and never another one.
 *
 * @throws GrantError `MISMATCH` where the grant has no payer; InputError `INVALID_VALUE` for a validity out of its range
 */
export function reserve(
  store: Store,
  grantId: Hex,
  order: Order.Order,
  { validSeconds, now }: Validity,
  veto?: Ledger.Refusal,
): Promise<Reservation> {
  Input.integer(validSeconds, 'validSeconds', { min: 1, max: Payment.lifetime })
  return store.transact(grantId, async (tx): Promise<Reservation> => {
    const row = await Book.get(tx, grantId)
    const { payer } = row
    if (payer === null)
      throw new GrantError(
        'MISMATCH',
        `Grant ${grantId} names no float, so nothing pays authorizations. Define one on the purse rail, or with maxFloatUsd on the direct one.`,
      )
    const stored = await tx.get('permissions', { grantId, hash: row.permissionHash })
    if (!stored) throw new Error(`Permission ${row.permissionHash} is not in the books.`)
    const ref = GuardNumber.reference(grantId, order.key)
    const payment: PaymentRow = {
      ...Payment.of(row, order, { via: 'authorization', ref, number: null, payer }),
      // Nothing lies between the two: who has the terms may sign them.
      pull: 'signed',
      transfer: 'signed',
      // A purse pays nothing from the end on; nobody would stop the agent's own address.
      deadline: Math.min(Math.max(row.headTime, now) + validSeconds, Permission.parse(stored.permission).end),
      alone: 1,
    }
    const recalled = await Ledger.recall(tx, row, payment, order)
    if (recalled) {
      const { payment: known } = recalled
      // From now on it is not the first caller alone who may have signed it.
      if (recalled.outcome === 'known' && known.via === 'authorization' && known.alone === 1)
        await tx.put('payments', { ...known, alone: 0 })
      return recalled
    }
    const no = async (refusal: Ledger.Refusal): Promise<Ledger.Reservation> => ({
      outcome: 'refused',
      refusal,
      receipt: await Ledger.writeRefusal(tx, row, order, refusal.code),
    })
    const unread = veto ?? Float.unread(row)
    if (unread) return no(unread)
    if (await Found.usedNonce(tx, payment)) {
      const reason = `The nonce of key ${JSON.stringify(order.key)} was cancelled, or used for other terms, so the token settles nothing under it any more. Use another key.`
      return no(refuse('KEY_ENDED', reason, { key: order.key }))
    }
    const decision = await Ledger.decideIn(tx, row, { ...order, via: 'purse' })
    if (!decision.allowed && decision.code === 'FLOAT_LOW') {
      const grant = Grant.parse(row.grant)
      const other = Lost.refusal(row) ?? (await Session.refusal(tx, grant, order))
      return other ? no(other) : { outcome: 'short', refusal: decision }
    }
    if (!decision.allowed) return no(decision)
    const over = await Funding.raise(tx, row, order.amount)
    if (over) return no(over)
    const before = await tx.get('payments', payment)
    await tx.put('payments', { ...payment, told: before?.told ?? 0 })
    await Meter.moveOpen(tx, payment, 1n)
    await Meter.moveLabels(tx, payment, 1n)
    const draft = { ...Payment.labelsOf(payment), event: 'reserved', note: 'reserved' } as const
    return { outcome: 'reserved', payment, receipt: await Book.write(tx, row, draft) }
  })
}

/** What an authorization is signed by: its terms, and the permission that funds it. */
export type Terms = {
  readonly payment: PaymentRow & { readonly payer: Address; readonly deadline: number }
  readonly permission: Permission.Permission
}

/**
 * The terms of a key's authorization, as the books have it.
 * @throws GrantError `MISMATCH` where the key is unknown, `KEY_CONFLICT` where it is that of another kind of payment
 */
export async function terms(tx: Transaction, grantId: Hex, key: string): Promise<Terms> {
  const payment = await Payment.get(tx, grantId, key)
  const { via, payer, deadline, permissionHash: hash } = payment
  const stored = await tx.get('permissions', { grantId, hash })
  if (via !== 'authorization' || payer === null || deadline === null || !stored)
    throw new GrantError(
      'KEY_CONFLICT',
      `The key ${JSON.stringify(key)} belongs to a payment that needs no authorization. Use a key of its own for every payment.`,
      { figures: { key } },
    )
  return { payment: { ...payment, payer, deadline }, permission: Permission.parse(stored.permission) }
}

/**
 * Signs an authorization that is reserved, to the letter of the books, and nothing else: valid from the beginning of time
 * until its deadline. In one transaction, so that from then on `releaseUnsent` leaves it alone.
 *
 * @throws as `terms`, and GrantError `RELEASED` where it is not reserved any more; what the key throws
 */
export function sign(store: Store, grantId: Hex, key: string, agent: LocalAccount): Promise<Hex> {
  return store.transact(grantId, async (tx) => {
    const { payment, permission } = await terms(tx, grantId, key)
    const { payee: to, amount: value, deadline: validBefore, ref: nonce, payer } = payment
    if (payment.pull === 'failed')
      throw new GrantError(
        'RELEASED',
        `The authorization ${JSON.stringify(key)} is released, so it is not signed: ${payment.failure} Authorize it anew.`,
        { figures: { key }, retryable: true },
      )
    const grant = Grant.parse((await Book.get(tx, grantId)).grant)
    const authorization = { to, value, validAfter: 0, validBefore, nonce }
    const signature = await AuthorizationSignature.sign(agent, { payer, permission, grant, authorization })
    if (payment.alone === 1) await tx.put('payments', { ...payment, alone: 0 })
    return signature
  })
}

/**
 * Releases an authorization that could not be signed. Undefined, and nothing is changed, where it was signed by the books,
 * or somebody else was given its terms meanwhile, and may have signed them: that waits for the chain.
 */
export function releaseUnsent(
  store: Store,
  grantId: Hex,
  key: string,
  reason: string,
): Promise<Receipt.Receipt | undefined> {
  return store.transact(grantId, async (tx) => {
    const payment = await Payment.get(tx, grantId, key)
    const { via, pull, alone } = payment
    if (via !== 'authorization' || pull !== 'signed' || alone === 0) return undefined
    const failed = await Payment.fail(tx, await Book.get(tx, grantId), payment, 'authorization', reason)
    return failed.receipt
  })
}
