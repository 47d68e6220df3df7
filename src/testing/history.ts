import type { Hash, Hex } from 'viem'
import type { BaseClient } from './client.js'
import { TestingError } from './TestingError.js'

/**
 * Makes the function that remembers the chain as it is, and resolves with one that brings it back, as often as
 * that is called.
 */
export function createSnapshot(client: BaseClient): () => Promise<() => Promise<void>> {
  // From the earliest to the latest. anvil itself forgets later ones at a revert, but on a fork it does not.
  const live: object[] = []
  return async () => {
    let id = await client.snapshot()
    const self = {}
    live.push(self)
    return async () => {
      const index = live.indexOf(self)
      if (index < 0 || !(await revert(client, id))) {
        throw new TestingError(
          'SNAPSHOT_GONE',
          'The snapshot is gone: the chain was reverted to an earlier one, which drops all later ones.',
        )
      }
      live.length = index + 1
      // anvil forgets a snapshot that it reverts to.
      id = await client.snapshot()
    }
  }
}

/** Whether anvil knew the snapshot. */
async function revert(client: BaseClient, id: Hex): Promise<boolean> {
  return client.request<{ Method: 'evm_revert'; Parameters: [Hex]; ReturnType: boolean }>({
    method: 'evm_revert',
    params: [id],
  })
}

/**
 * Replaces the last `depth` blocks with other ones, which are empty but for the transactions to `keep`: those are
 * mined again in the last of the new blocks, if they still can be. What is dropped does not return to the mempool.
 * What the helpers did since the first of the replaced blocks, ETH included, is undone too.
 * @returns The hashes of the dropped transactions.
 * @throws TestingError `REORG_TOO_DEEP`, `REORG_UNKNOWN_TRANSACTION`
 */
export async function reorg(
  client: BaseClient,
  depth: number,
  options: { startBlock: bigint; keep?: readonly Hash[] },
): Promise<Hash[]> {
  const { startBlock, keep = [] } = options
  const latest = await client.getBlockNumber()
  const deepest = latest - startBlock
  if (!Number.isSafeInteger(depth) || depth < 1 || BigInt(depth) > deepest) {
    throw new TestingError(
      'REORG_TOO_DEEP',
      `${depth} blocks cannot be replaced: this chain has mined ${deepest} of its own. Give 1 to ${deepest}.`,
      { figures: { depth, deepest } },
    )
  }
  const numbers = Array.from({ length: depth }, (_, index) => latest - BigInt(depth - 1 - index))
  const blocks = await Promise.all(numbers.map((blockNumber) => client.getBlock({ blockNumber })))
  const transactions = blocks.flatMap((block) => block.transactions)
  const unknown = keep.find((hash) => !transactions.includes(hash))
  if (unknown !== undefined) {
    throw new TestingError(
      'REORG_UNKNOWN_TRANSACTION',
      `${unknown} cannot be kept: it is not in the last ${depth} blocks.`,
      { figures: { hash: unknown, depth } },
    )
  }
  const kept = transactions.filter((hash) => keep.includes(hash))
  const raw = await Promise.all(kept.map((hash) => rawTransaction(client, hash)))
  await client.request<{ Method: 'anvil_reorg'; Parameters: [number, [Hex, number][]]; ReturnType: null }>({
    method: 'anvil_reorg',
    params: [depth, raw.map((bytes) => [bytes, depth - 1])],
  })
  // anvil leaves out what cannot be mined any more, such as for want of an earlier nonce or of funds.
  const block = await client.getBlock()
  return transactions.filter((hash) => !block.transactions.includes(hash))
}

async function rawTransaction(client: BaseClient, hash: Hash): Promise<Hex> {
  return client.request<{ Method: 'eth_getRawTransactionByHash'; Parameters: [Hash]; ReturnType: Hex }>({
    method: 'eth_getRawTransactionByHash',
    params: [hash],
  })
}
