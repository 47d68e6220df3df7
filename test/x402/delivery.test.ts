import type { IncomingHttpHeaders } from 'node:http'
import { text } from 'node:stream/consumers'
import { describe, expect, onTestFinished, test } from 'vitest'
import { InputError, Receipt } from '../../src/index.js'
import { Delivery, verifyWebhook, webhook } from '../../src/x402/index.js'
import { cursor, ledger } from './receipts.js'
import { serve } from './serve.js'

const secret = 'a secret of thirty-two characters'

type Got = { readonly seq: number; readonly body: string; readonly headers: IncomingHttpHeaders }

/** A receiver that answers as it is told: a status, or `drop`, for each request in turn; 200 when it was told all. */
async function receiver(...answers: readonly (number | 'drop')[]) {
  const got: Got[] = []
  const left = [...answers]
  const served = await serve(async (request, response) => {
    const body = await text(request)
    got.push({ seq: JSON.parse(body).seq, body, headers: request.headers })
    const answer = left.shift() ?? 200
    if (answer === 'drop') return void response.destroy()
    response.writeHead(answer, { location: '/elsewhere' }).end('thank you')
  })
  return { ...served, got }
}

/** A delivery that ends with the test and does not wait long. */
function deliver(options: Omit<Delivery.DeliveryOptions, 'firstWaitMs'>) {
  const delivery = Delivery.start({ firstWaitMs: 1, maxWaitMs: 4, ...options })
  onTestFinished(delivery.close)
  return delivery
}

const seqs = (got: readonly Got[]) => got.map(({ seq }) => seq)

describe('start', () => {
  test('default: all that is there, and then what comes, in order', async () => {
    const { source, add, receipts } = ledger(...Array.from({ length: 250 }, () => ({})))
    const { origin, got } = await receiver()
    const kept = cursor()
    const delivery = deliver({ source, sink: webhook({ url: origin, secret }), cursor: kept })
    await delivery.flush()
    expect(seqs(got)).toEqual(receipts.map(({ seq }) => seq))
    add()
    add()
    await delivery.flush()
    expect([got.length, seqs(got).slice(250), kept.delivered]).toEqual([252, [250, 251], 252])
  })

  test('behavior: what fails is tried again before anything after it', async () => {
    const { source } = ledger({}, {}, {})
    const { origin, got } = await receiver(200, 500, 'drop', 302, 404)
    const errors: unknown[] = []
    const onError = (error: unknown) => {
      errors.push(error)
      throw new Error('A listener that fails.')
    }
    await deliver({ source, sink: webhook({ url: origin, secret }), cursor: cursor(), onError }).flush()
    expect(seqs(got)).toEqual([0, 1, 1, 1, 1, 1, 2])
    expect(errors).toHaveLength(4)
    expect(errors).toMatchObject(
      Array(4).fill({ code: 'NOT_DELIVERED', figures: { seq: 1 }, retryable: true }),
    )
    expect(String(errors)).not.toContain(secret)
  })

  test('behavior: another process goes on where one ended', async () => {
    const { source, add } = ledger({}, {})
    const { origin, got } = await receiver()
    const sink = webhook({ url: origin, secret })
    const kept = cursor()
    const first = deliver({ source, sink, cursor: kept })
    await first.flush()
    await first.close()
    add()
    await deliver({ source, sink, cursor: kept }).flush()
    expect(seqs(got)).toEqual([0, 1, 2])
  })

  test('behavior: a crash between delivery and cursor delivers it twice, with the same hash', async () => {
    const { source } = ledger({}, {})
    const { origin, got } = await receiver()
    const sink = webhook({ url: origin, secret })
    const kept = cursor()
    let died = false
    const dying = {
      ...kept,
      write: async (delivered: number) => {
        if (!died && delivered === 2) {
          died = true
          throw new Error('power cut')
        }
        await kept.write(delivered)
      },
    }
    await deliver({ source, sink, cursor: dying }).flush()
    expect(seqs(got)).toEqual([0, 1, 1])
    expect(got[1]?.headers['hardcap-receipt']).toBe(got[2]?.headers['hardcap-receipt'])
  })

  test('behavior: a source that fails is asked again', async () => {
    const { source, receipts } = ledger({})
    let asked = 0
    const failing: Delivery.Source = {
      receipts: async (options) => {
        if (asked++ === 0) throw new Error('STORE_BUSY')
        return source.receipts(options)
      },
    }
    const delivered: Receipt.Receipt[] = []
    const sink: Delivery.Sink = async (receipt) => void delivered.push(receipt)
    await deliver({ source: failing, sink, cursor: cursor() }).flush()
    expect(delivered).toEqual(receipts)
  })

  test('behavior: close ends what is under way, and nobody waits for ever', async () => {
    const { source } = ledger({})
    const kept = cursor()
    let began = () => {}
    const underWay = new Promise<void>((resolve) => {
      began = resolve
    })
    const sink: Delivery.Sink = (_, { signal }) =>
      new Promise((_, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason))
        began()
      })
    const delivery = deliver({ source, sink, cursor: kept })
    const flushed = delivery.flush().catch((error: unknown) => error)
    await underWay
    await delivery.close()
    expect(await flushed).toMatchObject({ code: 'CLOSED' })
    await expect(delivery.flush()).rejects.toMatchObject({ code: 'CLOSED' })
    expect(kept.delivered).toBe(0)
  })

  test('behavior: close does not wait for the next attempt', async () => {
    const { source } = ledger({})
    let failed = () => {}
    const failure = new Promise<void>((resolve) => {
      failed = resolve
    })
    const sink: Delivery.Sink = () => Promise.reject(new Error('down'))
    const options = { source, sink, cursor: cursor(), firstWaitMs: 2 ** 30, maxWaitMs: 2 ** 30 }
    const delivery = Delivery.start({ ...options, onError: () => failed() })
    await failure
    await delivery.close()
  })
})

describe('webhook', () => {
  test('default: the bytes of the receipt, its hash, and a signature', async () => {
    const { source, receipts } = ledger({ event: 'refused', ok: false, note: 'OVER_PER_CALL', txHash: null })
    const { origin, got } = await receiver()
    await deliver({ source, sink: webhook({ url: origin, secret }), cursor: cursor() }).flush()
    const [request] = got
    if (!request) throw new Error('Nothing came.')
    const { body, headers } = request
    expect(headers['hardcap-receipt']).toBe(receipts[0]?.hash)
    expect(Receipt.hashOf(body)).toBe(receipts[0]?.hash)
    const signature = String(headers['hardcap-signature'])
    const now = Number(/^t=(\d+),/.exec(signature)?.[1])
    const verify = (changes: Partial<Parameters<typeof verifyWebhook>[0]>) =>
      verifyWebhook({ secret, body, signature, now, ...changes })
    expect(await verify({})).toBe(true)
    expect(await verify({ now: now + 300 })).toBe(true)
    expect(await verify({ now: now + 301 })).toBe(false)
    expect(await verify({ now: now - 301 })).toBe(false)
    expect(await verify({ now: now + 301, toleranceSeconds: 301 })).toBe(true)
    expect(await verify({ body: body.replace('OVER', 'UNDER') })).toBe(false)
    expect(await verify({ secret: `${secret}!` })).toBe(false)
    expect(await verify({ signature: signature.replace(/^t=\d+/, `t=${now - 1}`) })).toBe(false)
    for (const wrong of ['', 'v1=', signature.slice(0, -1), `${signature}0`, signature.toUpperCase()])
      expect(await verify({ signature: wrong })).toBe(false)
  })

  test('args: timeoutMs', async () => {
    const silent = await serve(() => {})
    const { receipts } = ledger({})
    const sink = webhook({ url: silent.origin, secret, timeoutMs: 50 })
    const [receipt] = receipts
    if (!receipt) throw new Error('No receipt.')
    const { signal } = new AbortController()
    await expect(sink(receipt, { signal })).rejects.toMatchObject({ code: 'NOT_DELIVERED' })
  })

  test('error: a URL or a secret that is none', () => {
    for (const url of ['http://example.com/', 'https://me:password@example.com/', '/hook', '']) {
      expect(() => webhook({ url, secret })).toThrow(InputError)
      expect(() => webhook({ url, secret })).not.toThrow('password@')
    }
    expect(() => webhook({ url: 'https://example.com/', secret: secret.slice(0, 31) })).toThrow(InputError)
    expect(() => webhook({ url: 'https://example.com/', secret: 'short' })).not.toThrow('short')
  })
})
