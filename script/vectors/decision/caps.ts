import type { Case } from '../decision.js'
import { day, start } from './grants.js'
import { edges, half, most, no, ok, one, pay, renews, shared, stays, three } from './steps.js'

const late = start + day + 100

const perCall = edges('perCall', one, (amount) => no('OverPerCall', amount, one), {
  grant: 'typical',
  at: start,
})

const perDay = [
  ...shared('OverDay', 'typical', start + 10, (grant) => most(grant, start)),
  ...renews(
    'perDay, spent at the start of the day',
    start + day,
    no('OverDay', 1n, 3n * one, 3n * one),
    { grant: 'typical' },
    three('typical', start),
  ),
  ...renews(
    'perDay, spent in its last second',
    start + day,
    no('OverDay', 1n, 3n * one, 3n * one),
    { grant: 'typical' },
    three('typical', start + day - 1),
  ),
]

const total = [
  ...shared('OverTotal', 'total', late, (grant) => [
    pay(grant, start, one),
    pay(grant, start, one),
    pay(grant, late, half),
  ]),
  ...edges(
    'a total alone',
    half,
    (amount) => no('OverTotal', amount, 2_500_000n, 3n * one),
    { grant: 'total alone', at: start + 10 },
    most('total alone', start),
  ),
  ...stays(
    'a total, at midnight',
    start + day,
    no('OverTotal', 1n, 3n * one, 3n * one),
    { grant: 'total alone' },
    three('total alone', start),
  ),
]

const full = no('OverWindow', 1n, 3n * one, 3n * one)
const window = [
  ...shared('OverWindow', 'window', start + 10, (grant) => most(grant, start)),
  ...renews('a window, four buckets later', start + 4_800, full, { grant: 'window' }, three('window', start)),
  ...renews(
    'a window, spent in the last second of a bucket',
    start + 4_800,
    full,
    { grant: 'window' },
    three('window', start + 1_199),
  ),
  ...stays(
    'a window, when it is over: its bucket still counts',
    start + 3_600,
    full,
    { grant: 'window' },
    three('window', start),
  ),
  ...stays(
    'a window, at midnight',
    start + day,
    full,
    { grant: 'window' },
    three('window', start + day - 10),
  ),
  ...renews(
    'a window, of which one bucket of three drops out',
    start + 4_800,
    no('OverWindow', one, 3n * one, 3n * one),
    { grant: 'window', amount: one },
    [0, 1_200, 2_400].map((after) => pay('window', start + after, one)),
  ),
  {
    name: 'a window of another length is another one',
    before: three('window', start),
    ask: { grant: 'longer window', at: start, amount: one },
    answer: ok,
  },
  {
    name: 'a window sees nothing of permissions without',
    before: three('wide', start),
    ask: { grant: 'window', at: start, amount: one },
    answer: ok,
  },
] satisfies Case[]

const allowance = [
  ...edges(
    'an allowance, with 2.5 spent',
    half,
    (amount) => no('OverAllowance', 2_500_000n + amount, 3n * one),
    { grant: 'narrow', at: start + 10 },
    most('narrow', start),
  ),
  ...renews(
    'an allowance, in the next period',
    start + 10_000,
    no('OverAllowance', 3_000_001n, 3n * one),
    { grant: 'narrow' },
    three('narrow', start),
  ),
  {
    name: 'an allowance is of one permission',
    before: three('wide', start),
    ask: { grant: 'narrow', at: start, amount: one },
    answer: ok,
  },
] satisfies Case[]

export const caps: readonly Case[] = [perCall, perDay, total, window, allowance].flat()
