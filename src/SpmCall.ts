import { type Address, encodeFunctionData, erc20Abi, type Hex, isAddressEqual } from 'viem'
import { spendPermissionManagerAbi } from '../abi/index.js'
import { nativeToken, spendPermissionManager } from './Addresses.js'
import { InputError } from './errors.js'
import type { Permission } from './Permission.js'
import type { Call } from './Transaction.js'
import * as Wallet from './Wallet.js'

/**
 * A period of a permission with the sum spent in it: unix seconds, half open, and base units. All zeros where the
 * chain has stored none.
 */
export type Period = { readonly start: number; readonly end: number; readonly spent: bigint }

/** A period as SpendPermissionManager returns it, in our words. */
export function toPeriod(stored: { start: number; end: number; spend: bigint }): Period {
  return { start: stored.start, end: stored.end, spent: stored.spend }
}

const maxUint160 = 2n ** 160n - 1n

/** The permission as SpendPermissionManager takes it: without the chain. */
export function toStruct(permission: Permission) {
  const { account, spender, token, allowance, period, start, end, salt, extraData } = permission
  return { account, spender, token, allowance, period, start, end, salt, extraData }
}

/** Approves a permission. To be sent by its account. */
export function prepareApprove(options: { permission: Permission }): Call {
  const args = [toStruct(options.permission)] as const
  return toSpm(encodeFunctionData({ abi: spendPermissionManagerAbi, functionName: 'approve', args }))
}

/** Approves a permission that its account signed. Anybody may send it, and needs nobody's consent. */
export function prepareApproveWithSignature(options: { permission: Permission; signature: Hex }): Call {
  const args = [toStruct(options.permission), options.signature] as const
  return toSpm(
    encodeFunctionData({ abi: spendPermissionManagerAbi, functionName: 'approveWithSignature', args }),
  )
}

/**
 * Takes `amount` base units from the account to the spender. To be sent by the spender, who is the only one that
 * `spend` pays: on to a payee is a {@link prepareTransfer}.
 * @throws InputError where `amount` is not a uint160
 */
export function prepareSpend(options: { permission: Permission; amount: bigint }): Call {
  const { permission, amount } = options
  const args = [toStruct(permission), uint(amount, maxUint160)] as const
  return toSpm(encodeFunctionData({ abi: spendPermissionManagerAbi, functionName: 'spend', args }))
}

/**
 * Pays `amount` base units of `token` to a payee: the second half of a payment on the direct rail. To be sent by
 * the agent, who has pulled the amount before.
 * @throws InputError where `amount` is not a uint256
 */
export function prepareTransfer(options: { token: Address; to: Address; amount: bigint }): Call {
  const { token, to } = options
  const amount = uint(options.amount, 2n ** 256n - 1n)
  if (isAddressEqual(token, nativeToken)) return { to, data: '0x', value: amount }
  const data = encodeFunctionData({ abi: erc20Abi, functionName: 'transfer', args: [to, amount] })
  return { to: token, data, value: 0n }
}

/** Revokes a permission for good, approved or not. To be sent by its account. */
export function prepareRevoke(options: { permission: Permission }): Call {
  const args = [toStruct(options.permission)] as const
  return toSpm(encodeFunctionData({ abi: spendPermissionManagerAbi, functionName: 'revoke', args }))
}

/** Revokes a permission for good, approved or not. To be sent by its spender. */
export function prepareRevokeAsSpender(options: { permission: Permission }): Call {
  const args = [toStruct(options.permission)] as const
  return toSpm(encodeFunctionData({ abi: spendPermissionManagerAbi, functionName: 'revokeAsSpender', args }))
}

/**
 * Revokes `from` and approves `to`, in one. To be sent by their account. `lastUpdatedPeriod` is what
 * `getLastUpdatedPeriod` says of `from` (the stored period, not the current one; all zeros when nothing was ever
 * spent): the chain refuses if `from` was spent from since. The meter of `to` starts at zero.
 */
export function prepareReplace(options: {
  from: Permission
  to: Permission
  lastUpdatedPeriod: Period
}): Call {
  const { start, end, spent: spend } = options.lastUpdatedPeriod
  const args = [toStruct(options.to), toStruct(options.from), { start, end, spend }] as const
  return toSpm(
    encodeFunctionData({ abi: spendPermissionManagerAbi, functionName: 'approveWithRevoke', args }),
  )
}

/**
 * As {@link prepareReplace}, on the direct rail and without the account: the spender of `from` revokes it, then
 * anybody submits the account's signature of `to`. In this order, so that no two allowances stand at once. They
 * are two calls with different senders allowed; only the first has to come from the spender.
 */
export function prepareReplaceAsSpender(options: {
  from: Permission
  to: Permission
  signature: Hex
}): readonly [revoke: Call, approve: Call] {
  const { from, to, signature } = options
  return [
    prepareRevokeAsSpender({ permission: from }),
    prepareApproveWithSignature({ permission: to, signature }),
  ]
}

/**
 * Makes SpendPermissionManager an owner of the smart wallet, without which every spend reverts. To be sent by the
 * wallet itself or one of its owners.
 */
export function prepareEnable(options: { account: Address }): Call {
  return Wallet.prepareAddOwner({ account: options.account, owner: spendPermissionManager })
}

function toSpm(data: Hex): Call {
  return { to: spendPermissionManager, data, value: 0n }
}

/** Zero is for the chain to refuse: it says so in its own words, in its own order. */
function uint(amount: bigint, max: bigint): bigint {
  if (amount >= 0n && amount <= max) return amount
  throw new InputError('INVALID_AMOUNT', {
    field: 'amount',
    given: amount,
    valid: `base units from 0 to ${max}`,
    why: 'Does not fit the contract.',
  })
}
