import type { Address, Client, Hex, TransactionReceipt } from 'viem'
import { ChainError, toChainError } from './ChainError.js'
import { type Call, doubtful, type Mined, send, simulate } from './Transaction.js'
import * as Wallet from './Wallet.js'

// How an action gets from a call to what it did, alike for SpendPermissionManager and the guard.

/** What an action did. `already`: the chain was in that state before, and nothing changed. */
export type Outcome = ({ readonly already: false } & Mined) | { readonly already: true }

/** Rehearses the call as `from`, whose return value a smart wallet's `execute` would swallow, then sends it. */
export async function perform(
  client: Client,
  options: { from: Address; call: Call; doing: string; rehearsed?: (answer: Hex) => void },
): Promise<TransactionReceipt> {
  const { from, call, doing, rehearsed } = options
  const routed = await Wallet.route(client, { account: from, call, doing })
  if (rehearsed) rehearsed(await simulate(client, { call, from, doing }))
  return send(client, { call: routed, doing })
}

/**
 * The outcome of a transaction that went through without its event: `already`, if the chain is in the wanted
 * state at that block. Where the chain cannot be asked, it is not known, although something was sent.
 */
export async function settled(
  receipt: TransactionReceipt,
  doing: string,
  holds: (blockNumber: bigint) => Promise<boolean>,
): Promise<Outcome> {
  const { transactionHash: hash, blockNumber } = receipt
  const held = await holds(blockNumber).catch((error: unknown) => {
    throw doubtful(toChainError(error, doing), doing, hash)
  })
  if (held) return { already: true }
  throw missing(doing, receipt)
}

/** A transaction that went through without doing what it was for. */
export function missing(
  doing: string,
  { transactionHash: hash, blockNumber }: TransactionReceipt,
): ChainError {
  return new ChainError(
    'OUTCOME_MISSING',
    `${doing}: transaction ${hash} went through without doing it. If a wallet app sent it, look there for what it did.`,
    { figures: { hash, blockNumber } },
  )
}
