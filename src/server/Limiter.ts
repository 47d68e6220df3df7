/**
 * How often somebody may ask: a bucket of tokens for each name, in this process's memory, so that many processes let
 * through as many times more. What is not used any more is forgotten.
 */
import { isIPv6 } from 'node:net'
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

/**
 * An address as limits count it: without the port that some proxies write after it, an IPv4 address as itself however it
 * is written, and of IPv6 the /64 that a subscriber has whole. What is no address stays as it is.
 */
export function subscriber(address: string): string {
  const [, bracketed] = /^\[([^\]]*)\](?::\d+)?$/.exec(address) ?? []
  const plain = (bracketed ?? address.replace(/^([\d.]+):\d+$/, '$1')).replace(/%.*$/, '')
  if (!isIPv6(plain)) return plain
  // In the form that is the same for all spellings: `[::ffff:cb00:7107]`.
  const [head = '', tail = ''] = new URL(`http://[${plain}]`).hostname.slice(1, -1).split('::')
  const [first, last] = [head, tail].map((side) => (side === '' ? [] : side.split(':'))) as [
    string[],
    string[],
  ]
  const groups = [...first, ...Array<string>(8 - first.length - last.length).fill('0'), ...last]
  const network = groups.slice(0, 4).join(':')
  if (`${network}:${groups[4]}:${groups[5]}` !== '0:0:0:0:0:ffff') return `${network}::/64`
  const bytes = groups
    .slice(6)
    .flatMap((group) => [Number.parseInt(group, 16) >> 8, Number.parseInt(group, 16) & 255])
  return bytes.join('.')
}
