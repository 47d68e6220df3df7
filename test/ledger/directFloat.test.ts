// Authorizations on the direct rail: the agent's own address pays them, filled by pulls.
import { afterEach, describe, expect, test } from 'vitest'
import type { Grant } from '../../src/index.js'
import * as Meter from '../../src/Meter.js'
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
    return scene(kind.open(), { rail: 'direct', maxFloatUsd: '4', perCallUsd: '3', ...terms })
  }

  async function funded(float = usd(4), terms: Partial<Grant.DefineParams> = {}) {
    const it = await start(terms)
    await it.fund(float)
    return it
  }

  const meters = async (it: Scene) => {
    const { meters } = await it.books()
    const read = (name: string) => meters[name] ?? 0n
    const [held, open, total] = [Meter.held, Meter.open, Meter.total].map(read)
    return { held, open, total, carried: read(Meter.carried), paid: read(Meter.paid) }
  }

  /** What another authorization can have. */
  async function left(it: Scene): Promise<bigint> {
    const answer = await it.authorize('left', usd(3))
    if (answer.outcome === 'short') return answer.refusal.figures.balance as bigint
    throw new Error(`There was enough: ${answer.outcome}.`)
  }

  test('default', async () => {
    const it = await start()
    expect(await it.authorize('a', usd(2))).toMatchObject({
      outcome: 'short',
      refusal: { code: 'FLOAT_LOW', figures: { balance: 0n } },
    })
    await it.reserveFunding(usd(4))
    const key = await it.funding()
    const { agent } = it.grant
    expect(await it.payment(key)).toMatchObject({ amount: usd(4), payee: agent, number: null, target: null })
    expect(await meters(it)).toMatchObject({ open: usd(4), total: 0n })
    it.chain.mine([await it.signed(key, 'pull')])
    expect((await it.read()).receipts).toMatchObject([{ event: 'settled', note: 'FUNDED', amount: usd(4) }])
    expect(await it.authorize('a', usd(2))).toMatchObject({
      outcome: 'reserved',
      payment: { payer: agent, payee, amount: usd(2), deadline: it.chain.head.time + 60 },
    })
    it.chain.mine([await it.settled('a')])
    await it.read()
    expect(await it.status('a')).toBe('paid')
    expect(await meters(it)).toEqual({ held: 0n, open: 0n, total: usd(4), carried: 0n, paid: usd(2) })
    expect(await left(it)).toBe(usd(2))
    expect(await it.story()).toEqual(['reserved FUNDING', 'settled FUNDED', 'reserved', 'settled'])
  })

  test('behavior: what is released stays in the float, and the next call has it', async () => {
    const it = await funded(usd(3))
    await it.authorize('a', usd(3))
    it.chain.mine([], noon + 600)
    it.chain.finalize()
    await it.read()
    expect(await it.status('a')).toBe('released')
    expect(await it.authorize('b', usd(3))).toMatchObject({ outcome: 'reserved' })
    expect(await meters(it)).toMatchObject({ held: usd(3), total: usd(3), open: 0n })
  })

  test.each([
    ['within', usd(3), 'reserved'],
    ['at', usd(4), 'reserved'],
    ['one unit over', usd(4) + 1n, 'refused'],
  ] as const)('behavior: it is filled %s what the grant names', async (_, target, outcome) => {
    const it = await start()
    expect((await it.reserveFunding(target)).outcome).toBe(outcome)
  })

  test('behavior: what is held counts as being there, and a pull takes what is missing to the unit', async () => {
    const it = await funded(usd(3))
    await it.authorize('a', usd(2))
    expect(await it.reserveFunding(usd(4) + 1n)).toMatchObject({ refusal: { cap: 'maxFloat' } })
    await it.reserveFunding(usd(4))
    expect((await it.payment(await it.funding())).amount).toBe(usd(1))
    // Whatever is settled before it.
    await it.authorize('b', usd(1))
    expect((await it.payment(await it.funding())).amount).toBe(usd(1))
  })

  test.each([
    ['within', usd(1), 'reserved'],
    ['at', usd(2), 'reserved'],
    ['one unit over', usd(2) + 1n, 'refused'],
  ] as const)('behavior: pulls count against the day, %s it', async (_, lacking, outcome) => {
    const it = await start({ perDayUsd: '6' })
    await it.paid('s', usd(3))
    await it.fund(usd(1))
    await it.authorize('a', usd(1))
    const answer = await it.reserveFunding(usd(1) + lacking)
    expect(answer.outcome).toBe(outcome)
    if (answer.outcome === 'refused') expect(answer.refusal).toMatchObject({ cap: 'perDay' })
  })

  describe('what is on its way through the agent to a payee is no float', () => {
    test('behavior: pulled, being sent, sent', async () => {
      const it = await funded(usd(2))
      await it.pulled('s', usd(3))
      expect([await left(it), (await meters(it)).carried]).toEqual([usd(2), usd(3)])
      const sent = await it.signed('s', 'transfer')
      expect(await left(it)).toBe(usd(2))
      it.chain.mine([sent])
      await it.read()
      expect([await left(it), (await meters(it)).carried]).toEqual([usd(2), 0n])
    })

    test('behavior: stranded, for good', async () => {
      const it = await funded(usd(2))
      await it.pulled('s', usd(3))
      await it.strand('s')
      it.chain.mine()
      it.chain.finalize()
      await it.read()
      expect(await left(it)).toBe(usd(2))
      await it.reopen('s')
      it.chain.mine([await it.signed('s', 'transfer')])
      await it.read()
      expect([await left(it), (await meters(it)).carried]).toEqual([usd(2), 0n])
    })

    test('behavior: a transfer whose pull was taken back may take of the float', async () => {
      const it = await funded(usd(2))
      it.chain.finalize()
      await it.pulled('s', usd(1))
      const sent = await it.signed('s', 'transfer')
      const [pull] = it.chain.drop(1)
      it.chain.mine()
      await it.read()
      expect(await left(it)).toBe(usd(1))
      it.chain.mine([sent])
      await it.read()
      expect([await left(it), (await meters(it)).carried]).toEqual([usd(1), 0n])
      if (pull) it.chain.mine([pull])
      await it.read()
      expect([await it.status('s'), await left(it)]).toEqual(['paid', usd(2)])
    })
  })

  test('behavior: what others gave to the agent is none', async () => {
    const it = await funded(usd(1))
    it.chain.given = usd(50)
    it.chain.mine()
    await it.read()
    expect(await left(it)).toBe(usd(1))
  })

  test('behavior: what a thief took is gone', async () => {
    const it = await funded(usd(4))
    it.chain.mine([{ hash: freshHash(), effect: { kind: 'transfer', amount: usd(3), payee: other } }])
    await it.read()
    expect(await left(it)).toBe(usd(1))
  })

  test('behavior: a funding that a reorganisation took back is sent again, and takes the same', async () => {
    const it = await start()
    it.chain.finalize()
    await it.reserveFunding(usd(4))
    const key = await it.funding()
    const pull = await it.signed(key, 'pull')
    it.chain.mine([pull])
    await it.read()
    it.chain.drop(1)
    it.chain.mine()
    expect((await it.read()).receipts).toMatchObject([{ event: 'reorged', key }])
    expect(await left(it)).toBe(0n)
    expect(await meters(it)).toMatchObject({ open: usd(4), total: 0n })
    it.chain.mine([pull])
    await it.read()
    expect(await it.payment(key)).toMatchObject({ pull: 'seen', transfer: 'seen', amount: usd(4) })
  })

  test('behavior: a funding that reverted is released', async () => {
    const it = await start()
    await it.reserveFunding(usd(4))
    const key = await it.funding()
    const row = await it.sign(key, 'pull')
    it.chain.mine([{ hash: freshHash(), nonce: row?.nonce ?? 0, effect: { kind: 'nothing' } }])
    it.chain.finalize()
    await it.read()
    expect(await it.payment(key)).toMatchObject({ pull: 'failed', transfer: 'none', open: 0 })
    expect(await meters(it)).toMatchObject({ open: 0n })
    expect(await it.reserveFunding(usd(4))).toMatchObject({ outcome: 'reserved' })
  })

  test('behavior: it ends with the permission at the latest', async () => {
    const it = await funded(usd(3))
    const { end } = it.permission
    it.chain.mine([], end - 10)
    await it.read()
    await it.authorize('a', usd(1))
    expect((await it.payment('a')).deadline).toBe(end)
  })

  test('behavior: on the way to the head nothing is authorized, and nothing pulled', async () => {
    const it = await funded()
    it.chain.mine()
    const { payer: _, ...partial } = await it.reading()
    await Settlement.advance(it.store, it.grant.grantId, partial)
    // A pull now would fill it twice.
    const unseen = { outcome: 'refused', refusal: { code: 'CHAIN_UNSEEN', retryable: true } }
    expect(await it.authorize('a', 1n)).toMatchObject(unseen)
    expect(await it.reserveFunding(usd(4))).toMatchObject(unseen)
    expect(await it.reserveLacking(1n)).toMatchObject(unseen)
    await assertSound(it.store, it.grant.grantId)
  })

  test('error: a grant that names no float', async () => {
    const kind = create()
    ends.push(kind.end)
    const it = await scene(kind.open(), { rail: 'direct' })
    await expect(it.authorize('a', 1n)).rejects.toMatchObject({ code: 'MISMATCH' })
    await expect(it.reserveFunding(1n)).rejects.toMatchObject({ code: 'MISMATCH' })
  })
})
