/** How many blocks an endpoint gives the logs of at once. Nobody says it beforehand, so it is tried. */
import { BaseError, TimeoutError } from 'viem'
import { ChainError } from './ChainError.js'

/** What has worked so far; it changes as it is used. */
export type Span = {
  /** Blocks to ask for next. */
  blocks: bigint
  /** Requests that went well in a row, and how many it takes before more is tried. */
  wins: number
  needed: number
  /** What was tried last. */
  tried: bigint
}

/** Enough for two days of Base. Endpoints that give less say so at once. */
const most = 100_000n
/** A limit that was met is tried again ever more rarely. */
const patience = { least: 4, most: 1_024 }

export function create(): Span {
  return { blocks: most, wins: 0, needed: patience.least, tried: 0n }
}

/** The range was given: after some of them more is tried. */
function won(span: Span): void {
  span.wins += 1
  if (span.wins < span.needed || span.blocks === most) return
  span.blocks = span.blocks * 2n < most ? span.blocks * 2n : most
  span.tried = span.blocks
  span.wins = 0
}

/** The range was too wide: half of it is tried. */
function lost(span: Span, asked: bigint): void {
  // More was tried, and the limit still stands.
  span.needed = asked === span.tried ? Math.min(span.needed * 2, patience.most) : patience.least
  span.blocks = asked / 2n > 1n ? asked / 2n : 1n
  span.wins = 0
}

/** How often an endpoint that is busy is waited for, before it is left to the next round. */
const waits = 5

/**
 * Goes through a range in steps as wide as the endpoint allows, and asks `done` after each whether that is enough.
 * One that is busy is asked for the same again, after a while that doubles; if it times out again, for half.
 * Returns the last block of the last step.
 */
export async function walk(
  span: Span,
  options: {
    readonly from: bigint
    readonly to: bigint
    readonly step: (from: bigint, to: bigint) => Promise<void>
    readonly isEnough?: ((to: bigint) => boolean) | undefined
    /** Milliseconds of the first wait. */
    readonly waitMs: number
  },
): Promise<bigint> {
  const { from, to: last, step, isEnough, waitMs } = options
  let busy = 0
  for (let at = from; at <= last; ) {
    const to = at + span.blocks - 1n < last ? at + span.blocks - 1n : last
    const asked = to - at + 1n
    try {
      await step(at, to)
    } catch (error) {
      const refusal = refusalOf(error)
      if (refusal === 'never' || (refusal === 'wide' && asked === 1n)) throw error
      // What takes too long each time may be too much.
      if (refusal === 'wide' || (refusal === 'slow' && busy > 0 && asked > 1n)) lost(span, asked)
      if (refusal === 'wide') continue
      if (busy === waits) throw error
      await new Promise((resolve) => setTimeout(resolve, waitMs * 2 ** busy))
      busy += 1
      continue
    }
    busy = 0
    if (asked === span.blocks) won(span)
    if (isEnough?.(to)) return to
    at = to + 1n
  }
  return last
}

/**
 * What an endpoint means by an error: that the range is too wide, that it is busy or slow, or that to ask again does
 * not help. What cannot be told is taken for too wide: to ask for less does no harm.
 */
export function refusalOf(error: unknown): 'wide' | 'busy' | 'slow' | 'never' {
  if (error instanceof ChainError) return 'never'
  const status = statusOf(error)
  if (status === 401 || status === 403) return 'never'
  if (status === 429) return 'busy'
  if (status === 408 || status === 504) return 'slow'
  if (error instanceof BaseError && error.walk((e) => e instanceof TimeoutError)) return 'slow'
  // Not the message, which has the URL in it.
  const said = error instanceof BaseError ? `${error.shortMessage} ${error.details}` : ''
  if (/too many requests|rate.?limit|request rate|throttl|compute units|capacity/i.test(said)) return 'busy'
  // No answer at all.
  if (error instanceof BaseError && error.walk((e) => e instanceof Error && e.name === 'HttpRequestError')) {
    return status === undefined || status === 502 || status === 503 ? 'never' : 'wide'
  }
  return 'wide'
}

/** The HTTP status that an error tells of. */
function statusOf(error: unknown): number | undefined {
  const told = (e: unknown) =>
    typeof e === 'object' && e !== null && 'status' in e && typeof e.status === 'number'
  const cause = error instanceof BaseError ? error.walk(told) : undefined
  return told(cause) ? (cause as unknown as { status: number }).status : undefined
}
