/**
 * The agent's transactions: prepared, checked for gas, signed and stored in one, then broadcast, and broadcast again
 * until the chain has used their nonce. What they are for is `Submit`'s to say.
 */
import { BaseError, type Hex, keccak256, type LocalAccount, type PublicClient, parseTransaction } from 'viem'
import { ChainError, toChainError } from './ChainError.js'
import { GrantError } from './GrantError.js'
import * as Ledger from './Ledger.js'
import type * as Permission from './Permission.js'
import type { Receipt } from './Receipt.js'
import type { Store, TransactionRow } from './Store.js'
import { type Call, simulate } from './Transaction.js'

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
export const transferGas = 100_000n

/** A call by the agent that is no payment, such as submitting the owner's signature. Returns its hash. */
export async function submitCall(submitter: Submitter, call: Call, doing: string): Promise<Hex> {
  const prepared = await prepare(submitter, call, doing)
  await assertGas(submitter, prepared)
  const hash = await signAndSend(submitter, { key: '', kind: 'call', call: prepared })
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

/** A call that would go through, with its gas and fees in wei. */
export type Prepared = Call & { gas: bigint; maxFeePerGas: bigint; maxPriorityFeePerGas: bigint }

/** @throws ChainError with the decoded revert */
export async function prepare({ client, agent }: Submitter, call: Call, doing: string): Promise<Prepared> {
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
export async function assertGas(submitter: Submitter, prepared: Prepared, further = 0n): Promise<void> {
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
export async function gasFor(submitter: Submitter, { gas, maxFeePerGas }: Prepared, later = 0n) {
  const { client, agent } = submitter
  const [balance, nonce] = await Promise.all([
    client.getBalance({ address: agent.address }),
    client.getTransactionCount({ address: agent.address }),
  ])
  const signed = (await pending(submitter, nonce)).map(({ raw }) => parseTransaction(raw))
  const waiting = signed.reduce((sum, { gas = 0n, maxFeePerGas = 0n }) => sum + gas * maxFeePerGas, 0n)
  return { balance, needed: (gas + later) * maxFeePerGas + waiting }
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
 * Gives a step a nonce, stores its signed bytes, and broadcasts them. Returns the hash, also of what another worker
 * signed; undefined where the step is not due any more.
 */
export async function signAndSend(
  submitter: Submitter,
  step: Pick<TransactionRow, 'key' | 'kind'> & {
    readonly call: Prepared
    readonly deadline?: number | undefined
  },
): Promise<Hex | undefined> {
  const { key, kind, call, deadline } = step
  const { client, store, grantId, agent } = submitter
  const chainId = client.chain?.id ?? (await client.getChainId())
  const chainNonce = await client.getTransactionCount({ address: agent.address })
  const row = await Ledger.sign(store, {
    grantId,
    key,
    kind,
    chainNonce,
    deadline,
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
export function isRevert(error: unknown): error is ChainError {
  return error instanceof ChainError && error.code !== 'RPC_FAILED'
}
