/**
 * An agent that is refused by a cap asks its owner for a higher one. The request is a receipt, so it is kept, goes to the
 * webhooks and changes nothing; what answers it is a grant that replaces the one in use (`Budget.replace`), under which
 * what was spent stays spent.
 */
import type { Budget } from '../Budget.js'
import { InputError } from '../errors.js'
import * as Grant from '../Grant.js'
import type { Receipt } from '../Receipt.js'
import { X402Error } from './Violation.js'

const caps = ['perCall', 'perTask', 'perDay', 'total', 'perWindow', 'maxFloat'] as const
export type IncreaseCap = (typeof caps)[number]

/** A request, as it is in the books. */
export type Increase = {
  readonly id: string
  readonly cap: IncreaseCap
  /** Base units: what the cap should be. */
  readonly to: bigint
  /** For the owner, in the agent's words. */
  readonly reason: string
  /** Chain time, unix seconds. */
  readonly time: number
}

export type ApprovedOptions = {
  /** Ends the waiting; the request stays. */
  readonly signal?: AbortSignal | undefined
  /** Milliseconds to wait. Until `signal` unless said otherwise. */
  readonly timeoutMs?: number | undefined
  /** Milliseconds between two looks at the books, where another process may have replaced the grant. 1,000 unless said otherwise. */
  readonly pollMs?: number | undefined
}

export type Requested = Increase & {
  /**
   * Resolves with the grant in use once its cap is high enough.
   * @throws X402Error `TIMED_OUT`, and the reason of `signal`
   */
  readonly approved: (options?: ApprovedOptions) => Promise<Grant.Grant>
}

/**
 * Asks for a higher cap.
 * @throws InputError `INVALID_VALUE` where the grant has no such cap, or where it is as high already
 */
export async function requestIncrease(
  budget: Budget,
  asked: { readonly cap: IncreaseCap; readonly to: bigint; readonly reason: string },
): Promise<Requested> {
  const { cap, to, reason } = asked
  const limit = caps.includes(cap) ? budget.grant[cap] : null
  if (limit === null || typeof to !== 'bigint' || to <= limit)
    throw new InputError('INVALID_VALUE', {
      field: limit === null ? 'cap' : 'to',
      given: limit === null ? cap : to,
      valid:
        limit === null
          ? caps.filter((name) => budget.grant[name] !== null).join(', ')
          : `a bigint of base units above ${limit}`,
      why: limit === null ? 'The grant has no such cap.' : 'The cap is no higher then.',
    })
  const id = crypto.randomUUID()
  const { time, seq } = await budget.ask({ id, cap, to, reason })
  const request = { id, cap, to, reason, time }
  return { ...request, approved: (options) => approved(budget, request, seq, options) }
}

/** What was asked for and the grant in use does not give, oldest first: for the owner to look at. Reads all receipts. */
export async function increases(budget: Budget): Promise<readonly Increase[]> {
  const requests = (await budget.receipts()).flatMap((receipt) => read(receipt) ?? [])
  await budget.status()
  return requests.filter((request) => !isGiven(budget.grant, request))
}

/**
 * The grant in use with the cap that was asked for: for the owner to look at with `Coverage`, and to sign.
 * @throws InputError where the other caps do not allow it, such as a call above the day
 */
export function raise(grant: Grant.Grant, { cap, to }: Pick<Increase, 'cap' | 'to'>): Grant.Grant {
  return Grant.parse(Grant.serialize({ ...grant, [cap]: to }))
}

function read({ event, key, note, amount, time }: Receipt): Increase | undefined {
  const [, name, reason = ''] = /^INCREASE (\w+): (.*)$/s.exec(note) ?? []
  const cap = caps.find((known) => known === name)
  if (event !== 'requested' || cap === undefined || key === null) return undefined
  return { id: key, cap, to: amount, reason, time }
}

function isGiven(grant: Grant.Grant, { cap, to }: Pick<Increase, 'cap' | 'to'>): boolean {
  const limit = grant[cap]
  return limit === null || limit >= to
}

async function approved(
  budget: Budget,
  request: Increase,
  seq: number,
  { signal, timeoutMs, pollMs = 1_000 }: ApprovedOptions = {},
): Promise<Grant.Grant> {
  const deadline = timeoutMs === undefined ? undefined : AbortSignal.timeout(timeoutMs)
  let wake = () => {}
  const unfollow = budget.follow(({ event }) => {
    if (event === 'replaced') wake()
  })
  const ends = [signal, deadline].filter((end) => end !== undefined)
  const onEnd = () => wake()
  for (const end of ends) end.addEventListener('abort', onEnd)
  try {
    for (let offset = seq + 1; ; ) {
      const woken = new Promise<void>((resolve) => {
        wake = resolve
      })
      const receipts = await budget.receipts({ offset })
      offset += receipts.length
      // The books of another process say so too; reading the status has the budget look at its terms again.
      if (receipts.some(({ event }) => event === 'replaced')) await budget.status()
      if (isGiven(budget.grant, request)) return budget.grant
      signal?.throwIfAborted()
      if (deadline?.aborted) throw timedOut(budget.grant, request, timeoutMs)
      const timer = setTimeout(() => wake(), pollMs)
      await woken
      clearTimeout(timer)
    }
  } finally {
    unfollow()
    for (const end of ends) end.removeEventListener('abort', onEnd)
  }
}

function timedOut({ owner }: Grant.Grant, { id, cap, to }: Increase, limit: number | undefined): X402Error {
  const reason = `The owner (${owner}) has not raised ${cap} to ${to} within ${limit} ms. The request ${id} stays: it can be waited for again.`
  return new X402Error('TIMED_OUT', reason, { figures: { id, cap, to, limit }, retryable: true })
}
