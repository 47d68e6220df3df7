import { QueryClient } from '@tanstack/react-query'
import { type Address, type Client, concat, type Hex, isAddress, numberToHex, pad } from 'viem'
import { toCoinbaseSmartAccount } from 'viem/account-abstraction'
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts'
import { describe, expect, test } from 'vitest'
import type { Config } from 'wagmi'
import { getPublicClient } from 'wagmi/actions'
import { coinbaseSmartWalletAbi, coinbaseSmartWalletFactoryAbi } from '../../abi/index.js'
import {
  coinbaseSmartWalletFactoryV1_1 as factory,
  spendPermissionManager,
  usdc,
} from '../../src/Addresses.js'
import { InputError } from '../../src/errors.js'
import * as Permission from '../../src/Permission.js'
import * as SmartWallet from '../../src/react/SmartWallet.js'
import { plainQuery } from '../../src/react/useSmartWallet.js'
import * as Spm from '../../src/Spm.js'
import * as Transaction from '../../src/Transaction.js'
import * as Wallet from '../../src/Wallet.js'
import { useBase } from '../base.js'
import * as kit from '../chain/kit.js'
import { connected } from './wallet.js'

const base = await useBase()
const chainId = base.chain.id
const { rejection, usd } = kit

async function plain(amount = usd('20')) {
  const key = await base.createAccount()
  await base.fundUsdc(key.address, amount)
  return { key, whose: { owner: key.address, chainId }, ...(await connected(base, key)) }
}

const read = (whose: SmartWallet.Whose) => SmartWallet.read(base.client, whose)
const balanceOf = (address: Address) => kit.balanceOf(base, address)

describe('addressOf', () => {
  test("default: the factory's own", async () => {
    for (let n = 0; n < 10; n += 1) {
      const { address } = privateKeyToAccount(generatePrivateKey())
      const args = [[pad(address), pad(spendPermissionManager)], 0n] as const
      const made = await base.client.readContract({
        address: factory,
        abi: coinbaseSmartWalletFactoryAbi,
        functionName: 'getAddress',
        args,
      })
      expect(SmartWallet.addressOf(address), address).toBe(made)
      expect(isAddress(made)).toBe(true)
      expect(SmartWallet.addressOf(address.toLowerCase() as Address)).toBe(made)
    }
  })
})

describe('prepareMove', () => {
  test('default', () => {
    const owner = '0x1111111111111111111111111111111111111111'
    const call = SmartWallet.prepareMove({ owner, chainId, amount: 5_000_000n })
    expect(call).toMatchObject({ to: usdc[8453], value: 0n })
    expect(call.data).toBe(
      `0xa9059cbb${pad(SmartWallet.addressOf(owner)).slice(2).toLowerCase()}${5_000_000n.toString(16).padStart(64, '0')}`,
    )
  })

  test('error: nothing, less than nothing, and a chain whose USDC nobody knows', () => {
    const owner = '0x1111111111111111111111111111111111111111'
    const codeOf = (options: { chainId: number; amount: bigint }) => {
      try {
        return SmartWallet.prepareMove({ owner, ...options }).to
      } catch (error) {
        return error instanceof InputError ? error.code : error
      }
    }
    expect(codeOf({ chainId, amount: 0n })).toBe('INVALID_AMOUNT')
    expect(codeOf({ chainId, amount: -1n })).toBe('INVALID_AMOUNT')
    expect(codeOf({ chainId: 1, amount: 1n })).toBe('UNKNOWN_TOKEN')
  })
})

describe('create', () => {
  test('default: at the address that was named before, with both owners, and spent from at once', async () => {
    const { key, whose, config, sent } = await plain()
    const address = SmartWallet.addressOf(key.address)
    expect(await read(whose)).toEqual({ address, isThere: false, others: 0, balance: 0n })
    const { hashes } = await SmartWallet.create(config, whose)
    expect(hashes).toHaveLength(1)
    expect(sent).toEqual([{ to: factory, data: SmartWallet.prepareCreate(whose).data }])
    expect(await read(whose)).toEqual({ address, isThere: true, others: 0, balance: 0n })
    const owners: readonly Address[] = [key.address, spendPermissionManager]
    for (const owner of owners)
      expect(await Wallet.isOwner(base.client, { account: address, owner })).toBe(true)

    await SmartWallet.move(config, { ...whose, amount: usd('5') })
    const agent = await base.createAccount()
    const wallet = await toCoinbaseSmartAccount({
      client: base.client,
      owners: [key, spendPermissionManager],
      version: '1.1',
    })
    expect(wallet.address).toBe(address)
    const permission = await kit.permissionOf(base, address, agent.address)
    const signature = await Permission.sign(wallet, permission)
    await Spm.approve(kit.clientOf(base, agent), { permission, signature })
    await Spm.spend(kit.clientOf(base, agent), { permission, amount: 100n })
    expect(await balanceOf(agent.address)).toBe(100n)
    expect(await balanceOf(address)).toBe(usd('5') - 100n)
  })

  test('behavior: a second time nothing is sent', async () => {
    const { whose, config, sent } = await plain()
    await SmartWallet.create(config, whose)
    expect(await SmartWallet.create(config, whose)).toEqual({ hashes: [] })
    expect(sent).toHaveLength(1)
  })

  test('behavior: created by somebody else meanwhile, it is the same wallet', async () => {
    const { whose, config, sent } = await plain()
    const stranger = kit.clientOf(base, await base.createAccount())
    await Transaction.send(stranger, { call: SmartWallet.prepareCreate(whose), doing: 'Creating' })
    expect(await read(whose)).toMatchObject({ isThere: true, others: 0 })
    expect(await SmartWallet.create(config, whose)).toEqual({ hashes: [] })
    expect(sent).toEqual([])
  })

  test('error: declined in the wallet', async () => {
    const { key, whose } = await plain()
    const refuse = () => {
      throw Object.assign(new Error('User rejected the request.'), { code: 4001 })
    }
    const { config } = await connected(base, key, { eth_sendTransaction: refuse })
    await expect(SmartWallet.create(config, whose)).rejects.toMatchObject({ code: 'WALLET_REJECTED' })
    expect(await read(whose)).toMatchObject({ isThere: false })
  })

  test('error: the wallet acts as another account', async () => {
    const [{ whose }, { config, sent }] = [await plain(), await plain()]
    await expect(SmartWallet.create(config, whose)).rejects.toMatchObject({ code: 'WRONG_ACCOUNT' })
    expect(sent).toEqual([])
  })
})

describe('move', () => {
  test('default', async () => {
    const { key, whose, config, sent } = await plain(usd('20'))
    await SmartWallet.create(config, whose)
    const { hashes } = await SmartWallet.move(config, { ...whose, amount: usd('5.000001') })
    expect(hashes).toHaveLength(1)
    expect(sent).toHaveLength(2)
    expect(await read(whose)).toMatchObject({ isThere: true, balance: usd('5.000001') })
    expect(await balanceOf(key.address)).toBe(usd('14.999999'))
  })

  test('error: before the wallet is there', async () => {
    const { whose, config, sent } = await plain()
    await expect(SmartWallet.move(config, { ...whose, amount: 1n })).rejects.toMatchObject({
      code: 'NOT_ON_CHAIN',
      retryable: true,
    })
    expect(sent).toEqual([])
  })

  test("error: the wallet is there by the page's endpoint alone, which a server may have chosen", async () => {
    const { key, whose } = await plain()
    const yes = numberToHex(1, { size: 32 })
    const { config, sent } = await connected(
      base,
      key,
      {},
      { eth_getCode: () => '0x5f5ff3', eth_call: () => yes },
    )
    const client = getPublicClient(config, { chainId }) as Client
    const own = SmartWallet.addressOf(key.address)
    expect(await Wallet.isOwner(client, { account: own, owner: key.address })).toBe(true)
    await expect(SmartWallet.move(config, { ...whose, amount: 1n })).rejects.toMatchObject({
      code: 'NOT_ON_CHAIN',
    })
    expect(sent).toEqual([])
  })

  test('error: more than the account has', async () => {
    const { key, whose, config, sent } = await plain(usd('3'))
    await SmartWallet.create(config, whose)
    expect(await rejection(SmartWallet.move(config, { ...whose, amount: usd('3') + 1n }))).toMatchObject({
      code: 'INSUFFICIENT_BALANCE',
    })
    expect(sent).toHaveLength(1)
    expect(await balanceOf(key.address)).toBe(usd('3'))
  })
})

/** What answers a call with one word, whatever is asked: `PUSH32 word, PUSH0, MSTORE, PUSH1 32, PUSH0, RETURN`. */
const saying = (word: Hex) => concat(['0x7f', pad(word), '0x5f5260205ff3'])

describe('what is not the wallet', () => {
  const refused = { code: 'WALLET_DIFFERS', retryable: false }

  test('error: a factory that would make it somewhere else', async () => {
    const { whose, config, sent } = await plain()
    const thief = (await base.createAccount()).address
    await base.client.setCode({ address: factory, bytecode: saying(thief) })
    await expect(read(whose)).rejects.toMatchObject({ ...refused, figures: { made: thief } })
    await expect(SmartWallet.create(config, whose)).rejects.toMatchObject(refused)
    await expect(SmartWallet.move(config, { ...whose, amount: 1n })).rejects.toMatchObject(refused)
    expect(sent).toEqual([])
  })

  test('error: a factory that is not there', async () => {
    const { whose, config, sent } = await plain()
    await base.client.setCode({ address: factory, bytecode: '0x' })
    expect(await rejection(read(whose))).toMatchObject({ code: 'RPC_FAILED' })
    expect(await rejection(SmartWallet.create(config, whose))).toMatchObject({ code: 'RPC_FAILED' })
    expect(sent).toEqual([])
  })

  test('error: a factory that lies about what it makes is found out after it made it', async () => {
    const { key, whose } = await plain()
    const address = SmartWallet.addressOf(key.address)
    const elsewhere = async () => {
      await base.client.setCode({ address, bytecode: saying('0x00') })
      const stranger = kit.clientOf(base, await base.createAccount())
      return stranger.sendTransaction({ to: address })
    }
    const { config } = await connected(base, key, { eth_sendTransaction: elsewhere })
    await expect(SmartWallet.create(config, whose)).rejects.toMatchObject(refused)
    await expect(SmartWallet.move(config, { ...whose, amount: 1n })).rejects.toMatchObject(refused)
    expect(await balanceOf(address)).toBe(0n)
  })

  test('args: either owner was removed since', async () => {
    for (const removed of ['account', 'SpendPermissionManager'] as const) {
      const { key, whose, config, sent } = await plain()
      await SmartWallet.create(config, whose)
      const address = SmartWallet.addressOf(key.address)
      const [index, owner]: readonly [bigint, Address] =
        removed === 'account' ? [0n, key.address] : [1n, spendPermissionManager]
      await kit.clientOf(base, key).writeContract({
        address,
        abi: coinbaseSmartWalletAbi,
        functionName: 'removeOwnerAtIndex',
        args: [index, pad(owner)],
      })
      await expect(read(whose)).rejects.toMatchObject({ ...refused, figures: { owner } })
      await expect(SmartWallet.move(config, { ...whose, amount: 1n })).rejects.toMatchObject(refused)
      expect(sent).toHaveLength(1)
    }
  })

  test('behavior: further owners are counted, and nothing is moved to more of them than were told', async () => {
    const { key, whose, config, sent } = await plain()
    await SmartWallet.create(config, whose)
    const account = SmartWallet.addressOf(key.address)
    const { address: owner } = await base.createAccount()
    const call = Wallet.prepareAddOwner({ account, owner })
    await Transaction.send(kit.clientOf(base, key), { call, doing: 'Adding an owner' })
    expect(await read(whose)).toMatchObject({ isThere: true, others: 1 })
    const amount = usd('1')
    for (const told of [{}, { others: 0 }])
      await expect(SmartWallet.move(config, { ...whose, amount, ...told })).rejects.toMatchObject({
        ...refused,
        figures: { others: 1 },
      })
    expect(sent).toHaveLength(1)
    expect(await balanceOf(account)).toBe(0n)
    await SmartWallet.move(config, { ...whose, amount, others: 1 })
    expect(await balanceOf(account)).toBe(amount)
  })
})

describe('plainQuery', () => {
  const ask = (config: Config, account: Address, named?: Address) =>
    new QueryClient().fetchQuery(plainQuery(config, { account, chainId, named }))

  test('default', async () => {
    const { key, config } = await plain()
    expect(await ask(config, key.address)).toBe(true)
    expect(await ask(config, key.address, key.address)).toBe(true)
  })

  test('behavior: with code that was lent to it (EIP-7702) it is still one', async () => {
    const { key, config } = await plain()
    await base.client.setCode({ address: key.address, bytecode: concat(['0xef0100', factory]) })
    expect(await ask(config, key.address)).toBe(true)
  })

  test('behavior: a smart wallet is none, and its owner has one', async () => {
    const { key, whose, config } = await plain()
    await SmartWallet.create(config, whose)
    const address = SmartWallet.addressOf(key.address)
    expect(await ask(config, address)).toBe(false)
    expect(await ask(config, key.address, address)).toBe(false)
    const { address: other } = await base.createWallet()
    expect(await ask(config, key.address, other)).toBe(true)
  })

  test('behavior: a wallet that makes calls as one, and was never used, is a smart wallet', async () => {
    const { key } = await plain()
    for (const [status, expected] of [
      ['supported', false],
      ['ready', true],
      ['unsupported', true],
    ] as const) {
      const said = { [numberToHex(chainId)]: { atomic: { status } } }
      const { config } = await connected(base, key, { wallet_getCapabilities: () => said })
      expect(await ask(config, key.address), status).toBe(expected)
    }
  })
})
