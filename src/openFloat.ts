/** What a budget does with its float: fills it, and authorizes payments out of it. */
import type { Caller } from './AgentCall.js'
import * as Authorization from './Authorization.js'
import * as Book from './Book.js'
import type { Authorized, Budget } from './Budget.js'
import * as Cancellation from './Cancellation.js'
import * as Float from './Float.js'
import * as Funding from './Funding.js'
import { GrantError } from './GrantError.js'
import * as Input from './Input.js'
import * as Ledger from './Ledger.js'
import * as Meter from './Meter.js'
import * as Order from './Order.js'
import * as Payment from './Payment.js'
import type { PaymentRow } from './Store.js'
import type { Worker } from './Worker.js'

type Options = {
  readonly caller: Caller & { readonly worker: Pick<Worker, 'paid' | 'round'> }
  /** Why nothing may be reserved now whatever the caps say, if so. */
  readonly veto: (order: Pick<Order.Order, 'task' | 'ticket'>) => Promise<Ledger.Refusal | undefined>
}

type Face = Pick<Budget, 'authorize' | 'sign' | 'cancel' | 'giveUp' | 'fund' | 'float'>

export function openFloat({ caller, veto }: Options): Face {
  const { submitter, worker } = caller
  const { store, grantId, onReceipt } = submitter

  async function refuse(order: Order.Order, refusal: Ledger.Refusal): Promise<never> {
    const receipt = await store.transact(grantId, async (tx) =>
      Ledger.writeRefusal(tx, await Book.get(tx, grantId), order, refusal.code),
    )
    onReceipt(receipt)
    throw GrantError.of(refusal, receipt)
  }

  /** Fills the float, or waits for a funding that is on its way. Returns why it cannot, if so. */
  async function fill(request: Funding.Request, signal?: AbortSignal): Promise<Ledger.Refusal | undefined> {
    const reservation = await Funding.reserve(store, grantId, request, await veto(request))
    if (reservation.outcome === 'refused') return reservation.refusal
    if (reservation.outcome === 'reserved') onReceipt(reservation.receipt)
    await worker.paid(reservation.payment.key, signal)
    return undefined
  }

  async function authorized({ key }: PaymentRow): Promise<Authorized> {
    const { payment, permission } = await store.transact(grantId, (tx) =>
      Authorization.terms(tx, grantId, key),
    )
    const { payee: to, amount, ref: nonce, payer, deadline: validBefore } = payment
    const settled = Payment.stateOf(payment).status === 'paid'
    return { key, to, amount, nonce, payer, validBefore, permission, settled }
  }

  return {
    async authorize(given, { validSeconds, signal }) {
      const order = Order.read(given)
      for (let isFresh = false; ; ) {
        signal?.throwIfAborted()
        const validity = { validSeconds, now: Math.floor(Date.now() / 1000) }
        const reservation = await Authorization.reserve(store, grantId, order, validity, await veto(order))
        if ('receipt' in reservation && reservation.receipt) onReceipt(reservation.receipt)
        if (reservation.outcome === 'refused') throw GrantError.of(reservation.refusal, reservation.receipt)
        if (reservation.outcome === 'conflict') throw Order.conflict(order, reservation.payment)
        if (reservation.outcome !== 'short') return authorized(reservation.payment)
        const { task, ticket } = order
        const refused = await fill({ lacking: order.amount, task, ticket }, signal)
        if (!refused) continue
        // All that the purse may hold is held: it has to be settled, or to end, before there is more.
        const isFull = refused.code === 'NOTHING_TO_FUND' || refused.cap === 'maxFloat'
        if (isFresh) await refuse(order, isFull ? reservation.refusal : refused)
        // Which may be so already, in a block that the books have not read.
        isFresh = true
        await worker.round()
      }
    },

    sign: (key) => Authorization.sign(store, grantId, key, submitter.agent),
    cancel: (key) => Cancellation.cancel(caller, key),

    async giveUp(key, reason) {
      const receipt = await Authorization.releaseUnsent(store, grantId, key, reason)
      if (receipt) onReceipt(receipt)
    },

    async fund(given, { signal } = {}) {
      const { target, task, ticket } = given
      Input.units(String(target), 'target', { min: 1n, max: 2n ** 112n - 1n })
      const refusal = await fill({ target, task, ticket }, signal)
      if (refusal === undefined || refusal.code === 'NOTHING_TO_FUND') return
      const { payer } = await store.transact(grantId, (tx) => Book.get(tx, grantId))
      const order = { key: 'funding', to: payer ?? '0x', amount: target, task } as const
      await refuse(order, refusal)
    },

    float: () =>
      store.transact(grantId, async (tx) => {
        const row = await Book.get(tx, grantId)
        return {
          payer: row.payer,
          balance: await Float.balance(tx, row),
          held: await Meter.read(tx, grantId, Meter.held),
          free: await Float.free(tx, row),
        }
      }),
  }
}
