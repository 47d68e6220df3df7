import fc from 'fast-check'
import { concat, type Hex, keccak256, stringToHex } from 'viem'
import { describe, expect, test } from 'vitest'
import { hardcapGuard } from '../../src/Addresses.js'
import { Guard, InputError, Payees, Permission, Purse } from '../../src/index.js'
import { define, other, payee } from './grants.js'
import { thrown } from './thrown.js'

const grant = define({ rail: 'guard', allow: [{ host: 'api.example.com', payTo: [payee, other] }] })
const permission = Permission.fromGrant(grant)
type Payment = Omit<Guard.Payment, 'proof'>
const one: Payment = { number: 1n, ref: Guard.task('a'), payee, amount: 1n }

describe('lane and number', () => {
  test('default', () => {
    const lane = Guard.lane()
    expect(lane).toBeLessThan(2n ** 248n)
    expect(Guard.lane()).not.toBe(lane)
    expect([0, 1, 255, 256].map((index) => Guard.number(lane, index) - lane * 256n)).toEqual([
      0n,
      1n,
      255n,
      256n,
    ])
  })

  test('behavior: as long as a ledger lives, a uint256 and never the same', () => {
    const lane = fc.bigInt({ min: 0n, max: 2n ** 248n - 1n })
    const index = fc.nat({ max: Number.MAX_SAFE_INTEGER })
    fc.assert(
      fc.property(lane, index, index, (lane, a, b) => {
        expect(Guard.number(lane, a)).toBeLessThan(2n ** 256n)
        expect(Guard.number(lane, a) === Guard.number(lane, b)).toBe(a === b)
      }),
    )
    expect(Guard.number(2n ** 248n - 1n, 256)).toBe(0n)
  })

  test('error: no lane, no index', () => {
    for (const lane of [-1n, 2n ** 248n])
      expect(thrown(InputError, () => Guard.number(lane, 0)).field).toBe('lane')
    for (const index of [-1, 0.5, 2 ** 53])
      expect(thrown(InputError, () => Guard.number(0n, index)).field).toBe('index')
  })
})

describe('reference and task', () => {
  test('default: what anybody can recompute', () => {
    const { grantId } = grant
    expect(Guard.reference(grantId, 'käse')).toBe(keccak256(concat([grantId, stringToHex('käse')])))
    expect(Guard.task('report-7')).toBe(keccak256(stringToHex('report-7')))
  })
})

describe('batch', () => {
  const deadline = 2_000_000_000

  test('default', () => {
    expect(Guard.batch(grant, { payments: [one], deadline })).toEqual({
      deadline,
      task: null,
      ticket: null,
      payments: [{ ...one, proof: Payees.proof([payee, other], payee) }],
    })
  })

  test('behavior: no proof twice in a row, nor where any payee is allowed', () => {
    const payments: Payment[] = [one, { ...one, number: 2n }, { ...one, payee: other }, one]
    const proofs = (of: typeof grant) =>
      Guard.batch(of, { payments, deadline }).payments.map(({ proof }) => proof.length)
    expect(proofs(grant)).toEqual([1, 0, 1, 1])
    expect(proofs(define({ rail: 'guard', payees: 'any' }))).toEqual([0, 0, 0, 0])
  })

  test('error: a payee that is not listed', () => {
    const payments = [{ ...one, payee: grant.agent }]
    expect(thrown(InputError, () => Guard.batch(grant, { payments, deadline })).code).toBe('INVALID_ADDRESS')
  })
})

describe('prepare', () => {
  test('default: every call is to the guard, without ETH', () => {
    const batch = Guard.batch(grant, { payments: [one], deadline: 1 })
    const funding = { deadline: 1, task: null, ticket: null, number: 1n, ref: one.ref, target: 1n }
    const signature: Hex = '0x1234'
    const key = Guard.key(permission)
    const calls = [
      Guard.preparePay({ permission, batch }),
      Guard.preparePayWithSignature({ permission, batch, signature }),
      Guard.prepareApproveAndPay({ permission, batch, ownerSignature: signature }),
      Guard.prepareReplace({ from: permission, to: permission, signature }),
      Guard.prepareFund({ permission, funding }),
      Guard.prepareFundWithSignature({ permission, funding, signature }),
      Guard.preparePause(key),
      Guard.prepareResume(key),
      Guard.prepareRevoke({ permission }),
      Guard.prepareRevokeGrant(key),
    ]
    for (const call of calls) expect(call).toMatchObject({ to: hardcapGuard, value: 0n })
    expect(new Set(calls.map(({ data }) => data.slice(0, 10))).size).toBe(calls.length)
  })

  test("default: a purse's are to the purse and the token", () => {
    const authorization: Purse.Authorization = {
      to: payee,
      value: 1n,
      validAfter: 0,
      validBefore: 1,
      nonce: one.ref,
    }
    const signature: Hex = '0x1234'
    const calls = [
      Purse.prepareSettle({ permission, authorization, signature }),
      Purse.prepareCancel({ permission, nonce: one.ref, signature }),
      Purse.prepareSweep({ permission }),
    ]
    const { token } = permission
    expect(calls.map(({ to }) => to)).toEqual([token, token, Purse.address(permission)])
  })

  test('error: what does not fit the contract', () => {
    const batch = Guard.batch(grant, { payments: [one], deadline: 1 })
    const field = (batch: Guard.Batch) =>
      thrown(InputError, () => Guard.preparePay({ permission, batch })).field
    for (const deadline of [-1, 0.5, 2 ** 48]) expect(field({ ...batch, deadline })).toBe('deadline')
    const ticket = { cap: 1n, deadline: 1, signature: '0x12' } as const
    expect(field({ ...batch, ticket: { ...ticket, cap: 2n ** 112n } })).toBe('ticket.cap')
    expect(field({ ...batch, ticket: { ...ticket, deadline: -1 } })).toBe('ticket.deadline')
    expect(field({ ...batch, payments: [{ ...one, amount: 2n ** 112n, proof: [] }] })).toBe(
      'payments[0].amount',
    )
    expect(field({ ...batch, payments: [{ ...one, number: -1n, proof: [] }] })).toBe('payments[0].number')
  })
})

describe('Permission.fromGrant', () => {
  test('args: replaces', () => {
    const replaces = Permission.hash(permission)
    const renewed = Permission.fromGrant(grant, { replaces })
    expect(Permission.hash(renewed)).not.toBe(replaces)
    expect(
      thrown(InputError, () => Permission.fromGrant(define({ rail: 'direct' }), { replaces })).code,
    ).toBe('RAIL_CONFLICT')
  })

  test('behavior: the day cap where there is one, next to a total that the guard holds; else the total', () => {
    expect(permission).toMatchObject({ spender: hardcapGuard, allowance: 2_000_000n, period: 86_400 })
    const total = Permission.fromGrant(define({ rail: 'guard', perDayUsd: undefined }))
    expect(total).toMatchObject({ allowance: 25_000_000n, period: total.end - total.start })
  })
})
