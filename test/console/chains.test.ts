import { base, baseSepolia } from 'viem/chains'
import { beforeEach, describe, expect, test, vi } from 'vitest'
import { chainOf, know, nameClients, wagmiConfig } from '../../src/console/chains.js'
import type { Config } from '../../src/server/Schema.js'

const rpcUrl = 'https://thief.example/rpc'

describe('chainOf', () => {
  test('default', () => {
    expect(chainOf({ chainId: base.id, development: false })).toEqual(base)
  })

  test("behavior: a server's endpoint is not what a wallet is asked to add", () => {
    for (const known of [base, baseSepolia]) {
      const { id, name, rpcUrls, blockExplorers } = chainOf({ chainId: known.id, rpcUrl, development: false })
      expect({ id, name, rpcUrls, blockExplorers }).toEqual({
        id: known.id,
        name: known.name,
        rpcUrls: known.rpcUrls,
        blockExplorers: known.blockExplorers,
      })
    }
  })

  test('error: a chain that hardcap does not know', () => {
    expect(() => chainOf({ chainId: 1, rpcUrl, development: false })).toThrow('chain 1')
  })
})

describe.each([
  ['the one that the server names', rpcUrl, { chainId: base.id, rpcUrl, development: true }],
  ["the chain's own", 'https://mainnet.base.org', { chainId: base.id, development: true }],
] as const)('the endpoint: %s', (_, url, known) => {
  test('behavior: the page reads from it', () => {
    const config = wagmiConfig(known, chainOf(known))
    expect(config.getClient({ chainId: base.id }).transport.url).toBe(url)
  })

  test('behavior: names are looked up there, and nowhere else', () => {
    const clients = Object.values(nameClients(known, chainOf(known)))
    expect(clients.map(({ transport }) => transport.url)).toEqual([url, url])
  })
})

describe('know', () => {
  const items = new Map<string, string>()
  const localStorage = {
    getItem: (key: string) => items.get(key) ?? null,
    setItem: (key: string, text: string) => items.set(key, text),
  }
  beforeEach(() => {
    items.clear()
    vi.stubGlobal('window', { localStorage })
    return () => vi.unstubAllGlobals()
  })
  const answer = (changes: object) => async () =>
    ({ chainId: base.id, development: false, ...changes }) as Config

  test('default', async () => {
    const { known } = await know(answer({ rpcUrl }))
    expect(known).toMatchObject({ chainId: base.id, rpcUrl })
  })

  test('behavior: without a server it is what it said last, and Base before that', async () => {
    const gone = () => Promise.reject(new Error('gone'))
    expect(await know(gone)).toEqual({
      known: { chainId: base.id, development: false },
      isServerThere: false,
    })
    await know(answer({ chainId: baseSepolia.id }))
    expect(await know(gone)).toMatchObject({ known: { chainId: baseSepolia.id }, isServerThere: false })
  })

  test.each([
    ['another chain', { chainId: 1, rpcUrl }],
    ['no chain', { chainId: '8453' }],
    ['an endpoint that is none', { rpcUrl: 7 }],
    ['an endpoint of another kind', { rpcUrl: 'javascript:alert(1)' }],
  ])('error: %s is no answer, and is not kept', async (_, changes) => {
    expect(await know(answer(changes))).toMatchObject({ known: { chainId: base.id }, isServerThere: false })
    expect(items.size).toBe(0)
  })
})
