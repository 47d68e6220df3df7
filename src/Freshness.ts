/** Whether the books have seen the chain lately: without that nothing is reserved, whatever the caps say. */
import { type Refusal, refuse } from './Refusal.js'
import type { Worker } from './Worker.js'

/** See `OpenBudgetOptions`. */
type Limits = {
  readonly maxUnseenMs?: number | undefined
  readonly maxHeadAgeSeconds?: number | undefined
}

/**
 * Why nothing may be reserved now, if so. `headTime`: unix seconds of the latest block that the books have read.
 * @throws GrantError where the worker stopped for good
 */
export async function refusal(
  worker: Pick<Worker, 'stopped' | 'doubted' | 'unseenMs' | 'round'>,
  headTime: () => Promise<number>,
  { maxUnseenMs = 60_000, maxHeadAgeSeconds = Number.POSITIVE_INFINITY }: Limits,
): Promise<Refusal | undefined> {
  const stopped = worker.stopped()
  if (stopped) throw stopped
  if (worker.unseenMs() > maxUnseenMs || worker.doubted()) await worker.round().catch(() => {})
  const doubted = worker.doubted()
  if (doubted)
    return refuse('LOGS_MISSING', doubted.message, { ...doubted.figures } as Refusal['figures'], true)
  const unseenMs = worker.unseenMs()
  if (unseenMs > maxUnseenMs) {
    const since = Number.isFinite(unseenMs) ? `${Math.round(unseenMs)} ms ago` : 'never'
    const reason = `The chain was last seen ${since}, and reserving needs it seen within ${maxUnseenMs} ms. Check the endpoint; nothing is reserved until it has caught up.`
    return refuse('CHAIN_UNSEEN', reason, { unseenMs, maxUnseenMs }, true)
  }
  const headAgeSeconds = Date.now() / 1000 - (await headTime())
  if (headAgeSeconds <= maxHeadAgeSeconds) return undefined
  const reason = `The latest block is ${Math.round(headAgeSeconds)} seconds old, and reserving needs one of the last ${maxHeadAgeSeconds}. Check the endpoint, which may stand still, and the clock.`
  return refuse('CHAIN_UNSEEN', reason, { headAgeSeconds, maxHeadAgeSeconds }, true)
}
