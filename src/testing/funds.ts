import { type Address, encodeFunctionData, type Hex, maxUint256, numberToHex, parseEther } from 'viem'
import { generatePrivateKey, type PrivateKeyAccount, privateKeyToAccount } from 'viem/accounts'
import { usdcAbi } from '../../abi/index.js'
import * as Addresses from '../Addresses.js'
import { type Context, relayer } from './relay.js'

const usdc = { address: Addresses.usdc[8453], abi: usdcAbi } as const

/** Adds wei to a balance, in no block and with no transaction. */
export async function fundEth({ client, queue }: Context, address: Address, wei: bigint): Promise<void> {
  await queue(() =>
    client.request<{ Method: 'anvil_addBalance'; Parameters: [Address, Hex]; ReturnType: null }>({
      method: 'anvil_addBalance',
      params: [address, numberToHex(wei)],
    }),
  )
}

/**
 * Adds USDC to a balance as Circle does: a minter mints, so that the supply and the events are right too. The
 * master minter is asked for the right to, by impersonation, whenever it is used up.
 */
export async function fundUsdc(context: Context, address: Address, amount: bigint): Promise<void> {
  const { client, relay } = context
  // A mint of nothing reverts, and is what the caller has asked for already.
  if (amount === 0n) return
  const allowed = await client.readContract({ ...usdc, functionName: 'minterAllowance', args: [relayer] })
  if (allowed < amount) {
    const masterMinter = await client.readContract({ ...usdc, functionName: 'masterMinter' })
    await impersonate(context, masterMinter)
    const data = encodeFunctionData({
      ...usdc,
      functionName: 'configureMinter',
      args: [relayer, maxUint256],
    })
    await relay({ from: masterMinter, to: usdc.address, data })
  }
  const data = encodeFunctionData({ ...usdc, functionName: 'mint', args: [address, amount] })
  await relay({ to: usdc.address, data })
}

/** Lets anvil send transactions from the address without its key, and gives it the ETH to pay for them. */
export async function impersonate(context: Context, address: Address): Promise<void> {
  await context.client.impersonateAccount({ address })
  await fundEth(context, address, parseEther('1'))
}

/** A new random key with ETH. anvil's well-known keys have delegations on Base, so none of them is used. */
export async function createAccount(context: Context): Promise<PrivateKeyAccount> {
  const account = privateKeyToAccount(generatePrivateKey())
  await fundEth(context, account.address, parseEther('10'))
  return account
}
