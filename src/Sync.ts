/** Reads the chain for the books. It writes nothing: what it returns goes to `Settlement.advance`. */
import { BaseError, type Hex, hexToBigInt, type PublicClient, type TransactionReceipt } from 'viem'
import type * as Book from './Book.js'
import { toChainError } from './ChainError.js'
import * as Facts from './Facts.js'
import * as Guard from './GuardRead.js'
import * as Settlement from './Settlement.js'
import * as Spm from './SpmRead.js'
import type { GrantRow, PaymentRow, TransactionRow } from './Store.js'

/** For `catch`: viem's own errors carry the endpoint's URL, which often holds a key; a ChainError does not. */
export function redact(doing: string): (error: unknown) => never {
  return (error) => {
    throw error instanceof BaseError ? toChainError(error, doing) : error
  }
}

/** The receipt of a transaction, or undefined where it is not mined. */
export function receiptOf(client: PublicClient, hash: Hex): Promise<TransactionReceipt | undefined> {
  return client.getTransactionReceipt({ hash }).catch((error: unknown) => {
    if (error instanceof Error && error.name === 'TransactionReceiptNotFoundError') return undefined
    throw error
  })
}

/** Which blocks count as final: `finalized` (no reorganisation short of one of Ethereum), or `safe`. */
export type Finality = 'finalized' | 'safe'

/** What to read, and from where the books go on. */
export type Source = Facts.Subject & {
  /** What is signed, and waited for. */
  readonly awaited: readonly Awaited[]
  readonly finality: Finality
}

/** A leg that is signed, and whose event the books wait for. */
export type Awaited = Pick<PaymentRow, 'number' | 'deadline'> & {
  /** Undefined for a payment through the guard that was seen and taken back, and that other books had signed. */
  readonly transaction: Pick<TransactionRow, 'hash' | 'nonce'> | undefined
}

/** A reading, undefined where the chain is as the books have it, and whether it reached the head. */
export type Read = { readonly reading: Settlement.Reading | undefined; readonly caughtUp: boolean }

/** Blocks to ask for at once; halved as often as the endpoint refuses. */
const span = 10_000n

/**
 * Reads on from the final block of the books, to the head, or on a long way to an earlier block that is final.
 * Returns undefined where the endpoint is behind the books, changed its mind in the middle, or left out logs:
 * the next round will do.
 *
 * @throws GrantError `FINALITY_BROKEN` where the final block of the books is another one on the endpoint's chain.
 */
export async function read(client: PublicClient, source: Source, row: GrantRow): Promise<Read | undefined> {
  const [latest, settled, anchor] = await Promise.all([
    client.getBlock({ blockTag: 'latest' }),
    client.getBlock({ blockTag: source.finality }),
    client.getBlock({ blockNumber: BigInt(row.finalNumber) }).catch((error: unknown) => {
      if (error instanceof Error && error.name === 'BlockNotFoundError') return undefined
      throw error
    }),
  ])
  // A block that it does not know proves nothing: it may be behind. Another block in its place does.
  if (anchor === undefined) return undefined
  Settlement.assertFinal(row, anchor.hash)
  if (latest.number < row.headNumber || settled.number < row.finalNumber) return undefined
  if (latest.hash === row.headHash && Number(settled.number) === row.finalNumber)
    return { reading: undefined, caughtUp: true }

  const from = BigInt(row.finalNumber) + 1n
  // A reading must neither end below what was read already, nor leave provisional blocks for another one.
  const isEnough = (block: bigint) => block >= row.headNumber && block <= settled.number
  const { logs, to } = await readLogs(client, source, { from, to: latest.number, isEnough })
  const caughtUp = to === latest.number
  const end = caughtUp ? latest : await client.getBlock({ blockNumber: to })
  const final = settled.number < to ? settled : end
  const current = { permission: source.current, blockNumber: latest.number }
  const [approved, revoked, stoppers, finalNonce, found] = await Promise.all([
    Spm.isApproved(client, current),
    Spm.isRevoked(client, current),
    Facts.isGuarded(source) ? Guard.stoppers(client, current) : { pausedBy: null, revokedBy: null },
    // Asked only where a leg waits for it: an endpoint without an archive may not know the state of an old block.
    source.awaited.length === 0
      ? null
      : client.getTransactionCount({ address: source.agent, blockNumber: final.number }),
    Facts.of(client, source, logs),
  ])
  if (!found || (await isPartial(client, source, { facts: found.facts, finalNonce }))) return undefined
  const { number, hash, time } = blockOf(final)
  const numbers = caughtUp
    ? await readNumbers(client, source, { head: end.hash, time, finalNonce })
    : new Map()
  // All of it is from one chain only if the head still stands after it was read.
  if ((await client.getBlock({ blockNumber: to })).hash !== end.hash) return undefined
  return {
    caughtUp,
    reading: {
      ...found,
      ...stoppers,
      after: row.finalNumber,
      head: blockOf(end),
      final: { number, hash, time },
      finalNonce,
      numbers,
      permissionHash: row.permissionHash,
      approved,
      revoked,
    },
  }
}

/**
 * Of the payments through the guard that may never come any more, whether their numbers are used. Asked at the head
 * and not at the final block, whose state an endpoint without an archive may have forgotten: what is unused later is
 * unused before, and past its deadline, or without its nonce, it stays unused.
 */
async function readNumbers(
  client: PublicClient,
  { awaited, current }: Source,
  { head, time, finalNonce }: { head: Hex; time: number; finalNonce: number | null },
): Promise<ReadonlyMap<Hex, boolean>> {
  const overdue = awaited.filter(
    ({ deadline, transaction }) =>
      (deadline !== null && time >= deadline) || isPassed(transaction, finalNonce),
  )
  const numbers = overdue.flatMap(({ number }) => number ?? [])
  const answers = numbers.map(async (number): Promise<[Hex, boolean]> => {
    const options = { permission: current, number: hexToBigInt(number), blockHash: head }
    return [number, await Guard.isUsed(client, options)]
  })
  return new Map(await Promise.all(answers))
}

/**
 * Whether logs were left out that the books wait for: behind a load balancer a sibling that is some blocks
 * behind answers with fewer logs, and no error. To believe it would release a payment that was made. Asked
 * only for what would fail otherwise, so hardly ever. Through the guard it is the numbers that tell.
 */
async function isPartial(
  client: PublicClient,
  { awaited }: Source,
  { facts, finalNonce }: Pick<Settlement.Reading, 'facts' | 'finalNonce'>,
): Promise<boolean> {
  const seen = new Set(facts.map(({ txHash }) => txHash))
  for (const { transaction, number } of awaited) {
    if (!transaction || number !== null || !isPassed(transaction, finalNonce)) continue
    const { hash } = transaction
    if (!seen.has(hash) && (await receiptOf(client, hash))?.status === 'success') return true
  }
  return false
}

/** Whether the final chain has used the nonce of a transaction. */
function isPassed(transaction: Awaited['transaction'], finalNonce: number | null): boolean {
  return transaction !== undefined && finalNonce !== null && transaction.nonce < finalNonce
}

function blockOf(block: { number: bigint; hash: Hex; timestamp: bigint }) {
  return { number: Number(block.number), hash: block.hash, time: Number(block.timestamp) }
}

/** The logs of the grant in a range, or from its start to an earlier block that is enough. */
async function readLogs(
  client: PublicClient,
  source: Source,
  { from, to: last, isEnough }: Facts.Range & { readonly isEnough?: (block: bigint) => boolean },
): Promise<{ logs: Facts.Logs; to: bigint }> {
  const logs: Facts.Logs = { used: [], transfers: [], paid: [] }
  for (let at = from, blocks = span; at <= last; ) {
    const to = at + blocks - 1n < last ? at + blocks - 1n : last
    try {
      const more = await Facts.getLogs(client, source, { from: at, to })
      logs.used.push(...more.used)
      logs.transfers.push(...more.transfers)
      logs.paid.push(...more.paid)
    } catch (error) {
      if (to === at || Facts.isUnreachable(error)) throw error
      blocks = (to - at + 1n) / 2n
      continue
    }
    if (isEnough?.(to)) return { logs, to }
    at = to + 1n
  }
  return { logs, to: last }
}

/** Every fact of the grant in the blocks after `after`, up to and including `to`, read anew; undefined if partial. */
export async function readFacts(
  client: PublicClient,
  source: Source,
  options: { readonly after: number; readonly to: number },
): Promise<readonly Facts.Fact[] | undefined> {
  const range = { from: BigInt(options.after) + 1n, to: BigInt(options.to) }
  const { logs } = await readLogs(client, source, range)
  return (await Facts.of(client, source, logs))?.facts
}

/**
 * The block from which the books may start: final, and before `since`, from which on something may have been spent.
 * (SpendPermissionManager refuses a spend before the permission's start.) Found by bisection over the timestamps,
 * some 25 requests on a long chain.
 */
export async function startBlock(
  client: PublicClient,
  options: { readonly since: number; readonly finality: Finality },
): Promise<Book.BlockId> {
  const { since: start } = options
  let high = await client.getBlock({ blockTag: options.finality })
  if (Number(high.timestamp) < start) return blockOf(high)
  let low = await client.getBlock({ blockNumber: 0n })
  while (high.number - low.number > 1n) {
    const middle = await client.getBlock({ blockNumber: (low.number + high.number) / 2n })
    if (Number(middle.timestamp) < start) low = middle
    else high = middle
  }
  return blockOf(low)
}
