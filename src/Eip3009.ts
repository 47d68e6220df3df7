/**
 * EIP-3009, in the token's own domain: what a payer signs to let somebody else settle a payment, or to take that back. A
 * purse signs by its agent (`PurseBlob`), an EOA by its key.
 */
import { type Address, encodeFunctionData, type Hex } from 'viem'
import { usdcAbi } from '../abi/index.js'
import type { Permission } from './Permission.js'
import * as Token from './Token.js'
import type { Call } from './Transaction.js'

/** A payment that somebody else settles. */
export type Authorization = {
  readonly to: Address
  /** Base units; a purse accepts at most uint112, and at most the policy's perCall. */
  readonly value: bigint
  /** Unix seconds, up to 2^48 - 1: can be settled while `validAfter < now < validBefore`, both exclusive. */
  readonly validAfter: number
  readonly validBefore: number
  /** 32 bytes, used once: the payment's `reference`. */
  readonly nonce: Hex
}

/** The token's chain and address. */
type Of = Pick<Permission, 'chainId' | 'token'>

const transferTypes = {
  TransferWithAuthorization: [
    { name: 'from', type: 'address' },
    { name: 'to', type: 'address' },
    { name: 'value', type: 'uint256' },
    { name: 'validAfter', type: 'uint256' },
    { name: 'validBefore', type: 'uint256' },
    { name: 'nonce', type: 'bytes32' },
  ],
} as const

const cancelTypes = {
  CancelAuthorization: [
    { name: 'authorizer', type: 'address' },
    { name: 'nonce', type: 'bytes32' },
  ],
} as const

/** @throws InputError `UNKNOWN_TOKEN` */
export function authorizationTypedData(of: Of, authorization: Authorization & { readonly from: Address }) {
  const { from, to, value, validAfter, validBefore, nonce } = authorization
  return {
    domain: domain(of),
    types: transferTypes,
    primaryType: 'TransferWithAuthorization',
    message: {
      from,
      to,
      value,
      validAfter: BigInt(validAfter),
      validBefore: BigInt(validBefore),
      nonce,
    },
  } as const
}

/** @throws InputError `UNKNOWN_TOKEN` */
export function cancellationTypedData(
  of: Of,
  { from, nonce }: { readonly from: Address; readonly nonce: Hex },
) {
  return {
    domain: domain(of),
    types: cancelTypes,
    primaryType: 'CancelAuthorization',
    message: { authorizer: from, nonce },
  } as const
}

/** Takes a payment back before it is settled: its nonce is used then. Anybody may send it. */
export function prepareCancel(
  { token }: Of,
  { from, nonce, signature }: { readonly from: Address; readonly nonce: Hex; readonly signature: Hex },
): Call {
  const data = encodeFunctionData({
    abi: usdcAbi,
    functionName: 'cancelAuthorization',
    args: [from, nonce, signature],
  })
  return { to: token, data, value: 0n }
}

function domain({ chainId, token }: Of) {
  const { name, version } = Token.resolve(token, { chainId, field: 'token' })
  return { name, version, chainId, verifyingContract: token } as const
}
