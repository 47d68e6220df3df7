/**
 * Who sends what the agent has signed, and pays its gas: then the agent's key needs no ETH. A relay can do nothing but
 * send it, or not. It is not believed: what it says, or throws, settles and releases nothing.
 */
import type { Client, Hex } from 'viem'
import { estimateFeesPerGas, getTransactionCount, sendTransaction } from 'viem/actions'
import * as Fee from './Fee.js'
import { type Call, sender } from './Transaction.js'

/**
 * Sends a call from any account. It is given the same call again as long as nothing is seen of it, and may be given it by
 * several processes: one that is sent twice pays once, and the second reverts.
 */
export type Relay = (call: Call) => Promise<unknown>

/**
 * A relay of a viem client with an account that has ETH and is used for nothing else at the time: one call after the
 * other, each simulated first. Given a call again that is not mined, it replaces its transaction with higher fees.
 */
export function fromClient(client: Client): Relay {
  /** What is on its way. */
  const sent = new Map<Hex, Fee.Fees & { readonly nonce: number }>()
  let tail: Promise<unknown> = Promise.resolve()

  async function send(call: Call): Promise<Hex> {
    const account = sender(client, 'Relaying')
    const { address } = account
    const [mined, pending, now] = await Promise.all([
      getTransactionCount(client, { address }),
      getTransactionCount(client, { address, blockTag: 'pending' }),
      estimateFeesPerGas(client, { chain: client.chain ?? null }),
    ])
    // What is mined, and what the node has dropped, whose nonce would else stay free and hold up all after it.
    for (const [data, { nonce }] of sent) if (nonce < mined || nonce >= pending) sent.delete(data)
    const old = sent.get(call.data)
    const next = Math.max(pending, ...[...sent.values()].map(({ nonce }) => nonce + 1))
    const fees = old ? (Fee.raised(old, now, 2n ** 256n - 1n) ?? now) : now
    const nonce = old?.nonce ?? next
    const { maxFeePerGas, maxPriorityFeePerGas } = fees
    const terms = { nonce, maxFeePerGas, maxPriorityFeePerGas }
    const hash = await sendTransaction(client, { ...call, ...terms, account, chain: client.chain ?? null })
    sent.set(call.data, terms)
    return hash
  }

  return (call) => {
    const turn = tail.then(() => send(call))
    tail = turn.catch(() => {})
    return turn
  }
}
