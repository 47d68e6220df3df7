/** How a long way through the chain goes, for whoever watches. */

export type Progress = {
  /** The block after which it began, the one that is read by now, and the latest. */
  readonly from: number
  readonly at: number
  readonly to: number
  /** Since it began. */
  readonly blocksPerSecond: number
  /** When it ends at this rate, unix seconds by the clock of this machine. */
  readonly endsAt: number
}

export type Listener = (progress: Progress) => void

/**
 * Begins a way. What it returns is told of each page that the books have, and tells the listener once there has been
 * one before the head: following a block at a time is no long way.
 */
export function start(
  listener: Listener | undefined,
): (page: { readonly from: number; readonly at: number; readonly to: number }) => void {
  const startedAt = performance.now()
  let first: number | undefined
  return ({ from, at, to }) => {
    const isLong = first !== undefined || at < to
    if (!listener || !isLong) return
    first ??= from
    const seconds = (performance.now() - startedAt) / 1000
    const blocksPerSecond = (at - first) / Math.max(seconds, 0.001)
    const endsAt = Math.ceil(Date.now() / 1000 + (to - at) / Math.max(blocksPerSecond, 1e-9))
    listener({ from: first, at, to, blocksPerSecond, endsAt })
  }
}
