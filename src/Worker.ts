/**
 * Drives one grant: reads the chain into the books, takes the next step of every open payment, and tells
 * whoever waits. One round at a time; several workers on one store do no harm to each other.
 */
import * as Book from './Book.js'
import * as Dispatch from './Dispatch.js'
import type * as Feed from './Feed.js'
import { GrantError } from './GrantError.js'
import * as Heads from './Heads.js'
import * as Look from './Look.js'
import * as Lost from './Lost.js'
import type * as Omission from './Omission.js'
import * as Payment from './Payment.js'
import * as Permission from './Permission.js'
import * as Progress from './Progress.js'
import * as Settlement from './Settlement.js'
import * as Span from './Span.js'
import type { EventRow, GrantRow, PaymentRow, Transaction } from './Store.js'
import * as Submit from './Submit.js'
import * as Sync from './Sync.js'
import * as Totals from './Totals.js'

export type WorkerOptions = Dispatch.DispatchOptions & {
  readonly finality: Sync.Finality
  /** Milliseconds between two rounds. `onError` is told of every failed one; the next tries again. */
  readonly pollMs: number
  readonly onProgress?: Progress.Listener | undefined
  /** Says when to look, and what was seen, in place of a timer. */
  readonly feed?: Feed.Feed | undefined
}

/** How often another worker may be faster before a reading is left to the next round. */
const mostLate = 5

export type Worker = {
  /** Runs a round now, after the one that may be running. Throws what the round threw. */
  round(): Promise<void>
  /**
   * Resolves when the payment is paid (not yet final), rejects when it is released or stranded, or when its next
   * step cannot be taken. An endpoint that does not answer is waited for.
   */
  paid(key: string, signal?: AbortSignal): Promise<PaymentRow>
  /** Milliseconds since the chain was last read to its head; Infinity before the first time. */
  unseenMs(): number
  /** Why what the endpoint says is not believed for now, if so. */
  doubted(): GrantError | undefined
  /** Why the worker stopped for good, if it did: it was closed, or the chain cannot be trusted. */
  stopped(): GrantError | undefined
  close(): Promise<void>
}

type Waiter = { resolve: (payment: PaymentRow) => void; reject: (error: unknown) => void }

export function start(options: WorkerOptions): Worker {
  const { store, grantId, pollMs } = options
  const waiters = new Map<string, Set<Waiter>>()
  let tail: Promise<void> = Promise.resolve()
  let timer: NodeJS.Timeout | undefined
  let seenAt = Number.NEGATIVE_INFINITY
  let stopped: GrantError | undefined
  /** Until what is gathered goes out, if something is. */
  let dueMs: number | undefined
  const drive = Dispatch.start(options, { onRefused: reject, isStopped: () => stopped !== undefined })
  let doubted: GrantError | undefined
  /** The books' head when they were opened. */
  let openedAt: number | undefined
  const span = Span.create()
  const idleMs = options.feed ? Number.POSITIVE_INFINITY : pollMs
  const leave = follow()

  /** The round that has not begun: whoever asks for one meanwhile has it, with the latest look. */
  let next: { turn: Promise<void>; shared: Feed.Shared | undefined } | undefined
  function round(shared?: Feed.Shared): Promise<void> {
    if (next) {
      next.shared &&= shared
      return next.turn
    }
    const turn = tail.then(async () => {
      const look = next?.shared
      next = undefined
      if (stopped) throw stopped
      // What was due is for this round to find; one that fails is tried again after pollMs.
      dueMs = undefined
      try {
        await sync(look)
        await settle()
        dueMs = await drive()
      } catch (error) {
        if (error instanceof GrantError && error.code === 'FINALITY_BROKEN') halt(error)
        throw error
      }
    })
    next = { turn, shared }
    tail = turn.catch(() => {})
    return turn
  }

  async function sync(shared: Feed.Shared | undefined) {
    const progress = Progress.start(options.onProgress)
    // Of readings in a row: another worker was faster; the chain says otherwise.
    let [late, anew] = [0, false]
    // What all have seen is the beginning; who has further to go looks for himself.
    for (let caughtUp = false, seen = shared; !caughtUp; seen = undefined) {
      if (stopped) return
      const { row, source } = await readSource(options)
      openedAt ??= row.headNumber
      const read = await look(source, row, { anew, seen }).catch(Sync.redact('Reading the chain'))
      if (!read) return
      caughtUp = read.caughtUp
      if (!read.reading) break
      const { applied, receipts, doubt } = await Settlement.advance(store, grantId, read.reading)
      for (const receipt of receipts) options.onReceipt(receipt)
      if (doubt && anew) {
        doubted = Totals.missing(doubt)
        throw doubted
      }
      anew = doubt !== undefined
      late = applied ? 0 : late + 1
      if (late > mostLate) return
      if (applied) progress({ from: row.finalNumber, at: read.reading.head.number, to: read.latest })
      else caughtUp = false
    }
    // Before anything may be reserved by what was read; an endpoint that was behind has shown no numbers.
    if (!Number.isFinite(seenAt)) await Lost.lookAtChain(store, grantId, openedAt ?? 0)
    doubted = undefined
    seenAt = performance.now()
  }

  async function look(
    source: Sync.Source,
    row: GrantRow,
    { anew, seen }: { anew: boolean; seen: Feed.Shared | undefined },
  ): Promise<Sync.Read | undefined> {
    const { client, finality, feed } = options
    // Asked for up to twice in a reading, and read once.
    let events: Promise<EventRow[]> | undefined
    const provisional = () => {
      events ??= store.transact(grantId, (tx) => tx.list('events', { grantId, final: 0 }))
      return events
    }
    const shared = seen ?? feed?.look
    const look = shared ? await shared(source, finality) : await Look.take(client, finality)
    return Sync.read(client, source, row, { look, span, provisional, anew })
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
    stopped = error
    leave()
    for (const key of [...waiters.keys()]) reject(key, error)
  }

  /** Has somebody tell of new blocks, where somebody does. */
  function follow(): () => void {
    const { client, feed, agent, onError } = options
    if (feed) return feed.join({ grantId, agent: agent.address, onLook: round, onError })
    if (!Heads.canFollow(client)) return () => {}
    return Heads.follow(client, { onHead: () => schedule(0), onError })
  }

  function schedule(ms: number) {
    if (stopped || ms === Number.POSITIVE_INFINITY) return
    clearTimeout(timer)
    timer = setTimeout(() => {
      timer = undefined
      round()
        .catch(options.onError)
        // Somebody may have asked for an earlier round in the meantime.
        .finally(() => timer ?? schedule(Math.min(idleMs, dueMs ?? idleMs)))
    }, ms)
    // An idle mirror does not keep the process alive; a payment that somebody waits for does.
    if (waiters.size === 0) timer.unref()
  }

  schedule(idleMs)

  return {
    round: () => round(),
    unseenMs: () => performance.now() - seenAt,
    doubted: () => doubted,
    stopped: () => stopped,
    paid: (key, signal) =>
      new Promise((resolve, reject) => {
        if (stopped) return reject(whileWaiting(stopped))
        if (signal?.aborted) return reject(signal.reason)
        const waiting = waiters.get(key) ?? new Set()
        const abort = () => {
          waiting.delete(waiter)
          if (waiting.size === 0 && waiters.get(key) === waiting) waiters.delete(key)
          reject(signal?.reason)
        }
        // A signal may outlive many payments: nothing is left hanging on it.
        const done = () => signal?.removeEventListener('abort', abort)
        const waiter: Waiter = {
          resolve: (payment) => {
            done()
            resolve(payment)
          },
          reject: (error) => {
            done()
            reject(error)
          },
        }
        signal?.addEventListener('abort', abort, { once: true })
        waiters.set(key, waiting.add(waiter))
        schedule(0)
      }),
    async close() {
      stopped ??= closedBefore()
      leave()
      clearTimeout(timer)
      await tail
      for (const key of [...waiters.keys()]) reject(key, whileWaiting(stopped))
    },
  }
}

/** The grant's row, and what to read of the chain for it. */
export function readSource(options: SourceOptions): Promise<{ row: GrantRow; source: Sync.Source }> {
  return options.store.transact(options.grantId, (tx) => sourceOf(tx, options))
}

type SourceOptions = Pick<WorkerOptions, 'store' | 'grantId' | 'agent' | 'token' | 'finality'>

/** As `readSource`, inside a transaction. */
export async function sourceOf(
  tx: Transaction,
  { grantId, agent, token, finality }: Omit<SourceOptions, 'store'>,
): Promise<{ row: GrantRow; source: Sync.Source }> {
  const row = await Book.get(tx, grantId)
  const known = (await tx.list('permissions', { grantId })).map((row) => Permission.parse(row.permission))
  const current = known.find((permission) => Permission.hash(permission) === row.permissionHash)
  if (!current) throw new Error(`Permission ${row.permissionHash} is not in the books.`)
  const source = { grantId, agent: agent.address, token, payer: row.payer, finality }
  const awaited: Omission.Awaited[] = []
  const held: Pick<PaymentRow, 'ref' | 'amount' | 'deadline'>[] = []
  for (const payment of await tx.list('payments', { grantId, open: 1 })) {
    const { via, number, amount, deadline, ref } = payment
    if (via === 'authorization') {
      if (payment.pull === 'signed') held.push({ ref, amount, deadline })
      continue
    }
    for (const leg of Payment.legsOf(payment)) {
      if (Payment.legOf(payment, leg) !== 'signed') continue
      const candidates = await Payment.candidates(tx, payment, leg)
      if (candidates.length === 0) awaited.push({ number, deadline, transaction: undefined })
      for (const transaction of candidates) awaited.push({ number, deadline, transaction })
    }
  }
  return { row, source: { ...source, current, known, awaited, held } }
}

function releasedError(payment: PaymentRow, reason: string): GrantError {
  const { key, amount } = payment
  return new GrantError(
    'RELEASED',
    `The payment ${JSON.stringify(key)} of ${amount} base units did not happen and never will: ${reason} Nothing is reserved for it any more; the same key may be used again.`,
    { figures: { key, amount }, retryable: true },
  )
}

function closedBefore(): GrantError {
  const message = 'The budget is closed: nothing was reserved, and nothing was sent. Open it again.'
  return new GrantError('CLOSED', message, { retryable: true })
}

/** What whoever waits for a payment is told. */
function whileWaiting(stopped: GrantError): GrantError {
  if (stopped.code !== 'CLOSED') return stopped
  const message =
    'The budget was closed while the payment was open. It stays reserved and goes on when the budget is opened again.'
  return new GrantError('CLOSED', message, { retryable: true })
}
