import {
  type Account,
  type Address,
  type Chain,
  createWalletClient,
  custom,
  type EIP1193Parameters,
  type EIP1193RequestFn,
  erc20Abi,
  type Hex,
  http,
  type LocalAccount,
  parseUnits,
  type TransactionReceipt,
  type Transport,
  type WalletClient,
} from 'viem'
import { generatePrivateKey } from 'viem/accounts'
import { usdc } from '../../src/Addresses.js'
import { ChainError } from '../../src/ChainError.js'
import type * as Permission from '../../src/Permission.js'
import * as Transaction from '../../src/Transaction.js'
import type { Base } from '../../src/testing/index.js'

/** Seconds of a day. */
export const day = 86_400

/** Base units of USDC. */
export const usd = (amount: string) => parseUnits(amount, 6)

/** A client that sends from an account. Named, as its inferred type is longer than tsc writes. */
export type Sender = WalletClient<Transport, Chain, Account>

/** A viem client that sends from the account. */
export function clientOf(base: Base, account: LocalAccount | Address): Sender {
  return createWalletClient({ account, chain: base.chain, transport: http(), pollingInterval: 20 })
}

/** The first UTC midnight that is at least an hour ahead. */
export async function midnight(base: Base): Promise<number> {
  return Math.ceil(((await base.now()) + 3_600) / day) * day
}

/** A permission of 100 base units of USDC a day for three days, that started a minute ago. */
export async function permissionOf(
  base: Base,
  account: Address,
  spender: Address,
  terms: Partial<Permission.Permission> = {},
): Promise<Permission.Permission> {
  const start = terms.start ?? (await base.now()) - 60
  return {
    chainId: base.chain.id,
    account,
    spender,
    token: usdc[8453],
    allowance: 100n,
    period: day,
    start,
    end: start + 3 * day,
    salt: BigInt(generatePrivateKey()),
    extraData: '0x',
    ...terms,
  }
}

/** The USDC that an address has. */
export async function balanceOf(base: Base, address: Address): Promise<bigint> {
  const args = [address] as const
  return base.client.readContract({ address: usdc[8453], abi: erc20Abi, functionName: 'balanceOf', args })
}

/** What became of a transaction: `ok`, or the code of the chain's refusal. */
export type Answer = 'ok' | ChainError['code']

/** Signed by hand, with gas enough for it: nothing is estimated, so nothing is refused beforehand. */
export type Raw = { from: LocalAccount; call: Transaction.Call; gas?: bigint }

/** Mines one block at exactly `time` that holds these transactions, in this order, those that revert too. */
export async function mineAt(base: Base, time: number, raws: readonly Raw[]): Promise<TransactionReceipt[]> {
  const { client } = base
  await client.setAutomine(false)
  try {
    const hashes = await broadcast(base, raws)
    await base.warp(time)
    const receipts = await Promise.all(hashes.map((hash) => client.getTransactionReceipt({ hash })))
    const block = await client.getBlock()
    if (receipts.some((receipt) => receipt.blockNumber !== block.number)) {
      throw new Error(`Not all of ${raws.length} transactions were mined in one block.`)
    }
    return receipts
  } finally {
    // Or the next transaction, of whatever test, would wait for a block for ever.
    await client.setAutomine(true)
  }
}

async function broadcast(base: Base, raws: readonly Raw[]): Promise<Hex[]> {
  const { client, chain } = base
  const { baseFeePerGas } = await client.getBlock()
  const nonces = new Map<Address, number>()
  const hashes: Hex[] = []
  for (const [index, { from, call, gas = 1_000_000n }] of raws.entries()) {
    const nonce = nonces.get(from.address) ?? (await client.getTransactionCount({ address: from.address }))
    nonces.set(from.address, nonce + 1)
    // Miners order by tip: the first tips most.
    const maxPriorityFeePerGas = BigInt(raws.length - index) * 1_000_000n
    const serializedTransaction = await from.signTransaction({
      ...call,
      type: 'eip1559',
      chainId: chain.id,
      nonce,
      gas,
      maxFeePerGas: (baseFeePerGas ?? 0n) * 4n + maxPriorityFeePerGas,
      maxPriorityFeePerGas,
    })
    hashes.push(await client.sendRawTransaction({ serializedTransaction }))
  }
  return hashes
}

/** Sends one transaction at exactly `time` and says what the chain made of it. */
export async function sendAt(base: Base, time: number, raw: Raw): Promise<Answer> {
  const [receipt] = await mineAt(base, time, [raw])
  if (receipt?.status === 'success') return 'ok'
  return refusal(base, raw)
}

/** Why the chain refuses the call in its latest block. It must refuse. */
async function refusal(base: Base, { from, call }: Raw): Promise<ChainError['code']> {
  const blockNumber = await base.client.getBlockNumber()
  const options = { call, from: from.address, doing: 'Trying', blockNumber }
  return Transaction.simulate(base.client, options).then(
    () => Promise.reject(new Error('It reverted, and now it would not.')),
    (error: unknown) => {
      if (error instanceof ChainError) return error.code
      throw error
    },
  )
}

/** The error that an action throws; it must throw one of ours. */
export async function rejection(promise: Promise<unknown>): Promise<ChainError> {
  const error = await promise.then(
    () => undefined,
    (error: unknown) => error,
  )
  if (error instanceof ChainError) return error
  throw new Error('Not a ChainError.', { cause: error })
}

/**
 * A client whose requests pass by `look` first, which may hold them up, throw, or answer in the endpoint's place.
 * `forward` sends the request.
 */
export function through(
  base: Base,
  account: LocalAccount | Address,
  look: (method: string, forward: () => Promise<unknown>) => Promise<unknown>,
): Sender {
  const request: EIP1193RequestFn = base.client.request
  const transport = custom(
    {
      async request(args: EIP1193Parameters) {
        return (await look(args.method, () => request(args))) ?? request(args)
      },
    },
    { retryCount: 0 },
  )
  return createWalletClient({ account, chain: base.chain, transport, pollingInterval: 20 })
}

/** A client whose first transaction is overtaken: `meanwhile` happens when it is on its way. */
export function overtaken(base: Base, account: LocalAccount, meanwhile: () => Promise<unknown>): Sender {
  let done = false
  return through(base, account, async (method) => {
    if (done || method !== 'eth_sendRawTransaction') return
    done = true
    await meanwhile()
  })
}
