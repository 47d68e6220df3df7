import { concat, createClient, createWalletClient, type Hex, http, size, slice } from 'viem'
import { createBundlerClient } from 'viem/account-abstraction'
import { describe, expect, test } from 'vitest'
import { spendPermissionManagerAbi } from '../../abi/index.js'
import { spendPermissionManager } from '../../src/Addresses.js'
import { Grant, Permission } from '../../src/index.js'
import { useBase } from '../base.js'

const base = await useBase()
const somebody = '0x1111111111111111111111111111111111111111'
const agent = '0x2222222222222222222222222222222222222222'
const spm = { abi: spendPermissionManagerAbi, address: spendPermissionManager } as const
const erc6492Suffix: Hex = `0x${'6492'.repeat(16)}`

async function permissionOf(owner: Hex, nonce?: bigint) {
  const now = await base.now()
  const params = {
    owner,
    agent,
    rail: 'direct',
    allow: ['api.example.com'],
    perDayUsd: '2',
    totalUsd: '25',
  } as const
  return Permission.fromGrant(Grant.define(params, { now }), { nonce })
}

describe('sign and verify', () => {
  for (const version of ['1', '1.1'] as const)
    for (const kind of ['EOA', 'passkey'] as const)
      for (const deployed of [true, false]) {
        const state = deployed ? 'deployed' : 'not deployed'
        test(`default: wallet ${version}, ${state}, owner ${kind}`, async () => {
          const owner = kind === 'EOA' ? await base.createAccount() : kind
          const { account, address } = await base.createWallet({ owner, deployed, version })
          const permission = await permissionOf(address)

          const signature = await Permission.sign(account, permission)
          expect(slice(signature, size(signature) - 32) === erc6492Suffix).toBe(!deployed)
          expect(await Permission.verify(base.client, { permission, signature })).toBe(true)
          // The chain was only asked.
          expect((await base.client.getCode({ address })) !== undefined).toBe(deployed)

          const other = { ...permission, allowance: permission.allowance + 1n }
          expect(await Permission.verify(base.client, { permission: other, signature })).toBe(false)
        })
      }

  test('behavior: an EOA without a wallet', async () => {
    const account = await base.createAccount()
    const permission = await permissionOf(account.address)
    for (const signer of [account, createWalletClient({ account, chain: base.chain, transport: http() })]) {
      const signature = await Permission.sign(signer, permission)
      expect(await Permission.verify(base.client, { permission, signature })).toBe(true)
    }
  })

  test('behavior: a client whose account is a smart wallet', async () => {
    const { account, address } = await base.createWallet()
    const client = createBundlerClient({ account, chain: base.chain, transport: http() })
    const permission = await permissionOf(address)
    const signature = await Permission.sign(client, permission)
    expect(await Permission.verify(base.client, { permission, signature })).toBe(true)
  })

  test('behavior: a batch', async () => {
    const { account, address } = await base.createWallet({ owner: 'passkey', deployed: false })
    const permissions = [await permissionOf(address), await permissionOf(address, 1n)]
    const batch = Permission.batch(permissions)
    const signature = await Permission.sign(account, batch)
    expect(await Permission.verify(base.client, { permission: batch, signature })).toBe(true)
    const less = Permission.batch(permissions.slice(1))
    expect(await Permission.verify(base.client, { permission: less, signature })).toBe(false)
  })

  test('behavior: the signature of somebody else', async () => {
    const { address } = await base.createWallet()
    const permission = await permissionOf(address)
    const { account: stranger } = await base.createWallet({ deployed: false })
    const signature = await stranger.signTypedData(Permission.typedData(permission))
    expect(await Permission.verify(base.client, { permission, signature })).toBe(false)
  })

  test('behavior: bytes that are no signature', async () => {
    for (const deployed of [true, false]) {
      const { address } = await base.createWallet({ deployed })
      const permission = await permissionOf(address)
      const garbage: Hex[] = ['0x', '0x00', `0x${'00'.repeat(65)}`, `0x${'ff'.repeat(200)}`, erc6492Suffix]
      garbage.push(concat([`0x${'ff'.repeat(96)}`, erc6492Suffix]))
      for (const signature of garbage)
        expect(await Permission.verify(base.client, { permission, signature })).toBe(false)
    }
  })

  test('error: a node that is gone', async () => {
    const { account, address } = await base.createWallet()
    const permission = await permissionOf(address)
    const signature = await Permission.sign(account, permission)
    const nobody = createClient({ transport: http('http://127.0.0.1:9', { retryCount: 0 }) })
    await expect(Permission.verify(nobody, { permission, signature })).rejects.toThrow()
  })
})

describe('hash', () => {
  test('default: as the contract has it', async () => {
    const [one, two] = [await permissionOf(somebody), await permissionOf(somebody, 1n)]
    const struct = { ...one, extraData: '0x1234' } as const
    const hash = await base.client.readContract({ ...spm, functionName: 'getHash', args: [struct] })
    expect(Permission.hash(struct)).toBe(hash)

    const batch = Permission.batch([struct, two])
    const batchHash = await base.client.readContract({ ...spm, functionName: 'getBatchHash', args: [batch] })
    expect(Permission.batchHash(batch)).toBe(batchHash)
  })
})

describe('periodAt', () => {
  test('default: as the contract has it, at every boundary', async () => {
    const start = (await base.now()) + 100
    const permission = {
      ...(await permissionOf(somebody)),
      ...{ start, end: start + 250, period: 100 },
    }
    const errors: string[] = []
    for (const seconds of [-1, 0, 99, 100, 199, 200, 249, 250]) {
      await base.warp(start + seconds)
      const period = Permission.periodAt(permission, start + seconds)
      const actual = await base.client
        .readContract({ ...spm, functionName: 'getCurrentPeriod', args: [permission] })
        .catch((error: Error) => {
          errors.push(/(Before|After)SpendPermission(Start|End)/.exec(error.message)?.[0] ?? error.message)
          return null
        })
      expect(actual && { start: actual.start, end: actual.end }).toEqual(period)
    }
    expect(errors).toEqual(['BeforeSpendPermissionStart', 'AfterSpendPermissionEnd'])
  })
})
