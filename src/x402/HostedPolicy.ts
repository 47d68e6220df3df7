/** What a hosted ledger says that a key may spend, and what that means for a payment. */
import type { Grant } from '../Grant.js'
import { money } from '../Refusal.js'

/** A budget a day, base units; null is none. */
export type Level = {
  /** For a person. */
  readonly name: string | null
  readonly perDay: bigint | null
  /** What is left of today: the least that the answer can mean. Null without a budget. */
  readonly remaining: bigint | null
  readonly overBudget: boolean
}

export type HostedPolicy = {
  readonly agent: Level | null
  readonly org: Level | null
  readonly halted: 'AGENT_PAUSED' | 'ACCOUNT_FROZEN' | null
}

export type HostedCode =
  | 'AGENT_PAUSED'
  | 'ACCOUNT_FROZEN'
  | 'OVER_AGENT_BUDGET'
  | 'OVER_ORG_BUDGET'
  /** Nobody answers there, and the sink is set to fail closed. */
  | 'LEDGER_UNREACHABLE'
  /** The answer is none, or goes elsewhere: whatever is set, nothing is paid on it. */
  | 'LEDGER_UNREADABLE'

/** A refusal by the hosted ledger, in the form of those that decisions give. */
export type HostedRefusal = {
  readonly allowed: false
  readonly code: HostedCode
  readonly reason: string
  readonly figures: Readonly<Record<string, bigint | number | string>>
  readonly retryable: boolean
}

export type HostedDecision = { readonly allowed: true } | HostedRefusal

/**
 * The policy in an answer. What the answer leaves out stays as it was known; an answer that says nothing of it, or
 * anything that is not as it has to be, is undefined.
 */
export function read(body: unknown, decimals: number, known?: HostedPolicy): HostedPolicy | undefined {
  if (!isRecord(body)) return undefined
  if (!['agent', 'org', 'halted'].some((field) => body[field] !== undefined)) return undefined
  const agent = body.agent === undefined ? (known?.agent ?? null) : readLevel(body.agent, 'label', decimals)
  const org =
    body.org === undefined
      ? (known?.org ?? null)
      : body.org === null
        ? null
        : readLevel(body.org, 'name', decimals)
  const halted = body.halted === undefined ? (known?.halted ?? null) : readHalt(body)
  return agent === undefined || org === undefined || halted === undefined ? undefined : { agent, org, halted }
}

function readHalt({ halted, haltReason }: Record<string, unknown>): HostedPolicy['halted'] | undefined {
  if (typeof halted !== 'boolean') return undefined
  if (!halted) return null
  return haltReason === 'ACCOUNT_FROZEN' ? 'ACCOUNT_FROZEN' : 'AGENT_PAUSED'
}

function readLevel(given: unknown, nameField: string, decimals: number): Level | undefined {
  if (!isRecord(given)) return undefined
  const { perDayUsd, spentTodayUsd, remainingTodayUsd = null, overBudget } = given
  const name = given[nameField]
  if (typeof overBudget !== 'boolean') return undefined
  const perDay = perDayUsd === null ? null : units(perDayUsd, decimals, 'down')
  const spent = units(spentTodayUsd, decimals, 'up')
  const said = remainingTodayUsd === null ? null : units(remainingTodayUsd, decimals, 'down')
  if (perDay === undefined || spent === undefined || said === undefined) return undefined
  const left = perDay === null ? null : perDay > spent ? perDay - spent : 0n
  const remaining = left === null || (said !== null && said < left) ? said : left
  return { name: typeof name === 'string' ? name : null, perDay, remaining, overBudget }
}

/**
 * Dollars on the wire are floats, which a sum leaves as 0.30000000000000004: what can be spent is rounded down to base
 * units, what was spent is rounded up. Negative is zero.
 */
function units(value: unknown, decimals: number, towards: 'up' | 'down'): bigint | undefined {
  if (typeof value !== 'number' || !Number.isFinite(value) || Math.abs(value) >= 1e15) return undefined
  if (value <= 0) return 0n
  // As it was written: the shortest decimal that is this float.
  const text = String(value)
  const [whole = '0', fraction = ''] = (text.includes('e') ? value.toFixed(20) : text).split('.')
  const exact = BigInt(whole + fraction.slice(0, decimals).padEnd(decimals, '0'))
  const isMore = /[1-9]/.test(fraction.slice(decimals))
  return towards === 'up' && isMore ? exact + 1n : exact
}

/**
 * Whether the policy lets an amount be paid.
 *
 * @param request.outstanding base units that are reserved or paid and that the policy does not count yet, because their
 * receipts have not arrived there: else every parallel call would be given the same rest of the day
 */
export function decide(
  policy: HostedPolicy,
  request: { readonly amount: bigint; readonly outstanding: bigint; readonly grant: Pick<Grant, 'token'> },
): HostedDecision {
  const { amount, outstanding, grant } = request
  if (policy.halted) {
    const what = policy.halted === 'AGENT_PAUSED' ? "The agent's key" : 'The account'
    return refuse(
      policy.halted,
      `${what} is paused at the hosted ledger. It can pay again once it is resumed there.`,
      {},
      true,
    )
  }
  for (const [level, code, who] of [
    [policy.agent, 'OVER_AGENT_BUDGET', "the agent's key"],
    [policy.org, 'OVER_ORG_BUDGET', 'the organization'],
  ] as const) {
    if (!level) continue
    const { remaining, overBudget, name, perDay } = level
    if (!overBudget && (remaining === null || amount + outstanding <= remaining)) continue
    const left =
      remaining === null || overBudget ? 0n : remaining > outstanding ? remaining - outstanding : 0n
    const day = perDay === null ? '' : ` of ${money(grant, perDay)} a day`
    const reason = `${money(grant, amount)} does not fit: ${who}${name ? ` (${name})` : ''} has ${money(grant, left)} left${day} at the hosted ledger.`
    return refuse(code, reason, { amount, remaining: left, outstanding }, true)
  }
  return { allowed: true }
}

export function refuse(
  code: HostedCode,
  reason: string,
  figures: HostedRefusal['figures'],
  retryable: boolean,
): HostedRefusal {
  return { allowed: false, code, reason, figures, retryable }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
