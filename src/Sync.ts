/** Reads the chain for the books. It writes nothing: what it returns goes to `Settlement.advance`. */
import { type Address, BaseError, type Hex, hexToBigInt, type PublicClient, RpcRequestError } from 'viem'
import type * as Book from './Book.js'
import { toChainError } from './ChainError.js'
import * as Facts from './Facts.js'
import * as Float from './Float.js'
import * as FloatRead from './FloatRead.js'
import * as Guard from './GuardRead.js'
import * as Logs from './Logs.js'
import type * as Look from './Look.js'
import * as Omission from './Omission.js'
import * as Settlement from './Settlement.js'
import * as Span from './Span.js'
import * as Spm from './SpmRead.js'
import type { EventRow, GrantRow, PaymentRow } from './Store.js'
import * as Totals from './Totals.js'

/** For `catch`: viem's own errors carry the endpoint's URL, which often holds a key; a ChainError does not. */
export function redact(doing: string): (error: unknown) => never {
  return (error) => {
    throw error instanceof BaseError ? toChainError(error, doing) : error
  }
}

export type { Finality } from './Look.js'

/** What to read, and from where the books go on. */
export type Source = Logs.Subject & {
  /** What is signed, and waited for. */
  readonly awaited: readonly Omission.Awaited[]
  /** Authorizations that are signed. */
  readonly held: readonly Pick<PaymentRow, 'ref' | 'amount' | 'deadline'>[]
  readonly finality: Look.Finality
}

export type ReadOptions = {
  /** One look at the chain; see `Look`. */
  readonly look: Look.Look
  /** What the endpoint gives at once, as known so far. */
  readonly span: Span.Span
  /** The books' provisional facts: their blocks may still stand, and what a reading replaces has to be in it. */
  readonly provisional: () => Promise<readonly EventRow[]>
  /** To read everything anew that is not final: there are doubts. */
  readonly anew?: boolean | undefined
}

/**
 * A reading, undefined where the chain is as the books have it; whether it reached the head, and the number of the
 * endpoint's latest block.
 */
export type Read = {
  readonly reading: Settlement.Reading | undefined
  readonly caughtUp: boolean
  readonly latest: number
}

/**
 * Reads on from the highest block of the books that still stands to the head, or on a long way to an earlier block that
 * is final. What has become final is read once more, because an endpoint may have left out logs while it was new.
 * Returns undefined where the endpoint is behind the books, changed its mind in the middle, or left out logs:
 * the next round will do.
 *
 * @throws GrantError `FINALITY_BROKEN` where the final block of the books is another one on the endpoint's chain.
 */
export async function read(
  client: PublicClient,
  source: Source,
  row: GrantRow,
  options: ReadOptions,
): Promise<Read | undefined> {
  const { look } = options
  const { latest } = look
  const isKnown = Number(look.settled.number) === row.finalNumber
  const anchor = isKnown ? look.settled : await look.block(BigInt(row.finalNumber))
  // A block that it does not know proves nothing: it may be behind. Another block in its place does.
  if (anchor === undefined) return undefined
  Settlement.assertFinal(row, anchor.hash)
  // What is final stays so, also where a sibling has not heard of it yet.
  const settled = look.settled.number < anchor.number ? anchor : look.settled
  const isSame = Number(settled.number) === row.finalNumber
  if (latest.number < row.headNumber || latest.number < settled.number) return undefined
  if (latest.hash === row.headHash && isSame && !Float.unread(row))
    return { reading: undefined, caughtUp: true, latest: Number(latest.number) }

  try {
    return await readOn(client, source, row, { ...options, look: { ...look, settled } })
  } catch (error) {
    // A block that is gone cannot be asked about: that is a reorganisation in the middle, and no failure. There may be
    // none in its place yet. Where nobody answers at all, that is the failure.
    const now = await look.block(latest.number).catch(() => latest)
    if (now?.hash !== latest.hash) return undefined
    throw error
  }
}

async function readOn(
  client: PublicClient,
  source: Source,
  row: GrantRow,
  options: ReadOptions,
): Promise<Read | undefined> {
  const { look, span } = options
  const { latest, settled } = look
  const standing = options.anew === true ? row.finalNumber : await standingOf(look, row, options)
  // Where the last block that was read is final by now, there is nothing between the two ways.
  const isNear = standing > settled.number
  const first = BigInt(row.finalNumber) + 1n
  const ask = (range: Logs.Range) => look.getLogs(source, range)
  const waitMs = client.pollingInterval
  const again = await readLogs({ ask, span, waitMs, look }, { from: first, to: isNear ? settled.number : 0n })
  // A reading must neither end below what was read already, nor leave provisional blocks for another one.
  const isEnough = (block: bigint) => block >= row.headNumber && block <= settled.number
  const range = { from: isNear ? BigInt(standing) + 1n : first, to: latest.number, isEnough }
  const on = await readLogs({ ask, span, waitMs, look }, range)
  const caughtUp = on.to === latest.number
  const end = caughtUp ? latest : await look.block(on.to)
  if (end === undefined) return undefined
  const final = settled.number < on.to ? settled : end
  const { number, hash, time } = blockOf(final)
  const [flags, finalNonce, found] = await Promise.all([
    caughtUp ? readFlags(client, source, end.hash) : flagsOf(row),
    // Asked only where a leg waits for it: an endpoint without an archive may not know the state of an old block.
    source.awaited.length === 0 ? null : finalNonceOf(client, source.agent, final.number),
    Facts.of(client, source, Logs.join(again.logs, on.logs)),
  ])
  if (!found) return undefined
  const isRead = ({ blockNumber }: EventRow) =>
    blockNumber <= on.to && (!isNear || blockNumber <= settled.number || blockNumber > standing)
  const known = (await options.provisional()).filter(isRead)
  const passed = { finalNonce, after: BigInt(row.finalNumber), to: final.number }
  if (await Omission.ofAwaited(client, source, { facts: found.facts, ...passed })) return undefined
  if (await Omission.ofKnown(client, known, found.facts)) return undefined
  const totalsAt = () => Totals.read(client, source, { blockHash: end.hash, time: Number(end.timestamp) })
  const [numbers, totals, float] = caughtUp
    ? await Promise.all([
        readNumbers(client, source, { head: end.hash, time, finalNonce }),
        totalsAt(),
        FloatRead.read(client, source, { blockHash: end.hash, finalTime: time }),
      ])
    : // A page is final at once: where the endpoint still has the state of its end, that is asked.
      [new Map(), await totalsAt().catch(() => undefined), { nonces: new Map() }]
  // What was asked for by numbers is of this chain only if its head still stands. Not remembered: asked now.
  const isByNumber = range.to > range.from || first < settled.number
  if (isByNumber && (await client.getBlock({ blockNumber: on.to })).hash !== end.hash) return undefined
  return {
    caughtUp,
    latest: Number(latest.number),
    reading: {
      ...found,
      ...flags,
      after: row.finalNumber,
      kept: isNear ? { to: standing, headHash: row.headHash } : undefined,
      head: blockOf(end),
      final: { number, hash, time },
      finalNonce,
      numbers,
      ...float,
      totals,
      permissionHash: row.permissionHash,
    },
  }
}

/**
 * The highest block known to the books that the endpoint's chain goes through: their head, if there was no
 * reorganisation, else a block of one of their provisional facts, or their final block.
 */
async function standingOf(look: Look.Look, row: GrantRow, { provisional }: ReadOptions): Promise<number> {
  const { latest } = look
  const isHead = async () => {
    if (latest.number === BigInt(row.headNumber)) return latest.hash === row.headHash
    if (latest.number === BigInt(row.headNumber) + 1n) return latest.parentHash === row.headHash
    return (await look.block(BigInt(row.headNumber)))?.hash === row.headHash
  }
  if (await isHead()) return row.headNumber
  const blocks = await provisional()
  // Where a block stands, all before it do.
  let [standing, from, to] = [row.finalNumber, 0, blocks.length]
  while (from < to) {
    const middle = Math.floor((from + to) / 2)
    const block = blocks[middle]
    if (block && (await look.block(BigInt(block.blockNumber)))?.hash === block.blockHash) {
      standing = block.blockNumber
      from = middle + 1
    } else to = middle
  }
  return standing
}

type Flags = Pick<Settlement.Reading, 'approved' | 'revoked' | 'pausedBy' | 'revokedBy'>

async function readFlags(client: PublicClient, source: Source, blockHash: Hex): Promise<Flags> {
  const current = { permission: source.current, blockHash }
  const [approved, revoked, stoppers] = await Promise.all([
    Spm.isApproved(client, current),
    Spm.isRevoked(client, current),
    Logs.isGuarded(source) ? Guard.stoppers(client, current) : { pausedBy: null, revokedBy: null },
  ])
  return { approved, revoked, ...stoppers }
}

/** As the books have them, on the way to the head: nothing is decided before it is reached. */
function flagsOf({ approved, revoked, pausedBy, revokedBy }: GrantRow): Flags {
  return { approved: approved === 1, revoked: revoked === 1, pausedBy, revokedBy }
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
      (deadline !== null && time >= deadline) || Omission.isPassed(transaction, finalNonce),
  )
  const numbers = overdue.flatMap(({ number }) => number ?? [])
  const answers = numbers.map(async (number): Promise<[Hex, boolean]> => {
    const options = { permission: current, number: hexToBigInt(number), blockHash: head }
    return [number, await Guard.isUsed(client, options)]
  })
  return new Map(await Promise.all(answers))
}

/** The agent's transaction count at a final block; null where the endpoint has forgotten the state of it. */
function finalNonceOf(client: PublicClient, address: Address, blockNumber: bigint): Promise<number | null> {
  return client.getTransactionCount({ address, blockNumber }).catch((error: unknown) => {
    // It answered, and did not say. What waits for it goes on waiting.
    if (error instanceof BaseError && error.walk((e) => e instanceof RpcRequestError)) return null
    throw error
  })
}

function blockOf(block: { number: bigint; hash: Hex; timestamp: bigint }) {
  return { number: Number(block.number), hash: block.hash, time: Number(block.timestamp) }
}

type Asking = {
  readonly ask: (range: Logs.Range) => Promise<Logs.Logs>
  readonly span: Span.Span
  readonly waitMs: number
  /** Where the hash of a single block is known from. */
  readonly look?: Pick<Look.Look, 'latest' | 'settled'>
}

/** The logs of the grant in a range, or from its start to an earlier block that is enough. */
async function readLogs(
  { ask, span, waitMs, look }: Asking,
  { from, to: last, isEnough }: Logs.Range & { readonly isEnough?: (block: bigint) => boolean },
): Promise<{ logs: Logs.Logs; to: bigint }> {
  let logs = Logs.none
  const step = async (from: bigint, to: bigint) => {
    const single = [look?.latest, look?.settled].find((block) => from === to && block?.number === to)
    logs = Logs.join(logs, await ask({ from, to, hash: single?.hash }))
  }
  const to = await Span.walk(span, { from, to: last, step, isEnough, waitMs })
  return { logs, to }
}

/** Every fact of the grant in the blocks after `after`, up to and including `to`, read anew; undefined if partial. */
export async function readFacts(
  client: PublicClient,
  source: Source,
  options: { readonly after: number; readonly to: number },
): Promise<readonly Facts.Fact[] | undefined> {
  const range = { from: BigInt(options.after) + 1n, to: BigInt(options.to) }
  const ask = async (range: Logs.Range) => Logs.of(await Logs.get(client, [source], range), source)
  const { logs } = await readLogs({ ask, span: Span.create(), waitMs: client.pollingInterval }, range)
  return (await Facts.of(client, source, logs))?.facts
}

/**
 * The block from which the books may start: final, and before `since`, from which on something may have been spent.
 * (SpendPermissionManager refuses a spend before the permission's start.) Found by bisection over the timestamps,
 * some 25 requests on a long chain.
 */
export async function startBlock(
  client: PublicClient,
  options: { readonly since: number; readonly finality: Look.Finality },
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
