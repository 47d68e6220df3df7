/** The logs that a grant's facts are made of: what is asked for on each rail, for one grant or for many at once. */
import {
  type Abi,
  type Address,
  type ContractEventName,
  encodeEventTopics,
  formatLog,
  type Hex,
  isAddressEqual,
  type Log,
  numberToHex,
  type ParseEventLogsReturnType,
  type PublicClient,
  parseEventLogs,
  type RpcLog,
} from 'viem'
import { hardcapGuardAbi, spendPermissionManagerAbi, usdcAbi } from '../abi/index.js'
import { hardcapGuard, spendPermissionManager } from './Addresses.js'
import { ChainError } from './ChainError.js'
import type * as Permission from './Permission.js'

/** Whose logs are facts of a grant. */
export type Subject = {
  readonly grantId: Hex
  readonly token: Address
  readonly agent: Address
  /** Whose authorizations are facts; null where there are none. */
  readonly payer: Address | null
  /** The permission that new payments use. Its spender is the agent on the direct rail, else the guard. */
  readonly current: Permission.Permission
  /** The others under the grant that the books know. */
  readonly known: readonly Permission.Permission[]
}

/**
 * Blocks, both ends included. `hash` is that of a single block: an endpoint that does not have it says so, where by
 * numbers it would answer with nothing.
 */
export type Range = { readonly from: bigint; readonly to: bigint; readonly hash?: Hex | undefined }

type Mined = Log<bigint, number, false>
type Of<abi extends Abi, name extends ContractEventName<abi>> = ParseEventLogsReturnType<
  abi,
  name,
  true,
  name
>

export type Logs = {
  /**
   * What left the account by the spender, whatever the permission: an earlier one counts, and so does another that
   * somebody had the owner sign.
   */
  readonly used: Of<typeof spendPermissionManagerAbi, 'SpendPermissionUsed'>
  /** What left the agent, on the direct rail, or the payer. */
  readonly transfers: Of<typeof usdcAbi, 'Transfer'>
  /** Authorizations of the payer that the token has settled, by a transfer behind each, or taken back. */
  readonly authorizations: Of<typeof usdcAbi, 'AuthorizationUsed' | 'AuthorizationCanceled'>
  /** What the guard paid under the grantId. Anybody can make it say this, with money of their own. */
  readonly paid: Of<typeof hardcapGuardAbi, 'Paid' | 'Funded'>
}

export const none: Logs = { used: [], transfers: [], authorizations: [], paid: [] }

/** Those of two ranges, in their order. */
export function join(a: Logs, b: Logs): Logs {
  return {
    used: [...a.used, ...b.used],
    transfers: [...a.transfers, ...b.transfers],
    authorizations: [...a.authorizations, ...b.authorizations],
    paid: [...a.paid, ...b.paid],
  }
}

/** Whether the guard pays; on the direct rail the agent itself does. */
export function isGuarded({ agent, current }: Pick<Subject, 'agent' | 'current'>): boolean {
  return !isAddressEqual(current.spender, agent)
}

/** Whose transfers are read: the agent's on the direct rail, else the payer's, if there is one. */
function holderOf(subject: Subject): Address | null {
  return isGuarded(subject) ? subject.payer : subject.agent
}

/**
 * Asks for all logs of a range, of one grant or of many, in up to three requests. An endpoint may refuse a range that
 * is too wide.
 * @throws ChainError `RPC_FAILED` where the answer is not the logs of this range; viem's errors
 */
export async function get(client: PublicClient, subjects: readonly Subject[], range: Range): Promise<Logs> {
  const guarded = subjects.filter(isGuarded)
  const holders = subjects.filter((subject) => holderOf(subject) !== null)
  const [used, moved, paid] = await Promise.all([
    ask(
      client,
      range,
      [spendPermissionManager],
      [
        topic(spendPermissionManagerAbi, 'SpendPermissionUsed'),
        null,
        addresses(subjects.map(({ current }) => current.account)),
        addresses(subjects.map(({ current }) => current.spender)),
      ],
    ),
    holders.length === 0
      ? []
      : ask(client, range, unique(holders.map(({ token }) => token)), [
          [
            ...topic(usdcAbi, 'Transfer'),
            ...(holders.some(({ payer }) => payer !== null)
              ? [...topic(usdcAbi, 'AuthorizationUsed'), ...topic(usdcAbi, 'AuthorizationCanceled')]
              : []),
          ],
          addresses(holders.flatMap((subject) => holderOf(subject) ?? [])),
        ]),
    guarded.length === 0
      ? []
      : ask(
          client,
          range,
          [hardcapGuard],
          [
            [...topic(hardcapGuardAbi, 'Paid'), ...topic(hardcapGuardAbi, 'Funded')],
            unique(guarded.map(({ grantId }) => grantId)),
          ],
        ),
  ])
  return {
    used: parseEventLogs({ abi: spendPermissionManagerAbi, eventName: 'SpendPermissionUsed', logs: used }),
    transfers: parseEventLogs({ abi: usdcAbi, eventName: 'Transfer', logs: moved }),
    authorizations: parseEventLogs({
      abi: usdcAbi,
      eventName: ['AuthorizationUsed', 'AuthorizationCanceled'],
      logs: moved,
    }),
    paid: parseEventLogs({ abi: hardcapGuardAbi, eventName: ['Paid', 'Funded'], logs: paid }),
  }
}

/** Those of one grant, out of those of many. */
export function of({ used, transfers, authorizations, paid }: Logs, subject: Subject): Logs {
  const { grantId, token, payer, current } = subject
  const holder = holderOf(subject)
  const guarded = isGuarded(subject)
  return {
    used: used.filter(
      // The event's token is not indexed.
      ({ args }) =>
        isAddressEqual(args.account, current.account) &&
        isAddressEqual(args.spender, current.spender) &&
        isAddressEqual(args.token, token),
    ),
    transfers: transfers.filter(
      ({ address, args }) =>
        holder !== null && isAddressEqual(address, token) && isAddressEqual(args.from, holder),
    ),
    authorizations: authorizations.filter(
      ({ address, args }) =>
        payer !== null && isAddressEqual(address, token) && isAddressEqual(args.authorizer, payer),
    ),
    paid: guarded ? paid.filter(({ args }) => args.grantId === grantId) : [],
  }
}

function topic<const abi extends Abi>(abi: abi, eventName: ContractEventName<abi>): Hex[] {
  const [topic] = encodeEventTopics({ abi, eventName } as never) as [Hex]
  return [topic]
}

/** Addresses as topics. */
function addresses(given: readonly Address[]): Hex[] {
  return unique(given.map((address) => `0x${address.slice(2).toLowerCase().padStart(64, '0')}` as const))
}

function unique<value>(values: readonly value[]): value[] {
  return [...new Set(values)]
}

async function ask(
  client: PublicClient,
  { from, to, hash }: Range,
  address: Address[],
  topics: (Hex[] | null)[],
): Promise<Mined[]> {
  const blocks =
    hash === undefined
      ? { fromBlock: numberToHex(from), toBlock: numberToHex(to) }
      : ({ blockHash: hash } as const)
  const answer: readonly unknown[] | null = await client.request({
    method: 'eth_getLogs',
    params: [{ address, topics, ...blocks }],
  })
  const logs = Array.isArray(answer) ? answer.map(toLog) : [undefined]
  const isOf = (log: Mined) =>
    hash === undefined ? log.blockNumber >= from && log.blockNumber <= to : log.blockHash === hash
  // One that is told twice is one.
  const found = new Map<string, Mined>()
  for (const log of logs) {
    if (log !== undefined && isOf(log)) found.set(`${log.blockHash}:${log.logIndex}`, log)
    else throw notOf(from, to)
  }
  return [...found.values()]
}

function notOf(from: bigint, to: bigint): ChainError {
  return new ChainError(
    'RPC_FAILED',
    `Reading logs: the endpoint answered with something else than the logs of blocks ${from} to ${to}.`,
    { figures: { from, to }, retryable: true },
  )
}

/** A log that is in a block; undefined for anything else. */
function toLog(given: unknown): Mined | undefined {
  if (typeof given !== 'object' || given === null) return undefined
  const { blockNumber, blockHash, logIndex, transactionHash } = given as Partial<RpcLog>
  if (!blockNumber || !blockHash || !logIndex || !transactionHash) return undefined
  return formatLog(given as RpcLog) as Mined
}
