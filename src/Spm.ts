import { type Address, type Client, decodeFunctionResult, type Hex, type TransactionReceipt } from 'viem'
import { getCode } from 'viem/actions'
import { spendPermissionManagerAbi } from '../abi/index.js'
import { missing, type Outcome, perform, settled } from './Action.js'
import { spendPermissionManager } from './Addresses.js'
import { ChainError, toChainError } from './ChainError.js'
import { hash as hashPermission, type Permission } from './Permission.js'
import {
  type Period,
  prepareApprove,
  prepareApproveWithSignature,
  prepareEnable,
  prepareReplace,
  prepareRevoke,
  prepareRevokeAsSpender,
  prepareSpend,
} from './SpmCall.js'
import { parseLogs, type Span, type SpmEvent } from './SpmEvent.js'
import { getLastUpdatedPeriod, isApproved, isRevoked } from './SpmRead.js'
import { assertChain, isSender, type Mined, mined, sender, simulate } from './Transaction.js'
import * as Wallet from './Wallet.js'

export type { Outcome } from './Action.js'
export * from './SpmCall.js'
export * from './SpmEvent.js'
export * from './SpmRead.js'
export type { Call, Mined } from './Transaction.js'

/** A spend that went through: `amount` base units, in the period that the chain counted it in. */
export type Spent = Mined & { readonly amount: bigint; readonly period: Span }

/* ------------------------------------------ actions ------------------------------------------ */

/**
 * Approves a permission: by its account's signature, which anybody may submit, or as the account (see
 * {@link Wallet.route} for which clients can). Approving twice is `already`.
 * @throws ChainError `ALREADY_REVOKED`, `INVALID_SIGNATURE`, `WRONG_SENDER` and what the chain said
 */
export async function approve(
  client: Client,
  options: { permission: Permission; signature?: Hex | undefined },
): Promise<Outcome> {
  const { permission, signature } = options
  const doing = 'Approving the permission'
  const { address } = sender(client, doing)
  await assertChain(client, permission.chainId, doing)
  if (await standing(client, permission, doing)) return { already: true }

  const [from, call] =
    signature === undefined
      ? [permission.account, prepareApprove({ permission })]
      : [address, prepareApproveWithSignature({ permission, signature })]
  const receipt = await perform(client, { from, call, doing, rehearsed: approves(permission, doing) })
  if (find(receipt, permission, 'approved')) return { already: false, ...mined(receipt) }
  // No event: somebody else was faster with the same signature, or it was revoked before it got there.
  return settled(receipt, doing, (blockNumber) => standing(client, permission, doing, blockNumber))
}

/**
 * Takes `amount` base units from the account to the spender, which has to be the client's account.
 * @throws ChainError `EXCEEDED_SPEND_PERMISSION`, `UNAUTHORIZED_SPEND_PERMISSION`, `BEFORE_SPEND_PERMISSION_START`,
 * `AFTER_SPEND_PERMISSION_END`, `ZERO_VALUE`, `WALLET_UNAUTHORIZED`, `ACCOUNT_NOT_CONTRACT`,
 * `INSUFFICIENT_BALANCE`, `WRONG_SENDER` and what else the chain said
 */
export async function spend(
  client: Client,
  options: { permission: Permission; amount: bigint },
): Promise<Spent> {
  const { permission, amount } = options
  const doing = `Spending ${amount}`
  sender(client, doing)
  await assertChain(client, permission.chainId, doing)

  const call = prepareSpend({ permission, amount })
  const receipt = await perform(client, { from: permission.spender, call, doing }).catch(async (error) => {
    throw await explain(client, { permission, amount, doing }, error)
  })
  // One transaction of a smart wallet may hold several spends: this one is the one with its amount.
  const used = parseLogs({ logs: receipt.logs, chainId: permission.chainId }).find(
    (event) => event.type === 'used' && event.hash === hashPermission(permission) && event.amount === amount,
  )
  if (used?.type !== 'used') throw missing(doing, receipt)
  return { ...mined(receipt), amount, period: used.period }
}

/**
 * Revokes a permission for good, approved or not: as the spender where the client's account is that, as the
 * account otherwise. Revoking twice is `already`.
 * @throws ChainError `WRONG_SENDER` and what the chain said
 */
export async function revoke(client: Client, options: { permission: Permission }): Promise<Outcome> {
  const { permission } = options
  const doing = 'Revoking the permission'
  sender(client, doing)
  await assertChain(client, permission.chainId, doing)
  if (await isRevoked(client, { permission })) return { already: true }

  const [from, call] = isSender(client, permission.spender)
    ? [permission.spender, prepareRevokeAsSpender({ permission })]
    : [permission.account, prepareRevoke({ permission })]
  const receipt = await perform(client, { from, call, doing })
  if (find(receipt, permission, 'revoked')) return { already: false, ...mined(receipt) }
  return settled(receipt, doing, (blockNumber) => isRevoked(client, { permission, blockNumber }))
}

/**
 * Revokes `from` and approves `to`, whose meter starts at zero. As the account: in one transaction, which the
 * chain refuses if `from` was spent from since `lastUpdatedPeriod` (default: as it is now). As the spender of
 * `from`, with the account's `signature` of `to`: in two, the revocation first, so that no two allowances stand at
 * once; that `to` can be approved is rehearsed before.
 * @throws ChainError `ALREADY_REVOKED`, `INVALID_LAST_UPDATED_PERIOD`, `INVALID_SIGNATURE`,
 * `MISMATCHED_ACCOUNTS`, `WRONG_SENDER` and what the chain said
 */
export async function replace(
  client: Client,
  options: {
    from: Permission
    to: Permission
    signature?: Hex | undefined
    lastUpdatedPeriod?: Period | undefined
  },
): Promise<{ revoked: Outcome; approved: Outcome }> {
  const { from, to, signature } = options
  const doing = 'Replacing the permission'
  const { address } = sender(client, doing)
  await assertChain(client, to.chainId, doing)

  if (signature !== undefined) {
    const call = prepareApproveWithSignature({ permission: to, signature })
    approves(to, doing)(await simulate(client, { call, from: address, doing }))
    const revoked = await revoke(client, { permission: from })
    return { revoked, approved: await approve(client, { permission: to, signature }) }
  }

  const lastUpdatedPeriod =
    options.lastUpdatedPeriod ?? (await getLastUpdatedPeriod(client, { permission: from }))
  const call = prepareReplace({ from, to, lastUpdatedPeriod })
  const receipt = await perform(client, { from: to.account, call, doing, rehearsed: approves(to, doing) })
  const done = { already: false, ...mined(receipt) } as const
  return {
    revoked: find(receipt, from, 'revoked')
      ? done
      : await settled(receipt, doing, (blockNumber) => isRevoked(client, { permission: from, blockNumber })),
    approved: find(receipt, to, 'approved')
      ? done
      : await settled(receipt, doing, (blockNumber) => standing(client, to, doing, blockNumber)),
  }
}

/**
 * Makes SpendPermissionManager an owner of the smart wallet, as the wallet or one of its owners. Enabling twice is
 * `already`.
 * @throws ChainError `WRONG_SENDER` and what the chain said
 */
export async function enable(client: Client, options: { account: Address }): Promise<Outcome> {
  const { account } = options
  const doing = 'Enabling SpendPermissionManager'
  sender(client, doing)
  const owner = spendPermissionManager
  if (await Wallet.isOwner(client, { account, owner })) return { already: true }
  const receipt = await perform(client, { from: account, call: prepareEnable({ account }), doing })
  if (Wallet.addedOwner({ account, owner, logs: receipt.logs })) return { already: false, ...mined(receipt) }
  return settled(receipt, doing, (blockNumber) => Wallet.isOwner(client, { account, owner, blockNumber }))
}

/* ------------------------------------------ helpers ------------------------------------------ */

/** An approval that returns false approves nothing: the hash is revoked. */
function approves(permission: Permission, doing: string): (answer: Hex) => void {
  return (data) => {
    const abi = spendPermissionManagerAbi
    if (!decodeFunctionResult({ abi, functionName: 'approve', data })) throw revokedBefore(permission, doing)
  }
}

/** Whether the permission is approved and stands. Throws where it is revoked, which is for good. */
async function standing(client: Client, permission: Permission, doing: string, blockNumber?: bigint) {
  const [approved, revoked] = await Promise.all([
    isApproved(client, { permission, blockNumber }),
    isRevoked(client, { permission, blockNumber }),
  ])
  if (revoked) throw revokedBefore(permission, doing)
  return approved
}

function find(receipt: TransactionReceipt, permission: Permission, type: SpmEvent['type']) {
  const hash = hashPermission(permission)
  return parseLogs({ logs: receipt.logs, chainId: permission.chainId }).find(
    (event) => event.type === type && event.hash === hash,
  )
}

function revokedBefore(permission: Permission, doing: string): ChainError {
  const hash = hashPermission(permission)
  return new ChainError(
    'ALREADY_REVOKED',
    `${doing}: ${hash} was revoked, which is for good. Sign a new permission, with a new salt.`,
    { figures: { permission: hash } },
  )
}

/** What the chain leaves unsaid about a spend that it refused. */
async function explain(
  client: Client,
  options: { permission: Permission; amount: bigint; doing: string },
  error: unknown,
) {
  const { permission, amount, doing } = options
  const { account, allowance } = permission
  const known = toChainError(error, doing)
  if (known.code === 'EXCEEDED_SPEND_PERMISSION' && amount > allowance) {
    return new ChainError(
      known.code,
      `${doing}: no period lets out more than ${allowance}. Spend less, or ask the owner for a larger allowance.`,
      { figures: known.figures },
    )
  }
  if (known.code !== 'REVERTED' || known.figures.reason !== '') return known
  if ((await getCode(client, { address: account }).catch(() => '0x')) !== undefined) return known
  return new ChainError(
    'ACCOUNT_NOT_CONTRACT',
    `${doing}: ${account} has no code. An EOA can approve but never be spent from; a smart wallet that is not deployed yet has to be deployed first.`,
    { figures: { account } },
  )
}
