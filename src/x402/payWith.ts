/** A `fetch` that pays what x402 servers ask for, out of the float of a budget, under its grant. */
import type { Budget } from '../Budget.js'
import { payerOf } from '../Float.js'
import { GrantError } from '../GrantError.js'
import * as Challenge from './Challenge.js'
import * as Exchange from './Exchange.js'
import * as Payload from './Payload.js'
import * as PaymentReceipt from './PaymentReceipt.js'
import * as Sinks from './Sinks.js'
import * as Till from './Till.js'
import { type Violation, X402Error } from './Violation.js'

export type PayWithOptions = Till.TillOptions &
  Sinks.SinksOptions & {
    /** Told of each refusal, and of what became of each payment. What it throws goes to the budget's `onError`. */
    readonly onReceipt?: ((receipt: PaymentReceipt.PaymentReceipt) => void) | undefined
    /**
     * Told of each refusal besides, as it is thrown: which cap it was, and what is left. What it throws goes to `onError`.
     */
    readonly onRefusal?: ((refusal: GrantError | X402Error) => void) | undefined
    /** Milliseconds that the body of a 402 may take. 10,000 unless said otherwise. */
    readonly challengeTimeoutMs?: number | undefined
    readonly fetch?: typeof globalThis.fetch | undefined
  }

export type PayLabels = Partial<Omit<Till.Names, 'host'>>

/**
 * As `fetch`. What is answered with 402 is paid, if the grant allows it, and asked for once more.
 *
 * It returns the answer: also a second 402, an error of the server, or what it says of a payment that it did not settle.
 * What was paid is for the chain to say: see `budget.payment(key)`. It throws GrantError and X402Error, each after a
 * receipt, and what `fetch` throws. Once it is signed for, a payment stays reserved until the chain has settled it or
 * never can.
 *
 * `labels.key`: idempotency key, the same one is the same payment, at most once. A new one unless said otherwise.
 */
type Fetch = (input: string | URL | Request, init?: RequestInit, labels?: PayLabels) => Promise<Response>

export type Pay = Fetch &
  Pick<Budget, 'spentTodayUsd' | 'remainingTodayUsd' | 'spentTotalUsd' | 'status'> & {
    /** Resolves when webhooks and hosted ledger were told of all that is in the books now. */
    readonly flush: () => Promise<void>
    /** Tells nobody any more. What is left goes out when the budget is paid with again. The budget stays open. */
    readonly close: () => Promise<void>
  }

/**
 * `budget` is on a rail that has a float to pay from.
 * @throws InputError `INVALID_VALUE` for a webhook or a hosted ledger that cannot be
 */
export function payWith(budget: Budget, options: PayWithOptions = {}): Pay {
  const { fetch, onReceipt, onRefusal, challengeTimeoutMs: timeoutMs } = options
  const sinks = Sinks.start(budget, options)
  const till = Till.open(budget, sinks, options)
  const about = { decimals: budget.grant.token.decimals, payer: payerOf(budget.grant, budget.permission) }
  const unfollow = budget.follow((receipt) => {
    const told = onReceipt && PaymentReceipt.of(receipt, about)
    if (told) onReceipt(told)
  })

  async function pay(input: string | URL | Request, init: RequestInit, labels: PayLabels): Promise<Response> {
    const { key = crypto.randomUUID(), ...rest } = labels
    const opened = await Exchange.open(input, init)
    const names = { ...rest, key, host: opened.allowed ? opened.outgoing.host : undefined }
    const must = <value extends { readonly allowed: true }>(read: value | Violation) =>
      read.allowed ? read : till.refuse(read, names)
    const { outgoing } = await must(opened)
    await till.precheck(names)
    const { response, asked } = await must(await Exchange.send(outgoing, { fetch }))
    if (response.status !== 402) return response

    const { signal } = outgoing.source
    const limits = { signal, ...(timeoutMs === undefined ? {} : { timeoutMs }) }
    const challenge = await must(await Challenge.read(response, limits))
    const reserved = await till.reserve(challenge.offers, { ...names, host: asked.host }, signal)
    const payload = await Payload.create({ challenge, ...reserved })
    return (await must(await Exchange.send(asked, { headers: Payload.headers(payload), fetch }))).response
  }

  function tell(refusal: GrantError | X402Error): void {
    try {
      onRefusal?.(refusal)
    } catch (error) {
      // Whoever listens must not hide why nothing was paid.
      options.onError?.(error)
    }
  }

  const { spentTodayUsd, remainingTodayUsd, spentTotalUsd, status } = budget
  return Object.assign(
    (input: string | URL | Request, init: RequestInit = {}, labels: PayLabels = {}) =>
      pay(input, init, labels).catch((error: unknown) => {
        if (error instanceof GrantError || error instanceof X402Error) tell(error)
        throw error
      }),
    { spentTodayUsd, remainingTodayUsd, spentTotalUsd, status },
    {
      flush: sinks.flush,
      async close() {
        unfollow()
        await sinks.close()
      },
    },
  )
}
