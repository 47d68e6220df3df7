/** What the agent's key signs about an authorization: that it pays, or that it is taken back. */
import { type Address, type Hex, isAddressEqual, type LocalAccount } from 'viem'
import * as Eip3009 from './Eip3009.js'
import type { Grant } from './Grant.js'
import * as Payees from './Payees.js'
import type { Permission } from './Permission.js'
import * as PurseBlob from './PurseBlob.js'

type Of = {
  /** Whose float pays: the agent's purse, or the agent's own address. */
  readonly payer: Address
  readonly permission: Permission
}

/** As the token takes it to settle the payment. */
export function sign(
  agent: LocalAccount,
  {
    payer,
    permission,
    grant,
    authorization,
  }: Of & { readonly grant: Pick<Grant, 'allow' | 'payees'>; readonly authorization: Eip3009.Authorization },
): Promise<Hex> {
  if (isAddressEqual(payer, agent.address))
    return agent.signTypedData(Eip3009.authorizationTypedData(permission, { from: payer, ...authorization }))
  const proof = grant.payees === 'any' ? [] : Payees.proof(Payees.of(grant), authorization.to)
  return PurseBlob.signPayment(agent, { permission, authorization, proof })
}

/** As the token takes it to end the nonce without a payment. */
export function signCancellation(
  agent: LocalAccount,
  { payer, permission, nonce }: Of & { readonly nonce: Hex },
): Promise<Hex> {
  if (isAddressEqual(payer, agent.address))
    return agent.signTypedData(Eip3009.cancellationTypedData(permission, { from: payer, nonce }))
  return PurseBlob.signCancellation(agent, { permission, nonce })
}
