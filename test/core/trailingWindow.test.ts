import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { hexToBigInt } from 'viem'
import { describe, expect, test } from 'vitest'
import { InputError } from '../../src/errors.js'
import * as TrailingWindow from '../../src/TrailingWindow.js'
import { thrown } from './thrown.js'

type Vector = {
  name: string
  window: number
  limit: string
  steps: { time: number; amount: string; used: string; fits: boolean; slot: `0x${string}` }[]
}

const vectors: Vector[] = JSON.parse(readFileSync(new URL('../vectors/window.json', import.meta.url), 'utf8'))

/** 2030-01-01 12:00 UTC. */
const noon = Date.UTC(2030, 0, 1, 12) / 1000

test.each(vectors)('behavior: as the contract has it, $name', ({ window, limit, steps }) => {
  let slot = TrailingWindow.empty
  for (const { time, fits, ...step } of steps) {
    const amount = BigInt(step.amount)
    const used = TrailingWindow.used(slot, { time, window })
    expect(used).toBe(BigInt(step.used))
    expect(used + amount <= BigInt(limit)).toBe(fits)
    if (fits) slot = TrailingWindow.record(slot, { time, window, amount })
    expect(slot).toBe(hexToBigInt(step.slot))
  }
})

/** Spends in the order of time, with gaps from nothing to several windows. */
const lives = fc.integer({ min: 1, max: 2 ** 32 - 1 }).chain((window) =>
  fc.record({
    window: fc.constant(window),
    spends: fc.array(
      fc.record({
        gap: fc.oneof(
          fc.integer({ min: 0, max: 2 }),
          fc.integer({ min: 0, max: Math.min(3 * window, 2 ** 31) }),
        ),
        amount: fc.bigInt(0n, 1_000n),
      }),
      { maxLength: 40 },
    ),
  }),
)

test('behavior: at least what the window saw, at most what four buckets saw', () => {
  fc.assert(
    fc.property(lives, ({ window, spends }) => {
      let slot = TrailingWindow.empty
      let time = noon
      const log: { time: number; amount: bigint }[] = []
      const since = (first: number) => log.reduce((all, it) => (it.time >= first ? all + it.amount : all), 0n)
      for (const { gap, amount } of spends) {
        time += gap
        const used = TrailingWindow.used(slot, { time, window })
        const length = TrailingWindow.bucket(window)
        // A window that ends now begins at `now - window + 1`.
        expect(used).toBeGreaterThanOrEqual(since(time - window + 1))
        expect(used).toBeLessThanOrEqual(since(time - 4 * length + 1))
        expect(used).toBe(since(time - (time % length) - 3 * length))
        slot = TrailingWindow.record(slot, { time, window, amount })
        log.push({ time, amount })
      }
    }),
  )
})

describe('fitsAt', () => {
  const window = 60
  const limit = 100n
  const slot = [0, 20].reduce(
    (slot, after) => TrailingWindow.record(slot, { time: noon + after, window, amount: 50n }),
    TrailingWindow.empty,
  )
  test.each([
    ['nothing more, now', 0n, noon + 20],
    ['when the first bucket drops out', 1n, noon + 80],
    ['all that the first bucket leaves', 50n, noon + 80],
    ['when both have dropped out', 51n, noon + 100],
    ['all of it', 100n, noon + 100],
    ['more than the limit', 101n, undefined],
  ])('default: %s', (_, amount, at) => {
    expect(TrailingWindow.fitsAt(slot, { time: noon + 20, window, amount, limit })).toBe(at)
    if (at === undefined) return
    expect(TrailingWindow.used(slot, { time: at, window }) + amount).toBeLessThanOrEqual(limit)
    if (at > noon + 20)
      expect(TrailingWindow.used(slot, { time: at - 1, window }) + amount).toBeGreaterThan(limit)
  })
})

test('error: more than the ring can hold', () => {
  const most = 2n ** 48n - 1n
  const full = TrailingWindow.record(TrailingWindow.empty, { time: noon, window: 60, amount: most })
  expect(TrailingWindow.used(full, { time: noon, window: 60 })).toBe(most)
  const spill = () => TrailingWindow.record(full, { time: noon + 20, window: 60, amount: 1n })
  expect(thrown(InputError, spill)).toMatchObject({ code: 'INVALID_AMOUNT', field: 'amount' })
  expect(TrailingWindow.record(full, { time: noon + 80, window: 60, amount: 1n })).not.toBe(full)
})
