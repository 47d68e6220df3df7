/**
 * The ledger's forward half on the direct rail: takes the next step of each open payment. It meets the
 * backward half (sync) only in the books, so any worker may go on where another one died.
 */
import { BaseError, type Hex, keccak256, type LocalAccount, type PublicClient, parseTransaction } from 'viem'
import * as Book from './Book.js'
import { ChainError, toChainError } from './ChainError.js'
import { GrantError } from './GrantError.js'
import * as Ledger from './Ledger.js'
import * as Payment from './Payment.js'
import * as Permission from './Permission.js'
import type { Receipt } from './Receipt.js'
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
  /** Told of every receipt that a step leaves. */
  readonly onReceipt: (receipt: Receipt) => void
  /** Told of what stops nothing for good, such as an endpoint that refuses a broadcast. */
  readonly onError: (error: unknown) => void
}

/** Gas that the second leg of a payment may need; the first is estimated. A token transfer uses about 45,000. */
const transferGas = 100_000n

/**
 * Takes the next step of a payment, if one is due: signs and broadcasts its pull, or its transfer once the
 * pull was seen. While the books are paused no payment begins; one that has begun goes on.
 *
 * @throws GrantError `CHAIN_REFUSED` or `GAS_LOW` where the pull cannot succeed. Nothing was signed then, and
 * the reservation is released. `STRANDED` where the transfer cannot succeed, `GAS_LOW` where it cannot yet.
 */
export async function step(submitter: Submitter, payment: PaymentRow): Promise<void> {
  if (payment.pull === 'none') return pull(submitter, payment)
  if (Payment.isTransferDue(payment)) return transfer(submitter, payment)
}

async function pull(submitter: Submitter, payment: PaymentRow): Promise<void> {
  const { store, grantId, agent, onReceipt } = submitter
  const permission = await store.transact(grantId, async (tx) => {
    if ((await Book.get(tx, grantId)).paused === 1) return undefined
    const row = await tx.get('permissions', { grantId, hash: payment.permissionHash })
    if (!row) throw new Error(`Permission ${payment.permissionHash} is not in the books.`)
    return Permission.parse(row.permission)
  })
  if (!permission) return
  const call = Spm.prepareSpend({ permission, amount: payment.amount })
  try {
    const prepared = await prepare(submitter, call, 'Pulling the payment from the account')
    await assertGas(submitter, prepared, transferGas)
    await signAndSend(submitter, { key: payment.key, kind: 'pull', ...prepared })
  } catch (error) {
    if (!(error instanceof GrantError) && !isRevert(error)) throw error
    const released = await Ledger.release(store, grantId, payment.key, error.message)
    // Another worker signed it meanwhile, which may be why the chain would refuse it now.
    if (!released) return
    onReceipt(released)
    if (error instanceof GrantError) throw error
    throw new GrantError(
      'CHAIN_REFUSED',
      `The chain would refuse to pull ${payment.amount} base units from ${permission.account} to ${agent.address}: ${error.message} Nothing was signed; the reservation is released.`,
      { figures: { ...error.figures, amount: payment.amount }, retryable: error.retryable, cause: error },
    )
  }
}

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
  const prepared = await prepare(submitter, call, doing)
  const { balance, needed } = await gasFor(submitter, prepared)
  if (balance < needed) throw gasLow(agent.address, { balance, needed }, transferGasLow(payment))
  await signAndSend(submitter, { key: payment.key, kind: 'transfer', ...prepared })
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

/** A call by the agent that is no payment, such as submitting the owner's signature. Returns its hash. */
export async function submitCall(submitter: Submitter, call: Spm.Call, doing: string): Promise<Hex> {
  const prepared = await prepare(submitter, call, doing)
  await assertGas(submitter, prepared)
  const hash = await signAndSend(submitter, { key: '', kind: 'call', ...prepared })
  if (!hash) throw new Error(`${doing}: a call always gets a nonce.`)
  return hash
}

/** Broadcasts again what is signed and not on chain yet: a node may have dropped it, or the process died before. */
export async function rebroadcast(submitter: Submitter): Promise<void> {
  const { client, agent } = submitter
  const chainNonce = await client.getTransactionCount({ address: agent.address })
  for (const row of await pending(submitter, chainNonce)) await broadcast(submitter, row)
}

/** What is stored from a nonce on, in the order of the nonces. */
function pending({ store, grantId }: Submitter, nonce: number): Promise<TransactionRow[]> {
  return store.transact(grantId, async (tx): Promise<TransactionRow[]> => {
    const rows: TransactionRow[] = []
    for (let offset = 0; ; offset += 100) {
      const page = await tx.list('transactions', { grantId }, { descending: true, limit: 100, offset })
      const wanted = page.filter((row) => row.nonce >= nonce)
      rows.unshift(...wanted.reverse())
      if (wanted.length < 100) return rows
    }
  })
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

/**
 * Before a payment begins: the agent can pay for it, and for everything that it began before.
 * @throws GrantError `GAS_LOW`
 */
async function assertGas(submitter: Submitter, prepared: Prepared, further = 0n): Promise<void> {
  const { store, grantId, agent } = submitter
  const open = await store.transact(grantId, (tx) => tx.list('payments', { grantId, open: 1 }))
  const begun = open.filter(
    ({ pull, transfer }) => transfer === 'none' && (pull === 'signed' || pull === 'seen'),
  )
  const later = further + BigInt(begun.length) * transferGas
  const { balance, needed } = await gasFor(submitter, prepared, later)
  if (balance < needed) throw gasLow(agent.address, { balance, needed }, 'Nothing was signed.')
}

/** The agent's wei, and what it may need at most: for this, for what is signed and not mined, and for `later` gas. */
async function gasFor(submitter: Submitter, { gas, maxFeePerGas }: Prepared, later = 0n) {
  const { client, agent } = submitter
  const [balance, nonce] = await Promise.all([
    client.getBalance({ address: agent.address }),
    client.getTransactionCount({ address: agent.address }),
  ])
  const signed = (await pending(submitter, nonce)).map(({ raw }) => parseTransaction(raw))
  const waiting = signed.reduce((sum, { gas = 0n, maxFeePerGas = 0n }) => sum + gas * maxFeePerGas, 0n)
  return { balance, needed: (gas + later) * maxFeePerGas + waiting }
}

function gasLow(agent: string, figures: { balance: bigint; needed: bigint }, state: string): GrantError {
  const { balance, needed } = figures
  return new GrantError(
    'GAS_LOW',
    `Agent ${agent} has ${balance} wei, and its transactions may need ${needed}. Send it some ETH. ${state}`,
    { figures, retryable: true },
  )
}

async function signAndSend(
  submitter: Submitter,
  { key, kind, ...call }: Prepared & Pick<TransactionRow, 'key' | 'kind'>,
): Promise<Hex | undefined> {
  const { client, store, grantId, agent } = submitter
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
  await broadcast(submitter, row)
  return row.hash
}

/**
 * Whatever the endpoint answers, the bytes are stored: they are sent again until the chain has used their
 * nonce, and only the chain's events say what became of them. What it refuses for is told: it may stand in the way
 * of everything after it.
 */
async function broadcast(
  { client, onError }: Submitter,
  { raw, hash, nonce }: TransactionRow,
): Promise<void> {
  await client.sendRawTransaction({ serializedTransaction: raw }).catch((error: unknown) => {
    const said = saidBy(error)
    if (isUnderWay.test(said)) return
    onError(
      new ChainError(
        'NOT_BROADCAST',
        `The endpoint did not take transaction ${hash} with nonce ${nonce} of the agent (${said}). It is stored and sent again; until it is mined nothing after it is.`,
        { figures: { hash, nonce, reason: said }, retryable: true },
      ),
    )
  })
}

/** What nodes say of a transaction that they have, or that is mined. */
const isUnderWay =
  /already known|known transaction|already imported|already exists|already in mempool|nonce too low/i

/** The endpoint's own words, without those of viem, which hold its URL. */
function saidBy(error: unknown): string {
  if (!(error instanceof BaseError)) return error instanceof Error ? error.name : 'no answer'
  const innermost = error.walk()
  const details = error.details || (innermost instanceof Error ? innermost.message : '')
  return withoutUrls(details || error.shortMessage)
}

function withoutUrls(text: string): string {
  return text.replaceAll(/\w+:\/\/\S+/g, 'a URL').slice(0, 300)
}

/** The chain itself said no, as opposed to an endpoint that did not answer. */
function isRevert(error: unknown): error is ChainError {
  return error instanceof ChainError && error.code !== 'RPC_FAILED'
}
