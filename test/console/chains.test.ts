import { base, baseSepolia } from 'viem/chains'
import { beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { chainOf, know, nameClients, wagmiConfig } from '../../src/console/chains.js'
import type { Config } from '../../src/server/Schema.js'

const rpcUrl = 'https://thief.example/rpc'

const refuse = () => {
  throw new DOMException('Refused.', 'SecurityError')
}
/** As Chromium has it where cookies are blocked. */
const forbidden = Object.defineProperty(new EventTarget(), 'localStorage', { get: refuse })

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

describe('wagmiConfig', () => {
  test('error: where storage is forbidden nothing is kept', async () => {
    vi.stubGlobal('window', forbidden)
    onTestFinished(() => void vi.unstubAllGlobals())
    const known = { chainId: base.id, development: true }
    const { storage } = wagmiConfig(known, chainOf(known))
    await storage?.setItem('recentConnectorId', 'wallet')
    expect(await storage?.getItem('recentConnectorId')).toBeNull()
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
  const gone = () => Promise.reject(new Error('gone'))
  const answer = (changes: object) => async () =>
    ({ chainId: base.id, development: false, ...changes }) as Config

  test('default', async () => {
    const { known } = await know(answer({ rpcUrl }))
    expect(known).toMatchObject({ chainId: base.id, rpcUrl })
  })

  test('behavior: without a server it is what it said last, and Base before that', async () => {
    expect(await know(gone)).toEqual({
      known: { chainId: base.id, development: false },
      isServerThere: false,
    })
    await know(answer({ chainId: baseSepolia.id }))
    expect(await know(gone)).toMatchObject({ known: { chainId: baseSepolia.id }, isServerThere: false })
  })

  test('behavior: storage that is full or forbidden is no server that is away', async () => {
    const known = { chainId: baseSepolia.id, rpcUrl }
    localStorage.setItem('hardcap.config', JSON.stringify({ chainId: base.id, development: false }))
    vi.stubGlobal('window', { localStorage: { ...localStorage, setItem: refuse } })
    expect(await know(answer(known))).toMatchObject({ known, isServerThere: true })
    vi.stubGlobal('window', forbidden)
    expect(await know(answer(known))).toMatchObject({ known, isServerThere: true })
  })

  test.each([
    ['is forbidden', undefined],
    ['holds no JSON', '{'],
    ['holds nothing', 'null'],
    ['holds another chain', '{"chainId":1,"development":false}'],
    ['holds an endpoint that is none', `{"chainId":${baseSepolia.id},"rpcUrl":7,"development":false}`],
  ])('error: where storage %s, and the server is away, it is Base', async (_, text) => {
    if (text === undefined) vi.stubGlobal('window', forbidden)
    else localStorage.setItem('hardcap.config', text)
    expect(await know(gone)).toEqual({
      known: { chainId: base.id, development: false },
      isServerThere: false,
    })
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
