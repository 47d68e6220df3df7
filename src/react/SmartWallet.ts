/**
 * The smart wallet that a plain account (EOA) can have: a Coinbase Smart Wallet of factory v1.1 whose first owners are
 * the account and SpendPermissionManager, so that permissions can be spent from it as soon as it is there. Its address
 * follows from those owners and is computed here, so that nobody who answers for the chain can have money sent elsewhere.
 */
import {
  type Address,
  type Client,
  encodeAbiParameters,
  encodeFunctionData,
  erc20Abi,
  getContractAddress,
  type Hex,
  isAddressEqual,
  keccak256,
  pad,
} from 'viem'
import { getCode, readContract } from 'viem/actions'
import type { Config } from 'wagmi'
import { coinbaseSmartWalletAbi, coinbaseSmartWalletFactoryAbi } from '../../abi/index.js'
import { coinbaseSmartWalletFactoryV1_1, spendPermissionManager } from '../Addresses.js'
import { toChainError } from '../ChainError.js'
import { InputError } from '../errors.js'
import { prepareTransfer } from '../SpmCall.js'
import * as Token from '../Token.js'
import type { Call } from '../Transaction.js'
import * as Wallet from '../Wallet.js'
import { OwnerError } from './OwnerError.js'
import * as Sending from './Sending.js'
import { plural } from './words.js'

/** What is at the address. */
export type SmartWallet = {
  readonly address: Address
  /** Whether the wallet is on chain. Its owners were asked then: the account and SpendPermissionManager are among them. */
  readonly isThere: boolean
  /** How many owners it was given besides. Each can move everything that is in it. */
  readonly others: number
  /** USDC, base units (6 decimals). */
  readonly balance: bigint
}

/** The plain account whose wallet it is, and the chain. */
export type Whose = { readonly owner: Address; readonly chainId: number }

/** `initCodeHash()` of factory v1.1, of which every wallet's address is made; nobody can change what it answers. */
const initCodeHash = '0xa53d9968113cdf38ec78edc985b30bcb1a274ddaa221624c1d15604f70b0761a'

/** Tells wallets of the same owners apart: this is about their first one. */
const nonce = 0n

/** The owners that the wallet starts with, as the factory takes them. */
function ownersOf(owner: Address): readonly Hex[] {
  return [pad(owner), pad(spendPermissionManager)].map((bytes) => bytes.toLowerCase() as Hex)
}

/** Where the wallet of a plain account is, or will be. The same on every chain that has the factory. */
export function addressOf(owner: Address): Address {
  const parameters = [{ type: 'bytes[]' }, { type: 'uint256' }] as const
  return getContractAddress({
    opcode: 'CREATE2',
    from: coinbaseSmartWalletFactoryV1_1,
    salt: keccak256(encodeAbiParameters(parameters, [ownersOf(owner), nonce])),
    bytecodeHash: initCodeHash,
  })
}

/** Creates the wallet. Anybody may send it; where the wallet is there already it does nothing. */
export function prepareCreate({ owner }: { owner: Address }): Call {
  const data = encodeFunctionData({
    abi: coinbaseSmartWalletFactoryAbi,
    functionName: 'createAccount',
    args: [ownersOf(owner), nonce],
  })
  return { to: coinbaseSmartWalletFactoryV1_1, data, value: 0n }
}

/**
 * Moves USDC into the wallet. To be sent by the account. `amount` in base units (6 decimals).
 * @throws InputError `INVALID_AMOUNT`; `UNKNOWN_TOKEN` on a chain whose USDC is not known
 */
export function prepareMove({ owner, chainId, amount }: Whose & { amount: bigint }): Call {
  if (amount <= 0n)
    throw new InputError('INVALID_AMOUNT', {
      field: 'amount',
      given: amount,
      valid: 'base units, above zero',
      why: 'There is nothing to move.',
    })
  return prepareTransfer({ token: usdcOf(chainId).address, to: addressOf(owner), amount })
}

/** What is moved: `amount` in base units (6 decimals), into a wallet of which its owner was told `others` (default none). */
export type Move = Whose & { readonly amount: bigint; readonly others?: number | undefined }

/** USDC as the chain knows it. */
export function usdcOf(chainId: number): Token.Token {
  return Token.resolve('USDC', { chainId, field: 'chainId' })
}

/**
 * Asks the chain for the wallet.
 *
 * @throws OwnerError `WALLET_DIFFERS` where the factory would make it somewhere else, or where what is there is not owned
 * by the account and SpendPermissionManager; ChainError `RPC_FAILED`
 */
export async function read(client: Client, { owner, chainId }: Whose): Promise<SmartWallet> {
  const address = addressOf(owner)
  const [made, code, balance] = await Promise.all([
    readContract(client, {
      address: coinbaseSmartWalletFactoryV1_1,
      abi: coinbaseSmartWalletFactoryAbi,
      functionName: 'getAddress',
      args: [ownersOf(owner), nonce],
    }),
    getCode(client, { address }),
    readContract(client, {
      address: usdcOf(chainId).address,
      abi: erc20Abi,
      functionName: 'balanceOf',
      args: [address],
    }),
  ]).catch(failed)
  if (!isAddressEqual(made, address))
    throw differs(`the factory would make it at ${made}, and it can only be at ${address}`, { made, address })
  if (code === undefined) return { address, isThere: false, others: 0, balance }
  const expected: readonly Address[] = [owner, spendPermissionManager]
  for (const one of expected)
    if (!(await Wallet.isOwner(client, { account: address, owner: one })))
      throw differs(`${one} is not an owner of what is at ${address}`, { address, owner: one })
  const count = { address, abi: coinbaseSmartWalletAbi, functionName: 'ownerCount' } as const
  const others = Number(await readContract(client, count).catch(failed)) - 2
  return { address, isThere: true, others, balance }
}

/**
 * Creates the wallet by a transaction of the account, and looks at what was created. Sends nothing where it is there.
 * Where the wallet's own endpoint is late it may not be seen yet: `read` tells.
 *
 * @throws OwnerError as `Sending.send` and `read`; ChainError with the decoded revert
 */
export async function create(config: Config, whose: Whose): Promise<Sending.Sent> {
  const doing = 'Creating the smart wallet'
  const { owner, chainId } = whose
  const actor = { account: owner, chainId }
  // By the wallet's own endpoint, as before money is moved: the page's may be the server's choice.
  const client = await Sending.connected(config, actor, doing)
  if ((await read(client, whose)).isThere) return { hashes: [] }
  const sent = await Sending.send(config, { ...actor, calls: [prepareCreate(whose)], doing })
  await read(client, whose)
  return sent
}

/**
 * Moves USDC into the wallet by a transaction of the account, once the wallet is there and has the owners that it was
 * asked for, and besides them no more than were told: each can move everything out of it.
 *
 * @throws OwnerError `NOT_ON_CHAIN`, `WALLET_DIFFERS`, and as `Sending.send` and `read`; ChainError with the decoded revert
 */
export async function move(config: Config, options: Move): Promise<Sending.Sent> {
  const doing = 'Moving USDC'
  const { owner, chainId, others: told = 0 } = options
  const actor = { account: owner, chainId }
  const calls = [prepareMove(options)]
  const client = await Sending.connected(config, actor, doing)
  const { isThere, address, others } = await read(client, options)
  if (!isThere)
    throw new OwnerError(
      'NOT_ON_CHAIN',
      `${doing}: the smart wallet ${address} is not on chain yet, as far as your wallet can see. Nothing was sent. Create it first, or try again in a moment.`,
      { figures: { address }, retryable: true },
    )
  if (others > told)
    throw differs(
      `your wallet counts ${plural(others, 'further owner')} of ${address}, and you were told of ${told === 0 ? 'none' : told}`,
      { address, others, told },
    )
  return Sending.send(config, { ...actor, calls, doing })
}

function failed(error: unknown): never {
  throw toChainError(error, 'Looking for the smart wallet')
}

function differs(why: string, figures: Record<string, unknown>): OwnerError {
  return new OwnerError(
    'WALLET_DIFFERS',
    `This is not the smart wallet that it should be: ${why}. Do not send any money there.`,
    { figures },
  )
}
