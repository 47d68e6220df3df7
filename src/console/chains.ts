/** wagmi for the chain that the server is for. */
import { type Chain, createClient, defineChain, http, type PublicClient, publicActions } from 'viem'
import { base, baseSepolia } from 'viem/chains'
import { type Config, createConfig } from 'wagmi'
import { baseAccount, coinbaseWallet } from 'wagmi/connectors'
import type * as Schema from '../server/Schema.js'

/** What the console needs to know before it can show anything. */
export type Known = Pick<Schema.Config, 'chainId' | 'rpcUrl' | 'explorerUrl' | 'development'>

const kept = 'hardcap.config'

/** What the server said, or said last: without a server the owner can still stop what he has seen here. */
export async function know(
  ask: () => Promise<Schema.Config>,
): Promise<{ known: Known; isServerThere: boolean }> {
  try {
    const known = await ask()
    window.localStorage.setItem(kept, JSON.stringify(known))
    return { known, isServerThere: true }
  } catch {
    const text = window.localStorage.getItem(kept)
    const known: Known = text === null ? { chainId: base.id, development: false } : JSON.parse(text)
    return { known, isServerThere: false }
  }
}

export function chainOf({ chainId, rpcUrl }: Known): Chain {
  const known = [base, baseSepolia].find(({ id }) => id === chainId)
  const url = rpcUrl ?? known?.rpcUrls.default.http[0]
  if (url === undefined) throw new Error(`The server is for chain ${chainId} and names no endpoint of it.`)
  return defineChain({
    id: chainId,
    name: known?.name ?? `Chain ${chainId}`,
    nativeCurrency: base.nativeCurrency,
    rpcUrls: { default: { http: [url] } },
    contracts: rpcUrl === undefined ? { ...known?.contracts } : {},
  })
}

/** Wallets of the browser itself are found by EIP-6963; those that load pages from outside are left out of development. */
export function wagmiConfig(known: Known, chain: Chain): Config {
  const appName = 'hardcap'
  return createConfig({
    chains: [chain],
    transports: { [chain.id]: http() },
    // Base has a block every two seconds; a local chain one for each transaction.
    pollingInterval: known.development ? 200 : 2_000,
    connectors: known.development ? [] : [baseAccount({ appName }), coinbaseWallet({ appName })],
    multiInjectedProviderDiscovery: true,
    ssr: false,
  })
}

/** OnchainKit looks names up on two chains: with an endpoint of our own both are that one, and nothing is asked outside. */
export function nameClients({ rpcUrl }: Known, chain: Chain): Record<number, PublicClient> | undefined {
  if (rpcUrl === undefined) return undefined
  const client = createClient({ chain, transport: http(rpcUrl, { retryCount: 0 }) }).extend(publicActions)
  return { [chain.id]: client as PublicClient, 1: client as PublicClient }
}
