import type { Act, Answer, Case } from '../decision.js'
import { start } from './grants.js'
import { no, ok } from './steps.js'

/** Stopped before, by whom, and what the guard says to a permission that names an orchestrator. */
const stop = (kind: Act['kind'], by: string, answer: Answer, more: Act[] = []): Case => ({
  name: `${kind} by the ${by}${more.map(({ kind, by }) => `, ${kind} by the ${by}`).join('')}`,
  before: [{ kind, by, grant: 'orchestrated', at: start }, ...more],
  ask: { grant: 'orchestrated', at: start },
  answer,
})
const act = (kind: Act['kind'], by: string, grant = 'orchestrated'): Act => ({ kind, by, grant, at: start })
export const stops: readonly Case[] = [
  ...['account', 'orchestrator'].flatMap((by) => [
    stop('pause', by, no('Paused', by)),
    stop('pause', by, ok, [act('resume', by)]),
    stop('pause', by, no('Paused', by), [act('resume', by === 'account' ? 'orchestrator' : 'account')]),
  ]),
  ...['agent', 'stranger'].map((by) => stop('pause', by, ok)),
  ...['account', 'orchestrator', 'agent'].flatMap((by) => [
    stop('revoke', by, no('Revoked', by)),
    stop('revokeGrant', by, no('Revoked', by)),
    stop('revokeGrant', by, no('Revoked', by), [act('resume', by)]),
  ]),
  stop('revokeGrant', 'stranger', ok),
  stop('pause', 'account', no('Revoked', 'agent'), [act('revokeGrant', 'agent')]),
  ...(['pause', 'revokeGrant'] as const).map((kind) => ({
    ...stop(kind, 'orchestrator', ok),
    name: `${kind} by an orchestrator of siblings`,
    ask: { grant: 'typical', at: start },
  })),
  {
    ...stop('revoke', 'account', no('Revoked', 'account')),
    name: 'a sibling that its account revoked',
    ask: { grant: 'wide', at: start },
  },
  {
    ...stop('spm', 'account', ok),
    name: 'a sibling that SpendPermissionManager revoked',
    ask: { grant: 'wide', at: start },
  },
  stop('spm', 'account', no('NotApproved')),
  {
    name: 'not approved',
    unapproved: ['typical'],
    ask: { grant: 'typical', at: start },
    answer: no('NotApproved'),
  },
  {
    name: 'a purse, paused',
    before: [act('pause', 'account')],
    ask: { kind: 'fund', grant: 'purse', at: start },
    answer: no('Paused', 'account'),
  },
  {
    name: 'a purse, revoked',
    before: [act('revokeGrant', 'agent')],
    ask: { kind: 'fund', grant: 'purse', at: start },
    answer: no('Revoked', 'agent'),
  },
  {
    name: 'a purse, not approved',
    unapproved: ['purse'],
    ask: { kind: 'fund', grant: 'purse', at: start },
    answer: no('NotApproved'),
  },
]
