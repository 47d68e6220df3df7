/** The accounts of the development wallet: keys of a local chain, which a development server hands out. */
import {
  type Address,
  type Chain,
  createWalletClient,
  encodeFunctionData,
  type Hex,
  http,
  type PublicClient,
  pad,
  publicActions,
  type TypedDataDefinition,
} from 'viem'
import { toCoinbaseSmartAccount } from 'viem/account-abstraction'
import { privateKeyToAccount } from 'viem/accounts'
import { spendPermissionManager } from '../../Addresses.js'

/** What the server says of one account. */
export type AccountJson = {
  readonly name: string
  /** `smart`: a Coinbase Smart Wallet of the key. `eoa`: the key's own address. */
  readonly kind: 'smart' | 'eoa'
  readonly key: Hex
  /** Whether SpendPermissionManager was an owner from the start, of which the wallet's address depends. */
  readonly spm?: boolean
}

export type WalletJson = {
  readonly rpcUrl: string
  readonly accounts: readonly AccountJson[]
  /** Whether it answers EIP-5792, as smart wallets do. Default true. */
  readonly calls?: boolean
}

export type Call = { readonly to: Address; readonly data: Hex; readonly value: bigint }

export type Account = {
  readonly name: string
  readonly address: Address
  signMessage(message: Hex): Promise<Hex>
  signTypedData(definition: TypedDataDefinition): Promise<Hex>
  /** Makes the calls, all or none, in one transaction, and answers its hash. */
  send(calls: readonly Call[]): Promise<Hex>
}

/** The account of a key on a chain. */
export async function open(json: AccountJson, chain: Chain): Promise<Account> {
  const owner = privateKeyToAccount(json.key)
  const client = createWalletClient({ account: owner, chain, transport: http() }).extend(publicActions)
  if (json.kind === 'eoa')
    return {
      name: json.name,
      address: owner.address,
      signMessage: (raw) => owner.signMessage({ message: { raw } }),
      signTypedData: (definition) => owner.signTypedData(definition),
      send: async ([call, ...others]) => {
        if (call === undefined || others.length > 0)
          throw new Error('A plain account makes one call at a time.')
        return client.sendTransaction(call)
      },
    }
  const { spm = true } = json
  const account = await toCoinbaseSmartAccount({
    client: client as unknown as PublicClient,
    owners: spm ? [owner, spendPermissionManager] : [owner],
    version: '1.1',
  })
  const { address, factory } = account
  const deploy = async () => {
    if ((await client.getCode({ address })) !== undefined) return
    const owners = [pad(owner.address), ...(spm ? [pad(spendPermissionManager)] : [])]
    const args = [owners, 0n] as const
    const data = encodeFunctionData({ abi: factory.abi, functionName: 'createAccount', args })
    await client.waitForTransactionReceipt({
      hash: await client.sendTransaction({ to: factory.address, data }),
    })
  }
  return {
    name: json.name,
    address,
    signMessage: (raw) => account.signMessage({ message: { raw } }),
    signTypedData: (definition) => account.signTypedData(definition),
    send: async (calls) => {
      await deploy()
      return client.sendTransaction({ to: address, data: await account.encodeCalls(calls) })
    },
  }
}
