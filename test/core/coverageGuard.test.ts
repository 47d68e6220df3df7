import { describe, expect, test } from 'vitest'
import { hardcapGuard } from '../../src/Addresses.js'
import * as Coverage from '../../src/Coverage.js'
import * as Grant from '../../src/Grant.js'
import * as Permission from '../../src/Permission.js'
import * as Policy from '../../src/Policy.js'
import * as Time from '../../src/Time.js'
import * as TrailingWindow from '../../src/TrailingWindow.js'

const { day } = Time
const start = Date.UTC(2030, 0, 1) / 1000
const owner = '0x1111111111111111111111111111111111111111'
const agent = '0x2222222222222222222222222222222222222222'
const payee = '0x3333333333333333333333333333333333333333'
const orchestrator = '0x5555555555555555555555555555555555555555'
const stranger = '0x9999999999999999999999999999999999999999'
const grantId = `0x${'ab'.repeat(32)}` as const

function define(params: Partial<Grant.DefineParams> = {}, id: `0x${string}` = grantId): Grant.Grant {
  return Grant.define(
    {
      id: 'research',
      owner,
      agent,
      rail: 'guard',
      allow: [{ host: 'api.example.com', payTo: payee }],
      perCallUsd: '1',
      perDayUsd: '10',
      totalUsd: '95',
      expiresAt: '2030-01-30',
      ...params,
    },
    { now: start, grantId: id },
  )
}

const tasks = { orchestrator, perTaskUsd: '5' } as const
const usdc = (amount: number) => BigInt(Math.round(amount * 1_000_000))
const worst = (second: number, utcDay: number, day: number, life: number) => ({
  second: usdc(second),
  utcDay: usdc(utcDay),
  day: usdc(day),
  life: usdc(life),
})

/** Cap by cap, who holds it. */
function holders({ caps }: Coverage.Coverage): Record<string, Coverage.Holder> {
  return Object.fromEntries(caps.map((line) => [line.cap, line.holder]))
}

/** A second permission of the grant, with other terms. */
const sibling = (params: Partial<Grant.DefineParams> = {}, id: `0x${string}` = grantId) =>
  Permission.fromGrant(define(params, id), { nonce: 7n })

describe('guard', () => {
  test('default', () => {
    const coverage = Coverage.of(define({ ...tasks, perWindowUsd: '6', window: 3600 }))
    expect(coverage).toMatchObject({
      rail: 'guard',
      from: start,
      end: start + 30 * day,
      worst: worst(6, 10, 20, 95),
      bound: 'exact',
    })
    expect(holders(coverage)).toEqual({
      perCall: 'chain',
      perTask: 'chain',
      perDay: 'chain',
      total: 'chain',
      perWindow: 'chain (conservative)',
      start: 'chain',
      expiry: 'chain',
      payees: 'chain',
      hosts: 'process',
      revocation: 'chain',
      pause: 'chain',
      sessions: 'process',
    })
    expect(coverage.warnings).toEqual([
      "A thief with the orchestrator's key as well can sign a ticket for any task: then the other caps are what holds, and they do.",
    ])
  })

  test.each([
    ['a day cap and a total', {}, worst(20, 10, 20, 95)],
    ['a total alone', { perDayUsd: undefined }, worst(95, 95, 95, 95)],
    ['a total that a day can reach', { totalUsd: '13' }, worst(13, 10, 13, 13)],
    ['a day cap above the total', { perDayUsd: '200' }, worst(95, 95, 95, 95)],
    ['a window of a day', { perWindowUsd: '12', window: day }, worst(12, 10, 12, 95)],
    ['a window of a minute', { perWindowUsd: '2', window: 60 }, worst(2, 10, 20, 95)],
    ['no expiry', { expiresAt: undefined }, worst(20, 10, 20, 95)],
  ])('behavior: %s, exactly', (_, params, figures) => {
    const coverage = Coverage.of(define(params))
    expect(coverage.worst).toEqual(figures)
    expect(coverage.bound).toBe('exact')
  })

  test('behavior: what is missing is missed', () => {
    const coverage = Coverage.of(define({ totalUsd: undefined, expiresAt: undefined }))
    expect(coverage.worst).toEqual({ ...worst(20, 10, 20, 0), life: null })
    expect(holders(coverage)).toMatchObject({
      total: 'none',
      expiry: 'none',
      perWindow: 'none',
      perTask: 'none',
    })
    const warnings = coverage.warnings.join('\n')
    for (const word of ['NO TOTAL', 'NO EXPIRY', 'No cap per task']) expect(warnings).toContain(word)
  })

  test('behavior: tasks are held with an orchestrator alone', () => {
    const coverage = Coverage.of(define({ perTaskUsd: '5' }))
    expect(holders(coverage)).toMatchObject({ perTask: 'process' })
    expect(coverage.warnings.join()).toContain('Name an orchestrator')
  })

  test('behavior: any payee is nobody who holds it', () => {
    const coverage = Coverage.of(define({ payees: 'any', allow: ['api.example.com'] }))
    expect(holders(coverage)).toMatchObject({ payees: 'none', hosts: 'process' })
    expect(coverage.warnings.join()).toContain('ANY PAYEE')
  })

  test('args: spent and used, what the meters have had at now', () => {
    const now = start + 5 * day + 3600
    const spent = { day: usdc(4), total: usdc(90) }
    const late = Coverage.of(define(), { now, used: usdc(4), spent })
    expect(late.worst).toEqual(worst(5, 5, 5, 5))
    // A replacement: the grant's day goes on, the permission's period begins anew.
    const replaced = Coverage.of(define(), { now, spent: { day: usdc(4), total: usdc(44) } })
    expect(replaced.worst).toEqual(worst(20, 10, 20, 51))
    const last = { now: start + 29 * day + 1, spent: { day: usdc(4), total: usdc(44) } }
    expect(Coverage.of(define(), last).worst).toEqual(worst(6, 6, 6, 6))
    const window = TrailingWindow.record(0n, { time: last.now, window: day, amount: usdc(7) })
    const windowed = define({ perWindowUsd: '12', window: day })
    const seen = Coverage.of(windowed, { ...last, spent: { ...last.spent, window } })
    expect(seen.worst).toEqual(worst(5, 5, 5, 5))
  })

  test('args: tickets, as far as those are good for that there are', () => {
    const end = start + 30 * day
    const grant = define(tasks)
    const tickets = [
      { cap: usdc(3), deadline: end, used: usdc(1) },
      { cap: usdc(50), deadline: end },
    ]
    expect(Coverage.of(grant, { tickets })).toMatchObject({ worst: worst(7, 7, 7, 7), bound: 'exact' })
    expect(Coverage.of(grant, { tickets: [] }).worst).toEqual(worst(0, 0, 0, 0))
    const passed = [{ cap: usdc(5), deadline: start }]
    expect(Coverage.of(grant, { tickets: passed }).worst).toEqual(worst(0, 0, 0, 0))
    const early = [{ cap: usdc(5), deadline: end - 1 }]
    expect(Coverage.of(grant, { tickets: early })).toMatchObject({
      worst: worst(5, 5, 5, 5),
      bound: 'conservative',
    })
    // A sibling that asks for none makes them worthless.
    expect(Coverage.of(grant, { tickets, permissions: [sibling()] }).worst).toEqual(worst(20, 10, 20, 95))
    // Where nobody asks for tickets, they change nothing.
    expect(Coverage.of(define(), { tickets }).worst).toEqual(worst(20, 10, 20, 95))
  })
})

describe('siblings', () => {
  test('default: of the same grant they share, of another they add up', () => {
    const same = Coverage.of(define(), { permissions: [sibling()] })
    expect(same).toMatchObject({ worst: worst(20, 10, 20, 95), bound: 'exact' })
    expect(same.warnings.join('\n')).toContain('1 more permission under this grantId. They share')
    const other = Coverage.of(define(), { permissions: [sibling({}, `0x${'cd'.repeat(32)}`)] })
    expect(other).toMatchObject({ worst: worst(40, 20, 40, 190), bound: 'exact' })
    expect(other.warnings.join('\n')).toContain('1 more permission. The chain meters each by itself')
  })

  test('behavior: a raised one raises what can be lost to its caps', () => {
    const raised = sibling({ perDayUsd: '14', totalUsd: '120' })
    expect(Coverage.of(define(), { permissions: [raised] }).worst).toEqual(worst(28, 14, 28, 120))
  })

  test('behavior: windows of other lengths add up', () => {
    const grant = define({ perWindowUsd: '3', window: 3600 })
    const permissions = [sibling({ perWindowUsd: '3', window: 7200 })]
    expect(Coverage.of(grant, { permissions }).worst).toEqual(worst(6, 10, 20, 95))
    const shared = [sibling({ perWindowUsd: '3', window: 3600 })]
    expect(Coverage.of(grant, { permissions: shared }).worst).toEqual(worst(3, 10, 20, 95))
  })

  test('behavior: one of the direct rail adds up, on either side', () => {
    const direct = define({ rail: 'direct' })
    const permission = Permission.fromGrant(direct)
    expect(Coverage.of(define(), { permissions: [permission] }).worst).toEqual(worst(40, 20, 40, 395))
    expect(Coverage.of(direct, { permissions: [sibling()] }).worst).toEqual(worst(40, 20, 40, 395))
  })

  test('behavior: those of other agents, accounts and tokens, and those that nobody can read, are not counted', () => {
    const own = sibling()
    const changed = (changes: Partial<Permission.Permission>) => ({ ...own, ...changes })
    const policy = Policy.decode(own.extraData)
    const permissions = [
      changed({ extraData: Policy.encode({ ...policy, agent: stranger }) }),
      changed({ extraData: '0x02' }),
      changed({ extraData: '0x01' }),
      changed({ spender: stranger }),
      changed({ account: stranger }),
      changed({ token: stranger }),
    ]
    const { worst: figures, warnings } = Coverage.of(define(), { permissions })
    expect(figures).toEqual(worst(20, 10, 20, 95))
    const notes = warnings.filter((warning) => warning.endsWith(': not counted.'))
    expect(notes.map((note) => note.replace(/Permission 0x\w+ /, ''))).toEqual([
      `has another agent, ${stranger}, with a key of its own: not counted.`,
      'has a policy that the guard cannot read, so it pays nothing: not counted.',
      'has a policy that the guard cannot read, so it pays nothing: not counted.',
      `has another spender, ${stranger}, with a key of its own: not counted.`,
      `spends from another account, ${stranger}: not counted.`,
      `spends another token, ${stranger}: not counted.`,
    ])
  })

  test('args: spent of a sibling of another grant', () => {
    const other = { ...sibling({}, `0x${'cd'.repeat(32)}`), spent: { total: usdc(90) } }
    expect(Coverage.of(define(), { permissions: [other] }).worst).toEqual(worst(25, 15, 25, 100))
  })
})

describe('purse', () => {
  const purse = { rail: 'purse', maxFloatUsd: '3' } as const

  test('default: the float comes on top, but not of the total', () => {
    const coverage = Coverage.of(define(purse))
    expect(coverage).toMatchObject({ rail: 'purse', worst: worst(23, 13, 23, 95), bound: 'exact' })
    expect(holders(coverage)).toMatchObject({
      perCall: 'chain',
      perDay: 'chain',
      total: 'chain',
      maxFloat: 'chain',
      payees: 'chain',
      pause: 'chain',
    })
    expect(coverage.warnings.join()).toContain('The purse can hold 3 USDC from the days before')
  })

  test('args: spent.float, what it holds at now', () => {
    const now = start + 29 * day
    const options = { now, spent: { total: usdc(90), float: usdc(2) } }
    expect(Coverage.of(define(purse), options).worst).toEqual(worst(7, 7, 7, 7))
    const over = { now: start + 30 * day, spent: { float: usdc(2) } }
    expect(Coverage.of(define(purse), over).worst).toEqual(worst(0, 0, 0, 0))
  })

  test('behavior: a float of one call says so', () => {
    const words = (maxFloatUsd: string) =>
      Coverage.of(define({ ...purse, maxFloatUsd })).caps.find(({ cap }) => cap === 'maxFloat')?.words
    expect(words('1')).toContain('One call')
    expect(words('1.000001')).not.toContain('One call')
    expect(Coverage.of(define({ ...purse, maxFloatUsd: '1' })).worst).toEqual(worst(21, 11, 21, 95))
  })

  test('behavior: tasks are held at funding only', () => {
    expect(holders(Coverage.of(define({ ...purse, ...tasks })))).toMatchObject({ perTask: 'process' })
  })
})

describe('format', () => {
  test('default', () => {
    const grant = define({ ...tasks, perWindowUsd: '6', window: 3600 })
    expect(Coverage.format(Coverage.of(grant))).toMatchInlineSnapshot(`
      "What holds, on the guard rail
        cap         limit                 held by
        perCall     1 USDC                chain                 The guard pays no more at once.
        perTask     5 USDC                chain                 Every payment needs a ticket of the orchestrator.
        perDay      10 USDC               chain                 Per UTC day. Two days meet at midnight, so 24 hours can see two.
        total       95 USDC               chain                 For good: a renewed, raised or second permission of the grant goes on counting.
        perWindow   6 USDC                chain (conservative)  In any 3600 seconds; what was spent up to a third longer ago may still count.
        start       2030-01-01T00:00:00Z  chain                 Nothing can be spent before.
        expiry      2030-01-31T00:00:00Z  chain                 Nothing can be spent from then on.
        payees      1                     chain                 All that can be lost goes to them: a thief who is none of them gets nothing.
        hosts       1                     process               The chain knows no hosts.
        revocation  -                     chain                 At once and for good, by the owner, the orchestrator or the agent; a thief who sees it coming can take what is left before it.
        pause       -                     chain                 At once, by the owner or the orchestrator. Each takes back its own.
        sessions    -                     process               Limits of sessions and categories are bookkeeping.

      The chain ends it at 2030-01-31T00:00:00Z.
      The most that can be lost from 2030-01-01T00:00:00Z on, with the agent's key and process stolen:
        within a second  6 USDC
        in a UTC day     10 USDC
        in any 24 hours  20 USDC
        over the life    95 USDC

      Warnings
        ! A thief with the orchestrator's key as well can sign a ticket for any task: then the other caps are what holds, and they do."
    `)
  })

  test('behavior: purse', () => {
    expect(Coverage.format(Coverage.of(define({ rail: 'purse' })))).toMatchInlineSnapshot(`
      "What holds, on the purse rail
        cap         limit                 held by
        perCall     1 USDC                chain    The purse and the guard pay no more at once.
        perTask     -                     none     One task may use up the other caps.
        perDay      10 USDC               chain    Per UTC day. Two days meet at midnight, so 24 hours can see two. At funding: payees can see the float on top.
        total       95 USDC               chain    For good: a renewed, raised or second permission of the grant goes on counting.
        perWindow   -                     none     Nothing between one call and a day.
        maxFloat    10 USDC               chain    What fundings lift the purse to, and so what one moment can see on top.
        start       2030-01-01T00:00:00Z  chain    Nothing can be spent before.
        expiry      2030-01-31T00:00:00Z  chain    Nothing can be spent from then on.
        payees      1                     chain    All that can be lost goes to them: a thief who is none of them gets nothing.
        hosts       1                     process  The chain knows no hosts.
        revocation  -                     chain    At once and for good, by the owner or the agent; a thief who sees it coming can take what is left before it.
        pause       -                     chain    At once, by the owner; the purse stops as well. Each takes back its own.
        sessions    -                     process  Limits of sessions and categories are bookkeeping.

      The chain ends it at 2030-01-31T00:00:00Z.
      The most that can be lost from 2030-01-01T00:00:00Z on, with the agent's key and process stolen:
        within a second  30 USDC
        in a UTC day     20 USDC
        in any 24 hours  30 USDC
        over the life    95 USDC

      Warnings
        ! No cap per task: one task may use up the other caps.
        ! The purse can hold 10 USDC from the days before, on top of what a day or window lets out."
    `)
  })
})

test('behavior: the guard is the spender of what is covered', () => {
  expect(Permission.fromGrant(define()).spender).toBe(hardcapGuard)
})
