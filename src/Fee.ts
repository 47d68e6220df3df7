/** What a transaction offers for its gas, and how a stuck one offers more. Wei per gas. */
import type { PublicClient } from 'viem'

export type Fees = { readonly maxFeePerGas: bigint; readonly maxPriorityFeePerGas: bigint }

/** See `OpenBudgetOptions`. */
export type Limits = {
  /** Blocks that a transaction waits before it is replaced. */
  readonly replaceAfterBlocks: number
  /** The most that is offered. */
  readonly maxFeePerGas: bigint
}

/** The fees of now, as the endpoint estimates them, at most the ceiling. */
export async function now(client: PublicClient, ceiling: bigint): Promise<Fees> {
  return below(await client.estimateFeesPerGas(), ceiling)
}

function below({ maxFeePerGas, maxPriorityFeePerGas }: Fees, ceiling: bigint): Fees {
  const most = least(maxFeePerGas, ceiling)
  return { maxFeePerGas: most, maxPriorityFeePerGas: least(maxPriorityFeePerGas, most) }
}

/**
 * The fees of a replacement: both more than an eighth above the old ones (nodes ask for a tenth), and no less than those
 * of now. Undefined where the ceiling does not leave room for that.
 */
export function raised(old: Fees, now: Fees, ceiling: bigint): Fees | undefined {
  const maxFeePerGas = most(raise(old.maxFeePerGas), now.maxFeePerGas)
  if (raise(old.maxFeePerGas) > ceiling) return undefined
  return below(
    { maxFeePerGas, maxPriorityFeePerGas: most(raise(old.maxPriorityFeePerGas), now.maxPriorityFeePerGas) },
    ceiling,
  )
}

const raise = (wei: bigint) => wei + wei / 8n + 1n
const least = (a: bigint, b: bigint) => (a < b ? a : b)
const most = (a: bigint, b: bigint) => (a > b ? a : b)
