import { afterEach, describe, expect, test } from 'vitest'
import * as Attempt from '../../src/Attempt.js'
import * as Book from '../../src/Book.js'
import { Grant, GrantError, Permission, Time } from '../../src/index.js'
import * as Ledger from '../../src/Ledger.js'
import * as Meter from '../../src/Meter.js'
import type { Order } from '../../src/Order.js'
import * as Payment from '../../src/Payment.js'
import { agent, define } from '../core/grants.js'
import { freshHash } from './chain.js'
import { noon, other, payee, scene } from './scene.js'
import { storeKinds } from './stores.js'

const ends: (() => Promise<void> | void)[] = []
afterEach(async () => {
  for (const end of ends.splice(0)) await end()
})

const usd = (dollars: number) => BigInt(dollars) * 1_000_000n

describe.each(storeKinds)('$name', ({ create }) => {
  function books() {
    const kind = create()
    ends.push(kind.end)
    return kind
  }
  const start = (terms: Partial<Grant.DefineParams> = {}) => scene(books().open(), terms)

  describe('reserve', () => {
    test('default', async () => {
      const it = await start()
      const reservation = await it.reserve('a', usd(2), { task: 'report', host: 'api.example.com' })
      expect(reservation).toMatchObject({
        outcome: 'reserved',
        payment: {
          key: 'a',
          amount: usd(2),
          payee,
          pull: 'none',
          transfer: 'none',
          open: 1,
          reservedAt: noon,
        },
        receipt: { event: 'reserved', ok: true, amount: usd(2), payee, key: 'a', task: 'report', time: noon },
      })
      const { meters } = await it.books()
      expect(meters).toEqual({
        [Meter.open]: usd(2),
        [Meter.labelled('task', 'report')]: usd(2),
        [Meter.labelled('host', 'api.example.com')]: usd(2),
      })
    })

    test('behavior: the same key with the same terms is the same payment, whatever the caps say by now', async () => {
      const it = await start({ perDayUsd: '5' })
      await it.reserve('a', usd(5))
      expect(await it.reserve('a', usd(5))).toMatchObject({ outcome: 'known', payment: { key: 'a' } })
      await Book.setPaused(it.store, it.grant.grantId, true)
      expect(await it.reserve('a', usd(5))).toMatchObject({ outcome: 'known' })
      expect(await it.story()).toEqual(['reserved', 'paused PAUSED'])
    })

    test('error: the same key with another amount, payee or label is a conflict and changes nothing', async () => {
      const it = await start()
      await it.reserve('a', usd(1), { task: 'report' })
      const before = await it.books()
      const others: (Partial<Order> & { amount: bigint })[] = [
        { amount: usd(2), task: 'report' },
        { amount: usd(1), task: 'report', to: other },
        { amount: usd(1), task: 'other' },
        { amount: usd(1) },
      ]
      for (const order of others) {
        expect(await it.reserve('a', order.amount, order)).toMatchObject({
          outcome: 'conflict',
          payment: { amount: usd(1), payee, task: 'report' },
        })
      }
      expect(await it.books()).toEqual(before)
    })

    test('error: a refusal leaves a receipt with the refused amount and touches no meter', async () => {
      const it = await start()
      await it.reserve('a', usd(4), { task: 'report' })
      const before = await it.books()
      const refused = await it.reserve('b', usd(6), { task: 'report', category: 'search' })
      expect(refused).toMatchObject({
        outcome: 'refused',
        refusal: { code: 'OVER_PER_CALL' },
        receipt: {
          event: 'refused',
          ok: false,
          note: 'OVER_PER_CALL',
          amount: usd(6),
          payee,
          key: 'b',
          task: 'report',
          category: 'search',
        },
      })
      const after = await it.books()
      expect(after.meters).toEqual(before.meters)
      expect(after.payments).toEqual(before.payments)
      expect(after.receipts).toHaveLength(before.receipts.length + 1)
    })

    test('error: a veto refuses with its own code, but a known key is known', async () => {
      const it = await start()
      await it.reserve('a', usd(1))
      const veto = { allowed: false, code: 'CHAIN_UNSEEN', reason: '', figures: {}, retryable: true } as const
      const order = { to: payee, amount: usd(1) } as const
      const reserve = (key: string) => Ledger.reserve(it.store, it.grant.grantId, { key, ...order }, veto)
      expect(await reserve('b')).toMatchObject({ outcome: 'refused', receipt: { note: 'CHAIN_UNSEEN' } })
      expect(await reserve('a')).toMatchObject({ outcome: 'known' })
    })

    test('error: an amount that is none throws and leaves no receipt', async () => {
      const it = await start()
      await expect(it.reserve('a', 0n)).rejects.toMatchObject({ code: 'INVALID_AMOUNT' })
      expect(await it.story()).toEqual([])
    })

    test.each([10, 100])('behavior: of %i at once no more are reserved than fit the cap', async (count) => {
      const kind = books()
      const it = await scene(kind.open())
      // A second store on the same books is a second process, where the store can be shared.
      const stores = [it.store, kind.open()]
      const orders = Array.from({ length: count }, (_, i) =>
        Ledger.reserve(stores[i % 2] ?? it.store, it.grant.grantId, {
          key: `k${i}`,
          to: payee,
          amount: usd(3),
        }),
      )
      const outcomes = (await Promise.all(orders)).map(({ outcome }) => outcome)
      expect(outcomes.filter((outcome) => outcome === 'reserved')).toHaveLength(3)
      expect(outcomes.filter((outcome) => outcome === 'refused')).toHaveLength(count - 3)
      expect((await it.books()).meters).toEqual({ [Meter.open]: usd(9) })
    })

    test('behavior: one key at once from two stores is reserved once', async () => {
      const kind = books()
      const it = await scene(kind.open())
      const second = kind.open()
      const order = { key: 'a', to: payee, amount: usd(3) } as const
      const reserve = (store: typeof second) => Ledger.reserve(store, it.grant.grantId, order)
      const all = await Promise.all([reserve(it.store), reserve(second), reserve(second), reserve(it.store)])
      expect(all.map(({ outcome }) => outcome).sort()).toEqual(['known', 'known', 'known', 'reserved'])
    })

    test('behavior: what is open counts in the next day and period too, for it may settle there', async () => {
      const it = await start()
      await it.reserve('a', usd(5))
      await it.reserve('b', usd(5))
      it.chain.mine([], Time.midnight(noon) + Time.day)
      await it.read()
      const refused = await it.reserve('c', 1n)
      expect(refused).toMatchObject({ refusal: { code: 'BUDGET_EXCEEDED', cap: 'perDay' } })

      // One settles today, which is the day it counts in. The other one is released, and counts nowhere.
      it.chain.mine([await it.signed('a', 'pull')])
      await it.read()
      await it.release('b')
      expect(await it.reserve('d', usd(5))).toMatchObject({ outcome: 'reserved' })
      expect(await it.reserve('e', 1n)).toMatchObject({ outcome: 'refused' })
    })

    test('behavior: a new day holds a new allowance, the total stays', async () => {
      const it = await start({ totalUsd: '14' })
      await it.paid('a', usd(5))
      await it.paid('b', usd(5))
      expect(await it.reserve('c', 1n)).toMatchObject({ refusal: { cap: 'perDay' } })
      it.chain.mine([], Time.midnight(noon) + Time.day)
      await it.read()
      expect(await it.reserve('c', usd(5))).toMatchObject({ refusal: { cap: 'total' } })
      expect(await it.reserve('d', usd(4))).toMatchObject({ outcome: 'reserved' })
    })
  })

  describe('release', () => {
    test('default', async () => {
      const it = await start({ perDayUsd: '5' })
      await it.reserve('a', usd(5), { task: 'report' })
      expect(await it.release('a', 'because')).toMatchObject({ event: 'released', amount: usd(5), key: 'a' })
      expect(Payment.stateOf(await it.payment('a'))).toEqual({ status: 'released', reason: 'because' })
      expect(await it.story()).toEqual(['reserved', 'released RELEASED'])
      expect(await it.reserve('b', usd(5))).toMatchObject({ outcome: 'reserved' })
    })

    test('behavior: released, the key may be used again, with the same terms only', async () => {
      const it = await start()
      await it.reserve('a', usd(5))
      await it.release('a')
      expect(await it.reserve('a', usd(4))).toMatchObject({ outcome: 'conflict' })
      expect(await it.reserve('a', usd(5))).toMatchObject({ outcome: 'reserved' })
      expect(await it.status('a')).toBe('reserved')
    })

    test('behavior: what is signed is not released, and neither is anything twice', async () => {
      const it = await start()
      await it.reserve('a', usd(1))
      await it.sign('a', 'pull')
      expect(await it.release('a')).toBeUndefined()
      expect(await it.status('a')).toBe('pulling')
      await it.reserve('b', usd(1))
      await it.release('b')
      expect(await it.release('b')).toBeUndefined()
      expect(await it.story()).toEqual(['reserved', 'reserved', 'released RELEASED'])
    })
  })

  describe('sign', () => {
    test('default', async () => {
      const it = await start()
      await it.reserve('a', usd(1))
      await it.reserve('b', usd(1))
      expect(await it.sign('a', 'pull')).toMatchObject({ nonce: 0, kind: 'pull', key: 'a' })
      expect(await it.sign('b', 'pull')).toMatchObject({ nonce: 1, kind: 'pull', key: 'b' })
    })

    test('behavior: a step is signed once, a second worker gets the same bytes', async () => {
      const it = await start()
      await it.reserve('a', usd(1))
      const [first, second] = await Promise.all([it.sign('a', 'pull'), it.sign('a', 'pull')])
      expect(second).toEqual(first)
    })

    test('behavior: a step that is not due is not signed', async () => {
      const it = await start()
      await it.reserve('a', usd(1))
      expect(await it.sign('a', 'transfer')).toBeUndefined()
      await it.release('a')
      expect(await it.sign('a', 'pull')).toBeUndefined()
      expect((await it.books()).transactions).toEqual([])
    })

    test('behavior: no nonce of these books twice, and none that the chain has used', async () => {
      const it = await start()
      it.chain.mine([{ hash: freshHash(), nonce: 6, effect: { kind: 'nothing' } }])
      await it.reserve('a', usd(1))
      await it.reserve('b', usd(1))
      expect(await it.sign('a', 'pull')).toMatchObject({ nonce: 7 })
      expect(await it.sign('b', 'pull')).toMatchObject({ nonce: 8 })
      expect(await it.sign('', 'call')).toMatchObject({ nonce: 9 })
    })

    test('behavior: a nonce that a reorganisation has freed is taken, or nothing after it could be mined', async () => {
      const it = await start()
      it.chain.mine([{ hash: freshHash(), nonce: 0, effect: { kind: 'nothing' } }])
      await it.reserve('a', usd(1))
      await it.reserve('b', usd(1))
      expect(await it.sign('a', 'pull')).toMatchObject({ nonce: 1 })
      it.chain.drop(1)
      expect(await it.sign('b', 'pull')).toMatchObject({ nonce: 0 })
      expect(await it.sign('', 'call')).toMatchObject({ nonce: 2 })
    })

    test('error: where signing fails, no nonce is taken and no step is done', async () => {
      const it = await start()
      await it.reserve('a', usd(1))
      const failing = Attempt.sign(it.store, {
        grantId: it.grant.grantId,
        key: 'a',
        kind: 'pull',
        chainNonce: 0,
        sign: () => Promise.reject(new Error('The enclave is gone.')),
      })
      await expect(failing).rejects.toThrow('The enclave is gone.')
      expect(await it.status('a')).toBe('reserved')
      expect(await it.sign('a', 'pull')).toMatchObject({ nonce: 0 })
    })
  })

  describe('open', () => {
    const begin = { start: async () => ({ number: 0, hash: freshHash(), time: noon }) }

    test('behavior: known books are found, and their start is not asked for again', async () => {
      const it = await start()
      await it.paid('a', usd(1))
      const { grant, permission } = it
      const before = await it.books()
      const unasked = { start: () => Promise.reject(new Error('asked')) }
      await Book.open(it.store, { grant, permission, ...unasked })
      expect(await it.books()).toEqual(before)
    })

    test('behavior: another permission replaces the one before, is unapproved until it is read, and leaves a receipt', async () => {
      const it = await start()
      const { grant } = it
      const permission = Permission.fromGrant(grant, { nonce: 1n })
      await Book.open(it.store, { grant, permission, ...begin })
      const { grant: row } = await it.books()
      expect(row).toMatchObject({ permissionHash: Permission.hash(permission), approved: 0, revoked: 0 })
      expect(await it.story()).toEqual(['replaced'])
      expect(await it.reserve('a', usd(1))).toMatchObject({ refusal: { code: 'NOT_APPROVED' } })
    })

    test("error: an agent's key serves one grant", async () => {
      const it = await start()
      const grant = define()
      const open = Book.open(it.store, { grant, permission: Permission.fromGrant(grant), ...begin })
      await expect(open).rejects.toBeInstanceOf(GrantError)
      await expect(open).rejects.toMatchObject({
        code: 'AGENT_IN_USE',
        figures: { agent, grantId: it.grant.grantId },
      })
    })

    test('error: a grant keeps its agent, whose nonces the books hold', async () => {
      const it = await start()
      const text = Grant.serialize(it.grant).replaceAll(agent, other)
      const grant = Grant.parse(text)
      const open = Book.open(it.store, { grant, permission: Permission.fromGrant(grant), ...begin })
      await expect(open).rejects.toMatchObject({ code: 'MISMATCH', message: expect.stringContaining(agent) })
    })
  })
})
