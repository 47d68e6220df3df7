/** Reads the chain for the books. It writes nothing: what it returns goes to `Settlement.advance`. */
import { type Address, erc20Abi, getAbiItem, type Hex, type PublicClient } from 'viem'
import { spendPermissionManagerAbi } from '../abi/index.js'
import { spendPermissionManager } from './Addresses.js'
import * as Permission from './Permission.js'
import * as Settlement from './Settlement.js'
import * as Spm from './Spm.js'
import type { GrantRow } from './Store.js'

/** Which blocks count as final: `finalized` (no reorganisation short of one of Ethereum), or `safe`. */
export type Finality = 'finalized' | 'safe'

/** What to read, and from where the books go on. */
export type Source = {
  readonly agent: Address
  readonly token: Address
  /** The permission that new payments use. */
  readonly current: Permission.Permission
  /** Every permission that ever belonged to the grant, the current one included. */
  readonly permissions: readonly Permission.Permission[]
  readonly finality: Finality
}

/** A reading, and whether it reached the head. */
export type Read = { readonly reading: Settlement.Reading; readonly caughtUp: boolean }

const usedEvent = getAbiItem({ abi: spendPermissionManagerAbi, name: 'SpendPermissionUsed' })
const transferEvent = getAbiItem({ abi: erc20Abi, name: 'Transfer' })
/** Blocks to ask for at once; halved as often as the endpoint refuses. */
const span = 10_000n

/**
 * Reads on from the final block of the books. Returns undefined where the endpoint is behind the books or
 * changed its mind in the middle: the next round will do.
 *
 * @throws GrantError `FINALITY_BROKEN` where the final block of the books is not on the endpoint's chain.
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
  if (latest.number < row.headNumber || settled.number < row.finalNumber) return undefined
  Settlement.assertFinal(row, anchor?.hash)

  const from = BigInt(row.finalNumber) + 1n
  const { logs, to } = await getLogs(client, source, from, latest.number)
  const caughtUp = to === latest.number
  const end = caughtUp ? latest : await client.getBlock({ blockNumber: to })
  const final = settled.number < to ? settled : end
  const current = { permission: source.current, blockNumber: latest.number }
  const [approved, revoked, finalNonce, again] = await Promise.all([
    Spm.isApproved(client, current),
    Spm.isRevoked(client, current),
    caughtUp ? client.getTransactionCount({ address: source.agent, blockNumber: final.number }) : 0,
    client.getBlock({ blockNumber: to }),
  ])
  // The logs and the head are from one chain only if the head still stands after the logs were read.
  if (again.hash !== end.hash) return undefined
  const facts = await toFacts(client, row.grantId, logs)
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

function blockOf(block: { number: bigint; hash: Hex; timestamp: bigint }) {
  return { number: Number(block.number), hash: block.hash, time: Number(block.timestamp) }
}

/** The logs of the grant from `from` to `head`, or to an earlier block where the endpoint wants less at once. */
async function getLogs(client: PublicClient, source: Source, from: bigint, head: bigint) {
  const hashes = source.permissions.map(Permission.hash)
  for (let blocks = span; ; blocks /= 2n) {
    const to = from + blocks - 1n < head ? from + blocks - 1n : head
    if (to < from) return { logs: [], to: head }
    const range = { fromBlock: from, toBlock: to, strict: true } as const
    try {
      const [used, transfers] = await Promise.all([
        client.getLogs({
          ...range,
          address: spendPermissionManager,
          event: usedEvent,
          args: { hash: hashes },
        }),
        client.getLogs({
          ...range,
          address: source.token,
          event: transferEvent,
          args: { from: source.agent },
        }),
      ])
      return { logs: [...used, ...transfers], to }
    } catch (error) {
      if (blocks === 1n) throw error
    }
  }
}

type GrantLog = Awaited<ReturnType<typeof getLogs>>['logs'][number]

/** The logs as facts, in the order of the chain. */
async function toFacts(
  client: PublicClient,
  grantId: Hex,
  logs: readonly GrantLog[],
): Promise<Settlement.Fact[]> {
  const times = new Map<Hex, Promise<number>>()
  const timeOf = (blockHash: Hex) => {
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
      time: await timeOf(log.blockHash),
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
  const facts: Settlement.Fact[] = []
  for (let from = BigInt(options.after) + 1n; from <= BigInt(options.to); ) {
    const { logs, to } = await getLogs(client, source, from, BigInt(options.to))
    facts.push(...(await toFacts(client, options.grantId, logs)))
    from = to + 1n
  }
  return facts
}

/**
 * The block from which the books may start: final, and before anything could have been spent, because
 * SpendPermissionManager refuses a spend before the permission's start. Found by bisection over the
 * timestamps, some 25 requests on a long chain.
 */
export async function startBlock(
  client: PublicClient,
  options: { readonly permission: Permission.Permission; readonly finality: Finality },
): Promise<{ number: number; hash: Hex; time: number }> {
  const { start } = options.permission
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
