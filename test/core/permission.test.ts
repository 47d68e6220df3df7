import fc from 'fast-check'
import { hashTypedData, zeroAddress } from 'viem'
import { describe, expect, test } from 'vitest'
import { spendPermissionManager, usdc } from '../../src/Addresses.js'
import { Grant, InputError, Permission, PermissionError, Time } from '../../src/index.js'
import { agent, anyGrant, define, other, owner } from './grants.js'
import { thrown } from './thrown.js'

const midnight = Date.UTC(2030, 0, 1) / 1000
const grant = define()
const permission = Permission.fromGrant(grant)
const from = (changes: Partial<Grant.DefineParams>) => Permission.fromGrant(define(changes))

describe('fromGrant', () => {
  test('default', () => {
    expect(permission).toEqual({
      chainId: 8453,
      account: owner,
      spender: agent,
      token: usdc[8453],
      allowance: 2_000_000n,
      period: 86_400,
      start: midnight,
      end: Date.UTC(2031, 0, 1) / 1000,
      salt: expect.any(BigInt),
      extraData: '0x',
    })
    expect(Object.isFrozen(permission)).toBe(true)
  })

  test('behavior: no expiry', () => {
    expect(from({ expiresAt: undefined }).end).toBe(2 ** 48 - 1)
    expect(from({ expiresAt: undefined, perDayUsd: undefined })).toMatchObject({
      allowance: 25_000_000n,
      period: 2 ** 48 - 1 - midnight,
      end: 2 ** 48 - 1,
    })
  })

  test('behavior: without a day cap, the total once', () => {
    const once = from({ perDayUsd: undefined, startsAt: '2030-01-01T13:00:00Z' })
    const start = midnight + 13 * 3600
    expect(once).toMatchObject({ allowance: 25_000_000n, start, period: once.end - start })
    expect(Permission.periods(once)).toBe(1)
  })

  test('behavior: a day cap of at least the total never binds', () => {
    for (const totalUsd of ['2', '1.5']) {
      const once = from({ totalUsd })
      expect(Permission.periods(once)).toBe(1)
      expect(once.allowance).toBe(totalUsd === '2' ? 2_000_000n : 1_500_000n)
    }
    expect(from({ totalUsd: '2.000001' })).toMatchObject({ allowance: 2_000_000n, period: 86_400 })
  })

  test('behavior: a total that is held ends after as many whole days as fit', () => {
    const days = (totalUsd: string) => (from({ totalUsd, hold: 'total' }).end - midnight) / Time.day
    expect(days('25')).toBe(12)
    expect(days('24')).toBe(12)
    expect(days('23.999999')).toBe(11)
    expect(days('2.000001')).toBe(1)
    expect(days('730')).toBe(365)
    expect(days('732')).toBe(365)
    expect(from({ totalUsd: '25', hold: 'total', expiresAt: '2030-01-05T10:00:00Z' }).end).toBe(
      midnight + 4 * Time.day + 10 * 3600,
    )
    const enormous = { totalUsd: (2n ** 130n).toString(), perCallUsd: '0.000001', perDayUsd: '0.000001' }
    expect(from({ ...enormous, hold: 'total', expiresAt: undefined }).end).toBe(2 ** 48 - 1)
  })

  test('behavior: a total that is held alone, and one below the day cap, are exact anyhow', () => {
    expect(Permission.periods(from({ hold: 'total', perDayUsd: undefined }))).toBe(1)
    expect(Permission.periods(from({ hold: 'total', totalUsd: '1' }))).toBe(1)
  })

  test('args: nonce', () => {
    const second = Permission.fromGrant(grant, { nonce: 1n })
    expect(second).toEqual({ ...permission, salt: second.salt })
    expect(second.salt).not.toBe(permission.salt)
    expect(Permission.fromGrant(grant, { nonce: 0n })).toEqual(permission)
  })

  test('error: a nonce that is no uint256', () => {
    for (const nonce of [-1n, 2n ** 256n, 1 as unknown as bigint])
      expect(thrown(InputError, () => Permission.fromGrant(grant, { nonce })).field).toBe('nonce')
  })

  test('error: a grant without caps, made by hand', () => {
    const bare = { ...grant, perDay: null, total: null }
    expect(thrown(InputError, () => Permission.fromGrant(bare)).code).toBe('CAP_MISSING')
  })

  test('behavior: the salt commits to terms that the chain never sees', () => {
    const text = Grant.serialize(grant).replace('api.example.com', 'api.example.net')
    expect(Permission.fromGrant(Grant.parse(text)).salt).not.toBe(permission.salt)
    const revoked = Grant.parse(Grant.serialize(grant).replace('"active"', '"revoked"'))
    expect(Permission.fromGrant(revoked)).toEqual(permission)
  })

  test('behavior: never worth more than the grant, in a day or in total where that is held', () => {
    fc.assert(
      fc.property(anyGrant, (grant) => {
        const permission = Permission.fromGrant(grant)
        const { allowance, start, end, period } = permission
        expect(allowance > 0n && allowance < 2n ** 160n).toBe(true)
        expect(period).toBeGreaterThan(0)
        expect(start).toBe(grant.startsAt)
        expect(end).toBeGreaterThan(start)
        expect(end).toBeLessThanOrEqual(grant.expiresAt ?? 2 ** 48 - 1)

        const most = allowance * BigInt(Permission.periods(permission))
        if (grant.total !== null && (grant.hold === 'total' || grant.perDay === null))
          expect(most <= grant.total).toBe(true)
        if (grant.perDay !== null) expect(allowance <= grant.perDay).toBe(true)
        if (period === Time.day) expect(start % Time.day).toBe(0)
        else expect(Permission.periods(permission)).toBe(1)
      }),
    )
  })
})

describe('typedData', () => {
  test('default', () => {
    const data = Permission.typedData(permission)
    expect(data.domain).toEqual({
      name: 'Spend Permission Manager',
      version: '1',
      chainId: 8453,
      verifyingContract: spendPermissionManager,
    })
    expect(data.message).not.toHaveProperty('chainId')
    expect(hashTypedData(data)).toBe(Permission.hash(permission))
  })
})

describe('hash', () => {
  test('behavior: every field changes it', () => {
    const changes: Partial<Permission.Permission>[] = [
      {},
      { chainId: 84532 },
      { account: other },
      { spender: other },
      { token: other },
      { allowance: 1n },
      { period: 1 },
      { start: 1 },
      { end: 1 },
      { salt: 1n },
      { extraData: '0x00' },
    ]
    const hashes = changes.map((change) => Permission.hash({ ...permission, ...change }))
    expect(new Set(hashes).size).toBe(changes.length)
  })

  test('behavior: the case of an address does not', () => {
    const lower = { ...permission, token: permission.token.toLowerCase() as typeof permission.token }
    expect(Permission.equals(permission, lower)).toBe(true)
    expect(Permission.equals(permission, { ...permission, salt: 0n })).toBe(false)
  })
})

describe('batch', () => {
  const second = Permission.fromGrant(grant, { nonce: 1n })

  test('default', () => {
    const { chainId, account, period, start, end, ...details } = permission
    const batch = Permission.batch([permission, { ...second, spender: other }])
    expect(batch).toEqual({
      ...{ chainId, account, period, start, end },
      permissions: [details, { ...details, spender: other, salt: second.salt }],
    })
    expect(hashTypedData(Permission.batchTypedData(batch))).toBe(Permission.batchHash(batch))
  })

  test('behavior: the order counts', () => {
    const hash = (...permissions: Permission.Permission[]) =>
      Permission.batchHash(Permission.batch(permissions))
    expect(hash(permission, second)).not.toBe(hash(second, permission))
  })

  test.each([
    ['chainId', 84532],
    ['account', other],
    ['period', 3600],
    ['start', midnight + 1],
    ['end', midnight + 2],
  ])('error: another %s', (field, value) => {
    const error = thrown(PermissionError, () =>
      Permission.batch([permission, second, { ...second, [field]: value }]),
    )
    expect(error.code).toBe('BATCH_MISMATCH')
    expect(error.figures).toMatchObject({ field, index: 2, actual: value })
  })

  test('error: empty', () => {
    expect(thrown(PermissionError, () => Permission.batch([])).code).toBe('BATCH_EMPTY')
  })

  test('error: a permission twice', () => {
    const error = thrown(PermissionError, () => Permission.batch([permission, second, permission]))
    expect(error.code).toBe('BATCH_DUPLICATE')
    expect(error.figures).toMatchObject({ index: 2, hash: Permission.hash(permission) })
  })
})

describe('periods', () => {
  const short = { ...permission, start: 1000, end: 1250, period: 100 }

  test('periodAt: default', () => {
    expect(Permission.periodAt(short, 1000)).toEqual({ start: 1000, end: 1100 })
    expect(Permission.periodAt(short, 1099)).toEqual({ start: 1000, end: 1100 })
    expect(Permission.periodAt(short, 1100)).toEqual({ start: 1100, end: 1200 })
  })

  test('periodAt: behavior: the last period is clipped', () => {
    expect(Permission.periodAt(short, 1200)).toEqual({ start: 1200, end: 1250 })
    expect(Permission.periodAt(short, 1249)).toEqual({ start: 1200, end: 1250 })
    expect(Permission.periodAt({ ...short, period: 2 ** 48 - 1 }, 1249)).toEqual({ start: 1000, end: 1250 })
  })

  test('periodAt: behavior: null outside', () => {
    expect(Permission.periodAt(short, 999)).toBe(null)
    expect(Permission.periodAt(short, 1250)).toBe(null)
  })

  test('periods: default', () => {
    expect(Permission.periods(short)).toBe(3)
    expect(Permission.periods({ ...short, end: 1200 })).toBe(2)
    expect(Permission.periods({ ...short, end: 1201 })).toBe(3)
    expect(Permission.periods({ ...short, start: 0, end: 2 ** 48 - 1, period: 1 })).toBe(2 ** 48 - 1)
    expect(Permission.periods({ ...short, start: 0, end: 2 ** 48 - 1, period: 2 ** 48 - 2 })).toBe(2)
  })

  test('behavior: the periods tile the life, and there are as many as said', () => {
    const lives = fc.tuple(fc.nat(1000), fc.integer({ min: 1, max: 300 }), fc.integer({ min: 1, max: 400 }))
    fc.assert(
      fc.property(lives, ([start, length, period]) => {
        const some = { ...permission, start, end: start + length, period }
        let [count, now] = [0, start]
        for (let at = Permission.periodAt(some, now); at !== null; at = Permission.periodAt(some, now)) {
          expect(at.start).toBe(now)
          expect(Permission.periodAt(some, at.end - 1)).toEqual(at)
          count += 1
          now = at.end
        }
        expect([count, now]).toEqual([Permission.periods(some), some.end])
      }),
    )
  })
})

describe('parse', () => {
  const text = Permission.serialize(permission)
  const fields: Record<string, unknown> = JSON.parse(text)
  const changed = (changes: Record<string, unknown>) => JSON.stringify({ ...fields, ...changes })

  test('default', () => {
    expect(Permission.parse(text)).toEqual(permission)
    expect(text).toMatch(/^\{"version":1,"chainId":8453,"account":"0x1{40}",.*,"extraData":"0x"\}$/)
  })

  test('behavior: what serialize writes, parse reads', () => {
    fc.assert(
      fc.property(anyGrant, fc.bigInt({ min: 0n, max: 2n ** 256n - 1n }), (grant, nonce) => {
        const permission = Permission.fromGrant(grant, { nonce })
        const text = Permission.serialize(permission)
        expect(Permission.parse(text)).toEqual(permission)
        expect(Permission.serialize(Permission.parse(text))).toBe(text)
      }),
    )
  })

  test('error: another version', () => {
    expect(thrown(InputError, () => Permission.parse(changed({ version: 2 }))).code).toBe('UNKNOWN_VERSION')
  })

  test.each([
    ['chainId', [0, -1, 1.5, '8453', null]],
    ['account', [null, zeroAddress, '0x']],
    ['spender', [null, zeroAddress, '0x']],
    ['token', [null, zeroAddress, '0x']],
    ['allowance', [2000000, '0', '-1', '1.5', '', (2n ** 160n).toString(), null]],
    ['period', [0, -1, 2 ** 48, '86400', null]],
    ['start', [-1, 2 ** 48, '0', null]],
    ['end', [midnight, 0, 2 ** 48, null]],
    ['salt', [(2n ** 256n).toString(), '-1', '0x1', null]],
    ['extraData', ['', '0x0', '0xzz', '0xAB', null]],
  ])('error: %s', (field, values) => {
    for (const value of values)
      expect(thrown(InputError, () => Permission.parse(changed({ [field]: value }))).field).toBe(field)
    const { [field]: _, ...others } = fields
    const missing = thrown(InputError, () => Permission.parse(JSON.stringify(others)))
    expect(missing.field).toBe(`permission.${field}`)
  })

  test('error: an unknown field, and a field twice', () => {
    expect(thrown(InputError, () => Permission.parse(changed({ nonce: '0' }))).code).toBe('UNKNOWN_FIELD')
    const twice = text.replace('"period":86400', '"period":86400,"period":1')
    expect(thrown(InputError, () => Permission.parse(twice)).code).toBe('INVALID_VALUE')
  })
})
