/** wagmi for the chain that the server is for. */
import { type Chain, createClient, http, type PublicClient, publicActions } from 'viem'
import { base, baseSepolia } from 'viem/chains'
import { type Config, createConfig, createStorage } from 'wagmi'
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
    const known = readable(await ask())
    storage.setItem(kept, JSON.stringify(known))
    return { known, isServerThere: true }
  } catch {
    return { known: last() ?? { chainId: base.id, development: false }, isServerThere: false }
  }
}

function last(): Known | null {
  return attempt(() => readable(JSON.parse(storage.getItem(kept) ?? 'null')))
}

/** The browser's, as far as it lets: one that forbids it, or has no room left, shows everything all the same. */
const storage = {
  getItem: (key: string) => attempt(() => window.localStorage.getItem(key)),
  setItem: (key: string, text: string) => attempt(() => window.localStorage.setItem(key, text)) ?? undefined,
  removeItem: (key: string) => attempt(() => window.localStorage.removeItem(key)) ?? undefined,
}

function attempt<t>(act: () => t): t | null {
  try {
    return act()
  } catch {
    return null
  }
}

const chains: readonly Chain[] = [base, baseSepolia]

/** What cannot be worked with is as no answer: what is kept, or Base, is better than a page that does not start. */
function readable(known: Known): Known {
  const { chainId, rpcUrl } = known
  if (!chains.some(({ id }) => id === chainId)) throw new Error(`hardcap does not know chain ${chainId}.`)
  if (rpcUrl !== undefined && !/^https?:/.test(new URL(rpcUrl).protocol))
    throw new Error(`${rpcUrl} is no endpoint.`)
  return known
}

/**
 * The chain as viem knows it, with its own endpoints and explorer, which are what a wallet that lacks the chain is asked
 * to add: the server's endpoint is for this page to read from, and for nothing that the owner's wallet believes.
 */
export function chainOf({ chainId, rpcUrl }: Known): Chain {
  const chain = chains.find(({ id }) => id === chainId)
  if (chain === undefined) throw new Error(`hardcap does not know chain ${chainId}.`)
  // A local chain does not have what reads are batched with.
  return rpcUrl === undefined ? chain : { ...chain, contracts: {} }
}

/** Wallets of the browser itself are found by EIP-6963; those that load pages from outside are left out of development. */
export function wagmiConfig(known: Known, chain: Chain): Config {
  const appName = 'hardcap'
  return createConfig({
    chains: [chain],
    transports: { [chain.id]: http(known.rpcUrl) },
    // Base has a block every two seconds; a local chain one for each transaction.
    pollingInterval: known.development ? 200 : 2_000,
    connectors: known.development ? [] : [baseAccount({ appName }), coinbaseWallet({ appName })],
    multiInjectedProviderDiscovery: true,
    // wagmi's own does not start where storage is forbidden.
    storage: createStorage({ storage }),
    ssr: false,
  })
}

/** OnchainKit looks names up on two chains: both are this one here, and nobody else is asked. */
export function nameClients({ rpcUrl }: Known, chain: Chain): Record<number, PublicClient> {
  const client = createClient({ chain, transport: http(rpcUrl, { retryCount: 0 }) }).extend(publicActions)
  return { [chain.id]: client as PublicClient, 1: client as PublicClient }
}
