/**
 * Logs that an endpoint left out: behind a load balancer a sibling that is some blocks behind answers with fewer, and no
 * error. To believe it would release, or take back, a payment that was made. Asked only for what would fail otherwise, so
 * hardly ever.
 */
import { type Address, type Hex, isAddressEqual, type PublicClient, type TransactionReceipt } from 'viem'
import type * as Facts from './Facts.js'
import type { EventRow, PaymentRow, TransactionRow } from './Store.js'

/** A leg that is signed, and whose event the books wait for. */
export type Awaited = Pick<PaymentRow, 'number' | 'deadline'> & {
  /** Undefined for a payment through the guard that was seen and taken back, and that other books had signed. */
  readonly transaction: Pick<TransactionRow, 'hash' | 'nonce'> | undefined
}

/** The receipt of a transaction, or undefined where it is not mined. */
export function receiptOf(client: PublicClient, hash: Hex): Promise<TransactionReceipt | undefined> {
  return client.getTransactionReceipt({ hash }).catch((error: unknown) => {
    if (error instanceof Error && error.name === 'TransactionReceiptNotFoundError') return undefined
    throw error
  })
}

/**
 * Whether logs were left out that the books wait for. Through the guard it is the numbers that tell.
 *
 * @param options.finalNonce the agent's transaction count at `to`, null where it is not known
 * @param options.after the final block of the books
 * @param options.to the final block of the reading
 */
export async function ofAwaited(
  client: PublicClient,
  { awaited, agent }: { readonly awaited: readonly Awaited[]; readonly agent: Address },
  options: {
    readonly facts: readonly Facts.Fact[]
    readonly finalNonce: number | null
    readonly after: bigint
    readonly to: bigint
  },
): Promise<boolean> {
  const { facts, finalNonce, after, to } = options
  const seen = new Set(facts.map(({ txHash }) => txHash))
  const passed = awaited.flatMap(({ transaction, number }) =>
    transaction && number === null && isPassed(transaction, finalNonce) ? transaction : [],
  )
  for (const nonce of new Set(passed.map(({ nonce }) => nonce))) {
    // Those that compete for it, of which one is mined.
    const hashes = passed.filter((one) => one.nonce === nonce).map(({ hash }) => hash)
    if (hashes.some((hash) => seen.has(hash))) continue
    const receipts = await Promise.all(hashes.map((hash) => receiptOf(client, hash)))
    if (receipts.some((receipt) => receipt?.status === 'success')) return true
    if (receipts.some((receipt) => receipt !== undefined)) continue
    // No receipt: another one took its place, or the sibling that left out the logs has no receipt either.
    if (!(await isTakenByAnother(client, agent, { nonce, hashes, after, to }))) return true
  }
  return false
}

/** Whether the block that used the agent's nonce, of those after `after` up to `to`, shows a transaction of others for it. */
async function isTakenByAnother(
  client: PublicClient,
  address: Address,
  { nonce, hashes, after, to }: { nonce: number; hashes: readonly Hex[]; after: bigint; to: bigint },
): Promise<boolean> {
  const used = async (blockNumber: bigint) =>
    (await client.getTransactionCount({ address, blockNumber })) > nonce
  // Used before it was signed, as far as the books have read.
  if (await used(after)) return true
  let [low, high] = [after, to]
  while (high - low > 1n) {
    const blockNumber = (low + high) / 2n
    if (await used(blockNumber)) high = blockNumber
    else low = blockNumber
  }
  const { transactions } = await client.getBlock({ blockNumber: high, includeTransactions: true })
  const user = transactions.find((sent) => sent.nonce === nonce && isAddressEqual(sent.from, address))
  return user !== undefined && !hashes.includes(user.hash)
}

/** Whether logs were left out of facts that the books have: a fact goes with its block, and not otherwise. */
export async function ofKnown(
  client: PublicClient,
  known: readonly EventRow[],
  facts: readonly Facts.Fact[],
): Promise<boolean> {
  const idOf = ({ blockHash, logIndex }: Pick<EventRow, 'blockHash' | 'logIndex'>) =>
    `${blockHash}:${logIndex}`
  const read = new Set(facts.map(idOf))
  for (const event of known) {
    if (read.has(idOf(event))) continue
    const receipt = await receiptOf(client, event.txHash)
    const isThere = receipt?.logs.some(({ logIndex }) => logIndex === event.logIndex)
    if (receipt?.blockHash === event.blockHash && isThere) return true
  }
  return false
}

/** Whether the final chain has used the nonce of a transaction. */
export function isPassed(transaction: Awaited['transaction'], finalNonce: number | null): boolean {
  return transaction !== undefined && finalNonce !== null && transaction.nonce < finalNonce
}
