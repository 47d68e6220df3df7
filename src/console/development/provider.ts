/** The development wallet as pages see it: EIP-1193, with EIP-5792 calls where it is told to have them. */
import {
  type Address,
  type Chain,
  createPublicClient,
  type Hex,
  http,
  isAddressEqual,
  numberToHex,
  stringify,
  type TypedDataDefinition,
} from 'viem'
import type { Account, Call } from './accounts.js'
import { confirm } from './confirm.js'

export type Listener = (value: unknown) => void

export type Provider = {
  request(asked: { method: string; params?: unknown }): Promise<unknown>
  on(event: string, listener: Listener): void
  removeListener(event: string, listener: Listener): void
}

/** What the wallet remembers between pages. */
export type Memory = { connected: boolean; active: number; chainId: number }

type Options = {
  accounts: readonly Account[]
  chain: Chain
  hasCalls: boolean
  memory: Memory
  remember: () => void
}

/** An error that pages know by its code. */
function refuse(code: number, message: string): Error {
  return Object.assign(new Error(message), { code })
}

export function createProvider(options: Options): Provider & { emit(event: string, value: unknown): void } {
  const { accounts, chain, hasCalls, memory, remember } = options
  const client = createPublicClient({ chain, transport: http() })
  const listeners = new Map<string, Set<Listener>>()
  const emit = (event: string, value: unknown) => {
    for (const listener of [...(listeners.get(event) ?? [])]) listener(value)
  }

  const active = (): Account => {
    const account = accounts[memory.active] ?? accounts[0]
    if (account === undefined) throw refuse(4100, 'The development wallet has no account.')
    return account
  }
  const shown = () => (memory.connected ? [active().address] : [])

  /** The account that a page asks to act: the one that is active, or nobody. */
  const acting = (address: unknown): Account => {
    const account = active()
    if (
      memory.connected &&
      typeof address === 'string' &&
      isAddressEqual(account.address, address as Address)
    )
      return account
    throw refuse(4100, `The development wallet acts as ${account.address}, not as ${String(address)}.`)
  }

  async function agreed(title: string, account: Account, details: string): Promise<void> {
    const said = await confirm({ title, account: `${account.name} (${account.address})`, details })
    if (!said) throw refuse(4001, 'User rejected the request.')
  }

  async function send(account: Account, calls: readonly Call[], title: string): Promise<Hex> {
    if (memory.chainId !== chain.id) throw refuse(4901, `The development wallet is not on chain ${chain.id}.`)
    await agreed(title, account, stringify(calls, null, 2))
    const hash = await account.send(calls)
    await client.waitForTransactionReceipt({ hash })
    return hash
  }

  async function request({ method, params }: { method: string; params?: unknown }): Promise<unknown> {
    const args = Array.isArray(params) ? params : []
    switch (method) {
      case 'eth_chainId':
        return numberToHex(memory.chainId)
      case 'eth_accounts':
        return shown()
      case 'eth_requestAccounts':
      case 'wallet_requestPermissions': {
        if (!memory.connected) {
          await agreed('Connect to this page?', active(), window.location.origin)
          memory.connected = true
          remember()
          emit('accountsChanged', shown())
        }
        return method === 'eth_requestAccounts' ? shown() : [{ parentCapability: 'eth_accounts' }]
      }
      case 'wallet_revokePermissions':
        memory.connected = false
        remember()
        emit('accountsChanged', [])
        return null
      case 'wallet_switchEthereumChain': {
        const wanted = Number(args[0]?.chainId)
        if (wanted !== chain.id) throw refuse(4902, `The development wallet knows chain ${chain.id} alone.`)
        if (memory.chainId === wanted) return null
        await agreed(`Switch to chain ${wanted}?`, active(), chain.name)
        memory.chainId = wanted
        remember()
        emit('chainChanged', numberToHex(wanted))
        return null
      }
      case 'personal_sign': {
        const account = acting(args[1])
        const text = new TextDecoder().decode(bytesOf(args[0]))
        await agreed('Sign a message', account, text)
        return account.signMessage(args[0])
      }
      case 'eth_signTypedData_v4': {
        const account = acting(args[0])
        const definition = JSON.parse(args[1]) as TypedDataDefinition
        await agreed(`Sign a ${definition.primaryType}`, account, stringify(definition.message, null, 2))
        return account.signTypedData(definition)
      }
      case 'eth_sendTransaction':
        return send(acting(args[0]?.from), [toCall(args[0])], 'Send a transaction (this wallet pays the gas)')
      case 'wallet_getCapabilities':
        if (!hasCalls) throw refuse(4200, 'Unsupported method.')
        return { [numberToHex(chain.id)]: { atomic: { status: 'supported' } } }
      case 'wallet_sendCalls': {
        if (!hasCalls) throw refuse(4200, 'Unsupported method.')
        const { calls: given } = args[0] as { calls: unknown[] }
        const calls = given.map(toCall)
        return { id: await send(acting(args[0]?.from), calls, 'Make calls (this wallet pays the gas)') }
      }
      case 'wallet_getCallsStatus': {
        const receipt: unknown = await client.request({
          method: 'eth_getTransactionReceipt',
          params: [args[0] as Hex],
        })
        const status = receipt === null ? 100 : (receipt as { status: Hex }).status === '0x1' ? 200 : 500
        const receipts = receipt === null ? [] : [receipt]
        return {
          version: '2.0.0',
          id: args[0],
          chainId: numberToHex(chain.id),
          status,
          atomic: true,
          receipts,
        }
      }
      default:
        if (method.startsWith('wallet_')) throw refuse(4200, 'Unsupported method.')
        return client.request({ method, params } as never)
    }
  }

  return {
    request,
    emit,
    on: (event, listener) => void (listeners.get(event) ?? added(listeners, event)).add(listener),
    removeListener: (event, listener) => void listeners.get(event)?.delete(listener),
  }
}

function added(listeners: Map<string, Set<Listener>>, event: string): Set<Listener> {
  const made = new Set<Listener>()
  listeners.set(event, made)
  return made
}

function toCall(given: unknown): Call {
  const { to, data = '0x', value = '0x0' } = given as { to: Address; data?: Hex; value?: Hex }
  return { to, data, value: BigInt(value) }
}

function bytesOf(hex: Hex): Uint8Array {
  const digits = hex.slice(2).match(/../g) ?? []
  return Uint8Array.from(digits, (digit) => Number.parseInt(digit, 16))
}
