import type { Hex } from 'viem'
import { afterEach, describe, expect, test } from 'vitest'
import * as Book from '../../src/Book.js'
import { type Grant, Guard, Permission, Time } from '../../src/index.js'
import * as Meter from '../../src/Meter.js'
import * as Payment from '../../src/Payment.js'
import type { PaymentRow } from '../../src/Store.js'
import { freshHash, type Mined } from './chain.js'
import { noon, other, payee, type Scene, scene } from './scene.js'
import { storeKinds } from './stores.js'

const ends: (() => Promise<void> | void)[] = []
afterEach(async () => {
  for (const end of ends.splice(0)) await end()
})

const usd = (dollars: number) => BigInt(dollars) * 1_000_000n

type Changes = Partial<Pick<PaymentRow, 'amount' | 'payee' | 'ref' | 'number'>>

describe.each(storeKinds)('$name', ({ create }) => {
  function start(terms: Partial<Grant.DefineParams> = {}) {
    const kind = create()
    ends.push(kind.end)
    return scene(kind.open(), { rail: 'guard', ...terms })
  }

  /** A payment that is signed, in a transaction that is not mined. */
  async function signed(key = 'a', terms: Partial<Grant.DefineParams> = {}) {
    const it = await start(terms)
    await it.reserve(key, usd(2), { task: 'report' })
    return { it, tx: await it.signed(key, 'payment') }
  }

  /** As it was signed, but for some terms, and not in the agent's own transaction. */
  function instead(tx: Mined, changes: Changes): Mined {
    if (tx.effect.kind !== 'payment') throw new Error('Not a payment.')
    return { hash: freshHash(), effect: { ...tx.effect, ...changes } }
  }

  const nothing = (tx: Mined): Mined => ({ ...tx, effect: { kind: 'nothing' } })
  const numberOf = async (it: Scene, key: string): Promise<Hex> => {
    const { number } = await it.payment(key)
    if (number === null) throw new Error(`Payment ${key} has no number.`)
    return number
  }
  async function final(it: Scene, txs: readonly Mined[] = [], time?: number) {
    it.chain.mine(txs, time)
    it.chain.finalize()
    return it.read()
  }

  test('default', async () => {
    const it = await start({ perWindowUsd: '9', window: 3_600 })
    await it.reserve('a', usd(2), { task: 'report' })
    expect(await it.payment('a')).toMatchObject({
      ref: Guard.reference(it.grant.grantId, 'a'),
      number: expect.stringMatching(/00$/),
      deadline: null,
    })
    const tx = await it.signed('a', 'payment')
    expect(await it.status('a')).toBe('paying')
    expect(await it.payment('a')).toMatchObject({ deadline: noon + Payment.lifetime })
    it.chain.mine([tx])
    expect((await it.read()).receipts).toMatchObject([
      { event: 'settled', ok: true, amount: usd(2), payee, key: 'a', task: 'report', txHash: tx.hash },
    ])
    expect(await it.payment('a')).toMatchObject({ pull: 'seen', transfer: 'seen', open: 1 })
    await final(it)
    expect(await it.payment('a')).toMatchObject({ open: 0 })
    expect((await it.books()).meters).toMatchObject({
      [Meter.open]: 0n,
      [Meter.openTask('report')]: 0n,
      [Meter.total]: usd(2),
      [Meter.sent]: usd(2),
      [Meter.paid]: usd(2),
      [Meter.day(noon)]: usd(2),
      [Meter.bucket(3_600, Math.floor((noon + 2) / 1_200))]: usd(2),
    })
    expect(await it.story()).toEqual(['reserved', 'settled'])
  })

  test('behavior: numbers are one after another, and a key keeps its own through every attempt', async () => {
    const it = await start()
    for (const key of ['a', 'b']) await it.reserve(key, usd(1))
    const [first, second] = [await numberOf(it, 'a'), await numberOf(it, 'b')]
    expect(BigInt(second)).toBe(BigInt(first) + 1n)
    await it.release('a')
    await it.reserve('a', usd(1))
    expect(await numberOf(it, 'a')).toBe(first)
    await final(it, [nothing(await it.signed('a', 'payment'))])
    expect(await it.status('a')).toBe('released')
    await it.paid('a', usd(1))
    expect([await numberOf(it, 'a'), await it.status('a')]).toEqual([first, 'paid'])
    await it.reserve('c', usd(1))
    expect(BigInt(await numberOf(it, 'c'))).toBe(BigInt(first) + 2n)
  })

  describe('seen', () => {
    test('behavior: whoever sent it', async () => {
      const { it, tx } = await signed()
      it.chain.mine([instead(tx, {})])
      await it.read()
      expect(await it.status('a')).toBe('paid')
      // Its own transaction comes later, and reverts.
      await final(it, [nothing(tx)])
      expect(await it.payment('a')).toMatchObject({ pull: 'seen', open: 0 })
    })

    test.each([
      ['another amount', { amount: usd(3) }],
      ['another payee', { payee: other }],
      ['another reference', { ref: freshHash() }],
      ['another number', { number: freshHash() }],
      ['the number of another agent', { number: null }],
    ] as const)('behavior: with %s it is foreign', async (_, changes) => {
      const { it, tx } = await signed()
      it.chain.mine([instead(tx, changes)])
      expect((await it.read()).receipts).toMatchObject([{ event: 'foreign', note: 'FOREIGN_PAYMENT' }])
      expect(await it.status('a')).toBe('paying')
      const { meters } = await it.books()
      expect([meters[Meter.open], meters[Meter.total]]).toEqual([
        usd(2),
        'amount' in changes ? usd(3) : usd(2),
      ])
    })

    test('behavior: reserved here and signed by books that were lost, it settles all the same', async () => {
      const it = await start()
      await it.reserve('a', usd(2))
      const { ref } = await it.payment('a')
      const effect = { kind: 'payment', amount: usd(2), payee, ref, number: await numberOf(it, 'a') } as const
      it.chain.mine([{ hash: freshHash(), nonce: 0, effect }])
      await it.read()
      const deadline = it.chain.head.time + 2 * Payment.lifetime
      expect(await it.payment('a')).toMatchObject({ pull: 'seen', deadline })
      expect(await it.sign('a', 'payment')).toBeUndefined()
      // Gone again, it is waited for as long as it could come back.
      it.chain.drop(1)
      it.chain.mine()
      await it.read()
      expect(await it.status('a')).toBe('paying')
      await final(it, [], deadline - 1)
      expect(await it.status('a')).toBe('paying')
      await final(it, [], deadline)
      expect(await it.status('a')).toBe('released')
    })
  })

  describe('released', () => {
    test('behavior: not before a final block is at its deadline', async () => {
      const { it } = await signed()
      const deadline = noon + Payment.lifetime
      for (const [time, status] of [
        [deadline - 1, 'paying'],
        [deadline, 'released'],
      ] as const) {
        it.chain.mine([], time)
        await it.read()
        expect(await it.status('a')).toBe('paying')
        it.chain.finalize()
        await it.read()
        expect(await it.status('a')).toBe(status)
      }
      const { meters, payments } = await it.books()
      expect(payments[0]?.failure).toContain('deadline')
      expect([meters[Meter.open], meters[Meter.labelled('task', 'report')]]).toEqual([0n, 0n])
    })

    test.each([0, 1])('behavior: included %i seconds before its deadline it is paid', async (early) => {
      const { it, tx } = await signed()
      it.chain.mine([tx], noon + Payment.lifetime - 1 - early)
      await final(it, [], noon + Payment.lifetime)
      expect(await it.payment('a')).toMatchObject({ pull: 'seen', open: 0 })
    })

    test('behavior: not while nobody has asked for its number', async () => {
      const { it } = await signed()
      it.chain.mine([], noon + Payment.lifetime)
      it.chain.finalize()
      await it.read({ ...(await it.reading()), numbers: new Map() })
      expect(await it.status('a')).toBe('paying')
    })

    test('behavior: its transaction reverted, and that is final', async () => {
      const { it, tx } = await signed()
      it.chain.mine([nothing(tx)])
      await it.read()
      expect(await it.status('a')).toBe('paying')
      it.chain.finalize()
      expect((await it.read()).receipts).toMatchObject([{ event: 'released', key: 'a', amount: usd(2) }])
      expect((await it.payment('a')).failure).toContain(tx.hash)
    })

    test('behavior: its number went to another payment, and that is final; then the key gets another number', async () => {
      const { it, tx } = await signed()
      const thief = instead(tx, { amount: usd(3) })
      it.chain.mine([thief], noon + Payment.lifetime)
      await it.read()
      expect(await it.status('a')).toBe('paying')
      it.chain.finalize()
      await it.read()
      const { number, failure } = await it.payment('a')
      expect([await it.status('a'), failure]).toEqual(['released', expect.stringContaining(thief.hash)])
      await it.paid('a', usd(2), { task: 'report' })
      expect(await it.status('a')).toBe('paid')
      expect(await numberOf(it, 'a')).not.toBe(number)
      expect((await it.books()).meters[Meter.total]).toBe(usd(5))
    })

    test('behavior: what is released keeps its number while the other payment can still be taken back', async () => {
      const it = await start()
      await it.reserve('a', usd(2))
      const number = await numberOf(it, 'a')
      await it.release('a')
      const effect = { kind: 'payment', amount: 1n, payee, ref: freshHash(), number } as const
      it.chain.mine([{ hash: freshHash(), effect }])
      await it.read()
      await it.reserve('a', usd(2))
      expect(await numberOf(it, 'a')).toBe(number)
    })
  })

  describe('readings', () => {
    test('behavior: one that leaves out the event of a number that is used is dropped', async () => {
      const { it, tx } = await signed()
      it.chain.mine([tx])
      it.chain.finalize()
      const whole = await it.reading()
      expect(await it.read({ ...whole, facts: [] })).toEqual({
        applied: false,
        receipts: [],
        doubt: { what: 'number', books: 'unused', chain: 'used' },
      })
      expect(await it.status('a')).toBe('paying')
      expect(await it.read(whole)).toMatchObject({ applied: true })
      expect(await it.status('a')).toBe('paid')
    })

    test('behavior: also where the event was read before, and is not final', async () => {
      const { it, tx } = await signed()
      it.chain.mine([instead(tx, { amount: usd(3) })])
      await it.read()
      it.chain.mine()
      expect(await it.read({ ...(await it.reading()), facts: [] })).toMatchObject({ applied: false })
      expect((await it.books()).meters[Meter.total]).toBe(usd(3))
    })

    test('behavior: one that asked about a permission which was replaced meanwhile is dropped', async () => {
      const it = await start()
      it.chain.mine()
      const late = await it.reading()
      const permission = Permission.fromGrant(it.grant, { replaces: Permission.hash(it.permission) })
      await Book.open(it.store, { grant: it.grant, permission, start: () => Promise.reject() })
      expect(await it.read(late)).toMatchObject({ applied: false })
      expect(await it.reserve('a', usd(1))).toMatchObject({ refusal: { code: 'NOT_APPROVED' } })
      it.chain.permission = permission
      expect(await it.read()).toMatchObject({ applied: true })
      expect(await it.reserve('a', usd(1))).toMatchObject({ outcome: 'reserved' })
    })
  })

  test('behavior: on another day than it was signed, it counts on the day of its block', async () => {
    const { it, tx } = await signed()
    const midnight = Time.midnight(noon) + Time.day
    it.chain.mine([tx], midnight)
    await it.read()
    const { meters } = await it.books()
    expect([meters[Meter.day(noon)], meters[Meter.day(midnight)]]).toEqual([undefined, usd(2)])
  })
})
