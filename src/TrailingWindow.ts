import { InputError } from './errors.js'

/**
 * What was spent in the last `window` seconds, as contracts/TrailingWindow.sol keeps it: a ring of four buckets in
 * one 256-bit slot, the newest in the lowest 48 bits, older ones above it, and in the upper 64 bits the newest one's
 * index. A bucket is a third of the window long, rounded up, so what its four hold is never less than what any
 * `window` seconds hold, and never more than what `4 * ceil(window / 3)` seconds do.
 *
 * Amounts in base units of the token; `time` in unix seconds; `window` in seconds, 1 to 2^32 - 1.
 */
export type TrailingWindow = bigint

/** Nothing was spent. */
export const empty: TrailingWindow = 0n

const bucketBits = 48n
const buckets = 4n
const ringBits = buckets * bucketBits
const bucketMask = 2n ** bucketBits - 1n
const ringMask = 2n ** ringBits - 1n

/** Seconds of a bucket. */
export function bucket(window: number): number {
  return Math.ceil(window / 3)
}

/** What the buckets that the window reaches into hold at `time`, base units. */
export function used(slot: TrailingWindow, { time, window }: { time: number; window: number }): bigint {
  return sum(advance(slot, time, window))
}

/**
 * The slot with `amount` spent at `time`, which is not before the last record's. Whether it fits under a cap is for
 * the caller to ask; the contract records nothing that does not.
 *
 * @throws InputError `INVALID_AMOUNT` where the four buckets would hold 2^48 or more, which no cap allows
 */
export function record(
  slot: TrailingWindow,
  { time, window, amount }: { time: number; window: number; amount: bigint },
): TrailingWindow {
  const advanced = advance(slot, time, window)
  const spent = sum(advanced)
  if (amount < 0n || spent + amount > bucketMask)
    throw new InputError('INVALID_AMOUNT', {
      field: 'amount',
      given: amount,
      valid: `0 to ${bucketMask - spent}`,
      why: 'A trailing window holds 48 bits.',
    })
  return advanced + amount
}

/** The four buckets that the window reaches into at `time`, by their index, the oldest first. */
export function indexes({ time, window }: { time: number; window: number }): number[] {
  const newest = Math.floor(time / bucket(window))
  return [3, 2, 1, 0].map((age) => newest - age)
}

/**
 * The slot at `time` from what each of the `indexes` holds, in their order. A bucket with more than 48 bits, which the
 * contract never has, is as full as one can be.
 */
export function of(
  amounts: readonly bigint[],
  { time, window }: { time: number; window: number },
): TrailingWindow {
  const ring = amounts.reduce(
    (ring, amount) => (ring << bucketBits) | (amount < bucketMask ? amount : bucketMask),
    0n,
  )
  return (BigInt(Math.floor(time / bucket(window))) << ringBits) | ring
}

/**
 * The first second from `time` on at which `amount` fits under `limit`, if nothing else is spent; undefined where it
 * is more than the limit.
 */
export function fitsAt(
  slot: TrailingWindow,
  { time, window, amount, limit }: { time: number; window: number; amount: bigint; limit: bigint },
): number | undefined {
  if (amount > limit) return undefined
  const length = bucket(window)
  const next = time - (time % length)
  const moments = [time, ...[1, 2, 3, 4].map((steps) => next + steps * length)]
  return moments.find((moment) => used(slot, { time: moment, window }) + amount <= limit)
}

/** Shifts the ring until its newest bucket is that of `time`, dropping what is too old. */
function advance(slot: TrailingWindow, time: number, window: number): TrailingWindow {
  const index = BigInt(Math.floor(time / bucket(window)))
  const steps = index - (slot >> ringBits)
  if (steps <= 0n) return slot
  const kept = steps < buckets ? (slot << (steps * bucketBits)) & ringMask : 0n
  return (index << ringBits) | kept
}

function sum(slot: TrailingWindow): bigint {
  let sum = 0n
  for (let n = 0n; n < buckets; n++) sum += (slot >> (n * bucketBits)) & bucketMask
  return sum
}
