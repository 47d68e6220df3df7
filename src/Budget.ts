/** The live object of one grant: decides, pays, follows the chain and keeps the books. */
import type { Address, Hex, PublicClient } from 'viem'
import * as AgentCall from './AgentCall.js'
import * as Amount from './Amount.js'
import * as Approval from './Approval.js'
import * as Book from './Book.js'
import * as Decision from './Decision.js'
import type { Grant } from './Grant.js'
import { GrantError } from './GrantError.js'
import * as Input from './Input.js'
import * as Ledger from './Ledger.js'
import * as Meter from './Meter.js'
import * as Opening from './Opening.js'
import * as Order from './Order.js'
import * as Payment from './Payment.js'
import type * as Permission from './Permission.js'
import * as Receipt from './Receipt.js'
import { refuse } from './Refusal.js'
import * as Spm from './Spm.js'
import * as Status from './Status.js'
import type { GrantRow, Transaction } from './Store.js'
import type * as Submit from './Submit.js'
import * as Sync from './Sync.js'
import * as Time from './Time.js'
import * as Verify from './Verify.js'
import * as Worker from './Worker.js'

/** A payment that its payee received. */
export type Spent = {
  readonly key: string
  readonly to: Address
  /** Base units. */
  readonly amount: bigint
  /** The transaction that the payee's transfer was seen in. */
  readonly txHash: Hex
  readonly blockNumber: number
  /** Whether no reorganisation can take it back any more. Until then the books may reopen it. */
  readonly final: boolean
}

/** Base units. */
export type Totals = {
  readonly today: bigint
  readonly total: bigint
  readonly paid: bigint
  readonly reserved: bigint
}

export type Budget = {
  readonly grant: Grant
  readonly permission: Permission.Permission
  /**
   * Submits the owner's signature, with the agent's gas. Does nothing where the permission is approved.
   * @throws GrantError `REVOKED` where it was revoked before, `GAS_LOW`, and where the wallet could never be spent from
   * `SPM_NOT_OWNER`, `ACCOUNT_NOT_CONTRACT`; ChainError `INVALID_SIGNATURE` and others; InputError
   */
  approve(options: { readonly signature: Hex }): Promise<void>
  /**
   * May this be spent? Advice from the books: nothing is reserved, nothing is recorded, no network.
   * @throws InputError for a request that cannot be read
   */
  check(request: Order.Question): Promise<Decision.Decision>
  /**
   * Pays: decides and reserves in one transaction of the store, pulls from the account, transfers to the
   * payee, and resolves when the chain shows the payee paid. At most once per key, whatever fails in between:
   * the same key with the same terms waits for, or returns, the same payment. An aborted `signal` ends the
   * waiting, not the payment.
   *
   * @throws GrantError a refusal's code with its `receipt`, or `KEY_CONFLICT`, `CHAIN_REFUSED`, `GAS_LOW`,
   * `RELEASED`, `STRANDED`, `FINALITY_BROKEN`, `CLOSED`; InputError for an order that cannot be read
   */
  spend(order: Order.Order, options?: { readonly signal?: AbortSignal }): Promise<Spent>
  /** What one more spend could take now, by cap, base units. */
  remaining(options?: { readonly task?: string }): Promise<Decision.Remaining>
  /** Decimal strings, exact: pulled today (UTC, chain time), what today has left, pulled in all. */
  spentTodayUsd(): Promise<string>
  /** What is open counts as spent here; null without a day cap. */
  remainingTodayUsd(): Promise<string | null>
  spentTotalUsd(): Promise<string>
  /** Base units: pulled today and in all, received by payees, and reserved but not yet pulled. */
  totals(): Promise<Totals>
  /** Base units booked under a label, such as a task: reserved or paid. */
  spentUnder(label: Meter.Label, value: string): Promise<bigint>
  /** Reserved and not yet pulled, base units. */
  reserved(): Promise<bigint>
  /** Where the payment with this key stands; undefined where there is none. */
  payment(
    key: string,
  ): Promise<(Payment.PaymentState & { readonly amount: bigint; readonly to: Address }) | undefined>
  /** The chain's own answer about the permission, and whether the books are paused. */
  status(): Promise<Status.Status & { readonly paused: boolean }>
  /** Receipts from the oldest on; with `newest`, from the newest on. */
  receipts(options?: {
    readonly offset?: number
    readonly limit?: number
    readonly newest?: boolean
  }): Promise<Receipt.Receipt[]>
  /** Holds the books against the chain, at one block. */
  verify(): Promise<Verify.Report>
  /** Reads the chain to its head now. */
  sync(): Promise<void>
  /**
   * Refuses everything new until `resume`, and begins nothing that is reserved; what is signed goes on. In the books
   * only: the direct rail has no pause on chain.
   */
  pause(): Promise<void>
  resume(): Promise<void>
  /** Revokes the permission on chain as its spender, for good. */
  revoke(): Promise<void>
  /** Stops following the chain. Open payments go on when the budget is opened again. */
  close(): Promise<void>
}

/**
 * Opens the budget of a grant: reads the chain into the books up to its head, then keeps following it.
 * With an empty store this rebuilds everything that the chain holds.
 *
 * @throws GrantError `MISMATCH` where grant, permission, agent and chain do not belong together,
 * `AGENT_IN_USE`, `FINALITY_BROKEN`
 */
export async function openBudget(client: PublicClient, options: Opening.OpenBudgetOptions): Promise<Budget> {
  const { grant, permission, agent, store } = options
  const { grantId, token } = grant
  const finality = options.finality ?? 'finalized'
  await Opening.assertTogether(client, options)
  const range = { min: 0, max: Time.max }
  const since = Math.min(Input.integer(options.since ?? permission.start, 'since', range), permission.start)
  const start = () =>
    Sync.startBlock(client, { since, finality }).catch(Sync.redact('Finding the block to start from'))
  const opened = await Book.open(store, { grant, permission, start })

  const onError = options.onError ?? (() => {})
  const onReceipt = (receipt: Receipt.Receipt) => {
    try {
      options.onReceipt?.(receipt)
    } catch (error) {
      // The books are ahead of whoever listens: what the listener throws must not look like a failed payment.
      onError(error)
    }
  }
  const submitter: Submit.Submitter = {
    client,
    store,
    grantId,
    agent,
    token: token.address,
    onReceipt,
    onError,
  }
  if (opened.receipt) onReceipt(opened.receipt)
  const pollMs = options.pollMs ?? client.pollingInterval
  const worker = Worker.start({ ...submitter, finality, pollMs })
  try {
    await worker.round()
  } catch (error) {
    await worker.close()
    throw error
  }
  const caller = { submitter, worker, pollMs }
  const maxUnseenMs = options.maxUnseenMs ?? 60_000

  /** Looks at the books in one transaction. */
  function look<result>(work: (tx: Transaction, row: GrantRow) => Promise<result>): Promise<result> {
    return store.transact(grantId, async (tx) => work(tx, await Book.get(tx, grantId)))
  }
  const state = (task?: string) => look((tx, row) => Ledger.readState(tx, row, task))
  const meter = (name: string) => look((tx) => Meter.read(tx, grantId, name))
  const usd = (amount: bigint) => Amount.format(amount, token.decimals)

  /** Why nothing may be reserved now whatever the caps say, if so. */
  async function veto(): Promise<Ledger.Refusal | undefined> {
    const stopped = worker.stopped()
    if (stopped) throw stopped
    if (worker.unseenMs() > maxUnseenMs) await worker.round().catch(() => {})
    const unseenMs = worker.unseenMs()
    if (unseenMs > maxUnseenMs) {
      const since = Number.isFinite(unseenMs) ? `${Math.round(unseenMs)} ms ago` : 'never'
      const reason = `The chain was last seen ${since}, and reserving needs it seen within ${maxUnseenMs} ms. Check the endpoint; nothing is reserved until it has caught up.`
      return refuse('CHAIN_UNSEEN', reason, { unseenMs, maxUnseenMs }, true)
    }
    const { maxHeadAgeSeconds = Number.POSITIVE_INFINITY } = options
    const headAgeSeconds = Date.now() / 1000 - (await look(async (_, { headTime }) => headTime))
    if (headAgeSeconds <= maxHeadAgeSeconds) return undefined
    const reason = `The latest block is ${Math.round(headAgeSeconds)} seconds old, and reserving needs one of the last ${maxHeadAgeSeconds}. Check the endpoint, which may stand still, and the clock.`
    return refuse('CHAIN_UNSEEN', reason, { headAgeSeconds, maxHeadAgeSeconds }, true)
  }

  async function setPaused(paused: boolean): Promise<void> {
    const receipt = await Book.setPaused(store, grantId, paused)
    if (receipt) onReceipt(receipt)
  }

  /** Waits for the payee's transfer in the books. */
  async function settled(key: string, signal: AbortSignal | undefined): Promise<Spent> {
    for (;;) {
      await worker.paid(key, signal)
      const spent = await look((tx) => spentOf(tx, grantId, key))
      // Undefined where a reorganisation took it back just now: then it is waited for again.
      if (spent) return spent
    }
  }

  return {
    grant,
    permission,

    async approve(given) {
      const signature = Approval.readSignature(given?.signature)
      await worker.round()
      const row = await look(async (_, row) => row)
      if (row.revoked) throw Approval.revokedError(permission)
      if (row.approved) return
      const approval = await Approval.prepare(client, { permission, signature, from: agent.address })
      await AgentCall.make(caller, { call: approval, outcome: 'approved', doing: Approval.doing })
    },

    async check(given) {
      const request = Order.readQuestion(given)
      return Ledger.decide(await state(request.task), request)
    },

    async spend(given, { signal } = {}) {
      signal?.throwIfAborted()
      const order = Order.read(given)
      const reservation = await Ledger.reserve(store, grantId, order, await veto())
      if (reservation.outcome === 'reserved' || reservation.outcome === 'refused')
        onReceipt(reservation.receipt)
      if (reservation.outcome === 'refused') throw GrantError.of(reservation.refusal, reservation.receipt)
      const { payment } = reservation
      if (reservation.outcome === 'conflict') throw Order.conflict(order, payment)
      const { status } = Payment.stateOf(payment)
      if (status === 'stranded') await Ledger.reopen(store, grantId, order.key)
      return (await look((tx) => spentOf(tx, grantId, order.key))) ?? settled(order.key, signal)
    },

    remaining: async ({ task } = {}) => Decision.remaining(await state(task)),
    spentTodayUsd: () => look(async (tx, row) => usd(await Meter.read(tx, grantId, Meter.day(row.headTime)))),
    async remainingTodayUsd() {
      const { perDay } = Decision.remaining(await state())
      return perDay === null ? null : usd(perDay)
    },
    spentTotalUsd: async () => usd(await meter(Meter.total)),
    spentUnder: (label, value) => meter(Meter.labelled(label, value)),
    reserved: () => meter(Meter.open),
    totals: () =>
      look(async (tx, { headTime }) => ({
        today: await Meter.read(tx, grantId, Meter.day(headTime)),
        total: await Meter.read(tx, grantId, Meter.total),
        paid: await Meter.read(tx, grantId, Meter.paid),
        reserved: await Meter.read(tx, grantId, Meter.open),
      })),

    payment: (key) =>
      look(async (tx) => {
        const row = await tx.get('payments', { grantId, key })
        return row && { ...Payment.stateOf(row), amount: row.amount, to: row.payee }
      }),

    async status() {
      const paused = (await look(async (_, row) => row.paused)) === 1
      return { ...(await Status.of(client, { permission })), paused }
    },

    receipts: ({ offset = 0, limit, newest = false } = {}) =>
      look(async (tx) => {
        const page = { offset, descending: newest, ...(limit === undefined ? {} : { limit }) }
        return (await tx.list('receipts', { grantId }, page)).map(Receipt.fromRow)
      }),

    verify: () => Verify.verify({ client, store, grantId, agent, token: token.address, finality, worker }),
    sync: worker.round,
    pause: () => setPaused(true),
    resume: () => setPaused(false),
    revoke: () =>
      AgentCall.make(caller, {
        call: Spm.prepareRevokeAsSpender({ permission }),
        outcome: 'revoked',
        doing: 'Revoking the permission as its spender',
      }),
    close: worker.close,
  }
}

/** What `spend` returns of a payment, or undefined where it is not paid. */
async function spentOf(tx: Transaction, grantId: Hex, key: string): Promise<Spent | undefined> {
  const { payee: to, amount, open } = await Payment.get(tx, grantId, key)
  const [event] = await tx.list('events', { grantId, key, kind: 'transfer' }, { limit: 1 })
  return event && { key, to, amount, txHash: event.txHash, blockNumber: event.blockNumber, final: open === 0 }
}
