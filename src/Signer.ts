import {
  type Account,
  type Address,
  type Client,
  getAddress,
  type Hex,
  isAddressEqual,
  type LocalAccount,
  type TypedDataDefinition,
} from 'viem'
import type { SmartAccount } from 'viem/account-abstraction'
import { getAddresses, getChainId, signTypedData } from 'viem/actions'
import { PermissionError } from './errors.js'

/**
 * Who can sign: a viem account that holds its key (an EOA, or a smart account, deployed or not), or a wallet client,
 * whose wallet is asked if the client has no account of its own.
 */
export type Signer = Pick<LocalAccount, 'address' | 'signTypedData'> | SmartAccount | Client

/** What is to be signed, by whom, on which chain, and how errors name it. */
export type Asked = {
  readonly definition: TypedDataDefinition
  readonly address: Address
  readonly chainId: number
  /** Such as `The permission is for the account`, which the address then follows. */
  readonly subject: string
  /** What to do where somebody else would sign. */
  readonly remedy: string
}

/**
 * Has the one who should sign typed data sign it, and nobody else, on no other chain.
 *
 * @throws PermissionError `SIGNER_MISMATCH`, `CHAIN_MISMATCH`, and what the wallet throws, such as viem's
 * UserRejectedRequestError
 */
export async function signAs(signer: Signer, asked: Asked): Promise<Hex> {
  if (isAccount(signer)) {
    if ('client' in signer && signer.client.chain) checkChain(signer.client.chain.id, asked.chainId)
    return await signWith(signer, asked)
  }

  const { account } = signer
  if (account && account.type !== 'json-rpc') {
    checkChain(signer.chain?.id ?? (await getChainId(signer)), asked.chainId)
    return await signWith(account, asked)
  }

  // The wallet decides by itself which accounts and which chain it works with, whatever was asked of it before.
  if (account) checkAddress([account.address], asked)
  checkAddress(await getAddresses(signer), asked)
  checkChain(await getChainId(signer), asked.chainId)
  return await signTypedData(signer, { ...asked.definition, account: asked.address })
}

/** @throws PermissionError `CHAIN_MISMATCH` */
export function checkChain(actual: number, expected: number): void {
  if (actual === expected) return
  throw new PermissionError(
    'CHAIN_MISMATCH',
    `The permission is for chain ${expected}, but the wallet or client is on chain ${actual}. Switch it to chain ${expected}.`,
    { figures: { expected, actual } },
  )
}

function isAccount(signer: Signer): signer is Exclude<Signer, Client> {
  return 'address' in signer
}

async function signWith(
  account: Account | Pick<LocalAccount, 'address' | 'signTypedData'>,
  asked: Asked,
): Promise<Hex> {
  checkAddress([account.address], asked)
  if (!('signTypedData' in account) || account.signTypedData === undefined)
    throw new PermissionError(
      'SIGNER_MISMATCH',
      `The account ${account.address} is only an address and cannot sign. Give an account with signTypedData, or a wallet client.`,
      { figures: { account: asked.address } },
    )
  return await account.signTypedData(asked.definition)
}

function checkAddress(signers: readonly Address[], { address, subject, remedy }: Asked): void {
  const account = getAddress(address)
  if (signers.some((signer) => isAddressEqual(signer, account))) return
  const given = signers.length === 0 ? 'no account (is it connected?)' : signers.join(', ')
  throw new PermissionError(
    'SIGNER_MISMATCH',
    `${subject} ${account}, but the wallet signs for ${given}. ${remedy}`,
    { figures: { account, signers } },
  )
}
