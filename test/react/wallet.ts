import { type Address, createWalletClient, custom, type Hex, http, type LocalAccount } from 'viem'
import { type Connector, createConfig, createConnector, createStorage } from 'wagmi'
import { connect } from 'wagmi/actions'
import type { Base } from '../../src/testing/index.js'

type Answers = Record<string, () => unknown>

/**
 * wagmi with a wallet that holds the key of a plain account, and what that wallet was asked to send. It answers as `answers`
 * say, and the page's endpoint as `page` says; both as the chain does for the rest.
 */
export async function connected(base: Base, key: LocalAccount, answers: Answers = {}, page: Answers = {}) {
  const chainId = base.chain.id
  const wallet = createWalletClient({ account: key, chain: base.chain, transport: http() })
  const sent: { to: Address; data: Hex }[] = []
  const request = async ({ method, params }: { method: string; params?: unknown }): Promise<unknown> => {
    const answer = answers[method]
    if (answer !== undefined) return answer()
    switch (method) {
      case 'eth_sendTransaction': {
        const [{ to, data, value = '0x0' }] = params as [{ to: Address; data: Hex; value?: Hex }]
        sent.push({ to, data })
        return wallet.sendTransaction({ to, data, value: BigInt(value) })
      }
      default:
        if (method.startsWith('wallet_')) throw Object.assign(new Error('Unsupported.'), { code: 4200 })
        return base.client.request({ method, params } as never)
    }
  }
  // As wagmi's own for wallets in browsers, which wants a window.
  const connector = createConnector(() => ({
    id: 'test',
    name: 'Test',
    type: 'test',
    connect: async () => ({ accounts: [key.address], chainId }) as never,
    disconnect: async () => {},
    getAccounts: async () => [key.address],
    getChainId: async () => chainId,
    getProvider: async () => ({ request }),
    isAuthorized: async () => true,
    onAccountsChanged: () => {},
    onChainChanged: () => {},
    onDisconnect: () => {},
  }))
  const config = createConfig({
    chains: [base.chain],
    transports: {
      [chainId]: custom({
        request: async (asked) => page[asked.method]?.() ?? base.client.request(asked as never),
      }),
    },
    // Call by call, so that each can be answered.
    batch: { multicall: false },
    pollingInterval: 20,
    connectors: [connector],
    multiInjectedProviderDiscovery: false,
    storage: createStorage({ storage: { getItem: () => null, setItem: () => {}, removeItem: () => {} } }),
  })
  await connect(config, { connector: config.connectors[0] as Connector })
  return { config, sent }
}
