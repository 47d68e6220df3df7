import { type Address, type Client, type Hex, zeroAddress, zeroHash } from 'viem'
import { readContract } from 'viem/actions'
import { hardcapGuardAbi, hardcapGuardReasons } from '../abi/index.js'
import { hardcapGuard } from './Addresses.js'
import * as Caps from './Caps.js'
import { toChainError } from './ChainError.js'
import { type Key, key, toBatch, toFunding } from './GuardCall.js'
import type { Batch, Funding } from './GuardHash.js'
import type { Permission } from './Permission.js'
import * as Policy from './Policy.js'
import { toStruct } from './SpmCall.js'

/** Why the guard would refuse, in its own words and in the order in which it looks; `Ok` where it would not. */
export type Reason = (typeof hardcapGuardReasons)[number]

/** What was spent, or what is left, by each meter, in base units. */
export type Meters = {
  readonly perCall: bigint | null
  /** In the UTC day of the block. */
  readonly perDay: bigint | null
  readonly total: bigint | null
  /** Of the task that was asked for. */
  readonly perTask: bigint | null
  /** In the trailing window, up to a third longer. */
  readonly perWindow: bigint | null
  /** In SpendPermissionManager's current period, by this permission alone. */
  readonly period: bigint
  /** What the purse holds from this permission; of what is left, how far it could still be lifted. */
  readonly float: bigint | null
}

/** The block to read at: the latest where omitted. */
type At = { blockNumber?: bigint | undefined; blockHash?: Hex | undefined }
type BatchOf = At & { permission: Permission; batch: Batch }
type FundingOf = At & { permission: Permission; funding: Funding }
type MetersOf = At & { permission: Permission; task?: Hex | undefined }

const contract = { address: hardcapGuard, abi: hardcapGuardAbi } as const
const at = ({ blockNumber, blockHash }: At) =>
  blockHash !== undefined ? { blockHash } : blockNumber !== undefined ? { blockNumber } : {}

/**
 * Whether a batch would be paid, as far as guard and SpendPermissionManager know. Not looked at: the account's
 * balance and owners, who sends, and whether the agent signed.
 * @throws ChainError `RPC_FAILED`
 */
export async function check(client: Client, options: BatchOf): Promise<Reason> {
  const args = [toStruct(options.permission), toBatch(options.batch)] as const
  const parameters = { ...contract, ...at(options), functionName: 'check', args } as const
  return reason(await readContract(client, parameters).catch(fail))
}

/** Whether a purse would be funded. As {@link check}. */
export async function checkFunding(client: Client, options: FundingOf): Promise<Reason> {
  const args = [toStruct(options.permission), toFunding(options.funding)] as const
  const parameters = { ...contract, ...at(options), functionName: 'checkFunding', args } as const
  return reason(await readContract(client, parameters).catch(fail))
}

/**
 * As {@link check}, with the figures.
 * @throws ChainError what the guard would refuse the batch with
 */
export async function simulate(client: Client, options: BatchOf): Promise<void> {
  const args = [toStruct(options.permission), toBatch(options.batch)] as const
  const parameters = { ...contract, ...at(options), functionName: 'simulate', args } as const
  await readContract(client, parameters).catch(fail)
}

/**
 * As {@link checkFunding}, with the figures.
 * @throws ChainError what the guard would refuse the funding with
 */
export async function simulateFunding(client: Client, options: FundingOf): Promise<void> {
  const args = [toStruct(options.permission), toFunding(options.funding)] as const
  const parameters = { ...contract, ...at(options), functionName: 'simulateFunding', args } as const
  await readContract(client, parameters).catch(fail)
}

/**
 * What is left under each cap, null where the policy has none; the lowest is what can be spent, if nothing else is
 * in the way. `period` is zero outside of the permission's dates.
 * @throws PolicyError where the permission has no policy; ChainError `RPC_FAILED`
 */
export async function remaining(client: Client, options: MetersOf): Promise<Meters> {
  const policy = Policy.decode(options.permission.extraData)
  const parameters = {
    ...contract,
    ...at(options),
    functionName: 'remaining',
    args: metersOf(options),
  } as const
  const left = await readContract(client, parameters).catch(fail)
  const capped = (name: Exclude<keyof Meters, 'period' | 'float'>) =>
    policy[name] === null ? null : left[name]
  return {
    perCall: capped('perCall'),
    perDay: capped('perDay'),
    total: capped('total'),
    perTask: capped('perTask'),
    perWindow: capped('perWindow'),
    period: left.period,
    float: policy.maxFloat === null ? null : left.float,
  }
}

/**
 * What was spent, by each meter: day and total always, under the whole grant. `perCall` is null; the window is null
 * where the policy caps none. `float` is what the purse holds from this permission.
 * @throws PolicyError where the permission has no policy; ChainError `RPC_FAILED`
 */
export async function used(client: Client, options: MetersOf): Promise<Meters> {
  const policy = Policy.decode(options.permission.extraData)
  const parameters = { ...contract, ...at(options), functionName: 'used', args: metersOf(options) } as const
  const { perDay, total, perTask, perWindow, period, float } = await readContract(client, parameters).catch(
    fail,
  )
  return {
    perCall: null,
    perDay,
    total,
    perTask,
    perWindow: policy.perWindow === null ? null : perWindow,
    period,
    float,
  }
}

/**
 * Whether the permission's agent has used a payment number: it never pays again.
 * @throws PolicyError where the permission has no policy; ChainError `RPC_FAILED`
 */
export async function isUsed(
  client: Client,
  options: At & { permission: Permission; number: bigint },
): Promise<boolean> {
  const { account, token, extraData } = options.permission
  const { grantId, agent } = Policy.decode(extraData)
  const args = [account, token, grantId, agent, options.number] as const
  const parameters = { ...contract, ...at(options), functionName: 'isUsed', args } as const
  return readContract(client, parameters).catch(fail)
}

/** What stands against a permission: a pause can be taken back, a revocation is for good. */
export type Stops = { readonly paused: boolean; readonly revoked: boolean }

/**
 * Whether the account or the policy's orchestrator has paused, or they or the agent have revoked. A permission may
 * be revoked with SpendPermissionManager besides.
 * @throws PolicyError where the permission has no policy; ChainError `RPC_FAILED`
 */
export async function stops(client: Client, options: At & { permission: Permission }): Promise<Stops> {
  const { orchestrator, agent } = Policy.decode(options.permission.extraData)
  return readStops(client, { ...key(options.permission), ...at(options), orchestrator, agent })
}

/**
 * What the account itself has said, to every permission of the grant.
 * @throws ChainError `RPC_FAILED`
 */
export async function stopsOfAccount(client: Client, options: At & Omit<Key, 'chainId'>): Promise<Stops> {
  return readStops(client, { ...options, orchestrator: null, agent: zeroAddress })
}

/** By whom a permission is stopped, the account before others; null for nobody. */
export type Stoppers = {
  readonly pausedBy: 'account' | 'orchestrator' | null
  readonly revokedBy: 'account' | 'orchestrator' | 'agent' | null
}

/**
 * As {@link stops}, and whose flag it is.
 * @throws PolicyError where the permission has no policy; ChainError `RPC_FAILED`
 */
export async function stoppers(client: Client, options: At & { permission: Permission }): Promise<Stoppers> {
  const { orchestrator, agent } = Policy.decode(options.permission.extraData)
  const of = (orchestrator: Address | null, agent: Address) =>
    readStops(client, { ...key(options.permission), ...at(options), orchestrator, agent })
  const all = await of(orchestrator, agent)
  if (!all.paused && !all.revoked) return { pausedBy: null, revokedBy: null }
  const [account, others] = await Promise.all([of(null, zeroAddress), of(orchestrator, zeroAddress)])
  const revokedBy = account.revoked ? 'account' : others.revoked ? 'orchestrator' : 'agent'
  return {
    pausedBy: all.paused ? (account.paused ? 'account' : 'orchestrator') : null,
    revokedBy: all.revoked ? revokedBy : null,
  }
}

async function readStops(
  client: Client,
  options: At & Omit<Key, 'chainId'> & { orchestrator: Address | null; agent: Address },
): Promise<Stops> {
  const { account, token, grantId, orchestrator, agent } = options
  // Nobody can have set the flags of the zero address.
  const args = [account, token, grantId, orchestrator ?? zeroAddress, agent] as const
  const parameters = { ...contract, ...at(options), functionName: 'stops', args } as const
  const [paused, revoked] = await readContract(client, parameters).catch(fail)
  return { paused, revoked }
}

/**
 * What the guard itself makes of a permission's `extraData`: what {@link Policy.decode} says without asking it.
 * @throws ChainError `MALFORMED_POLICY`, `UNKNOWN_POLICY_VERSION`, `RPC_FAILED`
 */
export async function explain(client: Client, options: At & { extraData: Hex }): Promise<Policy.Policy> {
  const args = [options.extraData] as const
  const parameters = { ...contract, ...at(options), functionName: 'explain', args } as const
  const policy = await readContract(client, parameters).catch(fail)
  const { grantId, agent, orchestrator, maxFloat, payees, replaces } = policy
  const cap = (name: Exclude<keyof typeof Caps.most, 'maxFloat'>) =>
    BigInt(policy[name]) > Caps.most[name] ? null : BigInt(policy[name])
  return {
    grantId,
    agent,
    orchestrator: orchestrator === zeroAddress ? null : orchestrator,
    perCall: cap('perCall'),
    perDay: cap('perDay'),
    total: cap('total'),
    perTask: cap('perTask'),
    perWindow: cap('perWindow'),
    window: policy.window === 0 ? null : policy.window,
    maxFloat: maxFloat === 0n ? null : maxFloat,
    payees: payees === Policy.anyPayee ? 'any' : payees,
    replaces: replaces === zeroHash ? null : replaces,
  }
}

function metersOf({ permission, task }: MetersOf) {
  return [toStruct(permission), task ?? zeroHash] as const
}

/** A guard whose reasons go on beyond those known here has one of its own. */
function reason(index: number): Reason {
  return hardcapGuardReasons[index] ?? 'Other'
}

function fail(error: unknown): never {
  throw toChainError(error, 'Reading the guard')
}
