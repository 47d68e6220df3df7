/**
 * Drives one grant: reads the chain into the books, takes the next step of every open payment, and tells
 * whoever waits. One round at a time; several workers on one store do no harm to each other.
 */
import * as Book from './Book.js'
import { GrantError } from './GrantError.js'
import * as Payment from './Payment.js'
import * as Permission from './Permission.js'
import type { Receipt } from './Receipt.js'
import * as Settlement from './Settlement.js'
import type { GrantRow, PaymentRow } from './Store.js'
import * as Submit from './Submit.js'
import * as Sync from './Sync.js'

export type WorkerOptions = Submit.Submitter & {
  readonly finality: Sync.Finality
  /** Milliseconds between two rounds. */
  readonly pollMs: number
  readonly onReceipt: (receipt: Receipt) => void
  /** Told of every failed round, such as an endpoint that does not answer. The next round tries again. */
  readonly onError: (error: unknown) => void
}

export type Worker = {
  /** Runs a round now, after the one that may be running. Throws what the round threw. */
  round(): Promise<void>
  /** Resolves when the payment is paid (not yet final), rejects when it is released, stranded or refused. */
  paid(key: string, signal?: AbortSignal): Promise<PaymentRow>
  /** Milliseconds since the chain was last read to its head; Infinity before the first time. */
  unseenMs(): number
  /** What made the worker stop for good, if something did. */
  halted(): GrantError | undefined
  close(): Promise<void>
}

type Waiter = { resolve: (payment: PaymentRow) => void; reject: (error: unknown) => void }

export function start(options: WorkerOptions): Worker {
  const { store, grantId, pollMs } = options
  const waiters = new Map<string, Set<Waiter>>()
  let tail: Promise<void> = Promise.resolve()
  let timer: NodeJS.Timeout | undefined
  let seenAt = Number.NEGATIVE_INFINITY
  let halted: GrantError | undefined
  let closed = false

  function round(): Promise<void> {
    const turn = tail.then(async () => {
      if (halted) throw halted
      try {
        await sync()
        await drive()
        await settle()
      } catch (error) {
        if (error instanceof GrantError && error.code === 'FINALITY_BROKEN') halt(error)
        throw error
      }
    })
    tail = turn.catch(() => {})
    return turn
  }

  async function sync() {
    for (let caughtUp = false; !caughtUp; ) {
      const { row, source } = await readSource(options)
      const read = await Sync.read(options.client, source, row)
      if (!read) return
      const { receipts } = await Settlement.advance(store, grantId, read.reading)
      for (const receipt of receipts) options.onReceipt(receipt)
      caughtUp = read.caughtUp
    }
    seenAt = performance.now()
  }

  async function drive() {
    const open = await store.transact(grantId, (tx) => tx.list('payments', { grantId, open: 1 }))
    if (open.length > 0) await Submit.rebroadcast(options)
    for (const payment of open) {
      try {
        await Submit.step(options, payment)
      } catch (error) {
        if (!(error instanceof GrantError)) throw error
        reject(payment.key, error)
      }
    }
  }

  async function settle() {
    for (const key of waiters.keys()) {
      const payment = await store.transact(grantId, (tx) => Payment.get(tx, grantId, key))
      const state = Payment.stateOf(payment)
      if (state.status === 'paid') {
        for (const waiter of take(key)) waiter.resolve(payment)
      } else if (state.status === 'released') {
        reject(key, releasedError(payment, state.reason))
      } else if (state.status === 'stranded') {
        reject(key, Submit.strandedError(payment, options.agent.address, state.reason))
      }
    }
  }

  function take(key: string): Waiter[] {
    const waiting = [...(waiters.get(key) ?? [])]
    waiters.delete(key)
    return waiting
  }

  function reject(key: string, error: unknown) {
    for (const waiter of take(key)) waiter.reject(error)
  }

  function halt(error: GrantError) {
    halted = error
    for (const key of [...waiters.keys()]) reject(key, error)
  }

  function schedule(ms: number) {
    if (closed || halted) return
    clearTimeout(timer)
    timer = setTimeout(() => {
      timer = undefined
      round()
        .catch(options.onError)
        // Somebody may have asked for an earlier round in the meantime.
        .finally(() => timer ?? schedule(pollMs))
    }, ms)
    // An idle mirror does not keep the process alive; a payment that somebody waits for does.
    if (waiters.size === 0) timer.unref()
  }

  schedule(pollMs)

  return {
    round,
    unseenMs: () => performance.now() - seenAt,
    halted: () => halted,
    paid: (key, signal) =>
      new Promise((resolve, reject) => {
        if (closed) return reject(closedError())
        if (halted) return reject(halted)
        const waiter = { resolve, reject }
        const waiting = waiters.get(key) ?? new Set()
        waiters.set(key, waiting.add(waiter))
        const abort = () => {
          waiting.delete(waiter)
          if (waiting.size === 0 && waiters.get(key) === waiting) waiters.delete(key)
          reject(signal?.reason)
        }
        if (signal?.aborted) return abort()
        signal?.addEventListener('abort', abort, { once: true })
        schedule(0)
      }),
    async close() {
      closed = true
      clearTimeout(timer)
      await tail
      for (const key of [...waiters.keys()]) reject(key, closedError())
    },
  }
}

/** The grant's row, and what to read of the chain for it. */
export async function readSource({
  store,
  grantId,
  agent,
  token,
  finality,
}: Pick<WorkerOptions, 'store' | 'grantId' | 'agent' | 'token' | 'finality'>): Promise<{
  row: GrantRow
  source: Sync.Source
}> {
  return store.transact(grantId, async (tx) => {
    const row = await Book.get(tx, grantId)
    const rows = await tx.list('permissions', { grantId })
    const permissions = rows.map(({ permission }) => Permission.parse(permission))
    const current = permissions[rows.findIndex(({ hash }) => hash === row.permissionHash)]
    if (!current) throw new Error(`Permission ${row.permissionHash} is not in the books.`)
    return { row, source: { agent: agent.address, token, current, permissions, finality } }
  })
}

function releasedError(payment: PaymentRow, reason: string): GrantError {
  const { key, amount } = payment
  return new GrantError(
    'RELEASED',
    `The payment ${JSON.stringify(key)} of ${amount} base units did not happen and never will: ${reason} Nothing is reserved for it any more; the same key may be used again.`,
    { figures: { key, amount }, retryable: true },
  )
}

function closedError(): GrantError {
  return new GrantError(
    'CLOSED',
    'The budget was closed while the payment was open. It stays reserved and goes on when the budget is opened again.',
    { retryable: true },
  )
}
