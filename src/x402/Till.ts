/**
 * What stands between a server that wants money and a signature: the grant, a hosted ledger where there is one, and the
 * books, which reserve what is signed before it is. Each refusal leaves a receipt, and throws.
 */
import type { Budget } from '../Budget.js'
import { GrantError } from '../GrantError.js'
import type { Authorization } from '../Purse.js'
import type { Ticket } from '../Ticket.js'
import type { HostedRefusal } from './HostedPolicy.js'
import * as Judgement from './Judgement.js'
import type { Offer } from './Offer.js'
import type { Payer } from './Payer.js'
import type { Sinks } from './Sinks.js'
import { type Violation, X402Error } from './Violation.js'

/** Under which a payment is booked. */
export type Names = {
  readonly key: string
  readonly host?: string | undefined
  readonly task?: string | undefined
  readonly session?: string | undefined
  readonly category?: string | undefined
  readonly ticket?: Ticket | undefined
}

export type TillOptions = {
  /** Seconds for which an authorization is valid at most, 1 to 600, and at least. 300 and 10 unless said otherwise. */
  readonly maxValidSeconds?: number | undefined
  readonly minValidSeconds?: number | undefined
}

/** An offer that is reserved, and who signs for it: that and nothing else. */
type Reserved = Omit<Judgement.Payable, 'validSeconds' | 'payTo' | 'amount'> & {
  readonly payer: Payer
  readonly authorization: Authorization
}

export type Till = {
  /** Before anything goes out to the network. @throws GrantError */
  readonly precheck: (names: Names) => Promise<void>
  /** @throws X402Error, always */
  readonly refuse: (refusal: Violation | HostedRefusal, names: Names) => Promise<never>
  /** Reserves the offer that suits the grant best. @throws GrantError, X402Error */
  readonly reserve: (
    offers: readonly (Offer | Violation)[],
    names: Names & { readonly host: string },
    signal?: AbortSignal,
  ) => Promise<Reserved>
}

export function open(budget: Budget, sinks: Sinks, options: TillOptions): Till {
  const { maxValidSeconds, minValidSeconds } = options
  const { hosted } = sinks

  async function note(code: string, amount: unknown, { ticket: _, ...names }: Names) {
    return budget.note({ ...names, code, amount: typeof amount === 'bigint' ? amount : 0n })
  }

  async function refuse(refusal: Violation | HostedRefusal, names: Names): Promise<never> {
    throw X402Error.of(refusal, await note(refusal.code, refusal.figures.amount, names))
  }

  let turn: Promise<unknown> = Promise.resolve()
  /** One after the other: what a hosted ledger leaves is asked for and taken before the next one asks. */
  function inTurn<result>(work: () => Promise<result>): Promise<result> {
    const done = turn.then(work)
    turn = done.catch(() => {})
    return done
  }

  async function askHosted(names: Names, amount: bigint): Promise<void> {
    if (!hosted) return
    // Of a key that is reserved the amount is outstanding already.
    const known = await budget.payment(names.key)
    const isHeld = known !== undefined && known.status !== 'released'
    const decision = await hosted.check({
      amount: isHeld ? 0n : amount,
      outstanding: await sinks.outstanding(),
    })
    if (!decision.allowed) await refuse({ ...decision, figures: { ...decision.figures, amount } }, names)
  }

  async function giveUp(key: string, error: unknown): Promise<never> {
    await budget.giveUp(key, 'It could not be signed.')
    throw error
  }

  return {
    refuse,

    async precheck(names) {
      const decision = await budget.precheck({ host: names.host })
      if (!decision.allowed) throw GrantError.of(decision, await note(decision.code, 0n, names))
    },

    async reserve(offers, names, signal) {
      const { grant } = budget
      const { host } = names
      const judged = Judgement.select(offers, { grant, host, maxValidSeconds, minValidSeconds })
      if (!judged.allowed) return refuse(judged, names)
      const { offer, payTo: to, amount, validSeconds } = judged.payable
      const authorize = () => budget.authorize({ ...names, to, amount }, { validSeconds, signal })
      const authorized = hosted
        ? await inTurn(async () => {
            await askHosted(names, amount)
            return authorize()
          })
        : await authorize()
      const { key, payer: address, nonce, validBefore } = authorized
      return {
        offer,
        payer: { address, sign: () => budget.sign(key).catch((error) => giveUp(key, error)) },
        authorization: { to, value: amount, validAfter: 0, validBefore, nonce },
      }
    },
  }
}
