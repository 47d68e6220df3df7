import fc from 'fast-check'
import { type Address, zeroAddress } from 'viem'
import { describe, expect, test } from 'vitest'
import { spendPermissionManager } from '../../src/Addresses.js'
import * as Decision from '../../src/Decision.js'
import type { Grant } from '../../src/Grant.js'
import type { Permission } from '../../src/Permission.js'
import * as TrailingWindow from '../../src/TrailingWindow.js'
import { agent, define, other, owner, payee } from './grants.js'

const day = 86_400
const start = Date.UTC(2030, 0, 1) / 1000
const end = start + 30 * day
const guard = '0x9999999999999999999999999999999999999999'
const orchestrator = '0x5555555555555555555555555555555555555555'
const purse = '0x6666666666666666666666666666666666666666'
const stranger = '0x7777777777777777777777777777777777777777'

const guarded = define({
  id: 'research',
  rail: 'guard',
  orchestrator,
  allow: [
    { host: 'api.example.com', payTo: payee },
    { host: 'data.example.com', payTo: other },
  ],
  perCallUsd: '1',
  perTaskUsd: '5',
  perDayUsd: '10',
  totalUsd: '100',
  perWindowUsd: '6',
  window: 3600,
  expiresAt: '2030-01-30',
})
const pursed = define({
  id: 'research',
  rail: 'purse',
  allow: [{ host: 'api.example.com', payTo: payee }],
  perCallUsd: '1',
  perDayUsd: '10',
  totalUsd: '100',
  maxFloatUsd: '3',
  expiresAt: '2030-01-30',
})

const permission: Permission = {
  chainId: 8453,
  account: owner,
  spender: guard,
  token: guarded.token.address,
  allowance: 10_000_000n,
  period: day,
  start,
  end,
  salt: 1n,
  extraData: '0x',
}

const now = start + 5 * day + 3600
const unused = { period: 0n, day: 0n, total: 0n, task: 0n }
const open: Decision.Ticket = { cap: 5_000_000n, deadline: now + 60 }

type Changes = Partial<Omit<Decision.State, 'grant' | 'used'>> & {
  grant?: Partial<Grant>
  used?: Partial<Decision.State['used']>
}

function state(changes: Changes = {}, grant = guarded): Decision.State {
  return {
    now,
    paused: false,
    approved: true,
    revoked: false,
    permission,
    ...changes,
    grant: { ...grant, ...changes.grant },
    used: { ...unused, ...changes.used },
  }
}

const request = (changes: Partial<Decision.Request> = {}): Decision.Request => ({
  to: payee,
  amount: 1_000_000n,
  host: 'api.example.com',
  task: 'report-7',
  ticket: open,
  ...changes,
})

/** `ok`, or the code with the cap, such as `BUDGET_EXCEEDED perDay`. */
function answer(decision: Decision.Decision): string {
  if (decision.allowed) return 'ok'
  return decision.cap === undefined ? decision.code : `${decision.code} ${decision.cap}`
}

function refusal(decision: Decision.Decision): Decision.Refusal {
  if (decision.allowed) throw new Error('Expected a refusal.')
  return decision
}

/** A window that saw so much, so many seconds ago. */
const seen = (amount: bigint, ago = 0) =>
  TrailingWindow.record(TrailingWindow.empty, { time: now - ago, window: 3600, amount })

describe('guard', () => {
  test('default', () => {
    expect(Decision.decide(state(), request())).toEqual({ allowed: true })
    expect([...Decision.refusals(state(), request())]).toEqual([])
  })

  test.each([
    ['perCall', 1_000_000n, {}, 'ok'],
    ['perCall', 1_000_001n, {}, 'OVER_PER_CALL perCall'],
    ['perTask', 1_000n, { task: 4_999_000n }, 'ok'],
    ['perTask', 1_000n, { task: 4_999_001n }, 'BUDGET_EXCEEDED perTask'],
    ['perDay', 1_000n, { day: 9_999_000n }, 'ok'],
    ['perDay', 1_000n, { day: 9_999_001n }, 'BUDGET_EXCEEDED perDay'],
    ['perDay, of a sibling with a higher cap', 1n, { day: 12_000_000n }, 'BUDGET_EXCEEDED perDay'],
    ['total', 1_000n, { total: 99_999_000n }, 'ok'],
    ['total', 1_000n, { total: 99_999_001n }, 'BUDGET_EXCEEDED total'],
    ['the period', 1_000n, { period: 9_999_000n }, 'ok'],
    ['the period', 1_000n, { period: 9_999_001n }, 'BUDGET_EXCEEDED perDay'],
  ] as const)('behavior: %s, %i more, %o used', (_, amount, used, code) => {
    expect(answer(Decision.decide(state({ used }), request({ amount })))).toBe(code)
  })

  test.each([
    ['within', 1_000_000n, 0, 'ok'],
    ['at', 5_000_000n, 0, 'ok'],
    ['one unit over', 5_000_001n, 0, 'BUDGET_EXCEEDED perWindow'],
    ['one unit over, three buckets ago', 5_000_001n, 3_600, 'BUDGET_EXCEEDED perWindow'],
    ['one unit over, in the last second of the bucket before', 5_000_001n, 3_601, 'ok'],
    ['more than the cap, by a sibling', 7_000_000n, 3_600, 'BUDGET_EXCEEDED perWindow'],
  ] as const)('behavior: perWindow, %s', (_, amount, ago, code) => {
    // `now` begins a bucket of 1,200 seconds.
    expect(answer(Decision.decide(state({ window: seen(amount, ago) }), request()))).toBe(code)
  })

  test('behavior: a window says from when on the amount fits', () => {
    const refused = refusal(Decision.decide(state({ window: seen(5_500_000n, 1_200) }), request()))
    expect(refused).toMatchObject({
      cap: 'perWindow',
      figures: { limit: 6_000_000n, used: 5_500_000n, amount: 1_000_000n },
      retryable: true,
      retryAt: now + 3_600,
    })
    expect(refused.reason).toBe(
      `1 USDC does not fit: 5.5 USDC of the 6 USDC per 3600 seconds are spent or reserved. Try again from 2030-01-06T02:00:00Z, or ask ${owner} to sign a grant with a higher cap.`,
    )
    const late = { window: seen(5_500_000n), now: end - 10, permission: { ...permission, end } }
    const last = TrailingWindow.record(0n, { time: end - 10, window: 3600, amount: 5_500_000n })
    const ticket = { ...open, deadline: end }
    expect(Decision.decide(state({ ...late, window: last }), request({ ticket }))).toMatchObject({
      cap: 'perWindow',
      retryable: false,
    })
  })

  test.each([
    ['a task and its ticket', {}, 'ok'],
    ['no task', { task: undefined }, 'TASK_MISSING'],
    ['no ticket', { ticket: undefined }, 'TICKET_MISSING'],
    ['a ticket one second before its deadline', { ticket: { ...open, deadline: now + 1 } }, 'ok'],
    ['a ticket at its deadline', { ticket: { ...open, deadline: now } }, 'TICKET_EXPIRED'],
    ['a ticket for exactly this', { ticket: { ...open, cap: 1_000_000n } }, 'ok'],
    ['a ticket for one unit less', { ticket: { ...open, cap: 999_999n } }, 'BUDGET_EXCEEDED perTask'],
    ['a ticket for nothing', { ticket: { ...open, cap: 0n } }, 'BUDGET_EXCEEDED perTask'],
  ] as const)('behavior: tasks, %s', (_, changes, code) => {
    expect(answer(Decision.decide(state(), request(changes)))).toBe(code)
  })

  test('behavior: a ticket above the cap per task does not raise it', () => {
    const ticket = { ...open, cap: 50_000_000n }
    const used = { task: 4_500_000n }
    expect(Decision.decide(state({ used }), request({ ticket }))).toMatchObject({
      cap: 'perTask',
      figures: { limit: 5_000_000n, used: 4_500_000n, amount: 1_000_000n },
    })
  })

  test.each([
    ['without an orchestrator', { orchestrator: null }],
    ['without a cap per task', { perTask: null }],
    ['on the direct rail', { rail: 'direct', orchestrator: null }],
  ] as const)('behavior: %s nobody asks for a ticket', (_, grant) => {
    const asked = request({ task: undefined, ticket: undefined })
    expect(answer(Decision.decide(state({ grant }), asked))).toBe('ok')
  })

  test.each([
    ['paused by the account', { paused: ['account'] }, 'PAUSED', 'account'],
    ['paused by the orchestrator', { paused: ['orchestrator'] }, 'PAUSED', 'orchestrator'],
    ['revoked by the account', { revoked: ['account'] }, 'REVOKED', 'account'],
    ['revoked by the orchestrator', { revoked: ['orchestrator'] }, 'REVOKED', 'orchestrator'],
    ['revoked by the agent', { revoked: ['agent'] }, 'REVOKED', 'agent'],
    ['both', { paused: ['account'], revoked: ['agent'] }, 'REVOKED', 'agent'],
  ] as const)('behavior: %s', (_, stops, code, by) => {
    const refused = refusal(Decision.decide(state({ stops }), request()))
    expect(refused.code).toBe(code)
    expect(refused.figures).toEqual({ by })
    expect(refused.retryable).toBe(code === 'PAUSED')
  })

  test('behavior: nobody stopped it', () => {
    const stops = { paused: [], revoked: [] }
    expect(Decision.decide(state({ stops }), request())).toEqual({ allowed: true })
  })

  test.each([
    ['its payee', payee, 'api.example.com', 'ok'],
    ["another host's payee", other, 'api.example.com', 'NOT_ALLOWED'],
    ['a stranger', stranger, 'api.example.com', 'NOT_ALLOWED'],
    ['no host, a payee', other, undefined, 'ok'],
    ['no host, a stranger', stranger, undefined, 'NOT_ALLOWED'],
  ] as const)('behavior: payees, %s', (_, to, host, code) => {
    expect(answer(Decision.decide(state(), request({ to, host })))).toBe(code)
  })

  test.each([
    ['zero', zeroAddress],
    ['the guard', guard],
    ['SpendPermissionManager', spendPermissionManager],
    ['the token', guarded.token.address],
    ["the agent's purse", purse],
  ] as [string, Address][])('error: where any payee is allowed, still not %s', (_, to) => {
    const any = { grant: { payees: 'any', allow: [{ host: 'api.example.com', payTo: [] }] } } as const
    const holds = { address: purse, balance: 0n } as const
    expect(answer(Decision.decide(state({ ...any, purse: holds }), request({ to: stranger })))).toBe('ok')
    expect(answer(Decision.decide(state({ ...any, purse: holds }), request({ to })))).toBe('NOT_ALLOWED')
  })

  test('behavior: refusals gives every rule that refuses, decide the first', () => {
    const wrong = state({
      approved: false,
      now: start - 1,
      stops: { paused: ['account'], revoked: ['agent'] },
      used: { task: 10n ** 9n, day: 10n ** 9n, total: 10n ** 9n, period: 10n ** 9n },
      window: TrailingWindow.record(0n, { time: start - 1, window: 3600, amount: 10n ** 9n }),
    })
    const asked = request({ to: stranger, amount: 2_000_000n, ticket: { cap: 0n, deadline: 0 } })
    expect([...Decision.refusals(wrong, asked)].map(answer)).toEqual([
      'REVOKED',
      'PAUSED',
      'NOT_APPROVED',
      'NOT_STARTED',
      'NOT_ALLOWED',
      'OVER_PER_CALL perCall',
      'TICKET_EXPIRED',
      'BUDGET_EXCEEDED perTask',
      'BUDGET_EXCEEDED perDay',
      'BUDGET_EXCEEDED perWindow',
      'BUDGET_EXCEEDED total',
    ])
    expect(answer(Decision.decide(wrong, asked))).toBe('REVOKED')
  })

  test('behavior: remaining, and decide allows exactly what remains', () => {
    expect(Decision.remaining(state({ window: seen(2_000_000n) }))).toEqual({
      perCall: 1_000_000n,
      perTask: 5_000_000n,
      perDay: 10_000_000n,
      perWindow: 4_000_000n,
      total: 100_000_000n,
      period: 10_000_000n,
      float: null,
      overall: 1_000_000n,
    })
    const amount = fc.bigInt(0n, 12_000_000n)
    const random = fc.record({
      used: fc.record({ period: amount, day: amount, total: fc.bigInt(0n, 110_000_000n), task: amount }),
      spent: amount,
      cap: amount,
    })
    fc.assert(
      fc.property(random, ({ used, spent, cap }) => {
        const it = state({ used, window: seen(spent) })
        const ticket = { ...open, cap }
        const { overall } = Decision.remaining(it, { ticket })
        if (overall > 0n) expect(answer(Decision.decide(it, request({ amount: overall, ticket })))).toBe('ok')
        expect(answer(Decision.decide(it, request({ amount: overall + 1n, ticket })))).not.toBe('ok')
      }),
    )
  })
})

describe('purse', () => {
  const holds = (balance: bigint) => ({ purse: { address: purse, balance } }) as const
  const spent = { day: 10_000_000n, total: 100_000_000n, period: 10_000_000n }

  test.each([
    ['less than it holds', 1_000_001n, 'ok'],
    ['all that it holds', 1_000_000n, 'ok'],
    ['one unit more', 999_999n, 'FLOAT_LOW'],
  ] as const)('default: a payment of %s', (_, balance, code) => {
    expect(answer(Decision.decide(state(holds(balance), pursed), request()))).toBe(code)
  })

  test('behavior: fundings are metered, payments are not', () => {
    const full = state({ ...holds(1_000_000n), used: spent }, pursed)
    expect(answer(Decision.decide(full, request()))).toBe('ok')
    expect(answer(Decision.decideFunding(full, { target: 1_000_001n }))).toBe('BUDGET_EXCEEDED perDay')
  })

  test('behavior: through the guard the same grant pays without the float', () => {
    const via = 'guard'
    expect(answer(Decision.decide(state(holds(0n), pursed), request({ via })))).toBe('ok')
    const full = state({ ...holds(3_000_000n), used: spent }, pursed)
    expect(answer(Decision.decide(full, request({ via })))).toBe('BUDGET_EXCEEDED perDay')
  })

  test.each([
    ['perCall', request({ amount: 1_000_001n }), {}, 'OVER_PER_CALL perCall'],
    ['payees', request({ to: stranger }), {}, 'NOT_ALLOWED'],
    ['pause', request(), { stops: { paused: ['account'] } }, 'PAUSED'],
    ['revocation', request(), { stops: { revoked: ['agent'] } }, 'REVOKED'],
    ['the end', request(), { now: end }, 'EXPIRED'],
  ] as const)('behavior: holds at payment: %s', (_, asked, changes, code) => {
    expect(answer(Decision.decide(state({ ...holds(3_000_000n), ...changes }, pursed), asked))).toBe(code)
  })

  test.each([
    ['up to maxFloat', 3_000_000n, 0n, {}, 'ok'],
    ['one unit above maxFloat', 3_000_001n, 0n, {}, 'BUDGET_EXCEEDED maxFloat'],
    ['one unit more than it holds', 2_000_001n, 2_000_000n, {}, 'ok'],
    ['what it holds', 2_000_000n, 2_000_000n, {}, 'NOTHING_TO_FUND'],
    ['less than it holds', 1_000_000n, 2_000_000n, {}, 'NOTHING_TO_FUND'],
    ['more than perCall', 2_500_000n, 0n, {}, 'ok'],
    ['what the day leaves', 3_000_000n, 1_000_000n, { day: 8_000_000n }, 'ok'],
    ['one unit more', 3_000_000n, 1_000_000n, { day: 8_000_001n }, 'BUDGET_EXCEEDED perDay'],
    ['what the total leaves', 3_000_000n, 1_000_000n, { total: 98_000_000n }, 'ok'],
    ['one unit more than that', 3_000_000n, 1_000_000n, { total: 98_000_001n }, 'BUDGET_EXCEEDED total'],
    [
      'one unit more than the period',
      3_000_000n,
      1_000_000n,
      { period: 8_000_001n },
      'BUDGET_EXCEEDED perDay',
    ],
  ] as const)('behavior: funding, %s', (_, target, balance, used, code) => {
    expect(answer(Decision.decideFunding(state({ ...holds(balance), used }, pursed), { target }))).toBe(code)
  })

  test('behavior: fundings stop where payments do', () => {
    const fund = (changes: Changes) => answer(Decision.decideFunding(state(changes, pursed), { target: 1n }))
    expect(fund({})).toBe('ok')
    expect(fund({ stops: { paused: ['orchestrator'] } })).toBe('PAUSED')
    expect(fund({ revoked: true })).toBe('REVOKED')
    expect(fund({ approved: false })).toBe('NOT_APPROVED')
    expect(fund({ now: start - 1 })).toBe('NOT_STARTED')
    expect(fund({ now: end })).toBe('EXPIRED')
  })

  test('behavior: with an orchestrator and a cap per task fundings need a ticket, purse payments do not', () => {
    const grant = { ...pursed, orchestrator, perTask: 2_000_000n } as const
    const fund = (changes: Partial<Decision.FundingRequest>, used = 0n) =>
      answer(
        Decision.decideFunding(state({ used: { task: used } }, grant), {
          target: 1_500_000n,
          task: 'report-7',
          ticket: open,
          ...changes,
        }),
      )
    expect(fund({})).toBe('ok')
    expect(fund({}, 500_000n)).toBe('ok')
    expect(fund({}, 500_001n)).toBe('BUDGET_EXCEEDED perTask')
    expect(fund({ ticket: { ...open, cap: 1_499_999n } })).toBe('BUDGET_EXCEEDED perTask')
    expect(fund({ task: undefined })).toBe('TASK_MISSING')
    expect(fund({ ticket: undefined })).toBe('TICKET_MISSING')
    expect(fund({ ticket: { ...open, deadline: now } })).toBe('TICKET_EXPIRED')
    const bare = request({ task: undefined, ticket: undefined })
    expect(answer(Decision.decide(state(holds(1_000_000n), grant), bare))).toBe('ok')
    expect(answer(Decision.decide(state({}, grant), { ...bare, via: 'guard' }))).toBe('TASK_MISSING')
    const worked = state({ ...holds(1_000_000n), used: { task: 1_500_000n } }, grant)
    expect(answer(Decision.decide(worked, request()))).toBe('BUDGET_EXCEEDED perTask')
    expect(answer(Decision.decideFunding(state({ used: { task: 9n ** 9n } }, pursed), { target: 1n }))).toBe(
      'ok',
    )
  })

  test('error: a grant without a purse, a target of nothing', () => {
    expect(answer(Decision.decideFunding(state(), { target: 1n }))).toBe('BUDGET_EXCEEDED maxFloat')
    expect(() => Decision.decideFunding(state({}, pursed), { target: 0n })).toThrow(/^target:/)
  })

  test('behavior: remaining', () => {
    const it = state({ ...holds(400_000n), used: { day: 9_000_000n } }, pursed)
    expect(Decision.remaining(it)).toMatchObject({ perDay: 1_000_000n, float: 2_600_000n, overall: 400_000n })
    expect(Decision.remaining(it, { via: 'guard' }).overall).toBe(1_000_000n)
    expect(Decision.remaining(state({}, pursed))).toMatchObject({ float: 3_000_000n, overall: 0n })
  })
})

test('args: agent and owner are what the fixtures say', () => {
  expect(guarded).toMatchObject({ owner, agent, rail: 'guard', window: 3600, perWindow: 6_000_000n })
  expect(pursed).toMatchObject({ rail: 'purse', maxFloat: 3_000_000n })
})
