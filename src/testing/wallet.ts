import {
  type Address,
  concat,
  encodeFunctionData,
  type Hex,
  type LocalAccount,
  pad,
  parseEther,
  type TransactionReceipt,
} from 'viem'
import {
  type ToCoinbaseSmartAccountReturnType,
  toCoinbaseSmartAccount,
  type WebAuthnAccount,
} from 'viem/account-abstraction'
import { entryPoint06, spendPermissionManager } from '../Addresses.js'
import { createAccount, fundEth, fundUsdc } from './funds.js'
import { createPasskey } from './passkey.js'
import type { Context } from './relay.js'
import { operate, simulate } from './userOperation.js'

/** A call for the wallet to make. `value` in wei. */
export type WalletCall = { to: Address; data?: Hex; value?: bigint }

export type CreateWalletOptions = {
  /** A new EOA unless given; `'passkey'` is a new passkey in software. */
  owner?: LocalAccount | WebAuthnAccount | 'passkey'
  /** Whether SpendPermissionManager is an owner too, from the start. Default: true. */
  spm?: boolean
  /** Whether the wallet is deployed. Default: true. `wallet.deploy()` does it later. */
  deployed?: boolean
  /** Version of the factory and of the wallet. Default: `'1.1'`. */
  version?: '1' | '1.1'
  /** Tells wallets of the same owners apart. Default: 0. */
  nonce?: bigint
  /** USDC to start with, in base units (6 decimals). Default: 0. */
  usdc?: bigint
}

/** A Coinbase Smart Wallet of which the test holds an owner. */
export type Wallet<owner extends LocalAccount | WebAuthnAccount = LocalAccount | WebAuthnAccount> = {
  address: Address
  /** viem's account: `signTypedData` and `signMessage` sign as the wallet, with ERC-6492 while it is not deployed. */
  account: ToCoinbaseSmartAccountReturnType
  /** The owner that signs. */
  owner: owner
  /** The owner's index within the wallet. */
  ownerIndex: number
  /**
   * Makes the calls as the wallet, all or none: by the owner's transaction where it is an EOA, by a user operation
   * where it is a passkey. A wallet that is not deployed yet is deployed first, by the same user operation.
   * @throws viem's ContractFunctionExecutionError, with the decoded revert; TestingError `CALLS_REVERTED`
   */
  execute: (calls: readonly WalletCall[]) => Promise<TransactionReceipt>
  /** Deploys the wallet, unless it is deployed. */
  deploy: () => Promise<void>
}

export async function createWallet(context: Context, options: CreateWalletOptions = {}): Promise<Wallet> {
  const { client, relay } = context
  const { spm = true, deployed = true, version = '1.1', nonce = 0n, usdc = 0n } = options
  const owner = await toOwner(context, options.owner)
  const ownerIndex = 0
  const account = await toCoinbaseSmartAccount({
    client,
    owners: spm ? [owner, spendPermissionManager] : [owner],
    ownerIndex,
    nonce,
    version,
  })
  const { address, factory } = account
  // Not by viem's `getFactoryArgs`, which remembers that a wallet was deployed, also after a revert to before.
  const owners = [owner.type === 'local' ? pad(owner.address) : owner.publicKey]
  if (spm) owners.push(pad(spendPermissionManager))
  const factoryData = encodeFunctionData({
    abi: factory.abi,
    functionName: 'createAccount',
    args: [owners, nonce],
  })
  const isDeployed = async () => (await client.getCode({ address })) !== undefined

  const deploy = async () => {
    if (await isDeployed()) return
    await relay({ to: factory.address, data: factoryData })
  }

  const execute = async (calls: readonly WalletCall[]) => {
    const data = await account.encodeCalls(calls)
    const initCode = (await isDeployed()) ? undefined : concat([factory.address, factoryData])
    if (initCode === undefined) {
      // Before anything is sent, so that a revert shows with its name, whoever pays.
      await simulate(client, {
        wallet: address,
        from: owner.type === 'local' ? owner.address : entryPoint06,
        calls,
      })
      if (owner.type === 'local') return client.sendTransactionSync({ account: owner, to: address, data })
    }
    return operate(context, { account, callData: data, initCode: initCode ?? '0x' })
  }

  if (deployed) await deploy()
  await fundUsdc(context, address, usdc)
  return { address, account, owner, ownerIndex, execute, deploy }
}

async function toOwner(context: Context, owner: CreateWalletOptions['owner']) {
  if (owner === undefined) return createAccount(context)
  if (owner === 'passkey') return createPasskey()
  // An EOA pays for what it sends.
  if (owner.type === 'local' && (await context.client.getBalance({ address: owner.address })) === 0n) {
    await fundEth(context, owner.address, parseEther('10'))
  }
  return owner
}
