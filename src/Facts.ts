/** What the chain's logs say of a grant: whose logs are asked for on each rail, and the facts that they are. */
import {
  type Address,
  BaseError,
  erc20Abi,
  getAbiItem,
  type Hex,
  HttpRequestError,
  isAddressEqual,
  numberToHex,
  type PublicClient,
  zeroHash,
} from 'viem'
import { hardcapGuardAbi, spendPermissionManagerAbi } from '../abi/index.js'
import { hardcapGuard, spendPermissionManager } from './Addresses.js'
import * as Permission from './Permission.js'
import * as Policy from './Policy.js'
import type { EventRow } from './Store.js'

/** A fact as it was read, before it is known whose it is. */
export type Fact = Omit<EventRow, 'key' | 'final'>

/** Whose logs are facts of a grant. */
export type Subject = {
  readonly grantId: Hex
  readonly token: Address
  readonly agent: Address
  /** The permission that new payments use. Its spender is the agent on the direct rail, else the guard. */
  readonly current: Permission.Permission
  /** The others under the grant that the books know. */
  readonly known: readonly Permission.Permission[]
}

/** The facts, in the order of the chain, and permissions under the grant that were not known. */
export type Found = {
  readonly facts: readonly Fact[]
  readonly siblings: readonly Permission.Permission[]
}

export type Range = { readonly from: bigint; readonly to: bigint }

const usedEvent = getAbiItem({ abi: spendPermissionManagerAbi, name: 'SpendPermissionUsed' })
const approvedEvent = getAbiItem({ abi: spendPermissionManagerAbi, name: 'SpendPermissionApproved' })
const transferEvent = getAbiItem({ abi: erc20Abi, name: 'Transfer' })
const paidEvent = getAbiItem({ abi: hardcapGuardAbi, name: 'Paid' })
const fundedEvent = getAbiItem({ abi: hardcapGuardAbi, name: 'Funded' })

/** The logs that the facts of a range are made of. */
export type Logs = {
  readonly used: Awaited<ReturnType<typeof getUsed>>
  readonly transfers: Awaited<ReturnType<typeof getTransfers>>
  readonly paid: Awaited<ReturnType<typeof getPaid>>
}

/** Asks for the logs of a range in one go; an endpoint may refuse when there are too many. */
export async function getLogs(client: PublicClient, subject: Subject, range: Range): Promise<Logs> {
  const guarded = isGuarded(subject)
  const [used, transfers, paid] = await Promise.all([
    getUsed(client, subject, range),
    guarded ? [] : getTransfers(client, subject, range),
    guarded ? getPaid(client, subject, range) : [],
  ])
  return { used, transfers, paid }
}

/** Whether the guard pays; on the direct rail the agent itself does. */
export function isGuarded({ agent, current }: Pick<Subject, 'agent' | 'current'>): boolean {
  return !isAddressEqual(current.spender, agent)
}

/**
 * What left the account by the spender, whatever the permission: an earlier one counts, and so does another that
 * somebody had the owner sign.
 */
async function getUsed(client: PublicClient, { current, token }: Subject, { from, to }: Range) {
  const { account, spender } = current
  const logs = await client.getLogs({
    address: spendPermissionManager,
    event: usedEvent,
    args: { account, spender },
    fromBlock: from,
    toBlock: to,
    strict: true,
  })
  // The event's token is not indexed.
  return logs.filter((log) => isAddressEqual(log.args.token, token))
}

function getTransfers(client: PublicClient, { agent, token }: Subject, { from, to }: Range) {
  return client.getLogs({
    address: token,
    event: transferEvent,
    args: { from: agent },
    fromBlock: from,
    toBlock: to,
    strict: true,
  })
}

/** Anybody can make the guard say this under any grantId, with money of their own. */
async function getPaid(client: PublicClient, { grantId }: Subject, { from, to }: Range) {
  const filter = {
    address: hardcapGuard,
    args: { grantId },
    fromBlock: from,
    toBlock: to,
    strict: true,
  } as const
  const [payments, fundings] = await Promise.all([
    client.getLogs({ ...filter, event: paidEvent }),
    client.getLogs({ ...filter, event: fundedEvent }),
  ])
  return [...payments, ...fundings]
}

/** The facts that logs are; undefined where some of them were left out by the endpoint. */
export async function of(client: PublicClient, subject: Subject, logs: Logs): Promise<Found | undefined> {
  const found = isGuarded(subject)
    ? await guardFacts(client, subject, logs)
    : { facts: await directFacts(client, subject, logs), siblings: [] }
  if (!found) return undefined
  const { facts, siblings } = found
  return {
    facts: facts.sort((a, b) => a.blockNumber - b.blockNumber || a.logIndex - b.logIndex),
    siblings,
  }
}

/* ------------------------------------------ direct ------------------------------------------ */

async function directFacts(client: PublicClient, { grantId }: Subject, { used, transfers }: Logs) {
  const placeOf = placing(client, grantId)
  const facts = [...used, ...transfers].map(async (log): Promise<Fact> => {
    const place = await placeOf(log)
    if (log.eventName === 'Transfer') {
      const { to: payee, value: amount } = log.args
      return {
        ...place,
        ...unguarded,
        kind: 'transfer',
        amount,
        payee,
        permissionHash: null,
        periodStart: null,
      }
    }
    const { hash: permissionHash, spender: payee, periodSpend } = log.args
    // `spend` in the event is the increment, not the sum of the period.
    const { start: periodStart, spend: amount } = periodSpend
    return { ...place, ...unguarded, kind: 'pull', amount, payee, permissionHash, periodStart }
  })
  // Anybody can make a token emit a transfer of zero from the agent (address poisoning): that is no fact.
  return (await Promise.all(facts)).filter((fact) => fact.amount > 0n)
}

const unguarded = { ref: null, number: null, window: null, task: null } as const

/* ------------------------------------------ guard ------------------------------------------ */

/**
 * The guard's events are the grant's where SpendPermissionManager took the money for them from the account: its event
 * is in the same transaction, for the same permission and the same sum. A sum that differs is a log left out.
 */
async function guardFacts(client: PublicClient, subject: Subject, { used, paid }: Logs) {
  const { grantId, current, known } = subject
  const placeOf = placing(client, grantId)
  const taken = new Map<string, { amount: bigint; periodStart: number }>()
  for (const { transactionHash, args } of used) {
    const id = `${transactionHash} ${args.hash}`
    const { start: periodStart, spend } = args.periodSpend
    taken.set(id, { amount: (taken.get(id)?.amount ?? 0n) + spend, periodStart })
  }
  const policies = new Map<Hex, Policy.Policy | undefined>()
  for (const permission of [...known, current])
    policies.set(Permission.hash(permission), Policy.decode(permission.extraData))

  const given = new Map<string, bigint>()
  const siblings: Permission.Permission[] = []
  const facts: Fact[] = []
  for (const log of paid) {
    const { permission: permissionHash, ref, number, amount, task } = log.args
    const id = `${log.transactionHash} ${permissionHash}`
    const took = taken.get(id)
    if (!took) {
      if (policies.has(permissionHash)) return undefined
      continue
    }
    given.set(id, (given.get(id) ?? 0n) + amount)
    if (!policies.has(permissionHash)) {
      const which = { chainId: current.chainId, hash: permissionHash, toBlock: log.blockNumber }
      const sibling = await approvedAs(client, which)
      if (sibling) siblings.push(sibling)
      policies.set(permissionHash, sibling && Policy.decode(sibling.extraData))
    }
    // Of a permission that cannot be found, the worst is assumed: that it is metered with the current one.
    const policy = policies.get(permissionHash) ?? Policy.decode(current.extraData)
    const isOwn = isAddressEqual(policy.agent, subject.agent)
    facts.push({
      ...(await placeOf(log)),
      kind: 'payment',
      amount,
      payee: log.eventName === 'Paid' ? log.args.payee : log.args.purse,
      permissionHash,
      periodStart: took.periodStart,
      ref,
      // Every agent has numbers of its own.
      number: isOwn ? numberToHex(number, { size: 32 }) : null,
      window: policy.window,
      task: policy.perTask === null || task === zeroHash ? null : task,
    })
  }
  for (const [id, { amount }] of taken) {
    const [, permissionHash] = id.split(' ') as [Hex, Hex]
    // What the account pays through the guard under its other grants is not of this one.
    if (policies.has(permissionHash) && given.get(id) !== amount) return undefined
  }
  return { facts, siblings }
}

/**
 * The permission with a hash, by the event of its approval; undefined where the endpoint does not find it, as where it
 * gives no logs of so long a time.
 */
async function approvedAs(
  client: PublicClient,
  { chainId, hash, toBlock }: { chainId: number; hash: Hex; toBlock: bigint },
): Promise<Permission.Permission | undefined> {
  const filter = { address: spendPermissionManager, event: approvedEvent, args: { hash } } as const
  const logs = await client
    .getLogs({ ...filter, fromBlock: 0n, toBlock, strict: true })
    .catch((error: unknown) => {
      // That nobody answered just now must not become a fact.
      if (isUnreachable(error)) throw error
      return []
    })
  const [log] = logs
  return log && { chainId, ...log.args.spendPermission }
}

/* ------------------------------------------ helpers ------------------------------------------ */

type Place = Pick<Fact, 'grantId' | 'blockNumber' | 'logIndex' | 'blockHash' | 'txHash' | 'time'>
type PlacedLog = {
  readonly blockNumber: bigint
  readonly logIndex: number
  readonly blockHash: Hex
  readonly transactionHash: Hex
  readonly blockTimestamp?: bigint | undefined
}

/** Where logs are in the chain, and when. */
function placing(client: PublicClient, grantId: Hex): (log: PlacedLog) => Promise<Place> {
  const times = new Map<Hex, Promise<number>>()
  const timeOf = ({ blockHash, blockTimestamp }: PlacedLog) => {
    // Newer endpoints say it with the log. Where they do not, each block is asked for once.
    if (blockTimestamp !== undefined) return Number(blockTimestamp)
    const time = times.get(blockHash) ?? client.getBlock({ blockHash }).then((b) => Number(b.timestamp))
    times.set(blockHash, time)
    return time
  }
  return async (log) => ({
    grantId,
    blockNumber: Number(log.blockNumber),
    logIndex: log.logIndex,
    blockHash: log.blockHash,
    txHash: log.transactionHash,
    time: await timeOf(log),
  })
}

/** To ask for less does not help where nobody answers, or nobody wants to. */
export function isUnreachable(error: unknown): boolean {
  const cause = error instanceof BaseError ? error.walk((e) => e instanceof HttpRequestError) : undefined
  return cause instanceof HttpRequestError && [undefined, 401, 403, 429].includes(cause.status)
}
