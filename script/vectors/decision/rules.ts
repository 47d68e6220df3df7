import type { Answer, Ask, Case } from '../decision.js'
import { end, start } from './grants.js'
import { fund, no, ok, pay, seconds } from './steps.js'

const dates = (['typical', 'purse'] as const).flatMap((grant) => {
  const ask = { grant, ...(grant === 'purse' ? { kind: 'fund' as const } : {}) }
  return [
    ...seconds(`${grant}: the start`, start, [no('NotStarted', start - 1, start), ok, ok], ask),
    ...seconds(`${grant}: the end`, end, [ok, no('Ended', end, end), no('Ended', end + 1, end)], ask),
    ...seconds(
      `${grant}: the deadline`,
      start + 100,
      [ok, no('DeadlinePassed', start + 100, start + 100), no('DeadlinePassed', start + 100, start + 101)],
      { ...ask, deadline: start + 100 },
    ),
  ]
})

const numbers: Case[] = [
  {
    name: 'a number again',
    before: [pay('typical', start, 1n, { number: 7n })],
    ask: { grant: 'typical', at: start, number: 7n },
    answer: no('NumberUsed', 7),
  },
  {
    name: 'the next number',
    before: [pay('typical', start, 1n, { number: 7n })],
    ask: { grant: 'typical', at: start, number: 8n },
    answer: ok,
  },
  {
    name: "a sibling's number",
    before: [pay('wide', start, 1n, { number: 7n })],
    ask: { grant: 'typical', at: start, number: 7n },
    answer: no('NumberUsed', 7),
  },
  {
    name: "another agent's number",
    before: [pay('typical', start, 1n, { number: 7n })],
    ask: { grant: 'second agent', at: start, number: 7n },
    answer: ok,
  },
  {
    name: 'the number of a funding',
    before: [fund('purse', start, 1n, { number: 7n })],
    ask: { grant: 'purse', at: start, number: 7n },
    answer: no('NumberUsed', 7),
  },
  {
    name: 'the number of a payment, for a funding',
    before: [pay('purse', start, 1n, { number: 7n })],
    ask: { kind: 'fund', grant: 'purse', at: start, number: 7n },
    answer: no('NumberUsed', 7),
  },
]

const shapes: Case[] = [
  { name: 'nothing', ask: { grant: 'typical', at: start, amount: 0n }, answer: no('ZeroAmount', 1_000) },
  { name: 'an empty batch', ask: { kind: 'empty', grant: 'typical', at: start }, answer: no('EmptyBatch') },
  {
    name: 'a batch that lacks a byte',
    ask: { kind: 'malformed', grant: 'typical', at: start },
    answer: no('MalformedBatch'),
  },
  {
    name: 'another spender',
    ask: { grant: 'another spender', at: start },
    answer: no('WrongSpender', 'stranger'),
  },
  {
    name: 'the native token',
    ask: { grant: 'native token', at: start },
    answer: no('NativeToken'),
  },
  { name: 'no policy', ask: { grant: 'no policy', at: start }, answer: no('MalformedPolicy') },
  {
    name: 'a policy with a byte too many',
    ask: { grant: 'a byte too many', at: start },
    answer: no('MalformedPolicy'),
  },
  {
    name: 'a policy of another version',
    ask: { grant: 'version 2', at: start },
    answer: no('UnknownPolicyVersion', 2),
  },
]

const paying = (name: string, payee: string, answer: Answer, more: Partial<Ask> = {}): Case => ({
  name: `pays ${name}`,
  ask: { grant: 'typical', at: start, payee, ...more },
  answer,
})
const payees: Case[] = [
  paying('the second payee', 'payee 1', ok),
  paying('the second payee with the proof of the first', 'payee 1', no('WrongPayee', 'payee 1'), {
    proof: 0,
  }),
  paying('a payee without a proof', 'payee 0', no('WrongPayee', 'payee 0'), { proof: -1 }),
  ...['stranger', 'agent', 'account', 'purse'].map((who) => paying(`the ${who}`, who, no('WrongPayee', who))),
  ...['zero', 'guard', 'spm', 'usdc'].map((who) => paying(who, who, no('ForbiddenPayee', who))),
  ...['zero', 'guard', 'spm', 'usdc', 'purse'].map((who) =>
    paying(`${who}, where anybody can be paid`, who, no('ForbiddenPayee', who), {
      grant: 'purse of anybody',
    }),
  ),
  ...['stranger', 'agent'].map((who) =>
    paying(`the ${who}, where anybody can be paid`, who, ok, { grant: 'any payee' }),
  ),
]

export const rules: readonly Case[] = [dates, numbers, payees, shapes].flat()
