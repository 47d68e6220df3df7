/**
 * What stands between a server that wants money and a signature: the grant, a hosted ledger where there is one, and the
 * books, which reserve what is signed before it is. Each refusal leaves a receipt, and throws.
 */
import type { Budget } from '../Budget.js'
import { GrantError } from '../GrantError.js'
import type { Authorization } from '../Purse.js'
import type { Ticket } from '../Ticket.js'
import type { HostedRefusal } from './HostedPolicy.js'
import type { HostedLedger } from './hostedLedger.js'
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

type Claim = { readonly key: string; readonly amount: bigint }

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
  /** One after the other, but for those who do not wait any longer. */
  function inTurn<result>(work: () => Promise<result>, signal: AbortSignal | undefined): Promise<result> {
    const done = turn.then(() => {
      signal?.throwIfAborted()
      return work()
    })
    turn = done.catch(() => {})
    return signal ? orAborted(done, signal) : done
  }

  /** What the hosted ledger has let through, and is not reserved yet: such as what waits for a funding. */
  const claims = new Set<Claim>()

  /** Whether the books hold the amount of a key already. */
  async function isBooked(key: string): Promise<boolean> {
    const known = await budget.payment(key)
    return known !== undefined && known.status !== 'released'
  }

  /** In turn, so that what it leaves is asked for and claimed before the next one asks. */
  async function ask(ledger: HostedLedger, names: Names, mine: Claim, signal?: AbortSignal): Promise<void> {
    const { key, amount } = mine
    const others = new Map<string, bigint>()
    for (const claim of claims)
      if (claim.key !== key && claim.amount > (others.get(claim.key) ?? 0n))
        others.set(claim.key, claim.amount)
    // Read before the books: what moves into them meanwhile counts twice, and never not at all.
    let claimed = 0n
    for (const [other, amount] of others) if (!(await isBooked(other))) claimed += amount
    const decision = await ledger.check({
      amount: (await isBooked(key)) ? 0n : amount,
      outstanding: claimed + (await sinks.outstanding()),
      signal,
    })
    if (!decision.allowed) await refuse({ ...decision, figures: { ...decision.figures, amount } }, names)
    signal?.throwIfAborted()
    claims.add(mine)
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
      const { key } = names
      const mine = { key, amount }
      try {
        if (hosted) await inTurn(() => ask(hosted, names, mine, signal), signal)
        const { payer: address, nonce, validBefore } = await authorize()
        return {
          offer,
          payer: { address, sign: () => budget.sign(key).catch((error) => giveUp(key, error)) },
          authorization: { to, value: amount, validAfter: 0, validBefore, nonce },
        }
      } finally {
        claims.delete(mine)
      }
    },
  }
}

/** Waits for work until a signal is aborted, and leaves nothing hanging on it: it may outlive many payments. */
function orAborted<result>(work: Promise<result>, signal: AbortSignal): Promise<result> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason)
    if (signal.aborted) return abort()
    signal.addEventListener('abort', abort, { once: true })
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort))
  })
}
