/**
 * A run of an agent with limits of its own, on top of its grant's: per request, per task, per session. Kept by the
 * books alone: a chain knows no sessions. A session is opened, resumed by its id, and ended for good; its limits are set
 * once and only ever lowered.
 */
import type { Hex } from 'viem'
import * as Amount from './Amount.js'
import { InputError } from './errors.js'
import type { Grant } from './Grant.js'
import { GrantError } from './GrantError.js'
import * as Input from './Input.js'
import * as Meter from './Meter.js'
import { money, type Refusal, refuse } from './Refusal.js'
import type { SessionRow, Transaction } from './Store.js'

/** Limits as people write them, decimal strings of the token. */
export type LimitsInput = {
  /** The most of one payment. Default 1. */
  readonly perRequestUsd?: string | number | undefined
  /** The most of one task within the session. Default 10. */
  readonly perTaskUsd?: string | number | undefined
  /** The most of the session. Default 50. */
  readonly perSessionUsd?: string | number | undefined
}

export type OpenOptions = LimitsInput & {
  /** To resume a session, or to give it a name: 1 to 200 characters. Random where omitted. */
  readonly id?: string | undefined
}

/** Base units. */
export type Limits = Pick<SessionRow, 'perRequest' | 'perTask' | 'perSession'>

const defaults = { perRequest: '1', perTask: '10', perSession: '50' } as const
const names = Object.keys(defaults) as (keyof Limits)[]
const fields = names.map((name) => `${name}Usd` as const)

/** @throws InputError */
export function readOptions(given: unknown, { token }: Pick<Grant, 'token'>) {
  const input = Input.fields(given, 'session', ['id', ...fields])
  return { id: readId(input.id), limits: readLimits(input, token.decimals) }
}

/** @throws InputError */
export function readLimits(
  input: Record<string, unknown>,
  decimals: number,
): { readonly [name in keyof Limits]?: bigint } {
  const given = names.filter((name) => input[`${name}Usd`] !== undefined)
  return Object.fromEntries(
    given.map((name) => [name, Amount.parse(input[`${name}Usd`], { decimals, field: `${name}Usd` })]),
  )
}

function readId(given: unknown): string {
  if (given === undefined) return crypto.randomUUID()
  if (Input.isText(given)) return given
  throw new InputError('INVALID_VALUE', {
    field: 'session.id',
    given,
    valid: 'a string of 1 to 200 characters, none of them NUL, or nothing',
    why: 'A session is resumed by its id.',
  })
}

/**
 * Opens a session, or finds it: then what is given of the limits lowers them.
 *
 * @throws GrantError `SESSION_ENDED`; `SESSION_RAISED` where a limit would rise
 */
export async function open(
  tx: Transaction,
  grant: Grant,
  options: { readonly id: string; readonly limits: Partial<Limits>; readonly now: number },
): Promise<SessionRow> {
  const { grantId, token } = grant
  const { id, limits, now } = options
  const known = await tx.get('sessions', { grantId, id })
  if (known) return lower(tx, grant, { id, limits })
  const initial = (name: keyof Limits) =>
    limits[name] ?? Amount.parse(defaults[name], { decimals: token.decimals, field: name })
  const row: SessionRow = {
    grantId,
    id,
    startedAt: now,
    endedAt: null,
    perRequest: initial('perRequest'),
    perTask: initial('perTask'),
    perSession: initial('perSession'),
    unexplained: await Meter.read(tx, grantId, Meter.unexplained),
  }
  await tx.put('sessions', row)
  return row
}

/**
 * Lowers limits of a session that is open; what is not given stays.
 *
 * @throws GrantError `SESSION_UNKNOWN`, `SESSION_ENDED`, `SESSION_RAISED`
 */
export async function lower(
  tx: Transaction,
  grant: Grant,
  { id, limits }: { readonly id: string; readonly limits: Partial<Limits> },
): Promise<SessionRow> {
  const row = await get(tx, grant.grantId, id)
  if (row.endedAt !== null) throw GrantError.of(ended(row))
  for (const name of names) {
    const limit = limits[name]
    if (limit === undefined || limit <= row[name]) continue
    throw new GrantError(
      'SESSION_RAISED',
      `Session ${id} has a ${name} of ${money(grant, row[name])}, and ${money(grant, limit)} would raise it. The limits of a session can only be lowered: open another one.`,
      { figures: { limit: row[name], given: limit } },
    )
  }
  const lowered = { ...row, ...limits }
  await tx.put('sessions', lowered)
  return lowered
}

/** Ends a session for good. What is open in it goes on. */
export async function end(tx: Transaction, grantId: Hex, id: string, now: number): Promise<void> {
  const row = await get(tx, grantId, id)
  if (row.endedAt === null) await tx.put('sessions', { ...row, endedAt: now })
}

/** @throws GrantError `SESSION_UNKNOWN` */
export async function get(tx: Transaction, grantId: Hex, id: string): Promise<SessionRow> {
  const row = await tx.get('sessions', { grantId, id })
  if (row) return row
  throw GrantError.of(unknown(id))
}

/** What somebody wants to pay in a session. `amount` in base units. */
type Request = {
  readonly amount: bigint
  readonly task?: string | undefined
  readonly session?: string | undefined
}

/** Why the session of a request refuses it, if it does: it is not open, then request, task, session. */
export async function refusal(tx: Transaction, grant: Grant, request: Request): Promise<Refusal | undefined> {
  const { amount, task, session: id } = request
  if (id === undefined) return undefined
  const { grantId } = grant
  const row = await tx.get('sessions', { grantId, id })
  if (!row) return unknown(id)
  if (row.endedAt !== null) return ended(row)
  const { perRequest, perTask, perSession } = row
  if (amount > perRequest) {
    const reason = `${money(grant, amount)} is more than the ${money(grant, perRequest)} that one request of session ${id} may cost. Ask for less, or open a session with a higher limit.`
    return {
      ...refuse('OVER_PER_CALL', reason, { limit: perRequest, amount, session: id }),
      cap: 'perRequest',
    }
  }
  const used = await readUsed(tx, grantId, request)
  if (task !== undefined && used.task + amount > perTask)
    return exceeded(grant, 'perSessionTask', { id, limit: perTask, used: used.task, amount })
  if (used.session + amount > perSession)
    return exceeded(grant, 'perSession', { id, limit: perSession, used: used.session, amount })
  return undefined
}

/**
 * Base units: reserved or paid in the session, and within it for the task. What the agent's key has spent since the
 * session was opened, and nothing explains, is charged to it: it may be the session's own, forgotten by books that were
 * restored. Where several are open, to each.
 */
export async function readUsed(
  tx: Transaction,
  grantId: Hex,
  { session = '', task }: Pick<Request, 'session' | 'task'>,
): Promise<{ readonly session: bigint; readonly task: bigint }> {
  const row = await tx.get('sessions', { grantId, id: session })
  const since = (await Meter.read(tx, grantId, Meter.unexplained)) - (row?.unexplained ?? 0n)
  const booked = await Meter.read(tx, grantId, Meter.labelled('session', session))
  return {
    // Less than nothing where a reorganisation took back what came before it.
    session: booked + (since > 0n ? since : 0n),
    task: task === undefined ? 0n : await Meter.read(tx, grantId, Meter.sessionTask(session, task)),
  }
}

function exceeded(
  grant: Grant,
  cap: 'perSessionTask' | 'perSession',
  { id, ...figures }: { id: string; limit: bigint; used: bigint; amount: bigint },
): Refusal {
  const { limit, used, amount } = figures
  const which = cap === 'perSession' ? `in session ${id}` : `per task of session ${id}`
  const reason = `${money(grant, amount)} does not fit: ${money(grant, used)} of the ${money(grant, limit)} ${which} are spent or reserved. Open another session, or one with a higher limit.`
  return { ...refuse('BUDGET_EXCEEDED', reason, { ...figures, session: id }), cap }
}

function unknown(id: string): Refusal {
  const reason = `There is no session ${id} in these books. Open it first: budget.openSession({ id }).`
  return refuse('SESSION_UNKNOWN', reason, { session: id })
}

function ended({ id, endedAt }: SessionRow): Refusal {
  const reason = `Session ${id} is ended, which is final. Open another one.`
  return refuse('SESSION_ENDED', reason, { session: id, endedAt: endedAt ?? 0 })
}
