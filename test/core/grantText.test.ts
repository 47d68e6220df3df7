import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { usdc } from '../../src/Addresses.js'
import { Grant, InputError } from '../../src/index.js'
import { agent, anyGrant, define, now, other, owner, payee } from './grants.js'
import { thrown } from './thrown.js'

const grantId = `0x${'ab'.repeat(32)}` as const
const grant = define({ id: 'research', perTaskUsd: '1' }, { grantId })
const text = Grant.serialize(grant)
const fields: Record<string, unknown> = JSON.parse(text)
const changed = (changes: Record<string, unknown>) => JSON.stringify({ ...fields, ...changes })

test('serialize: default', () => {
  expect(text).toBe(
    `{"version":1,"grantId":"${grantId}","id":"research","owner":"${owner}","agent":"${agent}",` +
      '"orchestrator":null,"chainId":8453,' +
      `"token":"${usdc[8453]}","rail":"direct","allow":[{"host":"api.example.com","payTo":["${payee}"]}],` +
      '"payees":"listed","perCall":"50000","perTask":"1000000","perDay":"2000000","total":"25000000",' +
      '"perWindow":null,"window":null,"maxFloat":null,"startsAt":1893456000,"expiresAt":1924992000,"hold":"day","status":"active"}',
  )
})

describe('parse', () => {
  test('default', () => {
    expect(Grant.parse(text)).toEqual(grant)
  })

  test('behavior: what serialize writes, parse reads', () => {
    fc.assert(
      fc.property(anyGrant, (grant) => {
        const text = Grant.serialize(grant)
        const parsed = Grant.parse(text)
        expect(parsed).toEqual(grant)
        expect(Grant.serialize(parsed)).toBe(text)
        expect(Grant.hash(parsed)).toBe(Grant.hash(grant))
      }),
    )
  })

  test('behavior: white space and the order of fields are free', () => {
    expect(Grant.parse(JSON.stringify(fields, null, 2))).toEqual(grant)
    expect(Grant.parse(JSON.stringify(Object.fromEntries(Object.entries(fields).reverse())))).toEqual(grant)
  })

  test('behavior: a grant that has expired since can be read', () => {
    expect(Grant.parse(changed({ expiresAt: now - 1 })).expiresAt).toBe(now - 1)
  })

  test('error: another version', () => {
    for (const version of [0, 2, '1', null])
      expect(thrown(InputError, () => Grant.parse(changed({ version, novel: 1 }))).code).toBe(
        'UNKNOWN_VERSION',
      )
  })

  test('error: a missing field', () => {
    for (const field of Object.keys(fields)) {
      const { [field]: _, ...others } = fields
      const error = thrown(InputError, () => Grant.parse(JSON.stringify(others)))
      expect([error.code, error.field]).toEqual(['INVALID_VALUE', `grant.${field}`])
    }
  })

  test('error: an unknown field', () => {
    const error = thrown(InputError, () => Grant.parse(changed({ perDayUsd: '1' })))
    expect([error.code, error.field]).toEqual(['UNKNOWN_FIELD', 'grant.perDayUsd'])
    expect(error.valid).toContain('"perDay"')
  })

  test('error: a field that is there twice', () => {
    const twice = text.replace('"total":"25000000"', '"total":"25000000","total":"99000000"')
    expect(thrown(InputError, () => Grant.parse(twice)).message).toContain('twice')
  })

  test('error: not JSON', () => {
    for (const value of ['', '{', 'research', `${text}x`])
      expect(thrown(InputError, () => Grant.parse(value)).code).toBe('INVALID_VALUE')
    for (const value of ['null', '1', '[]', '"research"'])
      expect(thrown(InputError, () => Grant.parse(value)).code).toBe('INVALID_VALUE')
    expect(thrown(InputError, () => Grant.parse(undefined as never)).code).toBe('INVALID_VALUE')
  })

  test.each([
    [
      'perCall',
      [null, 50000, '0', '-1', '0.05', '1e3', '050000', '', '0x10', ` 50000`, (2n ** 160n).toString()],
      'INVALID_AMOUNT',
    ],
    ['total', [25000000, '0', '', false], 'INVALID_AMOUNT'],
    ['startsAt', [null, '1893456000', -1, 0.5, 2 ** 48, 1893456001], 'INVALID_DATE'],
    ['expiresAt', ['1924992000', -1, 0.5, 2 ** 48, 1893456000, 1], 'INVALID_DATE'],
    ['chainId', [1, '8453', null], 'UNKNOWN_CHAIN'],
    ['token', ['0x60a3E35Cc302bFA44Cb288Bc5a4F316Fdb1adb42'], 'TOKEN_NOT_USD'],
    ['token', [usdc[84532], owner], 'UNKNOWN_TOKEN'],
    ['token', ['USDC', null], 'INVALID_ADDRESS'],
    ['owner', [null, agent.slice(1)], 'INVALID_ADDRESS'],
    ['agent', [owner, null], 'INVALID_ADDRESS'],
    ['allow', [[]], 'EMPTY_ALLOWLIST'],
    ['allow', [null, {}, 'api.example.com'], 'INVALID_VALUE'],
    ['grantId', [null, '0x', `0x${'AB'.repeat(32)}`], 'INVALID_VALUE'],
    ['id', [null, '', 1], 'INVALID_VALUE'],
    ['rail', [null, 'spm'], 'INVALID_VALUE'],
    ['payees', [null, 'some'], 'INVALID_VALUE'],
    ['orchestrator', [agent, 1], 'INVALID_ADDRESS'],
    ['window', ['3600', 0, 2 ** 32], 'INVALID_VALUE'],
    ['hold', [null, 'task'], 'INVALID_VALUE'],
    ['status', [null, 'gone'], 'INVALID_VALUE'],
  ])('error: %s: %j', (field, values, code) => {
    for (const value of values) {
      const error = thrown(InputError, () => Grant.parse(changed({ [field]: value })))
      expect([error.code, error.field]).toEqual([code, field])
    }
  })

  test('error: terms that contradict each other', () => {
    const code = (changes: object) => thrown(InputError, () => Grant.parse(changed({ ...changes }))).code
    expect(code({ perDay: null, total: null })).toBe('CAP_MISSING')
    expect(code({ perCall: '2000001' })).toBe('CAP_CONFLICT')
    expect(code({ hold: 'total', total: null })).toBe('CAP_CONFLICT')
    expect(code({ allow: [{ host: 'api.example.com', payTo: agent }] })).toBe('INVALID_ADDRESS')
    expect(code({ startsAt: 2 ** 48 - 1, perDay: null, expiresAt: null })).toBe('INVALID_DATE')
  })

  test('error: a host in another notation than the canonical one', () => {
    expect(thrown(InputError, () => Grant.parse(changed({ allow: ['api.example.com:443'] }))).code).toBe(
      'INVALID_VALUE',
    )
  })
})

describe('hash', () => {
  test('default', () => {
    expect(Grant.hash(grant)).toMatch(/^0x[0-9a-f]{64}$/)
    expect(Grant.hash(define({ id: 'research', perTaskUsd: '1' }, { grantId }))).toBe(Grant.hash(grant))
  })

  test('behavior: independent of the order in which hosts and payees were written', () => {
    const one = define(
      { allow: ['a.example.com', { host: 'b.example.com', payTo: [payee, other] }] },
      { grantId },
    )
    const two = define(
      { allow: [{ host: 'b.example.com', payTo: [other, payee] }, 'a.example.com'] },
      { grantId },
    )
    expect(Grant.hash(one)).toBe(Grant.hash(two))
  })

  test('behavior: the status is no term', () => {
    const revoked = define({ id: 'research', perTaskUsd: '1', status: 'revoked' }, { grantId })
    expect(Grant.hash(revoked)).toBe(Grant.hash(grant))
  })

  test('behavior: every term changes it', () => {
    const hashes = [
      {},
      { id: 'other' },
      { owner: other },
      { agent: other },
      { chainId: 84532, token: usdc[84532] },
      { allow: ['api.example.com'] },
      { allow: [{ host: 'api.example.com', payTo: [other] }] },
      { perCall: '50001' },
      { perTask: null },
      { perDay: null },
      { total: null },
      { startsAt: 1893542400 },
      { expiresAt: null },
      { expiresAt: 1924992001 },
      { hold: 'total' },
      { grantId: `0x${'ac'.repeat(32)}` },
    ].map((changes) => Grant.hash(Grant.parse(changed(changes))))
    expect(new Set(hashes).size).toBe(hashes.length)
  })
})
