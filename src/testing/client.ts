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
export function createChain(options: { kind: 'offline' | 'fork'; url: string }): Chain {
  const { kind, url } = options
  const { multicall3: onBase, ...contracts } = base.contracts
  return defineChain({
    ...base,
    rpcUrls: { default: { http: [url] } },
    // viem refuses to read through Multicall3 before the block of its deployment, which offline is 0.
    contracts: { ...contracts, multicall3: kind === 'fork' ? onBase : { address: multicall3 } },
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
