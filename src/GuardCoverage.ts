import * as Amount from './Amount.js'
import type { Line } from './Coverage.js'
import type { Grant } from './Grant.js'
import type * as Permission from './Permission.js'
import * as Time from './Time.js'

/** The guard and purse rails: the chain meters the grant, whatever permissions it has, and knows its payees. */
export function lines(grant: Grant, permission: Permission.Permission): Line[] {
  const { allow, orchestrator, perCall, perDay, perWindow, window, total, maxFloat } = grant
  const end = permission.end === Time.max ? null : permission.end
  const purse = grant.rail === 'purse'
  const byWhom = orchestrator === null ? 'the owner' : 'the owner or the orchestrator'
  const atFunding = purse ? ' At funding: payees can see the float on top.' : ''
  return [
    {
      cap: 'perCall',
      limit: perCall,
      holder: 'chain',
      words: purse ? 'The purse and the guard pay no more at once.' : 'The guard pays no more at once.',
    },
    perTaskLine(grant),
    perDay === null
      ? { cap: 'perDay', limit: null, holder: 'none', words: 'One day may use up the total.' }
      : {
          cap: 'perDay',
          limit: perDay,
          holder: 'chain',
          words: `Per UTC day. Two days meet at midnight, so 24 hours can see two.${atFunding}`,
        },
    total === null
      ? { cap: 'total', limit: null, holder: 'none', words: 'Every day can be spent in full, until the end.' }
      : {
          cap: 'total',
          limit: total,
          holder: 'chain',
          words: 'For good: a renewed, raised or second permission of the grant goes on counting.',
        },
    perWindow === null
      ? { cap: 'perWindow', limit: null, holder: 'none', words: 'Nothing between one call and a day.' }
      : {
          cap: 'perWindow',
          limit: perWindow,
          holder: 'chain (conservative)',
          words: `In any ${window} seconds; what was spent up to a third longer ago may still count.${atFunding}`,
        },
    ...(purse
      ? [
          {
            cap: 'maxFloat',
            limit: maxFloat,
            holder: 'chain',
            words:
              maxFloat === perCall
                ? 'One call: what it costs is funded right before it. It is what one moment can see on top.'
                : 'What fundings lift the purse to, and so what one moment can see on top.',
          } as const,
        ]
      : []),
    { cap: 'start', limit: permission.start, holder: 'chain', words: 'Nothing can be spent before.' },
    end === null
      ? { cap: 'expiry', limit: null, holder: 'none', words: 'It can be spent until it is revoked.' }
      : { cap: 'expiry', limit: end, holder: 'chain', words: 'Nothing can be spent from then on.' },
    grant.payees === 'any'
      ? { cap: 'payees', limit: null, holder: 'none', words: 'Anybody can be paid.' }
      : {
          cap: 'payees',
          limit: new Set(allow.flatMap((entry) => entry.payTo)).size,
          holder: 'chain',
          words: 'All that can be lost goes to them: a thief who is none of them gets nothing.',
        },
    { cap: 'hosts', limit: allow.length, holder: 'process', words: 'The chain knows no hosts.' },
    {
      cap: 'revocation',
      limit: null,
      holder: 'chain',
      words: `At once and for good, by the owner${orchestrator === null ? '' : ', the orchestrator'} or the agent; a thief who sees it coming can take what is left before it.`,
    },
    {
      cap: 'pause',
      limit: null,
      holder: 'chain',
      words: `At once, by ${byWhom}${purse ? '; the purse stops as well' : ''}. Each takes back its own.`,
    },
    {
      cap: 'sessions',
      limit: null,
      holder: 'process',
      words: 'Limits of sessions and categories are bookkeeping.',
    },
  ]
}

function perTaskLine({ rail, orchestrator, perTask }: Grant): Line {
  const cap = 'perTask'
  if (perTask === null)
    return { cap, limit: null, holder: 'none', words: 'One task may use up the other caps.' }
  if (orchestrator === null)
    return {
      cap,
      limit: perTask,
      holder: 'process',
      words: 'Without an orchestrator the chain knows no tasks.',
    }
  if (rail === 'purse')
    return {
      cap,
      limit: perTask,
      holder: 'process',
      words:
        'Every funding needs a ticket of the orchestrator; what the purse pays is for no task that it knows.',
    }
  return { cap, limit: perTask, holder: 'chain', words: 'Every payment needs a ticket of the orchestrator.' }
}

/** What the owner should read before signing. */
export function warnings(grant: Grant, permission: Permission.Permission): string[] {
  const { expiresAt, maxFloat, orchestrator, perTask, rail, total } = grant
  const all: string[] = []
  const money = (amount: bigint) => `${Amount.format(amount, grant.token.decimals)} ${grant.token.symbol}`
  if (total === null) all.push('NO TOTAL: the day cap can be spent in full every day until the end.')
  if (expiresAt === null && permission.end === Time.max)
    all.push('NO EXPIRY: the grant can be used until it is revoked.')
  if (grant.payees === 'any') all.push('ANY PAYEE: a thief can pay himself, up to the caps.')
  if (perTask === null) all.push('No cap per task: one task may use up the other caps.')
  if (perTask !== null && orchestrator === null)
    all.push(
      `The ${money(perTask)} per task are held by the process only. Name an orchestrator to have the chain hold them.`,
    )
  if (perTask !== null && orchestrator !== null)
    all.push(
      "A thief with the orchestrator's key as well can sign a ticket for any task: then the other caps are what holds, and they do.",
    )
  if (rail === 'purse' && maxFloat !== null)
    all.push(
      `The purse can hold ${money(maxFloat)} from the days before, on top of what a day or window lets out.`,
    )
  if (grant.status === 'revoked')
    all.push('The grant is marked as revoked. That stops the process; a stolen key only stops on chain.')
  return all
}
