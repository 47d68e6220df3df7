import { type Address, hashDomain, parseAbi, parseEther } from 'viem'
import { describe, expect, test } from 'vitest'
import { spendPermissionManagerAbi, usdcAbi } from '../../abi/index.js'
import * as Addresses from '../../src/Addresses.js'
import { useBase } from '../base.js'

const base = await useBase()
const { client } = base
const usdc = { address: Addresses.usdc[8453], abi: usdcAbi } as const

const deployed: Record<string, Address> = {
  spendPermissionManager: Addresses.spendPermissionManager,
  publicERC6492Validator: Addresses.publicERC6492Validator,
  magicSpend: Addresses.magicSpend,
  coinbaseSmartWalletFactoryV1: Addresses.coinbaseSmartWalletFactoryV1,
  coinbaseSmartWalletFactoryV1_1: Addresses.coinbaseSmartWalletFactoryV1_1,
  entryPoint06: Addresses.entryPoint06,
  multicall3: Addresses.multicall3,
  create2Deployer: Addresses.create2Deployer,
  usdc: Addresses.usdc[8453],
  hardcapGuard: Addresses.hardcapGuard,
  purseImplementation: Addresses.purseImplementation,
}

test('default', async () => {
  expect(base.kind).toBe(process.env.BASE_RPC_URL ? 'fork' : 'offline')
  expect(base.chain.id).toBe(8453)
  expect(await client.getChainId()).toBe(8453)
  expect(base.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/)
  expect(base.startBlock).toBe(await client.getBlockNumber())
})

test.each(Object.keys(deployed))('behavior: %s has code', async (name) => {
  const address = deployed[name] ?? '0x'
  expect(await client.getCode({ address })).toMatch(/^0x[0-9a-f]{2,}$/)
})

describe('behavior: contracts know each other', () => {
  test('SpendPermissionManager', async () => {
    const spm = { address: Addresses.spendPermissionManager, abi: spendPermissionManagerAbi } as const
    expect(await client.readContract({ ...spm, functionName: 'PUBLIC_ERC6492_VALIDATOR' })).toBe(
      Addresses.publicERC6492Validator,
    )
    expect(await client.readContract({ ...spm, functionName: 'MAGIC_SPEND' })).toBe(Addresses.magicSpend)
    expect(await client.readContract({ ...spm, functionName: 'NATIVE_TOKEN' })).toBe(Addresses.nativeToken)
  })

  test('the factories’ implementations have code', async () => {
    for (const address of [
      Addresses.coinbaseSmartWalletFactoryV1,
      Addresses.coinbaseSmartWalletFactoryV1_1,
    ] as const) {
      const implementation = await client.readContract({
        address,
        abi: parseAbi(['function implementation() view returns (address)']),
        functionName: 'implementation',
      })
      expect(await client.getCode({ address: implementation })).toBeDefined()
    }
  })
})

test('behavior: USDC is USD Coin, version 2, six decimals, in EIP-712 and in words', async () => {
  const read = (functionName: 'name' | 'symbol' | 'version' | 'DOMAIN_SEPARATOR' | 'currency') =>
    client.readContract({ ...usdc, functionName })
  expect(await read('name')).toBe('USD Coin')
  expect(await read('symbol')).toBe('USDC')
  expect(await read('version')).toBe('2')
  expect(await read('currency')).toBe('USD')
  expect(await client.readContract({ ...usdc, functionName: 'decimals' })).toBe(6)
  const domain = hashDomain({
    domain: { name: 'USD Coin', version: '2', chainId: 8453n, verifyingContract: usdc.address },
    types: {
      EIP712Domain: [
        { name: 'name', type: 'string' },
        { name: 'version', type: 'string' },
        { name: 'chainId', type: 'uint256' },
        { name: 'verifyingContract', type: 'address' },
      ],
    },
  })
  expect(await read('DOMAIN_SEPARATOR')).toBe(domain)
  expect(domain).toBe('0x02fa7265e7c5d81118673727957699e4d68f74cd74b7db77da710fe8a2c7834f')
})

test('behavior: the P-256 precompile is there', async () => {
  // A vector of RIP-7212: hash, r, s, x, y.
  const { data } = await client.call({
    to: '0x0000000000000000000000000000000000000100',
    data: '0x4cee90eb86eaa050036147a12d49004b6b9c72bd725d39d4785011fe190f0b4da73bd4903f0ce3b639bbbf6e8e80d16931ff4bcf5993d58468e8fb19086e8cac36dbcd03009df8c59286b162af3bd7fcc0450c9aa81be5d10d312af6c66b1d604aebd3099c618202fcfe16ae7770b0c49ab5eadf74b754204a3bb6060e44eff37618b065f9832de4ca6ca971a7a1adc826d0f7c00181a5fb2ddf79ae00b4e10e',
  })
  expect(data).toBe(`0x${'1'.padStart(64, '0')}`)
})

test('behavior: many reads go as one through Multicall3, also at a given block', async () => {
  const blockNumber = await client.getBlockNumber()
  const contracts = [
    { ...usdc, functionName: 'decimals' },
    { ...usdc, functionName: 'symbol' },
  ] as const
  expect(await client.multicall({ contracts, allowFailure: false, blockNumber })).toEqual([6, 'USDC'])
})

describe('createAccount', () => {
  test('default', async () => {
    const account = await base.createAccount()
    expect(await client.getBalance(account)).toBe(parseEther('10'))
    expect(await client.getCode(account)).toBeUndefined()
    expect(await client.getTransactionCount(account)).toBe(0)
  })

  test('behavior: it can send', async () => {
    const account = await base.createAccount()
    const receipt = await client.sendTransactionSync({ account, to: account.address, value: 1n })
    expect(receipt.status).toBe('success')
  })
})

describe('fundEth', () => {
  test('default', async () => {
    const { address } = await base.createAccount()
    await base.fundEth(address, 1n)
    expect(await client.getBalance({ address })).toBe(parseEther('10') + 1n)
  })

  test('behavior: concurrent funding adds up', async () => {
    const { address } = await base.createAccount()
    await Promise.all(Array.from({ length: 8 }, () => base.fundEth(address, 1n)))
    expect(await client.getBalance({ address })).toBe(parseEther('10') + 8n)
  })
})

describe('impersonate', () => {
  test('default', async () => {
    const address = (await base.createAccount()).address
    await base.impersonate(address)
    const receipt = await client.sendTransactionSync({ account: address, to: address })
    expect(receipt.status).toBe('success')
  })

  test('behavior: a contract sends too', async () => {
    const { address } = await base.createWallet({ usdc: 3n })
    const payee = (await base.createAccount()).address
    await base.impersonate(address)
    await client.writeContractSync({
      ...usdc,
      account: address,
      functionName: 'transfer',
      args: [payee, 3n],
    })
    expect(await client.readContract({ ...usdc, functionName: 'balanceOf', args: [payee] })).toBe(3n)
  })
})

describe('fundUsdc', () => {
  const balanceOf = (address: Address) =>
    client.readContract({ ...usdc, functionName: 'balanceOf', args: [address] })

  test('default', async () => {
    const { address } = await base.createAccount()
    await base.fundUsdc(address, 5_000_000n)
    expect(await balanceOf(address)).toBe(5_000_000n)
  })

  test('behavior: adds to the balance and to the supply, with a Transfer from zero', async () => {
    const { address } = await base.createAccount()
    const supply = await client.readContract({ ...usdc, functionName: 'totalSupply' })
    await base.fundUsdc(address, 1n)
    const fromBlock = (await client.getBlockNumber()) + 1n
    await base.fundUsdc(address, 2n)
    expect(await balanceOf(address)).toBe(3n)
    expect(await client.readContract({ ...usdc, functionName: 'totalSupply' })).toBe(supply + 3n)
    const events = await client.getContractEvents({
      ...usdc,
      eventName: 'Transfer',
      fromBlock,
      args: { to: address },
    })
    expect(events.map(({ args }) => [args.from, args.value])).toEqual([
      ['0x0000000000000000000000000000000000000000', 2n],
    ])
  })

  test('behavior: nothing is nothing', async () => {
    const { address } = await base.createAccount()
    const block = await client.getBlockNumber()
    await base.fundUsdc(address, 0n)
    expect(await balanceOf(address)).toBe(0n)
    expect(await client.getBlockNumber()).toBe(block)
  })

  test('behavior: concurrent funding adds up', async () => {
    const { address } = await base.createAccount()
    await Promise.all(Array.from({ length: 8 }, () => base.fundUsdc(address, 1n)))
    expect(await balanceOf(address)).toBe(8n)
  })

  test('error: a blacklisted account stays blacklisted', async () => {
    const { address } = await base.createAccount()
    const blacklister = await client.readContract({ ...usdc, functionName: 'blacklister' })
    await base.impersonate(blacklister)
    await client.writeContractSync({
      ...usdc,
      account: blacklister,
      functionName: 'blacklist',
      args: [address],
    })
    await expect(base.fundUsdc(address, 1n)).rejects.toThrow('Blacklistable: account is blacklisted')
    expect(await client.readContract({ ...usdc, functionName: 'isBlacklisted', args: [address] })).toBe(true)
  })
})
