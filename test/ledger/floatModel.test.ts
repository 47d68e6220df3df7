/**
 * Random lives of books with a float: a purse's, or the agent's own. Held after every step: the books are sound and say what
 * the chain says; no day and no total sees more than its cap; and whatever was signed is reserved to the letter, or can be
 * settled no more by the final chain.
 */
import fc from 'fast-check'
import { afterEach, describe, expect, test } from 'vitest'
import type { Store } from '../../src/Store.js'
import { type Command, command, type Rail, terms, usd } from './floatLife.js'
import { World } from './floatWorld.js'
import { scene } from './scene.js'
import { storeKinds } from './stores.js'

const ends: (() => Promise<void> | void)[] = []
afterEach(async () => {
  for (const end of ends.splice(0)) await end()
})

async function live(store: Store, rail: Rail, commands: readonly Command[]) {
  const it = await scene(store, { rail, ...terms }, { check: false })
  await it.fund(usd(3))
  const world = new World(it, rail)
  for (const command of commands) await world.step(command)
  await world.end()
}

describe.each(storeKinds)('$name', ({ name, create }) => {
  const { HARDCAP_SEED, HARDCAP_RUNS } = process.env
  const runs = Number(HARDCAP_RUNS ?? { memory: 60, sqlite: 4 }[name] ?? 2)
  // The same lives every time, so that a commit fails by its own doing; `npm run check:long` takes others.
  const seed = Number(HARDCAP_SEED ?? 20_301_231)

  test.each(['purse', 'direct'] as const)(
    `behavior: random lives on the %s rail, ${runs} of 20 to 80 steps (HARDCAP_SEED=${seed} HARDCAP_RUNS=${runs})`,
    async (rail) => {
      const lives = fc.asyncProperty(
        fc.array(command, { minLength: 20, maxLength: 80, size: 'max' }),
        async (commands) => {
          const kind = create()
          try {
            await live(kind.open(), rail, commands)
          } finally {
            await kind.end()
          }
        },
      )
      await fc.assert(lives, { numRuns: runs, seed })
    },
  )
})

test('behavior: a signature that outlives its reservation is noticed', async () => {
  const kind = storeKinds[0]?.create()
  if (!kind) throw new Error('There is a store.')
  ends.push(kind.end)
  const store = kind.open()
  const it = await scene(store, { rail: 'purse', ...terms }, { check: false })
  await it.fund(usd(6))
  const world = new World(it, 'purse')
  await world.step({ do: 'read' })
  await world.step({ do: 'authorize', key: 'a', dollars: 2, seconds: 60 })
  await world.step({ do: 'sign', key: 'a' })
  // As if nobody had signed it.
  const unsigned = { ...(await it.payment('a')), alone: 1 } as const
  await store.transact(it.grant.grantId, (tx) => tx.put('payments', unsigned))
  await it.releaseUnsent('a')
  await expect(world.step({ do: 'read' })).rejects.toThrow()
})
