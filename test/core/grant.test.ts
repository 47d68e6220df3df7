import { base, baseSepolia, mainnet } from 'viem/chains'
import { describe, expect, test } from 'vitest'
import { nativeToken, spendPermissionManager, usdc } from '../../src/Addresses.js'
import { Grant, InputError, Time, Token } from '../../src/index.js'
import { agent, define, now, other, owner, params, payee } from './grants.js'
import { thrown } from './thrown.js'

const at = (...date: [number, number, number, number?, number?, number?]) => Date.UTC(...date) / 1000
const midnight = at(2030, 0, 1)
const eurc = '0x60a3E35Cc302bFA44Cb288Bc5a4F316Fdb1adb42'
// As a caller without types would.
const defineAny = (changes: Record<string, unknown>) => define(changes)

test('default', () => {
  expect(define({}, { grantId: `0x${'ab'.repeat(32)}` })).toEqual({
    version: 1,
    grantId: `0x${'ab'.repeat(32)}`,
    id: `0x${'ab'.repeat(32)}`,
    owner,
    agent,
    chainId: 8453,
    token: {
      address: usdc[8453],
      symbol: 'USDC',
      decimals: 6,
      currency: 'USD',
      name: 'USD Coin',
      version: '2',
    },
    orchestrator: null,
    rail: 'direct',
    allow: [{ host: 'api.example.com', payTo: [payee] }],
    payees: 'listed',
    perCall: 50_000n,
    perTask: null,
    perDay: 2_000_000n,
    total: 25_000_000n,
    perWindow: null,
    window: null,
    maxFloat: null,
    startsAt: midnight,
    expiresAt: at(2031, 0, 1),
    hold: 'day',
    status: 'active',
  })
})

test('behavior: frozen in depth', () => {
  const frozen = (value: unknown): boolean =>
    typeof value !== 'object' ||
    value === null ||
    (Object.isFrozen(value) && Object.values(value).every(frozen))
  expect(frozen(define({ allow: ['a.example.com', { host: 'b.example.com', payTo: [payee] }] }))).toBe(true)
  expect(frozen(Grant.parse(Grant.serialize(define())))).toBe(true)
})

test('behavior: every grant has a grantId of its own', () => {
  const ids = new Set(Array.from({ length: 100 }, () => define().grantId))
  expect(ids.size).toBe(100)
  for (const id of ids) expect(id).toMatch(/^0x[0-9a-f]{64}$/)
})

test('behavior: the clock is the default for now', () => {
  const { startsAt } = Grant.define({ ...params, expiresAt: undefined })
  expect(Math.abs(startsAt - Time.midnight(Date.now() / 1000))).toBeLessThanOrEqual(Time.day)
  expect(startsAt % Time.day).toBe(0)
})

describe('caps', () => {
  test('args: perCallUsd omitted', () => {
    const perCall = (caps: object) =>
      defineAny({ perCallUsd: undefined, totalUsd: undefined, ...caps }).perCall
    expect(perCall({ perDayUsd: '2' })).toBe(1_000_000n)
    expect(perCall({ perDayUsd: '0.5' })).toBe(500_000n)
    expect(perCall({ perDayUsd: '2', perTaskUsd: '0.2', totalUsd: '0.3' })).toBe(200_000n)
    expect(perCall({ perDayUsd: undefined, totalUsd: '0.3' })).toBe(300_000n)
  })

  test('behavior: what is omitted is absent', () => {
    const grant = Grant.define(
      { owner, agent, rail: 'direct', allow: ['api.example.com'], totalUsd: 5 },
      { now },
    )
    expect(grant).toMatchObject({ perCall: 1_000_000n, perTask: null, perDay: null, total: 5_000_000n })
    expect(grant.expiresAt).toBe(null)
  })

  test('behavior: equal caps, and caps that another one makes unreachable', () => {
    expect(define({ perCallUsd: '2', perTaskUsd: '2', totalUsd: '2' }).perCall).toBe(2_000_000n)
    expect(define({ perTaskUsd: '3' }).perTask).toBe(3_000_000n)
    expect(define({ totalUsd: '1' })).toMatchObject({ perDay: 2_000_000n, total: 1_000_000n })
  })

  test.each([
    ['perDay', { perCallUsd: '2.000001' }, 'perCallUsd 2.000001 is above perDayUsd 2,'],
    ['total', { perCallUsd: '2', totalUsd: '1.5' }, 'perCallUsd 2 is above totalUsd 1.5,'],
    ['perTask', { perCallUsd: '2', perTaskUsd: '1' }, 'perCallUsd 2 is above perTaskUsd 1,'],
  ])('error: perCall above %s', (name, changes, why) => {
    const error = thrown(InputError, () => defineAny(changes))
    expect(error.code).toBe('CAP_CONFLICT')
    expect(error.message).toContain(why)
    expect(error.figures).toHaveProperty('perCall')
    expect(error.figures).toHaveProperty(name)
  })

  test('error: neither a day cap nor a total', () => {
    const error = thrown(InputError, () =>
      define({ perDayUsd: undefined, totalUsd: undefined, perTaskUsd: '1' }),
    )
    expect(error.code).toBe('CAP_MISSING')
    expect(error.valid).toBe('perDayUsd, totalUsd or both')
  })

  test.each(['perCallUsd', 'perTaskUsd', 'perDayUsd', 'totalUsd'])(
    'error: %s that cannot be read',
    (field) => {
      const bad = [
        Number.NaN,
        Number.POSITIVE_INFINITY,
        -1,
        '-1',
        0,
        '0',
        '',
        'none',
        '1e3',
        '0.0000001',
        null,
        false,
        1n,
        {},
        [1],
      ]
      for (const value of bad) {
        const error = thrown(InputError, () => defineAny({ [field]: value }))
        expect(error.code).toBe('INVALID_AMOUNT')
        expect(error.field).toBe(field)
      }
    },
  )
})

describe('hold', () => {
  test('args: hold', () => {
    expect(define({ hold: 'total' }).hold).toBe('total')
    expect(define({ hold: 'day' }).hold).toBe('day')
  })

  test('error: no total to hold', () => {
    expect(thrown(InputError, () => define({ hold: 'total', totalUsd: undefined })).code).toBe('CAP_CONFLICT')
  })
})

describe('fields', () => {
  test.each([
    ['perDay', 'perDayUsd'],
    ['perdayusd', 'perDayUsd'],
    ['totalUSD', 'totalUsd'],
    ['perDayUSDC', 'perDayUsd'],
    ['expiryAt', 'expiresAt'],
    ['allowed', 'allow'],
    ['chainId', 'chain'],
    ['ownr', 'owner'],
  ])('error: unknown field %s', (field, closest) => {
    const error = thrown(InputError, () => defineAny({ [field]: '1' }))
    expect(error.code).toBe('UNKNOWN_FIELD')
    expect(error.field).toBe(`grant.${field}`)
    expect(error.valid).toContain(`"${closest}" may have been meant`)
  })

  test('error: an unknown field that is undefined is unknown all the same', () => {
    expect(thrown(InputError, () => defineAny({ perDay: undefined })).code).toBe('UNKNOWN_FIELD')
  })

  test('error: hidden or inherited fields, which a copy would lose', () => {
    const hidden = Object.defineProperty({ ...params }, 'perday', { value: '1', enumerable: false })
    expect(thrown(InputError, () => Grant.define(hidden, { now })).code).toBe('UNKNOWN_FIELD')
    const inherited = Object.assign(Object.create({ totalUsd: '1' }), params)
    expect(thrown(InputError, () => Grant.define(inherited, { now })).code).toBe('INVALID_VALUE')
  })

  test.each([
    ...['perCallUsd', 'perDayUsd', 'totalUsd', 'expiresAt', 'startsAt', 'id', 'hold', 'rail'],
    ...['status', 'token', 'chain', 'allow', 'owner', 'agent', 'orchestrator', 'payees'],
    ...['perWindowUsd', 'window', 'maxFloatUsd'],
  ])('error: %s is null', (field) => {
    expect(thrown(InputError, () => defineAny({ [field]: null })).field).toBe(field)
  })

  test('error: not an object', () => {
    for (const value of [null, undefined, 'grant', 1, []])
      expect(thrown(InputError, () => Grant.define(value as never)).code).toBe('INVALID_VALUE')
  })

  test.each([
    ['id', ['', 'a\nb', 'a\u2028b', 'a\u202eb', 'a\u2069b', '\ud800', 'x'.repeat(201), 7]],
    ['id', ['a\u200bb', '\ufeffa', 'a\u00adb', 'a\u2060', '\u3164', 'a\u{e0041}']],
    ['hold', ['task', 'Total', true]],
    ['rail', ['Guard', 'spm', '']],
    ['payees', ['none', '', [payee]]],
    ['status', ['paused', 'ACTIVE', true]],
  ])('error: %s that cannot be read', (field, values) => {
    for (const value of values) {
      const error = thrown(InputError, () => defineAny({ [field]: value }))
      expect([error.code, error.field]).toEqual(['INVALID_VALUE', field])
    }
  })

  test('args: id, status', () => {
    expect(define({ id: 'Forschung № 7 ☃', status: 'revoked' })).toMatchObject({
      id: 'Forschung № 7 ☃',
      status: 'revoked',
    })
  })

  test('error: options', () => {
    for (const grantId of ['0x', `0x${'AB'.repeat(32)}`, 'research'] as const)
      expect(thrown(InputError, () => define({}, { grantId: grantId as '0x' })).field).toBe('grantId')
    for (const now of [-1, 1.5, Number.NaN, 2 ** 48])
      expect(thrown(InputError, () => define({}, { now })).field).toBe('now')
  })
})

describe('dates', () => {
  const start = (startsAt: string, caps: Partial<Grant.DefineParams> = {}) =>
    define({ startsAt, ...caps }).startsAt
  const noDay = { perDayUsd: undefined }

  test('args: startsAt with a day cap', () => {
    expect(start('2030-01-02T00:00:00Z')).toBe(midnight + Time.day)
    expect(start('2030-01-02T00:00:01Z')).toBe(midnight + 2 * Time.day)
    expect(start('2030-01-02')).toBe(midnight + Time.day)
    expect(start('2030-01-01T12:00:01Z')).toBe(midnight + Time.day)
    expect(start('2030-01-01T12:00:00Z')).toBe(midnight)
    expect(start('2029-12-31T18:00:00Z')).toBe(midnight - Time.day)
  })

  test('args: startsAt without a day cap', () => {
    expect(start('2030-01-01T18:00:01Z', noDay)).toBe(at(2030, 0, 1, 18, 0, 1))
    expect(start('2029-12-31T18:00:00Z', noDay)).toBe(at(2029, 11, 31, 18))
    expect(define(noDay).startsAt).toBe(midnight)
  })

  test('args: expiresAt', () => {
    expect(define({ expiresAt: '2030-01-01' }).expiresAt).toBe(midnight + Time.day)
    expect(define({ expiresAt: '2030-01-01T12:00:01Z' }).expiresAt).toBe(now + 1)
    expect(define({ expiresAt: new Date(2_000_000_000_999) }).expiresAt).toBe(2_000_000_000)
    expect(define({ expiresAt: 2_000_000_000_999 }).expiresAt).toBe(2_000_000_000)
  })

  test.each([
    ['the past', '2029-12-31'],
    ['now, which is expired already', '2030-01-01T12:00:00Z'],
    ['later than now by less than a second', '2030-01-01T12:00:00.999Z'],
    ['the past, as a Date', new Date(0)],
  ])('error: expiry in %s', (_, expiresAt) => {
    const error = thrown(InputError, () => define({ expiresAt }))
    expect([error.code, error.field]).toEqual(['INVALID_DATE', 'expiresAt'])
    expect(error.valid).toBe('a time after 2030-01-01T12:00:00Z')
  })

  test('error: expiry not after the start', () => {
    const error = thrown(InputError, () => define({ startsAt: '2030-02-01', expiresAt: '2030-01-31' }))
    expect([error.code, error.field]).toEqual(['INVALID_DATE', 'expiresAt'])
    expect(error.message).toContain('2030-02-01T00:00:00Z')
  })

  test('error: expiry not after the start that a day cap has moved', () => {
    const dates = { startsAt: '2030-01-01T18:00:00Z', expiresAt: '2030-01-02T00:00:00Z' }
    expect(thrown(InputError, () => define(dates)).code).toBe('INVALID_DATE')
    expect(define({ ...dates, ...noDay }).startsAt).toBe(at(2030, 0, 1, 18))
  })

  test('error: unreadable dates are never "no expiry"', () => {
    for (const field of ['startsAt', 'expiresAt'])
      for (const value of [
        'never',
        '',
        '2030-02-30',
        '31.12.2030',
        new Date('x'),
        Number.NaN,
        null,
        false,
        0,
        {},
        1_924_992_000,
      ]) {
        const error = thrown(InputError, () => defineAny({ [field]: value }))
        expect([error.code, error.field]).toEqual(['INVALID_DATE', field])
      }
  })
})

describe('allow', () => {
  const allow = (value: unknown) => defineAny({ allow: value }).allow

  test('default', () => {
    expect(allow(['B.example.com', { host: 'a.example.com:443', payTo: [other, payee, other] }])).toEqual([
      { host: 'a.example.com', payTo: [payee, other] },
      { host: 'b.example.com', payTo: [] },
    ])
  })

  test('error: empty', () => {
    expect(thrown(InputError, () => allow([])).code).toBe('EMPTY_ALLOWLIST')
  })

  test.each([
    ['not an array', 'api.example.com', 'INVALID_VALUE', 'allow'],
    ['undefined', undefined, 'INVALID_VALUE', 'allow'],
    ['a hole', Array(1), 'INVALID_VALUE', 'allow[0]'],
    ['a number', [1], 'INVALID_VALUE', 'allow[0]'],
    ['null', ['a.example.com', null], 'INVALID_VALUE', 'allow[1]'],
    ['a bad host', ['a.example.com', 'https://b.example.com'], 'INVALID_HOST', 'allow[1]'],
    ['a bad host in an object', [{ host: '*', payTo: payee }], 'INVALID_HOST', 'allow[0].host'],
    ['no host', [{ payTo: payee }], 'INVALID_HOST', 'allow[0].host'],
    ['an unknown field', [{ host: 'a.example.com', payto: payee }], 'UNKNOWN_FIELD', 'allow[0].payto'],
    ['no payee', [{ host: 'a.example.com' }], 'INVALID_ADDRESS', 'allow[0].payTo'],
    [
      'an undefined payee',
      [{ host: 'a.example.com', payTo: undefined }],
      'INVALID_ADDRESS',
      'allow[0].payTo',
    ],
    ['an empty list of payees', [{ host: 'a.example.com', payTo: [] }], 'INVALID_ADDRESS', 'allow[0].payTo'],
    [
      'a hole for a payee',
      [{ host: 'a.example.com', payTo: Array(1) }],
      'INVALID_ADDRESS',
      'allow[0].payTo[0]',
    ],
    [
      'a name for a payee',
      [{ host: 'a.example.com', payTo: 'pay.eth' }],
      'INVALID_ADDRESS',
      'allow[0].payTo',
    ],
    [
      'the zero address',
      [{ host: 'a.example.com', payTo: `0x${'0'.repeat(40)}` }],
      'INVALID_ADDRESS',
      'allow[0].payTo',
    ],
    ['a duplicate', ['a.example.com', 'b.example.com', 'A.example.com'], 'DUPLICATE_HOST', 'allow[2]'],
    ['a duplicate by its port', ['a.example.com', 'a.example.com:443'], 'DUPLICATE_HOST', 'allow[1]'],
  ])('error: %s', (_, value, code, field) => {
    const error = thrown(InputError, () => allow(value))
    expect([error.code, error.field]).toEqual([code, field])
  })

  test.each([
    ['the owner', owner],
    ['the agent', agent],
    ['the token', usdc[8453]],
    ['the token, in lower case', usdc[8453].toLowerCase()],
    ['SpendPermissionManager', spendPermissionManager],
    ['the native token', nativeToken],
  ])('error: pays %s', (_, payTo) => {
    const error = thrown(InputError, () => allow([{ host: 'a.example.com', payTo: [payee, payTo] }]))
    expect([error.code, error.field]).toEqual(['INVALID_ADDRESS', 'allow[0].payTo'])
  })
})

describe('parties', () => {
  test.each(['owner', 'agent'])('error: %s that is no address', (field) => {
    const wrongChecksum = `${usdc[8453].slice(0, -1)}4`
    for (const value of [
      undefined,
      null,
      '',
      '0x',
      'vitalik.eth',
      owner.slice(0, -1),
      `${owner}1`,
      owner.slice(2),
      1,
      wrongChecksum,
      `0x${'0'.repeat(40)}`,
    ]) {
      const error = thrown(InputError, () => defineAny({ [field]: value }))
      expect([error.code, error.field]).toEqual(['INVALID_ADDRESS', field])
    }
  })

  test.each(['owner', 'agent'])('error: %s that is a contract of the system', (field) => {
    for (const value of [usdc[8453], spendPermissionManager, nativeToken])
      expect(thrown(InputError, () => defineAny({ [field]: value })).code).toBe('INVALID_ADDRESS')
  })

  test('error: the agent is the owner', () => {
    const error = thrown(InputError, () => define({ agent: owner }))
    expect([error.code, error.field]).toEqual(['INVALID_ADDRESS', 'agent'])
  })

  test('behavior: addresses come out checksummed', () => {
    const mixed = '0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed'
    expect(defineAny({ owner: mixed.toLowerCase() }).owner).toBe(mixed)
    expect(define({ owner: mixed }).owner).toBe(mixed)
  })
})

describe('chain and token', () => {
  test('args: chain', () => {
    expect(define({ chain: base }).chainId).toBe(8453)
    for (const chain of [baseSepolia, 84532]) {
      const { token } = define({ chain })
      expect([token.address, token.name]).toEqual([usdc[84532], 'USDC'])
    }
  })

  test('args: token', () => {
    for (const token of ['USDC', usdc[8453], usdc[8453].toLowerCase()])
      expect(define({ token }).token.symbol).toBe('USDC')
  })

  test('error: unknown chain', () => {
    for (const chain of [1, mainnet, '8453', Number.NaN, {}, { id: '8453' }, []]) {
      const error = thrown(InputError, () => defineAny({ chain }))
      expect([error.code, error.field]).toEqual(['UNKNOWN_CHAIN', 'chain'])
      expect(error.valid).toContain('8453 or 84532')
    }
  })

  test('error: unknown token', () => {
    for (const token of ['USDT', 'usdc', '', usdc[84532], owner, nativeToken, 7, {}]) {
      const error = thrown(InputError, () => defineAny({ token }))
      expect([error.code, error.field]).toEqual(['UNKNOWN_TOKEN', 'token'])
      expect(error.valid).toContain(usdc[8453])
    }
  })

  test('error: a token with a wrong checksum', () => {
    const token = usdc[8453].replace('fCD6', 'FCD6')
    expect(thrown(InputError, () => define({ token })).code).toBe('INVALID_ADDRESS')
  })

  test('error: a token that is not dollars', () => {
    for (const token of ['EURC', eurc, eurc.toLowerCase()]) {
      const error = thrown(InputError, () => define({ token }))
      expect([error.code, error.field, error.valid]).toEqual(['TOKEN_NOT_USD', 'token', '"USDC"'])
    }
  })

  test('behavior: the known tokens are frozen', () => {
    expect(Object.isFrozen(Token.known) && Object.values(Token.known).every(Object.isFrozen)).toBe(true)
  })
})

describe('isAllowed', () => {
  const grant = define({
    allow: [
      'open.example.com',
      { host: 'api.example.com', payTo: payee },
      { host: 'localhost', payTo: other },
    ],
  })

  test.each([
    ['a payee at its host', { host: 'api.example.com', to: payee }],
    ['anybody at a host that is bound to nobody', { host: 'open.example.com', to: owner }],
    ['a payee of some host', { to: other }],
    ['an address in lower case', { host: 'api.example.com', to: payee.toLowerCase() }],
    ['the host in another notation', { host: 'API.example.com:443', to: payee }],
  ])('default: %s', (_, request) => {
    expect(Grant.isAllowed(grant, request as Parameters<typeof Grant.isAllowed>[1])).toEqual({
      allowed: true,
    })
  })

  test.each([
    ['a payee of another host', { host: 'api.example.com', to: other }, 'is not a payee of api.example.com'],
    ['a stranger', { to: owner }, 'is not a payee of any allowed host'],
    ['another host', { host: 'api.example.com.evil.io', to: payee }, 'is not on the allowlist'],
    ['another port', { host: 'api.example.com:8443', to: payee }, 'is not on the allowlist'],
    ['a URL', { host: 'https://api.example.com', to: payee }, 'cannot be read'],
    ['an empty host', { host: '', to: payee }, 'cannot be read'],
    ['an address that is none', { host: 'api.example.com', to: '0x' as const }, 'is not a payee'],
  ])('error: %s', (_, request, reason) => {
    expect(Grant.isAllowed(grant, request as Parameters<typeof Grant.isAllowed>[1])).toEqual({
      allowed: false,
      code: 'NOT_ALLOWED',
      reason: expect.stringContaining(reason),
    })
  })
})

test('error: a total that is held by days which are over', () => {
  const held = { perDayUsd: '2', totalUsd: '5', hold: 'total', expiresAt: undefined } as const
  const startsAt = (days: number) => (Time.midnight(now) - days * Time.day) * 1000
  expect(define({ ...held, startsAt: startsAt(1) }).startsAt).toBe(Time.midnight(now) - Time.day)
  const error = thrown(InputError, () => define({ ...held, startsAt: startsAt(2) }))
  expect(error).toMatchObject({ code: 'INVALID_DATE', field: 'startsAt' })
})
