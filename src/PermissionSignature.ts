import {
  BaseError,
  type Client,
  decodeFunctionResult,
  ExecutionRevertedError,
  encodeFunctionData,
  type Hex,
  isHex,
  type TypedDataDefinition,
} from 'viem'
import { call, getChainId } from 'viem/actions'
import { publicERC6492ValidatorAbi } from '../abi/index.js'
import { publicERC6492Validator } from './Addresses.js'
import { InputError, PermissionError } from './errors.js'
import type { Permission } from './Permission.js'
import { type Batch, batchHash, batchTypedData, hash, typedData } from './PermissionHash.js'
import { checkChain, type Signer, signAs } from './Signer.js'

export type { Signer } from './Signer.js'

/**
 * Has the owner's wallet sign a permission, or a batch of them. The wallet must be `account` of the permission and
 * on its chain. A smart account that is not deployed yet gives an ERC-6492 signature, as viem makes it, which
 * deploys it on approval. That the chain accepts the signature is for `verify` to say.
 *
 * @throws PermissionError `SIGNER_MISMATCH`, `CHAIN_MISMATCH`, and what the wallet throws, such as viem's
 * UserRejectedRequestError
 */
export async function sign(signer: Signer, permission: Permission | Batch): Promise<Hex> {
  return await signAs(signer, {
    definition: definition(permission),
    address: permission.account,
    chainId: permission.chainId,
    subject: 'The permission is for the account',
    remedy: "Switch the wallet to that account, or define the grant with the wallet's address as its owner.",
  })
}

/**
 * Whether the permission's account signed it, asked of the chain itself, in the way SpendPermissionManager asks:
 * ECDSA for an EOA, ERC-1271 for a smart wallet, ERC-6492 for one that is not deployed yet. Nothing is written.
 *
 * @returns false also where the signature makes the validator revert, as the approval then would too
 * @throws PermissionError `CHAIN_MISMATCH`, `VALIDATOR_MISSING`; InputError; what viem throws where the chain did
 * not answer: no answer is never "no"
 */
export async function verify(
  client: Client,
  options: { permission: Permission | Batch; signature: Hex },
): Promise<boolean> {
  const { permission, signature } = options
  if (!isHex(signature) || signature.length % 2 !== 0)
    throw new InputError('INVALID_VALUE', {
      field: 'signature',
      given: signature,
      valid: 'the bytes that sign returned, in hexadecimal with 0x',
      why: 'Not bytes.',
    })
  checkChain(await getChainId(client), permission.chainId)
  const digest = 'permissions' in permission ? batchHash(permission) : hash(permission)
  const data = encodeFunctionData({
    abi: publicERC6492ValidatorAbi,
    args: [permission.account, digest, signature],
  })
  const answer = await call(client, { to: publicERC6492Validator, data }).catch((error: unknown) => {
    if (isRevert(error)) return null
    throw error
  })
  if (answer === null) return false
  if (answer.data === undefined)
    throw new PermissionError(
      'VALIDATOR_MISSING',
      `There is no PublicERC6492Validator at ${publicERC6492Validator} on chain ${permission.chainId}, so nobody can say whether the signature is valid.`,
      { figures: { chainId: permission.chainId, address: publicERC6492Validator } },
    )
  return decodeFunctionResult({ abi: publicERC6492ValidatorAbi, data: answer.data })
}

/** Widened, as viem cannot type a union of two primary types. */
function definition(permission: Permission | Batch): TypedDataDefinition {
  return (
    'permissions' in permission ? batchTypedData(permission) : typedData(permission)
  ) as TypedDataDefinition
}

/** Whether a call failed because the contract said so. Code 3 is the node's own word for that. */
function isRevert(error: unknown): boolean {
  if (!(error instanceof BaseError)) return false
  const cause = error.walk(
    (cause) =>
      cause instanceof ExecutionRevertedError ||
      (cause instanceof Error && 'code' in cause && cause.code === ExecutionRevertedError.code),
  )
  return cause !== null
}
