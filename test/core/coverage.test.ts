import { inspect } from 'node:util'
import fc from 'fast-check'
import { zeroHash } from 'viem'
import { describe, expect, test } from 'vitest'
import * as Coverage from '../../src/Coverage.js'
import * as Grant from '../../src/Grant.js'
import * as Permission from '../../src/Permission.js'
import * as Time from '../../src/Time.js'

const { day } = Time
const start = Date.UTC(2030, 0, 1) / 1000
const payee = '0x00000000000000000000000000000000000000AA'

function define(params: Partial<Grant.DefineParams> = {}): Grant.Grant {
  return Grant.define(
    {
      id: 'research',
      owner: '0x1111111111111111111111111111111111111111',
      agent: '0x2222222222222222222222222222222222222222',
      rail: 'direct',
      allow: [{ host: 'api.example.com', payTo: payee }],
      perCallUsd: '1',
      perTaskUsd: '5',
      perDayUsd: '10',
      totalUsd: '95',
      expiresAt: '2030-01-30',
      ...params,
    },
    { now: start, grantId: zeroHash },
  )
}

const usdc = (amount: number) => BigInt(amount) * 1_000_000n

/** Cap by cap, who holds it. */
function holders(coverage: Coverage.Coverage): Record<string, Coverage.Holder> {
  return Object.fromEntries(coverage.caps.map((line) => [line.cap, line.holder]))
}

function line(coverage: Coverage.Coverage, cap: Coverage.Line['cap']): Coverage.Line {
  const found = coverage.caps.find((line) => line.cap === cap)
  if (!found) throw new Error(`No line ${cap}.`)
  return found
}

/** A sibling of the grant's permission: same key, same account, its own meter. */
function sibling(grant: Grant.Grant, changes: Partial<Permission.Permission> = {}): Permission.Permission {
  return { ...Permission.fromGrant(grant, { nonce: 7n }), ...changes }
}

describe('of', () => {
  test('default', () => {
    const grant = define()
    const coverage = Coverage.of(grant)
    expect(coverage).toMatchObject({
      rail: 'direct',
      token: { symbol: 'USDC', decimals: 6 },
      from: start,
      end: start + 30 * day,
      // Thirty days of ten, two of them a second apart at every midnight.
      worst: { second: usdc(20), utcDay: usdc(10), day: usdc(20), life: usdc(300) },
      bound: 'exact',
    })
    expect(holders(coverage)).toEqual({
      perCall: 'process',
      perTask: 'process',
      perDay: 'chain',
      total: 'process',
      start: 'chain',
      expiry: 'chain',
      payees: 'process',
      hosts: 'process',
      revocation: 'chain',
      pause: 'process',
      sessions: 'process',
    })
    expect(coverage.caps.map(({ cap, limit }) => [cap, limit])).toEqual([
      ['perCall', usdc(1)],
      ['perTask', usdc(5)],
      ['perDay', usdc(10)],
      ['total', usdc(95)],
      ['start', start],
      ['expiry', start + 30 * day],
      ['payees', 1],
      ['hosts', 1],
      ['revocation', null],
      ['pause', null],
      ['sessions', null],
    ])
    expect(coverage.warnings).toEqual([
      "The total of 95 USDC is held by the process only: the chain counts days. Define the grant with hold: 'total' to have the chain hold it.",
    ])
  })

  test('behavior: the total alone is one period, so nothing doubles', () => {
    const coverage = Coverage.of(define({ perDayUsd: undefined }))
    expect(coverage.worst).toEqual({ second: usdc(95), utcDay: usdc(95), day: usdc(95), life: usdc(95) })
    expect(holders(coverage)).toMatchObject({ perDay: 'none', total: 'chain' })
    expect(coverage.warnings).toEqual([])
  })

  test('behavior: the total alone bounds the life also without an expiry', () => {
    const coverage = Coverage.of(define({ perDayUsd: undefined, expiresAt: undefined }))
    expect(coverage.end).toBeNull()
    expect(coverage.worst.life).toBe(usdc(95))
    expect(holders(coverage)).toMatchObject({ total: 'chain', expiry: 'none' })
    expect(coverage.warnings.join()).toContain('NO EXPIRY')
  })

  test('behavior: a day cap without total and expiry has no worst case over the life', () => {
    const coverage = Coverage.of(define({ totalUsd: undefined, expiresAt: undefined, perTaskUsd: undefined }))
    expect(coverage.worst).toEqual({ second: usdc(20), utcDay: usdc(10), day: usdc(20), life: null })
    expect(holders(coverage)).toMatchObject({ perTask: 'none', total: 'none', expiry: 'none' })
    const warnings = coverage.warnings.join('\n')
    expect(warnings).toContain('NO TOTAL')
    expect(warnings).toContain('NO EXPIRY')
    expect(warnings).toContain('No cap per task')
  })

  test('behavior: a held total moves the end, and is exact where whole days fill it', () => {
    const exact = Coverage.of(define({ totalUsd: '90', hold: 'total' }))
    expect(exact.end).toBe(start + 9 * day)
    expect(exact.worst.life).toBe(usdc(90))
    expect(line(exact, 'total').holder).toBe('chain')
    expect(line(exact, 'expiry').limit).toBe(start + 9 * day)
    expect(exact.warnings).toEqual([
      'To hold the total, the chain ends the grant at 2030-01-10T00:00:00Z instead of 2030-01-31T00:00:00Z.',
    ])

    const conservative = Coverage.of(define({ totalUsd: '95', hold: 'total', expiresAt: undefined }))
    expect(conservative.end).toBe(start + 9 * day)
    expect(conservative.worst.life).toBe(usdc(90))
    expect(line(conservative, 'total').holder).toBe('chain (conservative)')
    expect(conservative.warnings.join()).toContain('2030-01-10T00:00:00Z instead of never')
  })

  test('behavior: a total that all the days cannot reach is held by the chain', () => {
    const short = Coverage.of(define({ expiresAt: '2030-01-05' }))
    expect(short.worst.life).toBe(usdc(50))
    expect(line(short, 'total').holder).toBe('chain (conservative)')
    expect(short.warnings).toEqual([])
  })

  test('behavior: a day cap that the total cannot reach is held by the chain', () => {
    const coverage = Coverage.of(define({ perDayUsd: '200' }))
    expect(coverage.worst).toEqual({ second: usdc(95), utcDay: usdc(95), day: usdc(95), life: usdc(95) })
    expect(holders(coverage)).toMatchObject({ perDay: 'chain (conservative)', total: 'chain' })
  })

  test('behavior: the last, clipped period has a full allowance', () => {
    const clipped = define({ totalUsd: undefined, expiresAt: '2030-01-03T00:00:01Z' })
    expect(Coverage.of(clipped).worst.life).toBe(usdc(30))
    // Two seconds around the last midnight are enough for two allowances.
    const now = start + 2 * day - 1
    expect(Coverage.of(clipped, { now }).worst).toEqual({
      second: usdc(20),
      utcDay: usdc(10),
      day: usdc(20),
      life: usdc(20),
    })
    const last = Coverage.of(clipped, { now: now + 1 }).worst
    expect(last).toEqual({ second: usdc(10), utcDay: usdc(10), day: usdc(10), life: usdc(10) })
  })

  test('behavior: hosts that bind nobody have no payees to hold', () => {
    const coverage = Coverage.of(
      define({ allow: ['a.example.com', { host: 'b.example.com', payTo: payee }] }),
    )
    expect(line(coverage, 'payees')).toMatchObject({ holder: 'none', limit: null })
    expect(line(coverage, 'hosts').limit).toBe(2)
    expect(coverage.warnings.join()).toContain('bind no payee')
  })

  test('behavior: a grant that is marked as revoked still loses what the chain lets out', () => {
    const coverage = Coverage.of(define({ status: 'revoked' }))
    expect(coverage.worst.life).toBe(usdc(300))
    expect(coverage.warnings.join()).toContain('marked as revoked')
  })

  test('behavior: JSON-safe apart from bigint, and nothing hidden is in it', () => {
    const coverage = Coverage.of(define())
    const copy = JSON.parse(
      JSON.stringify(coverage, (_, value) => (typeof value === 'bigint' ? `${value}` : value)),
    )
    expect(Object.keys(copy)).toEqual(Object.keys(coverage))
    expect(copy.worst.life).toBe('300000000')
  })

  test.each([
    ['long before the start', start - 100 * day, 20, 10, 20, 300],
    ['one second before the start', start - 1, 20, 10, 20, 300],
    ['at the start', start, 20, 10, 20, 300],
    ['one second before the second day', start + day - 1, 20, 10, 20, 300],
    ['at the second day', start + day, 20, 10, 20, 290],
    ['one second before the last day', start + 29 * day - 1, 20, 10, 20, 20],
    ['at the last day', start + 29 * day, 10, 10, 10, 10],
    ['one second before the end', start + 30 * day - 1, 10, 10, 10, 10],
    ['at the end', start + 30 * day, 0, 0, 0, 0],
    ['after the end', start + 31 * day, 0, 0, 0, 0],
  ])('args: now, %s', (_, now, second, utcDay, inDay, life) => {
    const { worst, from } = Coverage.of(define(), { now })
    expect(from).toBe(now)
    expect(worst).toEqual({
      second: usdc(second),
      utcDay: usdc(utcDay),
      day: usdc(inDay),
      life: usdc(life),
    })
  })

  test('args: used counts against the current period only', () => {
    const used = usdc(4)
    const now = start + 27 * day + 1
    expect(Coverage.of(define(), { now, used }).worst).toEqual({
      second: usdc(20),
      utcDay: usdc(10),
      day: usdc(20),
      life: usdc(26),
    })
    const before = Coverage.of(define(), { now: start + 28 * day + 1, used }).worst
    expect(before).toEqual({ second: usdc(16), utcDay: usdc(10), day: usdc(16), life: usdc(16) })
    const last = Coverage.of(define(), { now: start + 29 * day, used }).worst
    expect(last).toEqual({ second: usdc(6), utcDay: usdc(6), day: usdc(6), life: usdc(6) })
    // Before the start there is no period in which something could have been spent.
    expect(Coverage.of(define(), { now: start - 1, used }).worst.life).toBe(usdc(300))
    expect(Coverage.of(define(), { now, used: usdc(1000) }).worst.life).toBe(usdc(20))
  })

  test('args: permission, where it is not the first of the grant', () => {
    const grant = define()
    const second = Permission.fromGrant(grant, { nonce: 1n })
    expect(Coverage.of(grant, { permission: second, permissions: [second] }).worst.life).toBe(usdc(300))
    expect(Coverage.of(grant, { permissions: [second] }).worst.life).toBe(usdc(600))
  })
})

describe('a float in the agent own address', () => {
  const float = (coverage: Coverage.Coverage) => line(coverage, 'maxFloat')

  test('default: what it may hold from the days before comes on top, but not over the life', () => {
    const coverage = Coverage.of(define({ maxFloatUsd: '3' }))
    expect(coverage.worst).toEqual({ second: usdc(23), utcDay: usdc(13), day: usdc(23), life: usdc(300) })
    expect(coverage.bound).toBe('exact')
    expect(float(coverage)).toMatchObject({ limit: usdc(3), holder: 'process' })
    expect(float(coverage).words).toContain('ahead')
    expect(coverage.warnings.join()).toContain('can hold 3 USDC from the days before')
  })

  test('behavior: one allowance for the whole life is all there is', () => {
    const { worst } = Coverage.of(define({ perDayUsd: undefined, maxFloatUsd: '3' }))
    expect(worst).toEqual({ second: usdc(95), utcDay: usdc(95), day: usdc(95), life: usdc(95) })
  })

  test('behavior: that of one call says so', () => {
    expect(float(Coverage.of(define({ maxFloatUsd: '1' }))).words).toContain('One call')
    expect(float(Coverage.of(define({ maxFloatUsd: '1.000001' }))).words).toContain('ahead')
  })

  test('behavior: none without one', () => {
    expect(holders(Coverage.of(define()))).not.toHaveProperty('maxFloat')
  })

  test('args: spent.float, what it holds at now, which no end takes away', () => {
    const grant = define({ maxFloatUsd: '3' })
    const last = { now: start + 29 * day, used: usdc(10), spent: { float: usdc(2) } }
    expect(Coverage.of(grant, last).worst).toEqual({
      second: usdc(2),
      utcDay: usdc(2),
      day: usdc(2),
      life: usdc(2),
    })
    const over = { now: start + 30 * day, spent: { float: usdc(2) } }
    expect(Coverage.of(grant, over).worst).toEqual({
      second: usdc(2),
      utcDay: usdc(2),
      day: usdc(2),
      life: usdc(2),
    })
  })

  test('behavior: siblings of the key come on top of it', () => {
    const grant = define({ maxFloatUsd: '3' })
    const { worst } = Coverage.of(grant, { permissions: [sibling(grant)] })
    expect(worst).toEqual({ second: usdc(43), utcDay: usdc(23), day: usdc(43), life: usdc(600) })
  })
})

describe('siblings', () => {
  test('default', () => {
    const grant = define()
    const { worst, warnings } = Coverage.of(grant, { permissions: [sibling(grant)] })
    expect(worst).toEqual({ second: usdc(40), utcDay: usdc(20), day: usdc(40), life: usdc(600) })
    expect(warnings.join()).toContain('1 more permission.')
  })

  test("behavior: the grant's own permission and repeated ones count once", () => {
    const grant = define()
    const other = sibling(grant)
    const permissions = [Permission.fromGrant(grant), other, { ...other }]
    expect(Coverage.of(grant, { permissions }).worst.life).toBe(usdc(600))
  })

  test('behavior: other keys, accounts, tokens and chains are noted and not counted', () => {
    const grant = define()
    const address = '0x9999999999999999999999999999999999999999'
    const permissions = [
      sibling(grant, { spender: address }),
      sibling(grant, { account: address }),
      sibling(grant, { token: address }),
      sibling(grant, { chainId: 84532 }),
      { ...Permission.fromGrant(grant), chainId: 84532 },
    ]
    const { worst, warnings } = Coverage.of(grant, { permissions })
    expect(worst).toEqual(Coverage.of(grant).worst)
    const notes = warnings.filter((warning) => warning.endsWith(': not counted.'))
    expect(notes.map((note) => note.replace(/Permission 0x\w+ /, ''))).toEqual([
      `has another spender, ${address}, with a key of its own: not counted.`,
      `spends from another account, ${address}: not counted.`,
      `spends another token, ${address}: not counted.`,
      'is for chain 84532: not counted.',
      'is for chain 84532: not counted.',
    ])
  })

  test('behavior: unaligned days do not double at the same second', () => {
    const grant = define()
    const noon = sibling(grant, { start: start + day / 2, end: start + 30 * day })
    const { worst, bound } = Coverage.of(grant, { permissions: [noon] })
    // Two of the one and one of the other at midnight or noon; a UTC day touches two noon periods.
    expect(worst.second).toBe(usdc(30))
    expect(worst.utcDay).toBe(usdc(30))
    expect(worst.day).toBe(usdc(40))
    expect(worst.life).toBe(usdc(600))
    expect(bound).toBe('exact')
  })

  test('behavior: permissions that are never open together do not add up in a second', () => {
    const grant = define({ expiresAt: '2030-01-01' })
    const later = sibling(grant, { start: start + 2 * day, end: start + 3 * day })
    const { worst } = Coverage.of(grant, { permissions: [later] })
    expect(worst).toEqual({ second: usdc(10), utcDay: usdc(10), day: usdc(10), life: usdc(20) })
  })

  test('behavior: one that begins where the other ends adds up across the boundary', () => {
    const grant = define({ expiresAt: '2030-01-01' })
    const next = sibling(grant, { start: start + day, end: start + 2 * day })
    const { worst } = Coverage.of(grant, { permissions: [next] })
    expect(worst).toEqual({ second: usdc(20), utcDay: usdc(10), day: usdc(20), life: usdc(20) })
  })

  test('behavior: what a sibling has used already is off its current period', () => {
    const grant = define()
    const used = { ...sibling(grant), used: usdc(3) }
    expect(Coverage.of(grant, { permissions: [used] }).worst.life).toBe(usdc(597))
  })

  test('behavior: a sibling without an end leaves the life without one', () => {
    const grant = define()
    expect(Coverage.of(grant, { permissions: [sibling(grant, { end: Time.max })] }).worst.life).toBeNull()
    const once = sibling(grant, { end: Time.max, period: Time.max })
    expect(Coverage.of(grant, { permissions: [once] }).worst.life).toBe(usdc(310))
  })

  test('behavior: a short period lets out an allowance every time', () => {
    const grant = define()
    const fast = sibling(grant, { period: 60, allowance: 1n, end: Time.max })
    const { worst, bound } = Coverage.of(grant, { permissions: [fast] })
    expect(worst.second).toBe(usdc(20) + 2n)
    expect(worst.utcDay).toBe(usdc(10) + 1440n)
    expect(worst.day).toBe(usdc(20) + 1441n)
    expect(bound).toBe('exact')
  })

  test('behavior: where periods never line up the figures are bounds, and say so', () => {
    const grant = define({ expiresAt: undefined })
    const primes = [1_009, 2_003, 3_001, 100_003]
    const permissions = primes.map((period, n) =>
      sibling(grant, { period, allowance: 1n, end: Time.max, salt: BigInt(n) }),
    )
    const coverage = Coverage.of(grant, { permissions })
    expect(coverage.bound).toBe('conservative')
    expect(coverage.warnings.join()).toContain('upper bounds')
    expect(coverage.worst.second).toBe(usdc(20) + 8n)
    expect(Coverage.format(coverage)).toContain('at most 20.000008 USDC')
  })

  /** Every period as an interval with what is left in it: what a thief finds, one by one. */
  function slots(permissions: readonly (Permission.Permission & { used: bigint })[], from: number) {
    return permissions.flatMap(({ start, end, period, allowance, used }) => {
      const all: { first: number; last: number; left: bigint }[] = []
      for (let begin = start; begin < end; begin += period) {
        const next = Math.min(begin + period, end)
        const current = begin <= from && from < next
        if (next > from)
          all.push({ first: begin, last: next - 1, left: current ? allowance - used : allowance })
      }
      return all
    })
  }

  test('behavior: equal to a thief who tries every moment', () => {
    const random = fc.record({
      offset: fc.integer({ min: -2 * day, max: 2 * day }),
      period: fc.oneof(
        fc.constant(day),
        fc.integer({ min: 5_000, max: 200_000 }),
        fc.constantFrom(3600, 43_200, 2 * day, 7 * day),
      ),
      life: fc.integer({ min: 1, max: 4 * day }),
      allowance: fc.bigInt(1n, 50n),
      used: fc.bigInt(0n, 50n),
    })
    const scene = fc.record({
      first: random,
      others: fc.array(random, { maxLength: 3 }),
      from: fc.integer({ min: -day, max: 3 * day }),
      aligned: fc.boolean(),
    })
    fc.assert(
      fc.property(scene, ({ first, others, from, aligned }) => {
        const grant = define()
        const [permission, ...permissions] = [first, ...others].map((it, n) => {
          // Some scenes on the hour, so that boundaries meet.
          const round = (seconds: number) => (aligned ? Math.ceil(seconds / 3600) * 3600 : seconds)
          const begin = start + round(it.offset)
          return {
            ...Permission.fromGrant(grant, { nonce: BigInt(n) }),
            start: begin,
            end: begin + round(it.life),
            period: round(it.period),
            allowance: it.allowance,
            used: it.used % (it.allowance + 1n),
          }
        })
        if (!permission) throw new Error('There is always a first.')
        const { used, ...own } = permission
        const now = start + from
        const coverage = Coverage.of(grant, { now, used, permission: own, permissions })
        const found = slots([permission, ...permissions], now)
        const within = (since: number, until: number) =>
          found.reduce((sum, slot) => (slot.first < until && slot.last >= since ? sum + slot.left : sum), 0n)
        const most = (width: number, moments: number[]) => {
          const sums = moments
            .filter((since) => since + width > now)
            .map((since) => within(Math.max(since, now), since + width))
          return [0n, ...sums].sort((a, b) => (a < b ? 1 : -1))[0]
        }
        const near = [
          now,
          ...found.flatMap(({ first, last }) => [first, last].flatMap((t) => [t - 1, t, t + 1])),
        ]
        const all = (width: number) => [...near, ...near.map((t) => t - width)].filter((t) => t >= now)
        const days = Array.from({ length: 12 }, (_, n) => start + (n - 4) * day)
        expect(coverage.bound).toBe('exact')
        expect(coverage.worst).toEqual({
          second: most(2, all(2)),
          day: most(day, all(day)),
          utcDay: most(day, days),
          life: within(now, Time.max),
        })
      }),
      { numRuns: 500 },
    )
  })
})

describe('format', () => {
  test('default', () => {
    expect(Coverage.format(Coverage.of(define({ hold: 'total' })))).toMatchInlineSnapshot(`
      "What holds, on the direct rail
        cap         limit                 held by
        perCall     1 USDC                process               The chain takes any amount that fits the allowance.
        perTask     5 USDC                process               The chain knows no tasks.
        perDay      10 USDC               chain                 Per UTC day. Two days meet at midnight, so 24 hours can see two.
        total       95 USDC               chain (conservative)  All days until the end add up to less.
        start       2030-01-01T00:00:00Z  chain                 Nothing can be spent before.
        expiry      2030-01-10T00:00:00Z  chain                 Nothing can be spent from then on.
        payees      1                     process               The chain pays the agent's key, which can pay anybody.
        hosts       1                     process               The chain knows no hosts.
        revocation  -                     chain                 At once and for good; a thief who sees it coming can take what is left before it.
        pause       -                     process               Only a revocation stops a stolen key.
        sessions    -                     process               Limits of sessions and categories are bookkeeping.

      The chain ends it at 2030-01-10T00:00:00Z.
      The most that can be lost from 2030-01-01T00:00:00Z on, with the agent's key and process stolen:
        within a second  20 USDC
        in a UTC day     10 USDC
        in any 24 hours  20 USDC
        over the life    90 USDC

      Warnings
        ! To hold the total, the chain ends the grant at 2030-01-10T00:00:00Z instead of 2030-01-31T00:00:00Z."
    `)
  })

  test('behavior: console.log prints the same', () => {
    const coverage = Coverage.of(define())
    expect(inspect(coverage)).toBe(Coverage.format(coverage))
  })

  test('behavior: no colours, no trailing spaces', () => {
    const text = Coverage.format(Coverage.of(define({ totalUsd: undefined, expiresAt: undefined })))
    expect(text).not.toContain('\u001b')
    expect(text).not.toMatch(/ $/m)
    expect(text).toContain('all that the wallet ever holds')
    expect(text).toContain('The chain knows no end.')
  })
})
