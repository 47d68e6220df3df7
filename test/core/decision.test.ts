import { maxUint160, zeroHash } from 'viem'
import { describe, expect, test } from 'vitest'
import { usdc } from '../../src/Addresses.js'
import * as Decision from '../../src/Decision.js'
import type { InputError } from '../../src/errors.js'
import type { Grant } from '../../src/Grant.js'
import type { Permission } from '../../src/Permission.js'

const day = 86_400
const start = Date.UTC(2030, 0, 1) / 1000
const end = start + 30 * day
const payee = '0x00000000000000000000000000000000000000Aa'
const other = '0x00000000000000000000000000000000000000bb'
const stranger = '0x00000000000000000000000000000000000000Cc'

const grant: Grant = {
  version: 1,
  grantId: zeroHash,
  id: 'research',
  owner: '0x0000000000000000000000000000000000000001',
  agent: '0x0000000000000000000000000000000000000002',
  chainId: 8453,
  token: {
    address: usdc[8453],
    symbol: 'USDC',
    decimals: 6,
    currency: 'USD',
    name: 'USD Coin',
    version: '2',
  },
  rail: 'direct',
  orchestrator: null,
  payees: 'listed',
  perWindow: null,
  window: null,
  maxFloat: null,
  allow: [
    { host: 'api.example.com', payTo: [payee] },
    { host: 'data.example.com:8443', payTo: [other] },
    { host: 'open.example.com', payTo: [] },
  ],
  perCall: 1_000_000n,
  perTask: 5_000_000n,
  perDay: 10_000_000n,
  total: 100_000_000n,
  startsAt: start,
  expiresAt: end,
  hold: 'day',
  status: 'active',
}

const permission: Permission = {
  chainId: 8453,
  account: grant.owner,
  spender: grant.agent,
  token: grant.token.address,
  allowance: 10_000_000n,
  period: day,
  start,
  end,
  salt: 1n,
  extraData: '0x',
}

const unused = { period: 0n, day: 0n, total: 0n, task: 0n }

type Changes = Partial<Omit<Decision.State, 'grant' | 'permission' | 'used'>> & {
  grant?: Partial<Grant>
  permission?: Partial<Permission>
  used?: Partial<Decision.State['used']>
}

function state(changes: Changes = {}): Decision.State {
  return {
    now: start + 5 * day + 3600,
    paused: false,
    approved: true,
    revoked: false,
    ...changes,
    grant: { ...grant, ...changes.grant },
    permission: { ...permission, ...changes.permission },
    used: { ...unused, ...changes.used },
  }
}

function request(changes: Partial<Decision.Request> = {}): Decision.Request {
  return { to: payee, amount: 1_000_000n, host: 'api.example.com', ...changes }
}

/** `ok`, or the code with the cap, such as `BUDGET_EXCEEDED perDay`. */
function answer(decision: Decision.Decision): string {
  if (decision.allowed) return 'ok'
  return decision.cap === undefined ? decision.code : `${decision.code} ${decision.cap}`
}

function refusal(decision: Decision.Decision) {
  if (decision.allowed) throw new Error('Expected a refusal.')
  return decision
}

function thrown(run: () => unknown): InputError {
  try {
    run()
  } catch (error) {
    return error as InputError
  }
  throw new Error('Expected an error.')
}

describe('decide', () => {
  test('default', () => {
    expect(Decision.decide(state(), request())).toEqual({ allowed: true })
  })

  test.each([
    ['a revoked grant', { grant: { status: 'revoked' } }, 'REVOKED'],
    ['revoked on chain', { revoked: true }, 'REVOKED'],
    ['paused', { paused: true }, 'PAUSED'],
    ['not approved', { approved: false }, 'NOT_APPROVED'],
  ] as const)('behavior: status, %s', (_, changes, code) => {
    expect(answer(Decision.decide(state(changes), request()))).toBe(code)
  })

  test.each([
    ['one second before the start', start - 1, 'NOT_STARTED'],
    ['at the start', start, 'ok'],
    ['one second after the start', start + 1, 'ok'],
    ['one second before the end', end - 1, 'ok'],
    ['at the end', end, 'EXPIRED'],
    ['one second after the end', end + 1, 'EXPIRED'],
  ] as const)('behavior: dates are half open, %s', (_, now, code) => {
    expect(answer(Decision.decide(state({ now }), request()))).toBe(code)
  })

  test('behavior: the earlier of the end of the permission and the expiry of the grant ends it', () => {
    const late = { grant: { expiresAt: null }, permission: { end: end - day } }
    expect(answer(Decision.decide(state({ ...late, now: end - day - 1 }), request()))).toBe('ok')
    expect(answer(Decision.decide(state({ ...late, now: end - day }), request()))).toBe('EXPIRED')
    const early = { grant: { expiresAt: end - day } }
    expect(answer(Decision.decide(state({ ...early, now: end - day - 1 }), request()))).toBe('ok')
    expect(answer(Decision.decide(state({ ...early, now: end - day }), request()))).toBe('EXPIRED')
  })

  test('behavior: without an end nothing expires', () => {
    const endless = { grant: { expiresAt: null }, permission: { end: 2 ** 48 - 1 } }
    expect(answer(Decision.decide(state({ ...endless, now: 2 ** 48 - 2 }), request()))).toBe('ok')
    const last = refusal(Decision.decide(state({ ...endless, now: 2 ** 48 - 1 }), request()))
    expect(last.code).toBe('EXPIRED')
    expect(last.reason).toContain('ended at never')
  })

  test.each([
    ['its payee', 'api.example.com', payee, 'ok'],
    ['its payee in lower case', 'api.example.com', payee.toLowerCase(), 'ok'],
    ["another host's payee", 'api.example.com', other, 'NOT_ALLOWED'],
    ['a stranger', 'api.example.com', stranger, 'NOT_ALLOWED'],
    ['a host that binds nobody', 'open.example.com', stranger, 'ok'],
    ['an unlisted host with a listed payee', 'evil.example.com', payee, 'NOT_ALLOWED'],
    ['a listed host as a prefix', 'api.example.com.evil.io', payee, 'NOT_ALLOWED'],
    ['a listed host without its port', 'data.example.com', other, 'NOT_ALLOWED'],
    ['a listed host with its port', 'data.example.com:8443', other, 'ok'],
    ['no host, a payee of some host', undefined, other, 'ok'],
    ['no host, a stranger', undefined, stranger, 'NOT_ALLOWED'],
  ] as const)('behavior: allowlist, %s', (_, host, to, code) => {
    expect(answer(Decision.decide(state(), request({ host, to: to as typeof payee })))).toBe(code)
  })

  test.each([
    ['perCall', 999_999n, {}, 'ok'],
    ['perCall', 1_000_000n, {}, 'ok'],
    ['perCall', 1_000_001n, {}, 'OVER_PER_CALL perCall'],
    ['perTask', 1_000n, { task: 4_998_999n }, 'ok'],
    ['perTask', 1_000n, { task: 4_999_000n }, 'ok'],
    ['perTask', 1_000n, { task: 4_999_001n }, 'BUDGET_EXCEEDED perTask'],
    ['perDay', 1_000n, { day: 9_998_999n }, 'ok'],
    ['perDay', 1_000n, { day: 9_999_000n }, 'ok'],
    ['perDay', 1_000n, { day: 9_999_001n }, 'BUDGET_EXCEEDED perDay'],
    ['perDay, exceeded by others', 1n, { day: 11_000_000n }, 'BUDGET_EXCEEDED perDay'],
    ['total', 1_000n, { total: 99_998_999n }, 'ok'],
    ['total', 1_000n, { total: 99_999_000n }, 'ok'],
    ['total', 1_000n, { total: 99_999_001n }, 'BUDGET_EXCEEDED total'],
    ['the period', 1_000n, { period: 9_998_999n }, 'ok'],
    ['the period', 1_000n, { period: 9_999_000n }, 'ok'],
    ['the period', 1_000n, { period: 9_999_001n }, 'BUDGET_EXCEEDED perDay'],
  ] as const)('behavior: %s, %i more, %o used', (_, amount, used, code) => {
    expect(answer(Decision.decide(state({ used }), request({ amount })))).toBe(code)
  })

  test('behavior: an absent cap does not bind', () => {
    const open = state({
      grant: { perTask: null, total: null },
      used: { task: 10n ** 30n, total: 10n ** 30n },
    })
    expect(Decision.decide(open, request())).toEqual({ allowed: true })
  })

  test('behavior: the period of a permission that mirrors the total is called total', () => {
    const lifetime = state({
      grant: { perDay: null },
      permission: { allowance: 100_000_000n, period: end - start },
      used: { period: 99_500_000n },
    })
    const decision = refusal(Decision.decide(lifetime, request()))
    expect(answer(decision)).toBe('BUDGET_EXCEEDED total')
    expect(decision.retryable).toBe(false)
  })

  test('behavior: so it is where the day cap is not below the total', () => {
    const lifetime = state({
      grant: { perDay: 100_000_000n },
      permission: { allowance: 100_000_000n, period: end - start },
      used: { period: 99_500_000n },
    })
    expect(answer(Decision.decide(lifetime, request()))).toBe('BUDGET_EXCEEDED total')
  })

  test('behavior: the first rule that refuses answers, in the order of the codes', () => {
    // Everything is wrong at once; then one wrong after another is put right.
    let wrong: Changes = {
      revoked: true,
      paused: true,
      approved: false,
      now: start - 1,
      used: { task: 10n ** 9n, day: 10n ** 9n, total: 10n ** 9n, period: 10n ** 9n },
    }
    let asked = request({ host: 'evil.example.com', to: stranger, amount: 2_000_000n })
    const codes: string[] = []
    const put = (changes: Changes, next: Partial<Decision.Request> = {}) => {
      codes.push(answer(Decision.decide(state(wrong), asked)))
      wrong = { ...wrong, ...changes, used: { ...wrong.used, ...changes.used } }
      asked = { ...asked, ...next }
    }
    put({ revoked: false })
    put({ paused: false })
    put({ approved: true })
    put({ now: end })
    put({ now: start })
    put({}, { host: 'api.example.com' })
    put({}, { to: payee })
    put({}, { amount: 1_000_000n })
    put({ used: { task: 0n } })
    put({ used: { day: 0n } })
    put({ used: { total: 0n } })
    put({ used: { period: 0n } })
    put({})
    expect(codes).toEqual([
      'REVOKED',
      'PAUSED',
      'NOT_APPROVED',
      'NOT_STARTED',
      'EXPIRED',
      'NOT_ALLOWED',
      'NOT_ALLOWED',
      'OVER_PER_CALL perCall',
      'BUDGET_EXCEEDED perTask',
      'BUDGET_EXCEEDED perDay',
      'BUDGET_EXCEEDED total',
      'BUDGET_EXCEEDED perDay',
      'ok',
    ])
  })

  test('behavior: says when a retry can help', () => {
    const when = (changes: Changes, asked = request()) => {
      const { retryable, retryAt } = refusal(Decision.decide(state(changes), asked))
      return retryable ? (retryAt ?? 'some time') : 'never'
    }
    const spent = { day: 9_500_000n }
    expect(when({ now: start - 1 })).toBe(start)
    expect(when({ paused: true })).toBe('some time')
    expect(when({ approved: false })).toBe('some time')
    expect(when({ revoked: true })).toBe('never')
    expect(when({ now: end })).toBe('never')
    expect(when({}, request({ to: stranger }))).toBe('never')
    expect(when({}, request({ amount: 1_000_001n }))).toBe('never')
    expect(when({ used: { task: 4_500_000n } })).toBe('never')
    expect(when({ used: { total: 99_500_000n } })).toBe('never')

    // The next UTC midnight, also from one second before it and from the midnight itself.
    expect(when({ used: spent })).toBe(start + 6 * day)
    expect(when({ used: spent, now: start + day - 1 })).toBe(start + day)
    expect(when({ used: spent, now: start + day })).toBe(start + 2 * day)
    // There is no next day: it would begin at the end, or after a clipped last period.
    expect(when({ used: spent, now: end - 1 })).toBe('never')
    const clipped = { permission: { end: end - 100 }, now: end - day + 5 }
    expect(when({ used: spent, ...clipped })).toBe('never')
    // Tomorrow the day would have room, but the life has not, or the day is too small whatever was spent.
    expect(when({ used: { ...spent, total: 99_500_000n } })).toBe('never')
    expect(when({ grant: { perDay: 900_000n } })).toBe('never')
    // The permission's own period, where it is not the UTC day.
    const noon = { start: start + day / 2 }
    expect(when({ permission: noon, used: { period: 9_500_000n } })).toBe(start + 5 * day + day / 2)
  })

  test('behavior: reasons are sentences with the figures and what to do', () => {
    const reason = (changes: Changes, asked = request()) =>
      refusal(Decision.decide(state(changes), asked)).reason
    expect(reason({ now: start - 1 })).toBe(
      'Grant research starts at 2030-01-01T00:00:00Z; it is 2029-12-31T23:59:59Z on chain. Try again then.',
    )
    expect(reason({ now: end })).toBe(
      `Grant research ended at 2030-01-31T00:00:00Z; it is 2030-01-31T00:00:00Z on chain. Ask ${grant.owner} to sign a new grant.`,
    )
    expect(reason({}, request({ amount: 1_500_000n }))).toBe(
      `1.5 USDC is more than the 1 USDC that one call may cost. Ask ${grant.owner} to sign a grant with a higher cap per call.`,
    )
    expect(reason({ used: { day: 9_500_000n } })).toBe(
      `1 USDC does not fit: 9.5 USDC of the 10 USDC per UTC day are spent or reserved. Try again from 2030-01-07T00:00:00Z, or ask ${grant.owner} to sign a grant with a higher cap.`,
    )
    expect(reason({}, request({ host: 'evil.example.com' }))).toBe(
      `evil.example.com is not on the allowlist of grant research. Ask ${grant.owner} to sign a grant that names it.`,
    )
    expect(reason({}, request({ to: stranger }))).toBe(
      `${stranger} is not a payee of api.example.com. Ask ${grant.owner} to sign a grant that names the payee.`,
    )
  })

  test('behavior: a host that cannot be read is refused and not repeated', () => {
    const host = 'https://user:secret@api.example.com/'
    const decision = refusal(Decision.decide(state(), request({ host })))
    expect(decision.code).toBe('NOT_ALLOWED')
    expect(JSON.stringify(decision)).not.toContain('secret')
  })

  test('behavior: figures carry the values of the reason', () => {
    const figures = (changes: Changes, asked = request()) =>
      refusal(Decision.decide(state(changes), asked)).figures
    expect(figures({ now: start - 1 })).toEqual({ start, now: start - 1 })
    expect(figures({ now: end })).toEqual({ end, now: end })
    expect(figures({}, request({ amount: 1_500_000n }))).toEqual({ limit: 1_000_000n, amount: 1_500_000n })
    expect(figures({ used: { day: 9_500_000n } })).toEqual({
      limit: 10_000_000n,
      used: 9_500_000n,
      amount: 1_000_000n,
    })
    expect(figures({}, request({ to: stranger }))).toEqual({ to: stranger, host: 'api.example.com' })
  })

  test('behavior: changes nothing it is given', () => {
    const frozen = Object.freeze(state({ used: { day: 9_500_000n } }))
    Object.freeze(frozen.used)
    expect(Decision.decide(frozen, Object.freeze(request()))).toEqual(Decision.decide(frozen, request()))
  })

  test.each([0n, -1n, maxUint160 + 1n])('error: amount %i', (amount) => {
    const error = thrown(() => Decision.decide(state({ revoked: true }), request({ amount })))
    expect(error).toMatchObject({ name: 'InputError', code: 'INVALID_AMOUNT', field: 'amount' })
  })

  test('error: an amount that is not a bigint', () => {
    const error = thrown(() => Decision.decide(state(), request({ amount: 1 as unknown as bigint })))
    expect(error.code).toBe('INVALID_AMOUNT')
  })

  test('args: the largest amount is refused, not thrown', () => {
    expect(answer(Decision.decide(state(), request({ amount: maxUint160 })))).toBe('OVER_PER_CALL perCall')
  })

  test('error: a payee that is no address', () => {
    const error = thrown(() => Decision.decide(state(), request({ to: '0x12' })))
    expect(error).toMatchObject({ name: 'InputError', code: 'INVALID_ADDRESS', field: 'to' })
  })
})

describe('precheck', () => {
  test('default', () => {
    expect(Decision.precheck(state())).toEqual({ allowed: true })
  })

  test('args: host', () => {
    expect(answer(Decision.precheck(state(), { host: 'api.example.com' }))).toBe('ok')
    expect(answer(Decision.precheck(state(), { host: 'open.example.com' }))).toBe('ok')
    expect(answer(Decision.precheck(state(), { host: 'evil.example.com' }))).toBe('NOT_ALLOWED')
  })

  test('behavior: status, then dates, then host', () => {
    const evil = { host: 'evil.example.com' }
    expect(answer(Decision.precheck(state({ approved: false, now: end }), evil))).toBe('NOT_APPROVED')
    expect(answer(Decision.precheck(state({ now: end }), evil))).toBe('EXPIRED')
    expect(answer(Decision.precheck(state({ now: start - 1 }), evil))).toBe('NOT_STARTED')
  })

  test('behavior: does not know the price', () => {
    expect(answer(Decision.precheck(state({ used: { day: 10_000_000n } })))).toBe('ok')
  })
})

describe('remaining', () => {
  test('default', () => {
    expect(Decision.remaining(state())).toEqual({
      perCall: 1_000_000n,
      perTask: 5_000_000n,
      perDay: 10_000_000n,
      total: 100_000_000n,
      perWindow: null,
      period: 10_000_000n,
      float: null,
      overall: 1_000_000n,
    })
  })

  test.each([
    ['perTask', { task: 4_999_993n }],
    ['perDay', { day: 9_999_993n }],
    ['total', { total: 99_999_993n }],
    ['period', { period: 9_999_993n }],
  ] as const)('behavior: %s can be the least', (cap, used) => {
    const left = Decision.remaining(state({ used }))
    expect(left[cap]).toBe(7n)
    expect(left.overall).toBe(7n)
  })

  test('behavior: decide allows exactly what remains', () => {
    for (const used of [{}, { task: 4_999_993n }, { day: 9_999_993n }, { total: 99_999_993n }]) {
      const { overall } = Decision.remaining(state({ used }))
      expect(answer(Decision.decide(state({ used }), request({ amount: overall })))).toBe('ok')
      expect(answer(Decision.decide(state({ used }), request({ amount: overall + 1n })))).not.toBe('ok')
    }
  })

  test('behavior: never negative', () => {
    const over = 10n ** 30n
    const left = Decision.remaining(state({ used: { period: over, day: over, total: over, task: over } }))
    expect(left).toMatchObject({ perTask: 0n, perDay: 0n, total: 0n, period: 0n, overall: 0n })
  })

  test('behavior: absent caps are null', () => {
    const left = Decision.remaining(state({ grant: { perTask: null, perDay: null, total: null } }))
    expect(left).toMatchObject({ perTask: null, perDay: null, total: null, overall: 1_000_000n })
  })

  test('behavior: nothing overall while status or dates refuse', () => {
    for (const changes of [{ paused: true }, { approved: false }, { revoked: true }, { now: end }]) {
      const left = Decision.remaining(state(changes))
      expect(left.overall).toBe(0n)
      expect(left.perDay).toBe(10_000_000n)
    }
  })
})
