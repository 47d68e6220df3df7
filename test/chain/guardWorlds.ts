// Random books for the guard's differential run: siblings, replacements, other agents, purses, and what they attempt.
import { type Address, type Hex, zeroAddress } from 'viem'
import type { PrivateKeyAccount } from 'viem/accounts'
import { spendPermissionManager, usdc } from '../../src/Addresses.js'
import * as Amount from '../../src/Amount.js'
import * as Grant from '../../src/Grant.js'
import * as Guard from '../../src/Guard.js'
import * as Payees from '../../src/Payees.js'
import * as Permission from '../../src/Permission.js'
import * as State from '../../src/State.js'
import * as Time from '../../src/Time.js'
import * as TrailingWindow from '../../src/TrailingWindow.js'
import type { Wallet } from '../../src/testing/index.js'
import {
  type Attempt,
  type Book,
  type FundingAttempt,
  type Member,
  purseOf,
  remaining,
} from './guardModel.js'
import type { Random } from './model.js'

const { day } = Time

export type Cast = {
  readonly wallet: Address
  /** Signs as the wallet. */
  readonly account: Wallet['account']
  readonly owner: PrivateKeyAccount
  readonly agents: readonly [PrivateKeyAccount, PrivateKeyAccount]
  readonly orchestrators: readonly [PrivateKeyAccount, PrivateKeyAccount]
  readonly stranger: PrivateKeyAccount
  readonly payees: readonly Address[]
}

const usd = (units: bigint) => Amount.format(units, 6)
const tasks: readonly Hex[] = [Guard.task('one'), Guard.task('two')]
export const taskOf = (random: Random) => random.pick(tasks)

/** A book of two to four permissions; of the last, one names another as what it replaces. `origin`: a UTC midnight. */
export function bookOf(random: Random, cast: Cast, origin: number, index: number): Book {
  const grantId: Hex = `0x${[...Array(8)]
    .map(() =>
      random
        .integer(0, 2 ** 32 - 1)
        .toString(16)
        .padStart(8, '0'),
    )
    .join('')}`
  const book: Book = {
    grantId,
    account: cast.wallet,
    members: [],
    spends: [],
    numbers: new Map(),
    paused: new Set(),
    revoked: new Set(),
    purses: new Map(),
  }
  const perCall = random.pick([1n, 5n, BigInt(random.integer(2, 1_000_000))])
  const purse = index % 2 === 1
  const count = random.integer(2, 4)
  for (let n = 0; n < count; n++) {
    const times = () => perCall * BigInt(random.integer(1, 6)) + BigInt(random.integer(0, 2))
    const total = random.chance(0.8)
    const orchestrated = random.chance(0.5)
    const startsAt = origin + random.pick([-day, 0, 0, day])
    const expiresAt = random.chance(0.2) ? undefined : (origin + 2 * day + random.integer(1, 2 * day)) * 1000
    const listed = cast.payees.slice(0, random.integer(1, cast.payees.length))
    const payees = random.chance(0.15)
      ? { payees: 'any' as const, allow: ['api.example.com'] }
      : { allow: [{ host: 'api.example.com', payTo: listed }] }
    const grant = Grant.define(
      {
        owner: cast.wallet,
        agent: random.pick([cast.agents[0], cast.agents[0], cast.agents[1]]).address,
        rail: purse ? 'purse' : 'guard',
        ...payees,
        perCallUsd: usd(perCall),
        startsAt: startsAt * 1000,
        expiresAt,
        ...(!total || random.chance(0.8) ? { perDayUsd: usd(times()) } : {}),
        ...(total ? { totalUsd: usd(times() * 2n) } : {}),
        ...(random.chance(0.5)
          ? { perWindowUsd: usd(times()), window: random.pick([1, 60, 1000, 3600, 3600, day, 3 * day]) }
          : {}),
        ...(orchestrated ? { orchestrator: random.pick(cast.orchestrators).address } : {}),
        ...(orchestrated && random.chance(0.7) ? { perTaskUsd: usd(times()) } : {}),
        ...(purse ? { maxFloatUsd: usd(times()) } : {}),
      },
      { now: origin - 2 * day, grantId },
    )
    const replaced = random.chance(0.5) ? book.members.at(-1) : undefined
    const replaces = replaced === undefined ? undefined : Permission.hash(replaced.permission)
    const compiled = Permission.fromGrant(grant, { nonce: BigInt(n), replaces })
    // Whatever the guard lets through, SpendPermissionManager has an allowance and periods of its own.
    const odd = {
      allowance: perCall + BigInt(random.integer(0, 2)),
      period: random.integer(day / 4, 2 * day),
    }
    const permission = random.chance(0.3) ? { ...compiled, ...odd } : compiled
    book.members.push({ book, grant, permission, approved: false, revoked: false })
  }
  return book
}

/** The moments at which something changes for a book in `[since, until)`, and a second around them. */
export function moments({ members, spends }: Book, since: number, until: number): number[] {
  const edges = members.flatMap(({ permission: { start, end } }) => [start, end])
  for (let midnight = Time.midnight(since); midnight < until; midnight += day) edges.push(midnight)
  for (const { time, by } of spends.slice(-1)) {
    const { window } = by.grant
    if (window === null) continue
    const length = TrailingWindow.bucket(window)
    edges.push(time - (time % length) + 4 * length)
  }
  const around = edges.flatMap((edge) => [edge - 1, edge, edge + 1])
  return [...new Set(around)].filter((time) => time >= since && time < until)
}

/** Amounts at the edges of what is left. */
function amounts(member: Member, now: number, task: Hex | null): bigint[] {
  const { perCall, perDay, perTask, perWindow, total, period } = remaining(member, now, task)
  const edges = [perCall, perDay, perTask, perWindow, total, period].filter((left) => left !== null)
  const all = [1n, perCall, perCall, ...edges.flatMap((left) => [left - 1n, left, left + 1n])]
  return all.filter((amount) => amount > 0n && amount < 2n ** 112n)
}

async function ticketOf(
  random: Random,
  cast: Cast,
  member: Member,
  task: Hex | null,
  { now, clean }: { now: number; clean: boolean },
) {
  const needed = State.needsTicket(member, 'guard')
  if (clean ? !needed : random.chance(needed ? 0.1 : 0.95)) return { ticket: null, ticketIsSigned: true }
  const { account, token, chainId } = member.permission
  const { grantId } = member.book
  const limit = member.grant.perTask ?? 1n
  const cap = random.pick([limit, limit * 2n, limit + 1n, limit > 1n ? limit - 1n : 1n])
  const deadline = clean ? now + day : random.pick([now + 1, now + day, now + day, now])
  const terms = { chainId, account, token, grantId, task: task ?? taskOf(random), cap, deadline }
  const signer = cast.orchestrators.find(({ address }) => address === member.grant.orchestrator)
  const mistakes = ['task', 'account', 'token', 'cap', 'deadline', 'signer', 'no', 'no', 'no', 'no'] as const
  const wrong = clean ? 'no' : random.pick(mistakes)
  const changes = {
    task: { task: Guard.task('other') },
    account: { account: cast.stranger.address },
    token: { token: cast.stranger.address },
    cap: { cap: cap + 1n },
    deadline: { deadline: deadline + 1 },
    signer: undefined,
    no: undefined,
  }[wrong]
  const other = changes && { ...terms, ...changes }
  const by =
    wrong === 'signer' || signer === undefined ? random.pick([...cast.agents, cast.stranger]) : signer
  const signature = await by.signTypedData(Guard.ticketTypedData(other ?? terms))
  return { ticket: { cap, deadline, signature }, ticketIsSigned: other === undefined && by === signer }
}

function numberOf(random: Random, { book, grant }: Member, clean: boolean): bigint {
  const used = [...(book.numbers.get(grant.agent) ?? [])]
  if (!clean && used.length > 0 && random.chance(0.15)) return random.pick(used)
  return random.chance(0.9)
    ? BigInt(random.integer(0, 2 ** 31))
    : 2n ** 256n - 1n - BigInt(random.integer(0, 600))
}

/** Whom a grant lets be paid; where that is anybody, those of the cast. */
const payeesOf = (cast: Cast, grant: Grant.Grant) => (grant.payees === 'any' ? cast.payees : Payees.of(grant))

/** A batch that may well be right. */
export async function attemptOf(random: Random, cast: Cast, member: Member, now: number): Promise<Attempt> {
  const { grant, permission } = member
  const clean = random.chance(0.6)
  const needed = State.needsTicket(member, 'guard')
  const task = random.chance(needed ? (clean ? 1 : 0.9) : 0.3) ? taskOf(random) : null
  const listed = payeesOf(cast, grant)
  const count = random.pick([1, 1, 1, 1, 2, 3, 3, 0])
  const payments: Guard.Payment[] = []
  for (let n = 0; n < (count === 0 && random.chance(0.8) ? 1 : count); n++) {
    const before = payments.at(-1)?.payee
    const odd = !clean && random.chance(0.2)
    const payee: Address = odd
      ? random.pick<Address>([
          cast.stranger.address,
          cast.stranger.address,
          cast.stranger.address,
          zeroAddress,
          permission.spender,
          spendPermissionManager,
          usdc[8453],
          purseOf(member),
        ])
      : before !== undefined && random.chance(0.5)
        ? before
        : random.pick(listed)
    const proof =
      listed.includes(payee) && payee !== before && grant.payees !== 'any' ? Payees.proof(listed, payee) : []
    const amount = !clean && random.chance(0.05) ? 0n : random.pick(amounts(member, now, task))
    const ref: Hex = `0x${'00'.repeat(32)}`
    payments.push({ number: numberOf(random, member, clean), ref, payee, amount, proof })
  }
  const { ticket, ticketIsSigned } = await ticketOf(random, cast, member, task, { now, clean })
  const deadline = !clean && random.chance(0.06) ? now : random.pick([now + 1, now + 600])
  return { batch: { deadline, task, ticket, payments }, ticketIsSigned }
}

/** A funding that may well be right. */
export async function fundingOf(
  random: Random,
  cast: Cast,
  member: Member,
  now: number,
): Promise<FundingAttempt> {
  const clean = random.chance(0.6)
  const needed = State.needsTicket(member, 'guard')
  const task = random.chance(needed ? (clean ? 1 : 0.9) : 0.3) ? taskOf(random) : null
  const { balance } = member.book.purses.get(purseOf(member)) ?? { balance: 0n }
  const maxFloat = member.grant.maxFloat ?? 0n
  const lift = random.pick(amounts(member, now, task))
  const targets = [maxFloat, maxFloat, maxFloat + 1n, balance, balance + 1n, balance + lift]
  const { ticket, ticketIsSigned } = await ticketOf(random, cast, member, task, { now, clean })
  const deadline = !clean && random.chance(0.06) ? now : random.pick([now + 1, now + 600])
  const ref: Hex = `0x${'00'.repeat(32)}`
  const target = random.pick(targets.filter((target) => target > 0n))
  return {
    funding: { deadline, task, ticket, number: numberOf(random, member, clean), ref, target },
    ticketIsSigned,
  }
}

/** A payment that the purse may well agree to, by the permission that last funded it. Undefined for an empty purse. */
export function authorizationOf(random: Random, cast: Cast, member: Member, now: number) {
  const purse = member.book.purses.get(purseOf(member))
  const by = purse?.fundedBy
  if (!purse || !by) return undefined
  const { perCall } = by.grant
  const { balance } = purse
  const amounts = [
    1n,
    perCall,
    perCall,
    perCall + 1n,
    balance,
    balance + 1n,
    balance < perCall ? balance : perCall,
  ]
  const listed = payeesOf(cast, by.grant)
  const to = random.chance(0.1) ? cast.stranger.address : random.pick(listed)
  const nonce: Hex = `0x${random
    .integer(0, 2 ** 52)
    .toString(16)
    .padStart(64, '0')}`
  const value = random.pick(amounts.filter((amount) => amount > 0n))
  const authorization = { to, value, validAfter: 0, validBefore: now + 600, nonce }
  const proof = by.grant.payees !== 'any' && listed.includes(to) ? Payees.proof(listed, to) : []
  return { by, authorization, proof }
}
