import { afterEach, describe, expect, test } from 'vitest'
import { type Grant, Guard } from '../../src/index.js'
import * as Meter from '../../src/Meter.js'
import * as Payment from '../../src/Payment.js'
import { refuse } from '../../src/Refusal.js'
import * as Settlement from '../../src/Settlement.js'
import { assertSound } from './books.js'
import { freshHash } from './chain.js'
import { noon, other, payee, type Scene, scene } from './scene.js'
import { storeKinds } from './stores.js'

const ends: (() => Promise<void> | void)[] = []
afterEach(async () => {
  for (const end of ends.splice(0)) await end()
})

const usd = (dollars: number) => BigInt(dollars) * 1_000_000n

describe.each(storeKinds)('$name', ({ create }) => {
  function start(terms: Partial<Grant.DefineParams> = {}) {
    const kind = create()
    ends.push(kind.end)
    return scene(kind.open(), { rail: 'purse', maxFloatUsd: '4', perCallUsd: '4', ...terms })
  }

  /** A purse with so much in it. */
  async function funded(float = usd(4), terms: Partial<Grant.DefineParams> = {}) {
    const it = await start(terms)
    await it.fund(float)
    return it
  }

  async function final(it: Scene, txs: Parameters<Scene['chain']['mine']>[0] = [], time?: number) {
    it.chain.mine(txs, time)
    it.chain.finalize()
    return it.read()
  }

  const meters = async (it: Scene) => {
    const { meters } = await it.books()
    const read = (name: string) => meters[name] ?? 0n
    const [held, authorized, open] = [Meter.held, Meter.authorized, Meter.open].map(read)
    return { held, authorized, open, total: read(Meter.total), paid: read(Meter.paid) }
  }

  test('default', async () => {
    const it = await funded(usd(3))
    const reserved = await it.authorize('a', usd(2), { task: 'report', validSeconds: 60 })
    const time = it.chain.head.time
    expect(reserved).toMatchObject({
      outcome: 'reserved',
      payment: {
        via: 'authorization',
        payer: it.chain.payer,
        payee,
        amount: usd(2),
        ref: Guard.reference(it.grant.grantId, 'a'),
        deadline: time + 60,
        number: null,
      },
    })
    expect(await it.status('a')).toBe('paying')
    expect(await meters(it)).toMatchObject({ held: usd(2), open: 0n, total: usd(3), paid: 0n })
    const tx = await it.settled('a')
    it.chain.mine([tx])
    expect((await it.read()).receipts).toMatchObject([
      { event: 'settled', ok: true, amount: usd(2), payee, key: 'a', task: 'report', txHash: tx.hash },
    ])
    expect(await it.payment('a')).toMatchObject({ pull: 'seen', open: 1, deadline: time + 60 })
    await final(it)
    expect(await it.payment('a')).toMatchObject({ open: 0 })
    const after = { held: 0n, open: 0n, authorized: usd(2), total: usd(3), paid: usd(2) }
    expect(await meters(it)).toEqual(after)
    expect(await it.story()).toEqual(['reserved FUNDING', 'settled FUNDED', 'reserved', 'settled'])
  })

  describe('reserve', () => {
    test.each([
      ['within', usd(1), 'reserved'],
      ['at', usd(2), 'reserved'],
      ['one unit over', usd(2) + 1n, 'short'],
    ] as const)('behavior: %s what the float has left', async (_, amount, outcome) => {
      const it = await funded(usd(4))
      await it.authorize('a', usd(2))
      const answer = await it.authorize('b', amount)
      expect(answer.outcome).toBe(outcome)
      if (answer.outcome === 'short')
        expect(answer.refusal).toMatchObject({
          code: 'FLOAT_LOW',
          figures: { balance: usd(2), amount },
          retryable: true,
        })
    })

    test('behavior: ten at once keep to the float', async () => {
      const it = await funded(usd(4))
      const keys = Array.from({ length: 10 }, (_, n) => `key ${n}`)
      const all = await Promise.all(keys.map((key) => it.authorize(key, usd(1))))
      expect(all.filter(({ outcome }) => outcome === 'reserved')).toHaveLength(4)
      expect(await meters(it)).toMatchObject({ held: usd(4) })
    })

    test('behavior: by the later of chain time and the clock', async () => {
      const it = await funded()
      const { time } = it.chain.head
      await it.authorize('a', 1n, { now: time - 5 })
      await it.authorize('b', 1n, { now: time + 5 })
      expect((await it.payment('a')).deadline).toBe(time + 60)
      expect((await it.payment('b')).deadline).toBe(time + 65)
    })

    test('behavior: the same key has the same terms, until the same second', async () => {
      const it = await funded()
      const first = await it.authorize('a', usd(1))
      it.chain.mine([], it.chain.head.time + 30)
      await it.read()
      const again = await it.authorize('a', usd(1), { validSeconds: 600 })
      expect(again.outcome).toBe('known')
      expect('payment' in again && again.payment.deadline).toBe('payment' in first && first.payment.deadline)
      expect(await it.authorize('a', usd(2))).toMatchObject({ outcome: 'conflict' })
      expect(await meters(it)).toMatchObject({ held: usd(1) })
    })

    test('behavior: a task is capped by what the float paid for it', async () => {
      const it = await funded(usd(4), { perTaskUsd: '2', perCallUsd: '2' })
      await it.authorize('a', usd(1), { task: 'report' })
      expect(await it.authorize('b', usd(1) + 1n, { task: 'report' })).toMatchObject({
        refusal: { code: 'BUDGET_EXCEEDED', cap: 'perTask' },
      })
      expect(await it.authorize('b', usd(1), { task: 'report' })).toMatchObject({ outcome: 'reserved' })
      expect(await it.authorize('c', 1n)).toMatchObject({ refusal: { code: 'TASK_MISSING' } })
    })

    test('behavior: what was found on chain under the key is not paid again', async () => {
      const it = await funded()
      const ref = Guard.reference(it.grant.grantId, 'a')
      const effect = { kind: 'authorization', amount: usd(1), payee, ref } as const
      it.chain.mine([{ hash: freshHash(), effect }])
      expect((await it.read()).receipts).toMatchObject([{ note: 'FOREIGN_AUTHORIZATION' }])
      expect(await it.authorize('a', usd(2))).toMatchObject({ outcome: 'conflict' })
      expect(await it.authorize('a', usd(1))).toMatchObject({
        outcome: 'known',
        payment: { via: 'authorization', pull: 'seen' },
        receipt: { event: 'settled' },
      })
      expect(await it.status('a')).toBe('paid')
    })

    test('behavior: whatever the caller vetoes', async () => {
      const it = await funded()
      const veto = refuse('PAUSED', 'Paused elsewhere.', {})
      expect(await it.authorize('a', 1n, {}, veto)).toMatchObject({
        refusal: veto,
        receipt: { note: 'PAUSED' },
      })
    })

    test('behavior: a float that another permission has funded is none', async () => {
      const it = await funded()
      it.chain.mine()
      const reading = await it.reading()
      await it.read({ ...reading, payer: { balance: usd(4), fundedBy: freshHash() } })
      expect(await it.authorize('a', 1n)).toMatchObject({ refusal: { code: 'FLOAT_LOW' } })
    })

    test('error: a validity that outlasts what lost books wait for', async () => {
      const it = await funded()
      for (const validSeconds of [0, Payment.lifetime + 1, 1.5])
        expect(() => it.authorize('a', 1n, { validSeconds })).toThrow('validSeconds')
    })
  })

  describe('released', () => {
    test('behavior: not before a final block is past its last second', async () => {
      const it = await funded()
      await it.authorize('a', usd(2), { task: 'report' })
      const { deadline } = await it.payment('a')
      for (const [time, status] of [
        [(deadline ?? 0) - 1, 'paying'],
        [deadline ?? 0, 'released'],
      ] as const) {
        it.chain.mine([], time)
        await it.read()
        expect(await it.status('a')).toBe('paying')
        it.chain.finalize()
        await it.read()
        expect(await it.status('a')).toBe(status)
      }
      const { meters, payments } = await it.books()
      expect(payments.find(({ key }) => key === 'a')?.failure).toContain('was not settled before')
      expect([meters[Meter.held], meters[Meter.labelled('task', 'report')]]).toEqual([0n, 0n])
    })

    test('behavior: not while nobody has asked for its nonce', async () => {
      const it = await funded()
      await it.authorize('a', usd(2))
      it.chain.mine([], noon + 600)
      it.chain.finalize()
      await it.read({ ...(await it.reading()), nonces: new Map() })
      expect(await it.status('a')).toBe('paying')
    })

    test('behavior: then its key may be reserved anew, with another end', async () => {
      const it = await funded()
      await it.authorize('a', usd(2))
      await final(it, [], noon + 600)
      expect(await it.authorize('a', usd(2))).toMatchObject({
        outcome: 'reserved',
        payment: { deadline: noon + 660 },
      })
      it.chain.mine([await it.settled('a')])
      await it.read()
      expect(await it.status('a')).toBe('paid')
      expect(await meters(it)).toMatchObject({ held: 0n, paid: usd(2) })
    })

    test('behavior: a cancellation that is final ends the key for good', async () => {
      const it = await funded()
      await it.authorize('a', usd(2))
      it.chain.mine([await it.cancelled('a')])
      await it.read()
      expect([await it.status('a'), (await meters(it)).held]).toEqual(['paying', usd(2)])
      it.chain.finalize()
      expect((await it.read()).receipts).toMatchObject([{ event: 'released', note: 'CANCELLED', key: 'a' }])
      expect(await it.authorize('a', usd(2))).toMatchObject({ refusal: { code: 'KEY_ENDED' } })
      expect(await meters(it)).toMatchObject({ held: 0n, paid: 0n, authorized: 0n })
    })

    test('behavior: a cancellation that a reorganisation took back ends nothing', async () => {
      const it = await funded()
      await it.authorize('a', usd(2))
      it.chain.mine([await it.cancelled('a')])
      await it.read()
      it.chain.drop(1)
      it.chain.mine([await it.settled('a')])
      await final(it)
      expect(await it.payment('a')).toMatchObject({ pull: 'seen', open: 0 })
    })

    test('behavior: its nonce went to other terms, and that is final', async () => {
      const it = await funded()
      await it.authorize('a', usd(2))
      const thief = await it.settled('a', { payee: other, amount: usd(3) })
      it.chain.mine([thief])
      expect((await it.read()).receipts).toMatchObject([{ note: 'FOREIGN_AUTHORIZATION', amount: usd(3) }])
      expect(await it.status('a')).toBe('paying')
      it.chain.finalize()
      await it.read()
      expect((await it.payment('a')).failure).toContain(thief.hash)
      expect(await it.authorize('a', usd(2))).toMatchObject({ refusal: { code: 'KEY_ENDED' } })
      expect(await meters(it)).toMatchObject({ held: 0n, authorized: usd(3), total: usd(4) })
    })

    test('behavior: what could not be signed, unless somebody else was given its terms', async () => {
      const it = await funded()
      for (const key of ['a', 'b']) await it.authorize(key, usd(1))
      await it.authorize('b', usd(1))
      expect(await it.releaseUnsent('a')).toMatchObject({ event: 'released', key: 'a' })
      expect(await it.releaseUnsent('b')).toBeUndefined()
      expect(await meters(it)).toMatchObject({ held: usd(1) })
    })
  })

  describe('seen', () => {
    test('behavior: in its last second, after it, and read long after', async () => {
      const it = await funded()
      await it.authorize('a', usd(2))
      const { deadline } = await it.payment('a')
      it.chain.mine([await it.settled('a')], (deadline ?? 0) - 1)
      it.chain.mine([], noon + 5_000)
      it.chain.finalize()
      await it.read()
      expect(await it.payment('a')).toMatchObject({ pull: 'seen', open: 0 })
    })

    test('behavior: taken back by a reorganisation it is held again, and settles again', async () => {
      const it = await funded()
      await it.authorize('a', usd(2))
      const { deadline } = await it.payment('a')
      const tx = await it.settled('a')
      it.chain.mine([tx])
      await it.read()
      it.chain.drop(1)
      it.chain.mine()
      expect((await it.read()).receipts).toMatchObject([{ event: 'reorged', key: 'a' }])
      expect(await meters(it)).toMatchObject({ held: usd(2), paid: 0n, authorized: 0n })
      expect(await it.payment('a')).toMatchObject({ deadline, pull: 'signed' })
      it.chain.mine([tx])
      await it.read()
      expect(await it.status('a')).toBe('paid')
    })

    test('behavior: of no key it is foreign, and counts against no cap', async () => {
      const it = await funded()
      const before = await meters(it)
      const effect = { kind: 'authorization', amount: usd(1), payee: other, ref: freshHash() } as const
      it.chain.mine([{ hash: freshHash(), effect }])
      expect((await it.read()).receipts).toMatchObject([
        { event: 'foreign', note: 'FOREIGN_AUTHORIZATION', amount: usd(1), payee: other },
      ])
      expect(await meters(it)).toEqual({ ...before, authorized: usd(1) })
      expect(await it.authorize('a', usd(3) + 1n)).toMatchObject({ refusal: { code: 'FLOAT_LOW' } })
    })

    test('behavior: settled twice, which the token does not do, it is paid once', async () => {
      const it = await funded()
      await it.authorize('a', usd(1))
      it.chain.mine([await it.settled('a'), await it.settled('a')])
      expect((await it.read()).receipts.map(({ event }) => event)).toEqual(['settled', 'foreign'])
      expect(await meters(it)).toMatchObject({ paid: usd(1), authorized: usd(2), held: 0n })
    })

    test('behavior: a reading without the event of a nonce that is used is dropped', async () => {
      const it = await funded()
      await it.authorize('a', usd(2))
      it.chain.mine([await it.settled('a')])
      it.chain.mine([], noon + 600)
      it.chain.finalize()
      const whole = await it.reading()
      const facts = whole.facts.filter(({ kind }) => kind !== 'authorization')
      expect(await it.read({ ...whole, facts })).toMatchObject({ applied: false, doubt: { what: 'nonce' } })
      expect(await it.status('a')).toBe('paying')
      expect(await it.read(whole)).toMatchObject({ applied: true })
      expect(await it.status('a')).toBe('paid')
    })

    test('behavior: on the way to the head nothing is authorized, and nothing funded', async () => {
      const it = await funded()
      it.chain.mine()
      const { payer: _, ...partial } = await it.reading()
      await Settlement.advance(it.store, it.grant.grantId, partial)
      const unseen = { outcome: 'refused', refusal: { code: 'CHAIN_UNSEEN', retryable: true } }
      expect(await it.authorize('a', 1n)).toMatchObject(unseen)
      expect(await it.reserveFunding(usd(4))).toMatchObject(unseen)
      await it.read()
      expect(await it.authorize('a', 1n)).toMatchObject({ outcome: 'reserved' })
      await assertSound(it.store, it.grant.grantId)
    })
  })

  describe('funding', () => {
    test.each([
      ['within', usd(3), 'reserved'],
      ['at', usd(4), 'reserved'],
      ['one unit over', usd(4) + 1n, 'refused'],
    ] as const)('behavior: %s the float that the grant names', async (_, target, outcome) => {
      const it = await start()
      const answer = await it.reserveFunding(target)
      expect(answer.outcome).toBe(outcome)
      if (answer.outcome === 'refused')
        expect(answer.refusal).toMatchObject({ code: 'BUDGET_EXCEEDED', cap: 'maxFloat' })
    })

    test('behavior: counts against the caps as the most that it can take', async () => {
      const it = await funded(usd(3))
      await it.authorize('a', usd(2))
      await it.reserveFunding(usd(4))
      expect(await it.payment(await it.funding())).toMatchObject({
        amount: usd(3),
        target: usd(4),
        payee: it.chain.payer,
      })
      expect(await meters(it)).toMatchObject({ open: usd(3), held: usd(2) })
      // Included before the authorization is settled it takes less.
      it.chain.mine([await it.signed(await it.funding(), 'payment')])
      expect((await it.read()).receipts).toMatchObject([{ note: 'FUNDED', amount: usd(1) }])
      expect(await meters(it)).toMatchObject({ open: 0n, total: usd(4) })
    })

    test('behavior: while it is on its way, what is authorized raises it, within the caps', async () => {
      const it = await funded(usd(3), { perDayUsd: '5' })
      await it.reserveFunding(usd(4))
      expect((await it.payment(await it.funding())).amount).toBe(usd(1))
      await it.authorize('a', usd(1))
      expect((await it.payment(await it.funding())).amount).toBe(usd(2))
      expect(await it.authorize('b', 1n)).toMatchObject({
        refusal: { code: 'BUDGET_EXCEEDED', cap: 'perDay' },
      })
      // Everything that is held settles before it, and the funding takes all that is reserved.
      const tx = await it.settled('a')
      it.chain.mine([tx])
      it.chain.mine([await it.signed(await it.funding(), 'payment')])
      await it.read()
      expect(await meters(it)).toMatchObject({ open: 0n, total: usd(5), held: 0n })
    })

    test('behavior: raised while it is being signed it is reserved whole', async () => {
      const it = await funded(usd(3))
      await it.reserveFunding(usd(4))
      const key = await it.funding()
      const asRead = [await it.payment(key)]
      await it.authorize('a', usd(1))
      const row = await it.signBatch([key], asRead)
      expect(await it.payment(key)).toMatchObject({ amount: usd(2), pull: 'signed' })
      if (!row) throw new Error('The funding was due.')
      it.chain.mine([await it.mined(row)])
      await it.read()
      expect(await meters(it)).toMatchObject({ open: 0n, total: usd(4), held: usd(1) })
      await assertSound(it.store, it.grant.grantId)
    })

    test('behavior: one at a time', async () => {
      const it = await start()
      await it.reserveFunding(usd(2))
      const key = await it.funding()
      expect(await it.reserveFunding(usd(4))).toMatchObject({ outcome: 'known', payment: { key } })
    })

    test('behavior: what it can take over a cap is refused', async () => {
      const it = await start({ perDayUsd: '3', perCallUsd: '3' })
      expect(await it.reserveFunding(usd(3) + 1n)).toMatchObject({
        refusal: { code: 'BUDGET_EXCEEDED', cap: 'perDay' },
      })
      expect(await it.reserveFunding(usd(3))).toMatchObject({ outcome: 'reserved' })
    })

    test('behavior: what the purse has already is refused, also what is held in it', async () => {
      const it = await funded(usd(3))
      await it.authorize('a', usd(3))
      expect(await it.reserveFunding(usd(3))).toMatchObject({ refusal: { code: 'NOTHING_TO_FUND' } })
    })

    test('behavior: taken back by a reorganisation it may take all of its target', async () => {
      const it = await funded(usd(1))
      await it.reserveFunding(usd(4))
      expect((await it.payment(await it.funding())).amount).toBe(usd(3))
      const tx = await it.signed(await it.funding(), 'payment')
      it.chain.mine([tx])
      await it.read()
      it.chain.drop(1)
      it.chain.mine()
      await it.read()
      expect(await it.payment(await it.funding())).toMatchObject({ amount: usd(4), pull: 'signed' })
      it.chain.mine([tx])
      await it.read()
      expect(await meters(it)).toMatchObject({ open: 0n, total: usd(4) })
    })
  })

  test('behavior: another funding that a reorganisation took back may be taken by the one on its way', async () => {
    const it = await start()
    await it.reserveFunding(usd(1))
    const first = await it.funding()
    it.chain.mine([await it.signed(first, 'payment')])
    await it.read()
    await it.reserveFunding(usd(4))
    const second = await it.funding()
    expect(await meters(it)).toMatchObject({ open: usd(3), total: usd(1) })
    it.chain.drop(1)
    it.chain.mine()
    await it.read()
    expect(await it.payment(first)).toMatchObject({ amount: usd(1), pull: 'signed' })
    expect(await it.payment(second)).toMatchObject({ amount: usd(4) })
    expect(await meters(it)).toMatchObject({ open: usd(5), total: 0n })
    it.chain.mine([await it.signed(second, 'payment')])
    expect((await it.read()).receipts).toMatchObject([{ note: 'FUNDED', key: second, amount: usd(4) }])
    expect(await meters(it)).toMatchObject({ open: usd(1), total: usd(4) })
    await assertSound(it.store, it.grant.grantId)
  })

  describe.each(['purse', 'direct'] as const)('strict, on the %s rail: a float of one call', (rail) => {
    const strict = { rail, perCallUsd: '3', maxFloatUsd: '3' } as const
    const lacking = async (it: Scene, amount: bigint) => {
      const answer = await it.reserveLacking(amount)
      return answer.outcome === 'refused' ? answer.refusal.cap : (await it.payment(await it.funding())).amount
    }

    test('default: is filled with what the call costs, and nothing ahead', async () => {
      const it = await start(strict)
      expect(await lacking(it, usd(1))).toBe(usd(1))
    })

    test('behavior: what is left over is used first', async () => {
      const it = await start(strict)
      await it.fund(usd(1))
      expect(await it.authorize('a', usd(3))).toMatchObject({ outcome: 'short' })
      expect(await lacking(it, usd(3))).toBe(usd(2))
    })

    test.each([
      // A purse may have paid it before it is filled: then it takes as much again.
      ['at', usd(1), rail === 'purse' ? usd(3) : usd(1)],
      ['one unit over', usd(1) + 1n, 'maxFloat'],
    ] as const)('behavior: next to a call that is held, %s one call', async (_, amount, expected) => {
      const it = await start(strict)
      await it.fund(usd(2))
      await it.authorize('a', usd(2))
      expect(await lacking(it, amount)).toBe(expected)
    })

    test('behavior: one unit more is filled ahead', async () => {
      const it = await start({ ...strict, maxFloatUsd: '3.000001' })
      expect(await lacking(it, usd(1))).toBe(usd(3) + 1n)
    })
  })

  test('behavior: through the guard a payment of the same grant counts against its meters', async () => {
    const it = await funded()
    await it.paid('a', usd(2))
    expect(await meters(it)).toMatchObject({ total: usd(6), paid: usd(2), authorized: 0n })
    expect(await it.authorize('a', usd(2))).toMatchObject({ outcome: 'known', payment: { via: 'guard' } })
  })
})
