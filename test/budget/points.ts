/** Where a payment can be interrupted: an endpoint that ends in the middle of it. */

type Request = { method: string; params?: unknown }
/** In place of the endpoint's answer. `forward` asks the endpoint. */
export type Answer = (request: Request, forward: () => Promise<unknown>) => Promise<unknown>

/** Where something dies: at the nth request of a method, not counting repeated ones, which still reaches the chain or does not. */
export type Point = { readonly method: string; readonly nth: number; readonly reaches: boolean }

/** An answer after which nothing is answered any more. `reached` is called once. */
export function dieAt({ method, nth, reaches }: Point, reached: () => void | Promise<void>): Answer {
  const asked = new Set<string>()
  let dead = false
  return async (request, forward) => {
    if (dead) throw new Error('The endpoint is gone.')
    if (request.method !== method) return forward()
    // What is slow to come may be sent again.
    asked.add(JSON.stringify(request.params))
    if (asked.size < nth) return forward()
    dead = true
    if (reaches) await forward()
    await reached()
    throw new Error('The endpoint is gone.')
  }
}

/** Every step of a payment at which a process can end, with the state that the books are in then. */
type Points = readonly { readonly at: string; readonly status: string; readonly point: Point }[]

const send = (nth: number, reaches: boolean): Point => ({ method: 'eth_sendRawTransaction', nth, reaches })
const reserved = {
  at: 'reserved',
  status: 'reserved',
  point: { method: 'eth_estimateGas', nth: 1, reaches: false },
} as const

/** On the direct rail a payment is two transactions, through the guard one. */
export const points: Readonly<Record<'direct' | 'guard', Points>> = {
  direct: [
    reserved,
    { at: 'signed', status: 'pulling', point: send(1, false) },
    { at: 'pulled', status: 'pulling', point: send(1, true) },
    { at: 'seen pulled', status: 'pulled', point: { method: 'eth_estimateGas', nth: 2, reaches: false } },
    { at: 'transfer signed', status: 'paying', point: send(2, false) },
    { at: 'transferred', status: 'paying', point: send(2, true) },
  ],
  guard: [
    reserved,
    { at: 'signed', status: 'paying', point: send(1, false) },
    { at: 'sent', status: 'paying', point: send(1, true) },
  ],
}
