import type { Client, Hex } from 'viem'
import { readContract } from 'viem/actions'
import { spendPermissionManagerAbi } from '../abi/index.js'
import { spendPermissionManager } from './Addresses.js'
import { toChainError } from './ChainError.js'
import type { Permission } from './Permission.js'
import { type Period, toPeriod, toStruct } from './SpmCall.js'

/** At the latest block where none is named. */
type Read = { permission: Permission; blockNumber?: bigint | undefined; blockHash?: Hex | undefined }

const contract = { address: spendPermissionManager, abi: spendPermissionManagerAbi } as const

/** Whether the permission was ever approved. Stays true after a revoke. */
export async function isApproved(client: Client, options: Read): Promise<boolean> {
  return readContract(client, { ...contract, ...at(options), functionName: 'isApproved' }).catch(fail)
}

/** Whether the permission is revoked, approved before or not. */
export async function isRevoked(client: Client, options: Read): Promise<boolean> {
  return readContract(client, { ...contract, ...at(options), functionName: 'isRevoked' }).catch(fail)
}

/**
 * The period that contains the block's time, with the sum spent in it. Works on unapproved and revoked ones too.
 * @throws ChainError `BEFORE_SPEND_PERMISSION_START`, `AFTER_SPEND_PERMISSION_END`, `RPC_FAILED`
 */
export async function getCurrentPeriod(client: Client, options: Read): Promise<Period> {
  const parameters = { ...contract, ...at(options), functionName: 'getCurrentPeriod' } as const
  return toPeriod(await readContract(client, parameters).catch(fail))
}

/** The stored period: that of the last spend, however long ago; all zeros when nothing was ever spent. */
export async function getLastUpdatedPeriod(client: Client, options: Read): Promise<Period> {
  const parameters = { ...contract, ...at(options), functionName: 'getLastUpdatedPeriod' } as const
  return toPeriod(await readContract(client, parameters).catch(fail))
}

function at({ permission, blockNumber, blockHash }: Read) {
  const args = [toStruct(permission)] as const
  if (blockHash !== undefined) return { args, blockHash }
  return blockNumber === undefined ? { args } : { args, blockNumber }
}

function fail(error: unknown): never {
  throw toChainError(error, 'Reading SpendPermissionManager')
}
