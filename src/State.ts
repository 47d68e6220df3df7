import type { Address } from 'viem'
import type { Grant } from './Grant.js'
import type { Permission } from './Permission.js'
import type { TrailingWindow } from './TrailingWindow.js'

/** What somebody wants to pay. `amount` in base units. */
export type Request = {
  readonly to: Address
  readonly amount: bigint
  /** Resolved host, where one is known: it must be on the allowlist and bind the payee. */
  readonly host?: string | undefined
  readonly task?: string | undefined
  /** The orchestrator's ticket for the task, its signature checked. Asked for where the chain holds `perTask`. */
  readonly ticket?: Ticket | undefined
  /**
   * What pays: where omitted what the grant's rail says. A grant with a purse can pay through the guard as well, and on the
   * direct rail one that names a float can pay from it, which is `purse` here.
   */
  readonly via?: 'guard' | 'purse' | undefined
}

/** What an orchestrator lets a task cost, base units, and the first unix second at which nobody may rely on it. */
export type Ticket = { readonly cap: bigint; readonly deadline: number }

/** A balance for the agent's purse to be lifted to, base units. */
export type FundingRequest = Pick<Request, 'task' | 'ticket'> & { readonly target: bigint }

/** Who has a flag at the guard. Nobody listens to an agent that pauses. */
export type Stops = {
  readonly paused?: readonly ('account' | 'orchestrator')[] | undefined
  readonly revoked?: readonly ('account' | 'orchestrator' | 'agent')[] | undefined
}

/** Everything a decision looks at besides the request. Meters include what is reserved and still open. */
export type State = {
  readonly grant: Grant
  readonly permission: Permission
  /** Chain time: the timestamp of the latest block that was seen, unix seconds. */
  readonly now: number
  /** Of the process. What is paused on chain is in `stops`. */
  readonly paused: boolean
  /** As the chain answers: `isApproved`, `isRevoked`. */
  readonly approved: boolean
  readonly revoked: boolean
  /**
   * Base units that count against each cap at `now`: settled in the period plus every open reservation. On the
   * guard and purse rails day and total are the grant's, of all its permissions; on the purse rail period, day and
   * total are of what left the account, so of fundings.
   */
  readonly used: {
    /** The permission's current period. */
    readonly period: bigint
    /** The current UTC day. */
    readonly day: bigint
    /** The life of the grant. */
    readonly total: bigint
    /** The task that the request names: its payments, or for a funding its fundings. 0 where it names none. */
    readonly task: bigint
  }
  /** The grant's trailing window of this length, open reservations recorded in it. Empty where omitted. */
  readonly window?: TrailingWindow | undefined
  readonly stops?: Stops | undefined
  /**
   * The agent's purse and what it holds, base units, less what is signed and still open. It pays for the permission
   * that last funded it alone; what is there when another one funds it goes back to the account. On the direct rail the
   * agent's own address, and of what it holds the part that was pulled to pay authorizations with.
   */
  readonly purse?: { readonly address: Address; readonly balance: bigint } | undefined
}

/** The first second at which nothing can be spent any more. */
export function endOf({ grant, permission }: Pick<State, 'grant' | 'permission'>): number {
  return grant.expiresAt === null ? permission.end : Math.min(permission.end, grant.expiresAt)
}

/** What pays: `purse` is the float, which on the direct rail is the agent's own, where the grant names one. */
export function railOf({ grant }: Pick<State, 'grant'>, request: Pick<Request, 'via'>): Grant['rail'] {
  const { rail, maxFloat } = grant
  if (rail === 'direct') return request.via === 'purse' && maxFloat !== null ? 'purse' : 'direct'
  return rail === 'purse' ? (request.via ?? 'purse') : rail
}

/**
 * Whether the chain holds `perTask`, so that a task and the orchestrator's ticket for it are needed: with an
 * orchestrator, for what the guard pays, and for fundings of a purse. What a purse pays is for no task that it knows.
 */
export function needsTicket({ grant }: Pick<State, 'grant'>, pays: Grant['rail']): boolean {
  return pays === 'guard' && grant.rail !== 'direct' && grant.orchestrator !== null && grant.perTask !== null
}
