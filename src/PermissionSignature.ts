import {
  type Account,
  type Address,
  BaseError,
  type Client,
  decodeFunctionResult,
  ExecutionRevertedError,
  encodeFunctionData,
  getAddress,
  type Hex,
  isAddressEqual,
  isHex,
  type LocalAccount,
  type TypedDataDefinition,
} from 'viem'
import type { SmartAccount } from 'viem/account-abstraction'
import { call, getAddresses, getChainId, signTypedData } from 'viem/actions'
import { publicERC6492ValidatorAbi } from '../abi/index.js'
import { publicERC6492Validator } from './Addresses.js'
import { InputError, PermissionError } from './errors.js'
import type { Permission } from './Permission.js'
import { type Batch, batchHash, batchTypedData, hash, typedData } from './PermissionHash.js'

/**
 * Who can sign: a viem account that holds its key (an EOA, or a smart account, deployed or not), or a wallet client,
 * whose wallet is asked if the client has no account of its own.
 */
export type Signer = Pick<LocalAccount, 'address' | 'signTypedData'> | SmartAccount | Client

/**
 * Has the owner's wallet sign a permission, or a batch of them. The wallet must be `account` of the permission and
 * on its chain. A smart account that is not deployed yet gives an ERC-6492 signature, as viem makes it, which
 * deploys it on approval. That the chain accepts the signature is for `verify` to say.
 *
 * @throws PermissionError `SIGNER_MISMATCH`, `CHAIN_MISMATCH`, and what the wallet throws, such as viem's
 * UserRejectedRequestError
 */
export async function sign(signer: Signer, permission: Permission | Batch): Promise<Hex> {
  if (isAccount(signer)) {
    if ('client' in signer && signer.client.chain) checkChain(signer.client.chain.id, permission)
    return await signWith(signer, permission)
  }

  const { account } = signer
  if (account && account.type !== 'json-rpc') {
    checkChain(signer.chain?.id ?? (await getChainId(signer)), permission)
    return await signWith(account, permission)
  }

  // The wallet decides by itself which accounts and which chain it works with, whatever was asked of it before.
  if (account) checkAddress([account.address], permission)
  checkAddress(await getAddresses(signer), permission)
  checkChain(await getChainId(signer), permission)
  return await signTypedData(signer, { ...definition(permission), account: permission.account })
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
  checkChain(await getChainId(client), permission)
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

function isAccount(signer: Signer): signer is Exclude<Signer, Client> {
  return 'address' in signer
}

async function signWith(
  account: Account | Pick<LocalAccount, 'address' | 'signTypedData'>,
  permission: Permission | Batch,
): Promise<Hex> {
  checkAddress([account.address], permission)
  if (!('signTypedData' in account) || account.signTypedData === undefined)
    throw new PermissionError(
      'SIGNER_MISMATCH',
      `The account ${account.address} is only an address and cannot sign. Give an account with signTypedData, or a wallet client.`,
      { figures: { account: permission.account } },
    )
  return await account.signTypedData(definition(permission))
}

/** Widened, as viem cannot type a union of two primary types. */
function definition(permission: Permission | Batch): TypedDataDefinition {
  return (
    'permissions' in permission ? batchTypedData(permission) : typedData(permission)
  ) as TypedDataDefinition
}

function checkAddress(signers: readonly Address[], permission: Permission | Batch): void {
  const account = getAddress(permission.account)
  if (signers.some((signer) => isAddressEqual(signer, account))) return
  const given = signers.length === 0 ? 'no account (is it connected?)' : signers.join(', ')
  throw new PermissionError(
    'SIGNER_MISMATCH',
    `The permission is for the account ${account}, but the wallet signs for ${given}. Switch the wallet to that account, or define the grant with the wallet's address as its owner.`,
    { figures: { account, signers } },
  )
}

function checkChain(chainId: number, permission: Permission | Batch): void {
  if (chainId === permission.chainId) return
  throw new PermissionError(
    'CHAIN_MISMATCH',
    `The permission is for chain ${permission.chainId}, but the wallet or client is on chain ${chainId}. Switch it to chain ${permission.chainId}.`,
    { figures: { expected: permission.chainId, actual: chainId } },
  )
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
