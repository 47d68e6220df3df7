import { type Address, type Client, decodeEventLog, encodeFunctionData, type Hex, isAddressEqual } from 'viem'
import { getCode, readContract } from 'viem/actions'
import { purseAbi, usdcAbi } from '../abi/index.js'
import { perform } from './Action.js'
import { toChainError } from './ChainError.js'
import * as Eip3009 from './Eip3009.js'
import type { Permission } from './Permission.js'
import { address } from './PurseAddress.js'
import type { Authorization } from './PurseBlob.js'
import { toStruct } from './SpmCall.js'
import { assertChain, type Call, type Mined, mined, send, sender } from './Transaction.js'

export * from './PurseAddress.js'
export * from './PurseBlob.js'

/** What went back to the account, in base units; nothing was sent where the purse is empty or not deployed. */
export type Swept =
  | ({ readonly already: false; readonly amount: bigint } & Mined)
  | { readonly already: true }

type SignedPayment = {
  permission: Permission
  authorization: Authorization
  /** From `signPayment`. */
  signature: Hex
}

/** Settles a payment that the purse agrees to. Anybody may send it, while it is valid. */
export function prepareSettle({ permission, authorization, signature }: SignedPayment): Call {
  const { to, value, validAfter, validBefore, nonce } = authorization
  const from = address(permission)
  const args = [from, to, value, BigInt(validAfter), BigInt(validBefore), nonce, signature] as const
  const data = encodeFunctionData({ abi: usdcAbi, functionName: 'transferWithAuthorization', args })
  return { to: permission.token, data, value: 0n }
}

/** Takes a payment back before it is settled: its nonce is used then. Anybody may send it. */
export function prepareCancel(options: { permission: Permission; nonce: Hex; signature: Hex }): Call {
  const { permission, ...signed } = options
  return Eip3009.prepareCancel(permission, { from: address(permission), ...signed })
}

/**
 * Returns the purse's whole balance to the account. To be sent by the account or the agent, or, with the permission
 * that last funded the purse, by its orchestrator, and by anybody once it is revoked or has ended.
 */
export function prepareSweep({ permission }: { permission: Permission }): Call {
  const args = [toStruct(permission)] as const
  const data = encodeFunctionData({ abi: purseAbi, functionName: 'sweep', args })
  return { to: address(permission), data, value: 0n }
}

/**
 * Takes a payment back that was signed and not settled yet. The client may be anybody's. Whose nonce was used before,
 * by a settlement or a cancellation, is refused by the token.
 * @param options.signature from `signCancellation`
 * @throws ChainError `REVERTED` and what else the chain said
 */
export async function cancel(
  client: Client,
  options: { permission: Permission; nonce: Hex; signature: Hex },
): Promise<Mined> {
  const doing = 'Cancelling the authorization'
  await open(client, options.permission, doing)
  return mined(await send(client, { call: prepareCancel(options), doing }))
}

/**
 * Returns the purse's whole balance to the account. No meter is credited. An empty purse is `already`. `by` is who
 * asks for it: the client's account where omitted, or a smart wallet that it owns.
 * @throws ChainError `SWEEP_NOT_ALLOWED`, `NOT_FUNDED_BY`, `WRONG_SENDER` and what else the chain said
 */
export async function sweep(
  client: Client,
  options: { permission: Permission; by?: Address | undefined },
): Promise<Swept> {
  const { permission } = options
  const doing = 'Sweeping the purse'
  const { by: from = sender(client, doing).address } = options
  await open(client, permission, doing)
  const purse = address(permission)
  const code = await getCode(client, { address: purse }).catch((error: unknown) => {
    throw toChainError(error, doing)
  })
  if (code === undefined) return { already: true }

  const receipt = await perform(client, { from, call: prepareSweep(options), doing })
  for (const log of receipt.logs) {
    if (!isAddressEqual(log.address, purse)) continue
    const event = decodeEventLog({ abi: purseAbi, data: log.data, topics: log.topics })
    return { already: false, amount: event.args.amount, ...mined(receipt) }
  }
  return { already: true }
}

/**
 * Whether the purse agrees now to a payment, as the token would ask it: not whether it holds as much, nor whether
 * the authorization can be settled at this time, or was before.
 * @throws ChainError `RPC_FAILED`
 */
export async function isValid(
  client: Client,
  options: { permission: Permission; hash: Hex; signature: Hex; blockNumber?: bigint | undefined },
): Promise<boolean> {
  const { permission, hash, signature, blockNumber } = options
  const purse = address(permission)
  const at = blockNumber === undefined ? {} : { blockNumber }
  const args = [hash, signature] as const
  const answer = await readContract(client, {
    address: purse,
    abi: purseAbi,
    functionName: 'isValidSignature',
    args,
    ...at,
  }).catch(async (error: unknown) => {
    const known = toChainError(error, 'Asking the purse')
    // A purse that is not deployed yet agrees to nothing.
    if ((await getCode(client, { address: purse, ...at })) === undefined) return '0xffffffff' as const
    throw known
  })
  return answer === '0x1626ba7e'
}

async function open(client: Client, { chainId }: Permission, doing: string): Promise<void> {
  sender(client, doing)
  await assertChain(client, chainId, doing)
}
