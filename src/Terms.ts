import type { Hex } from 'viem'
import { hardcapGuard, nativeToken, spendPermissionManager } from './Addresses.js'
import * as Allowlist from './Allowlist.js'
import * as Caps from './Caps.js'
import { InputError } from './errors.js'
import type { Grant } from './Grant.js'
import * as Input from './Input.js'
import * as Time from './Time.js'
import * as Token from './Token.js'

// How each term of a grant is read, alike for one that is defined and one that is parsed.

export const rails = ['direct', 'guard', 'purse'] as const
export const payees = ['listed', 'any'] as const

/** What holds between the terms of every grant, defined or parsed. Freezes it. */
export function seal(grant: Grant): Grant {
  const { startsAt, expiresAt, total, hold } = grant
  Caps.check(grant)
  checkRail(grant)
  if (hold === 'total' && total === null)
    throw new InputError('CAP_CONFLICT', {
      field: 'hold',
      given: hold,
      valid: '"day", or a totalUsd',
      why: 'There is no total to hold.',
    })
  const end = expiresAt ?? Time.max
  if (end <= startsAt)
    throw new InputError('INVALID_DATE', {
      field: 'expiresAt',
      given: Time.format(end),
      valid: `a time after ${Time.format(startsAt)}, or an earlier startsAt`,
      why: `The grant starts at ${Time.format(startsAt)} (with a day cap on a UTC midnight), and would have ended by then.`,
      figures: { startsAt, expiresAt },
    })
  if (grant.perDay !== null && startsAt !== Time.midnight(startsAt))
    throw new InputError('INVALID_DATE', {
      field: 'startsAt',
      given: startsAt,
      valid: `a UTC midnight, such as ${Time.midnight(startsAt)}`,
      why: 'With a day cap the start is a UTC midnight, or the chain would count other days.',
    })
  return Object.freeze(grant)
}

/** The terms that only one rail, or all but one, can have. */
function checkRail({ rail, orchestrator, payees, hold, allow }: Grant): void {
  const conflict = (field: string, given: unknown, valid: string, why: string) =>
    new InputError('RAIL_CONFLICT', { field, given, valid, why, figures: { rail } })
  if (rail === 'direct') {
    const valid = 'rail "guard" or "purse"'
    if (orchestrator !== null)
      throw conflict('orchestrator', orchestrator, valid, 'On the direct rail nobody asks an orchestrator.')
    if (payees !== 'listed')
      throw conflict('payees', payees, valid, 'On the direct rail the chain knows no payees to begin with.')
    return
  }
  if (hold !== 'day')
    throw conflict('hold', hold, '"day", or rail "direct"', 'The guard holds the day cap and the total both.')
  const hosts = allow.filter(({ payTo }) => payTo.length === 0).map(({ host }) => host)
  if (payees === 'any' || hosts.length === 0) return
  throw new InputError('PAYEES_MISSING', {
    field: 'allow',
    given: hosts.join(', '),
    valid: 'an entry { host, payTo } for every host, or payees: "any", which lets the guard pay anybody',
    why: 'The guard knows payees and no hosts, and these hosts name none.',
    figures: { hosts },
  })
}

export function grantId(value: unknown): Hex {
  if (typeof value === 'string' && /^0x[0-9a-f]{64}$/.test(value)) return value as Hex
  const valid = '32 bytes in lower-case hexadecimal with 0x, such as the grantId of the grant to replace'
  throw new InputError('INVALID_VALUE', { field: 'grantId', given: value, valid, why: 'Not a grantId.' })
}

/**
 * Control characters, line breaks, half characters, what turns the direction of the text around it or has no width, and
 * the letters of Hangul that stand for none.
 */
const unprintable = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\u115f\u1160\u3164\uffa0]/u

/** Whether people see all of it, on one line, and in its own place. */
export function isPrintable(text: string): boolean {
  return !unprintable.test(text)
}

/** A name is shown to people and written to logs. */
export function id(value: unknown): string {
  if (typeof value === 'string' && value.length > 0 && value.length <= 200 && isPrintable(value)) return value
  const valid = 'a name of 1 to 200 characters that can be seen, on one line'
  throw new InputError('INVALID_VALUE', { field: 'id', given: value, valid, why: 'Not a name.' })
}

export function chainId(value: unknown, field: string): number {
  const ids = Object.keys(Token.known)
  if (typeof value === 'number' && ids.includes(String(value))) return value
  const valid = `${ids.join(' or ')} (Base, Base Sepolia), or a viem chain with that id`
  throw new InputError('UNKNOWN_CHAIN', {
    field,
    given: value,
    valid,
    why: 'Not a chain that hardcap knows.',
  })
}

/** Caps are in dollars: a euro counted as a dollar would overspend them without anybody noticing. */
export function token(value: unknown, chainId: number): Token.Token {
  const token = Token.resolve(value, { chainId, field: 'token' })
  if (token.currency === 'USD') return token
  const usd = (Token.known[chainId] ?? []).filter((token) => token.currency === 'USD')
  throw new InputError('TOKEN_NOT_USD', {
    field: 'token',
    given: value,
    valid: usd.map((token) => `"${token.symbol}"`).join(' or '),
    why: `${token.symbol} is ${token.currency}, and the caps are in USD.`,
  })
}

/**
 * Owner, agent and payees, of whom nobody may be a contract that is in the way, or two of them at once; and the
 * orchestrator, who may be anybody but the agent.
 */
export function parties(
  input: Record<string, unknown>,
  token: Token.Token,
): Pick<Grant, 'owner' | 'agent' | 'orchestrator' | 'allow'> {
  const contracts = [
    { address: token.address, why: `This is the token ${token.symbol} itself.` },
    { address: spendPermissionManager, why: 'This is SpendPermissionManager.' },
    { address: hardcapGuard, why: 'This is the guard.' },
    { address: nativeToken, why: 'This stands for the native token.' },
  ] as const
  const valid = {
    owner: 'the address of a smart wallet',
    agent: "an EOA of the agent's own",
    orchestrator: "an address of the orchestrator's own",
  } as const
  const party = (field: keyof typeof valid, refused: Allowlist.ParseOptions['refused']) => {
    const address = Input.address(input[field], field)
    const reason = refused.find((other) => other.address === address)
    if (!reason) return address
    throw new InputError('INVALID_ADDRESS', {
      field,
      given: address,
      valid: valid[field],
      why: reason.why,
    })
  }
  const owner = party('owner', contracts)
  const agent = party('agent', [
    ...contracts,
    { address: owner, why: 'This is the owner, whom no cap could hold.' },
  ])
  // Absent is undefined where a grant is defined, and null where it was written down.
  const orchestrator =
    input.orchestrator === undefined
      ? null
      : party('orchestrator', [
          ...contracts,
          { address: agent, why: 'This is the agent: it would sign its own tickets.' },
        ])
  const allow = Allowlist.parse(input.allow, {
    field: 'allow',
    refused: [
      ...contracts,
      { address: owner, why: 'This is the owner: the money would come back.' },
      { address: agent, why: 'This is the agent: it must not pay itself.' },
    ],
  })
  return { owner, agent, orchestrator, allow }
}
