import {
  BaseError,
  createWalletClient,
  custom,
  type Hex,
  http,
  recoverTypedDataAddress,
  UserRejectedRequestError,
} from 'viem'
import { privateKeyToAccount, toAccount } from 'viem/accounts'
import { base, baseSepolia } from 'viem/chains'
import { describe, expect, test } from 'vitest'
import { publicERC6492Validator } from '../../src/Addresses.js'
import { InputError, Permission, PermissionError } from '../../src/index.js'
import { define, other } from './grants.js'

const account = privateKeyToAccount(`0x${'a1'.repeat(32)}`)
const permission = Permission.fromGrant(define({ owner: account.address }))
const recover = (signature: Hex) =>
  recoverTypedDataAddress({ ...Permission.typedData(permission), signature })

/** A wallet as a browser has it: it answers by itself, whatever the client believes. */
function wallet(options: { accounts?: readonly string[]; chainId?: number; reject?: boolean } = {}) {
  const { accounts = [account.address], chainId = 8453, reject = false } = options
  const asked: string[] = []
  const request = async ({ method, params }: { method: string; params?: unknown }) => {
    asked.push(method)
    if (method === 'eth_accounts') return accounts
    if (method === 'eth_chainId') return `0x${chainId.toString(16)}`
    if (method !== 'eth_signTypedData_v4') throw new Error(`Not expected: ${method}`)
    if (reject) throw Object.assign(new Error('User rejected the request.'), { code: 4001 })
    const [address, data] = params as [string, string]
    expect(address).toBe(account.address)
    return await account.signTypedData(JSON.parse(data))
  }
  return { transport: custom({ request }), asked }
}

async function rejected(promise: Promise<unknown>): Promise<PermissionError> {
  const error = await promise.then(
    () => new Error('Nothing was thrown.'),
    (error: unknown) => error,
  )
  if (error instanceof PermissionError) return error
  throw error
}

describe('sign', () => {
  test('default', async () => {
    expect(await recover(await Permission.sign(account, permission))).toBe(account.address)
  })

  test('behavior: a batch', async () => {
    const batch = Permission.batch([permission, { ...permission, salt: 1n }])
    const signature = await Permission.sign(account, batch)
    const signer = await recoverTypedDataAddress({ ...Permission.batchTypedData(batch), signature })
    expect(signer).toBe(account.address)
  })

  test('behavior: a wallet client with an account that holds its key is not asked for anything', async () => {
    const { transport, asked } = wallet()
    const client = createWalletClient({ account, chain: base, transport })
    expect(await recover(await Permission.sign(client, permission))).toBe(account.address)
    expect(asked).toEqual([])
  })

  test('behavior: a wallet client without an account: the wallet is asked', async () => {
    const { transport, asked } = wallet({ accounts: [other, account.address] })
    expect(await recover(await Permission.sign(createWalletClient({ transport }), permission))).toBe(
      account.address,
    )
    expect(asked).toEqual(['eth_accounts', 'eth_chainId', 'eth_signTypedData_v4'])
  })

  test('behavior: a wallet client with an account of the wallet', async () => {
    const { transport } = wallet()
    const client = createWalletClient({ account: account.address, chain: base, transport })
    expect(await recover(await Permission.sign(client, permission))).toBe(account.address)
  })

  test('error: an account with another address', async () => {
    const error = await rejected(Permission.sign(account, { ...permission, account: other }))
    expect(error.code).toBe('SIGNER_MISMATCH')
    expect(error.figures).toEqual({ account: other, signers: [account.address] })
    expect(error.message).toContain(`signs for ${account.address}`)
  })

  test('error: a wallet client whose account has another address', async () => {
    const { transport, asked } = wallet()
    for (const given of [account, account.address]) {
      const client = createWalletClient({ account: given, chain: base, transport })
      expect((await rejected(Permission.sign(client, { ...permission, account: other }))).code).toBe(
        'SIGNER_MISMATCH',
      )
    }
    expect(asked).toEqual([])
  })

  test('error: a wallet that has switched to another account', async () => {
    const { transport, asked } = wallet({ accounts: [other] })
    for (const given of [{}, { account: account.address }]) {
      const error = await rejected(Permission.sign(createWalletClient({ ...given, transport }), permission))
      expect(error.code).toBe('SIGNER_MISMATCH')
      expect(error.figures).toEqual({ account: account.address, signers: [other] })
    }
    expect(asked).not.toContain('eth_signTypedData_v4')
  })

  test('error: a wallet that is not connected', async () => {
    const { transport } = wallet({ accounts: [] })
    const error = await rejected(Permission.sign(createWalletClient({ transport }), permission))
    expect(error.code).toBe('SIGNER_MISMATCH')
    expect(error.message).toContain('is it connected?')
  })

  test('error: a wallet on another chain', async () => {
    const { transport, asked } = wallet({ chainId: 84532 })
    for (const chain of [base, baseSepolia]) {
      const error = await rejected(Permission.sign(createWalletClient({ chain, transport }), permission))
      expect(error.code).toBe('CHAIN_MISMATCH')
      expect(error.figures).toEqual({ expected: 8453, actual: 84532 })
    }
    expect(asked).not.toContain('eth_signTypedData_v4')
  })

  test('error: a wallet client for another chain, with an account of its own', async () => {
    const { transport } = wallet({ chainId: 84532 })
    for (const given of [{ chain: baseSepolia }, {}]) {
      const client = createWalletClient({ ...given, account, transport })
      expect((await rejected(Permission.sign(client, permission))).code).toBe('CHAIN_MISMATCH')
    }
  })

  test('error: an address that cannot sign', async () => {
    const address = toAccount(account.address) as unknown as typeof account
    expect((await rejected(Permission.sign(address, permission))).code).toBe('SIGNER_MISMATCH')
  })

  test('error: what the wallet throws comes through', async () => {
    const { transport } = wallet({ reject: true })
    const error: unknown = await Permission.sign(createWalletClient({ transport }), permission).catch(
      (error) => error,
    )
    expect(
      error instanceof BaseError && error.walk((cause) => cause instanceof UserRejectedRequestError),
    ).toBeTruthy()
  })
})

describe('verify', () => {
  const yes = `0x${'1'.padStart(64, '0')}`
  const no = `0x${''.padStart(64, '0')}`
  const signature = '0x1234'

  /** A node that answers a call with `answer`, or fails with it. */
  function node(answer: string | Error, chainId = 8453) {
    const request = async ({ method, params }: { method: string; params?: unknown }) => {
      if (method === 'eth_chainId') return `0x${chainId.toString(16)}`
      if (method !== 'eth_call') throw new Error(`Not expected: ${method}`)
      const [call] = params as [{ to: string; data: Hex }]
      expect(call.to.toLowerCase()).toBe(publicERC6492Validator.toLowerCase())
      expect(call.data).toContain(Permission.hash(permission).slice(2))
      if (answer instanceof Error) throw answer
      return answer
    }
    return createWalletClient({ transport: custom({ request }, { retryCount: 0 }) })
  }
  const failure = (code: number, message: string) => Object.assign(new Error(message), { code })

  test('default', async () => {
    expect(await Permission.verify(node(yes), { permission, signature })).toBe(true)
    expect(await Permission.verify(node(no), { permission, signature })).toBe(false)
  })

  test('behavior: a revert is a no', async () => {
    for (const error of [failure(3, 'execution reverted'), failure(-32000, 'execution reverted: 0x')])
      expect(await Permission.verify(node(error), { permission, signature })).toBe(false)
  })

  test('error: no answer is never a no', async () => {
    for (const error of [
      failure(-32603, 'internal error'),
      failure(429, 'rate limited'),
      new Error('socket hang up'),
    ])
      await expect(Permission.verify(node(error), { permission, signature })).rejects.toThrow(BaseError)
    const nobody = createWalletClient({ transport: http('http://127.0.0.1:9', { retryCount: 0 }) })
    await expect(Permission.verify(nobody, { permission, signature })).rejects.toThrow(BaseError)
  })

  test('error: an answer that is no boolean', async () => {
    await expect(Permission.verify(node('0x1234'), { permission, signature })).rejects.toThrow(BaseError)
  })

  test('error: no validator on the chain', async () => {
    const error = await rejected(Permission.verify(node('0x'), { permission, signature }))
    expect(error.code).toBe('VALIDATOR_MISSING')
    expect(error.message).toContain(publicERC6492Validator)
  })

  test('error: another chain', async () => {
    const error = await rejected(Permission.verify(node(yes, 84532), { permission, signature }))
    expect(error.code).toBe('CHAIN_MISMATCH')
  })

  test('error: a signature that is not bytes', async () => {
    for (const signature of ['', '0x123', 'yes'] as const)
      await expect(Permission.verify(node(yes), { permission, signature: signature as Hex })).rejects.toThrow(
        InputError,
      )
  })
})
