import type { Answer, Ask, Case } from '../decision.js'
import { day, start } from './grants.js'
import {
  a,
  b,
  edges,
  fifth,
  invalid,
  most,
  no,
  ok,
  one,
  seconds,
  shared,
  stays,
  ten,
  three,
} from './steps.js'

const byTicket = (name: string, changes: Partial<Ask>, answer: Answer): Case => ({
  name: `a ticket: ${name}`,
  ask: { grant: 'tasked', at: start, ...ten, ...changes },
  answer,
})
export const tasks: readonly Case[] = [
  ...shared('OverTask', 'tasked', start + 10, (grant) => most(grant, start, { task: a }), ten),
  ...edges(
    'a ticket for 2.7, with 2.5 spent',
    fifth,
    (amount) => no('OverTask', amount, 2_500_000n, 2_700_000n),
    { grant: 'tasked', at: start, task: a, ticket: { cap: 2_700_000n } },
    most('tasked', start, { task: a }),
  ),
  ...stays(
    'a task, at midnight',
    start + day,
    no('OverTask', 1n, 3n * one, 3n * one),
    { grant: 'tasked', ...ten },
    three('tasked', start, { task: a }),
  ),
  {
    name: 'a task has nothing to do with another one',
    before: three('tasked', start, { task: a }),
    ask: { grant: 'tasked', at: start, amount: one, task: b, ticket: { cap: one } },
    answer: ok,
  },
  {
    name: 'a task is metered by those that cap tasks alone',
    before: three('wide', start, { task: a }),
    ask: { grant: 'tasked', at: start, amount: one, ...ten },
    answer: ok,
  },
  ...seconds(
    "a ticket's deadline",
    start + 100,
    [ok, no('TicketExpired', start + 100, start + 100), no('TicketExpired', start + 100, start + 101)],
    { grant: 'tasked', task: a, ticket: { cap: one, deadline: start + 100 } },
  ),
  { name: 'no task', ask: { grant: 'tasked', at: start, ticket: { cap: one } }, answer: no('TaskMissing') },
  { name: 'no ticket', ask: { grant: 'tasked', at: start, task: a }, answer: no('TicketMissing') },
  byTicket('of another task', { ticket: { cap: one, task: b } }, invalid),
  byTicket('of another account', { ticket: { cap: one, account: 'stranger' } }, invalid),
  byTicket('by the agent', { ticket: { cap: one, signer: 'agent' } }, invalid),
  byTicket('by a stranger', { ticket: { cap: one, signer: 'stranger' } }, invalid),
  byTicket('where tasks are not capped', { grant: 'orchestrated' }, no('TicketUnexpected')),
  byTicket('where nobody signs any', { grant: 'typical' }, no('TicketUnexpected')),
  { name: 'a task as a label', ask: { grant: 'typical', at: start, task: a }, answer: ok },
]
