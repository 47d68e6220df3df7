/** Random lives of the books, held after every step against a model that only adds up what the chain shows. */
import fc from 'fast-check'
import { type Hex, numberToHex } from 'viem'
import { afterEach, describe, expect, test } from 'vitest'
import * as Attempt from '../../src/Attempt.js'
import { Time } from '../../src/index.js'
import type { Leg, Store } from '../../src/Store.js'
import { type Effect, freshHash, type Mined } from './chain.js'
import { other, payee, type Scene, scene } from './scene.js'
import { storeKinds } from './stores.js'

const ends: (() => Promise<void> | void)[] = []
afterEach(async () => {
  for (const end of ends.splice(0)) await end()
})

const usd = (dollars: number) => BigInt(dollars) * 1_000_000n
const perDay = usd(10)
const total = usd(25)

const key = fc.constantFrom('a', 'b', 'c', 'd', 'e')
const dollars = fc.integer({ min: 1, max: 5 })
const command = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('reserve'), key, dollars }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('sign'), key }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('mine'), most: fc.nat(3), reverts: fc.nat(7) }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('read') }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('read behind'), blocks: fc.nat(4) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('reorg'),
      depth: fc.integer({ min: 1, max: 6 }),
      again: fc.nat(63),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('finalize'), above: fc.nat(3) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('foreign pull'), dollars, nonce: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('foreign transfer'), dollars, nonce: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('release'), key }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('strand'), key }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('reopen'), key }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('next day') }) },
)
type Command = typeof command extends fc.Arbitrary<infer value> ? value : never

type Signed = { hash: Hex; nonce: number }
/** A payment as the model knows it: what was signed for it, and what was decided for good. */
type Model = {
  amount: bigint
  pull: Signed | undefined
  transfer: Signed | undefined
  pullFailed: boolean
  transferFailed: boolean
}

class World {
  readonly it: Scene
  readonly #payments = new Map<string, Model>()
  /** Everything that was ever signed, by nonce: what is not on chain can still be mined. */
  readonly #signed: Mined[] = []
  /** The chain as the books saw it last. */
  #seen: ReturnType<Scene['chain']['reading']>

  constructor(it: Scene) {
    this.it = it
    this.#seen = it.chain.reading(0)
  }

  async step(command: Command): Promise<void> {
    await this.#run(command)
    await this.#compare()
  }

  async #run(command: Command): Promise<void> {
    const { it } = this
    const { chain } = it
    if (command.do === 'reserve') return this.#reserve(command.key, usd(command.dollars))
    if (command.do === 'sign') return this.#sign(command.key)
    if (command.do === 'mine') return this.#mine(command.most, command.reverts)
    if (command.do === 'read') {
      await it.read()
      return this.#saw(chain.reading(0))
    }
    if (command.do === 'read behind') return this.#readBehind(command.blocks)
    if (command.do === 'reorg') {
      const depth = Math.min(command.depth, chain.head.number - chain.final.number)
      if (depth === 0) return
      const dropped = chain.drop(depth)
      // As many blocks in their place, of which the first holds what is mined again, maybe in part.
      const again = dropped.filter((tx, i) => tx.nonce === undefined && (command.again >> i) % 2 === 1)
      chain.mine(again)
      for (let i = 1; i < depth; i++) chain.mine()
      return
    }
    if (command.do === 'finalize') return chain.finalize(Math.max(0, chain.head.number - command.above))
    if (command.do === 'foreign pull' || command.do === 'foreign transfer') {
      const amount = usd(command.dollars)
      const effect: Effect =
        command.do === 'foreign pull' ? { kind: 'pull', amount } : { kind: 'transfer', amount, payee: other }
      return chain.mine([{ hash: freshHash(), effect, ...(command.nonce ? { nonce: chain.nonce } : {}) }])
    }
    if (command.do === 'next day') return chain.mine([], Time.midnight(chain.head.time) + Time.day)
    const payment = this.#payments.get(command.key)
    if (!payment) return
    if (command.do === 'release') {
      if (this.#legs(payment).pull === 'none') payment.pullFailed = true
      await it.release(command.key)
    } else if (command.do === 'strand') {
      const legs = this.#legs(payment)
      if (legs.pull === 'seen' && legs.transfer === 'none') payment.transferFailed = true
      await it.strand(command.key)
    } else {
      if (this.#status(payment) === 'stranded') {
        payment.transferFailed = false
        payment.transfer = undefined
      }
      await it.reopen(command.key)
    }
  }

  async #reserve(key: string, amount: bigint) {
    const before = this.#payments.get(key)
    const { outcome } = await this.it.reserve(key, amount)
    if (before && before.amount !== amount) return expect(outcome).toBe('conflict')
    if (before && this.#status(before) !== 'released') return expect(outcome).toBe('known')
    const today = Time.midnight(this.#seen.head.time)
    const day = this.#pulled((time) => Time.midnight(time) === today) + this.#open()
    const all = this.#pulled(() => true) + this.#open()
    const fits = day + amount <= perDay && all + amount <= total
    expect(outcome).toBe(fits ? 'reserved' : 'refused')
    if (!fits) return
    this.#payments.set(key, {
      amount,
      pull: undefined,
      transfer: undefined,
      pullFailed: false,
      transferFailed: false,
    })
  }

  async #sign(key: string) {
    const payment = this.#payments.get(key)
    if (!payment) return
    const legs = this.#legs(payment)
    const kind = legs.pull === 'none' ? 'pull' : 'transfer'
    const row = await this.it.sign(key, kind)
    const due = kind === 'pull' || (legs.pull === 'seen' && legs.transfer === 'none')
    if (!due) {
      // What is signed already is handed out again.
      expect(row?.hash).toBe(legs.transfer === 'signed' ? payment.transfer?.hash : undefined)
      return
    }
    if (!row) throw new Error(`The ${kind} of ${key} was due.`)
    expect(this.#signed.some(({ nonce }) => nonce === row.nonce)).toBe(false)
    payment[kind] = { hash: row.hash, nonce: row.nonce }
    this.#signed.push(await this.it.mined(row))
  }

  /** A block with the next transactions that have their turn by nonce, some of which revert. */
  #mine(most: number, reverts: number) {
    const { chain } = this.it
    const txs: Mined[] = []
    for (let nonce = chain.nonce; txs.length < most; nonce++) {
      const next = this.#signed.find((tx) => tx.nonce === nonce)
      if (!next) break
      const reverted = (reverts >> txs.length) % 2 === 1
      txs.push(reverted ? { ...next, effect: { kind: 'nothing' } } : next)
    }
    chain.mine(txs)
  }

  /** What a sibling of the endpoint says that is some blocks behind. */
  async #readBehind(blocks: number) {
    const { it } = this
    const whole = it.chain.reading((await it.books()).grant.finalNumber)
    const number = Math.max(whole.final.number, whole.head.number - blocks)
    const head = it.chain.block(number)
    const facts = whole.facts.filter((fact) => fact.blockNumber <= number)
    const { applied } = await it.read({ ...whole, head, facts })
    expect(applied).toBe(number >= this.#seen.head.number)
    if (!applied) return
    const all = it.chain.reading(0)
    this.#saw({ ...all, head, facts: all.facts.filter((fact) => fact.blockNumber <= number) })
  }

  #saw(reading: ReturnType<Scene['chain']['reading']>) {
    this.#seen = reading
    for (const payment of this.#payments.values()) {
      const dead = (tx: Signed | undefined) =>
        tx !== undefined && tx.nonce < reading.finalNonce && !this.#isSeen(tx)
      payment.pullFailed ||= dead(payment.pull)
      payment.transferFailed ||= dead(payment.transfer)
    }
  }

  #isSeen({ hash }: Signed): boolean {
    return this.#seen.facts.some((fact) => fact.txHash === hash)
  }

  #legs(payment: Model): { pull: Leg; transfer: Leg } {
    const leg = (tx: Signed | undefined, failed: boolean): Leg =>
      failed ? 'failed' : tx === undefined ? 'none' : this.#isSeen(tx) ? 'seen' : 'signed'
    return {
      pull: leg(payment.pull, payment.pullFailed),
      transfer: leg(payment.transfer, payment.transferFailed),
    }
  }

  #status(payment: Model): string {
    const { pull, transfer } = this.#legs(payment)
    if (transfer === 'seen') return 'paid'
    if (transfer === 'signed') return 'paying'
    if (pull === 'failed') return 'released'
    if (transfer === 'failed') return 'stranded'
    return pull === 'none' ? 'reserved' : pull === 'seen' ? 'pulled' : 'pulling'
  }

  #pulled(counts: (time: number) => boolean): bigint {
    const pulls = this.#seen.facts.filter(({ kind, time }) => kind === 'pull' && counts(time))
    return pulls.reduce((sum, { amount }) => sum + amount, 0n)
  }

  #open(): bigint {
    const open = [...this.#payments.values()].filter((payment) =>
      ['none', 'signed'].includes(this.#legs(payment).pull),
    )
    return open.reduce((sum, { amount }) => sum + amount, 0n)
  }

  /** The books say of the chain what it says, and of every payment what the model says. */
  async #compare() {
    const { events, payments } = await this.it.books()
    const place = (fact: { blockHash: Hex; logIndex: number; amount: bigint; kind: string }) =>
      `${fact.blockHash} ${fact.logIndex} ${fact.kind} ${fact.amount}`
    expect(events.map(place)).toEqual(this.#seen.facts.map(place))
    const legs = payments.map(({ key, pull, transfer }) => [key, { pull, transfer }])
    const expected = [...this.#payments].map(([key, payment]) => [key, this.#legs(payment)])
    expect(Object.fromEntries(legs)).toEqual(Object.fromEntries(expected))
  }

  /** Everything becomes final: then nothing hangs but what waits for a nonce that nobody uses. */
  async end() {
    await this.step({ do: 'mine', most: 1_000, reverts: 0 })
    await this.step({ do: 'finalize', above: 0 })
    await this.step({ do: 'read' })
    for (const payment of (await this.it.books()).payments) {
      const legs = [payment.pull, payment.transfer]
      if (payment.open === 1) expect(legs.some((leg) => leg === 'signed' || leg === 'none')).toBe(true)
    }
  }
}

async function live(store: Store, commands: readonly Command[]) {
  // The model compares once after each step; the scene need not do it in between.
  const world = new World(await scene(store, {}, { check: false }))
  for (const command of commands) await world.step(command)
  await world.end()
}

describe.each(storeKinds)('$name', ({ name, create }) => {
  const { HARDCAP_SEED, HARDCAP_RUNS } = process.env
  const runs = Number(HARDCAP_RUNS ?? { memory: 300, sqlite: 20 }[name] ?? 5)
  // The same lives every time, so that a commit fails by its own doing; `npm run check:long` takes others.
  const seed = Number(HARDCAP_SEED ?? 20_301_231)

  test(`behavior: random lives, ${runs} of up to 60 steps (HARDCAP_SEED=${seed} HARDCAP_RUNS=${runs})`, async () => {
    const lives = fc.asyncProperty(fc.array(command, { maxLength: 60, size: 'max' }), async (commands) => {
      const kind = create()
      try {
        await live(kind.open(), commands)
      } finally {
        await kind.end()
      }
    })
    await fc.assert(lives, { numRuns: runs, seed })
  })
})

test('behavior: a model that is told something else than the chain says differs', async () => {
  const store = storeKinds[0]?.create().open()
  if (!store) throw new Error('There is a store.')
  const it = await scene(store)
  const world = new World(it)
  await world.step({ do: 'reserve', key: 'a', dollars: 5 })
  await Attempt.sign(store, {
    grantId: it.grant.grantId,
    key: 'a',
    kind: 'pull',
    chainNonce: 0,
    sign: async (nonce) => ({ raw: numberToHex(nonce), hash: freshHash() }),
  })
  await expect(world.step({ do: 'read' })).rejects.toThrow()
  expect(payee).not.toBe(other)
})
