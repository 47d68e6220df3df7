/** What is done to the replicas of a scenario. */
import { setTimeout } from 'node:timers/promises'
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
/** Orders of a round, each of a cent and a little: more where more is killed, so that there is always something to pay. */
export const countOf = ({ kills }: Options) => kills + 4
/** For three quarters of so many orders, and not for one more; a day is no limit unless said otherwise. */
export const capsOf = (count: number) => ({
  total: centsOf(Math.floor((count * 3) / 4)),
  perDay: 10_000_000n,
})
export const centsOf = (count: number) => BigInt(count) * 10_000n + 5_000n

export async function killAtPoints(world: World, rail: keyof typeof narrow, options: Options): Promise<void> {
  const orders = world.orders(countOf(options))
  for (const point of await pointsOf(world, rail, options)) {
    const replica = world.launch(orders, { point })
    await replica.until('here')
    await world.kill(replica)
  }
  await Promise.all(three(() => world.launch(shuffled(orders, options.random))).map(({ ended }) => ended))
}

export async function restored(world: World, options: Options): Promise<void> {
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

export async function within(
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
  rail: keyof typeof narrow,
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
export async function murder(
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

export function shuffled<item>(items: readonly item[], random: () => number): item[] {
  return items
    .map((item) => ({ item, at: random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item)
}
