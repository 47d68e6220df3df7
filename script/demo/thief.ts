/**
 * A thief who has the agent's key and nothing else: raw transactions through viem, not one line of hardcap. He
 * asks the chain for money in every way that the key allows; what stops him is the chain alone.
 */
import { type Address, BaseError, ContractFunctionRevertedError, erc20Abi, type LocalAccount } from 'viem'
import { spendPermissionManagerAbi } from '../../abi/index.js'
import type { Spm } from '../../src/index.js'
import type { BaseClient } from '../../src/testing/index.js'

export type ThiefOptions = {
  readonly client: BaseClient
  /** The agent's key. */
  readonly key: LocalAccount
  readonly spendPermissionManager: Address
  /** The permission, which anybody can read from the chain's events. */
  readonly permission: ReturnType<typeof Spm.toStruct>
}

/** One transaction: when it was mined, what it asked for, and the chain's answer: `paid`, or its error's name. */
export type Attempt = { readonly time: number; readonly asked: bigint; readonly answer: string }

/** Asks SpendPermissionManager for `asked` base units of the owner's money. Nothing is simulated first. */
export async function pull(options: ThiefOptions, asked: bigint): Promise<Attempt> {
  const { client, key, spendPermissionManager: address, permission } = options
  const functionName = 'spend'
  const call = { abi: spendPermissionManagerAbi, address, functionName, args: [permission, asked] } as const
  // With its gas given, the transaction goes out whatever will become of it.
  const hash = await client.writeContract({ ...call, account: key, gas: 500_000n })
  const { status, blockNumber } = await client.waitForTransactionReceipt({ hash })
  const time = Number((await client.getBlock({ blockNumber })).timestamp)
  if (status === 'success') return { time, asked, answer: 'paid' }
  // A receipt does not say why it reverted: the same call on the state after it does.
  const again = client.simulateContract({ ...call, account: key, blockNumber })
  return { time, asked, answer: await again.then(() => 'reverted', errorName) }
}

/** Moves whatever the agent's key holds to an address of his own. Returns how much that was. */
export async function cashOut({ client, key, permission }: ThiefOptions, loot: Address): Promise<bigint> {
  const token = { abi: erc20Abi, address: permission.token } as const
  const amount = await client.readContract({ ...token, functionName: 'balanceOf', args: [key.address] })
  const args = [loot, amount] as const
  const hash = await client.writeContract({ ...token, account: key, functionName: 'transfer', args })
  await client.waitForTransactionReceipt({ hash })
  return amount
}

function errorName(error: unknown): string {
  if (!(error instanceof BaseError)) throw error
  const revert = error.walk((cause) => cause instanceof ContractFunctionRevertedError)
  if (!(revert instanceof ContractFunctionRevertedError)) throw error
  return revert.data?.errorName ?? 'reverted'
}
