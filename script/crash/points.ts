/** Where a payment can be interrupted: at an answer of the endpoint, after which nothing is answered any more. */

/** In place of the endpoint's answer. `forward` asks the endpoint. */
export type Answer = (request: { method: string }, forward: () => Promise<unknown>) => Promise<unknown>

/** At the nth request of a method, which still reaches the chain or does not. */
export type Point = { readonly method: string; readonly nth: number; readonly reaches: boolean }

export function dieAt({ method, nth, reaches }: Point, reached: () => Promise<void>): Answer {
  let count = 0
  return async (request, forward) => {
    if (request.method !== method) return forward()
    count += 1
    if (count < nth) return forward()
    if (reaches) await forward()
    await reached()
    throw new Error('The endpoint is gone.')
  }
}

/** Every step of a payment, by the request that it makes. */
export const points: readonly { readonly at: string; readonly point: Point }[] = [
  { at: 'reserved', point: { method: 'eth_estimateGas', nth: 1, reaches: false } },
  { at: 'priced', point: { method: 'eth_getTransactionCount', nth: 2, reaches: false } },
  { at: 'stored', point: { method: 'eth_sendRawTransaction', nth: 1, reaches: false } },
  { at: 'broadcast', point: { method: 'eth_sendRawTransaction', nth: 1, reaches: true } },
  { at: 'logs read', point: { method: 'eth_getLogs', nth: 4, reaches: true } },
]
