import type { Act, Case, Reason } from '../decision.js'
import { day, start } from './grants.js'
import { a, b, edges, fund, half, invalid, no, ok, one, pay, renews, seconds, ten, three } from './steps.js'

const funding = { kind: 'fund', at: start + 10 } as const
/** The purse is lifted from nothing, where 1.5 were spent before. */
const spent = (grant: string, more: Partial<Act> = {}) => [
  pay(grant, start, one, more),
  pay(grant, start, half, more),
]
const over = (reason: Reason, limit: bigint) => (amount: bigint) => no(reason, amount, one + half, limit)
export const fundings: readonly Case[] = [
  ...edges('maxFloat', 3n * one, (target) => no('OverFloat', target, 3n * one), {
    ...funding,
    grant: 'purse',
  }),
  { name: 'no purse', ask: { ...funding, grant: 'typical' }, answer: no('OverFloat', 1, 0) },
  {
    name: 'a target under the balance',
    before: [fund('purse', start, 2n * one)],
    ask: { ...funding, grant: 'purse', amount: 2n * one - 1n },
    answer: no('NothingToFund', 2n * one, 2n * one - 1n),
  },
  {
    name: 'a target at the balance',
    before: [fund('purse', start, 2n * one)],
    ask: { ...funding, grant: 'purse', amount: 2n * one },
    answer: no('NothingToFund', 2n * one, 2n * one),
  },
  {
    name: 'a target one unit above the balance',
    before: [fund('purse', start, 2n * one)],
    ask: { ...funding, grant: 'purse', amount: 2n * one + 1n },
    answer: ok,
  },
  {
    name: 'a donation counts',
    before: [fund('purse', start, 2n * one), { kind: 'donate', grant: 'purse', at: start }],
    ask: { ...funding, grant: 'purse', amount: 2n * one + 1n },
    answer: no('NothingToFund', 2n * one + 1n, 2n * one + 1n),
  },
  {
    name: 'a donation before the first funding does not',
    before: [{ kind: 'donate', grant: 'purse', at: start, amount: one }],
    ask: { ...funding, grant: 'purse' },
    answer: ok,
  },
  {
    name: 'what a sibling funded does not count, and is metered anew',
    before: [fund('purse twin', start, 3n * one)],
    ask: { ...funding, grant: 'purse', amount: 2n * one + 1n },
    answer: no('OverDay', 2n * one + 1n, 3n * one, 5n * one),
  },
  {
    name: 'what a sibling funded does not count, and fits',
    before: [fund('purse twin', start, 3n * one)],
    ask: { ...funding, grant: 'purse', amount: 2n * one },
    answer: ok,
  },
  ...edges(
    'a funding, by the day',
    2n * one,
    over('OverDay', 3_500_000n),
    { ...funding, grant: 'purse of a day' },
    spent('purse of a day'),
  ),
  ...edges(
    'a funding, by the total',
    2n * one,
    over('OverTotal', 3_500_000n),
    { ...funding, grant: 'purse of a total' },
    spent('purse of a total'),
  ),
  ...edges(
    'a funding, by the window',
    one + half,
    over('OverWindow', 3n * one),
    { ...funding, grant: 'purse of a window' },
    spent('purse of a window'),
  ),
  ...edges(
    'a funding, by the task',
    one + half,
    over('OverTask', 3n * one),
    { ...funding, grant: 'purse of tasks', ...ten },
    spent('purse of tasks', { task: a }),
  ),
  ...edges(
    'a funding, by the allowance',
    one + half,
    (amount) => no('OverAllowance', amount + one + half, 3n * one),
    { ...funding, grant: 'purse of an allowance' },
    spent('purse of an allowance'),
  ),
  ...edges(
    'a funding meters what it adds',
    half,
    (amount) => no('OverDay', amount, 3n * one, 3_500_000n),
    { grant: 'purse of a day', at: start + 10 },
    [fund('purse of a day', start, 2n * one), fund('purse of a day', start, 3n * one)],
  ),
  ...renews(
    'a funding, on the next day',
    start + day,
    no('OverDay', one, 3n * one, 3_500_000n),
    { kind: 'fund', grant: 'purse of a day', amount: one },
    three('purse of a day', start),
  ),
  {
    name: 'a funding without a task',
    ask: { ...funding, grant: 'purse of tasks', ticket: { cap: one } },
    answer: no('TaskMissing'),
  },
  {
    name: 'a funding without a ticket',
    ask: { ...funding, grant: 'purse of tasks', task: a },
    answer: no('TicketMissing'),
  },
  {
    name: 'a funding with a ticket of another task',
    ask: { ...funding, grant: 'purse of tasks', task: a, ticket: { cap: one, task: b } },
    answer: invalid,
  },
  ...seconds(
    "a funding's ticket",
    start + 100,
    [ok, no('TicketExpired', start + 100, start + 100), no('TicketExpired', start + 100, start + 101)],
    { kind: 'fund', grant: 'purse of tasks', task: a, ticket: { cap: one, deadline: start + 100 } },
  ),
  {
    name: 'a funding with a ticket that nobody asked for',
    ask: { ...funding, grant: 'purse', ...ten },
    answer: no('TicketUnexpected'),
  },
]
