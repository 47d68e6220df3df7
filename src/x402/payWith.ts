/** A `fetch` that pays what x402 servers ask for, out of the float of a budget, under its grant. */
import type { Budget } from '../Budget.js'
import { GrantError } from '../GrantError.js'
import type { Signer } from '../Signer.js'
import type { Ticket } from '../Ticket.js'
import * as Challenge from './Challenge.js'
import * as Exchange from './Exchange.js'
import * as Judgement from './Judgement.js'
import * as Payer from './Payer.js'
import * as Payload from './Payload.js'
import { type Violation, X402Error } from './Violation.js'

export type PayWithOptions = {
  /** The agent's key, which signs what the purse pays. */
  readonly agent: Signer
  /** Seconds for which an authorization is valid at most, 1 to 600, and at least. 300 and 10 unless said otherwise. */
  readonly maxValidSeconds?: number | undefined
  readonly minValidSeconds?: number | undefined
  readonly fetch?: typeof globalThis.fetch | undefined
}

export type PayLabels = {
  /** Idempotency key: the same one is the same payment, at most once. Default: a new one. */
  readonly key?: string | undefined
  readonly task?: string | undefined
  readonly session?: string | undefined
  readonly category?: string | undefined
  readonly ticket?: Ticket | undefined
}

/**
 * As `fetch`. What is answered with 402 is paid, if the grant allows it, and asked for once more.
 *
 * It returns the answer: also a second 402, an error of the server, or what it says of a payment that it did not settle.
 * What was paid is for the chain to say: see `budget.payment(key)`. It throws GrantError and X402Error, each after a
 * receipt, and what `fetch` throws. Once it is signed for, a payment stays reserved until the chain has settled it or
 * never can.
 */
type Fetch = (input: string | URL | Request, init?: RequestInit, labels?: PayLabels) => Promise<Response>

export type Pay = Fetch & Pick<Budget, 'spentTodayUsd' | 'remainingTodayUsd' | 'spentTotalUsd' | 'status'>

/** `budget` is on the purse rail. */
export function payWith(budget: Budget, options: PayWithOptions): Pay {
  const { agent, maxValidSeconds, minValidSeconds, fetch } = options

  async function pay(input: string | URL | Request, init: RequestInit = {}, labels: PayLabels = {}) {
    const { key = crypto.randomUUID(), ...names } = labels
    const opened = await Exchange.open(input, init)
    const host = opened.allowed ? opened.outgoing.host : undefined
    const { ticket: _, ...labelled } = names

    /** Leaves a receipt of what a server wants, or does, and throws. */
    async function violated(violation: Violation): Promise<never> {
      const { amount } = violation.figures
      await budget.note({
        key,
        amount: typeof amount === 'bigint' ? amount : 0n,
        code: violation.code,
        host,
        ...labelled,
      })
      throw X402Error.of(violation)
    }

    if (!opened.allowed) return violated(opened)
    const { outgoing } = opened
    const { signal } = outgoing.source
    const first = await budget.precheck({ host })
    if (!first.allowed) {
      const receipt = await budget.note({ key, amount: 0n, code: first.code, host, ...labelled })
      throw GrantError.of(first, receipt)
    }
    const answered = await Exchange.send(outgoing, { fetch })
    if (!answered.allowed) return violated(answered)
    const { response, asked } = answered
    if (response.status !== 402) return response

    const challenge = await Challenge.read(response)
    if (!challenge.allowed) return violated(challenge)
    const { grant } = budget
    const judged = Judgement.select(challenge.offers, {
      grant,
      host: asked.host,
      maxValidSeconds,
      minValidSeconds,
    })
    if (!judged.allowed) return violated(judged)
    const { payTo: to, amount, validSeconds, offer } = judged.payable

    const authorized = await budget.authorize(
      { key, to, amount, host: asked.host, ...names },
      { validSeconds, signal },
    )
    const { permission, nonce, validBefore } = authorized
    const payload = await Payload.create({
      challenge,
      offer,
      payer: Payer.ofPurse(agent, { permission, grant }),
      authorization: { to, value: amount, validAfter: 0, validBefore, nonce },
    }).catch(async (error: unknown) => {
      await budget.giveUp(key, 'It could not be signed.')
      throw error
    })
    const paid = await Exchange.send(asked, { headers: Payload.headers(payload), fetch })
    if (!paid.allowed) throw X402Error.of(paid)
    return paid.response
  }

  const { spentTodayUsd, remainingTodayUsd, spentTotalUsd, status } = budget
  return Object.assign(pay, { spentTodayUsd, remainingTodayUsd, spentTotalUsd, status })
}
