/**
 * A wallet for the offline Base, which a page finds as any other (EIP-6963). Its own bundle, which only a development
 * server serves, with the keys of a local chain: no production build has any of it.
 */
import { createPublicClient, defineChain, http, numberToHex } from 'viem'
import { base } from 'viem/chains'
import { open, type WalletJson } from './accounts.js'
import { choice, mount } from './confirm.js'
import { createProvider, type Memory } from './provider.js'

const kept = 'hardcap.development.wallet'
const elsewhere = 1

await start()

async function start(): Promise<void> {
  const response = await fetch(new URL('wallet.json', import.meta.url))
  const json = (await response.json()) as WalletJson
  const transport = http(json.rpcUrl)
  const id = await createPublicClient({ transport }).getChainId()
  const chain = defineChain({ ...base, id, rpcUrls: { default: { http: [json.rpcUrl] } }, contracts: {} })
  const accounts = await Promise.all(json.accounts.map((account) => open(account, chain)))
  const memory: Memory = { connected: false, active: 0, chainId: id, ...read() }
  const remember = () => window.localStorage.setItem(kept, JSON.stringify(memory))
  const provider = createProvider({ accounts, chain, hasCalls: json.calls ?? true, memory, remember })

  mount()
  const tell = () => {
    if (memory.connected) provider.emit('accountsChanged', [accounts[memory.active]?.address])
  }
  const showAccount = choice({
    label: 'Account',
    values: accounts.map(({ name }) => name),
    selected: memory.active,
    onChoose: (active) => {
      memory.active = active
      remember()
      tell()
    },
  })
  const showChain = choice({
    label: 'Chain',
    values: [chain.name, 'another one'],
    selected: memory.chainId === id ? 0 : 1,
    onChoose: (index) => {
      memory.chainId = index === 0 ? id : elsewhere
      remember()
      provider.emit('chainChanged', numberToHex(memory.chainId))
    },
  })
  provider.on('chainChanged', () => showChain(memory.chainId === id ? 0 : 1))
  // Another tab has the same wallet.
  window.addEventListener('storage', ({ key }) => {
    if (key !== kept) return
    const before = { ...memory }
    Object.assign(memory, read())
    showAccount(memory.active)
    if (before.chainId !== memory.chainId) provider.emit('chainChanged', numberToHex(memory.chainId))
    if (before.active !== memory.active) tell()
  })

  const info = Object.freeze({
    uuid: '9d3f0f0e-5c5e-4b67-9a29-2f1c6d1f9a11',
    name: 'Development wallet',
    icon: 'data:image/svg+xml,%3Csvg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"%3E%3Crect width="32" height="32" fill="%237a4600"/%3E%3C/svg%3E',
    rdns: 'development.hardcap',
  })
  const announce = () =>
    window.dispatchEvent(
      new CustomEvent('eip6963:announceProvider', { detail: Object.freeze({ info, provider }) }),
    )
  window.addEventListener('eip6963:requestProvider', announce)
  announce()
}

function read(): Partial<Memory> {
  try {
    return JSON.parse(window.localStorage.getItem(kept) ?? '{}')
  } catch {
    return {}
  }
}
