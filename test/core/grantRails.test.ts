import { describe, expect, test } from 'vitest'
import { Grant, InputError } from '../../src/index.js'
import { agent, define, now, other, owner, params, payee } from './grants.js'
import { thrown } from './thrown.js'

const guard = (changes: Partial<Grant.DefineParams> = {}) => define({ rail: 'guard', ...changes })
const purse = (changes: Partial<Grant.DefineParams> = {}) => define({ rail: 'purse', ...changes })
const error = (run: () => unknown) => {
  const { code, field } = thrown(InputError, run)
  return [code, field]
}

test('default: the guard rail', () => {
  const { rail, ...others } = params
  expect(Grant.define(others, { now }).rail).toBe('guard')
})

describe('guard', () => {
  test('default', () => {
    expect(guard()).toMatchObject({
      rail: 'guard',
      payees: 'listed',
      orchestrator: null,
      perWindow: null,
      window: null,
      maxFloat: null,
      hold: 'day',
    })
  })

  test('args: orchestrator', () => {
    expect(guard({ orchestrator: other }).orchestrator).toBe(other)
    // A payee or the owner may well be the one who hands out tasks.
    expect(guard({ orchestrator: payee }).orchestrator).toBe(payee)
    expect(guard({ orchestrator: owner }).orchestrator).toBe(owner)
  })

  test('args: perWindowUsd and window', () => {
    expect(guard({ perWindowUsd: '1', window: 3600 })).toMatchObject({ perWindow: 1_000_000n, window: 3600 })
    expect(guard({ perWindowUsd: '1', window: 1 }).window).toBe(1)
    expect(guard({ perWindowUsd: '1', window: 2 ** 32 - 1 }).window).toBe(2 ** 32 - 1)
    expect(guard({ perCallUsd: undefined, perWindowUsd: '0.3', window: 60 }).perCall).toBe(300_000n)
  })

  test('args: payees', () => {
    expect(guard({ payees: 'any', allow: ['api.example.com'] }).payees).toBe('any')
    expect(guard({ payees: 'any' }).payees).toBe('any')
    expect(guard({ payees: 'listed' }).payees).toBe('listed')
  })

  test('behavior: what is written is read', () => {
    const terms = { orchestrator: other, perTaskUsd: '1', perWindowUsd: '1', window: 60 } as const
    for (const grant of [guard(), guard(terms), purse(terms), guard({ payees: 'any' })]) {
      expect(Grant.parse(Grant.serialize(grant))).toEqual(grant)
      expect(Grant.hash(Grant.parse(Grant.serialize(grant)))).toBe(Grant.hash(grant))
    }
  })

  test('behavior: every term changes the hash', () => {
    const grantId = `0x${'ab'.repeat(32)}` as const
    const changes: Partial<Grant.DefineParams>[] = [
      {},
      { rail: 'direct' },
      { rail: 'purse' },
      { rail: 'purse', maxFloatUsd: '1' },
      { payees: 'any' },
      { orchestrator: other },
      { perWindowUsd: '1', window: 60 },
      { perWindowUsd: '1', window: 61 },
      { perWindowUsd: '2', window: 60 },
    ]
    const hashes = changes.map((changes) => Grant.hash(define({ rail: 'guard', ...changes }, { grantId })))
    expect(new Set(hashes).size).toBe(hashes.length)
  })

  test('error: hosts without payees, all of which are named', () => {
    const refused = thrown(InputError, () =>
      guard({ allow: ['b.example.com', { host: 'c.example.com', payTo: payee }, 'a.example.com'] }),
    )
    expect(refused).toMatchObject({
      code: 'PAYEES_MISSING',
      field: 'allow',
      figures: { hosts: ['a.example.com', 'b.example.com'] },
    })
    expect(refused.message).toContain('"a.example.com, b.example.com"')
    expect(refused.valid).toContain('payees: "any"')
  })

  test('error: an orchestrator that is the agent', () => {
    expect(error(() => guard({ orchestrator: agent }))).toEqual(['INVALID_ADDRESS', 'orchestrator'])
  })

  test('error: a window without its cap, a cap without its window', () => {
    expect(error(() => guard({ window: 60 }))).toEqual(['CAP_CONFLICT', 'window'])
    expect(error(() => guard({ perWindowUsd: '1' }))).toEqual(['CAP_CONFLICT', 'window'])
  })

  test.each([0, -1, 1.5, 2 ** 32, Number.NaN, '60', null])('error: a window of %s', (window) => {
    expect(error(() => guard({ perWindowUsd: '1', window: window as never }))).toEqual([
      'INVALID_VALUE',
      'window',
    ])
  })

  test('error: perCall above perWindow', () => {
    expect(error(() => guard({ perCallUsd: '1', perWindowUsd: '0.9', window: 60 }))).toEqual([
      'CAP_CONFLICT',
      'perCallUsd',
    ])
  })

  test('error: more than the guard can meter', () => {
    const usd = (units: bigint) => `${units / 1_000_000n}.${String(units % 1_000_000n).padStart(6, '0')}`
    const [most, mostOfWindow] = [2n ** 112n - 2n, 2n ** 48n - 2n]
    expect(guard({ totalUsd: usd(most) }).total).toBe(most)
    expect(error(() => guard({ totalUsd: usd(most + 1n) }))).toEqual(['INVALID_AMOUNT', 'totalUsd'])
    expect(guard({ perWindowUsd: usd(mostOfWindow), window: 1 }).perWindow).toBe(mostOfWindow)
    expect(error(() => guard({ perWindowUsd: usd(mostOfWindow + 1n), window: 1 }))).toEqual([
      'INVALID_AMOUNT',
      'perWindowUsd',
    ])
    expect(purse({ maxFloatUsd: usd(2n ** 112n - 1n) }).maxFloat).toBe(2n ** 112n - 1n)
    expect(error(() => purse({ maxFloatUsd: usd(2n ** 112n) }))).toEqual(['INVALID_AMOUNT', 'maxFloatUsd'])
  })

  test('error: what the guard has no use for', () => {
    expect(error(() => guard({ hold: 'total' }))).toEqual(['RAIL_CONFLICT', 'hold'])
    expect(error(() => guard({ maxFloatUsd: '1' }))).toEqual(['RAIL_CONFLICT', 'maxFloatUsd'])
  })
})

describe('purse', () => {
  test('default: a float of ten perCall, and at most every other cap', () => {
    expect(purse().maxFloat).toBe(500_000n)
    expect(purse({ perCallUsd: '0.3' }).maxFloat).toBe(2_000_000n)
    expect(purse({ perCallUsd: '0.3', totalUsd: '1' }).maxFloat).toBe(1_000_000n)
    expect(purse({ perCallUsd: '0.3', perWindowUsd: '0.7', window: 60 }).maxFloat).toBe(700_000n)
    expect(purse({ perCallUsd: '0.3', perTaskUsd: '0.4' }).maxFloat).toBe(400_000n)
  })

  test('args: maxFloatUsd', () => {
    expect(purse({ maxFloatUsd: '0.05' }).maxFloat).toBe(50_000n)
    // Filled over several days, or never: above another cap is no contradiction.
    expect(purse({ maxFloatUsd: '50' }).maxFloat).toBe(50_000_000n)
  })

  test('error: a float that one payment of perCall does not fit into', () => {
    expect(error(() => purse({ maxFloatUsd: '0.049999' }))).toEqual(['CAP_CONFLICT', 'perCallUsd'])
  })
})

test.each([
  ['orchestrator', { orchestrator: other }],
  ['payees', { payees: 'any' }],
  ['perWindowUsd', { perWindowUsd: '1', window: 60 }],
] as const)('error: %s on the direct rail', (field, terms) => {
  expect(error(() => define({ rail: 'direct', ...terms }))).toEqual(['RAIL_CONFLICT', field])
})

describe('direct', () => {
  test('default: no float', () => {
    expect(define({ rail: 'direct' }).maxFloat).toBe(null)
  })

  test('args: maxFloatUsd, from perCall on, and kept when it is written', () => {
    const grant = define({ rail: 'direct', perCallUsd: '0.05', maxFloatUsd: '0.05' })
    expect(grant.maxFloat).toBe(50_000n)
    expect(Grant.parse(Grant.serialize(grant))).toEqual(grant)
    const other = define({ rail: 'direct', perCallUsd: '0.05' })
    expect(Grant.hash(grant)).not.toBe(Grant.hash(other))
    expect(error(() => define({ rail: 'direct', perCallUsd: '0.05', maxFloatUsd: '0.049999' }))).toEqual([
      'CAP_CONFLICT',
      'perCallUsd',
    ])
  })
})

test('error: a written grant of another rail than its terms', () => {
  const fields: Record<string, unknown> = JSON.parse(Grant.serialize(purse()))
  const parse = (changes: object) => () => Grant.parse(JSON.stringify({ ...fields, ...changes }))
  expect(error(parse({ rail: 'guard' }))).toEqual(['RAIL_CONFLICT', 'maxFloatUsd'])
  expect(error(parse({ maxFloat: null }))).toEqual(['RAIL_CONFLICT', 'maxFloatUsd'])
  expect(error(parse({ window: 60 }))).toEqual(['CAP_CONFLICT', 'window'])
  expect(error(parse({ allow: ['api.example.com'] }))).toEqual(['PAYEES_MISSING', 'allow'])
})
