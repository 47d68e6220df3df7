// What happens to the books of the guard's differential run in a block: on chain, and in the model.
import { usdc } from '../../src/Addresses.js'
import * as Decision from '../../src/Decision.js'
import * as Guard from '../../src/Guard.js'
import * as Permission from '../../src/Permission.js'
import * as Policy from '../../src/Policy.js'
import * as Purse from '../../src/Purse.js'
import * as Spm from '../../src/Spm.js'
import type { Base } from '../../src/testing/index.js'
import * as Wallet from '../../src/Wallet.js'
import {
  type Attempt,
  answer,
  type Book,
  type Compare,
  type FundingAttempt,
  inspect,
  type Member,
  purseOf,
  settle,
  settleFunding,
  stateOf,
  text,
} from './guardModel.js'
import { attemptOf, authorizationOf, type Cast, fundingOf } from './guardWorlds.js'
import * as kit from './kit.js'
import type { Random } from './model.js'

type Settlement = NonNullable<ReturnType<typeof authorizationOf>>

/**
 * A transaction with what it means: an attempt, which may approve its permission first, a settlement of a purse, or
 * something that has to go through unless `works` says otherwise.
 */
type Sent = { raw: kit.Raw; member: Member } & (
  | { attempt: Attempt | FundingAttempt; approves?: true }
  | { settlement: Settlement }
  | { effect: () => void; works?: (now: number) => boolean }
)

/**
 * A block at exactly `now`, or some, a second apart: whatever happens, book by book. Returns the time of the last.
 */
export async function act(
  base: Base,
  random: Random,
  cast: Cast,
  books: readonly Book[],
  now: number,
  compare: Compare,
): Promise<number> {
  const sent: Sent[] = []
  for (const book of books)
    for (const member of book.members) {
      sent.push(...stops(random, cast, member), ...(await payments(random, cast, member, now)))
      if (member.grant.rail === 'purse' && random.chance(0.05)) sent.push(donation(random, cast, member))
      if (member.grant.rail === 'purse' && random.chance(0.03)) sent.push(sweep(random, cast, member))
      sent.push(...(await replacement(random, cast, member)))
    }
  for (let first = true; sent.length > 0; first = false) {
    if (!first) now += 1
    // A block holds so many of them.
    const here = sent.splice(0, 18)
    const raws = here.map(({ raw }) => ({ ...raw, gas: 1_500_000n }))
    const receipts = await kit.mineAt(base, now, raws)
    for (const [n, each] of here.entries()) {
      const outcome = receipts[n]?.status === 'success' ? 'ok' : 'reverted'
      if ('effect' in each) {
        const ours = (each.works?.(now) ?? true) ? 'ok' : 'reverted'
        compare({ member: each.member, now, what: 'a stop, sweep or approval', ours, theirs: outcome })
        if (outcome === 'ok') each.effect()
      } else if ('settlement' in each) checkSettlement(each, now, outcome, compare)
      else checkAttempt(each, now, outcome, compare)
    }
  }
  return now
}

function checkAttempt(
  { member, attempt, approves }: { member: Member; attempt: Attempt | FundingAttempt; approves?: true },
  now: number,
  outcome: string,
  compare: Compare,
): void {
  const { approved } = member
  // With the payment that it comes with, or not at all; and never again what was revoked.
  if (approves && !member.revoked) member.approved = true
  const ours = answer(member, attempt, now) === 'Ok' ? 'ok' : 'reverted'
  compare({ member, now, what: text(attempt), ours, theirs: outcome })
  if (outcome !== 'ok') {
    member.approved = approved
    return
  }
  if ('funding' in attempt) settleFunding(member, attempt, now)
  else settle(member, attempt, now)
}

function checkSettlement(
  { member, settlement }: { member: Member; settlement: Settlement },
  now: number,
  outcome: string,
  compare: Compare,
): void {
  const { to, value: amount } = settlement.authorization
  const purse = member.book.purses.get(purseOf(member))
  const request = { to, amount, host: 'api.example.com', via: 'purse' } as const
  const decision = Decision.decide(stateOf(member, now), request)
  // By now another permission may have funded it, and then the purse listens to that one alone.
  const ours = purse?.fundedBy === member && decision.allowed ? 'settled' : 'not settled'
  const theirs = outcome === 'ok' ? 'settled' : 'not settled'
  compare({ member, now, what: inspect(settlement.authorization), ours, theirs })
  if (outcome === 'ok' && purse)
    member.book.purses.set(purseOf(member), { ...purse, balance: purse.balance - amount })
}

function asAccount({ owner, wallet }: Cast, call: Spm.Call): kit.Raw {
  return { from: owner, call: Wallet.prepareExecute({ account: wallet, call }) }
}

function agentOf(cast: Cast, { grant }: Member): Cast['owner'] {
  const agent = cast.agents.find(({ address }) => address === grant.agent)
  if (!agent) throw new Error('Every agent is of the cast.')
  return agent
}

/** Approvals, revocations and pauses, by those who may and by those who are not listened to. */
function stops(random: Random, cast: Cast, member: Member): Sent[] {
  const { permission, book } = member
  const sent: Sent[] = []
  const add = (raw: kit.Raw, effect: () => void) => sent.push({ raw, member, effect })
  // Also again, and after a revocation, where it succeeds without any effect.
  if (random.chance(member.approved ? 0.02 : 0.4))
    add(asAccount(cast, Spm.prepareApprove({ permission })), () => {
      member.approved = !member.revoked || member.approved
    })
  if (random.chance(0.005))
    add(asAccount(cast, Spm.prepareRevoke({ permission })), () => {
      member.revoked = true
    })
  const everybody = [...cast.orchestrators, ...cast.agents, cast.stranger]
  for (const [flags, prepare, chance, on] of [
    [book.paused, Guard.preparePause, 0.02, true],
    [book.paused, Guard.prepareResume, book.paused.size > 0 ? 0.3 : 0.02, false],
    [book.revoked, Guard.prepareRevokeGrant, 0.002, true],
  ] as const) {
    if (!random.chance(chance)) continue
    const own = everybody.filter(({ address }) => on || flags.size === 0 || flags.has(address))
    const by = random.chance(0.4) || own.length === 0 ? undefined : random.pick(own)
    const call = prepare(Guard.key(permission))
    const who = by?.address ?? cast.wallet
    add(by ? { from: by, call } : asAccount(cast, call), () => {
      if (on) flags.add(who)
      else flags.delete(who)
    })
  }
  const { orchestrator } = Policy.decode(permission.extraData)
  const who = random.pick(['account', 'agent', orchestrator] as const)
  const by =
    who === 'agent' ? agentOf(cast, member) : cast.orchestrators.find(({ address }) => address === who)
  if (random.chance(0.003)) {
    const call = Guard.prepareRevoke({ permission })
    add(by ? { from: by, call } : asAccount(cast, call), () => {
      book.revoked.add(by?.address ?? cast.wallet)
      member.revoked = true
    })
  }
  return sent
}

/** What the agent tries, itself or by its signature, and what it signs for its purse. */
async function payments(random: Random, cast: Cast, member: Member, now: number): Promise<Sent[]> {
  const sent: Sent[] = []
  const agent = agentOf(cast, member)
  if (random.chance(0.5)) {
    const fund = member.grant.rail === 'purse' && random.chance(0.5)
    const attempt = await (fund ? fundingOf : attemptOf)(random, cast, member, now)
    const relayed = random.chance(0.3)
    const approves = 'batch' in attempt && random.chance(member.approved ? 0.02 : 0.2)
    const call = await callOf(member, attempt, relayed ? agent : undefined, approves ? cast : undefined)
    const raw = { from: relayed ? cast.stranger : agent, call }
    sent.push({ raw, member, attempt, ...(approves ? { approves } : {}) })
  }
  const settlement = random.chance(0.3) ? authorizationOf(random, cast, member, now) : undefined
  if (settlement) {
    const { by, ...options } = settlement
    const { permission } = by
    const signature = await Purse.signPayment(agentOf(cast, by), { permission, ...options })
    const call = Purse.prepareSettle({ permission, ...options, signature })
    sent.push({ raw: { from: cast.stranger, call }, member: by, settlement })
  }
  return sent
}

/** A unit, or more than the purse may ever be funded to; also to where there is no purse yet. */
function donation(random: Random, { stranger }: Cast, member: Member): Sent {
  const { purses } = member.book
  const { maxFloat } = member.grant
  const amount = random.pick([1n, 1n, 2n * (maxFloat ?? 1n)])
  const call = Spm.prepareTransfer({ token: usdc[8453], to: purseOf(member), amount })
  const effect = () => {
    const { balance, fundedBy } = purses.get(purseOf(member)) ?? { balance: 0n, fundedBy: undefined }
    purses.set(purseOf(member), { balance: balance + amount, fundedBy })
  }
  return { raw: { from: stranger, call }, member, effect }
}

/** By who always may, or by a stranger, who may with the permission that funded it, once that is over. */
function sweep(random: Random, cast: Cast, member: Member): Sent {
  const { book, grant, permission } = member
  const call = Purse.prepareSweep({ permission })
  const raw = random.pick([
    { from: agentOf(cast, member), call },
    asAccount(cast, call),
    { from: cast.stranger, call },
    { from: cast.stranger, call },
  ])
  const purse = () => book.purses.get(purseOf(member))
  const effect = () => {
    const { fundedBy } = purse() ?? {}
    // Before its first funding there is no purse to do it.
    if (fundedBy) book.purses.set(purseOf(member), { balance: 0n, fundedBy })
  }
  const works = (now: number) => {
    const { fundedBy } = purse() ?? {}
    if (raw.from !== cast.stranger || fundedBy === undefined) return true
    const stopped = [book.account, grant.orchestrator, grant.agent].some((by) => by && book.revoked.has(by))
    return fundedBy === member && (member.revoked || stopped || now >= permission.end)
  }
  return { raw, member, effect, works }
}

/** By anybody, with the owner's signature. */
async function replacement(random: Random, cast: Cast, member: Member): Promise<Sent[]> {
  const { replaces } = Policy.decode(member.permission.extraData)
  const old = member.book.members.find(({ permission }) => Permission.hash(permission) === replaces)
  if (!old || !random.chance(0.05)) return []
  const signature = await Permission.sign(cast.account, member.permission)
  const call = Guard.prepareReplace({ from: old.permission, to: member.permission, signature })
  const effect = () => {
    member.approved = true
    old.revoked = true
  }
  // SpendPermissionManager never approves again what was revoked.
  const works = () => !member.revoked
  return [{ raw: { from: cast.stranger, call }, member, effect, works }]
}

async function callOf(
  { permission }: Member,
  attempt: Attempt | FundingAttempt,
  signer: Cast['owner'] | undefined,
  approver: Cast | undefined,
): Promise<Spm.Call> {
  if ('funding' in attempt) {
    const { funding } = attempt
    if (!signer) return Guard.prepareFund({ permission, funding })
    const signature = await Guard.signFunding(signer, { permission, funding })
    return Guard.prepareFundWithSignature({ permission, funding, signature })
  }
  const { batch } = attempt
  if (approver) {
    const ownerSignature = await Permission.sign(approver.account, permission)
    const agentSignature = signer && (await Guard.signBatch(signer, { permission, batch }))
    return Guard.prepareApproveAndPay({ permission, batch, ownerSignature, agentSignature })
  }
  if (!signer) return Guard.preparePay({ permission, batch })
  const signature = await Guard.signBatch(signer, { permission, batch })
  return Guard.preparePayWithSignature({ permission, batch, signature })
}
