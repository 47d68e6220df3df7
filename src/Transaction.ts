import {
  type Account,
  type Address,
  type Client,
  type Hex,
  isAddressEqual,
  type TransactionReceipt,
} from 'viem'
import { call as callAction, getChainId, sendTransaction, waitForTransactionReceipt } from 'viem/actions'
import { ChainError, toChainError } from './ChainError.js'

/** What to send, by whatever route: `wallet_sendCalls`, a user operation, another relayer. `value` in wei. */
export type Call = { readonly to: Address; readonly data: Hex; readonly value: bigint }

/** A transaction that did what it was for. `gasUsed` in gas, `effectiveGasPrice` in wei per gas. */
export type Mined = {
  readonly hash: Hex
  readonly blockNumber: bigint
  readonly gasUsed: bigint
  readonly effectiveGasPrice: bigint
}

/**
 * The account that the client sends transactions from.
 * @throws ChainError `ACCOUNT_MISSING`, `SMART_ACCOUNT_CLIENT`
 */
export function sender(client: Client, doing: string): Account {
  const account = client.account
  if (account === undefined) {
    throw new ChainError('ACCOUNT_MISSING', `${doing}: the client has no account. Create it with one.`)
  }
  if (account.type === 'smart') {
    throw new ChainError(
      'SMART_ACCOUNT_CLIENT',
      `${doing}: ${account.address} is a smart account, which cannot send transactions itself. Put the calls of the matching prepare function into a user operation, or use a client of an owner's EOA.`,
      { figures: { account: account.address } },
    )
  }
  return account
}

/**
 * Makes sure that the client talks to the chain that the permission is for, by asking the chain.
 * @throws ChainError `WRONG_CHAIN`, `RPC_FAILED`
 */
export async function assertChain(client: Client, chainId: number, doing: string): Promise<void> {
  const actual = await getChainId(client).catch((error: unknown) => {
    throw toChainError(error, doing)
  })
  if (actual === chainId) return
  throw new ChainError(
    'WRONG_CHAIN',
    `${doing}: the permission is for chain ${chainId}, the client talks to chain ${actual}. Use a client of chain ${chainId}.`,
    { figures: { actual, expected: chainId } },
  )
}

/**
 * What the call would return if `from` made it now, or in `blockNumber`. `from` may be a contract.
 * @throws ChainError with the decoded revert
 */
export async function simulate(
  client: Client,
  options: { call: Call; from: Address; doing: string; blockNumber?: bigint },
): Promise<Hex> {
  const { call, from, doing, blockNumber } = options
  try {
    const block = blockNumber === undefined ? {} : { blockNumber }
    const { data } = await callAction(client, { ...call, ...block, account: from })
    return data ?? '0x'
  } catch (error) {
    throw toChainError(error, doing)
  }
}

/**
 * Simulates, sends from the client's account, waits for the receipt.
 * @throws ChainError with the decoded revert, before anything is sent where the simulation shows it;
 * `OUTCOME_UNKNOWN` where it was sent, or may have been, and no receipt came
 */
export async function send(
  client: Client,
  options: { call: Call; doing: string },
): Promise<TransactionReceipt> {
  const { call, doing } = options
  const account = sender(client, doing)
  await simulate(client, { call, from: account.address, doing })

  const hash = await sendTransaction(client, { ...call, account, chain: client.chain ?? null }).catch(
    (error: unknown) => {
      throw doubtful(toChainError(error, doing), doing)
    },
  )
  const receipt = await waitForTransactionReceipt(client, { hash }).catch((error: unknown) => {
    throw doubtful(toChainError(error, doing), doing, hash)
  })
  if (receipt.status === 'success') return receipt

  // The receipt does not say why. The state after the block is near enough to ask again.
  const { blockNumber, transactionHash } = receipt
  await simulate(client, { call, from: account.address, doing, blockNumber }).catch((error: unknown) => {
    if (!(error instanceof ChainError) || error.code !== 'RPC_FAILED') throw error
  })
  throw new ChainError('REVERTED', `${doing}: transaction ${transactionHash} reverted.`, {
    figures: { hash: transactionHash, blockNumber, reason: '' },
  })
}

/** The figures of a receipt that callers get. */
export function mined(receipt: TransactionReceipt): Mined {
  const { transactionHash: hash, blockNumber, gasUsed, effectiveGasPrice } = receipt
  return { hash, blockNumber, gasUsed, effectiveGasPrice }
}

/** Whether the client's account is this address. */
export function isSender(client: Client, address: Address): boolean {
  return client.account !== undefined && isAddressEqual(client.account.address, address)
}

/** An endpoint that fails once something may have been sent leaves open what became of it. */
export function doubtful(error: ChainError, doing: string, hash?: Hex): ChainError {
  if (error.code !== 'RPC_FAILED') return error
  const which = hash === undefined ? 'a transaction' : `transaction ${hash}`
  return new ChainError(
    'OUTCOME_UNKNOWN',
    `${doing}: ${which} may have been sent and what it did was not seen. Look for it before trying again.`,
    { figures: hash === undefined ? {} : { hash } },
  )
}
