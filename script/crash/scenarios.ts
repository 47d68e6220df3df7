/** What can happen to an agent's service, each as often as asked for. */

import { copyFileSync, rmSync } from 'node:fs'
import Libsql from 'libsql'
import { Permission, Time } from '../../src/index.js'
import type { Base } from '../../src/testing/index.js'
import { points } from './points.js'
import { createWorld, type Order, type Row, type World } from './world.js'

/** `kills`: how often a replica is killed, where the scenario is about that. `random`: from 0 up to 1. */
export type Options = { readonly base: Base; readonly kills: number; readonly random: () => number }
export type Outcome = Row & { readonly kills: number }
export type Scenario = { readonly name: string; readonly run: (options: Options) => Promise<Outcome> }

/** Caps that the orders run into: the total is reached, and so is the day's where the clock jumps. */
const caps = { total: 200_000n, perDay: 500_000n } as const

export const scenarios: readonly Scenario[] = [
  ...(['guard', 'direct'] as const).map(
    (rail): Scenario => ({
      name: `killed at every point, ${rail} rail`,
      run: (options) =>
        within(options, { rail, ...caps }, async (world) => {
          const orders = world.orders(25)
          for (let n = 0; n < options.kills; n++) {
            const { point } = points[n % points.length] ?? {}
            const replica = world.launch(orders.slice(n % 20), { point })
            await replica.until('here')
            await world.kill(replica)
          }
          return orders
        }),
    }),
  ),
  {
    name: 'killed at random, three replicas',
    run: (options) =>
      within(options, { rail: 'guard', ...caps }, async (world) => {
        const orders = world.orders(25)
        await murder(world, options, { orders, replicas: 3 })
        return orders
      }),
  },
  {
    name: 'ten replicas with the same orders',
    run: (options) =>
      within(options, { rail: 'guard', ...caps }, async (world) => {
        const orders = world.orders(25)
        const replicas = Array.from({ length: 10 }, () => world.launch(orders))
        await Promise.all(replicas.map(({ ended }) => ended))
        return orders
      }),
  },
  {
    name: 'ten parallel calls in one process',
    run: (options) =>
      within(options, { rail: 'guard', total: 50_000n, perDay: 500_000n }, async (world) => {
        const orders = world.orders(10)
        await world.launch(orders, { parallel: true }).ended
        return orders
      }),
  },
  {
    name: 'clock jumps between kills',
    run: (options) =>
      within(options, { rail: 'guard', total: 400_000n, perDay: 60_000n }, async (world) => {
        const { base } = world
        const orders = world.orders(20)
        await murder(world, options, {
          orders,
          replicas: 2,
          between: async () => {
            const jump = Math.floor(options.random() * 1.2 * Time.day)
            await base.warp((await base.now()) + 1 + jump)
          },
        })
        return orders
      }),
  },
  {
    name: 'the total raised under way',
    run: (options) =>
      within(options, { rail: 'guard', total: 100_000n, perDay: 500_000n }, async (world) => {
        const orders = world.orders(25)
        await murder(world, { ...options, kills: Math.ceil(options.kills / 2) }, { orders, replicas: 2 })
        await raise(world, 200_000n)
        await murder(world, { ...options, kills: Math.floor(options.kills / 2) }, { orders, replicas: 2 })
        return orders
      }),
  },
  {
    name: 'restored from an old backup',
    run: (options) =>
      within(options, { rail: 'guard', ...caps }, async (world) => {
        const orders = world.orders(20)
        const first = world.launch(orders.slice(0, 6))
        await first.ended
        backUp(world.path)
        await murder(world, options, { orders, replicas: 2 })
        restore(world.path)
        await murder(world, options, { orders, replicas: 2 })
        return orders
      }),
  },
]

async function within(
  { base }: Options,
  terms: Parameters<typeof createWorld>[1],
  act: (world: World) => Promise<Order[]>,
): Promise<Outcome> {
  const world = await createWorld(base, terms)
  try {
    const orders = await act(world)
    return { ...(await world.audit('', orders)), kills: world.kills }
  } finally {
    await world.end()
  }
}

/** Keeps replicas running on the orders, and kills one after the other at moments that nobody chose. */
async function murder(
  world: World,
  { kills, random }: Options,
  scene: {
    readonly orders: readonly Order[]
    readonly replicas: number
    readonly between?: () => Promise<void>
  },
): Promise<void> {
  const { orders, replicas, between } = scene
  const start = () => world.launch(shuffled(orders, random))
  const running = Array.from({ length: replicas }, start)
  for (let n = 0; n < kills; n++) {
    const at = n % running.length
    const replica = running[at]
    if (!replica) return
    await replica.until('opened')
    await new Promise((resolve) => setTimeout(resolve, random() * 300))
    await world.kill(replica)
    await between?.()
    running[at] = start()
  }
  await Promise.all(running.map((replica) => replica.until('opened')))
  for (const replica of running) await world.kill(replica)
}

async function raise(world: World, total: bigint): Promise<void> {
  const { grant, permission } = world.terms
  const raised = world.define(total, grant.grantId)
  const renewed = Permission.fromGrant(raised, { replaces: Permission.hash(permission) })
  const signature = await Permission.sign(world.wallet.account, renewed)
  const budget = await world.open()
  await budget.replace({ grant: raised, permission: renewed, signature })
  await budget.close()
  world.terms = { grant: raised, permission: renewed }
}

/** As an operator would: a copy that the database itself makes, while it is in use. */
function backUp(path: string): void {
  const database = new Libsql(path)
  database.exec(`vacuum into '${path}.backup'`)
  database.close()
}

function restore(path: string): void {
  for (const end of ['', '-wal', '-shm']) rmSync(path + end, { force: true })
  copyFileSync(`${path}.backup`, path)
}

function shuffled<item>(items: readonly item[], random: () => number): item[] {
  return items
    .map((item) => ({ item, at: random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item)
}
