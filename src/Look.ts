/** One look at the chain, from which all of a reading comes. */
import type { Block, PublicClient } from 'viem'
import * as Logs from './Logs.js'

/** Which blocks count as final: `finalized` (no reorganisation short of one of Ethereum), or `safe`. */
export type Finality = 'finalized' | 'safe'

/** A block that is in the chain. */
export type Mined = Block<bigint, false, 'latest'>

export type Look = {
  readonly latest: Mined
  /** The last block that is final. */
  readonly settled: Mined
  /** A block by its number; undefined where the endpoint does not know it. */
  readonly block: (number: bigint) => Promise<Mined | undefined>
  /** The logs of a grant in a range. */
  readonly getLogs: (subject: Logs.Subject, range: Logs.Range) => Promise<Logs.Logs>
}

/** Looks for one grant. */
export async function take(client: PublicClient, finality: Finality): Promise<Look> {
  const [latest, settled] = await Promise.all([blockBy(client, 'latest'), blockBy(client, finality)])
  return {
    latest,
    settled,
    block: (number) => blockOf(client, number),
    getLogs: async (subject, range) => Logs.of(await Logs.get(client, [subject], range), subject),
  }
}

export async function blockBy(client: PublicClient, blockTag: 'latest' | Finality): Promise<Mined> {
  return (await client.getBlock({ blockTag })) as Mined
}

/** A block by its number; undefined where the endpoint does not know it. */
export function blockOf(client: PublicClient, number: bigint): Promise<Mined | undefined> {
  return client.getBlock({ blockNumber: number }).then(
    (block) => block as Mined,
    (error: unknown) => {
      if (error instanceof Error && error.name === 'BlockNotFoundError') return undefined
      throw error
    },
  )
}
