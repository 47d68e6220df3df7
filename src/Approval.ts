/** What is asked of the chain before the owner's signature is submitted. */
import {
  type Address,
  decodeFunctionResult,
  encodeFunctionData,
  type Hex,
  isErc6492Signature,
  isHex,
  multicall3Abi,
  type PublicClient,
} from 'viem'
import { coinbaseSmartWalletAbi, spendPermissionManagerAbi } from '../abi/index.js'
import { multicall3, spendPermissionManager } from './Addresses.js'
import { InputError } from './errors.js'
import { GrantError } from './GrantError.js'
import * as Permission from './Permission.js'
import * as Spm from './Spm.js'
import type { GrantRow } from './Store.js'
import * as Sync from './Sync.js'
import { simulate } from './Transaction.js'

export const doing = "Submitting the owner's approval"

/** @throws InputError `INVALID_VALUE` */
export function readSignature(given: unknown): Hex {
  if (isHex(given) && given.length > 2 && given.length % 2 === 0) return given
  throw new InputError('INVALID_VALUE', {
    field: 'signature',
    given,
    valid: 'what Permission.sign returns: bytes in hex',
    why: 'Not a signature.',
  })
}

/**
 * The call that approves, rehearsed: the chain would take it, and the wallet could be spent from afterwards.
 *
 * @throws ChainError with the decoded revert; GrantError `REVOKED`, `ACCOUNT_NOT_CONTRACT`, `SPM_NOT_OWNER`
 */
export async function prepare(
  client: PublicClient,
  options: { permission: Permission.Permission; signature: Hex; from: Address },
): Promise<Spm.Call> {
  const { permission, signature, from } = options
  const { account } = permission
  const code = await client.getCode({ address: account }).catch(Sync.redact(doing))
  if (code === undefined && !isErc6492Signature(signature)) {
    throw new GrantError(
      'ACCOUNT_NOT_CONTRACT',
      `${account} has no code on this chain, and the signature would not deploy it: an EOA can sign a permission and can never be spent from. Use a smart wallet; for one that is not deployed yet, an ERC-6492 signature of it.`,
      { figures: { account } },
    )
  }
  const call = Spm.prepareApproveWithSignature({ permission, signature })
  const data = await simulate(client, { call, from, doing })
  // SpendPermissionManager answers false, without a revert, for a permission that was revoked before.
  if (!decodeFunctionResult({ abi: spendPermissionManagerAbi, functionName: 'approveWithSignature', data }))
    throw revokedError(permission)
  if (!(await isEnabledAfter(client, { call, account, from }))) {
    throw new GrantError(
      'SPM_NOT_OWNER',
      `SpendPermissionManager is not an owner of the wallet ${account}, so every spend would revert. Have the wallet make it one, with Spm.enable, or with the call of Spm.prepareEnable in a transaction of its own.`,
      { figures: { account }, retryable: true },
    )
  }
  return call
}

/** Whether SpendPermissionManager would be an owner once the call went through, which may deploy the wallet. */
async function isEnabledAfter(
  client: PublicClient,
  options: { call: Spm.Call; account: Address; from: Address },
): Promise<boolean> {
  const { call, account, from } = options
  const question = encodeFunctionData({
    abi: coinbaseSmartWalletAbi,
    functionName: 'isOwnerAddress',
    args: [spendPermissionManager],
  })
  const calls = [
    { target: call.to, callData: call.data, allowFailure: true },
    { target: account, callData: question, allowFailure: true },
  ]
  const multicall = { abi: multicall3Abi, functionName: 'aggregate3' } as const
  const both = {
    to: multicall3,
    data: encodeFunctionData({ ...multicall, args: [calls] }),
    value: 0n,
  } as const
  const data = await simulate(client, { call: both, from, doing })
  const [, answer] = decodeFunctionResult({ ...multicall, data })
  return answer?.success === true && /^0x0{63}1$/.test(answer.returnData)
}

/**
 * What is revoked is so for good, and nothing that is signed under it can be used.
 * @throws GrantError `REVOKED`
 */
export function assertNotRevoked(row: GrantRow, permission: Permission.Permission): void {
  if (row.revoked === 1) throw revokedError(permission)
  assertGrantNotRevoked(row)
}

/**
 * Nobody has revoked the whole grant at the guard.
 * @throws GrantError `REVOKED`
 */
export function assertGrantNotRevoked({ grantId, revokedBy }: GrantRow): void {
  if (revokedBy === null) return
  throw new GrantError(
    'REVOKED',
    `Grant ${grantId} was revoked at the guard by its ${revokedBy}, which is final for every permission under it. Ask the owner to sign a new grant.`,
    { figures: { grantId, by: revokedBy } },
  )
}

/** The error for a permission that was revoked before. */
export function revokedError(permission: Permission.Permission): GrantError {
  return new GrantError(
    'REVOKED',
    `Permission ${Permission.hash(permission)} was revoked, which is final. Sign a new one: Permission.fromGrant with another nonce.`,
  )
}
