/**
 * What happens to a grant, as server-sent events: `receipt`, `meters`, `status`. One look at the books serves all who
 * watch a grant. A stream only keeps how far it has come, so a slow reader falls behind and loses nothing, and whoever
 * comes back with Last-Event-ID goes on from there.
 */
import { setTimeout } from 'node:timers/promises'
import type { Hex } from 'viem'
import * as Books from './Books.js'
import type { Settings } from './Options.js'
import { notFound, Problem } from './Problem.js'
import * as Receipts from './Receipts.js'
import type { EventData } from './Schema.js'
import * as Show from './Show.js'

/** Receipts that a stream is given between two looks. */
const page = 100
/** Heartbeats that a reader may let pass without taking anything. */
const patience = 4

type Stream = {
  /** What was sent last, and the seq of the next receipt. */
  meters: string
  status: string
  next: number
  /** When it was last sent anything, and when its right to it was last asked for, of a clock that only goes forward. */
  sentAt: number
  readonly controller: ReadableStreamDefaultController<Uint8Array>
  /** Throws where whoever watches may not any more: signed out, revoked. */
  readonly assertAllowed: () => Promise<void>
  readonly end: () => void
}

export type Hub = {
  readonly size: () => number
  /** @throws Problem 404; 429 `TOO_MANY_STREAMS` */
  readonly open: (options: OpenOptions) => Promise<Response>
  readonly close: () => Promise<void>
}

type OpenOptions = {
  readonly grantId: Hex
  /** Whose stream it is, for the limit. */
  readonly name: string
  readonly lastEventId: string | undefined
  readonly assertAllowed: () => Promise<void>
}

const encoder = new TextEncoder()

export function hub(settings: Settings): Hub {
  const { store, limits, onError } = settings
  const watched = new Map<Hex, Set<Stream>>()
  const loops = new Set<Promise<void>>()
  const held = new Map<string, number>()
  const closing = new AbortController()
  const size = () => [...held.values()].reduce((sum, count) => sum + count, 0)

  /** Looks as long as somebody watches. */
  async function look(grantId: Hex, streams: Set<Stream>): Promise<void> {
    while (streams.size > 0 && !closing.signal.aborted) {
      try {
        const account = await Books.read(store, grantId)
        if (account) await Promise.all([...streams].map((stream) => send(stream, account)))
      } catch (error) {
        // The books may be back at the next look. The streams stay, and nothing is lost.
        onError(error)
      }
      await setTimeout(limits.pollMs, undefined, { signal: closing.signal }).catch(() => {})
    }
    for (const stream of streams) stream.end()
    if (watched.get(grantId) === streams) watched.delete(grantId)
  }

  async function send(stream: Stream, account: Books.Account): Promise<void> {
    const { row } = account
    const idle = performance.now() - stream.sentAt >= limits.heartbeatMs
    const meters = JSON.stringify({ meters: account.meters } satisfies EventData['meters'])
    const { head: _, chain: __, ...standing } = Books.standing(account, null)
    const status = JSON.stringify(standing)
    const hasNews = meters !== stream.meters || status !== stream.status || row.receipts > stream.next
    if (!hasNews && !idle) return
    // What its reader has not taken yet waits in the books, and not in memory; and not for good.
    if ((stream.controller.desiredSize ?? 0) <= 0) {
      if (performance.now() - stream.sentAt >= patience * limits.heartbeatMs) stream.end()
      return
    }
    try {
      await stream.assertAllowed()
      const parts: string[] = []
      if (row.receipts > stream.next) {
        const to = Math.min(row.receipts, stream.next + page)
        for (const receipt of await Receipts.between(store, row.grantId, stream.next, to))
          parts.push(event('receipt', JSON.stringify(Show.receipt(receipt)), receipt.seq))
        stream.next = to
      }
      if (meters !== stream.meters) parts.push(event('meters', meters))
      if (status !== stream.status) {
        const seen = await standingOf(settings, account)
        parts.push(event('status', JSON.stringify(seen satisfies EventData['status'])))
      }
      stream.meters = meters
      stream.status = status
      stream.sentAt = performance.now()
      stream.controller.enqueue(encoder.encode(parts.length > 0 ? parts.join('') : ': still here\n\n'))
    } catch (error) {
      if (!(error instanceof Problem)) onError(error)
      stream.end()
    }
  }

  async function open({ grantId, name, lastEventId, assertAllowed }: OpenOptions): Promise<Response> {
    const row = await Books.find(store, grantId)
    if (!row) throw notFound('grant')
    if (closing.signal.aborted) throw new Problem(503, 'UNAVAILABLE', 'The server is closing.')
    if ((held.get(name) ?? 0) >= limits.streams || size() >= limits.allStreams)
      throw new Problem(429, 'TOO_MANY_STREAMS', 'Too many streams are open. Close one first.')
    held.set(name, (held.get(name) ?? 0) + 1)
    const last = /^\d{1,15}$/.test(lastEventId ?? '') ? Number(lastEventId) : row.receipts
    const streams = watched.get(grantId) ?? new Set<Stream>()
    let end = () => {}
    const body = new ReadableStream<Uint8Array>(
      {
        start(controller) {
          const stream: Stream = {
            meters: '',
            status: '',
            next: Math.min(last + 1, row.receipts),
            sentAt: performance.now(),
            controller,
            assertAllowed,
            end: () => end(),
          }
          end = () => {
            end = () => {}
            streams.delete(stream)
            const left = (held.get(name) ?? 1) - 1
            if (left > 0) held.set(name, left)
            else held.delete(name)
            try {
              controller.close()
            } catch {
              // Its reader has gone already.
            }
          }
          streams.add(stream)
        },
        cancel: () => end(),
      },
      { highWaterMark: 16 },
    )
    if (!watched.has(grantId)) {
      watched.set(grantId, streams)
      const loop = look(grantId, streams).finally(() => loops.delete(loop))
      loops.add(loop)
    }
    const headers = {
      'content-type': 'text/event-stream',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
    }
    return new Response(body, { headers })
  }

  return {
    size,
    open,
    async close() {
      closing.abort()
      await Promise.all(loops)
    },
  }
}

/** What the books say and, where it answers, the chain. */
export async function standingOf(settings: Settings, account: Books.Account) {
  const status = await settings.chain.status(account.permission).catch(() => undefined)
  if (!status) return Books.standing(account, null)
  const { status: name, warnings, balance, now } = status
  return Books.standing(account, {
    status: name,
    warnings: [...warnings],
    balance: String(balance),
    time: now,
  })
}

/** JSON has no line breaks of its own, so one line of data holds it. */
function event(name: keyof EventData, data: string, id?: number): string {
  return `event: ${name}\n${id === undefined ? '' : `id: ${id}\n`}data: ${data}\n\n`
}
