import { execFileSync } from 'node:child_process'
import { type Address, encodeFunctionData } from 'viem'
import { afterAll, describe, expect, test } from 'vitest'
import { usdcAbi } from '../../abi/index.js'
import * as Addresses from '../../src/Addresses.js'
import { startBase } from '../../src/testing/index.js'
import { useBase } from '../base.js'

// Whatever this Base is, it serves as the endpoint for another one.
const upstream = await useBase()
const holder = await upstream.createWallet({ usdc: 42n })
const fork = await startBase({ forkUrl: upstream.url })
afterAll(fork.stop)

const usdc = { address: Addresses.usdc[8453], abi: usdcAbi } as const
const balanceOf = (base: typeof fork, address: Address) =>
  base.client.readContract({ ...usdc, functionName: 'balanceOf', args: [address] })

test('default', async () => {
  expect(fork.kind).toBe('fork')
  expect(fork.chain.id).toBe(8453)
  expect(await fork.client.getChainId()).toBe(8453)
  expect(await balanceOf(fork, holder.address)).toBe(42n)
})

test('behavior: block and time go on from the forked block', async () => {
  expect(fork.startBlock).toBe((await upstream.client.getBlockNumber()) + 1n)
  expect(await fork.now()).toBe((await upstream.now()) + 2)
})

test.each([
  { name: 'SpendPermissionManager', address: Addresses.spendPermissionManager },
  { name: 'PublicERC6492Validator', address: Addresses.publicERC6492Validator },
  { name: 'MagicSpend', address: Addresses.magicSpend },
  { name: 'smart wallet factory 1', address: Addresses.coinbaseSmartWalletFactoryV1 },
  { name: 'smart wallet factory 1.1', address: Addresses.coinbaseSmartWalletFactoryV1_1 },
  { name: 'EntryPoint', address: Addresses.entryPoint06 },
  { name: 'Multicall3', address: Addresses.multicall3 },
  { name: 'USDC', address: usdc.address },
] as const)('behavior: the code of $name is untouched', async ({ address }) => {
  const code = await fork.client.getCode({ address })
  expect(code).toBeDefined()
  expect(code).toBe(await upstream.client.getCode({ address }))
})

test('behavior: the guard is deployed where it is missing', async () => {
  const code = await upstream.client.getCode({ address: Addresses.hardcapGuard })
  for (const address of [Addresses.hardcapGuard, Addresses.purseImplementation] as const) {
    await upstream.client.setCode({ address, bytecode: '0x' })
    await upstream.client.setNonce({ address, nonce: 0 })
  }
  await upstream.mine()
  const bare = await startBase({ forkUrl: upstream.url })
  expect(await bare.client.getCode({ address: Addresses.hardcapGuard })).toBe(code)
  expect(await bare.client.getCode({ address: Addresses.purseImplementation })).toBeDefined()
  expect(bare.startBlock).toBe((await upstream.client.getBlockNumber()) + 1n)
  await bare.stop()
})

test('behavior: what happens on the fork stays there', async () => {
  await fork.fundUsdc(holder.address, 1n)
  expect(await balanceOf(fork, holder.address)).toBe(43n)
  expect(await balanceOf(upstream, holder.address)).toBe(42n)
})

describe('behavior: helpers work as offline', () => {
  test.each([
    { owner: 'EOA', deployed: true },
    { owner: 'EOA', deployed: false },
    { owner: 'passkey', deployed: true },
    { owner: 'passkey', deployed: false },
  ])('createWallet and execute, %o', async ({ owner, deployed }) => {
    const wallet = await fork.createWallet({
      deployed,
      usdc: 5n,
      ...(owner === 'passkey' ? { owner: 'passkey' } : {}),
    })
    const payee = (await fork.createAccount()).address
    const data = encodeFunctionData({ ...usdc, functionName: 'transfer', args: [payee, 2n] })
    await wallet.execute([{ to: usdc.address, data }])
    expect(await balanceOf(fork, wallet.address)).toBe(3n)
    expect(await balanceOf(fork, payee)).toBe(2n)
  })

  test('warp, mine, finalize', async () => {
    const later = (await fork.now()) + 86_400
    await fork.warp(later)
    expect(await fork.now()).toBe(later)
    const block = await fork.client.getBlockNumber()
    await fork.finalize()
    expect((await fork.client.getBlock({ blockTag: 'finalized' })).number).toBe(block)
  })

  test('snapshot', async () => {
    const account = await fork.createAccount()
    const revert = await fork.snapshot()
    await fork.client.sendTransactionSync({ account, to: account.address })
    await revert()
    expect(await fork.client.getTransactionCount(account)).toBe(0)
  })

  test('reorg', async () => {
    const account = await fork.createAccount()
    const { transactionHash } = await fork.client.sendTransactionSync({ account, to: account.address })
    expect(await fork.reorg(1)).toEqual([transactionHash])
    expect(await fork.client.getTransactionCount(account)).toBe(0)
    const deepest = (await fork.client.getBlockNumber()) - fork.startBlock
    await expect(fork.reorg(Number(deepest) + 1)).rejects.toMatchObject({ code: 'REORG_TOO_DEEP' })
  })
})

test('args: forkBlock', async () => {
  const block = await upstream.client.getBlockNumber()
  const [before, time] = [await balanceOf(upstream, holder.address), await upstream.now()]
  await upstream.fundUsdc(holder.address, 100n)
  const pinned = await startBase({ forkUrl: upstream.url, forkBlock: block })
  expect(pinned.startBlock).toBe(block + 1n)
  expect(await pinned.now()).toBe(time + 2)
  expect(await balanceOf(pinned, holder.address)).toBe(before)
  await pinned.stop()
})

test('behavior: no process has the fork URL in its arguments, where every user of the machine could read it', () => {
  const running = execFileSync('ps', ['-eo', 'args'], { encoding: 'utf8' })
  expect(running).toContain(`anvil --port 0`)
  expect(running).toContain('--fork-url upstream')
  expect(running).not.toContain(`--fork-url ${upstream.url}`)
})
