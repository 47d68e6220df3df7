import { concat, type Hex, hashTypedData, numberToHex, size, slice } from 'viem'
import * as Eip3009 from './Eip3009.js'
import { InputError } from './errors.js'
import type { Permission } from './Permission.js'
import * as Policy from './Policy.js'
import { address } from './PurseAddress.js'
import { type Signer, signAs } from './Signer.js'

export type { Authorization } from './Eip3009.js'

type AuthorizationOf = { permission: Permission; authorization: Eip3009.Authorization }
type CancellationOf = { permission: Permission; nonce: Hex }

/**
 * What the agent signs for a payment by its purse, in the token's own domain.
 *
 * @throws InputError `UNKNOWN_TOKEN`; PolicyError where the permission has no policy
 */
export function authorizationTypedData({ permission, authorization }: AuthorizationOf) {
  return Eip3009.authorizationTypedData(permission, { from: address(permission), ...authorization })
}

/** What the agent signs to take a payment back that was not settled yet. */
export function cancellationTypedData({ permission, nonce }: CancellationOf) {
  return Eip3009.cancellationTypedData(permission, { from: address(permission), nonce })
}

/** The hash that the token asks the purse about. */
export function authorizationHash(options: AuthorizationOf): Hex {
  return hashTypedData(authorizationTypedData(options))
}

/** The hash that the token asks the purse about, for a cancellation. */
export function cancellationHash(options: CancellationOf): Hex {
  return hashTypedData(cancellationTypedData(options))
}

/**
 * The purse's signature of a payment, as `transferWithAuthorization` of the token takes it: the agent's own, with all
 * that the purse needs to decide. Anybody who has it can settle the payment while it is valid, and nothing else.
 *
 * @param options.permission the one that last funded the purse
 * @param options.proof that the payee is listed (`Payees.proof`); empty where the policy allows any
 * @throws InputError for what the purse could never accept; PermissionError `SIGNER_MISMATCH`
 */
export async function signPayment(
  signer: Signer,
  options: AuthorizationOf & { proof: readonly Hex[] },
): Promise<Hex> {
  // First, so that nothing is signed that cannot be used.
  const head = encodePayment(options)
  const definition = authorizationTypedData(options)
  return concat([head, await signAs(signer, { definition, ...agentOf(options.permission) })])
}

/**
 * The purse's signature of a cancellation, as `cancelAuthorization` of the token takes it.
 *
 * @throws as `signPayment`
 */
export async function signCancellation(signer: Signer, options: CancellationOf): Promise<Hex> {
  const definition = cancellationTypedData(options)
  const signature = await signAs(signer, { definition, ...agentOf(options.permission) })
  return concat(['0x02', options.nonce, signature])
}

/** Version and fields of a policy, then grantId and agent, which are the purse's own and so not in the blob. */
const known = 3 + 32 + 20

/** All of a payment's blob but the agent's signature, packed as in IPurse.sol. */
function encodePayment(options: AuthorizationOf & { proof: readonly Hex[] }): Hex {
  const { authorization, permission, proof } = options
  const { to, value, validAfter, validBefore, nonce } = authorization
  const { allowance, period, start, end, salt, extraData } = permission
  const time = (value: number, field: string) => uint(Number.isSafeInteger(value) ? value : -1, field, 6)
  return concat([
    '0x01',
    to,
    uint(value, 'value', 14),
    time(validAfter, 'validAfter'),
    time(validBefore, 'validBefore'),
    nonce,
    uint(allowance, 'allowance', 20),
    time(period, 'period'),
    time(start, 'start'),
    time(end, 'end'),
    uint(salt, 'salt', 32),
    slice(extraData, 0, 3),
    uint(size(extraData) - known, 'extraData', 2),
    slice(extraData, known),
    uint(proof.length, 'proof', 1),
    ...proof,
  ])
}

function uint(value: bigint | number, field: string, size: number): Hex {
  if (value >= 0 && value < 1n << BigInt(8 * size)) return numberToHex(value, { size })
  const valid = `0 to 2^${8 * size} - 1`
  throw new InputError('INVALID_AMOUNT', { field, given: value, valid, why: 'Does not fit the purse.' })
}

function agentOf({ chainId, extraData }: Permission) {
  return {
    address: Policy.decode(extraData).agent,
    chainId,
    subject: 'The purse pays what its agent signs, who is',
    remedy: "Give the agent's account.",
  }
}
