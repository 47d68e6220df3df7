/**
 * Books with a float, the chain that they follow, and what must hold of both. The chain on paper keeps the token's and the
 * guard's rules: a nonce is used once, an authorization settles before its last second and out of what is there, a funding
 * lifts to its target.
 */
import type { Hex, LocalAccount } from 'viem'
import { expect } from 'vitest'
import * as Authorization from '../../src/Authorization.js'
import { Time } from '../../src/index.js'
import * as Payment from '../../src/Payment.js'
import type { Reading } from '../../src/Settlement.js'
import type { PaymentRow, TransactionRow } from '../../src/Store.js'
import { type Effect, freshHash, type Mined } from './chain.js'
import { type Command, maxFloat, perDay, type Rail, total, usd } from './floatLife.js'
import { other, type Scene } from './scene.js'

/** What a merchant can have the token do. */
type Signature = Pick<PaymentRow, 'key' | 'ref' | 'payee' | 'amount'> & { readonly deadline: number }
const sum = (amounts: readonly { readonly amount: bigint }[]) =>
  amounts.reduce((sum, { amount }) => sum + amount, 0n)

export class World {
  readonly it: Scene
  readonly #rail: Rail
  readonly #signatures: Signature[] = []
  readonly #submitted: TransactionRow[] = []
  #seen: Reading
  #isCalm = true
  #isRobbed = false

  constructor(it: Scene, rail: Rail) {
    this.it = it
    this.#rail = rail
    this.#seen = it.chain.reading(0)
  }

  async step(command: Command): Promise<void> {
    await this.#run(command)
    await this.#compare()
  }

  async #run(command: Command): Promise<void> {
    const { it } = this
    const { chain } = it
    if (command.do === 'authorize') return this.#authorize(command.key, usd(command.dollars), command.seconds)
    if (command.do === 'pay') {
      await this.#authorize(command.key, usd(command.dollars), command.seconds)
      return this.#run({ do: 'sign', key: command.key })
    }
    if (command.do === 'submit') return this.#submit(command.nth)
    if (command.do === 'mine') return this.#mine(command.most, command.reverts)
    if (command.do === 'read') return this.#read()
    if (command.do === 'finalize') return chain.finalize(Math.max(0, chain.head.number - command.above))
    if (command.do === 'wait') return chain.mine([], chain.head.time + command.seconds)
    if (command.do === 'spend') return void (await it.reserve(command.key, usd(command.dollars)))
    if (command.do === 'give') {
      chain.given += usd(command.dollars)
      return
    }
    if (command.do === 'fund') {
      const amount = usd(command.dollars)
      return void (await (command.lacking ? it.reserveLacking(amount) : it.reserveFunding(amount)))
    }
    if (command.do === 'fill') {
      await it.reserveLacking(usd(command.dollars))
      await this.#submit(0)
      await this.#mine(1, 0)
      return this.#read()
    }
    if (command.do === 'settle') {
      const signature = this.#signatures.at(-1 - (command.nth % Math.max(1, this.#signatures.length)))
      return signature && this.#include([settling(signature)])
    }
    if (command.do === 'read in part') return this.#readInPart(command.without)
    if (command.do === 'reorg') {
      const depth = Math.min(command.depth, chain.head.number - chain.final.number)
      if (depth === 0) return
      this.#isCalm = false
      const dropped = chain.drop(depth).filter(({ nonce }) => nonce === undefined)
      this.#include(dropped.filter((_, i) => (command.again >> i) % 2 === 1))
      for (let i = 1; i < depth; i++) chain.mine()
      return
    }
    if (command.do === 'steal') {
      this.#isRobbed = true
      const ref = command.ref ? freshHash() : ((await this.#payment(command.key))?.ref ?? freshHash())
      const amount = usd(command.dollars)
      return this.#include([settling({ key: '', ref, payee: other, amount, deadline: Time.max })])
    }
    const payment = await this.#payment(command.key)
    if (payment?.via !== 'authorization') return
    if (command.do === 'cancel') return this.#include([await it.cancelled(command.key)])
    if (command.do === 'give up') {
      const isUnsent = payment.pull === 'signed' && payment.alone === 1
      return expect((await it.releaseUnsent(command.key)) !== undefined).toBe(isUnsent)
    }
    await this.#sign(payment)
  }

  #payments(): Promise<PaymentRow[]> {
    const { store, grant } = this.it
    return store.transact(grant.grantId, (tx) => tx.list('payments', { grantId: grant.grantId }))
  }

  async #payment(key: string): Promise<PaymentRow | undefined> {
    return (await this.#payments()).find((payment) => payment.key === key)
  }

  /** What the float has for one more, by what the books have read. */
  async #free(): Promise<bigint> {
    const { facts, payer } = this.#seen
    const payments = await this.#payments()
    const of = (kind: string) => sum(facts.filter((fact) => fact.kind === kind))
    const held = payments.filter(({ via, pull }) => via === 'authorization' && pull === 'signed')
    const there = payer?.balance ?? 0n
    if (this.#rail === 'purse') return payer?.fundedBy ? there - sum(held) : -sum(held)
    const pulled = of('pull') - of('transfer') - of('authorization')
    const carried = payments.filter(
      ({ via, pull, transfer }) =>
        via === 'direct' && transfer !== 'seen' && (pull === 'seen' || transfer === 'signed'),
    )
    return (pulled < there ? pulled : there) - sum(carried) - sum(held)
  }

  async #authorize(key: string, amount: bigint, validSeconds: number) {
    const before = await this.#payment(key)
    const free = await this.#free()
    const isFilling = (await this.it.funding()) !== ''
    const answer = await this.it.authorize(key, amount, { validSeconds })
    if (before && before.amount !== amount) return expect(answer.outcome).toBe('conflict')
    if (before && Payment.stateOf(before).status !== 'released') return expect(answer.outcome).toBe('known')
    if (answer.outcome === 'reserved') return expect(amount <= free).toBe(true)
    if (answer.outcome === 'short') return expect(amount > free).toBe(true)
    if (answer.outcome !== 'refused') throw new Error(`A key that nobody has used is ${answer.outcome}.`)
    const { code } = answer.refusal
    if (code === 'KEY_ENDED')
      return expect(this.#seen.facts.some(({ ref }) => ref === before?.ref)).toBe(true)
    // A purse's funding on its way would take more than a cap.
    if (code === 'BUDGET_EXCEEDED') return expect([this.#rail, isFilling]).toEqual(['purse', true])
    expect([code, amount > usd(5)]).toEqual(['OVER_PER_CALL', true])
  }

  async #sign(payment: PaymentRow) {
    const { it } = this
    const { key, deadline } = payment
    const { agent: address } = it.grant
    const agent = { address, signTypedData: async () => '0x11' } as unknown as LocalAccount
    const signed = Authorization.sign(it.store, it.grant.grantId, key, agent)
    if (payment.pull === 'failed') return expect(signed).rejects.toMatchObject({ code: 'RELEASED' })
    await signed
    if (deadline === null) throw new Error('An authorization has a last second.')
    this.#signatures.push({ ...payment, deadline })
  }

  /** Signs the next step of something that is open. */
  async #submit(nth: number) {
    const due = (await this.#payments()).filter(
      (payment) => payment.open === 1 && (payment.pull === 'none' || Payment.isTransferDue(payment)),
    )
    const payment = due[nth % Math.max(1, due.length)]
    if (!payment) return
    const leg = Payment.isTransferDue(payment) ? 'transfer' : Payment.legsOf(payment)[0]
    const row = leg && (await this.it.sign(payment.key, leg))
    if (row) this.#submitted.push(row)
  }

  /** A block with the agent's next transactions by nonce, some of which run out of gas. */
  async #mine(most: number, reverts: number) {
    const txs: Mined[] = []
    const first = this.it.chain.nonce
    for (let nonce = first; nonce < first + most; nonce++) {
      const row = this.#submitted.find((row) => row.nonce === nonce)
      if (!row) break
      const tx = await this.it.mined(row)
      const { target, deadline } = await this.it.payment(row.key)
      txs.push((reverts >> (nonce - first)) % 2 === 1 ? { ...tx, effect: { kind: 'nothing' } } : tx)
      // One to a block: what a funding takes depends on what is there.
      this.#include(txs.splice(0), { target, deadline })
    }
    if (this.it.chain.nonce === first) this.it.chain.mine()
  }

  /** As token and guard take them; one that they refuse is there, and does nothing. */
  #include(txs: readonly Mined[], { target = null, deadline = null }: Partial<PaymentRow> = {}) {
    const { chain } = this.it
    const time = chain.head.time + 2
    const used = new Set<Hex>()
    let float = chain.float
    const done = txs.map((tx): Mined => {
      const effect = this.#effect(tx.effect, { time, used, float, target, deadline, signed: tx })
      const { kind } = effect
      if (kind === 'authorization' || kind === 'cancellation') used.add(effect.ref)
      if (kind === 'authorization' || kind === 'transfer') float -= effect.amount
      return { ...tx, effect }
    })
    chain.mine(done, time)
  }

  #effect(
    effect: Effect,
    at: { time: number; used: Set<Hex>; float: bigint; signed: Mined } & Pick<
      PaymentRow,
      'target' | 'deadline'
    >,
  ): Effect {
    const { chain } = this.it
    const nothing = { kind: 'nothing' } as const
    if (effect.kind === 'authorization' || effect.kind === 'cancellation') {
      if (chain.isNonceUsed(effect.ref) || at.used.has(effect.ref)) return nothing
      if (effect.kind === 'cancellation') return effect
      const until = deadlines.get(at.signed.hash) ?? 0
      return at.time < until && effect.amount <= at.float ? effect : nothing
    }
    if (effect.kind === 'transfer') return effect.amount <= at.float ? effect : nothing
    if (effect.kind !== 'payment') return effect
    if (at.time >= (at.deadline ?? 0) || (effect.number && chain.isUsed(effect.number))) return nothing
    const taken = at.target === null ? effect : { ...effect, amount: at.target - at.float }
    if (taken.amount <= 0n) return nothing
    const spent = chain.reading(0).facts.filter(({ kind }) => kind === 'payment')
    const today = spent.filter(({ time }) => Time.midnight(time) === Time.midnight(at.time))
    if (sum(today) + taken.amount <= perDay && sum(spent) + taken.amount <= total) return taken
    // What the books reserve fits, unless a thief has emptied the purse behind their back: then the guard refuses.
    expect(this.#isRobbed).toBe(true)
    return nothing
  }

  async #read() {
    const reading = await this.it.reading()
    expect((await this.it.read(reading)).applied).toBe(reading.head.number >= this.#seen.head.number)
    if (reading.head.number >= this.#seen.head.number) this.#seen = this.it.chain.reading(0)
  }

  /** It has to be noticed where the nonce or number that is missing was asked for, and may not be otherwise. */
  async #readInPart(without: number) {
    const whole = await this.it.reading()
    const facts = whole.facts.filter((_, i) => (without >> i) % 2 === 0)
    const missing = whole.facts.filter((fact) => !facts.includes(fact))
    const isAsked = ({ ref, number, payer }: (typeof missing)[number]) =>
      (number !== null && whole.numbers.has(number)) ||
      (payer !== null && ref !== null && whole.nonces.has(ref))
    if (missing.some(isAsked)) expect((await this.it.read({ ...whole, facts })).applied).toBe(false)
  }

  async #compare() {
    const { events, payments } = await this.it.books()
    const place = (fact: { blockHash: Hex; logIndex: number; amount: bigint }) =>
      `${fact.blockHash} ${fact.logIndex} ${fact.amount}`
    expect(events.map(place)).toEqual(this.#seen.facts.map(place))

    const { chain } = this.it
    const { facts } = chain.reading(0)
    const spent = facts.filter(({ kind }) => kind === 'pull' || kind === 'payment')
    expect(sum(spent) <= total).toBe(true)
    for (const { time } of spent) {
      const isSameDay = (fact: { time: number }) => Time.midnight(fact.time) === Time.midnight(time)
      expect(sum(spent.filter(isSameDay)) <= perDay).toBe(true)
    }
    if (this.#rail === 'direct' && this.#isCalm) {
      const spends = payments.filter(({ via }) => via === 'direct')
      const moving = sum(spends.filter(({ pull, transfer }) => pull !== 'none' && transfer !== 'seen'))
      expect(chain.float - chain.given <= maxFloat + moving).toBe(true)
    }
    for (const { key, ref, amount, deadline } of this.#signatures) {
      const payment = payments.find((payment) => payment.key === key)
      const isReserved =
        payment?.amount === amount && payment.deadline === deadline && payment.pull !== 'failed'
      const isUsed = facts.some((fact) => fact.ref === ref && fact.blockNumber <= chain.final.number)
      expect([key, isReserved || isUsed || chain.final.time >= deadline]).toEqual([key, true])
    }
  }

  /** Everything is final, and every last second over: then nothing is held, and nothing waits but what nobody signed. */
  async end() {
    await this.step({ do: 'mine', most: 1_000, reverts: 0 })
    // Longer than a reorganisation can have taken back.
    await this.step({ do: 'wait', seconds: 10 * Time.day })
    // Twice: what a reorganisation took back is asked for by the reading after the one that noticed it.
    for (let n = 0; n < 2; n++) {
      await this.step({ do: 'mine', most: 0, reverts: 0 })
      await this.step({ do: 'finalize', above: 0 })
      await this.step({ do: 'read' })
    }
    const { payments, meters } = await this.it.books()
    expect(meters.held ?? 0n).toBe(0n)
    for (const { via, pull } of payments) if (via === 'authorization') expect(pull).not.toBe('signed')
  }
}

/** Until when the token settles what a transaction carries. */
const deadlines = new Map<Hex, number>()

function settling({ ref, amount, payee, deadline }: Signature): Mined {
  const hash = freshHash()
  deadlines.set(hash, deadline)
  return { hash, effect: { kind: 'authorization', ref, amount, payee } }
}
