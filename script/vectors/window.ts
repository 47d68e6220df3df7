import { type Hex, numberToHex } from 'viem'
import * as TrailingWindow from '../../src/TrailingWindow.js'

type Step = { time: number; amount: bigint }

/** 2030-01-01 12:00 UTC. */
const noon = Date.UTC(2030, 0, 1, 12) / 1000
const most = 2n ** 48n - 2n

const cases: readonly { name: string; window: number; limit: bigint; steps: readonly Step[] }[] = [
  {
    name: 'a bucket that fills up, and empties four buckets later',
    window: 3600,
    limit: 100n,
    steps: [
      { time: noon, amount: 60n },
      { time: noon + 1199, amount: 40n },
      { time: noon + 1199, amount: 1n },
      { time: noon + 4799, amount: 1n },
      { time: noon + 4800, amount: 101n },
      { time: noon + 4800, amount: 100n },
    ],
  },
  {
    name: 'one payment in each bucket, and the oldest drops out',
    window: 60,
    limit: 10n,
    steps: [0, 20, 40, 60, 79, 80, 99, 100, 120].map((after, n) => ({
      time: noon + after,
      amount: BigInt((n % 4) + 1),
    })),
  },
  {
    name: 'the shortest windows: buckets of one second',
    window: 1,
    limit: 1n,
    steps: [0, 0, 1, 3, 4, 5, 8].map((after) => ({ time: noon + after, amount: 1n })),
  },
  {
    name: 'a length that three does not divide',
    window: 1000,
    limit: 50n,
    steps: [0, 333, 334, 668, 1002, 1335, 1336, 5000].map((after) => ({
      time: 334 * 1_000_000 + after,
      amount: 20n,
    })),
  },
  {
    name: 'gaps of one to five buckets',
    window: 30,
    limit: 1_000n,
    steps: [0, 10, 30, 60, 100, 150].map((after, n) => ({
      time: noon + after,
      amount: 10n ** BigInt(n % 3),
    })),
  },
  {
    name: 'the longest window and the largest limit',
    window: 2 ** 32 - 1,
    limit: most,
    steps: [
      { time: noon, amount: most },
      { time: noon, amount: 1n },
      { time: noon + 2 ** 32, amount: 1n },
      { time: noon + 6 * 2 ** 31, amount: most },
    ],
  },
  {
    name: 'a limit of nothing',
    window: 60,
    limit: 0n,
    steps: [
      { time: noon, amount: 1n },
      { time: noon, amount: 0n },
    ],
  },
]

/** Spends in the order of time: what the ring holds before each, whether it fits, and the slot afterwards. */
export function windowVectors() {
  return cases.map(({ name, window, limit, steps }) => {
    let slot = TrailingWindow.empty
    return {
      name,
      window,
      limit: limit.toString(),
      steps: steps.map(({ time, amount }) => {
        const used = TrailingWindow.used(slot, { time, window })
        const fits = used + amount <= limit
        if (fits) slot = TrailingWindow.record(slot, { time, window, amount })
        return {
          time,
          amount: amount.toString(),
          used: used.toString(),
          fits,
          slot: numberToHex(slot, { size: 32 }) as Hex,
        }
      }),
    }
  })
}
