import { readFileSync } from 'node:fs'
import { type Address, type Hex, keccak256, toHex, zeroAddress, zeroHash } from 'viem'
import { privateKeyToAddress } from 'viem/accounts'
import { expect, test } from 'vitest'
import { hardcapGuardReasons } from '../../abi/index.js'
import { hardcapGuard, spendPermissionManager, usdc } from '../../src/Addresses.js'
import * as Decision from '../../src/Decision.js'
import { Grant, InputError, type Permission, Policy, PolicyError, Purse, Time } from '../../src/index.js'
import * as State from '../../src/State.js'
import * as TrailingWindow from '../../src/TrailingWindow.js'
import { thrown } from './thrown.js'

// The same file is read by test/contracts/DecisionVectors.t.sol, which asks the guard.
type GrantVector = {
  name: string
  text: string
  allowance: string
  period: number
  start: number
  end: number
  extraData: Hex
}
type Act = { kind: string; grant: string; at: number; by: string; amount: string; task: Hex }
type Ask = Omit<Act, 'by'> & { payee: string; ticket: { signer: string; cap: string; deadline: number } }
type Reason = (typeof hardcapGuardReasons)[number]
type Answer = { reason: Reason; names: string[]; figures: string[] }
type Vector = { name: string; unapproved: string[]; before: Act[]; ask: Ask; answer: Answer }
const file = new URL('../vectors/decision.json', import.meta.url)
const read: { grants: GrantVector[]; vectors: Vector[] } = JSON.parse(readFileSync(file, 'utf8'))

const grants = new Map(
  read.grants.map(({ name, text, allowance, period, start, end, extraData }) => {
    const grant = Grant.parse(text)
    const permission: Permission.Permission = {
      ...{ chainId: 8453, account: grant.owner, spender: hardcapGuard, token: usdc[8453], salt: 0n },
      allowance: BigInt(allowance),
      ...{ period, start, end, extraData },
    }
    return [name, { grant, permission }] as const
  }),
)

function grantOf(name: string) {
  const found = grants.get(name)
  if (!found) throw new Error(`No grant ${name}.`)
  return found
}

/** What the process keeps of payment numbers, deadlines and bytes, and what it never makes: `Decision` sees none of it. */
const unseen: readonly Reason[] = [
  ...(['DeadlinePassed', 'NumberUsed', 'EmptyBatch', 'MalformedBatch'] as const),
  ...(['WrongSpender', 'NativeToken', 'TicketUnexpected', 'TicketInvalid'] as const),
]

test.each(read.vectors)('behavior: $name', (vector) => {
  const { answer, ask } = vector
  const { reason } = answer
  if (reason === 'MalformedPolicy' || reason === 'UnknownPolicyVersion') {
    const { code } = thrown(PolicyError, () => Policy.decode(grantOf(ask.grant).permission.extraData))
    expect(code).toBe(reason === 'MalformedPolicy' ? 'MALFORMED_POLICY' : 'UNKNOWN_POLICY_VERSION')
  } else if (reason === 'ZeroAmount') {
    expect(thrown(InputError, () => decide(vector)).code).toBe('INVALID_AMOUNT')
  } else {
    expect(decide(vector)).toMatchObject(expected(vector))
  }
})

test('behavior: every reason that the guard can name has its vectors', () => {
  const seen = new Set(read.vectors.map(({ answer }) => answer.reason))
  // An error of a token or of a contract that signs.
  expect(hardcapGuardReasons.filter((reason) => !seen.has(reason))).toEqual(['Other'])
})

/* ------------------------------------------ asking ------------------------------------------ */

function decide(vector: Vector): Decision.Decision {
  const { ask } = vector
  const { signer, cap, deadline } = ask.ticket
  const more = {
    task: ask.task === zeroHash ? undefined : ask.task,
    ticket: signer === 'nobody' ? undefined : { cap: BigInt(cap), deadline },
  }
  const amount = BigInt(ask.amount)
  const state = stateOf(vector)
  if (ask.kind === 'fund') return Decision.decideFunding(state, { target: amount, ...more })
  return Decision.decide(state, {
    to: who(vector, ask.payee),
    amount,
    host: 'api.example.com',
    via: 'guard',
    ...more,
  })
}

/** What was done before, as sums over it. */
function stateOf({ unapproved, before, ask }: Vector): Decision.State {
  const { grant, permission } = grantOf(ask.grant)
  const { at: now } = ask
  const spends = spendsOf(before)
  const sum = (holds: (spend: Spend) => boolean) =>
    spends.reduce((sum, spend) => (holds(spend) ? sum + spend.amount : sum), 0n)
  const { window } = grant
  const ring = spends.reduce((slot, { grant: name, at: time, amount }) => {
    const counts = window !== null && grantOf(name).grant.window === window
    return counts ? TrailingWindow.record(slot, { time, window, amount }) : slot
  }, TrailingWindow.empty)
  const period = now - ((now - permission.start) % permission.period)
  const flags = { paused: new Set<string>(), revoked: new Set<string>() }
  for (const { kind, by } of before) {
    if (kind === 'pause') flags.paused.add(by)
    if (kind === 'resume') flags.paused.delete(by)
    if (kind === 'revoke' || kind === 'revokeGrant') flags.revoked.add(by)
  }
  // A permission hears its own orchestrator alone.
  const heard = ['account', ...(grant.orchestrator === null ? [] : ['orchestrator'])] as const
  return {
    ...{ grant, permission, now, paused: false, approved: !unapproved.includes(ask.grant) },
    revoked: before.some(({ kind, grant }) => ['spm', 'revoke'].includes(kind) && grant === ask.grant),
    used: {
      period: sum((spend) => spend.grant === ask.grant && spend.at >= period),
      day: sum(({ at }) => Time.midnight(at) === Time.midnight(now)),
      total: sum(() => true),
      task: sum(({ grant, task }) => task === ask.task && State.needsTicket(grantOf(grant), 'guard')),
    },
    window: ring,
    stops: {
      paused: (['account', 'orchestrator'] as const).filter(
        (by) => heard.includes(by) && flags.paused.has(by),
      ),
      revoked: (['account', 'orchestrator', 'agent'] as const).filter(
        (by) => (by === 'agent' || heard.includes(by)) && flags.revoked.has(by),
      ),
    },
    purse: { address: Purse.address(permission), balance: floatOf(before, ask.grant) },
  }
}

type Spend = Pick<Act, 'grant' | 'at' | 'task'> & { amount: bigint }

/** What left the account: payments, and what fundings added. */
function spendsOf(before: readonly Act[]): Spend[] {
  return before.flatMap(({ kind, grant, at, task, amount }, n) => {
    if (kind !== 'pay' && kind !== 'fund') return []
    const held = kind === 'fund' ? floatOf(before.slice(0, n), grant) : 0n
    return [{ grant, at, task, amount: BigInt(amount) - held }]
  })
}

/** What the purse holds from this permission: what another one put there goes back when this one funds it. */
function floatOf(before: readonly Act[], grant: string): bigint {
  let float = 0n
  let by: string | undefined
  for (const act of before) {
    if (act.kind === 'fund') [float, by] = [BigInt(act.amount), act.grant]
    if (act.kind === 'donate') float += BigInt(act.amount)
  }
  return by === grant ? float : 0n
}

/* ------------------------------------------ answers ------------------------------------------ */

const codes: Partial<Record<Reason, Partial<Decision.Refusal>>> = {
  Revoked: { code: 'REVOKED' },
  Paused: { code: 'PAUSED' },
  OverFloat: { code: 'BUDGET_EXCEEDED', cap: 'maxFloat' },
  NothingToFund: { code: 'NOTHING_TO_FUND' },
  OverPerCall: { code: 'OVER_PER_CALL', cap: 'perCall' },
  ForbiddenPayee: { code: 'NOT_ALLOWED' },
  WrongPayee: { code: 'NOT_ALLOWED' },
  OverTotal: { code: 'BUDGET_EXCEEDED', cap: 'total' },
  OverDay: { code: 'BUDGET_EXCEEDED', cap: 'perDay' },
  OverWindow: { code: 'BUDGET_EXCEEDED', cap: 'perWindow' },
  TaskMissing: { code: 'TASK_MISSING' },
  TicketMissing: { code: 'TICKET_MISSING' },
  TicketExpired: { code: 'TICKET_EXPIRED' },
  OverTask: { code: 'BUDGET_EXCEEDED', cap: 'perTask' },
  NotStarted: { code: 'NOT_STARTED' },
  Ended: { code: 'EXPIRED' },
  OverAllowance: { code: 'BUDGET_EXCEEDED' },
}

/** What `Decision` calls the figures of the guard and SpendPermissionManager. */
const called: Partial<Record<string, string>> = { time: 'now', currentTimestamp: 'now', payee: 'to' }

/** The guard's answer, in the words of `Decision`. */
function expected(vector: Vector): object {
  const { reason, names, figures } = vector.answer
  // One and the same payee, with a proof that is not his: what the library sends has the right one.
  const unproven = reason === 'WrongPayee' && vector.ask.payee.startsWith('payee')
  if (reason === 'Ok' || unseen.includes(reason) || unproven) return { allowed: true }
  if (reason === 'NotApproved') {
    const isRevoked = vector.before.some(({ kind }) => kind === 'spm')
    return isRevoked ? { code: 'REVOKED', figures: { by: 'chain' } } : { code: 'NOT_APPROVED' }
  }
  const words = names.map((name, n): [string, unknown] => {
    const figure = figures[n] ?? ''
    if (name === 'payee') return ['to', who(vector, figure)]
    if (['time', 'deadline', 'currentTimestamp', 'start', 'end'].includes(name))
      return [called[name] ?? name, Number(figure)]
    return [called[name] ?? name, name === 'by' ? figure : BigInt(figure)]
  })
  const said = Object.fromEntries(words)
  if (reason === 'OverFloat') {
    const { target, ...limit } = said
    return { ...codes[reason], figures: { ...limit, amount: target } }
  }
  if (reason === 'OverAllowance') {
    const { value, allowance: limit } = said
    const amount = BigInt(vector.ask.amount)
    return { ...codes[reason], figures: { limit, amount, used: (value as bigint) - amount } }
  }
  return { allowed: false, ...codes[reason], figures: said }
}

function who({ ask }: Vector, name: string): Address {
  const { permission } = grantOf(ask.grant)
  const named: Record<string, Address> = {
    ...{ account: permission.account, guard: hardcapGuard, spm: spendPermissionManager },
    ...{ usdc: usdc[8453], zero: zeroAddress, purse: Purse.address(permission) },
  }
  // As forge's `makeAddr`.
  return named[name] ?? privateKeyToAddress(keccak256(toHex(name)))
}
