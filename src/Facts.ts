/** The facts that the chain's logs are for a grant. */
import { getAbiItem, type Hex, isAddressEqual, numberToHex, type PublicClient, zeroHash } from 'viem'
import { spendPermissionManagerAbi } from '../abi/index.js'
import { spendPermissionManager } from './Addresses.js'
import * as Logs from './Logs.js'
import * as Permission from './Permission.js'
import * as Policy from './Policy.js'
import * as Span from './Span.js'
import type { EventRow } from './Store.js'

/** A fact as it was read, before it is known whose it is. */
export type Fact = Omit<EventRow, 'key' | 'final'>

/** The facts, in the order of the chain, and permissions under the grant that were not known. */
export type Found = {
  readonly facts: readonly Fact[]
  readonly siblings: readonly Permission.Permission[]
}

const approvedEvent = getAbiItem({ abi: spendPermissionManagerAbi, name: 'SpendPermissionApproved' })

/** The facts that logs are; undefined where some of them were left out by the endpoint. */
export async function of(
  client: PublicClient,
  subject: Logs.Subject,
  logs: Logs.Logs,
): Promise<Found | undefined> {
  const authorized = await authorizationFacts(client, subject, logs)
  if (!authorized) return undefined
  const rest = { ...logs, transfers: authorized.rest }
  const found = Logs.isGuarded(subject)
    ? await guardFacts(client, subject, rest)
    : { facts: await directFacts(client, subject, rest), siblings: [] }
  if (!found) return undefined
  const { facts, siblings } = found
  return {
    facts: [...facts, ...authorized.facts].sort(
      (a, b) => a.blockNumber - b.blockNumber || a.logIndex - b.logIndex,
    ),
    siblings,
  }
}

/* ------------------------------------------ direct ------------------------------------------ */

async function directFacts(client: PublicClient, { grantId }: Logs.Subject, { used, transfers }: Logs.Logs) {
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

const unguarded = { ref: null, number: null, payer: null, window: null, task: null } as const

/* ------------------------------------------ guard ------------------------------------------ */

/**
 * The guard's events are the grant's where SpendPermissionManager took the money for them from the account: its event
 * is in the same transaction, for the same permission and the same sum. A sum that differs is a log left out, and so is
 * one of a transfer from the purse by neither an authorization nor a sweep, which goes to the account.
 */
async function guardFacts(client: PublicClient, subject: Logs.Subject, { used, paid, transfers }: Logs.Logs) {
  const { grantId, current, known } = subject
  // Anybody can make a token emit a transfer of zero.
  const isSweep = ({ args }: (typeof transfers)[number]) =>
    args.value === 0n || isAddressEqual(args.to, current.account)
  if (!transfers.every(isSweep)) return undefined
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
      payer: null,
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
      // That nobody answered just now must not become a fact; that it takes too long is no better the next time.
      const refusal = Span.refusalOf(error)
      if (refusal !== 'wide' && refusal !== 'slow') throw error
      return []
    })
  const [log] = logs
  return log && { chainId, ...log.args.spendPermission }
}

/* ------------------------------------------ authorizations ------------------------------------------ */

/**
 * The token says that it used an authorization, and right behind it what it moved. One without the other is a log left out.
 * `rest` are the transfers that are of none.
 */
async function authorizationFacts(
  client: PublicClient,
  { grantId, payer }: Logs.Subject,
  { authorizations, transfers }: Logs.Logs,
): Promise<{ readonly facts: readonly Fact[]; readonly rest: Logs.Logs['transfers'] } | undefined> {
  if (payer === null) return { facts: [], rest: transfers }
  const placeOf = placing(client, grantId)
  const idOf = (blockHash: Hex, logIndex: number) => `${blockHash} ${logIndex}`
  const moved = new Map(transfers.map((log) => [idOf(log.blockHash, log.logIndex), log]))
  const facts: Fact[] = []
  for (const log of authorizations) {
    const place = await placeOf(log)
    const terms = {
      ...place,
      ...unguarded,
      permissionHash: null,
      periodStart: null,
      ref: log.args.nonce,
      payer,
    }
    if (log.eventName === 'AuthorizationCanceled') {
      facts.push({ ...terms, kind: 'cancellation', amount: 0n, payee: payer })
      continue
    }
    const behind = idOf(log.blockHash, log.logIndex + 1)
    const transfer = moved.get(behind)
    if (!transfer) return undefined
    moved.delete(behind)
    const { to: payee, value: amount } = transfer.args
    facts.push({ ...terms, kind: 'authorization', amount, payee })
  }
  return { facts, rest: [...moved.values()] }
}

/* ------------------------------------------ helpers ------------------------------------------ */

type Place = Pick<Fact, 'grantId' | 'blockNumber' | 'logIndex' | 'blockHash' | 'txHash' | 'time'>
type PlacedLog = {
  readonly blockNumber: bigint
  readonly logIndex: number
  readonly blockHash: Hex
  readonly transactionHash: Hex
  readonly blockTimestamp?: bigint | null | undefined
}

/** Where logs are in the chain, and when. */
function placing(client: PublicClient, grantId: Hex): (log: PlacedLog) => Promise<Place> {
  const times = new Map<Hex, Promise<number>>()
  const timeOf = ({ blockHash, blockTimestamp }: PlacedLog) => {
    // Newer endpoints say it with the log. Where they do not, each block is asked for once.
    if (blockTimestamp) return Number(blockTimestamp)
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
