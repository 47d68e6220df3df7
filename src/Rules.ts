// The rules of a decision, each yielding why it refuses, if it does. `Decision` says in which order they are asked.
import { type Address, isAddressEqual, zeroAddress } from 'viem'
import { spendPermissionManager } from './Addresses.js'
import * as Allowlist from './Allowlist.js'
import type { Grant } from './Grant.js'
import * as Host from './Host.js'
import * as Permission from './Permission.js'
import { exceeded, money, type Refusal, refuse } from './Refusal.js'
import { endOf, needsTicket, type Request, railOf, type State } from './State.js'
import * as Time from './Time.js'
import * as TrailingWindow from './TrailingWindow.js'

type Refusals = Generator<Refusal, void>

/** Revoked, paused, approved. */
export function* status({ grant, paused, approved, revoked, stops }: State): Refusals {
  const { chainId, id, owner } = grant
  const [revoker] = stops?.revoked ?? []
  if (grant.status === 'revoked' || revoked || revoker !== undefined) {
    const reason = `Grant ${id} is revoked, which is final. Ask ${owner} to sign a new grant.`
    yield refuse('REVOKED', reason, { by: revoker ?? (revoked ? 'chain' : 'grant') })
  }
  const [pauser] = stops?.paused ?? []
  if (paused || pauser !== undefined) {
    const whose = pauser === undefined ? '' : ` by its ${pauser}`
    const reason = `Grant ${id} is paused${whose}. It can be used again once it is resumed.`
    yield refuse('PAUSED', reason, pauser === undefined ? {} : { by: pauser }, true)
  }
  if (!approved) {
    const reason = `The permission of grant ${id} is not approved on chain ${chainId}. Submit the owner's signature, or let ${owner} approve it.`
    yield refuse('NOT_APPROVED', reason, { chainId }, true)
  }
}

/** Started, not ended. */
export function* dates(state: State): Refusals {
  const { now } = state
  const { id, owner } = state.grant
  const { start } = state.permission
  const end = endOf(state)
  if (now < start) {
    const reason = `Grant ${id} starts at ${Time.format(start)}; it is ${Time.format(now)} on chain. Try again then.`
    yield refuse('NOT_STARTED', reason, { start, now }, start)
  }
  if (now >= end) {
    const reason = `Grant ${id} ended at ${Time.format(end)}; it is ${Time.format(now)} on chain. Ask ${owner} to sign a new grant.`
    yield refuse('EXPIRED', reason, { end, now })
  }
}

/** On the list, where a host is named. */
export function* host({ allow, id, owner }: Grant, host: string | undefined): Refusals {
  if (host === undefined) return
  const read = Host.read(host)
  // What cannot be read may be a whole URL with a password in it, so it is not repeated.
  if (!read.ok) return yield refuse('NOT_ALLOWED', `The host cannot be read. ${read.reason}`, {})
  if (allow.some((entry) => entry.host === read.host)) return
  const reason = `${read.host} is not on the allowlist of grant ${id}. Ask ${owner} to sign a grant that names it.`
  yield refuse('NOT_ALLOWED', reason, { host: read.host })
}

/** Allowed to be paid, and somebody who can be. */
export function* payee({ grant, permission, purse }: State, { host, to }: Request): Refusals {
  const { allow, owner, rail, token } = grant
  const figures = { to, ...(host === undefined ? {} : { host }) }
  const bars: { address: Address; why: string }[] = [
    { address: zeroAddress, why: 'belongs to nobody' },
    { address: permission.spender, why: 'is the guard, which keeps nothing' },
    { address: spendPermissionManager, why: 'is SpendPermissionManager' },
    { address: token.address, why: `is the token ${token.symbol} itself` },
    ...(purse ? [{ address: purse.address, why: "is the agent's purse, which is funded and not paid" }] : []),
  ]
  const barred = bars.find(({ address }) => isAddressEqual(address, to))
  if (rail !== 'direct' && barred) {
    const reason = `${to} ${barred.why}. Ask for another payee.`
    return yield refuse('NOT_ALLOWED', reason, figures)
  }
  // To itself it would pay, as the token sees it, and have what it had: the books would fill it again and again.
  if (purse && isAddressEqual(purse.address, to)) {
    const reason = `${to} is the address that pays. Ask for another payee.`
    return yield refuse('NOT_ALLOWED', reason, figures)
  }
  const permitted = Allowlist.permits(allow, { to, host })
  if (permitted.allowed) return
  const help = `Ask ${owner} to sign a grant that names the payee${host === undefined ? ', or name the host that asks for the payment' : ''}.`
  yield refuse('NOT_ALLOWED', `${permitted.reason} ${help}`, figures)
}

/** One payment, by itself. */
export function* perCall({ grant }: Pick<State, 'grant'>, amount: bigint): Refusals {
  const { owner, perCall } = grant
  if (amount <= perCall) return
  const reason = `${money(grant, amount)} is more than the ${money(grant, perCall)} that one call may cost. Ask ${owner} to sign a grant with a higher cap per call.`
  yield { ...refuse('OVER_PER_CALL', reason, { limit: perCall, amount }), cap: 'perCall' }
}

/** The task: named, signed for where the chain asks for it, and within its cap. */
export function* task(
  state: State,
  request: Pick<Request, 'task' | 'ticket' | 'via'>,
  amount: bigint,
): Refusals {
  const { grant, now, used } = state
  if (grant.perTask === null) return
  const limit = taskLimit(state, request) ?? grant.perTask
  if (needsTicket(state, railOf(state, request))) {
    const { task, ticket } = request
    const { orchestrator, id } = grant
    if (task === undefined) {
      const reason = `Grant ${id} caps tasks on chain, and the payment names none. Name the task that it is for.`
      return yield refuse('TASK_MISSING', reason, {})
    }
    if (ticket === undefined) {
      const reason = `Task ${task} has no ticket. Ask ${orchestrator} to sign one.`
      return yield refuse('TICKET_MISSING', reason, { task }, true)
    }
    if (now >= ticket.deadline) {
      const reason = `The ticket of task ${task} ended at ${Time.format(ticket.deadline)}; it is ${Time.format(now)} on chain. Ask ${orchestrator} to sign another one.`
      yield refuse('TICKET_EXPIRED', reason, { task, deadline: ticket.deadline, now }, true)
    }
  }
  if (used.task + amount > limit) yield exceeded(state, 'perTask', { limit, used: used.task, amount })
}

/** What the task may cost: the lower of the grant's cap and the ticket's; null without a cap. */
export function taskLimit(state: State, request: Pick<Request, 'ticket' | 'via'>): bigint | null {
  const { ticket } = request
  const { perTask } = state.grant
  if (perTask === null || ticket === undefined) return perTask
  if (!needsTicket(state, railOf(state, request))) return perTask
  return ticket.cap < perTask ? ticket.cap : perTask
}

/** The meters of the grant, and last the period of the permission, which the chain keeps whatever the grant says. */
export function* meters(state: State, amount: bigint): Refusals {
  const { grant, permission, now, used } = state
  const { perDay, total, perWindow, window } = grant
  if (perDay !== null && used.day + amount > perDay) {
    const next = Time.midnight(now) + Time.day
    yield exceeded(state, 'perDay', { limit: perDay, used: used.day, amount }, next)
  }
  if (perWindow !== null && window !== null) {
    const slot = state.window ?? TrailingWindow.empty
    const spent = TrailingWindow.used(slot, { time: now, window })
    if (spent + amount > perWindow) {
      const next = TrailingWindow.fitsAt(slot, { time: now, window, amount, limit: perWindow })
      yield exceeded(state, 'perWindow', { limit: perWindow, used: spent, amount }, next)
    }
  }
  if (total !== null && used.total + amount > total)
    yield exceeded(state, 'total', { limit: total, used: used.total, amount })
  // Outside of its dates, which are refused before, a permission has no period.
  const period = Permission.periodAt(permission, now)
  if (period && used.period + amount > permission.allowance) {
    // Which of the two the allowance mirrors, see `Permission.fromGrant`.
    const cap = perDay !== null && (total === null || perDay < total) ? 'perDay' : 'total'
    const figures = { limit: permission.allowance, used: used.period, amount, periodEnd: period.end }
    yield exceeded(state, cap, figures, period.end)
  }
}

const holder = ({ rail }: Grant) => (rail === 'direct' ? "The agent's float" : 'The purse')

/** What the purse holds. */
export function* float({ grant, purse }: State, amount: bigint): Refusals {
  const balance = purse?.balance ?? 0n
  if (amount <= balance) return
  const reason = `${holder(grant)} holds ${money(grant, balance)}, and ${money(grant, amount)} are to be paid. Fund it first.`
  yield refuse('FLOAT_LOW', reason, { balance, amount }, true)
}

/** A funding, by itself: up to `maxFloat`, and more than the purse holds. */
export function* target({ grant, purse }: State, target: bigint): Refusals {
  const { owner } = grant
  const maxFloat = grant.maxFloat ?? 0n
  const balance = purse?.balance ?? 0n
  if (target > maxFloat) {
    const reason = `${money(grant, target)} is more than the ${money(grant, maxFloat)} that ${holder(grant).toLowerCase()} may hold. Ask ${owner} to sign a grant with a higher float.`
    const figures = { limit: maxFloat, used: balance, amount: target }
    yield { ...refuse('BUDGET_EXCEEDED', reason, figures), cap: 'maxFloat' }
  }
  if (target <= balance) {
    const reason = `${holder(grant)} holds ${money(grant, balance)} already, which is no less than ${money(grant, target)}.`
    yield refuse('NOTHING_TO_FUND', reason, { balance, target })
  }
}
