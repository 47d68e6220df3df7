/**
 * Receipts on their way out of the books. They are numbered and append-only, so what is delivered is one number, kept by
 * whoever starts the delivery; nothing is queued twice, and a payment never waits for it.
 */
import type { Receipt } from '../Receipt.js'
import { X402Error } from './Violation.js'

/** Where receipts come from, oldest first; a budget is one. */
export type Source = {
  readonly receipts: (options: {
    readonly offset: number
    readonly limit: number
  }) => Promise<readonly Receipt[]>
}

/** How many receipts were delivered: the `seq` of the next. Kept across restarts, in a file or a row. */
export type Cursor = {
  readonly read: () => Promise<number>
  readonly write: (delivered: number) => Promise<void>
  /**
   * Where several deliveries share it, such as those of several processes on the same books: takes it for so many
   * milliseconds, 0 gives it back. False where another one has it.
   */
  readonly take?: ((ms: number) => Promise<boolean>) | undefined
}

/** Takes one receipt, or throws. It may be given one twice: after a crash between delivery and cursor, or a lost answer. */
export type Sink = (receipt: Receipt, options: { readonly signal: AbortSignal }) => Promise<void>

export type DeliveryOptions = {
  readonly source: Source
  readonly sink: Sink
  readonly cursor: Cursor
  /** The wait after a failure, milliseconds: doubled with each in a row, up to the most. 1 second, 5 minutes. */
  readonly firstWaitMs?: number | undefined
  readonly maxWaitMs?: number | undefined
  /** Told of each failure; the receipt is tried again. */
  readonly onError?: ((error: unknown) => void) | undefined
}

export type Delivery = {
  /** There may be new receipts: to be called with each, such as by `onReceipt`. Returns at once. */
  readonly wake: () => void
  /** Resolves when all that is in the source now is delivered. */
  readonly flush: () => Promise<void>
  /** Ends it. What is not delivered is delivered by the next one with the same cursor. */
  readonly close: () => Promise<void>
}

/** How many receipts are read at once. */
const page = 100

/** For how long a delivery has a cursor that it shares, milliseconds: longer than a receipt takes. */
const turnMs = 60_000

/** Delivers what is there, in order, and then what comes. One delivery per cursor, or one at a time where it can be taken. */
export function start(options: DeliveryOptions): Delivery {
  const { source, sink, cursor, firstWaitMs = 1_000, maxWaitMs = 300_000, onError = () => {} } = options
  const closing = new AbortController()
  const { signal } = closing
  let waiting: { readonly resolve: () => void; readonly reject: (error: X402Error) => void }[] = []
  let isDue = true
  /** What ends the wait that is under way: for something to deliver, and for the next attempt. */
  let wakeUp = () => {}
  let interrupt = () => {}
  signal.addEventListener('abort', () => interrupt())

  /** Takes its turn, or keeps it. */
  const take = async (ms = turnMs) => (cursor.take ? cursor.take(ms) : true)

  /** One receipt after the other until there is none. False where it is another delivery's turn. */
  async function drain(): Promise<boolean> {
    if (!(await take())) return false
    for (let at = await cursor.read(); !signal.aborted; ) {
      const receipts = await source.receipts({ offset: at, limit: page })
      for (const receipt of receipts) {
        if (!(await take())) return false
        await sink(receipt, { signal })
        at = receipt.seq + 1
        await cursor.write(at)
        if (signal.aborted) return true
      }
      if (receipts.length < page) return true
    }
    return true
  }

  async function run(): Promise<void> {
    for (let failures = 0; !signal.aborted; ) {
      isDue = false
      const served = waiting
      try {
        const isDone = await drain().finally(() => take(0))
        failures = 0
        if (!isDone) {
          await pause(firstWaitMs)
          continue
        }
      } catch (error) {
        if (signal.aborted) return
        report(error)
        await pause(Math.min(firstWaitMs * 2 ** failures++, maxWaitMs))
        continue
      }
      if (signal.aborted) return
      // Whoever came while it was under way asks for what may have come since.
      waiting = waiting.filter((other) => !served.includes(other))
      for (const { resolve } of served) resolve()
      if (isDue) continue
      await new Promise<void>((resolve) => {
        wakeUp = interrupt = resolve
      })
    }
  }

  /** Whoever wakes it meanwhile does not shorten it. */
  function pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms)
      wakeUp = () => {}
      interrupt = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }

  function report(error: unknown): void {
    try {
      onError(error)
    } catch {
      // Whoever listens must not end the delivery.
    }
  }

  const wake = () => {
    isDue = true
    wakeUp()
  }
  const running = run()
  return {
    wake,
    flush: () =>
      new Promise((resolve, reject) => {
        if (signal.aborted) return reject(closed())
        waiting = [...waiting, { resolve, reject }]
        wake()
      }),
    async close() {
      closing.abort()
      await running
      for (const { reject } of waiting.splice(0)) reject(closed())
    },
  }
}

function closed(): X402Error {
  return new X402Error(
    'CLOSED',
    'The delivery is closed. What is left goes out with the next one on its cursor.',
  )
}
