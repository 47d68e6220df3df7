import {
  type Address,
  formatTransactionReceipt,
  type Hex,
  numberToHex,
  type RpcTransactionReceipt,
  type TransactionReceipt,
} from 'viem'
import type { BaseClient } from './client.js'

/**
 * Sends a transaction from an address whose key nobody needs to have, and waits for it. Rejects with viem's error
 * where it would revert.
 */
export type Relay = (transaction: {
  from?: Address
  to: Address
  data?: Hex
  /** Wei. */
  value?: bigint
  gas?: bigint
}) => Promise<TransactionReceipt>

/** Who pays for what is not the caller's to send: deployments, minting, user operations. Unused on Base. */
export const relayer: Address = '0x000000000000000000000000000000005e1a7e00'

/** Runs one piece of work after the other. */
export type Queue = <t>(work: () => Promise<t>) => Promise<t>

/** What the helpers work with. */
export type Context = { client: BaseClient; queue: Queue; relay: Relay }

/**
 * One queue for all that changes the chain: anvil gives two transactions of one sender at once the same nonce, and
 * loses one of two additions to a balance.
 */
export function createContext(client: BaseClient): Context {
  let last: Promise<unknown> = Promise.resolve()
  const queue: Queue = (work) => {
    const done = last.then(work)
    last = done.catch(() => {})
    return done
  }
  return { client, queue, relay: (transaction) => queue(() => send(client, transaction)) }
}

async function send(client: BaseClient, transaction: Parameters<Relay>[0]): Promise<TransactionReceipt> {
  const { from = relayer, to, data = '0x', value = 0n } = transaction
  // anvil would mine a transaction that reverts, and not say why.
  const gas = transaction.gas ?? (await client.estimateGas({ account: from, to, data, value }))
  const receipt = await client.request<{
    Method: 'eth_sendTransactionSync'
    Parameters: [{ from: Address; to: Address; data: Hex; value: Hex; gas: Hex }]
    ReturnType: RpcTransactionReceipt
  }>({
    method: 'eth_sendTransactionSync',
    params: [{ from, to, data, value: numberToHex(value), gas: numberToHex(gas) }],
  })
  return formatTransactionReceipt(receipt)
}
