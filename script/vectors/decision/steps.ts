import { keccak256, toHex } from 'viem'
import type { Act, Answer, Ask, Case, Reason } from '../decision.js'

// What the cases are made of. Amounts in base units, times in unix seconds.

export const one = 1_000_000n
export const half = 500_000n
export const fifth = 200_000n
export const [a, b] = [keccak256(toHex('a')), keccak256(toHex('b'))]

export const ok: Answer = { reason: 'Ok', figures: [] }
export const no = (reason: Reason, ...figures: Answer['figures']): Answer => ({ reason, figures })
export const pay = (grant: string, at: number, amount: bigint, more: Partial<Act> = {}): Act => ({
  kind: 'pay',
  ...{ grant, at, amount },
  ...more,
})
export const fund = (grant: string, at: number, amount: bigint, more: Partial<Act> = {}): Act => ({
  ...pay(grant, at, amount, more),
  kind: 'fund',
})
/** Three units, one by one. */
export const three = (grant: string, at: number, more: Partial<Act> = {}) =>
  [0, 1, 2].map(() => pay(grant, at, one, more))
/** Two and a half. */
export const most = (grant: string, at: number, more: Partial<Act> = {}) => [
  ...[0, 1].map(() => pay(grant, at, one, more)),
  pay(grant, at, half, more),
]

/** One unit under what is left, exactly it, and one over. */
export function edges(
  name: string,
  left: bigint,
  over: (amount: bigint) => Answer,
  ask: Ask,
  before: Act[] = [],
): Case[] {
  const sides = [
    ['one unit under', left - 1n, ok],
    ['exactly it', left, ok],
    ['one unit over', left + 1n, over(left + 1n)],
  ] as const
  return sides.map(([side, amount, answer]) => ({
    ...{ name: `${name}: ${side}`, before, answer },
    ask: { ...ask, amount },
  }))
}

/** A second before a moment, at it, and a second after. */
export function seconds(
  name: string,
  moment: number,
  answers: readonly [Answer, Answer, Answer],
  ask: Omit<Ask, 'at'>,
  before: Act[] = [],
): Case[] {
  const sides = ['a second before', 'at it', 'a second after'] as const
  return sides.map((side, n) => ({
    name: `${name}: ${side}`,
    before,
    ask: { ...ask, at: moment + n - 1 },
    answer: answers[n] ?? ok,
  }))
}

/** What comes back at a moment: refused in the second before, and then not. */
export const renews = (name: string, moment: number, refused: Answer, ask: Omit<Ask, 'at'>, before: Act[]) =>
  seconds(name, moment, [refused, ok, ok], ask, before)
/** What does not: refused around the moment too. */
export const stays = (name: string, moment: number, refused: Answer, ask: Omit<Ask, 'at'>, before: Act[]) =>
  seconds(name, moment, [refused, refused, refused], ask, before)

/** A cap of 3 that siblings and successors share, whose raised sibling has 3.2. */
export function shared(
  reason: Reason,
  grant: string,
  at: number,
  before: (grant: string) => Act[],
  more: Partial<Ask> = {},
): Case[] {
  const over = (used: bigint, limit: bigint) => (amount: bigint) => no(reason, amount, used, limit)
  const raised = `${grant} raised`
  const ask = { grant, at, ...more }
  const twins = [...before(grant), pay(raised, at, half, more.task ? { task: more.task } : {})]
  return [
    ...edges(`${grant}, with 2.5 spent`, half, over(2_500_000n, 3_000_000n), ask, before(grant)),
    ...edges(
      `${grant}, with 2.5 spent by a sibling`,
      half,
      over(2_500_000n, 3_000_000n),
      ask,
      before(raised),
    ),
    ...edges(
      `${raised}, with 3 spent by both`,
      fifth,
      over(3_000_000n, 3_200_000n),
      { ...ask, grant: raised },
      twins,
    ),
    {
      name: `${grant}, where its sibling spent more than its own cap`,
      before: [...twins, pay(raised, at, fifth, more.task ? { task: more.task } : {})],
      ask,
      answer: no(reason, 1n, 3_200_000n, 3_000_000n),
    },
    ...edges(
      `${raised}, in place of a permission that spent 3`,
      fifth,
      over(3_000_000n, 3_200_000n),
      { ...ask, grant: raised },
      [...twins, { kind: 'spm', grant, at }],
    ),
    {
      name: `${grant}, replaced`,
      before: [...before(grant), { kind: 'spm', grant, at }],
      ask,
      answer: no('NotApproved'),
    },
  ]
}

/** A ticket for more than any task may cost. */
export const ten = { task: a, ticket: { cap: 10n * one } }
export const invalid = no('TicketInvalid', 'orchestrator')
