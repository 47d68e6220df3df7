/** Why what is signed will never come: what a final block says of it. */
import * as Found from './Found.js'
import * as Payment from './Payment.js'
import * as PaymentNumber from './PaymentNumber.js'
import * as Permission from './Permission.js'
import type { Reading } from './Settlement.js'
import type { FactKind, PaymentRow, Transaction, TransactionRow } from './Store.js'
import * as Time from './Time.js'

/** For a person; `note` is the word for it in the receipt, where it is a special one. */
export type Failure = { readonly reason: string; readonly note?: string }

/** Why a leg that is signed will never come, if so. */
export async function of(
  tx: Transaction,
  payment: PaymentRow,
  leg: FactKind,
  reading: Reading,
): Promise<Failure | undefined> {
  if (leg === 'authorization') return authorizationFailureOf(tx, payment, reading)
  const reason = await (leg === 'payment' ? guarded : direct)(tx, payment, leg, reading)
  return reason === undefined ? undefined : { reason }
}

async function direct(
  tx: Transaction,
  payment: PaymentRow,
  leg: FactKind,
  reading: Reading,
): Promise<string | undefined> {
  const transaction = await Payment.currentTransaction(tx, payment, leg)
  if (!transaction) throw new Error(`Payment ${payment.key} has a signed ${leg} without a transaction.`)
  const passed = passedBy(transaction, leg, reading)
  if (passed || leg === 'transfer') return passed
  const { grantId, permissionHash } = payment
  const stored = await tx.get('permissions', { grantId, hash: permissionHash })
  if (!stored) throw new Error(`Permission ${permissionHash} is not in the books.`)
  const { end } = Permission.parse(stored.permission)
  const isOver = reading.final.time >= end
  return isOver ? `The permission ended before the pull of ${transaction.hash} was included.` : undefined
}

/** The final chain has used a transaction's nonce; whatever it was used for, this leg was not seen. */
function passedBy({ nonce, hash }: TransactionRow, leg: FactKind, reading: Reading): string | undefined {
  const { final, finalNonce } = reading
  if (finalNonce === null || nonce >= finalNonce) return undefined
  return `Nonce ${nonce} of the agent was used by final block ${final.number} without the ${leg} of ${hash}: it reverted, or another transaction took its place.`
}

/** A number that is used pays no more: by other terms, since the payment's own would have been seen. */
async function guarded(
  tx: Transaction,
  payment: PaymentRow,
  leg: FactKind,
  reading: Reading,
): Promise<string | undefined> {
  const { grantId, number, deadline } = payment
  const used = number === null ? undefined : reading.numbers.get(number)
  if (number === null || deadline === null || used === undefined) return undefined
  const { final } = reading
  if (used) {
    const event = await PaymentNumber.payerOf(tx, grantId, number)
    return (
      event &&
      `Its number was used by another payment, of ${event.amount} to ${event.payee} in ${event.txHash}.`
    )
  }
  if (final.time >= deadline)
    return `It was not included before its deadline at ${Time.format(deadline)}, and its number is unused.`
  // With others in its transaction, it may have been one of them that the chain refused: then it is signed once more.
  if (payment.alone === 0) return undefined
  const transaction = await Payment.currentTransaction(tx, payment, leg)
  return transaction && passedBy(transaction, leg, reading)
}

/** A nonce that is used settles no more; one that is unused at the head is so in the final block too, whose time counts. */
async function authorizationFailureOf(
  tx: Transaction,
  payment: PaymentRow,
  { final, nonces }: Reading,
): Promise<Failure | undefined> {
  const event = await Found.usedNonce(tx, payment)
  if (event) {
    if (event.final === 0) return undefined
    if (event.kind === 'cancellation')
      return { reason: `It was cancelled in ${event.txHash}.`, note: 'CANCELLED' }
    return {
      reason: `Its nonce was used for other terms: ${event.amount} to ${event.payee} in ${event.txHash}.`,
    }
  }
  const { ref, deadline } = payment
  if (deadline === null || final.time < deadline || nonces.get(ref) !== false) return undefined
  return { reason: `It was not settled before ${Time.format(deadline)}, and its nonce is unused.` }
}
