import { type Address, decodeEventLog, type Hex, isAddressEqual, type Log } from 'viem'
import { hardcapGuardAbi } from '../abi/index.js'
import { hardcapGuard } from './Addresses.js'

/** Where in the chain an event is. */
type Place = {
  readonly blockNumber: bigint
  readonly blockHash: Hex
  readonly transactionHash: Hex
  readonly logIndex: number
}

type Payment = {
  readonly grantId: Hex
  /** What the payer gave: see `reference`. Anybody can pay under any grantId and ref of their own. */
  readonly ref: Hex
  /** SpendPermissionManager's hash of the permission: it says whose money it was. */
  readonly permission: Hex
  readonly number: bigint
  /** Base units. */
  readonly amount: bigint
  /** 32 bytes, all zero for none. */
  readonly task: Hex
}

type Stop = {
  readonly account: Address
  readonly token: Address
  readonly grantId: Hex
  readonly by: Address
}

/** What the guard tells. */
export type GuardEvent = Place &
  (
    | ({ readonly type: 'paid'; readonly payee: Address } & Payment)
    | ({ readonly type: 'funded'; readonly purse: Address } & Payment)
    | ({ readonly type: 'paused' } & Stop)
    | ({ readonly type: 'resumed' } & Stop)
    /** For good. */
    | ({ readonly type: 'revoked' } & Stop)
    | {
        /** `permission` was approved in place of `oldPermission`, which is revoked. */
        readonly type: 'replaced'
        readonly account: Address
        readonly grantId: Hex
        readonly permission: Hex
        readonly oldPermission: Hex
      }
  )

const types = {
  Paid: 'paid',
  Funded: 'funded',
  Paused: 'paused',
  Resumed: 'resumed',
  Revoked: 'revoked',
  Replaced: 'replaced',
} as const

/** A log of the guard as a typed value; undefined for every other log, and for one that is not in a block yet. */
export function parseLog(log: Log): GuardEvent | undefined {
  if (!isAddressEqual(log.address, hardcapGuard)) return undefined
  const { blockNumber, blockHash, transactionHash, logIndex } = log
  if (blockNumber === null || blockHash === null || transactionHash === null || logIndex === null)
    return undefined
  const place = { blockNumber, blockHash, transactionHash, logIndex }
  const event = decode(log)
  switch (event?.eventName) {
    case 'Paid':
      return { ...place, type: types[event.eventName], ...event.args }
    case 'Funded':
      return { ...place, type: types[event.eventName], ...event.args }
    case 'Paused':
    case 'Resumed':
    case 'Revoked':
      return { ...place, type: types[event.eventName], ...event.args }
    case 'Replaced':
      return { ...place, type: types[event.eventName], ...event.args }
    default:
      return undefined
  }
}

/** The events of the guard among the logs, in their order. */
export function parseLogs(logs: readonly Log[]): GuardEvent[] {
  return logs.flatMap((log) => parseLog(log) ?? [])
}

function decode(log: Log) {
  try {
    return decodeEventLog({ abi: hardcapGuardAbi, data: log.data, topics: log.topics })
  } catch {
    // Another event than those that the ABI knows.
    return undefined
  }
}
