import type { Hex } from 'viem'
import { afterEach, describe, expect, test } from 'vitest'
import * as Book from '../../src/Book.js'
import { Grant, Guard, Permission } from '../../src/index.js'
import * as Ledger from '../../src/Ledger.js'
import * as Meter from '../../src/Meter.js'
import * as Payment from '../../src/Payment.js'
import type { PaymentRow } from '../../src/Store.js'
import { freshHash, type Mined } from './chain.js'
import { other, payee, type Scene, scene } from './scene.js'
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

  const numberOf = async (it: Scene, key: string): Promise<Hex> => {
    const { number } = await it.payment(key)
    if (number === null) throw new Error(`Payment ${key} has no number.`)
    return number
  }
  const hex = (number: bigint): Hex => `0x${number.toString(16).padStart(64, '0')}`
  async function final(it: Scene, txs: readonly Mined[] = [], time?: number) {
    it.chain.mine(txs, time)
    it.chain.finalize()
    return it.read()
  }

  describe('found on chain', () => {
    /** A payment under the reference of a key, which these books know nothing of. */
    async function found(key: string, changes: Changes = {}) {
      const it = await start()
      const ref = Guard.reference(it.grant.grantId, key)
      const number = hex(Guard.number(7n, 7))
      const effect = { kind: 'payment', amount: usd(2), payee, ref, number, ...changes } as const
      it.chain.mine([{ hash: freshHash(), nonce: 0, effect }])
      await it.read()
      return it
    }

    test('default', async () => {
      const it = await found('a')
      expect(await it.reserve('a', usd(2), { task: 'report' })).toMatchObject({
        outcome: 'known',
        receipt: { event: 'settled', key: 'a', task: 'report' },
      })
      expect(await it.payment('a')).toMatchObject({ pull: 'seen', transfer: 'seen', open: 1 })
      expect((await it.books()).meters).toMatchObject({
        [Meter.total]: usd(2),
        [Meter.paid]: usd(2),
        [Meter.labelled('task', 'report')]: usd(2),
      })
      await final(it)
      expect(await it.reserve('a', usd(2), { task: 'report' })).toMatchObject({ payment: { open: 0 } })
      expect(await it.story()).toEqual(['foreign FOREIGN_PAYMENT', 'settled ADOPTED'])
    })

    test('error: a conflict where it has other terms, and nothing changes', async () => {
      const it = await found('a')
      const before = await it.books()
      for (const order of [{ to: other }, { amount: usd(1) }] as const) {
        const { outcome, ...known } = await it.reserve('a', usd(2), order)
        expect([outcome, known]).toMatchObject(['conflict', { payment: { payee, amount: usd(2) } }])
      }
      expect(await it.books()).toEqual(before)
    })

    test("behavior: another agent's is none of these books", async () => {
      const it = await found('a', { number: null })
      expect(await it.reserve('a', usd(2))).toMatchObject({ outcome: 'reserved' })
    })

    test('behavior: gone again, the key waits, and then pays under the number that it had', async () => {
      const it = await found('a')
      await it.reserve('a', usd(2))
      const number = await numberOf(it, 'a')
      const [tx] = it.chain.drop(1)
      it.chain.mine()
      await it.read()
      expect(await it.status('a')).toBe('paying')
      expect(await it.reserve('a', usd(2))).toMatchObject({ outcome: 'known' })
      await final(it, [], it.chain.head.time + 2 * Payment.lifetime)
      expect(await it.status('a')).toBe('released')
      await it.reserve('a', usd(2))
      expect(await numberOf(it, 'a')).toBe(number)
      // The lost transaction comes after all, and it is that payment.
      if (tx) it.chain.mine([tx])
      await it.read()
      expect(await it.status('a')).toBe('paid')
    })

    test('behavior: and back in another block, it is paid again', async () => {
      const it = await found('a')
      await it.reserve('a', usd(2))
      const txs = it.chain.drop(1)
      it.chain.mine()
      await it.read()
      await final(it, txs)
      expect(await it.payment('a')).toMatchObject({ pull: 'seen', open: 0 })
      expect(await it.story()).toEqual([
        'foreign FOREIGN_PAYMENT',
        'settled ADOPTED',
        'reorged REORGED',
        'settled SETTLED_AGAIN',
      ])
    })

    test('behavior: released here and paid by books that were lost, the key does not pay again', async () => {
      const it = await start()
      await it.reserve('a', usd(2))
      const { ref } = await it.payment('a')
      const number = await numberOf(it, 'a')
      await it.release('a')
      await final(it, [
        { hash: freshHash(), effect: { kind: 'payment', amount: usd(2), payee, ref, number } },
      ])
      expect(await it.reserve('a', usd(2))).toMatchObject({ outcome: 'known', payment: { pull: 'seen' } })
      expect(await it.payment('a')).toMatchObject({ open: 0, failure: null })
    })

    test('behavior: numbers that lost books took are passed over', async () => {
      const it = await start()
      await it.reserve('a', usd(1))
      const first = BigInt(await numberOf(it, 'a'))
      const took = (number: bigint): Mined => {
        const effect = { kind: 'payment', amount: 1n, payee, ref: freshHash() } as const
        return { hash: freshHash(), effect: { ...effect, number: hex(number) } }
      }
      it.chain.mine([took(first + 1n), took(first + 2n)])
      await it.read()
      await it.reserve('b', usd(1))
      expect(BigInt(await numberOf(it, 'b'))).toBe(first + 3n)
    })

    test('behavior: a payment under the number of another key, which is still open', async () => {
      const it = await start()
      await it.reserve('a', usd(2))
      const own = await it.signed('a', 'payment')
      const effect = { kind: 'payment', amount: usd(2), payee, number: await numberOf(it, 'a') } as const
      const ref = Guard.reference(it.grant.grantId, 'b')
      it.chain.mine([{ hash: freshHash(), effect: { ...effect, ref } }])
      await it.read()
      expect(await it.reserve('b', usd(2))).toMatchObject({ outcome: 'known' })
      await final(it, [{ ...own, effect: { kind: 'nothing' } }])
      expect([await it.status('a'), await it.status('b')]).toEqual(['released', 'paid'])
    })
  })

  test('behavior: a task keeps what was booked for it before the guard metered it, and what the guard did', async () => {
    const it = await start({ perTaskUsd: '5' })
    await it.paid('a', usd(3), { task: 'report' })
    expect(await it.reserve('b', usd(3), { task: 'report' })).toMatchObject({ refusal: { cap: 'perTask' } })
    const row = await it.store.transact(it.grant.grantId, (tx) => Book.get(tx, it.grant.grantId))
    const used = (task: string) =>
      it.store.transact(it.grant.grantId, async (tx) => (await Ledger.readState(tx, row, { task })).used.task)
    expect(await used('report')).toBe(usd(3))
    const effect = { kind: 'payment', amount: usd(4), payee, ref: freshHash(), number: null } as const
    it.chain.mine([{ hash: freshHash(), effect: { ...effect, task: Guard.task('report') } }])
    await it.read()
    expect(await used('report')).toBe(usd(4))
    await it.reserve('c', usd(1), { task: 'report' })
    expect(await used('report')).toBe(usd(5))
  })

  describe('open', () => {
    const open = (it: Scene, grant: Grant.Grant, permission = Permission.fromGrant(grant)) =>
      Book.open(it.store, { grant, permission, start: () => Promise.reject(new Error('asked')) })
    const renewed = (it: Scene, replaces = it.permission) =>
      Permission.fromGrant(it.grant, { replaces: Permission.hash(replaces) })

    test('behavior: what is not signed goes on under the new permission, what is signed stays', async () => {
      const it = await start()
      for (const key of ['a', 'b']) await it.reserve(key, usd(1))
      await it.sign('a', 'payment')
      const permission = renewed(it)
      await open(it, it.grant, permission)
      expect([(await it.payment('a')).permissionHash, (await it.payment('b')).permissionHash]).toEqual([
        Permission.hash(it.permission),
        Permission.hash(permission),
      ])
      expect((await it.books()).meters[Meter.open]).toBe(usd(2))
    })

    test('error: MISMATCH for terms that were replaced, directly or long ago', async () => {
      const it = await start()
      const second = renewed(it)
      const third = renewed(it, second)
      await open(it, it.grant, second)
      await open(it, it.grant, third)
      const before = await it.books()
      for (const old of [it.permission, second]) {
        await expect(open(it, it.grant, old)).rejects.toMatchObject({
          code: 'MISMATCH',
          figures: { expected: Permission.hash(third), actual: Permission.hash(old) },
        })
      }
      expect(await it.books()).toEqual(before)
    })

    test.each([
      ['owner', (text: string, { owner }: Grant.Grant) => text.replaceAll(owner, other)],
      ['rail', (text: string) => text.replace('"rail":"guard"', '"rail":"direct"')],
    ] as const)('error: MISMATCH for another %s under the same grantId', async (field, change) => {
      const it = await start()
      const grant = Grant.parse(change(Grant.serialize(it.grant), it.grant))
      await expect(open(it, grant)).rejects.toMatchObject({ code: 'MISMATCH', figures: { field } })
    })
  })
})
