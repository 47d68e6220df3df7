import {
  type Address,
  decodeErrorResult,
  encodeFunctionData,
  type Hex,
  parseEventLogs,
  type TransactionReceipt,
} from 'viem'
import { entryPoint06Abi, type SmartAccount, type UserOperation } from 'viem/account-abstraction'
import { coinbaseSmartWalletAbi, spendPermissionManagerAbi, usdcAbi } from '../../abi/index.js'
import { entryPoint06 } from '../Addresses.js'
import type { BaseClient } from './client.js'
import { type Context, relayer } from './relay.js'
import { TestingError } from './TestingError.js'

/** What wallets mostly call, so that its errors show by name. */
const abi = [...coinbaseSmartWalletAbi, ...spendPermissionManagerAbi, ...usdcAbi] as const

/** For the whole transaction: generous, and below what one may use (2^24, EIP-7825). */
const gas = 16_000_000n

/** A simulation sees the time of the block that the transaction will be in, as anvil's estimation does. */
const blockTag = 'pending'

/** Makes the wallet's calls without a trace. Throws viem's ContractFunctionExecutionError where they revert. */
export async function simulate(
  client: BaseClient,
  options: { wallet: Address; from: Address; calls: readonly { to: Address; data?: Hex; value?: bigint }[] },
): Promise<void> {
  const { wallet, from, calls } = options
  const args = calls.map(({ to, data = '0x', value = 0n }) => ({ target: to, value, data }))
  await client.simulateContract({
    account: from,
    address: wallet,
    abi,
    functionName: 'executeBatch',
    args: [args],
    blockTag,
  })
}

/**
 * Sends the wallet's call through EntryPoint v0.6, in the place of a bundler. The operation pays no fee, so that
 * the wallet needs no ETH.
 * @throws viem's ContractFunctionExecutionError where EntryPoint refuses it; TestingError `CALLS_REVERTED`
 */
export async function operate(
  { client, relay }: Context,
  options: { account: SmartAccount; callData: Hex; initCode: Hex },
): Promise<TransactionReceipt> {
  const { account, callData, initCode } = options
  const unsigned = {
    sender: account.address,
    nonce: await client.readContract({
      address: entryPoint06,
      abi: entryPoint06Abi,
      functionName: 'getNonce',
      args: [account.address, 0n],
    }),
    initCode,
    callData,
    callGasLimit: gas / 2n,
    verificationGasLimit: gas / 4n,
    preVerificationGas: 0n,
    maxFeePerGas: 0n,
    maxPriorityFeePerGas: 0n,
    paymasterAndData: '0x',
    signature: '0x',
  } satisfies UserOperation<'0.6'>
  const signature = await account.signUserOperation(unsigned)
  const handleOps = {
    address: entryPoint06,
    abi: entryPoint06Abi,
    functionName: 'handleOps',
    args: [[{ ...unsigned, signature }], relayer],
  } as const
  // Before it is sent, so that an operation that EntryPoint refuses shows why.
  await client.simulateContract({ ...handleOps, account: relayer, gas, blockTag })
  const receipt = await relay({ to: entryPoint06, data: encodeFunctionData(handleOps), gas })
  const logs = parseEventLogs({ abi: entryPoint06Abi, logs: receipt.logs })
  const outcome = logs.find((log) => log.eventName === 'UserOperationEvent')
  if (outcome?.args.success) return receipt
  const revert = logs.find((log) => log.eventName === 'UserOperationRevertReason')
  const reason = revert?.args.revertReason ?? '0x'
  throw new TestingError('CALLS_REVERTED', `The calls of ${account.address} reverted: ${explain(reason)}.`, {
    figures: { account: account.address, reason, hash: receipt.transactionHash },
  })
}

function explain(reason: Hex): string {
  try {
    const { errorName, args = [] } = decodeErrorResult({ abi, data: reason })
    return `${errorName}(${args.join(', ')})`
  } catch {
    return reason
  }
}
