/**
 * The ledger's forward half: takes the next step of each open payment. It meets the backward half (sync) only in the
 * books, so any worker may go on where another one died.
 */
import { type Hex, hexToBigInt } from 'viem'
import * as Book from './Book.js'
import type { ChainError } from './ChainError.js'
import { InputError } from './errors.js'
import * as Grant from './Grant.js'
import { GrantError } from './GrantError.js'
import * as GuardCall from './GuardCall.js'
import * as GuardNumber from './GuardNumber.js'
import * as Ledger from './Ledger.js'
import {
  assertGas,
  gasFor,
  gasLow,
  isRevert,
  prepare,
  type Submitter,
  signAndSend,
  transferGas,
} from './Outbox.js'
import * as Payment from './Payment.js'
import * as Permission from './Permission.js'
import * as Spm from './SpmCall.js'
import type { GrantRow, PaymentRow } from './Store.js'
import * as Ticket from './Ticket.js'
import { type Call, simulate } from './Transaction.js'

/**
 * Takes the next step of a payment, if one is due: signs and broadcasts the payment through the guard, or on the
 * direct rail its pull, or its transfer once the pull was seen. While the books are paused no payment begins; one that
 * has begun goes on.
 *
 * @throws GrantError `CHAIN_REFUSED` or `GAS_LOW` where the first step cannot succeed. Nothing was signed then, and
 * the reservation is released. `STRANDED` where the transfer cannot succeed, `GAS_LOW` where it cannot yet.
 */
export async function step(submitter: Submitter, payment: PaymentRow): Promise<void> {
  if (payment.pull === 'none') return begin(submitter, payment)
  if (Payment.isTransferDue(payment)) return transfer(submitter, payment)
}

/** The first transaction of a payment. */
type First = {
  readonly kind: 'pull' | 'payment'
  readonly call: Call
  /** Of a payment through the guard. */
  readonly deadline?: number
  /** Gas that it may need afterwards. */
  readonly further: bigint
}

async function begin(submitter: Submitter, payment: PaymentRow): Promise<void> {
  const { store, grantId, onReceipt } = submitter
  const { key, amount, payee } = payment
  const books = await store.transact(grantId, async (tx) => {
    const row = await Book.get(tx, grantId)
    const stored = await tx.get('permissions', { grantId, hash: payment.permissionHash })
    if (!stored) throw new Error(`Permission ${payment.permissionHash} is not in the books.`)
    return { row, permission: Permission.parse(stored.permission) }
  })
  const { row, permission } = books
  if (row.paused === 1) return
  try {
    const { kind, call, deadline, further } =
      payment.number === null ? pull(permission, payment) : guarded(books, payment, payment.number)
    const prepared = await prepare(submitter, call, `Paying ${amount} base units to ${payee}`)
    await assertGas(submitter, prepared, further)
    await signAndSend(submitter, { key, kind, call: prepared, deadline })
  } catch (error) {
    // An input error: a payee that a permission which took the place of another one does not list any more.
    const isFinal = error instanceof GrantError || error instanceof InputError || isRevert(error)
    if (!isFinal) throw error
    const released = await Ledger.release(store, grantId, key, error.message)
    // Another worker signed it meanwhile, which may be why the chain would refuse it now.
    if (!released) return
    onReceipt(released)
    throw error instanceof GrantError ? error : refused(payment, permission, error)
  }
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

/** The first leg of the direct rail. */
function pull(permission: Permission.Permission, { amount }: PaymentRow): First {
  return { kind: 'pull', call: Spm.prepareSpend({ permission, amount }), further: transferGas }
}

/** All of a payment through the guard. */
function guarded(
  { row, permission }: { row: GrantRow; permission: Permission.Permission },
  payment: PaymentRow,
  number: Hex,
): First {
  const { ref, payee, amount, task, ticket } = payment
  // By the later of both clocks: a chain that stood still goes on at the time of this machine.
  const deadline = Math.max(row.headTime, Math.floor(Date.now() / 1000)) + Payment.lifetime
  const batch = GuardCall.batch(Grant.parse(row.grant), {
    payments: [{ number: hexToBigInt(number), ref, payee, amount }],
    deadline,
    task: task === null ? undefined : GuardNumber.task(task),
    ticket: ticket === null ? undefined : Ticket.parse(ticket),
  })
  return { kind: 'payment', call: GuardCall.preparePay({ permission, batch }), deadline, further: 0n }
}

/** The second leg of the direct rail. */
async function transfer(submitter: Submitter, payment: PaymentRow): Promise<void> {
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
    throw strandedError(payment, agent.address, error.message, error)
  }
  const prepared = await prepare(submitter, call, doing).catch((error: unknown) => {
    if (!isRevert(error)) throw error
  })
  // The chain is ahead of the books: another worker was faster, or the next reading tells that it cannot be paid.
  if (!prepared) return
  const { balance, needed } = await gasFor(submitter, prepared)
  if (balance < needed) throw gasLow(agent.address, { balance, needed }, transferGasLow(payment))
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
