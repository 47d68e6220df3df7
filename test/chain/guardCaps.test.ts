// Every cap that the guard holds, held by the chain: transactions at exact seconds, signed by hand.
import { describe, expect, test } from 'vitest'
import * as Guard from '../../src/Guard.js'
import * as Payees from '../../src/Payees.js'
import * as Spm from '../../src/Spm.js'
import { useBase } from '../base.js'
import { granted } from './guardKit.js'
import { stranger } from './guardScene.js'
import * as kit from './kit.js'

const base = await useBase()
const { day, usd } = kit
const one = usd('1')
const { task } = Guard

/** A cap with how often 1 fits, and the guard's word for it. Every other situation is in guardMatrix.test.ts. */
const caps = [
  { name: 'perDay', terms: { perDayUsd: '3' }, code: 'OVER_DAY' },
  { name: 'total', terms: { totalUsd: '3', perDayUsd: '2' }, code: 'OVER_TOTAL' },
  {
    name: 'perWindow',
    terms: { perWindowUsd: '3', window: 3600, perDayUsd: '20' },
    code: 'OVER_WINDOW',
  },
] as const

describe.each(caps)('$name', ({ name, terms, code }) => {
  const grantOf = () => granted(base, terms)
  /** Where a day cap would bind first, the total is spent on two days. */
  const first = name === 'total' ? day : 0

  test('error: one unit over, alone and in a batch, and nothing was counted', async () => {
    const { start, payAt, pay, at } = await grantOf()
    expect(await payAt(start, one)).toBe('ok')
    expect(await payAt(start + 10, one - 1n)).toBe('ok')
    expect(await at(start + first + 20, pay([one, 2n]))).toBe(code)
    expect(await at(start + first + 30, pay([one, 1n]))).toBe('ok')
    expect(await payAt(start + first + 40, 1n)).toBe(code)
  })

  test('behavior: a sibling shares it, and may go on where its own cap is higher', async () => {
    const { start, payAt, pay, at, sibling } = await grantOf()
    const twin = await sibling()
    const raised = await sibling({
      ...(name === 'perDay' ? { perDayUsd: '3.5' } : {}),
      ...(name === 'total' ? { totalUsd: '3.5' } : {}),
      ...(name === 'perWindow' ? { perWindowUsd: '3.5' } : {}),
    })
    expect(await at(start, pay([one, one]))).toBe('ok')
    expect(await payAt(start + first + 1, one, { permission: twin })).toBe('ok')
    expect(await payAt(start + first + 2, 1n)).toBe(code)
    expect(await payAt(start + first + 3, 1n, { permission: twin })).toBe(code)
    expect(await payAt(start + first + 4, usd('0.5'), { permission: raised })).toBe('ok')
    expect(await payAt(start + first + 5, 1n, { permission: raised })).toBe(code)
    // Beyond its own cap by now, the first one gives nothing.
    expect(await payAt(start + first + 6, 1n)).toBe(code)
  })
})

describe('perWindow', () => {
  test('behavior: a sibling with another length keeps a window of its own', async () => {
    const { start, payAt, pay, at, sibling } = await granted(base, {
      perWindowUsd: '2',
      window: 3600,
      perDayUsd: '20',
    })
    const other = await sibling({ perWindowUsd: '2', window: 7200 })
    expect(await at(start, pay([one, one]))).toBe('ok')
    expect(await payAt(start + 1, 1n)).toBe('OVER_WINDOW')
    expect(await at(start + 2, pay([one, one], { permission: other }))).toBe('ok')
    expect(await payAt(start + 3, 1n, { permission: other })).toBe('OVER_WINDOW')
  })

  test('behavior: no hour sees more, wherever it begins', async () => {
    const { start, payAt } = await granted(base, { perWindowUsd: '1', window: 3600, perDayUsd: '20' })
    expect(await payAt(start + 1_199, one)).toBe('ok')
    for (const later of [1_200, 3_599, 4_798, 4_799])
      expect(await payAt(start + later, 1n)).toBe('OVER_WINDOW')
    expect(await payAt(start + 4_800, one)).toBe('ok')
  })
})

describe('perCall', () => {
  test('behavior: within, at, one unit over, alone and in a batch', async () => {
    const { start, payAt, pay, at } = await granted(base, { perDayUsd: '20' })
    expect(await payAt(start, one - 1n)).toBe('ok')
    expect(await payAt(start + 1, one)).toBe('ok')
    expect(await payAt(start + 2, one + 1n)).toBe('OVER_PER_CALL')
    expect(await at(start + 3, pay([1n, one + 1n]))).toBe('OVER_PER_CALL')
    expect(await at(start + 4, pay([one, one]))).toBe('ok')
    expect(await payAt(start + 5, 0n)).toBe('ZERO_AMOUNT')
  })
})

describe('payees', () => {
  test('error: who is not listed, with a proof or without', async () => {
    const { start, payAt, payees, permission, wallet } = await granted(base, { perDayUsd: '20' })
    const thief = stranger()
    expect(await payAt(start, one, { payee: payees[1] })).toBe('ok')
    expect(await payAt(start + 1, one, { payee: thief })).toBe('WRONG_PAYEE')
    // The proof of the first payee is the other one's leaf.
    expect(await payAt(start + 2, one, { payee: thief, proof: Payees.proof(payees, payees[0]) })).toBe(
      'WRONG_PAYEE',
    )
    expect(await payAt(start + 3, one, { payee: payees[0], proof: [] })).toBe('WRONG_PAYEE')
    expect(await payAt(start + 4, one, { payee: permission.spender })).toBe('FORBIDDEN_PAYEE')
    expect(await payAt(start + 5, one, { payee: wallet.address })).toBe('WRONG_PAYEE')
  })

  test("behavior: payees: 'any' pays anybody", async () => {
    const terms = { perDayUsd: '20', payees: 'any', allow: ['api.example.com'] } as const
    const { start, payAt } = await granted(base, terms)
    expect(await payAt(start, one, { payee: stranger() })).toBe('ok')
  })
})

describe('dates', () => {
  test('behavior: half open: at the start, not before, and not at the end', async () => {
    const { start, end, payAt } = await granted(base, { perDayUsd: '3', totalUsd: '20' })
    expect(await payAt(start - 1, one)).toBe('BEFORE_SPEND_PERMISSION_START')
    expect(await payAt(start, one)).toBe('ok')
    expect(await payAt(end - 1, one)).toBe('ok')
    expect(await payAt(end, one)).toBe('AFTER_SPEND_PERMISSION_END')
  })
})

describe('stopping', () => {
  test('behavior: paused by account or orchestrator, each resumes its own', async () => {
    const { start, payAt, blockAt, pay, asAccount, orchestratorKey, agentKey, strangerKey, key } =
      await granted(base, { perDayUsd: '20' })
    const pause = Guard.preparePause(key)
    const resume = Guard.prepareResume(key)
    const by = { agent: agentKey, stranger: strangerKey, orchestrator: orchestratorKey }
    // Whoever else pauses or resumes is not listened to.
    const others = [by.agent, by.stranger].map((from) => ({ from, call: pause }))
    expect(await blockAt(start, ...others, pay(1n))).toEqual(['ok', 'ok', 'ok'])
    expect(await blockAt(start + 1, pay(1n), asAccount(pause), pay(1n))).toEqual(['ok', 'ok', 'refused'])
    expect(await payAt(start + 2, 1n)).toBe('PAUSED_BY')
    const wrong = [by.agent, by.stranger, by.orchestrator].map((from) => ({ from, call: resume }))
    expect(await blockAt(start + 3, ...wrong, pay(1n))).toEqual(['ok', 'ok', 'ok', 'refused'])
    expect(await blockAt(start + 4, { from: by.orchestrator, call: pause }, asAccount(resume))).toEqual([
      'ok',
      'ok',
    ])
    expect(await payAt(start + 5, 1n)).toBe('PAUSED_BY')
    expect(await blockAt(start + 6, { from: by.orchestrator, call: resume }, pay(1n))).toEqual(['ok', 'ok'])
  })

  for (const by of ['account', 'orchestrator', 'agent'] as const) {
    test(`error: revoked by the ${by}: the sibling too, from the next transaction on and for good`, async () => {
      const it = await granted(base, { perDayUsd: '20' })
      const { start, payAt, blockAt, pay, asAccount, permission, sibling, key } = it
      const twin = await sibling()
      const call = Guard.prepareRevoke({ permission })
      const revoke = by === 'account' ? asAccount(call) : { from: it[`${by}Key`], call }
      expect(await blockAt(start, pay(1n), revoke, pay(1n))).toEqual(['ok', 'ok', 'refused'])
      expect(await payAt(start + 1, 1n)).toBe('REVOKED_BY')
      expect(await payAt(start + 2, 1n, { permission: twin })).toBe('REVOKED_BY')
      expect(await blockAt(start + 3, asAccount(Guard.prepareResume(key)))).toEqual(['ok'])
      expect(await payAt(start + day, 1n, { permission: twin })).toBe('REVOKED_BY')
    })
  }

  test('error: revoked with SpendPermissionManager alone: this permission and no other', async () => {
    const { start, payAt, blockAt, asAccount, permission, sibling } = await granted(base, { perDayUsd: '20' })
    const twin = await sibling()
    expect(await blockAt(start, asAccount(Spm.prepareRevoke({ permission })))).toEqual(['ok'])
    expect(await payAt(start + 1, 1n)).toBe('UNAUTHORIZED_SPEND_PERMISSION')
    expect(await payAt(start + 2, 1n, { permission: twin })).toBe('ok')
  })
})

describe('numbers, deadlines, relays', () => {
  test('error: replayed, alone, in a batch, by the agent or by anybody', async () => {
    const { start, pay, payAt, blockAt, agentKey, permission, sibling } = await granted(base, {
      perDayUsd: '20',
    })
    const twin = await sibling()
    const signed = await pay(1n, { number: 77n, signer: agentKey })
    expect(await blockAt(start, signed, signed)).toEqual(['ok', 'refused'])
    expect(await payAt(start + 1, 1n, { number: 77n })).toBe('NUMBER_USED')
    expect(await payAt(start + 2, 1n, { number: 77n, permission: twin })).toBe('NUMBER_USED')
    const twice = pay([1n, 1n], { number: 78n })
    expect(await blockAt((await base.now()) + 1, twice, pay(1n, { number: 78n }))).toEqual(['refused', 'ok'])
    expect(await Guard.isUsed(base.client, { permission, number: 78n })).toBe(true)
  })

  test('error: at the deadline', async () => {
    const { start, payAt, agentKey } = await granted(base, { perDayUsd: '20' })
    const late = { deadline: start + 10 }
    expect(await payAt(start + 9, 1n, late)).toBe('ok')
    expect(await payAt(start + 10, 1n, late)).toBe('DEADLINE_PASSED')
    expect(await payAt(start + 11, 1n, { ...late, signer: agentKey })).toBe('DEADLINE_PASSED')
  })

  test('behavior: relayed by a stranger, who can change nothing', async () => {
    const {
      start,
      payAt,
      agentKey,
      strangerKey,
      orchestratorKey,
      batchOf,
      permission,
      pay,
      blockAt,
      payees,
    } = await granted(base, { perDayUsd: '3' })
    expect(await payAt(start, one, { signer: agentKey })).toBe('ok')
    for (const signer of [strangerKey, orchestratorKey])
      expect(await payAt((await base.now()) + 1, 1n, { signer })).toBe('INVALID_AGENT_SIGNATURE')
    const batch = batchOf([1n])
    const signature = await Guard.signBatch(agentKey, { permission, batch })
    const [payment] = batch.payments
    if (!payment) throw new Error('There is one payment.')
    const changes: Partial<Guard.Batch>[] = [
      { deadline: batch.deadline + 1 },
      { task: task('other') },
      { payments: [{ ...payment, amount: 2n }] },
      { payments: [{ ...payment, number: 10n ** 9n }] },
      { payments: [{ ...payment, payee: payees[1], proof: [] }] },
      { payments: [payment, { ...payment, number: 10n ** 9n }] },
    ]
    for (const change of changes) {
      const forged = { ...batch, ...change }
      const call = Guard.preparePayWithSignature({ permission, batch: forged, signature })
      expect(await kit.sendAt(base, (await base.now()) + 1, { from: strangerKey, call })).toBe(
        'INVALID_AGENT_SIGNATURE',
      )
    }
    const call = Guard.preparePayWithSignature({ permission, batch, signature })
    expect(await blockAt((await base.now()) + 1, { from: strangerKey, call })).toEqual(['ok'])
    // The caps hold whoever submits.
    const rest = await pay([one, one], { signer: agentKey })
    expect(await kit.sendAt(base, (await base.now()) + 1, { gas: 1_500_000n, ...rest })).toBe('OVER_DAY')
    const direct = { ...(await pay(1n)), from: strangerKey }
    expect(await kit.sendAt(base, (await base.now()) + 1, direct)).toBe('WRONG_AGENT')
  })
})
