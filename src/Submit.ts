/**
 * The ledger's forward half: takes the next step of each open payment. It meets the backward half (sync) only in the
 * books, so any worker may go on where another one died.
 */
import * as Attempt from './Attempt.js'
import * as Batch from './Batch.js'
import * as Book from './Book.js'
import type { ChainError } from './ChainError.js'
import { InputError } from './errors.js'
import * as Gas from './Gas.js'
import { GrantError } from './GrantError.js'
import * as GuardCall from './GuardCall.js'
import { signBatch, signFunding } from './GuardHash.js'
import * as Ledger from './Ledger.js'
import { gasLow, give, isRevert, prepare, type Submitter, signAndSend, signAndSendBatch } from './Outbox.js'
import * as Payment from './Payment.js'
import type * as Permission from './Permission.js'
import * as Spm from './SpmCall.js'
import type { PaymentRow } from './Store.js'
import { simulate } from './Transaction.js'

/** Told of a payment whose next step cannot be taken. */
export type OnRefused = (key: string, error: GrantError) => void

/* ------------------------------------------ guard ------------------------------------------ */

/**
 * Pays a group of payments in one call of the guard, but for those that the chain would refuse: each of them is found
 * with its reason, and released if nothing was signed for it before. What it throws has stopped all of it for now.
 */
export async function payGroup(
  submitter: Submitter,
  { row, permissions }: Batch.Look,
  group: Batch.Group,
  onRefused: OnRefused,
): Promise<void> {
  const { client, store, grantId, agent, relay } = submitter
  const permission = permissions.get(group.payments[0]?.permissionHash ?? '0x')
  if (!permission) throw new Error('The permission of a payment is in the books.')
  const deadline = group.deadline ?? Batch.deadlineOf(row)
  const refuse = (payment: PaymentRow, error: Refusing) =>
    refusePayment(submitter, { payment, permission, error }, onRefused)
  const [funding] = group.payments.filter(({ via }) => via === 'funding')
  const callOf = (payments: readonly PaymentRow[]) =>
    funding
      ? GuardCall.prepareFund({ permission, funding: Batch.fundingOf(funding, deadline) })
      : GuardCall.preparePay({ permission, batch: Batch.of(row, payments, deadline) })

  if (relay) {
    const { payments } = await sift(group.payments, refuse, async (payments) => {
      await simulate(client, { call: callOf(payments), from: agent.address, doing: doingOf(payments) })
    })
    if (payments.length === 0) return
    if (!(await Attempt.handOver(store, { grantId, payments, deadline }))) return
    if (funding) {
      const terms = { permission, funding: Batch.fundingOf(funding, deadline) }
      const signature = await signFunding(agent, terms)
      return give(submitter, GuardCall.prepareFundWithSignature({ ...terms, signature }))
    }
    const batch = Batch.of(row, payments, deadline)
    const signature = await signBatch(agent, { permission, batch })
    return give(submitter, GuardCall.preparePayWithSignature({ permission, batch, signature }))
  }
  const { payments, tried } = await sift(group.payments, refuse, async (payments) => {
    const prepared = await prepare(submitter, callOf(payments), doingOf(payments))
    await Gas.assertEnough(submitter, prepared)
    return prepared
  })
  if (tried) await signAndSendBatch(submitter, { payments, deadline, call: tried })
}

function doingOf(payments: readonly PaymentRow[]): string {
  const [{ via, amount, payee } = { via: 'guard', amount: 0n, payee: '' }] = payments
  if (via === 'funding') return `Funding the float of ${payee}`
  if (payments.length === 1) return `Paying ${amount} base units to ${payee}`
  return `Paying ${payments.length} payments`
}

/** Why the chain, or the agent's gas, would not let something through. */
type Refusing = ChainError | GrantError | InputError

type Sifted<tried> = { readonly payments: readonly PaymentRow[]; readonly tried: tried | undefined }

/**
 * The payments that can be made together, in their order, and what `attempt` gave for just those. The others are found by
 * bisection, each with the reason why it does not go with those before it.
 */
async function sift<tried>(
  candidates: readonly PaymentRow[],
  refuse: (payment: PaymentRow, error: Refusing) => Promise<void>,
  attempt: (payments: readonly PaymentRow[]) => Promise<tried>,
  good: Sifted<tried> = { payments: [], tried: undefined },
): Promise<Sifted<tried>> {
  const [first] = candidates
  if (!first) return good
  const payments = [...good.payments, ...candidates]
  try {
    return { payments, tried: await attempt(payments) }
  } catch (error) {
    if (!isRefusing(error)) throw error
    if (candidates.length === 1) {
      await refuse(first, error)
      return good
    }
    const middle = candidates.length >> 1
    const left = await sift(candidates.slice(0, middle), refuse, attempt, good)
    return sift(candidates.slice(middle), refuse, attempt, left)
  }
}

/** An input error: a payee that a permission which took the place of another one does not list any more. */
function isRefusing(error: unknown): error is Refusing {
  return error instanceof GrantError || error instanceof InputError || isRevert(error)
}

type RefusedPayment = {
  readonly payment: PaymentRow
  readonly permission: Permission.Permission
  readonly error: Refusing
}

async function refusePayment(
  { store, grantId, onReceipt }: Submitter,
  { payment, permission, error }: RefusedPayment,
  onRefused: OnRefused,
): Promise<void> {
  const { key } = payment
  if (payment.pull === 'signed') {
    // What is signed already could still come: only the chain releases it.
    if (error instanceof GrantError) return onRefused(key, error)
    return Attempt.setAlone(store, payment)
  }
  const released = await Ledger.release(store, grantId, key, error.message)
  // Another worker signed it meanwhile, which may be why the chain would refuse it now.
  if (!released) return
  onReceipt(released)
  onRefused(key, error instanceof GrantError ? error : refused(payment, permission, error))
}

function refused(
  { amount, payee }: PaymentRow,
  { account }: Permission.Permission,
  error: ChainError | InputError,
) {
  const { message, figures, retryable } = error
  return new GrantError(
    'CHAIN_REFUSED',
    `The chain would refuse to pay ${amount} base units from ${account} to ${payee}: ${message} Nothing was signed; the reservation is released.`,
    { figures: { ...figures, amount, code: error.code }, retryable, cause: error },
  )
}

/* ------------------------------------------ direct ------------------------------------------ */

/**
 * Takes the next step of a payment on the direct rail, if one is due: signs and broadcasts its pull, or its transfer once
 * the pull was seen. While the books are paused no payment begins; one that has begun goes on.
 */
export async function step(
  submitter: Submitter,
  { row, permissions }: Batch.Look,
  payment: PaymentRow,
  onRefused: OnRefused,
): Promise<void> {
  if (Payment.isTransferDue(payment)) return transfer(submitter, payment, onRefused)
  if (payment.pull !== 'none' || row.paused === 1) return
  const { key, amount, permissionHash } = payment
  const permission = permissions.get(permissionHash)
  if (!permission) throw new Error(`Permission ${permissionHash} is not in the books.`)
  try {
    const call = await prepare(submitter, Spm.prepareSpend({ permission, amount }), doingOf([payment]))
    await Gas.assertEnough(submitter, call, payment.via === 'direct' ? Gas.transferGas : 0n)
    await signAndSend(submitter, { key, kind: 'pull', call })
  } catch (error) {
    if (!isRefusing(error)) throw error
    await refusePayment(submitter, { payment, permission, error }, onRefused)
  }
}

/** The second leg of the direct rail. */
async function transfer(submitter: Submitter, payment: PaymentRow, onRefused: OnRefused): Promise<void> {
  const { store, grantId, agent, token, client, onReceipt } = submitter
  const call = Spm.prepareTransfer({ token, to: payment.payee, amount: payment.amount })
  const doing = 'Paying the payee'
  // Simulated at the block that the books have read: an endpoint that lags cannot make this fail wrongly.
  const { headNumber, headHash } = await store.transact(grantId, (tx) => Book.get(tx, grantId))
  const blockNumber = BigInt(headNumber)
  try {
    await simulate(client, { call, from: agent.address, doing, blockNumber })
  } catch (error) {
    if (!isRevert(error)) throw error
    // Nor can a reorganisation, which may have taken the pull back: the books have to read it first.
    if ((await client.getBlock({ blockNumber })).hash !== headHash) return
    const stranded = await Ledger.strand(store, grantId, payment.key, error.message)
    if (!stranded) return
    onReceipt(stranded)
    return onRefused(payment.key, strandedError(payment, agent.address, error.message, error))
  }
  const prepared = await prepare(submitter, call, doing).catch((error: unknown) => {
    if (!isRevert(error)) throw error
  })
  // The chain is ahead of the books: another worker was faster, or the next reading tells that it cannot be paid.
  if (!prepared) return
  const { balance, needed } = await Gas.needs(submitter, prepared)
  if (balance < needed) {
    return onRefused(payment.key, gasLow(agent.address, { balance, needed }, transferGasLow(payment)))
  }
  await signAndSend(submitter, { key: payment.key, kind: 'transfer', call: prepared })
}

function transferGasLow({ amount, key }: PaymentRow): string {
  return `The ${amount} base units of this payment are with the agent already; they go on to the payee as soon as it has ETH. Call spend again with the key ${JSON.stringify(key)} to wait for that.`
}

/** The error for a payment whose money reached the agent but not the payee. */
export function strandedError(
  payment: PaymentRow,
  agent: string,
  reason: string,
  cause?: unknown,
): GrantError {
  return new GrantError(
    'STRANDED',
    `${payment.amount} base units were pulled to the agent ${agent} and did not reach ${payment.payee}: ${reason} They count as spent. Call spend again with the key ${JSON.stringify(payment.key)} to try the payee again.`,
    { figures: { amount: payment.amount, payee: payment.payee, key: payment.key }, retryable: true, cause },
  )
}
