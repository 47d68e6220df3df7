import {
  type Chain,
  createTestClient,
  defineChain,
  type HttpTransport,
  http,
  type PublicClient,
  publicActions,
  type TestActions,
  type WalletActions,
  walletActions,
} from 'viem'
import { base } from 'viem/chains'
import { multicall3 } from '../Addresses.js'

/** A viem client with public, wallet and test actions, without an account: name one per call. */
export type BaseClient = PublicClient<HttpTransport, Chain> & WalletActions<Chain> & TestActions

/** Base as viem defines it, at the test chain's own URL. */
export function createChain(url: string): Chain {
  return defineChain({
    ...base,
    rpcUrls: { default: { http: [url] } },
    // Without `blockCreated`: viem would refuse to read through it at earlier blocks, which is what offline has.
    contracts: { ...base.contracts, multicall3: { address: multicall3 } },
  })
}

export function createBaseClient(chain: Chain): BaseClient {
  return createTestClient({
    chain,
    mode: 'anvil',
    // No retries: anvil answers or is gone. A fork's first read of a slot waits for the endpoint.
    transport: http(undefined, { retryCount: 0, timeout: 60_000 }),
    // Blocks come at the moment of the transaction, and nothing read from the chain may be from before it.
    pollingInterval: 20,
    cacheTime: 0,
  })
    .extend(publicActions)
    .extend(walletActions)
}
