/** What happens to books with a float, at random. See `floatModel.test.ts`. */
import fc from 'fast-check'
import { Time } from '../../src/index.js'
import * as Payment from '../../src/Payment.js'

export type Rail = 'purse' | 'direct'
export const usd = (dollars: number) => BigInt(dollars) * 1_000_000n
export const [perDay, total, maxFloat] = [usd(10), usd(25), usd(6)]
export const terms = { perCallUsd: '5', perDayUsd: '10', totalUsd: '25', maxFloatUsd: '6' } as const

const key = fc.constantFrom('a', 'b', 'c', 'd')
const dollars = fc.constantFrom(1, 1, 2, 3, 6)
const of = <name extends string, rest>(weight: number, name: name, rest: fc.Arbitrary<rest>) => ({
  weight,
  arbitrary: rest.map((rest) => ({ do: name, ...rest })),
})
export const command = fc.oneof(
  of(6, 'authorize', fc.record({ key, dollars, seconds: fc.constantFrom(1, 60, Payment.lifetime) })),
  of(6, 'pay', fc.record({ key, dollars, seconds: fc.constantFrom(60, Payment.lifetime) })),
  of(4, 'sign', fc.record({ key })),
  of(1, 'give up', fc.record({ key })),
  of(8, 'settle', fc.record({ nth: fc.nat(3) })),
  of(2, 'cancel', fc.record({ key })),
  of(1, 'steal', fc.record({ key, dollars, ref: fc.boolean() })),
  of(1, 'give', fc.record({ dollars })),
  of(3, 'fund', fc.record({ dollars, lacking: fc.boolean() })),
  of(3, 'fill', fc.record({ dollars })),
  of(3, 'spend', fc.record({ key: fc.constantFrom('s', 't'), dollars })),
  of(8, 'submit', fc.record({ nth: fc.nat(3) })),
  of(8, 'mine', fc.record({ most: fc.nat(3), reverts: fc.nat(7) })),
  of(8, 'read', fc.constant({})),
  of(2, 'read in part', fc.record({ without: fc.nat(15) })),
  of(3, 'reorg', fc.record({ depth: fc.integer({ min: 1, max: 6 }), again: fc.nat(63) })),
  of(3, 'finalize', fc.record({ above: fc.nat(3) })),
  of(
    3,
    'wait',
    fc.record({ seconds: fc.constantFrom(1, 58, Payment.lifetime - 3, Payment.lifetime, Time.day) }),
  ),
)
export type Command = typeof command extends fc.Arbitrary<infer value> ? value : never
