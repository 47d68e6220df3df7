/** Books of one grant on a chain on paper, in the steps that a worker takes. After each the books are held to be sound. */
import { numberToHex } from 'viem'
import * as Attempt from '../../src/Attempt.js'
import * as Authorization from '../../src/Authorization.js'
import * as Book from '../../src/Book.js'
import * as Funding from '../../src/Funding.js'
import { type Grant, Permission } from '../../src/index.js'
import * as Ledger from '../../src/Ledger.js'
import type { Order } from '../../src/Order.js'
import * as Payment from '../../src/Payment.js'
import * as Settlement from '../../src/Settlement.js'
import type { FactKind, PaymentRow, Store, TransactionRow } from '../../src/Store.js'
import { define, payee } from '../core/grants.js'
import { assertSound } from './books.js'
import { Chain, freshHash, type Mined } from './chain.js'

export { other, payee } from '../core/grants.js'

/** 2030-01-01 12:00 UTC, when the chain begins. */
export const noon = Date.UTC(2030, 0, 1, 12) / 1000

export type Scene = Awaited<ReturnType<typeof scene>>

/** A grant of 10 USDC a day and 25 in all, at most 5 at once, approved, and nothing spent. */
export async function scene(
  store: Store,
  terms: Partial<Grant.DefineParams> = {},
  options: { readonly check?: boolean } = {},
) {
  const grant = define({ perCallUsd: '5', perDayUsd: '10', totalUsd: '25', ...terms })
  const permission = Permission.fromGrant(grant)
  const { grantId } = grant
  const chain = new Chain(grant, permission, noon)
  const { number, hash, time } = chain.head
  await Book.open(store, { grant, permission, start: async () => ({ number, hash, time }) })

  const books = async () => {
    const rows = await assertSound(store, grantId)
    return rows
  }
  const check = async <result>(work: Promise<result>): Promise<result> => {
    const result = await work
    if (options.check !== false) await books()
    return result
  }

  const fundedBy = grant.rail === 'direct' ? 'pull' : 'payment'
  const signing = () => ({
    grantId,
    chainNonce: chain.nonce,
    sign: async (nonce: number) => ({ raw: numberToHex(nonce), hash: freshHash() }),
  })

  const it = {
    store,
    grant,
    permission,
    chain,
    books,
    reserve: (key: string, amount: bigint, more: Partial<Order> = {}) =>
      check(Ledger.reserve(store, grantId, { key, to: payee, amount, ...more })),

    /** Reserves an authorization, which is as good as signed then. */
    authorize: (
      key: string,
      amount: bigint,
      more: Partial<Order & Authorization.Validity> = {},
      veto?: Ledger.Refusal,
    ) => {
      const { validSeconds = 60, now = 0, ...labels } = more
      const order: Order = { key, to: payee, amount, ...labels }
      return check(Authorization.reserve(store, grantId, order, { validSeconds, now }, veto))
    },
    releaseUnsent: (key: string) => check(Authorization.releaseUnsent(store, grantId, key, 'tested')),

    /** The settlement of an authorization, by whomever; `changes` where the terms are not those of the key. */
    async settled(key: string, changes: Partial<Pick<PaymentRow, 'amount' | 'payee'>> = {}): Promise<Mined> {
      const { amount, payee, ref } = await it.payment(key)
      return { hash: freshHash(), effect: { kind: 'authorization', amount, payee, ref, ...changes } }
    },
    async cancelled(key: string): Promise<Mined> {
      const { ref } = await it.payment(key)
      return { hash: freshHash(), effect: { kind: 'cancellation', ref } }
    },

    reserveFunding: (target: bigint) => check(Funding.reserve(store, grantId, { target })),
    /** A funding of what an authorization lacks. */
    reserveLacking: (lacking: bigint) => check(Funding.reserve(store, grantId, { lacking })),
    /** The key of the funding that is open. */
    funding: async () => (await store.transact(grantId, (tx) => Funding.pending(tx, grantId)))?.key ?? '',
    /** Lifts the purse to a balance, and lets the books see it. */
    async fund(target: bigint) {
      await it.reserveFunding(target)
      chain.mine([await it.signed(await it.funding(), fundedBy)])
      return it.read()
    },

    /** Signs the next leg; its hash is as random as a real one. */
    sign: (key: string, kind: TransactionRow['kind']) =>
      kind === 'payment' ? it.signBatch([key]) : check(Attempt.sign(store, { ...signing(), key, kind })),

    /** Signs payments through the guard in one transaction, as they are now or were read before; undefined where one is not due. */
    async signBatch(keys: readonly string[], asRead?: readonly PaymentRow[]) {
      const payments = asRead ?? (await Promise.all(keys.map((key) => it.payment(key))))
      const { nonce } = chain
      const isDue = (payment: PaymentRow) =>
        payment.pull === 'none' ||
        (payment.pull === 'signed' && payment.alone === 0 && (payment.nonce ?? nonce) < nonce)
      if (!payments.every(isDue)) return undefined
      const deadline = chain.head.time + Payment.lifetime
      return check(Attempt.signBatch(store, { ...signing(), payments, deadline }))
    },

    /** Signs the next leg, which has to be due, and says how it looks mined. */
    async signed(key: string, kind: FactKind): Promise<Mined> {
      const row = await it.sign(key, kind)
      if (!row) throw new Error(`The ${kind} of ${key} is not due.`)
      return it.mined(row)
    },

    /** A stored transaction as it looks mined, with what it is for. */
    async mined({ key, kind, hash, nonce }: TransactionRow): Promise<Mined> {
      const payment = await it.payment(key)
      const { amount, payee, ref, number } = payment
      if (kind === 'call') return { hash, nonce, effect: { kind: 'nothing' } }
      if (kind === 'authorization' || kind === 'cancellation') throw new Error('Nobody stores those.')
      if (kind !== 'payment') return { hash, nonce, effect: { kind, amount, payee } }
      if (number === null) throw new Error(`Payment ${key} has no number.`)
      const { target } = payment
      const lacking = target === null ? amount : target - chain.float
      return { hash, nonce, effect: { kind, amount: lacking, payee, ref, number } }
    },

    /** A reading of the chain as it is now, which asks for the numbers of all that is signed. */
    async reading() {
      const { grant, numbers, nonces } = await awaited(store, grantId)
      return chain.reading(grant.finalNumber, numbers, nonces)
    },
    /** A reading into the books, of the chain as it is now where none is given. */
    async read(reading?: Settlement.Reading): Promise<Settlement.Advance> {
      return check(Settlement.advance(store, grantId, reading ?? (await it.reading())))
    },

    release: (key: string, reason = 'tested') => check(Ledger.release(store, grantId, key, reason)),
    strand: (key: string, reason = 'tested') => check(Ledger.strand(store, grantId, key, reason)),
    reopen: (key: string) => check(Ledger.reopen(store, grantId, key)),

    payment: (key: string) => store.transact(grantId, (tx) => Payment.get(tx, grantId, key)),
    status: async (key: string) => Payment.stateOf(await it.payment(key)).status,

    /** Reserves, signs and mines the pull, and lets the books see it. */
    async pulled(key: string, amount: bigint, more: Partial<Order> = {}) {
      await it.reserve(key, amount, more)
      chain.mine([await it.signed(key, 'pull')])
      await it.read()
    },

    /** As `pulled`, and the payee's transfer too; through the guard both at once. */
    async paid(key: string, amount: bigint, more: Partial<Order> = {}) {
      if (grant.rail !== 'direct') {
        await it.reserve(key, amount, more)
        chain.mine([await it.signed(key, 'payment')])
        return it.read()
      }
      await it.pulled(key, amount, more)
      chain.mine([await it.signed(key, 'transfer')])
      return it.read()
    },

    /** The words of the receipts, from the oldest on. */
    async story(): Promise<string[]> {
      return (await books()).receipts.map(({ event, note }) => (event === note ? event : `${event} ${note}`))
    },
  }
  await it.read()
  return it
}

const awaited = (store: Store, grantId: `0x${string}`) =>
  store.transact(grantId, async (tx) => {
    const open = await tx.list('payments', { grantId, open: 1 })
    const numbers = open.flatMap(({ pull, number }) => (pull === 'signed' && number !== null ? number : []))
    const nonces = open.flatMap(({ via, pull, ref }) =>
      via === 'authorization' && pull === 'signed' ? ref : [],
    )
    return { grant: await Book.get(tx, grantId), numbers, nonces }
  })
