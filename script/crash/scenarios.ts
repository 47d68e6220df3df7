/** What can happen to an agent's service. */
import { Time } from '../../src/index.js'
import {
  capsOf,
  centsOf,
  countOf,
  killAtPoints,
  murder,
  type Options,
  type Outcome,
  restored,
  shuffled,
  within,
} from './acts.js'

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
/** Where there is a float to sign for, out of which others settle. */
const floats = ['purse', 'direct'] as const

export const scenarios: readonly Scenario[] = [
  ...rails.map(
    (rail): Scenario => ({
      name: `killed at every point, ${rail} rail`,
      stores: both,
      short: [rail === 'guard' ? 'SQLite' : 'PostgreSQL'],
      share: 2,
      round: (options) =>
        within(options, { rail, ...capsOf(countOf(options)) }, (world) => killAtPoints(world, rail, options)),
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
  ...floats.flatMap((rail): Scenario[] => {
    const termsOf = (options: Options) => ({ rail, ...capsOf(countOf(options)), maxFloat: 40_000n })
    return [
      {
        name: `signing out of a float, killed at every point, ${rail} rail`,
        stores: both,
        short: [],
        share: 1,
        round: (options) =>
          within(options, termsOf(options), (world) => killAtPoints(world, 'float', options)),
      },
      {
        name: `signing out of a float, killed at random, ${rail} rail`,
        stores: both,
        short: rail === 'purse' ? ['SQLite'] : [],
        share: 1,
        round: (options) =>
          within(options, termsOf(options), async (world) => {
            const orders = world.orders(countOf(options))
            const { random } = options
            await murder(world, options, () =>
              world.launch(shuffled(orders, random), { parallel: random() < 0.3 }),
            )
          }),
      },
    ]
  }),
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
      // Fewer orders: each takes its time there.
      within(options, { rail: 'guard', ...capsOf(countOf(options) - 2) }, async (world) => {
        const orders = world.orders(countOf(options) - 2)
        const { books } = world.main
        const stores = await Promise.all([2, 10, 25].map((delayMs) => books.distant(delayMs)))
        await murder(world, options, (n) => {
          const store = stores[n]
          return world.launch(shuffled(orders, options.random), store ? { store } : {})
        })
      }),
  },
]
