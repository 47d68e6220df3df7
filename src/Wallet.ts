import {
  type Address,
  type Client,
  decodeAbiParameters,
  encodeFunctionData,
  isAddressEqual,
  type Log,
  pad,
  parseEventLogs,
  size,
} from 'viem'
import { call as callAction } from 'viem/actions'
import { coinbaseSmartWalletAbi } from '../abi/index.js'
import { ChainError, toChainError } from './ChainError.js'
import { type Call, isSender, sender } from './Transaction.js'

/** The call by which an owner, or the EntryPoint, makes the wallet make `call`. */
export function prepareExecute(options: { account: Address; call: Call }): Call {
  const { account, call } = options
  const args = [call.to, call.value, call.data] as const
  return {
    to: account,
    data: encodeFunctionData({ abi: coinbaseSmartWalletAbi, functionName: 'execute', args }),
    value: 0n,
  }
}

/** The call, by the wallet itself or an owner, that makes `owner` an owner of the wallet. */
export function prepareAddOwner(options: { account: Address; owner: Address }): Call {
  const { account, owner } = options
  const data = encodeFunctionData({
    abi: coinbaseSmartWalletAbi,
    functionName: 'addOwnerAddress',
    args: [owner],
  })
  return { to: account, data, value: 0n }
}

/**
 * Whether `owner` is an owner of the wallet `account`. False for an account without code, and for a contract
 * that has no such question.
 * @throws ChainError `RPC_FAILED`
 */
export async function isOwner(
  client: Client,
  options: { account: Address; owner: Address; blockNumber?: bigint },
): Promise<boolean> {
  const { account, owner, blockNumber } = options
  const data = encodeFunctionData({
    abi: coinbaseSmartWalletAbi,
    functionName: 'isOwnerAddress',
    args: [owner],
  })
  try {
    const block = blockNumber === undefined ? {} : { blockNumber }
    const { data: answer } = await callAction(client, { to: account, data, ...block })
    if (answer === undefined || size(answer) !== 32) return false
    return decodeAbiParameters([{ type: 'uint256' }], answer)[0] === 1n
  } catch (error) {
    const known = toChainError(error, `Asking ${account} for its owners`)
    if (known.code === 'RPC_FAILED') throw known
    return false
  }
}

/** Whether the logs tell that the wallet made `owner` an owner. */
export function addedOwner(options: { account: Address; owner: Address; logs: readonly Log[] }): boolean {
  const { account, owner } = options
  const logs = options.logs.filter((log) => isAddressEqual(log.address, account))
  const added = parseEventLogs({ abi: coinbaseSmartWalletAbi, eventName: 'AddOwner', logs })
  return added.some(({ args }) => args.owner === pad(owner).toLowerCase())
}

/**
 * The call as the client's account has to send it so that `account` makes it: as it is where the client's
 * account is `account` (an EOA, or a browser wallet connected as the smart wallet), through `execute` where it
 * is an EOA that owns the smart wallet.
 * @throws ChainError `ACCOUNT_MISSING`, `SMART_ACCOUNT_CLIENT`, `WRONG_SENDER`, `RPC_FAILED`
 */
export async function route(
  client: Client,
  options: { account: Address; call: Call; doing: string },
): Promise<Call> {
  const { account, call, doing } = options
  const { address } = sender(client, doing)
  if (isSender(client, account)) return call
  if (await isOwner(client, { account, owner: address })) return prepareExecute({ account, call })
  throw new ChainError(
    'WRONG_SENDER',
    `${doing}: only ${account} can, and the client sends from ${address}, which is not it nor an owner of it on this chain. Use a client of ${account} or of an owner's EOA; for a passkey, or a wallet that is not deployed yet, put the calls of the matching prepare function into a user operation.`,
    { figures: { sender: address, expected: account } },
  )
}
