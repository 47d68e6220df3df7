import { type Address, decodeEventLog, type Hex, isAddressEqual, type Log } from 'viem'
import { spendPermissionManagerAbi } from '../abi/index.js'
import { spendPermissionManager } from './Addresses.js'
import type { Permission } from './Permission.js'

/** A period of a permission, unix seconds, half open: `start <= t < end`. */
export type Span = { readonly start: number; readonly end: number }

/** Where in the chain an event is. */
type Place = {
  readonly blockNumber: bigint
  readonly blockHash: Hex
  readonly transactionHash: Hex
  readonly logIndex: number
}

/** What SpendPermissionManager tells. `hash` is the permission's (`Permission.hash`). */
export type SpmEvent = Place &
  (
    | {
        /** A permission was approved, for the first time. */
        readonly type: 'approved'
        readonly hash: Hex
        readonly permission: Permission
      }
    | {
        /** A permission was revoked, for the first time and for good, approved before or not. */
        readonly type: 'revoked'
        readonly hash: Hex
        readonly permission: Permission
      }
    | {
        /** The spender took tokens. There is no recipient: `spend` pays the spender only. */
        readonly type: 'used'
        readonly hash: Hex
        readonly account: Address
        readonly spender: Address
        readonly token: Address
        readonly period: Span
        /** Base units that this one spend took. The event calls it `spend`; it is not the period's sum. */
        readonly amount: bigint
      }
  )

/**
 * A log of SpendPermissionManager as a typed value; undefined for every other log, and for one that is not in a
 * block yet. `chainId` is the chain that the log is from: the event's struct does not carry it.
 */
export function parseLog(options: { log: Log; chainId: number }): SpmEvent | undefined {
  const { log, chainId } = options
  if (!isAddressEqual(log.address, spendPermissionManager)) return undefined
  const { blockNumber, blockHash, transactionHash, logIndex } = log
  if (blockNumber === null || blockHash === null || transactionHash === null || logIndex === null)
    return undefined
  const place = { blockNumber, blockHash, transactionHash, logIndex }
  const event = decode(log)
  switch (event?.eventName) {
    case 'SpendPermissionApproved':
    case 'SpendPermissionRevoked': {
      const type = event.eventName === 'SpendPermissionApproved' ? 'approved' : 'revoked'
      return { ...place, type, hash: event.args.hash, permission: { chainId, ...event.args.spendPermission } }
    }
    case 'SpendPermissionUsed': {
      const { hash, account, spender, token, periodSpend } = event.args
      const { start, end, spend } = periodSpend
      return { ...place, type: 'used', hash, account, spender, token, period: { start, end }, amount: spend }
    }
    default:
      return undefined
  }
}

/** The events of SpendPermissionManager among the logs, in their order. */
export function parseLogs(options: { logs: readonly Log[]; chainId: number }): SpmEvent[] {
  return options.logs.flatMap((log) => parseLog({ log, chainId: options.chainId }) ?? [])
}

function decode(log: Log) {
  try {
    return decodeEventLog({ abi: spendPermissionManagerAbi, data: log.data, topics: log.topics })
  } catch {
    // Another event than those that the ABI knows.
    return undefined
  }
}
