import { afterEach, describe, expect, test } from 'vitest'
import { Time } from '../../src/index.js'
import * as Meter from '../../src/Meter.js'
import { freshHash } from './chain.js'
import { noon, scene } from './scene.js'
import { storeKinds } from './stores.js'

const ends: (() => Promise<void> | void)[] = []
afterEach(async () => {
  for (const end of ends.splice(0)) await end()
})

const usd = (dollars: number) => BigInt(dollars) * 1_000_000n

describe.each(storeKinds)('$name', ({ create }) => {
  /** One payment that is paid, provisionally: its pull in block 1, its transfer in block 2. */
  async function paid() {
    const kind = create()
    ends.push(kind.end)
    const it = await scene(kind.open())
    await it.paid('a', usd(2), { task: 'report' })
    return it
  }

  test('behavior: the transfer is gone: the payment is open again, and settles once more', async () => {
    const it = await paid()
    const transfers = it.chain.drop(1)
    it.chain.mine()
    const { receipts } = await it.read()
    expect(receipts).toMatchObject([
      { event: 'reorged', note: 'REORGED', key: 'a', amount: usd(2), ok: false },
    ])
    expect(await it.status('a')).toBe('paying')
    it.chain.mine(transfers)
    await it.read()
    expect(await it.status('a')).toBe('paid')
    expect(await it.story()).toEqual(['reserved', 'settled', 'reorged REORGED', 'settled SETTLED_AGAIN'])
  })

  test('behavior: pull and transfer are gone: everything is reserved again and nothing is spent', async () => {
    const it = await paid()
    it.chain.drop(2)
    it.chain.mine()
    it.chain.mine()
    await it.read()
    expect(await it.payment('a')).toMatchObject({ pull: 'signed', transfer: 'signed', open: 1 })
    expect((await it.books()).meters).toEqual({
      [Meter.open]: usd(2),
      [Meter.total]: 0n,
      [Meter.day(noon)]: 0n,
      [Meter.period(it.grant.grantId, 0)]: undefined,
      [Meter.paid]: 0n,
      [Meter.sent]: 0n,
      [Meter.labelled('task', 'report')]: usd(2),
      ...Object.fromEntries(
        Object.entries((await it.books()).meters).filter(([name]) => name.startsWith('period:')),
      ),
    })
  })

  test('behavior: the pull is gone and does not come back: released, although the transfer was signed', async () => {
    const it = await paid()
    const [pull, transfer] = it.chain.drop(2)
    if (!pull || !transfer) throw new Error('Both were there.')
    it.chain.mine([
      { ...pull, effect: { kind: 'nothing' } },
      { ...transfer, effect: { kind: 'nothing' } },
    ])
    it.chain.mine()
    await it.read()
    it.chain.finalize()
    await it.read()
    expect(await it.payment('a')).toMatchObject({ pull: 'failed', transfer: 'failed', open: 0 })
    expect(await it.status('a')).toBe('released')
    expect((await it.books()).meters[Meter.labelled('task', 'report')]).toBe(0n)
    expect(await it.story()).toEqual(['reserved', 'settled', 'reorged REORGED', 'released RELEASED'])
  })

  test('behavior: both are back in another block, in between the books saw neither, or never looked', async () => {
    for (const looked of [true, false]) {
      const it = await paid()
      const both = it.chain.drop(2)
      it.chain.mine()
      it.chain.mine()
      if (looked) await it.read()
      it.chain.mine(both)
      await it.read()
      expect(await it.payment('a')).toMatchObject({ pull: 'seen', transfer: 'seen' })
      expect((await it.books()).events.map(({ blockNumber, key }) => [blockNumber, key])).toEqual([
        [3, 'a'],
        [3, 'a'],
      ])
    }
  })

  test('behavior: back on another day, it counts on that day', async () => {
    const it = await paid()
    const both = it.chain.drop(2)
    const midnight = Time.midnight(noon) + Time.day
    it.chain.mine(both, midnight)
    it.chain.mine()
    await it.read()
    const { meters } = await it.books()
    expect([meters[Meter.day(noon)], meters[Meter.day(midnight)]]).toEqual([0n, usd(2)])
  })

  test("behavior: two payments in another order, at each other's place", async () => {
    const it = await paid()
    await it.paid('b', usd(3))
    const [pullA, transferA, pullB, transferB] = it.chain.drop(4)
    if (!pullA || !transferA || !pullB || !transferB) throw new Error('All were there.')
    for (const tx of [pullB, transferB, pullA, transferA]) it.chain.mine([tx])
    await it.read()
    expect([await it.status('a'), await it.status('b')]).toEqual(['paid', 'paid'])
    expect((await it.books()).events.map(({ key, kind }) => `${kind} ${key}`)).toEqual([
      'pull b',
      'transfer b',
      'pull a',
      'transfer a',
    ])
  })

  test('behavior: a foreign pull that is gone is no longer spent', async () => {
    const it = await paid()
    it.chain.mine([{ hash: freshHash(), effect: { kind: 'pull', amount: usd(8) } }])
    await it.read()
    expect(await it.reserve('b', 1n)).toMatchObject({ outcome: 'refused' })
    it.chain.drop(1)
    it.chain.mine()
    expect((await it.read()).receipts).toMatchObject([{ event: 'reorged', amount: usd(8), key: null }])
    expect(await it.reserve('b', 1n)).toMatchObject({ outcome: 'reserved' })
  })

  test('behavior: the nonce went to another transaction in the new blocks, which is foreign; ours is released', async () => {
    const it = await paid()
    const { nonce } = it.chain.drop(2)[0] ?? {}
    if (nonce === undefined) throw new Error('The pull had a nonce.')
    it.chain.mine([{ hash: freshHash(), nonce, effect: { kind: 'pull', amount: usd(4) } }])
    it.chain.mine()
    await it.read()
    // Both count, as long as both could still be: the reservation is open, the foreign pull is on chain.
    const { meters } = await it.books()
    expect([meters[Meter.open], meters[Meter.total]]).toEqual([usd(2), usd(4)])
    it.chain.finalize()
    await it.read()
    expect(await it.payment('a')).toMatchObject({ pull: 'failed', transfer: 'signed', open: 1 })
    expect((await it.books()).meters[Meter.open]).toBe(0n)
  })

  test('behavior: what is final stays, whatever happens above it', async () => {
    const it = await paid()
    it.chain.finalize()
    await it.read()
    const before = await it.payment('a')
    it.chain.mine([{ hash: freshHash(), effect: { kind: 'pull', amount: usd(1) } }])
    await it.read()
    it.chain.drop(1)
    it.chain.mine()
    await it.read()
    expect(await it.payment('a')).toEqual(before)
    expect((await it.books()).meters[Meter.total]).toBe(usd(2))
  })

  test('behavior: the pull of a stranded payment is gone: it counts as reserved, and ends with its pull', async () => {
    const kind = create()
    ends.push(kind.end)
    const it = await scene(kind.open())
    await it.pulled('a', usd(2))
    await it.strand('a')
    const [pull] = it.chain.drop(1)
    if (!pull) throw new Error('The pull was there.')
    it.chain.mine()
    await it.read()
    expect(await it.payment('a')).toMatchObject({ pull: 'signed', transfer: 'failed', open: 1 })
    expect((await it.books()).meters[Meter.open]).toBe(usd(2))
    it.chain.mine([{ ...pull, effect: { kind: 'nothing' } }])
    it.chain.finalize()
    await it.read()
    expect(await it.payment('a')).toMatchObject({ pull: 'failed', open: 0 })
    expect(await it.status('a')).toBe('released')
    expect((await it.books()).meters[Meter.open]).toBe(0n)
  })
})
