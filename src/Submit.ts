/**
 * The ledger's forward half on the direct rail: takes the next step of each open payment. It meets the
 * backward half (sync) only in the books, so any worker may go on where another one died.
 */
import { type Hex, keccak256, type LocalAccount, type PublicClient } from 'viem'
import * as Book from './Book.js'
import { ChainError, toChainError } from './ChainError.js'
import { GrantError } from './GrantError.js'
import * as Ledger from './Ledger.js'
import * as Payment from './Payment.js'
import * as Permission from './Permission.js'
import * as Spm from './Spm.js'
import type { PaymentRow, Store, TransactionRow } from './Store.js'
import { simulate } from './Transaction.js'

/** What submitting needs: the chain, the books, and the agent's key. */
export type Submitter = {
  readonly client: PublicClient
  readonly store: Store
  readonly grantId: Hex
  readonly agent: LocalAccount
  readonly token: Permission.Permission['token']
}

/** Gas that the second leg of a payment may need; the first is estimated. A token transfer uses about 45,000. */
const transferGas = 100_000n

/**
 * Takes the next step of a payment, if one is due: signs and broadcasts its pull, or its transfer once the
 * pull was seen.
 *
 * @throws GrantError `CHAIN_REFUSED` or `GAS_LOW` where the pull cannot succeed. Nothing was signed then, and
 * the reservation is released. `STRANDED` where the transfer cannot succeed.
 */
export async function step(submitter: Submitter, payment: PaymentRow): Promise<void> {
  if (payment.pull === 'none') return pull(submitter, payment)
  if (Payment.isTransferDue(payment)) return transfer(submitter, payment)
}

async function pull(submitter: Submitter, payment: PaymentRow): Promise<void> {
  const { store, grantId, agent } = submitter
  const permission = await store.transact(grantId, async (tx) => {
    const row = await tx.get('permissions', { grantId, hash: payment.permissionHash })
    if (!row) throw new Error(`Permission ${payment.permissionHash} is not in the books.`)
    return Permission.parse(row.permission)
  })
  const call = Spm.prepareSpend({ permission, amount: payment.amount })
  try {
    const prepared = await prepare(submitter, call, 'Pulling the payment from the account')
    await assertGas(submitter, prepared.gas + transferGas, prepared.maxFeePerGas)
    await signAndSend(submitter, { key: payment.key, kind: 'pull', ...prepared })
  } catch (error) {
    if (!(error instanceof GrantError) && !isRevert(error)) throw error
    const reason = error.message
    await Ledger.release(store, grantId, payment.key, reason)
    if (error instanceof GrantError) throw error
    throw new GrantError(
      'CHAIN_REFUSED',
      `The chain would refuse to pull ${payment.amount} base units from ${permission.account} to ${agent.address}: ${reason} Nothing was signed; the reservation is released.`,
      { figures: { ...error.figures, amount: payment.amount }, retryable: error.retryable, cause: error },
    )
  }
}

async function transfer(submitter: Submitter, payment: PaymentRow): Promise<void> {
  const { store, grantId, agent, token, client } = submitter
  const call = Spm.prepareTransfer({ token, to: payment.payee, amount: payment.amount })
  const doing = 'Paying the payee'
  // Simulated at the block that the books have read: an endpoint that lags cannot make this fail wrongly.
  const blockNumber = await store.transact(grantId, async (tx) =>
    BigInt((await Book.get(tx, grantId)).headNumber),
  )
  try {
    await simulate(client, { call, from: agent.address, doing, blockNumber })
  } catch (error) {
    if (!isRevert(error)) throw error
    await Ledger.strand(store, grantId, payment.key, error.message)
    throw strandedError(payment, agent.address, error.message, error)
  }
  const prepared = await prepare(submitter, call, doing)
  await signAndSend(submitter, { key: payment.key, kind: 'transfer', ...prepared })
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

/** A call by the agent that is no payment, such as submitting the owner's signature. Returns its hash. */
export async function submitCall(submitter: Submitter, call: Spm.Call, doing: string): Promise<Hex> {
  const prepared = await prepare(submitter, call, doing)
  await assertGas(submitter, prepared.gas, prepared.maxFeePerGas)
  const hash = await signAndSend(submitter, { key: '', kind: 'call', ...prepared })
  if (!hash) throw new Error(`${doing}: a call always gets a nonce.`)
  return hash
}

/** Broadcasts again what is signed and not on chain yet: a node may have dropped it, or the process died before. */
export async function rebroadcast(submitter: Submitter): Promise<void> {
  const { client, store, grantId, agent } = submitter
  const chainNonce = await client.getTransactionCount({ address: agent.address })
  const rows = await store.transact(grantId, async (tx): Promise<TransactionRow[]> => {
    const pending: TransactionRow[] = []
    for (let offset = 0; ; offset += 100) {
      const page = await tx.list('transactions', { grantId }, { descending: true, limit: 100, offset })
      const wanted = page.filter((row) => row.nonce >= chainNonce)
      pending.unshift(...wanted.reverse())
      if (wanted.length < 100) return pending
    }
  })
  for (const row of rows) await broadcast(client, row.raw)
}

type Prepared = Spm.Call & { gas: bigint; maxFeePerGas: bigint; maxPriorityFeePerGas: bigint }

async function prepare({ client, agent }: Submitter, call: Spm.Call, doing: string): Promise<Prepared> {
  await simulate(client, { call, from: agent.address, doing })
  const [gas, fees] = await Promise.all([
    client.estimateGas({ ...call, account: agent.address }).catch((error: unknown) => {
      throw toChainError(error, doing)
    }),
    client.estimateFeesPerGas(),
  ])
  // A quarter on top: a period that renews, or another payment before this one, changes what storage costs.
  return { ...call, gas: gas + gas / 4n, ...fees }
}

async function assertGas({ client, agent }: Submitter, gas: bigint, maxFeePerGas: bigint): Promise<void> {
  const balance = await client.getBalance({ address: agent.address })
  const needed = gas * maxFeePerGas
  if (balance >= needed) return
  throw new GrantError(
    'GAS_LOW',
    `Agent ${agent.address} has ${balance} wei and the transactions of this payment may need ${needed}. Send it some ETH; nothing was signed.`,
    { figures: { balance, needed }, retryable: true },
  )
}

async function signAndSend(
  { client, store, grantId, agent }: Submitter,
  { key, kind, ...call }: Prepared & Pick<TransactionRow, 'key' | 'kind'>,
): Promise<Hex | undefined> {
  const chainId = client.chain?.id ?? (await client.getChainId())
  const chainNonce = await client.getTransactionCount({ address: agent.address })
  const row = await Ledger.sign(store, {
    grantId,
    key,
    kind,
    chainNonce,
    sign: async (nonce) => {
      const raw = await agent.signTransaction({ type: 'eip1559', chainId, nonce, ...call })
      return { raw, hash: keccak256(raw) }
    },
  })
  // Another worker was faster, and the chain too: there is nothing left to send.
  if (!row) return undefined
  await broadcast(client, row.raw)
  return row.hash
}

/**
 * Whatever the endpoint answers, the bytes are stored: they are sent again until the chain has used their
 * nonce, and only the chain's events say what became of them.
 */
async function broadcast(client: PublicClient, raw: Hex): Promise<void> {
  await client.sendRawTransaction({ serializedTransaction: raw }).catch(() => {})
}

/** The chain itself said no, as opposed to an endpoint that did not answer. */
function isRevert(error: unknown): error is ChainError {
  return error instanceof ChainError && error.code !== 'RPC_FAILED'
}
