import {
  type Address,
  formatTransactionReceipt,
  type Hex,
  numberToHex,
  type RpcTransactionReceipt,
  type TransactionReceipt,
} from 'viem'
import type { BaseClient } from './client.js'

/** Sends a transaction from an address whose key nobody needs to have, and waits for it. */
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

/**
 * A relay that sends one transaction at a time, as anvil gives two at once the same nonce.
 * @returns A relay whose promise rejects with viem's error where the transaction would revert.
 */
export function createRelay(client: BaseClient): Relay {
  let last: Promise<unknown> = Promise.resolve()
  return (transaction) => {
    const sent = last.then(() => send(client, transaction))
    last = sent.catch(() => {})
    return sent
  }
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
