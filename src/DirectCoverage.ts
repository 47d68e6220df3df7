import * as Amount from './Amount.js'
import type { Holder, Line } from './Coverage.js'
import * as Exposure from './Exposure.js'
import type { Grant } from './Grant.js'
import type * as Permission from './Permission.js'
import * as Time from './Time.js'

/** The direct rail: the chain meters one allowance per period between start and end, and nothing else. */
export function lines(grant: Grant, permission: Permission.Permission): Line[] {
  const { allow, perCall, perTask } = grant
  const payees = new Set(allow.flatMap((entry) => entry.payTo)).size
  const end = permission.end === Time.max ? null : permission.end
  return [
    {
      cap: 'perCall',
      limit: perCall,
      holder: 'process',
      words: 'The chain takes any amount that fits the allowance.',
    },
    perTask === null
      ? { cap: 'perTask', limit: null, holder: 'none', words: 'One task may use up the other caps.' }
      : { cap: 'perTask', limit: perTask, holder: 'process', words: 'The chain knows no tasks.' },
    perDayLine(grant, permission),
    totalLine(grant, permission),
    ...floatLines(grant),
    {
      cap: 'start',
      limit: permission.start,
      holder: 'chain',
      words: 'Nothing can be spent before.',
    },
    end === null
      ? { cap: 'expiry', limit: null, holder: 'none', words: 'It can be spent until it is revoked.' }
      : { cap: 'expiry', limit: end, holder: 'chain', words: 'Nothing can be spent from then on.' },
    allow.some((entry) => entry.payTo.length === 0)
      ? { cap: 'payees', limit: null, holder: 'none', words: 'A listed host may name any payee.' }
      : {
          cap: 'payees',
          limit: payees,
          holder: 'process',
          words: "The chain pays the agent's key, which can pay anybody.",
        },
    { cap: 'hosts', limit: allow.length, holder: 'process', words: 'The chain knows no hosts.' },
    {
      cap: 'revocation',
      limit: null,
      holder: 'chain',
      words: 'At once and for good; a thief who sees it coming can take what is left before it.',
    },
    { cap: 'pause', limit: null, holder: 'process', words: 'Only a revocation stops a stolen key.' },
    {
      cap: 'sessions',
      limit: null,
      holder: 'process',
      words: 'Limits of sessions and categories are bookkeeping.',
    },
  ]
}

/** What the process keeps in the agent's address, to be paid from by authorizations. */
function floatLines({ maxFloat, perCall }: Grant): Line[] {
  if (maxFloat === null) return []
  const words =
    maxFloat === perCall
      ? "One call: what it costs is pulled right before it. The chain pays the agent's key whatever it holds."
      : "What is pulled ahead, in the agent's own address. The chain pays the agent's key whatever it holds."
  return [{ cap: 'maxFloat', limit: maxFloat, holder: 'process', words }]
}

function perDayLine({ perDay }: Grant, permission: Permission.Permission): Line {
  const cap = 'perDay'
  if (perDay === null) return { cap, limit: null, holder: 'none', words: 'One day may use up the total.' }
  const holder = holderOf(perDay, Exposure.of([{ permission }], permission.start).utcDay)
  const words = {
    chain: 'Per UTC day. Two days meet at midnight, so 24 hours can see two.',
    'chain (conservative)': 'A day can take no more than the total, which is less.',
    process: 'The periods of the permission are not UTC days.',
  }
  return { cap, limit: perDay, holder, words: words[holder] }
}

function totalLine({ perDay, total }: Grant, permission: Permission.Permission): Line {
  const cap = 'total'
  if (total === null)
    return { cap, limit: null, holder: 'none', words: 'Every day can be spent in full, until the end.' }
  const holder = holderOf(total, Exposure.of([{ permission }], permission.start).life)
  const words = {
    chain: perDay === null ? 'One allowance for the whole life.' : 'All days until the end add up to it.',
    'chain (conservative)': 'All days until the end add up to less.',
    process: 'The chain only counts days.',
  }
  return { cap, limit: total, holder, words: words[holder] }
}

/** The chain holds a cap where the permission, whatever happens, lets out no more than that. */
function holderOf(cap: bigint, most: bigint | null): Exclude<Holder, 'none'> {
  if (most === null || most > cap) return 'process'
  return most === cap ? 'chain' : 'chain (conservative)'
}

/** What the owner should read before signing. */
export function warnings(grant: Grant, permission: Permission.Permission): string[] {
  const { allow, expiresAt, maxFloat, perDay, perTask, total } = grant
  const all: string[] = []
  const end = permission.end
  const held = totalLine(grant, permission).holder
  if (total === null) all.push('NO TOTAL: the day cap can be spent in full every day until the end.')
  if (expiresAt === null && end === Time.max)
    all.push('NO EXPIRY: the grant can be used until it is revoked.')
  if (perTask === null) all.push('No cap per task: one task may use up the other caps.')
  if (perDay !== null && total !== null && held === 'process')
    all.push(
      `The total of ${money(grant, total)} is held by the process only: the chain counts days. Define the grant with hold: 'total' to have the chain hold it.`,
    )
  if (grant.hold === 'total' && end !== (expiresAt ?? Time.max))
    all.push(
      `To hold the total, the chain ends the grant at ${Time.format(end)} instead of ${expiresAt === null ? 'never' : Time.format(expiresAt)}.`,
    )
  if (maxFloat !== null)
    all.push(
      `The agent's own address can hold ${money(grant, maxFloat)} from the days before, on top of what a day lets out. No revocation, and no end of the grant, takes that from a stolen key.`,
    )
  if (allow.some((entry) => entry.payTo.length === 0))
    all.push('Some hosts bind no payee: whatever payee such a host names is paid.')
  if (grant.status === 'revoked')
    all.push('The grant is marked as revoked. That stops the process; a stolen key only stops on chain.')
  return all
}

function money({ token }: Grant, amount: bigint): string {
  return `${Amount.format(amount, token.decimals)} ${token.symbol}`
}
