import { encodeFunctionData, hashMessage, hashTypedData, isErc6492Signature, pad, parseEventLogs } from 'viem'
import { entryPoint06Abi } from 'viem/account-abstraction'
import { describe, expect, test } from 'vitest'
import {
  coinbaseSmartWalletAbi,
  coinbaseSmartWalletFactoryAbi,
  publicERC6492ValidatorAbi,
  usdcAbi,
} from '../../abi/index.js'
import * as Addresses from '../../src/Addresses.js'
import type { CreateWalletOptions, Wallet } from '../../src/testing/index.js'
import { createPasskey } from '../../src/testing/index.js'
import { useBase } from '../base.js'

const base = await useBase()
const { client } = base
const usdc = { address: Addresses.usdc[8453], abi: usdcAbi } as const
const payee = '0x00000000000000000000000000000000c0ffee00'

const balanceOf = (address: Wallet['address']) =>
  client.readContract({ ...usdc, functionName: 'balanceOf', args: [address] })

const pay = (amount: bigint) => ({
  to: usdc.address,
  data: encodeFunctionData({ ...usdc, functionName: 'transfer', args: [payee, amount] }),
})

const owners = (wallet: Wallet) => {
  const read = (index: bigint) =>
    client.readContract({
      address: wallet.address,
      abi: coinbaseSmartWalletAbi,
      functionName: 'ownerAtIndex',
      args: [index],
    })
  return Promise.all([read(0n), read(1n), read(2n)])
}

const ownerBytes = ({ owner }: Wallet) =>
  owner.type === 'local' ? pad(owner.address).toLowerCase() : owner.publicKey

const accepts = async (wallet: Wallet, hash: `0x${string}`, signature: `0x${string}`) => {
  const { result } = await client.simulateContract({
    address: Addresses.publicERC6492Validator,
    abi: publicERC6492ValidatorAbi,
    functionName: 'isValidSignatureNowAllowSideEffects',
    args: [wallet.address, hash, signature],
  })
  return result
}

const variants = (['EOA', 'passkey'] as const).flatMap((owner) =>
  (['1', '1.1'] as const).flatMap((version) =>
    [true, false].flatMap((deployed) =>
      [true, false].map((spm) => ({
        name: `${owner}, version ${version}, ${deployed ? 'deployed' : 'counterfactual'}, ${spm ? 'with' : 'without'} SPM`,
        options: {
          version,
          deployed,
          spm,
          ...(owner === 'passkey' ? { owner } : {}),
        } satisfies CreateWalletOptions,
      })),
    ),
  ),
)

const typedData = {
  domain: { name: 'Test', version: '1', chainId: 8453, verifyingContract: payee },
  types: { Note: [{ name: 'text', type: 'string' }] },
  primaryType: 'Note',
  message: { text: 'hello' },
} as const

describe.each(variants)('$name', ({ options }) => {
  test('default', async () => {
    const wallet = await base.createWallet({ ...options, usdc: 7n })
    expect((await client.getCode({ address: wallet.address })) !== undefined).toBe(options.deployed)
    expect(await balanceOf(wallet.address)).toBe(7n)
    await wallet.deploy()
    expect(await owners(wallet)).toEqual([
      ownerBytes(wallet),
      options.spm ? pad(Addresses.spendPermissionManager).toLowerCase() : '0x',
      '0x',
    ])
    expect(wallet.ownerIndex).toBe(0)
  })

  test('behavior: the ERC-6492 validator accepts its signatures and no others', async () => {
    const wallet = await base.createWallet(options)
    const message = await wallet.account.signMessage({ message: 'hello' })
    expect(isErc6492Signature(message)).toBe(!options.deployed)
    expect(await accepts(wallet, hashMessage('hello'), message)).toBe(true)
    expect(await accepts(wallet, hashMessage('hullo'), message)).toBe(false)
    const typed = await wallet.account.signTypedData(typedData)
    expect(await accepts(wallet, hashTypedData(typedData), typed)).toBe(true)
    const other = await base.createWallet(options)
    expect(await accepts(other, hashTypedData(typedData), typed)).toBe(false)
  })

  test('behavior: execute makes one call, and several', async () => {
    const wallet = await base.createWallet({ ...options, usdc: 10n })
    const before = await balanceOf(payee)
    expect((await wallet.execute([pay(1n)])).status).toBe('success')
    expect((await wallet.execute([pay(2n), pay(3n)])).status).toBe('success')
    expect(await balanceOf(payee)).toBe(before + 6n)
    expect(await balanceOf(wallet.address)).toBe(4n)
  })

  test('error: execute, a call that reverts, and the others with it', async () => {
    const wallet = await base.createWallet({ ...options, usdc: 10n })
    const error = options.deployed ? 'ContractFunctionExecutionError' : 'TestingError'
    await expect(wallet.execute([pay(1n), pay(11n)])).rejects.toMatchObject({
      name: error,
      message: expect.stringContaining('ERC20: transfer amount exceeds balance'),
    })
    expect(await balanceOf(wallet.address)).toBe(10n)
  })
})

describe('createWallet', () => {
  test('default', async () => {
    const wallet = await base.createWallet()
    expect(wallet.owner.type).toBe('local')
    expect(
      await client.readContract({
        address: wallet.address,
        abi: coinbaseSmartWalletAbi,
        functionName: 'isOwnerAddress',
        args: [Addresses.spendPermissionManager],
      }),
    ).toBe(true)
  })

  test('args: owner', async () => {
    const owner = await base.createAccount()
    const wallet = await base.createWallet({ owner })
    expect(wallet.owner).toBe(owner)
    expect((await base.createWallet({ owner })).address).toBe(wallet.address)
  })

  test('args: owner, a passkey that was there before', async () => {
    const owner = createPasskey()
    const wallet = await base.createWallet({ owner })
    expect(await owners(wallet)).toContain(owner.publicKey)
  })

  test('args: nonce', async () => {
    const owner = await base.createAccount()
    const first = await base.createWallet({ owner })
    const second = await base.createWallet({ owner, nonce: 1n })
    expect(second.address).not.toBe(first.address)
    expect(await accepts(second, hashMessage('x'), await second.account.signMessage({ message: 'x' }))).toBe(
      true,
    )
  })

  test.each([
    ['1', Addresses.coinbaseSmartWalletFactoryV1],
    ['1.1', Addresses.coinbaseSmartWalletFactoryV1_1],
  ] as const)('args: version %s', async (version, factory) => {
    const wallet = await base.createWallet({ version, deployed: false })
    const predicted = await client.readContract({
      address: factory,
      abi: coinbaseSmartWalletFactoryAbi,
      functionName: 'getAddress',
      args: [[pad(wallet.owner.address), pad(Addresses.spendPermissionManager)], 0n],
    })
    expect(wallet.address).toBe(predicted)
    expect(wallet.account.factory.address.toLowerCase()).toBe(factory.toLowerCase())
  })

  test('behavior: the counterfactual address is that of the deployed wallet', async () => {
    const owner = await base.createAccount()
    const early = await base.createWallet({ owner, deployed: false })
    const late = await base.createWallet({ owner })
    expect(late.address).toBe(early.address)
    expect(await client.getCode({ address: early.address })).toBeDefined()
  })

  test('behavior: many at once', async () => {
    const wallets = await Promise.all(Array.from({ length: 5 }, () => base.createWallet({ usdc: 1n })))
    const balances = await Promise.all(wallets.map(({ address }) => balanceOf(address)))
    expect(balances).toEqual([1n, 1n, 1n, 1n, 1n])
  })

  test('behavior: a wallet can be deployed again after a revert to before it was', async () => {
    const wallet = await base.createWallet({ deployed: false, usdc: 5n })
    const revert = await base.snapshot()
    await wallet.deploy()
    await revert()
    expect(await client.getCode({ address: wallet.address })).toBeUndefined()
    await wallet.execute([pay(1n)])
    expect(await balanceOf(wallet.address)).toBe(4n)
  })
})

describe('execute', () => {
  test('behavior: by a passkey, it is a user operation that costs the wallet nothing', async () => {
    const wallet = await base.createWallet({ owner: 'passkey', usdc: 1n })
    const receipt = await wallet.execute([pay(1n)])
    const [event] = parseEventLogs({
      abi: entryPoint06Abi,
      eventName: 'UserOperationEvent',
      logs: receipt.logs,
    })
    expect(receipt.to?.toLowerCase()).toBe(Addresses.entryPoint06.toLowerCase())
    expect(event?.args).toMatchObject({ sender: wallet.address, success: true, actualGasCost: 0n })
    expect(await client.getBalance({ address: wallet.address })).toBe(0n)
  })

  test('behavior: by an EOA, it is the owner’s transaction', async () => {
    const wallet = await base.createWallet({ usdc: 1n })
    const receipt = await wallet.execute([pay(1n)])
    expect(receipt.from.toLowerCase()).toBe(wallet.owner.address.toLowerCase())
    expect(receipt.to?.toLowerCase()).toBe(wallet.address.toLowerCase())
  })

  test('behavior: the wallet changes its own owners', async () => {
    const wallet = await base.createWallet({ spm: false })
    const data = encodeFunctionData({
      abi: coinbaseSmartWalletAbi,
      functionName: 'addOwnerAddress',
      args: [Addresses.spendPermissionManager],
    })
    await wallet.execute([{ to: wallet.address, data }])
    expect((await owners(wallet))[1]).toBe(pad(Addresses.spendPermissionManager).toLowerCase())
  })

  test('behavior: value', async () => {
    const wallet = await base.createWallet()
    await base.fundEth(wallet.address, 5n)
    const { address } = await base.createAccount()
    const before = await client.getBalance({ address })
    await wallet.execute([{ to: address, value: 5n }])
    expect(await client.getBalance({ address })).toBe(before + 5n)
  })

  test.each(['EOA', 'passkey'] as const)('behavior: by %s, at the time of its own block', async (owner) => {
    const wallet = await base.createWallet(owner === 'passkey' ? { owner } : {})
    const { address } = await base.createAccount()
    const end = (await base.now()) + 100
    // Reverts unless the block's time is below `end`.
    const bytecode = `0x63${end.toString(16).padStart(8, '0')}4210600f5760006000fd5b00` as const
    await client.setCode({ address, bytecode })
    await base.nextBlockAt(end - 1)
    await wallet.execute([{ to: address }])
    expect(await base.now()).toBe(end - 1)
    await base.nextBlockAt(end)
    await expect(wallet.execute([{ to: address }])).rejects.toMatchObject({
      name: 'ContractFunctionExecutionError',
    })
    expect(await base.now()).toBe(end - 1)
  })

  test('error: an owner that is none any more', async () => {
    const wallet = await base.createWallet({ owner: 'passkey', spm: true, usdc: 1n })
    const data = encodeFunctionData({
      abi: coinbaseSmartWalletAbi,
      functionName: 'removeOwnerAtIndex',
      args: [0n, wallet.owner.publicKey],
    })
    await wallet.execute([{ to: wallet.address, data }])
    await expect(wallet.execute([pay(1n)])).rejects.toThrow(/FailedOp|AA2[34]/)
  })
})

test('behavior: a passkey’s signatures are on the low half of the curve’s order', async () => {
  const half = 0x7fffffff800000007fffffffffffffffde737d56d38bcf4279dce5617e3192a8n
  const passkey = createPasskey()
  for (let n = 0; n < 64; n++) {
    const { signature } = await passkey.sign({ hash: pad(`0x${n.toString(16).padStart(2, '0')}`) })
    expect(signature).toHaveLength(2 + 128)
    expect(BigInt(`0x${signature.slice(66)}`)).toBeLessThanOrEqual(half)
  }
})
