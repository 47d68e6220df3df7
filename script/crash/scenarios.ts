/** What can happen to an agent's service. */
import { setTimeout } from 'node:timers/promises'
import { Time } from '../../src/index.js'
import type { Row } from './audit.js'
import { narrow, type Point } from './points.js'
import type { Replica } from './replica.js'
import { createWorld, type Order, type World, type WorldOptions } from './world.js'

export type Options = WorldOptions & {
  /** How often replicas are to be killed in this round, and how often they were in the ones before. */
  readonly kills: number
  readonly before: number
  /** From 0 up to 1. */
  readonly random: () => number
}
export type Outcome = Omit<Row, 'scenario'> & { readonly kills: number }
export type Store = 'SQLite' | 'PostgreSQL'
export type Scenario = {
  readonly name: string
  /** Between hosts only PostgreSQL can be shared. */
  readonly stores: readonly Store[]
  /** Those of the short form, where it takes fewer. */
  readonly short?: readonly Store[]
  /** How many of the kills it takes, in shares. */
  readonly share: number
  readonly round: (options: Options) => Promise<Outcome>
}

const both = ['SQLite', 'PostgreSQL'] as const
const rails = ['guard', 'direct'] as const

/** Orders of a round, each of a cent and a little: more where more is killed, so that there is always something to pay. */
const countOf = ({ kills }: Options) => kills + 4
/** For three quarters of so many orders, and not for one more; a day is no limit unless said otherwise. */
const capsOf = (count: number) => ({ total: centsOf(Math.floor((count * 3) / 4)), perDay: 10_000_000n })
const centsOf = (count: number) => BigInt(count) * 10_000n + 5_000n

export const scenarios: readonly Scenario[] = [
  ...rails.map(
    (rail): Scenario => ({
      name: `killed at every point, ${rail} rail`,
      stores: both,
      short: [rail === 'guard' ? 'SQLite' : 'PostgreSQL'],
      share: 2,
      round: (options) =>
        within(options, { rail, ...capsOf(countOf(options)) }, async (world) => {
          const orders = world.orders(countOf(options))
          for (const point of await pointsOf(world, rail, options)) {
            const replica = world.launch(orders, { point })
            await replica.until('here')
            await world.kill(replica)
          }
          await Promise.all(
            three(() => world.launch(shuffled(orders, options.random))).map(({ ended }) => ended),
          )
        }),
    }),
  ),
  ...rails.map(
    (rail): Scenario => ({
      name: `three replicas killed at random, ${rail} rail`,
      stores: both,
      short: rail === 'guard' ? ['SQLite'] : [],
      share: 1,
      round: (options) =>
        within(options, { rail, ...capsOf(countOf(options)) }, async (world) => {
          const orders = world.orders(countOf(options))
          const { random } = options
          // Some ask for all at once, which is when a cap could be overrun.
          await murder(world, options, () =>
            world.launch(shuffled(orders, random), { parallel: random() < 0.3 }),
          )
        }),
    }),
  ),
  ...rails.map(
    (rail): Scenario => ({
      name: `ten replicas with the same orders, ${rail} rail`,
      stores: both,
      short: rail === 'guard' ? [] : ['PostgreSQL'],
      share: 0,
      round: (options) =>
        within(options, { rail, ...capsOf(4) }, async (world) => {
          const orders = world.orders(4)
          const start = () => world.launch(shuffled(orders, options.random))
          const replicas = Array.from({ length: 10 }, start)
          await Promise.all(replicas.map(({ ended }) => ended))
        }),
    }),
  ),
  ...rails.map(
    (rail): Scenario => ({
      name: `ten parallel calls in one process, ${rail} rail`,
      stores: both,
      short: rail === 'guard' ? ['SQLite'] : [],
      share: 0,
      round: (options) =>
        // Three on the first day and two on the next, when on the direct rail the total is the process's alone to hold.
        within(options, { rail, total: centsOf(5), perDay: centsOf(3) }, async (world) => {
          const { base } = world
          const orders = world.orders(10)
          await world.launch(orders, { parallel: true }).ended
          await base.warp(Time.midnight(await base.now()) + Time.day)
          await world.launch(orders, { parallel: true }).ended
        }),
    }),
  ),
  {
    name: 'clocks jump between kills',
    stores: both,
    short: ['SQLite'],
    share: 1,
    round: (options) =>
      within(options, { rail: 'guard', ...capsOf(countOf(options)), perDay: centsOf(3) }, async (world) => {
        const { base } = world
        const { random } = options
        const orders = world.orders(countOf(options))
        // The clock of a machine may be wrong by less than the ten minutes that a signature holds.
        const start = () =>
          world.launch(shuffled(orders, random), { aheadSeconds: Math.round((random() - 0.5) * 1_080) })
        await murder(world, options, start, async () => {
          const jump = Math.floor(random() * (random() < 0.5 ? 1_300 : 1.2 * Time.day))
          await base.warp((await base.now()) + 60 + jump)
        })
      }),
  },
  {
    name: 'two agents under one grant, killed at random',
    stores: both,
    short: ['PostgreSQL'],
    share: 1,
    round: (options) =>
      within(options, { rail: 'guard', ...capsOf(countOf(options)) }, async (world) => {
        const sibling = await world.join()
        const seats = [world.main, sibling, world.main]
        const orders = new Map(
          [world.main, sibling].map((seat) => [seat, world.orders(Math.ceil(countOf(options) / 2), seat)]),
        )
        await murder(world, options, (n) => {
          const seat = seats[n] ?? world.main
          return world.launch(shuffled(orders.get(seat) ?? [], options.random), { seat })
        })
      }),
  },
  {
    name: 'the total raised under way',
    stores: both,
    short: ['SQLite'],
    share: 1,
    round: (options) =>
      within(options, { rail: 'guard', ...capsOf(countOf(options)), total: centsOf(2) }, async (world) => {
        const orders = world.orders(countOf(options))
        let left = Math.ceil(options.kills / 2)
        const start = () => world.launch(shuffled(orders, options.random))
        await murder(world, options, start, async () => {
          left -= 1
          if (left !== 0) return
          // Terms that were replaced open nothing any more; who has opened goes on with the new ones.
          await Promise.all(world.replicas.map((replica) => replica.until('opened')))
          await world.raise(capsOf(countOf(options)).total)
        })
      }),
  },
  ...rails.map(
    (rail): Scenario => ({
      name: `restored from an old backup, ${rail} rail`,
      stores: both,
      short: [rail === 'guard' ? 'PostgreSQL' : 'SQLite'],
      share: 1,
      round: (options) =>
        within(options, { rail, ...capsOf(countOf(options) + 4) }, (world) => restored(world, options)),
    }),
  ),
  {
    name: 'three hosts far from their store, killed at random',
    stores: ['PostgreSQL'],
    share: 1,
    round: (options) =>
      within(options, { rail: 'guard', ...capsOf(countOf(options)) }, async (world) => {
        const orders = world.orders(countOf(options))
        const { books } = world.main
        const stores = await Promise.all([2, 10, 25].map((delayMs) => books.distant(delayMs)))
        await murder(world, options, (n) => {
          const store = stores[n]
          return world.launch(shuffled(orders, options.random), store ? { store } : {})
        })
      }),
  },
]

async function restored(world: World, options: Options): Promise<void> {
  const { base, main } = world
  const { kills, random } = options
  const orders = world.orders(countOf(options))
  const isDirect = main.terms.grant.rail === 'direct'
  await world.launch(orders.slice(0, 2)).ended
  await main.books.backUp()
  await world.launch(orders.slice(2, 4)).ended
  const some = orders.slice(4, 6)
  await murder(world, { random, kills: Math.floor(kills / 2) }, () => world.launch(shuffled(some, random)))
  await main.books.restore()

  const fresh = world.orders(1)
  const early = world.launch(fresh)
  await early.ended
  const isRefused = early.words.some((word) => word.word === 'refused' && word.code === 'BOOKS_INCOMPLETE')
  if (!isRefused) throw new Error(`Books that were restored paid: ${JSON.stringify(early.words)}`)
  if (isDirect) await accept(world, orders)
  await base.warp((await base.now()) + 7_200)
  await base.finalize()
  const wanted = [...orders, ...fresh].filter(({ key }) => !world.forgotten.has(key))
  const rest = { random, kills: Math.ceil(kills / 2) }
  await murder(world, rest, () => world.launch(shuffled(wanted, random)))
}

/** On the direct rail: what the chain shows as paid stays so, and whatever nonce it knows is behind us. */
async function accept(world: World, orders: readonly Order[]): Promise<void> {
  const { base, main } = world
  const { received } = await world.transfers()
  const firstNonce = await base.client.getTransactionCount({
    address: main.agent.address,
    blockTag: 'pending',
  })
  const { budget, close } = await world.open(main, { firstNonce })
  for (const { key, amount } of orders) {
    const isPaid = received.some((transfer) => transfer.amount === BigInt(amount))
    if (isPaid && (await budget.payment(key))?.status !== 'paid') world.forgotten.add(key)
  }
  await close()
}

async function within(
  options: Options,
  terms: Parameters<typeof createWorld>[1],
  act: (world: World) => Promise<void>,
): Promise<Outcome> {
  const world = await createWorld(options, terms)
  try {
    await act(world)
    return { ...(await world.audit()), kills: world.kills() }
  } finally {
    await world.end()
  }
}

/** First those around what cannot be taken back, then as evenly as it goes everywhere in a life with two payments. */
async function pointsOf(
  world: World,
  rail: 'guard' | 'direct',
  { before, kills }: Options,
): Promise<readonly Point[]> {
  const first = narrow[rail].slice(before, before + kills)
  if (first.length === kills) return first
  const replica = world.launch(world.orders(2))
  await replica.ended
  const effects = replica.words.reduce((most, word) => (word.word === 'done' ? word.effects : most), 1)
  const rest = Array.from({ length: kills - first.length }, (_, n): Point => {
    const place = ((before + first.length + n) * 0.618_033_988_75) % 1
    return { at: 'any', nth: 1 + Math.floor(place * effects), happens: n % 2 === 1 }
  })
  return [...first, ...rest]
}

/** Keeps three replicas running, and kills one after the other at moments that nobody chose; the last three live. */
async function murder(
  world: World,
  { kills, random }: Pick<Options, 'kills' | 'random'>,
  start: (n: number) => Replica,
  between?: () => Promise<void>,
): Promise<void> {
  const running = three(start)
  for (let n = 0; n < kills; n++) {
    const at = Math.floor(random() * running.length)
    // Some die while they open the books.
    if (random() < 0.9) await running[at]?.until('opened')
    await setTimeout(random() * 150)
    const replica = running[at]
    if (replica) await world.kill(replica)
    await between?.()
    running[at] = start(at)
  }
  await Promise.all(running.map(({ ended }) => ended))
}

function three(start: (n: number) => Replica): Replica[] {
  return [0, 1, 2].map(start)
}

function shuffled<item>(items: readonly item[], random: () => number): item[] {
  return items
    .map((item) => ({ item, at: random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item)
}
