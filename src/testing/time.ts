import type { BaseClient } from './client.js'
import { TestingError } from './TestingError.js'

/** The latest block's time, in unix seconds. */
export async function now(client: BaseClient): Promise<number> {
  return Number((await client.getBlock()).timestamp)
}

/**
 * The next block, whenever it comes, has exactly this time.
 * @throws TestingError `TIME_PASSED`, `INVALID_OPTION`
 */
export async function nextBlockAt(client: BaseClient, timestamp: number): Promise<void> {
  if (!Number.isSafeInteger(timestamp)) {
    throw new TestingError(
      'INVALID_OPTION',
      `A block's time is a whole number of unix seconds, not ${timestamp}.`,
    )
  }
  const latest = await now(client)
  if (timestamp <= latest) {
    throw new TestingError(
      'TIME_PASSED',
      `The next block cannot be at ${timestamp}: the latest is at ${latest}. Give a later time, or revert to a snapshot.`,
      { figures: { timestamp, now: latest } },
    )
  }
  await client.setNextBlockTimestamp({ timestamp: BigInt(timestamp) })
}

/** Mines an empty block at exactly this time. Throws as `nextBlockAt` does. */
export async function warp(client: BaseClient, timestamp: number): Promise<void> {
  await nextBlockAt(client, timestamp)
  await client.mine({ blocks: 1 })
}
