import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { type Hex, zeroAddress } from 'viem'
import { describe, expect, test } from 'vitest'
import { InputError, Payees, Policy, PolicyError, Token } from '../../src/index.js'
import { agent, define, other, payee } from './grants.js'
import { thrown } from './thrown.js'

// The same file is read by test/contracts/PolicyVectors.t.sol, which asks the contract.
type Vectors = {
  policies: { name: string; policy: Record<keyof Policy.Policy, string | number>; data: Hex }[]
  malformed: { name: string; data: Hex; error: Hex }[]
}
const file = new URL('../vectors/policy.json', import.meta.url)
const vectors: Vectors = JSON.parse(readFileSync(file, 'utf8'))

const grantId = `0x${'ab'.repeat(32)}` as const
const hash = `0x${'cd'.repeat(32)}` as const
const guard = (changes: Parameters<typeof define>[0] = {}) =>
  define({ rail: 'guard', ...changes }, { grantId })
const policy = Policy.fromGrant(guard())

describe('fromGrant', () => {
  test('default', () => {
    expect(policy).toEqual({
      grantId,
      agent,
      orchestrator: null,
      perCall: 50_000n,
      perDay: 2_000_000n,
      total: 25_000_000n,
      perTask: null,
      perWindow: null,
      window: null,
      maxFloat: null,
      payees: Payees.root([payee]),
      replaces: null,
    })
  })

  test('args: replaces', () => {
    expect(Policy.fromGrant(guard(), { replaces: hash }).replaces).toBe(hash)
  })

  test('behavior: a task cap needs somebody who says which tasks there are', () => {
    expect(Policy.fromGrant(guard({ perTaskUsd: '1' })).perTask).toBe(null)
    expect(Policy.fromGrant(guard({ perTaskUsd: '1', orchestrator: other }))).toMatchObject({
      orchestrator: other,
      perTask: 1_000_000n,
    })
  })

  test('behavior: the purse has a float, a window its length, any payee its word', () => {
    expect(Policy.fromGrant(define({ rail: 'purse' })).maxFloat).toBe(500_000n)
    expect(Policy.fromGrant(guard({ perWindowUsd: '1', window: 60 }))).toMatchObject({
      perWindow: 1_000_000n,
      window: 60,
    })
    expect(Policy.fromGrant(guard({ payees: 'any' })).payees).toBe('any')
  })

  test('error: the direct rail', () => {
    expect(thrown(InputError, () => Policy.fromGrant(define({ rail: 'direct' }))).code).toBe('RAIL_CONFLICT')
  })

  test('error: a replaced permission that is no hash', () => {
    for (const replaces of ['0x', `0x${'00'.repeat(32)}`, null])
      expect(thrown(InputError, () => Policy.fromGrant(guard(), { replaces: replaces as Hex })).field).toBe(
        'replaces',
      )
  })
})

describe('encode and decode', () => {
  test.each(vectors.policies)('default: $name', ({ policy: expected, data }) => {
    const policy = Policy.decode(data)
    expect(Policy.encode(policy)).toBe(data)
    const [unlimited, unlimitedWindow] = [2n ** 112n - 1n, 2n ** 48n - 1n]
    const text = (value: bigint | null, absent: bigint) => (value ?? absent).toString()
    expect({
      ...policy,
      orchestrator: policy.orchestrator ?? zeroAddress,
      perCall: text(policy.perCall, unlimited),
      perDay: text(policy.perDay, unlimited),
      total: text(policy.total, unlimited),
      perTask: text(policy.perTask, unlimited),
      perWindow: text(policy.perWindow, unlimitedWindow),
      window: policy.window ?? 0,
      maxFloat: text(policy.maxFloat, 0n),
      payees: policy.payees === 'any' ? `0x${'ff'.repeat(32)}` : policy.payees,
      replaces: policy.replaces ?? `0x${'00'.repeat(32)}`,
    }).toEqual(expected)
  })

  test.each(vectors.malformed)('error: $name', ({ data, error }) => {
    const { code } = thrown(PolicyError, () => Policy.decode(data))
    expect(code).toBe(error.length === 10 ? 'MALFORMED_POLICY' : 'UNKNOWN_POLICY_VERSION')
  })

  test('behavior: bytes that are read are the only ones for their policy', () => {
    const from = fc.constantFrom(...vectors.policies.map(({ data }) => data))
    const digit = fc.constantFrom(...'0123456789abcdef')
    fc.assert(
      fc.property(from, fc.nat(), digit, (data, position, digit) => {
        const at = 2 + (position % (data.length - 2))
        const changed = `${data.slice(0, at)}${digit}${data.slice(at + 1)}` as Hex
        let read: Policy.Policy
        try {
          read = Policy.decode(changed)
        } catch (error) {
          expect(error).toBeInstanceOf(PolicyError)
          return
        }
        expect(Policy.encode(read)).toBe(changed)
      }),
      { numRuns: 1_000 },
    )
  })

  test('behavior: upper-case bytes are the same bytes', () => {
    const data = Policy.encode(policy)
    expect(Policy.decode(`0x${data.slice(2).toUpperCase()}`)).toEqual(policy)
  })

  test.each([
    ['perCall', { perCall: -1n }, 'INVALID_AMOUNT'],
    ['perDay', { perDay: 2n ** 112n - 1n }, 'INVALID_AMOUNT'],
    ['total', { total: 1 }, 'INVALID_AMOUNT'],
    ['perTask', { perTask: 1n }, 'CAP_CONFLICT'],
    ['perWindow', { perWindow: 2n ** 48n - 1n, window: 1 }, 'INVALID_AMOUNT'],
    ['window', { perWindow: 1n, window: 0 }, 'INVALID_VALUE'],
    ['window', { perWindow: 1n }, 'CAP_CONFLICT'],
    ['window', { window: 1 }, 'CAP_CONFLICT'],
    ['maxFloat', { maxFloat: 0n }, 'INVALID_AMOUNT'],
    ['payees', { payees: `0x${'ff'.repeat(32)}` }, 'INVALID_VALUE'],
    ['replaces', { replaces: `0x${'00'.repeat(32)}` }, 'INVALID_VALUE'],
    ['grantId', { grantId: '0xab' }, 'INVALID_VALUE'],
    ['agent', { agent: zeroAddress }, 'INVALID_ADDRESS'],
    ['orchestrator', { orchestrator: zeroAddress }, 'INVALID_ADDRESS'],
  ])('error: encode: %s: %o', (field, changes, code) => {
    const error = thrown(InputError, () => Policy.encode({ ...policy, ...changes } as Policy.Policy))
    expect([error.code, error.field]).toEqual([code, field])
  })

  test('error: decode: not bytes', () => {
    for (const data of ['', 'policy', '0x1', '0xzz', null])
      expect(thrown(InputError, () => Policy.decode(data as Hex)).code).toBe('INVALID_VALUE')
  })
})

describe('explain', () => {
  test('default', () => {
    expect(Policy.explain(Policy.encode(policy))).toMatchObject({ kind: 'policy', policy })
  })

  test('args: token', () => {
    const token = Token.resolve('USDC', { chainId: 8453, field: 'token' })
    const everything = Policy.fromGrant(
      define(
        { rail: 'purse', orchestrator: other, perTaskUsd: '1', perWindowUsd: '1.5', window: 3600 },
        { grantId },
      ),
      { replaces: hash },
    )
    expect(Policy.explain(Policy.encode(everything), { token }).sentences).toEqual([
      `Only ${agent}, the agent, decides on payments.`,
      `Payments go to listed payees only; the list has the Merkle root ${everything.payees}.`,
      'In one payment, at most 0.05 USDC.',
      'In one UTC day, at most 2 USDC.',
      'In all, replaced permissions of the grant included, at most 25 USDC.',
      'In any 3600 seconds, at most 1.5 USDC.',
      'For one task, at most 1 USDC, and only with a ticket.',
      `${other}, the orchestrator, signs tickets and may pause and revoke.`,
      "A purse of the agent's may be filled up to 0.5 USDC; it pays the same payees only.",
      `It replaces the permission ${hash}.`,
      `The grant is ${grantId}: all its permissions share what was spent.`,
    ])
  })

  test('behavior: amounts are base units where the token is not known', () => {
    expect(Policy.explain(Policy.encode(policy)).sentences).toContain(
      'In one payment, at most 50000 base units.',
    )
  })

  test('behavior: what is not capped is said', () => {
    const { sentences } = Policy.explain(
      Policy.encode({ ...policy, perCall: null, perDay: null, total: null, payees: 'any' }),
    )
    expect(sentences).toContain('Payments may go to anybody.')
    expect(sentences).toContain('The guard caps no total.')
    expect(sentences).toContain('There is no purse: the agent never holds money.')
  })

  test('behavior: no bytes', () => {
    expect(Policy.explain('0x')).toMatchObject({ kind: 'none' })
  })

  test('behavior: other bytes', () => {
    const explained = Policy.explain('0x02')
    expect(explained).toMatchObject({ kind: 'unknown', error: { code: 'UNKNOWN_POLICY_VERSION' } })
    expect(explained.sentences.join(' ')).toContain('version 2')
  })

  test('error: not bytes', () => {
    expect(thrown(InputError, () => Policy.explain('policy' as Hex)).code).toBe('INVALID_VALUE')
  })
})
