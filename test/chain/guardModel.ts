// What the guard is to say, by `Decision` and by sums over the payments that were seen to succeed: nothing is read back
// from the chain.
import { type Address, type Hex, isAddressEqual } from 'viem'
import { hardcapGuardReasons } from '../../abi/index.js'
import * as Decision from '../../src/Decision.js'
import type * as Grant from '../../src/Grant.js'
import type * as Guard from '../../src/Guard.js'
import * as Payees from '../../src/Payees.js'
import * as Permission from '../../src/Permission.js'
import * as Policy from '../../src/Policy.js'
import * as Purse from '../../src/Purse.js'
import * as State from '../../src/State.js'
import * as Time from '../../src/Time.js'
import * as TrailingWindow from '../../src/TrailingWindow.js'

/** What happened under a grantId. */
export type Book = {
  readonly grantId: Hex
  readonly account: Address
  readonly members: Member[]
  readonly spends: { time: number; amount: bigint; by: Member; task: Hex | null }[]
  /** Numbers that were used, by the agent. */
  readonly numbers: Map<Address, Set<bigint>>
  readonly paused: Set<Address>
  readonly revoked: Set<Address>
  /** What each purse holds, and under which permission money came last. */
  readonly purses: Map<Address, { balance: bigint; fundedBy: Member | undefined }>
}

/** One permission of a book, with what SpendPermissionManager was told of it. */
export type Member = {
  readonly book: Book
  readonly grant: Grant.Grant
  readonly permission: Permission.Permission
  approved: boolean
  revoked: boolean
}

/** A batch as the chain gets it, and what `Decision` cannot know of it. */
export type Attempt = { readonly batch: Guard.Batch; readonly ticketIsSigned: boolean }
export type FundingAttempt = { readonly funding: Guard.Funding; readonly ticketIsSigned: boolean }

export const purseOf = (member: Member) => Purse.address(member.permission)

/** What a decision looks at, for a member of a book at `now`, were `more` spent before. */
export function stateOf(member: Member, now: number, task: Hex | null = null, more = 0n): Decision.State {
  const { book, grant, permission, approved, revoked } = member
  const { orchestrator } = Policy.decode(permission.extraData)
  const sum = (holds: (spend: Book['spends'][number]) => boolean) =>
    book.spends.reduce((sum, spend) => (holds(spend) ? sum + spend.amount : sum), more)
  const { start, period } = permission
  const periodStart = start + Math.floor((now - start) / period) * period
  const by = (who: Address | null, flags: Set<Address>) => who !== null && flags.has(who)
  const actors = [
    { name: 'account' as const, who: book.account },
    { name: 'orchestrator' as const, who: orchestrator },
  ]
  // What another permission put into the purse goes back when this one funds it.
  const purse = book.purses.get(purseOf(member))
  const balance = purse?.fundedBy === member ? purse.balance : 0n
  return {
    grant,
    permission,
    now,
    paused: false,
    approved,
    revoked,
    used: {
      period: sum((spend) => spend.by === member && spend.time >= periodStart),
      day: sum(({ time }) => time >= Time.midnight(now)),
      total: sum(() => true),
      task: sum((spend) => task !== null && spend.task === task && State.needsTicket(spend.by, 'guard')),
    },
    window: windowOf(member, now, more),
    stops: {
      paused: actors.filter(({ who }) => by(who, book.paused)).map(({ name }) => name),
      revoked: [...actors, { name: 'agent' as const, who: grant.agent }]
        .filter(({ who }) => by(who, book.revoked))
        .map(({ name }) => name),
    },
    purse: { address: purseOf(member), balance },
  }
}

function windowOf({ book, grant: { window } }: Member, now: number, more: bigint): bigint {
  if (window === null) return TrailingWindow.empty
  const seen = book.spends.filter(({ by }) => by.grant.window === window)
  const slot = seen.reduce(
    (slot, { time, amount }) => TrailingWindow.record(slot, { time, window, amount }),
    TrailingWindow.empty,
  )
  return TrailingWindow.record(slot, { time: now, window, amount: more })
}

/** The guard's word for a refusal of `Decision`. */
function reasonOf(refusal: Decision.Refusal): Guard.Reason {
  switch (refusal.code) {
    case 'REVOKED':
      // The last of them is revoked with SpendPermissionManager, which the guard hears of last.
      return refusal.figures.by === 'chain' ? 'NotApproved' : 'Revoked'
    case 'PAUSED':
      return 'Paused'
    case 'NOT_APPROVED':
      return 'NotApproved'
    case 'NOT_STARTED':
      return 'NotStarted'
    case 'EXPIRED':
      return 'Ended'
    case 'NOT_ALLOWED':
      return 'WrongPayee'
    case 'OVER_PER_CALL':
      return 'OverPerCall'
    case 'TASK_MISSING':
      return 'TaskMissing'
    case 'TICKET_MISSING':
      return 'TicketMissing'
    case 'TICKET_EXPIRED':
      return 'TicketExpired'
    case 'NOTHING_TO_FUND':
      return 'NothingToFund'
    case 'BUDGET_EXCEEDED':
      if ('periodEnd' in refusal.figures) return 'OverAllowance'
      if (refusal.cap === 'perTask') return 'OverTask'
      if (refusal.cap === 'perDay') return 'OverDay'
      if (refusal.cap === 'perWindow') return 'OverWindow'
      // Outside of its dates a permission has no period to name.
      return refusal.cap === 'maxFloat' ? 'OverFloat' : 'OverTotal'
    default:
      throw new Error(`The guard does not know ${refusal.code}.`)
  }
}

const rank = (reason: Guard.Reason) => hardcapGuardReasons.indexOf(reason)
/** What the guard looks at before and after the payments, one by one. */
const [head, tail] = [rank('EmptyBatch'), rank('OverTotal')]

/** What the guard is to answer: of all that is wrong, what it comes upon first. */
function expected(member: Member, { batch, ticketIsSigned }: Attempt, now: number): Guard.Reason {
  const wrong: { reason: Guard.Reason; at: number }[] = []
  const add = (reason: Guard.Reason, at = -1) => {
    const place = rank(reason)
    wrong.push({ reason, at: place <= head ? -1 : place < tail ? at : batch.payments.length })
  }
  if (now >= batch.deadline) add('DeadlinePassed')
  if (batch.payments.length === 0) add('EmptyBatch')
  ticketReasons(member, batch, ticketIsSigned).forEach((reason) => {
    add(reason)
  })
  // Stops come before anything is paid, and so for an empty batch as well.
  const listed = Payees.of(member.grant)[0] ?? batch.payments[0]?.payee ?? member.grant.owner
  for (const refusal of decide(member, batch, now, listed, 1n, 0n))
    if (['Revoked', 'Paused'].includes(reasonOf(refusal))) add(reasonOf(refusal))
  const used = new Set(member.book.numbers.get(member.grant.agent))
  let before = 0n
  for (const [at, { number, amount, payee }] of batch.payments.entries()) {
    if (used.has(number)) add('NumberUsed', at)
    used.add(number)
    if (amount === 0n) {
      add('ZeroAmount', at)
      continue
    }
    if (isForbidden(member, payee)) add('ForbiddenPayee', at)
    for (const refusal of decide(member, batch, now, payee, amount, before)) add(reasonOf(refusal), at)
    before += amount
  }
  return first(wrong)
}

function decide(
  member: Member,
  { task, ticket }: Pick<Guard.Batch, 'task' | 'ticket'>,
  now: number,
  to: Address,
  amount: bigint,
  before: bigint,
) {
  const state = stateOf(member, now, task, before)
  const request = { to, amount, task: task ?? undefined, ticket: ticket ?? undefined, via: 'guard' } as const
  return Decision.refusals(state, { ...request, host: 'api.example.com' })
}

/** What the guard is to answer to a funding. */
function expectedFunding(
  member: Member,
  { funding, ticketIsSigned }: FundingAttempt,
  now: number,
): Guard.Reason {
  const { number, task, ticket, deadline, target } = funding
  const wrong: { reason: Guard.Reason; at: number }[] = []
  const add = (reason: Guard.Reason) => wrong.push({ reason, at: 0 })
  if (now >= deadline) add('DeadlinePassed')
  if (member.book.numbers.get(member.grant.agent)?.has(number)) add('NumberUsed')
  ticketReasons(member, funding, ticketIsSigned).forEach(add)
  const request = { target, task: task ?? undefined, ticket: ticket ?? undefined }
  for (const refusal of Decision.fundingRefusals(stateOf(member, now, task), request)) add(reasonOf(refusal))
  return first(wrong)
}

function first(wrong: { reason: Guard.Reason; at: number }[]): Guard.Reason {
  const [worst] = wrong.sort((a, b) => a.at - b.at || rank(a.reason) - rank(b.reason))
  return worst?.reason ?? 'Ok'
}

function ticketReasons(
  member: Member,
  { task, ticket }: Pick<Guard.Batch, 'task' | 'ticket'>,
  isSigned: boolean,
): Guard.Reason[] {
  if (!State.needsTicket(member, 'guard')) return ticket === null ? [] : ['TicketUnexpected']
  return task !== null && ticket !== null && !isSigned ? ['TicketInvalid'] : []
}

/** Nobody can be paid who is the guard, SpendPermissionManager, the token, the purse or nobody. */
/** The purse where any payee is allowed; no list names it, so that elsewhere its proof fails. */
function isForbidden({ permission, grant }: Member, payee: Address): boolean {
  const { spender, token } = permission
  const nobody = '0x0000000000000000000000000000000000000000'
  const spm = '0xf85210B21cC50302F477BA56686d2019dC9b67Ad'
  const purse = grant.payees === 'any' ? [Purse.address(permission)] : []
  return [nobody, spm, spender, token, ...purse].some((other) => isAddressEqual(other as Address, payee))
}

/** Writes down what was paid. */
export function settle(member: Member, { batch }: Attempt, now: number): void {
  const { book, grant } = member
  for (const { number, amount } of batch.payments) {
    book.spends.push({ time: now, amount, by: member, task: batch.task })
    book.numbers.set(grant.agent, (book.numbers.get(grant.agent) ?? new Set()).add(number))
  }
}

/**
 * Writes down what was funded. What another permission put there, or somebody before any, goes back to the account
 * first, and is metered no less for that.
 */
export function settleFunding(member: Member, { funding }: FundingAttempt, now: number): void {
  const { book, grant } = member
  const { balance, fundedBy } = book.purses.get(purseOf(member)) ?? { balance: 0n, fundedBy: undefined }
  const left = fundedBy === member ? balance : 0n
  const amount = funding.target - left
  book.spends.push({ time: now, amount, by: member, task: funding.task })
  book.numbers.set(grant.agent, (book.numbers.get(grant.agent) ?? new Set()).add(funding.number))
  book.purses.set(purseOf(member), { balance: left + amount, fundedBy: member })
}

/** What the guard is to say is left. */
export function remaining(member: Member, now: number, task: Hex | null) {
  const left = Decision.remaining(stateOf(member, now, task), { via: 'guard' })
  const { perCall, perDay, perTask, perWindow, total, float } = left
  const period = Permission.periodAt(member.permission, now) === null ? 0n : left.period
  return { perCall, perDay, perTask, perWindow, total, float, period }
}

export function answer(member: Member, attempt: Attempt | FundingAttempt, now: number): Guard.Reason {
  return 'funding' in attempt ? expectedFunding(member, attempt, now) : expected(member, attempt, now)
}

/** One answer of the chain, and ours. */
export type Step = { member: Member; now: number; what: string; ours: string; theirs: string }
export type Compare = (step: Step) => void

export const text = (attempt: Attempt | FundingAttempt) =>
  inspect('funding' in attempt ? attempt.funding : attempt.batch)

export const inspect = (value: unknown) =>
  JSON.stringify(value, (_, it) => (typeof it === 'bigint' ? `${it}` : it))
