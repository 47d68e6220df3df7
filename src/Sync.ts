/** Reads the chain for the books. It writes nothing: what it returns goes to `Settlement.advance`. */
import {
  type Address,
  BaseError,
  erc20Abi,
  getAbiItem,
  type Hex,
  HttpRequestError,
  isAddressEqual,
  type PublicClient,
  type TransactionReceipt,
} from 'viem'
import { spendPermissionManagerAbi } from '../abi/index.js'
import { spendPermissionManager } from './Addresses.js'
import type * as Book from './Book.js'
import { toChainError } from './ChainError.js'
import type * as Permission from './Permission.js'
import * as Settlement from './Settlement.js'
import * as Spm from './Spm.js'
import type { GrantRow, TransactionRow } from './Store.js'

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
export type Source = {
  readonly agent: Address
  readonly token: Address
  /** The permission that new payments use. */
  readonly current: Permission.Permission
  readonly pulls: Pulls
  /** The signed transactions whose events the books wait for. */
  readonly awaited: readonly Pick<TransactionRow, 'hash' | 'nonce'>[]
  readonly finality: Finality
}

/**
 * Whose pulls are facts of the grant: all of this token from this account by this spender, whatever their permission.
 * An earlier permission's count, and so do those of another one that somebody had the owner sign.
 */
export type Pulls = {
  readonly account: Address
  readonly spender: Address
  /** For a spender that serves other grants of the account as well: the permissions of this one. */
  readonly hashes?: readonly Hex[]
}

/** A reading, undefined where the chain is as the books have it, and whether it reached the head. */
export type Read = { readonly reading: Settlement.Reading | undefined; readonly caughtUp: boolean }

const usedEvent = getAbiItem({ abi: spendPermissionManagerAbi, name: 'SpendPermissionUsed' })
const transferEvent = getAbiItem({ abi: erc20Abi, name: 'Transfer' })
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
  const [approved, revoked, finalNonce, again] = await Promise.all([
    Spm.isApproved(client, current),
    Spm.isRevoked(client, current),
    // Asked only where a leg waits for it: an endpoint without an archive may not know the state of an old block.
    source.awaited.length === 0
      ? null
      : client.getTransactionCount({ address: source.agent, blockNumber: final.number }),
    client.getBlock({ blockNumber: to }),
  ])
  // The logs and the head are from one chain only if the head still stands after the logs were read.
  if (again.hash !== end.hash) return undefined
  const facts = await toFacts(client, row.grantId, logs)
  if (await isPartial(client, source, { facts, finalNonce })) return undefined
  return {
    caughtUp,
    reading: {
      after: row.finalNumber,
      head: blockOf(end),
      final: blockOf(final),
      facts,
      finalNonce,
      approved,
      revoked,
    },
  }
}

/**
 * Whether logs were left out that the books wait for: behind a load balancer a sibling that is some blocks
 * behind answers with fewer logs, and no error. To believe it would release a payment that was made. Asked
 * only for what would fail otherwise, so hardly ever.
 */
async function isPartial(
  client: PublicClient,
  { awaited }: Source,
  { facts, finalNonce }: Pick<Settlement.Reading, 'facts' | 'finalNonce'>,
): Promise<boolean> {
  const seen = new Set(facts.map(({ txHash }) => txHash))
  for (const { hash, nonce } of awaited) {
    if (finalNonce === null || nonce >= finalNonce || seen.has(hash)) continue
    if ((await receiptOf(client, hash))?.status === 'success') return true
  }
  return false
}

function blockOf(block: { number: bigint; hash: Hex; timestamp: bigint }) {
  return { number: Number(block.number), hash: block.hash, time: Number(block.timestamp) }
}

type Range = { readonly from: bigint; readonly to: bigint }

/** The logs of the grant in a range, or from its start to an earlier block that is enough. */
async function readLogs(
  client: PublicClient,
  source: Source,
  { from, to: last, isEnough }: Range & { readonly isEnough?: (block: bigint) => boolean },
): Promise<{ logs: GrantLog[]; to: bigint }> {
  const logs: GrantLog[] = []
  for (let at = from, blocks = span; at <= last; ) {
    const to = at + blocks - 1n < last ? at + blocks - 1n : last
    try {
      logs.push(...(await getLogs(client, source, { from: at, to })))
    } catch (error) {
      if (to === at || isUnreachable(error)) throw error
      blocks = (to - at + 1n) / 2n
      continue
    }
    if (isEnough?.(to)) return { logs, to }
    at = to + 1n
  }
  return { logs, to: last }
}

/** To ask for less does not help where nobody answers, or nobody wants to. */
function isUnreachable(error: unknown): boolean {
  const cause = error instanceof BaseError ? error.walk((e) => e instanceof HttpRequestError) : undefined
  return cause instanceof HttpRequestError && [undefined, 401, 403, 429].includes(cause.status)
}

async function getLogs(client: PublicClient, source: Source, { from, to }: Range) {
  const range = { fromBlock: from, toBlock: to, strict: true } as const
  const { account, spender, hashes } = source.pulls
  const args = { account, spender, ...(hashes ? { hash: [...hashes] } : {}) }
  const [used, transfers] = await Promise.all([
    client.getLogs({ ...range, address: spendPermissionManager, event: usedEvent, args }),
    client.getLogs({ ...range, address: source.token, event: transferEvent, args: { from: source.agent } }),
  ])
  // The event's token is not indexed.
  return [...used.filter((log) => isAddressEqual(log.args.token, source.token)), ...transfers]
}

type GrantLog = Awaited<ReturnType<typeof getLogs>>[number]

/** The logs as facts, in the order of the chain. */
async function toFacts(
  client: PublicClient,
  grantId: Hex,
  logs: readonly GrantLog[],
): Promise<Settlement.Fact[]> {
  const times = new Map<Hex, Promise<number>>()
  const timeOf = ({ blockHash, blockTimestamp }: GrantLog) => {
    // Newer endpoints say it with the log. Where they do not, each block is asked for once.
    if (blockTimestamp !== undefined) return Number(blockTimestamp)
    const time = times.get(blockHash) ?? client.getBlock({ blockHash }).then((b) => Number(b.timestamp))
    times.set(blockHash, time)
    return time
  }
  const facts = logs.map(async (log): Promise<Settlement.Fact> => {
    const place = {
      grantId,
      blockNumber: Number(log.blockNumber),
      logIndex: log.logIndex,
      blockHash: log.blockHash,
      txHash: log.transactionHash,
      time: await timeOf(log),
    }
    if (log.eventName === 'Transfer') {
      const { to: payee, value: amount } = log.args
      return { ...place, kind: 'transfer', amount, payee, permissionHash: null, periodStart: null }
    }
    const { hash: permissionHash, spender: payee, periodSpend } = log.args
    // `spend` in the event is the increment, not the sum of the period.
    const { start: periodStart, spend: amount } = periodSpend
    return { ...place, kind: 'pull', amount, payee, permissionHash, periodStart }
  })
  // Anybody can make a token emit a transfer of zero from the agent (address poisoning): that is no fact.
  const real = (await Promise.all(facts)).filter((fact) => fact.amount > 0n)
  return real.sort((a, b) => a.blockNumber - b.blockNumber || a.logIndex - b.logIndex)
}

/** Every fact of the grant in the blocks after `after`, up to and including `to`, read anew. */
export async function readFacts(
  client: PublicClient,
  source: Source,
  options: { readonly grantId: Hex; readonly after: number; readonly to: number },
): Promise<Settlement.Fact[]> {
  const range = { from: BigInt(options.after) + 1n, to: BigInt(options.to) }
  const { logs } = await readLogs(client, source, range)
  return toFacts(client, options.grantId, logs)
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
