/**
 * The agent's transactions: prepared, signed and stored in one, then broadcast, and broadcast again until the chain has
 * used their nonce; one that is stuck is replaced by the same call at the same nonce, with higher fees. What they are for
 * is `Submit`'s to say.
 */
import { BaseError, type Hex, keccak256, type LocalAccount, type PublicClient, parseTransaction } from 'viem'
import * as Attempt from './Attempt.js'
import * as Book from './Book.js'
import { ChainError, toChainError } from './ChainError.js'
import * as Fee from './Fee.js'
import { GrantError } from './GrantError.js'
import type * as Permission from './Permission.js'
import type { Receipt } from './Receipt.js'
import type { Relay } from './Relay.js'
import type { PaymentRow, Store, TransactionRow } from './Store.js'
import { type Call, simulate } from './Transaction.js'

/** What submitting needs: the chain, the books, and the agent's key. */
export type Submitter = {
  readonly client: PublicClient
  readonly store: Store
  readonly grantId: Hex
  readonly agent: LocalAccount
  readonly token: Permission.Permission['token']
  readonly fees: Fee.Limits
  /** Who sends what the agent signs, in its place. */
  readonly relay: Relay | undefined
  /** What was told, and is not told again while it lasts. */
  readonly told: Set<string>
  /** Told of every receipt that a step leaves. */
  readonly onReceipt: (receipt: Receipt) => void
  /** Told of what stops nothing for good, such as an endpoint that refuses a broadcast. */
  readonly onError: (error: unknown) => void
}

/** A call that would go through, with its gas and fees in wei. */
export type Prepared = Call & Fee.Fees & { readonly gas: bigint }

/** @throws ChainError with the decoded revert */
export async function prepare(submitter: Submitter, call: Call, doing: string): Promise<Prepared> {
  const { client, agent, fees: limits } = submitter
  await simulate(client, { call, from: agent.address, doing })
  const [gas, fees] = await Promise.all([
    client.estimateGas({ ...call, account: agent.address }).catch((error: unknown) => {
      throw toChainError(error, doing)
    }),
    Fee.now(client, limits.maxFeePerGas),
  ])
  // A quarter on top: a period that renews, or another payment before this one, changes what storage costs.
  return { ...call, gas: gas + gas / 4n, ...fees }
}

/** A leg of a payment on the direct rail, or a call that is no payment (key ''). */
type Step = Pick<TransactionRow, 'key' | 'kind'>

/**
 * Gives a step a nonce, stores its signed bytes, and broadcasts them. Returns what is stored, also by another worker;
 * undefined where the step is not due any more.
 */
export async function signAndSend(
  submitter: Submitter,
  { key, kind, call }: Step & { readonly call: Prepared },
): Promise<TransactionRow | undefined> {
  const { store, grantId } = submitter
  const signing = await signer(submitter, call)
  return sent(submitter, await Attempt.sign(store, { grantId, key, kind, ...signing }))
}

/** As `signAndSend`, payments through the guard, in one call that pays them all. */
export async function signAndSendBatch(
  submitter: Submitter,
  batch: { readonly payments: readonly PaymentRow[]; readonly deadline: number; readonly call: Prepared },
): Promise<TransactionRow | undefined> {
  const { store, grantId } = submitter
  const { call, ...terms } = batch
  const signing = await signer(submitter, call)
  return sent(submitter, await Attempt.signBatch(store, { grantId, ...terms, ...signing }))
}

async function signer({ client, agent }: Submitter, { to, data, value, gas, ...fees }: Prepared) {
  const [chainId, chainNonce] = await Promise.all([
    client.chain?.id ?? client.getChainId(),
    client.getTransactionCount({ address: agent.address }),
  ])
  const { maxFeePerGas, maxPriorityFeePerGas } = fees
  const call = { to, data, value, gas, maxFeePerGas, maxPriorityFeePerGas }
  const sign = async (nonce: number) => {
    const raw = await agent.signTransaction({ type: 'eip1559', chainId, nonce, ...call })
    return { raw, hash: keccak256(raw) }
  }
  return { chainNonce, sign }
}

/** Where another worker was faster, and the chain too, there is nothing left to send. */
async function sent(submitter: Submitter, row: TransactionRow | undefined) {
  if (row) await broadcast(submitter, row)
  return row
}

/**
 * Broadcasts again what is signed and not on chain yet: a node may have dropped it, or the process died before. What
 * has been the next one for too many blocks is replaced. Returns the agent's transaction count.
 */
export async function push(submitter: Submitter): Promise<number> {
  const { client, agent, store, grantId, fees } = submitter
  const chainNonce = await client.getTransactionCount({ address: agent.address })
  const rows = await pending(submitter, chainNonce)
  if (rows.length === 0) return chainNonce
  const { headNumber } = await store.transact(grantId, (tx) => Book.get(tx, grantId))
  for (const row of rows) {
    const isStuck = row.nonce === chainNonce && headNumber - row.signedAt >= fees.replaceAfterBlocks
    await broadcast(submitter, (isStuck ? await replace(submitter, row) : undefined) ?? row)
  }
  return chainNonce
}

/** What is stored from a nonce on, in the order of the nonces: of those that compete for one, the last. */
export function pending({ store, grantId }: Submitter, nonce: number): Promise<TransactionRow[]> {
  return store.transact(grantId, async (tx): Promise<TransactionRow[]> => {
    const latest = new Map<number, TransactionRow>()
    for (let offset = 0; ; offset += 100) {
      const page = await tx.list('transactions', { grantId }, { descending: true, limit: 100, offset })
      const wanted = page.filter((row) => row.nonce >= nonce)
      for (const row of wanted) {
        const other = latest.get(row.nonce)
        if (!other || other.signedAt < row.signedAt) latest.set(row.nonce, row)
      }
      if (wanted.length < 100) return [...latest.values()].sort((a, b) => a.nonce - b.nonce)
    }
  })
}

/** The same call at the same nonce with higher fees; undefined where another worker was faster, or it may not be. */
async function replace(submitter: Submitter, row: TransactionRow): Promise<TransactionRow | undefined> {
  const { client, agent, store, grantId, fees, told, onError } = submitter
  const { nonce } = row
  const old = callOf(row)
  const ceiling = fees.maxFeePerGas
  const higher = Fee.raised(old, await Fee.now(client, ceiling), ceiling)
  const once = (key: string, error: GrantError) => {
    if (told.has(key)) return
    told.add(key)
    onError(error)
  }
  if (!higher) {
    once(
      `ceiling ${nonce}`,
      new GrantError(
        'FEE_CEILING',
        `Transaction ${row.hash} with nonce ${nonce} of agent ${agent.address} is not mined at ${old.maxFeePerGas} wei per gas, and maxFeePerGas, ${ceiling}, leaves no room for a higher fee. It stays as it is; raise maxFeePerGas, or wait for lower fees.`,
        { figures: { nonce, hash: row.hash, maxFeePerGas: old.maxFeePerGas, ceiling }, retryable: true },
      ),
    )
    return undefined
  }
  const balance = await client.getBalance({ address: agent.address })
  const needed = old.gas * higher.maxFeePerGas
  if (balance < needed) {
    once(
      `gas ${nonce}`,
      gasLow(agent.address, { balance, needed }, `Nonce ${nonce} keeps its fee until then.`),
    )
    return undefined
  }
  const { sign } = await signer(submitter, { ...old, ...higher })
  return Attempt.replaceTransaction(store, { grantId, old: row, ...(await sign(nonce)) })
}

/** What a stored transaction does and offers, without its signature. */
export function callOf({ raw }: TransactionRow): Prepared {
  const { to, data = '0x', value = 0n, gas, maxFeePerGas, maxPriorityFeePerGas } = parseTransaction(raw)
  if (!to || gas === undefined || maxFeePerGas === undefined)
    throw new Error('What the agent signs has a target, gas and fees.')
  return { to, data, value, gas, maxFeePerGas, maxPriorityFeePerGas: maxPriorityFeePerGas ?? 0n }
}

/** The error for an agent without the ETH that its transactions may need, in wei. */
export function gasLow(
  agent: string,
  figures: { balance: bigint; needed: bigint },
  state: string,
): GrantError {
  const { balance, needed } = figures
  return new GrantError(
    'GAS_LOW',
    `Agent ${agent} has ${balance} wei, and its transactions may need ${needed}. Send it some ETH. ${state}`,
    { figures, retryable: true },
  )
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

/** Gives a call to the relay. What becomes of it is for the chain to say; nobody waits for a relay that hangs. */
export function give({ relay, onError }: Submitter, call: Call): void {
  if (!relay) throw new Error('There is no relay.')
  const said = (error: unknown) =>
    new GrantError(
      'RELAY_FAILED',
      `The relay did not take a call (${saidBy(error)}). It is given it again, until the chain shows it or its deadline has passed.`,
      { figures: { to: call.to }, retryable: true },
    )
  Promise.resolve()
    .then(() => relay(call))
    .catch((error: unknown) => onError(said(error)))
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
export function isRevert(error: unknown): error is ChainError {
  return error instanceof ChainError && error.code !== 'RPC_FAILED'
}
