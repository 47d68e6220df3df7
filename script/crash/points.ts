/**
 * Where a replica can be stopped: at each of its effects, which are a request to the endpoint and a commit of the store.
 * Between two of them a process that dies leaves nothing behind.
 */

export type Point = {
  /** A method of the endpoint, `commit`, or `any`. */
  readonly at: string
  /** The how manieth of them, from 1, since the process began. */
  readonly nth: number
  /** Whether the chain or the store still takes it. */
  readonly happens: boolean
}

/** Waits before an effect, for ever where the replica ends there; what it returns waits after it in the same way. */
export type Gate = (at: string) => Promise<() => Promise<void>>

export type Stops = { readonly gate: Gate; readonly count: () => number }

/** `reached` is called once; from then on nothing happens any more. */
export function stopAt(point: Point | undefined, reached: () => void): Stops {
  const never = new Promise<never>(() => {})
  let effects = 0
  let matching = 0
  let isOver = false
  const end = () => {
    isOver = true
    reached()
    return never
  }
  return {
    count: () => effects,
    async gate(at) {
      if (isOver) return never
      effects += 1
      const matches = point !== undefined && (point.at === at || point.at === 'any')
      if (matches) matching += 1
      const isHere = matches && matching === point.nth
      if (isHere && !point.happens) return end()
      return async () => {
        if (isHere) await end()
        if (isOver) await never
      }
    },
  }
}

const before = (at: string, nth = 1): Point => ({ at, nth, happens: false })
const after = (at: string, nth = 1): Point => ({ at, nth, happens: true })

/** Around what cannot be taken back; on the direct rail a payment has a second transaction. */
export const narrow: Readonly<Record<'guard' | 'direct' | 'float', readonly Point[]>> = {
  guard: [
    before('eth_sendRawTransaction'),
    after('eth_sendRawTransaction'),
    before('eth_estimateGas'),
    after('eth_sendRawTransaction', 2),
  ],
  direct: [
    after('eth_sendRawTransaction'),
    before('eth_sendRawTransaction', 2),
    after('eth_sendRawTransaction', 2),
    before('eth_estimateGas'),
    before('eth_sendRawTransaction'),
    before('eth_estimateGas', 2),
  ],
  // Its funding, and the reserve that comes before what is signed.
  float: [
    before('eth_sendRawTransaction'),
    after('eth_sendRawTransaction'),
    before('eth_estimateGas'),
    after('commit', 6),
  ],
}
