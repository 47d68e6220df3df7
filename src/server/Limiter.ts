/**
 * How often somebody may ask: a bucket of tokens for each name, in this process's memory, so that many processes let
 * through as many times more. What is not used any more is forgotten.
 */
import { Problem } from './Problem.js'

export type Limiter = {
  /** @throws Problem 429 `TOO_MANY_REQUESTS` */
  readonly take: (name: string) => void
}

/** Names that are remembered. One that is forgotten starts anew. */
const most = 20_000

/** `perMinute`: so many at once, and so many a minute after. `nowMs`: of a clock that only goes forward. */
export function limiter(perMinute: number, nowMs: () => number = () => performance.now()): Limiter {
  const buckets = new Map<string, { readonly left: number; readonly at: number }>()
  return {
    take(name) {
      const at = nowMs()
      const known = buckets.get(name) ?? { left: perMinute, at }
      const left = Math.min(perMinute, known.left + ((at - known.at) * perMinute) / 60_000)
      // The latest goes to the end, so that the first is the one that asked least recently.
      buckets.delete(name)
      buckets.set(name, { left: left < 1 ? left : left - 1, at })
      for (const oldest of buckets.keys()) {
        if (buckets.size <= most) break
        buckets.delete(oldest)
      }
      if (left >= 1) return
      const seconds = Math.ceil(((1 - left) * 60) / perMinute)
      throw new Problem(429, 'TOO_MANY_REQUESTS', `Too many requests. Try again in ${seconds} s.`, {
        headers: { 'retry-after': String(seconds) },
      })
    },
  }
}

/** An address as limits count it: an IPv6 subscriber has a whole /64. */
export function subscriber(address: string): string {
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, '').replace(/%.*$/, '')
  if (!plain.includes(':')) return plain
  const [head = '', tail] = plain.toLowerCase().split('::')
  const groups = head === '' ? [] : head.split(':')
  const rest = tail === undefined || tail === '' ? [] : tail.split(':')
  const zeros = tail === undefined ? [] : Array(Math.max(0, 8 - groups.length - rest.length)).fill('0')
  const network = [...groups, ...zeros, ...rest].slice(0, 4).map((group) => group.replace(/^0+(?=.)/, ''))
  return `${network.join(':')}::/64`
}
