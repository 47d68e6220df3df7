/** Puts a budget together: the books, the worker that follows the chain, and what the agent's key does. */
import type { Hex, PublicClient } from 'viem'
import * as AgentCall from './AgentCall.js'
import * as Amount from './Amount.js'
import * as Approval from './Approval.js'
import * as Book from './Book.js'
import type { Budget, Spent } from './Budget.js'
import * as Cursor from './Cursor.js'
import * as Decision from './Decision.js'
import * as Freshness from './Freshness.js'
import * as Funding from './Funding.js'
import * as Grant from './Grant.js'
import { GrantError } from './GrantError.js'
import { prepareRevoke } from './GuardCall.js'
import * as Heads from './Heads.js'
import * as Input from './Input.js'
import * as Ledger from './Ledger.js'
import * as Lost from './Lost.js'
import * as Meter from './Meter.js'
import * as Opening from './Opening.js'
import * as Order from './Order.js'
import type * as Outbox from './Outbox.js'
import { openFloat } from './openFloat.js'
import { openSession } from './openSession.js'
import * as Payment from './Payment.js'
import * as Permission from './Permission.js'
import * as Receipt from './Receipt.js'
import * as Replacement from './Replacement.js'
import { prepareRevokeAsSpender } from './SpmCall.js'
import * as Status from './Status.js'
import type { GrantRow, Transaction } from './Store.js'
import * as Sync from './Sync.js'
import * as Ticket from './Ticket.js'
import * as Time from './Time.js'
import * as Verify from './Verify.js'
import * as Worker from './Worker.js'

/**
 * Opens the budget of a grant: reads the chain into the books up to its head, then keeps following it.
 * With an empty store this rebuilds everything that the chain holds.
 *
 * @throws GrantError `MISMATCH` where grant, permission, agent and chain do not belong together,
 * `AGENT_IN_USE`, `FINALITY_BROKEN`, `LOGS_MISSING`; ChainError `RPC_FAILED`: open it again, the way goes on where it was
 */
export async function openBudget(client: PublicClient, options: Opening.OpenBudgetOptions): Promise<Budget> {
  const { agent, store } = options
  let { grant, permission } = options
  const { grantId, token } = grant
  const finality = options.finality ?? 'finalized'
  await Opening.assertTogether(client, options)
  const range = { min: 0, max: Time.max }
  const since = Math.min(Input.integer(options.since ?? permission.start, 'since', range), permission.start)
  const start = () =>
    Sync.startBlock(client, { since, finality }).catch(Sync.redact('Finding the block to start from'))
  const opened = await Book.open(store, { grant, permission, start })

  const onError = options.onError ?? (() => {})
  const listeners = new Set(options.onReceipt ? [options.onReceipt] : [])
  const onReceipt = (receipt: Receipt.Receipt) => {
    for (const listener of listeners) {
      try {
        listener(receipt)
      } catch (error) {
        // The books are ahead of whoever listens: what the listener throws must not look like a failed payment.
        onError(error)
      }
    }
  }
  const submitter: Outbox.Submitter = {
    client,
    store,
    grantId,
    agent,
    token: token.address,
    fees: {
      replaceAfterBlocks: Input.integer(options.replaceAfterBlocks ?? 10, 'replaceAfterBlocks', {
        min: 1,
        max: 1e6,
      }),
      maxFeePerGas: options.maxFeePerGas ?? 2n ** 256n - 1n,
    },
    relay: options.relay,
    told: new Set(),
    onReceipt,
    onError,
  }
  if (opened.receipt) onReceipt(opened.receipt)
  const { firstNonce, books } = options
  const isRelayed = options.relay !== undefined
  const lost = { grantId, agent: agent.address, token: token.address, firstNonce, books, isRelayed }
  await Lost.look(client, store, lost).catch(Sync.redact('Opening the budget'))
  const pollMs = options.pollMs ?? client.pollingInterval
  const worker = Worker.start({
    rail: grant.rail === 'direct' ? 'direct' : 'guard',
    batchDelayMs: Input.integer(options.batchDelayMs ?? 0, 'batchDelayMs', { min: 0, max: 600_000 }),
    gasWarningWei: options.gasWarningWei ?? 500_000_000_000_000n,
    ...submitter,
    finality,
    // A WebSocket tells of new blocks by itself.
    pollMs: options.pollMs ?? (Heads.canFollow(client) ? 30_000 : client.pollingInterval),
    onProgress: options.onProgress,
    feed: options.feed,
  })
  try {
    await worker.round()
  } catch (error) {
    await worker.close()
    throw error
  }
  const caller = { submitter, worker, pollMs }
  /** Looks at the books in one transaction. */
  function look<result>(work: (tx: Transaction, row: GrantRow) => Promise<result>): Promise<result> {
    return store.transact(grantId, async (tx) => work(tx, await Book.get(tx, grantId)))
  }
  const state = (task?: string) => look((tx, row) => Ledger.readState(tx, row, { task, via: 'guard' }))
  const meter = (name: string) => look((tx) => Meter.read(tx, grantId, name))
  const usd = (amount: bigint) => Amount.format(amount, token.decimals)

  /** The terms as the books have them: another process may have replaced them. */
  const current = () =>
    look(async (tx, row) => {
      const stored = await tx.get('permissions', { grantId, hash: row.permissionHash })
      if (stored) permission = Permission.parse(stored.permission)
      grant = Grant.parse(row.grant)
      return { row, grant, permission }
    })

  /** Why nothing may be reserved now whatever the caps say, if so. */
  async function veto(order: Pick<Order.Order, 'task' | 'ticket'>): Promise<Ledger.Refusal | undefined> {
    const headTime = async () => (await current()).row.headTime
    const stale = await Freshness.refusal(worker, headTime, options)
    return stale ?? (await Ticket.refusal(client, grant, order).catch(Sync.redact('Reading the ticket')))
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

  const budget: Budget = {
    get grant() {
      return grant
    },
    get permission() {
      return permission
    },

    async approve(given) {
      const signature = Approval.readSignature(given?.signature)
      await worker.round()
      const { row, permission } = await current()
      Approval.assertNotRevoked(row, permission)
      if (row.approved) return
      const call = await Approval.prepare(client, { permission, signature, from: agent.address })
      const isDone = ({ approved }: GrantRow) => approved === 1
      await AgentCall.makeByAnybody(caller, { call, outcome: 'approved', isDone, doing: Approval.doing })
    },

    async check(given) {
      const request = Order.readQuestion(given)
      return look((tx, row) => Ledger.decideIn(tx, row, { ...request, via: 'guard' }))
    },

    async spend(given, { signal } = {}) {
      signal?.throwIfAborted()
      const order = Order.read(given)
      const reservation = await Ledger.reserve(store, grantId, order, await veto(order))
      if ('receipt' in reservation && reservation.receipt) onReceipt(reservation.receipt)
      if (reservation.outcome === 'refused') throw GrantError.of(reservation.refusal, reservation.receipt)
      const { payment } = reservation
      if (reservation.outcome === 'conflict') throw Order.conflict(order, payment)
      const { status } = Payment.stateOf(payment)
      if (status === 'stranded') await Ledger.reopen(store, grantId, order.key)
      return (await look((tx) => spentOf(tx, grantId, order.key))) ?? settled(order.key, signal)
    },

    precheck: async ({ host }) => Decision.precheck(await state(), { host }),
    async note({ code, ...order }) {
      const receipt = await look((tx, row) => Ledger.writeRefusal(tx, row, order, code))
      onReceipt(receipt)
      return receipt
    },

    ...openFloat({ caller, veto }),

    openSession: (given) => openSession({ store, budget, onError, follow: budget.follow }, given),
    remaining: async ({ task, ticket } = {}) =>
      Decision.remaining(await state(task), { ticket, via: 'guard' }),
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
        filling: (await Funding.pending(tx, grantId))?.amount ?? 0n,
      })),

    payment: (key) =>
      look(async (tx) => {
        const row = await tx.get('payments', { grantId, key })
        return row && { ...Payment.stateOf(row), amount: row.amount, to: row.payee }
      }),

    async status() {
      const { row, permission } = await current()
      const { pausedBy, revokedBy } = row
      return { ...(await Status.of(client, { permission })), paused: row.paused === 1, pausedBy, revokedBy }
    },

    receipts: ({ offset = 0, limit, newest = false } = {}) =>
      look(async (tx) => {
        const page = { offset, descending: newest, ...(limit === undefined ? {} : { limit }) }
        return (await tx.list('receipts', { grantId }, page)).map(Receipt.fromRow)
      }),

    follow(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    cursor: (name) => Cursor.of(store, grantId, name),
    async ask({ id: key, cap, to: amount, reason }) {
      const note = `INCREASE ${cap}: ${reason}`
      const receipt = await look((tx, row) => Book.write(tx, row, { event: 'requested', note, amount, key }))
      onReceipt(receipt)
      return receipt
    },

    verify: () => Verify.verify({ client, store, grantId, agent, token: token.address, finality, worker }),
    sync: worker.round,
    pause: () => setPaused(true),
    resume: () => setPaused(false),
    async replace(given) {
      const receipt = await Replacement.replace(caller, await current(), given)
      if (receipt) onReceipt(receipt)
      await current()
    },
    async revoke() {
      const { grant, permission } = await current()
      const prepare = grant.rail === 'direct' ? prepareRevokeAsSpender : prepareRevoke
      const doing = 'Revoking the permission'
      const isDone = ({ revoked }: GrantRow) => revoked === 1
      await AgentCall.make(caller, { call: prepare({ permission }), outcome: 'revoked', isDone, doing })
    },
    close: worker.close,
  }
  return budget
}

/** What `spend` returns of a payment, or undefined where it is not paid. */
async function spentOf(tx: Transaction, grantId: Hex, key: string): Promise<Spent | undefined> {
  const { payee: to, amount, open } = await Payment.get(tx, grantId, key)
  const events = await tx.list('events', { grantId, key })
  const event = events.find(({ kind }) => kind !== 'pull')
  return event && { key, to, amount, txHash: event.txHash, blockNumber: event.blockNumber, final: open === 0 }
}
