/** A scenario's wallet, grant and books on a chain, the replicas that run on them, and the audit at their end. */
import { setTimeout } from 'node:timers/promises'
import type { Hex } from 'viem'
import { generatePrivateKey, type PrivateKeyAccount, privateKeyToAccount } from 'viem/accounts'
import { type Budget, Grant, GrantError, openBudget, Permission, Spm, Time } from '../../src/index.js'
import type { Base } from '../../src/testing/index.js'
import { type Row, tally } from './audit.js'
import type { Books } from './books.js'
import type { Job } from './child.js'
import { createFacilitator, type Facilitator } from './facilitator.js'
import type { Launcher, Replica } from './replica.js'
import { openStore } from './stores.js'
import { transfers } from './transfers.js'

/** An agent, the books it keeps, and the terms that they are under now. */
export type Seat = {
  readonly agentKey: Hex
  readonly agent: PrivateKeyAccount
  readonly books: Books
  terms: { readonly grant: Grant.Grant; readonly permission: Permission.Permission }
}

export type Order = Job['orders'][number]
export type World = Awaited<ReturnType<typeof createWorld>>
export type WorldOptions = {
  readonly base: Base
  readonly launcher: Launcher
  readonly books: () => Books
}

/** A payment is of this and a little more: an amount of its own for every key, by which the chain tells them apart. */
const unit = 10_000n

/** A grant of `total` and `perDay` base units on new books, approved. */
export async function createWorld(
  options: WorldOptions,
  caps: {
    readonly rail: Grant.Grant['rail']
    readonly total: bigint
    readonly perDay: bigint
    readonly maxFloat?: bigint | undefined
  },
) {
  const { base, launcher } = options
  const wallet = await base.createWallet({ usdc: 1_000_000_000n })
  const payee = privateKeyToAccount(generatePrivateKey()).address
  const first = await newSeat(options)
  const now = await base.now()
  const midnight = Time.midnight(now)
  const grant = Grant.define(
    {
      owner: wallet.address,
      agent: first.agent.address,
      rail: caps.rail,
      allow: [{ host: 'api.example.com', payTo: payee }],
      perCallUsd: '0.02',
      perDayUsd: usd(caps.perDay),
      totalUsd: usd(caps.total),
      ...(caps.maxFloat === undefined ? {} : { maxFloatUsd: usd(caps.maxFloat) }),
      startsAt: midnight * 1000,
      expiresAt: (midnight + 400 * Time.day) * 1000,
    },
    { now },
  )
  const start = await base.client.getBlockNumber()
  const seats: Seat[] = []
  const given = new Map<string, { readonly order: Order; readonly seat: Seat }>()
  const replicas: Replica[] = []
  const stopBlocks = blocks(base)
  const killed = new Set<Replica>()
  const facilitator = await createFacilitator(base)

  async function seated(seat: Omit<Seat, 'terms'>, grant: Grant.Grant): Promise<Seat> {
    const permission = Permission.fromGrant(grant)
    const made = { ...seat, terms: { grant, permission } }
    await wallet.execute([Spm.prepareApprove({ permission })])
    seats.push(made)
    return made
  }
  const main = await seated(first, grant)

  const world = {
    base,
    wallet,
    payee,
    main,
    replicas: replicas as readonly Replica[],
    kills: () => killed.size,
    /** Keys that no one asks for again, because the books have forgotten them for good. */
    forgotten: new Set<string>(),

    /** Another agent under the same grant, with books of its own: the chain holds what they spend together. */
    async join(): Promise<Seat> {
      const seat = await newSeat(options)
      return seated(seat, { ...main.terms.grant, agent: seat.agent.address })
    },

    /** New keys. */
    orders: (count: number, seat = main): Order[] =>
      Array.from({ length: count }, () => {
        const order = { key: `key-${given.size}`, to: payee, amount: String(unit + BigInt(given.size)) }
        given.set(order.key, { order, seat })
        return order
      }),

    open: (seat = main, more: { readonly firstNonce?: number } = {}) => opened(base, seat, more),

    /** Starts a replica. */
    launch(
      orders: readonly Order[],
      more: Partial<Pick<Job, 'parallel' | 'point' | 'aheadSeconds' | 'store'>> & {
        readonly seat?: Seat
      } = {},
    ): Replica {
      const { seat = main, ...job } = more
      const whole = {
        url: base.url,
        store: seat.books.place,
        grant: Grant.serialize(seat.terms.grant),
        permission: Permission.serialize(seat.terms.permission),
        agentKey: seat.agentKey,
        orders,
        parallel: false,
        aheadSeconds: 0,
        ...job,
      }
      const replica = launcher.launch(whole, (word) => {
        if (word.word === 'signed') facilitator.given(word.signed)
      })
      replicas.push(replica)
      return replica
    },

    async kill(replica: Replica): Promise<void> {
      if (replica.isOver()) return
      killed.add(replica)
      await replica.kill()
    },

    /** The owner signs for another total, and the agent puts it in the place of the one before. */
    async raise(total: bigint): Promise<void> {
      const { grant, permission } = main.terms
      const raised = { ...grant, total }
      const renewed = Permission.fromGrant(raised, { replaces: Permission.hash(permission) })
      const signature = await Permission.sign(wallet.account, renewed)
      const { budget, close } = await world.open()
      await budget.replace({ grant: raised, permission: renewed, signature })
      await close()
      main.terms = { grant: raised, permission: renewed }
    },

    /** Every transfer to the payee, and every one out of the account, as the token tells. */
    transfers: async () => ({
      received: await transfers(base, { to: payee }, start),
      left: await transfers(base, { from: wallet.address }, start),
    }),

    /**
     * Has every order come to its end, then holds everything against the chain's own events.
     * @throws Error where a replica failed
     */
    async audit(): Promise<Omit<Row, 'scenario'>> {
      for (const replica of replicas) {
        const failed = replica.words.find(({ word }) => word === 'failed')
        if (failed?.word === 'failed') throw new Error(`A replica failed: ${failed.why}`)
        if (!replica.isOver()) throw new Error('A replica still runs.')
        if (!killed.has(replica) && !replica.words.some(({ word }) => word === 'done'))
          throw new Error('A replica ended without a word.')
      }
      const told = replicas.flatMap(({ words }) => words)
      const toldPaid = new Set(told.flatMap((word) => (word.word === 'paid' ? [word.key] : [])))
      const endless = new Set<string>()
      const books = await Promise.all(seats.map((seat) => world.open(seat)))
      for (const [key, { order, seat }] of given) {
        const budget = books[seats.indexOf(seat)]?.budget
        if (!budget || world.forgotten.has(key)) continue
        const end = await settle({ base, budget, facilitator }, order)
        if (end === 'paid') toldPaid.add(key)
        if (end === 'open') endless.add(key)
      }
      await facilitator.idle()
      await stopBlocks()
      await base.finalize()
      const said = []
      for (const { budget, close } of books) {
        await budget.sync()
        const { equal } = await budget.verify()
        const { reserved, ...totals } = await budget.totals()
        said.push({ ...totals, reserved: reserved + (await budget.float()).held, equal })
        await close()
      }
      const { total, perDay } = main.terms.grant
      if (total === null || perDay === null) throw new Error('The grant has both caps.')
      const orders = new Map([...given].map(([key, { order }]) => [key, BigInt(order.amount)]))
      const seen = await world.transfers()
      return tally({
        total,
        perDay,
        orders,
        toldPaid,
        endless,
        forgotten: world.forgotten,
        books: said,
        ...seen,
      })
    },

    async end(): Promise<void> {
      await stopBlocks()
      for (const replica of replicas) if (!replica.isOver()) await replica.kill()
      for (const { books } of seats) await books.end()
    },
  }
  return world
}

/** Blocks come without transactions too, or nothing would become final for whoever waits. Returns what ends them. */
function blocks(base: Base): () => Promise<void> {
  let isOver = false
  const coming = (async () => {
    while (!isOver) {
      await base.mine()
      await setTimeout(250)
    }
  })()
  return async () => {
    isOver = true
    await coming
  }
}

async function newSeat({ base, books }: WorldOptions): Promise<Omit<Seat, 'terms'>> {
  const agentKey = generatePrivateKey()
  const agent = privateKeyToAccount(agentKey)
  await base.fundEth(agent.address, 10n ** 19n)
  return { agentKey, agent, books: books() }
}

async function opened(base: Base, seat: Seat, more: { readonly firstNonce?: number }) {
  const store = openStore(seat.books.place)
  const { agent, terms } = seat
  const budget = await openBudget(base.client, { ...terms, ...more, agent, store, pollMs: 150 })
  const close = async () => {
    await budget.close()
    await store.close()
  }
  return { budget, close }
}

/** Spends until the order is paid, or is refused for good. What was released is tried again. */
async function settle(
  { base, budget, facilitator }: { base: Base; budget: Budget; facilitator: Facilitator },
  order: Order,
): Promise<'paid' | 'refused' | 'open'> {
  const { key, to } = order
  const amount = BigInt(order.amount)
  for (let attempt = 0; attempt < 20; attempt++) {
    let again = 0
    try {
      const signal = AbortSignal.timeout(15_000)
      if (budget.grant.maxFloat === null) {
        await budget.spend({ key, to, amount }, { signal })
        return 'paid'
      }
      const authorized = await budget.authorize({ key, to, amount }, { validSeconds: 300, signal })
      if (authorized.settled) return 'paid'
      const given = { ...authorized, amount: order.amount, token: budget.grant.token.address }
      await facilitator.settle({ ...given, signature: await budget.sign(key) })
      await budget.sync()
      if ((await budget.payment(key))?.status === 'paid') return 'paid'
    } catch (error) {
      if (error instanceof GrantError) {
        // No cap renews in time for it.
        if (error.code === 'BUDGET_EXCEEDED' && error.retryAt === undefined) return 'refused'
        again = error.retryAt ?? 0
      } else if (!(error instanceof DOMException)) throw error
    }
    // What still may land has to be waited for: time passes, and it is final.
    const later = (await base.now()) + 7_200
    await base.warp(again > later ? again : later)
    await base.finalize()
    await budget.sync()
  }
  return 'open'
}

function usd(units: bigint): string {
  return `${units / 1_000_000n}.${String(units % 1_000_000n).padStart(6, '0')}`
}
