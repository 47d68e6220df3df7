import { afterEach, describe, expect, test } from 'vitest'
import { type Grant, Permission, Time } from '../../src/index.js'
import * as Meter from '../../src/Meter.js'
import { freshHash } from './chain.js'
import { noon, other, payee, scene } from './scene.js'
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
    return scene(kind.open(), terms)
  }

  test('default', async () => {
    const it = await start()
    const { chain } = it
    await it.reserve('a', usd(2), { task: 'report' })
    expect(await it.status('a')).toBe('reserved')
    const pull = await it.signed('a', 'pull')
    expect(await it.status('a')).toBe('pulling')
    chain.mine([pull])
    await it.read()
    expect(await it.status('a')).toBe('pulled')
    const transfer = await it.signed('a', 'transfer')
    expect(await it.status('a')).toBe('paying')
    chain.mine([transfer])
    const { applied, receipts } = await it.read()
    expect(applied).toBe(true)
    expect(receipts).toMatchObject([
      {
        event: 'settled',
        ok: true,
        note: 'settled',
        amount: usd(2),
        payee,
        key: 'a',
        task: 'report',
        txHash: transfer.hash,
      },
    ])
    expect(await it.payment('a')).toMatchObject({ transfer: 'seen', open: 1 })
    chain.finalize()
    await it.read()
    expect(await it.payment('a')).toMatchObject({ pull: 'seen', transfer: 'seen', open: 0 })
    const { meters } = await it.books()
    expect(meters).toMatchObject({
      [Meter.open]: 0n,
      [Meter.total]: usd(2),
      [Meter.paid]: usd(2),
      [Meter.sent]: usd(2),
      [Meter.day(noon)]: usd(2),
      [Meter.labelled('task', 'report')]: usd(2),
    })
    expect(await it.story()).toEqual(['reserved', 'settled'])
  })

  test('behavior: pulls and transfers of several payments in one block, in any order', async () => {
    const it = await start()
    for (const key of ['a', 'b', 'c']) await it.reserve(key, usd(1))
    const pulls = [await it.signed('a', 'pull'), await it.signed('b', 'pull'), await it.signed('c', 'pull')]
    it.chain.mine(pulls.reverse())
    await it.read()
    const transfers = [await it.signed('b', 'transfer'), await it.signed('a', 'transfer')]
    it.chain.mine(transfers)
    await it.read()
    expect([await it.status('a'), await it.status('b'), await it.status('c')]).toEqual([
      'paid',
      'paid',
      'pulled',
    ])
  })

  describe('foreign', () => {
    test.each([
      { what: 'another amount', effect: { kind: 'pull', amount: usd(2) }, hash: undefined },
      { what: 'another hash', effect: { kind: 'pull', amount: usd(1) }, hash: freshHash() },
    ] as const)('behavior: a pull with $what is foreign', async ({ effect, hash }) => {
      const it = await start()
      await it.reserve('a', usd(1))
      const pull = await it.signed('a', 'pull')
      it.chain.mine([{ ...pull, hash: hash ?? pull.hash, effect }])
      const { receipts } = await it.read()
      expect(receipts).toMatchObject([
        { event: 'foreign', note: 'FOREIGN_PULL', amount: effect.amount, key: null },
      ])
      expect(await it.status('a')).toBe('pulling')
      const { meters } = await it.books()
      expect(meters[Meter.total]).toBe(effect.amount)
      expect(meters[Meter.open]).toBe(usd(1))
    })

    test('behavior: a pull under another permission than the payment was reserved for is foreign', async () => {
      const it = await start()
      await it.reserve('a', usd(1))
      const permission = Permission.fromGrant(it.grant, { nonce: 7n })
      const pull = await it.signed('a', 'pull')
      it.chain.mine([{ ...pull, effect: { kind: 'pull', amount: usd(1), permission } }])
      expect((await it.read()).receipts).toMatchObject([{ note: 'FOREIGN_PULL' }])
      expect(await it.status('a')).toBe('pulling')
    })

    test.each([
      ['another amount', { kind: 'transfer', amount: usd(2), payee }],
      ['another payee', { kind: 'transfer', amount: usd(1), payee: other }],
    ] as const)('behavior: a transfer with %s is foreign', async (_, effect) => {
      const it = await start()
      await it.pulled('a', usd(1))
      const transfer = await it.signed('a', 'transfer')
      it.chain.mine([{ ...transfer, effect }])
      const { receipts } = await it.read()
      expect(receipts).toMatchObject([
        { event: 'foreign', note: 'FOREIGN_TRANSFER', amount: effect.amount, payee: effect.payee },
      ])
      expect(await it.status('a')).toBe('paying')
      const { meters } = await it.books()
      expect([meters[Meter.sent], meters[Meter.paid] ?? 0n]).toEqual([effect.amount, 0n])
    })

    test("behavior: the payment's own terms twice in its transaction settle once, the rest is foreign", async () => {
      const it = await start()
      await it.reserve('a', usd(1))
      const pull = await it.signed('a', 'pull')
      it.chain.mine([pull, pull])
      expect((await it.read()).receipts).toMatchObject([{ note: 'FOREIGN_PULL' }])
      expect(await it.status('a')).toBe('pulled')
    })

    test('behavior: foreign pulls are adopted above a cap, and then nothing more is reserved', async () => {
      const it = await start()
      it.chain.mine([{ hash: freshHash(), effect: { kind: 'pull', amount: usd(11) } }])
      await it.read()
      expect(await it.reserve('a', 1n)).toMatchObject({
        refusal: { code: 'BUDGET_EXCEEDED', cap: 'perDay', figures: { used: usd(11) } },
      })
      it.chain.mine([], Time.midnight(noon) + Time.day)
      await it.read()
      expect(await it.reserve('a', usd(1))).toMatchObject({ outcome: 'reserved' })
    })
  })

  describe('readings', () => {
    test('behavior: the same reading twice changes nothing', async () => {
      const it = await start()
      await it.reserve('a', usd(2))
      it.chain.mine([
        await it.signed('a', 'pull'),
        { hash: freshHash(), effect: { kind: 'pull', amount: usd(1) } },
      ])
      const reading = it.chain.reading(0)
      await it.read(reading)
      const before = await it.books()
      expect(await it.read(reading)).toEqual({ applied: true, receipts: [] })
      expect(await it.books()).toEqual(before)
    })

    test('behavior: a reading from another final block is dropped, for another worker was faster', async () => {
      const it = await start()
      await it.reserve('a', usd(2))
      it.chain.mine([await it.signed('a', 'pull')])
      const slow = it.chain.reading(0)
      it.chain.finalize()
      await it.read()
      const before = await it.books()
      it.chain.mine()
      expect(await it.read(slow)).toEqual({ applied: false, receipts: [] })
      expect(await it.read({ ...it.chain.reading(0) })).toEqual({ applied: false, receipts: [] })
      expect(await it.books()).toEqual(before)
    })

    test('behavior: a reading that ends below what was read is dropped, for the endpoint lags', async () => {
      const it = await start()
      const behind = it.chain.reading(0)
      await it.paid('a', usd(2))
      const before = await it.books()
      expect(await it.read(behind)).toEqual({ applied: false, receipts: [] })
      expect(await it.books()).toEqual(before)
    })

    test('behavior: a reading whose final block is behind that of the books is dropped', async () => {
      const it = await start()
      it.chain.mine()
      it.chain.mine()
      const { number, hash, time } = it.chain.block(1)
      it.chain.finalize(2)
      await it.read()
      const reading = { ...it.chain.reading(2), final: { number, hash, time } }
      expect(await it.read(reading)).toEqual({ applied: false, receipts: [] })
      expect((await it.books()).grant.finalNumber).toBe(2)
    })
  })

  describe('released', () => {
    test('behavior: a nonce that a final block used without the pull releases the payment', async () => {
      const it = await start({ perDayUsd: '5' })
      await it.reserve('a', usd(5), { task: 'report' })
      const pull = await it.signed('a', 'pull')
      it.chain.mine([{ ...pull, effect: { kind: 'nothing' } }])
      await it.read()
      // Provisionally it proves nothing: it could still be mined in another order, and succeed.
      expect(await it.status('a')).toBe('pulling')
      expect(await it.reserve('b', usd(1))).toMatchObject({ outcome: 'refused' })
      it.chain.finalize()
      const { receipts } = await it.read()
      expect(receipts).toMatchObject([
        { event: 'released', note: 'RELEASED', ok: false, amount: usd(5), key: 'a' },
      ])
      expect(await it.payment('a')).toMatchObject({
        pull: 'failed',
        open: 0,
        failure: expect.stringContaining(pull.hash),
      })
      expect((await it.books()).meters[Meter.labelled('task', 'report')]).toBe(0n)
      expect(await it.reserve('b', usd(5))).toMatchObject({ outcome: 'reserved' })
    })

    test('behavior: at the end of the permission a pull that was never included is released, a transfer is not', async () => {
      const end = Time.midnight(noon) + Time.day
      const it = await start({ expiresAt: new Date(end * 1000) })
      await it.pulled('b', usd(1))
      await it.sign('b', 'transfer')
      await it.reserve('a', usd(1))
      await it.sign('a', 'pull')
      it.chain.mine([], end - 1)
      it.chain.finalize()
      await it.read()
      expect(await it.status('a')).toBe('pulling')
      it.chain.mine([], end)
      await it.read()
      expect(await it.status('a')).toBe('pulling')
      it.chain.finalize()
      await it.read()
      expect([await it.status('a'), await it.status('b')]).toEqual(['released', 'paying'])
    })

    test('behavior: a pull that comes after all, of a payment that was released, is foreign', async () => {
      const it = await start()
      await it.reserve('a', usd(1))
      const pull = await it.signed('a', 'pull')
      it.chain.mine([{ ...pull, effect: { kind: 'nothing' } }])
      it.chain.finalize()
      await it.read()
      it.chain.mine([pull])
      expect((await it.read()).receipts).toMatchObject([{ event: 'foreign', note: 'FOREIGN_PULL' }])
      expect(await it.status('a')).toBe('released')
    })

    test('behavior: reserved again under its key, it is paid by its new transactions', async () => {
      const it = await start()
      await it.reserve('a', usd(1))
      it.chain.mine([{ ...(await it.signed('a', 'pull')), effect: { kind: 'nothing' } }])
      it.chain.finalize()
      await it.read()
      await it.paid('a', usd(1))
      expect(await it.status('a')).toBe('paid')
      expect(await it.story()).toEqual(['reserved', 'released RELEASED', 'reserved', 'settled'])
    })
  })

  describe('stranded', () => {
    test('behavior: a nonce that a final block used without the transfer strands the payment, which stays spent', async () => {
      const it = await start()
      await it.pulled('a', usd(5), { task: 'report' })
      const transfer = await it.signed('a', 'transfer')
      it.chain.mine([{ ...transfer, effect: { kind: 'nothing' } }])
      await it.read()
      expect(await it.status('a')).toBe('paying')
      it.chain.finalize()
      const { receipts } = await it.read()
      expect(receipts).toMatchObject([
        { event: 'stranded', note: 'STRANDED', ok: false, amount: usd(5), key: 'a' },
      ])
      expect(await it.payment('a')).toMatchObject({ pull: 'seen', transfer: 'failed', open: 0 })
      const { meters } = await it.books()
      expect(meters[Meter.total]).toBe(usd(5))
      expect(meters[Meter.labelled('task', 'report')]).toBe(usd(5))
    })

    test('behavior: the same key tries the payee again, without another pull', async () => {
      const it = await start()
      await it.pulled('a', usd(5))
      await it.strand('a')
      expect(await it.reserve('a', usd(5))).toMatchObject({ outcome: 'known' })
      await it.reopen('a')
      expect(await it.status('a')).toBe('pulled')
      it.chain.mine([await it.signed('a', 'transfer')])
      await it.read()
      it.chain.finalize()
      await it.read()
      expect(await it.payment('a')).toMatchObject({ transfer: 'seen', open: 0, failure: null })
      expect((await it.books()).meters[Meter.total]).toBe(usd(5))
      expect(await it.story()).toEqual(['reserved', 'stranded STRANDED', 'settled'])
    })

    test('behavior: what is signed is not stranded, and what is not stranded is not opened again', async () => {
      const it = await start()
      await it.pulled('a', usd(1))
      await it.sign('a', 'transfer')
      expect(await it.strand('a')).toBeUndefined()
      await it.reopen('a')
      expect(await it.status('a')).toBe('paying')
    })

    test('behavior: it stays open until its pull is final, for a reorganisation can still take that back', async () => {
      const it = await start()
      await it.pulled('a', usd(1))
      await it.strand('a')
      expect(await it.payment('a')).toMatchObject({ transfer: 'failed', open: 1 })
      it.chain.finalize()
      await it.read()
      expect(await it.payment('a')).toMatchObject({ transfer: 'failed', open: 0 })
    })

    test('behavior: where its pull is final already, it is closed at once', async () => {
      const it = await start()
      await it.pulled('a', usd(1))
      it.chain.finalize()
      await it.read()
      await it.strand('a')
      expect(await it.payment('a')).toMatchObject({ transfer: 'failed', open: 0 })
    })
  })

  test('behavior: a payee is paid from money that the agent still held, although the pull failed', async () => {
    const it = await start()
    await it.pulled('a', usd(1), { task: 'report' })
    const transfer = await it.signed('a', 'transfer')
    const [pull] = it.chain.drop(1)
    if (!pull) throw new Error('The pull was in that block.')
    it.chain.mine([{ ...pull, effect: { kind: 'nothing' } }, transfer])
    await it.read()
    expect(await it.payment('a')).toMatchObject({ pull: 'signed', transfer: 'seen' })
    it.chain.finalize()
    await it.read()
    // Nothing left the account for it, so no cap has lost anything, and the payee has its money.
    expect(await it.payment('a')).toMatchObject({ pull: 'failed', transfer: 'seen', open: 0 })
    expect(await it.status('a')).toBe('paid')
    const { meters } = await it.books()
    expect(meters).toMatchObject({ [Meter.open]: 0n, [Meter.total]: 0n, [Meter.paid]: usd(1) })
    expect(meters[Meter.labelled('task', 'report')]).toBe(usd(1))
  })
})
