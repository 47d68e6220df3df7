/** Who pays by EIP-3009, and how it signs: an account with a key, or the agent's purse. */

import { authorizationTypes } from '@x402/evm'
import type { Address, Hex, LocalAccount } from 'viem'
import type { Grant } from '../Grant.js'
import * as Payees from '../Payees.js'
import type { Permission } from '../Permission.js'
import * as Purse from '../Purse.js'
import type { Signer } from '../Signer.js'

export type Payer = {
  /** Whose money moves: `from` of the authorization. */
  readonly address: Address
  /** The signature as the token takes it. */
  readonly sign: (authorization: Purse.Authorization) => Promise<Hex>
}

/** An account that pays with money of its own, such as the agent's on the direct rail. */
export function ofAccount(
  account: Pick<LocalAccount, 'address' | 'signTypedData'>,
  { token, chainId }: Pick<Grant, 'token' | 'chainId'>,
): Payer {
  const { address, name, version } = token
  return {
    address: account.address,
    sign: ({ to, value, validAfter, validBefore, nonce }) =>
      account.signTypedData({
        // The token's own domain, whatever the server says it is.
        domain: { name, version, chainId, verifyingContract: address },
        types: authorizationTypes,
        primaryType: 'TransferWithAuthorization',
        message: {
          from: account.address,
          to,
          value,
          validAfter: BigInt(validAfter),
          validBefore: BigInt(validBefore),
          nonce,
        },
      }),
  }
}

/**
 * The agent's purse, which pays what the agent signs. `permission` is the one that last funded it; the purse has to be
 * deployed and funded before a facilitator takes its signature.
 */
export function ofPurse(
  agent: Signer,
  { permission, grant }: { permission: Permission; grant: Pick<Grant, 'allow' | 'payees'> },
): Payer {
  const payees = Payees.of(grant)
  return {
    address: Purse.address(permission),
    sign: (authorization) => {
      const proof = grant.payees === 'any' ? [] : Payees.proof(payees, authorization.to)
      return Purse.signPayment(agent, { permission, authorization, proof })
    },
  }
}
