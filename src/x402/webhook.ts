/** Receipts to a URL of somebody's own, signed so that he knows whose they are. */
import { bytesToHex, type Hex, hexToBytes, isHex, stringToBytes } from 'viem'
import { InputError } from '../errors.js'
import * as Host from '../Host.js'
import * as Receipt from '../Receipt.js'
import type { Sink } from './Delivery.js'
import * as Exchange from './Exchange.js'
import { X402Error } from './Violation.js'

export type WebhookOptions = {
  /** https, and http on a loopback host alone. */
  readonly url: string
  /** Known to the receiver, at least 32 characters. Never sent. */
  readonly secret: string
  /** Milliseconds that one receipt may take. 10,000 unless said otherwise. */
  readonly timeoutMs?: number | undefined
  /** The wait after a failure, milliseconds, doubled with each in a row. 1,000 unless said otherwise. */
  readonly firstWaitMs?: number | undefined
  readonly fetch?: typeof globalThis.fetch | undefined
}

const minSecret = 32

/**
 * A sink that posts each receipt as the very bytes that its hash covers (`Receipt.serialize`), with the headers
 *
 * - `hardcap-receipt`: its hash, which is the same however often it comes
 * - `hardcap-signature`: `t=<unix seconds>,v1=<hex>`, an HMAC-SHA256 with the secret over `<unix seconds>.<body>`
 *
 * Any answer but a 2xx is a failure, a redirect too.
 *
 * @throws InputError `INVALID_VALUE` for a URL or a secret that cannot be used
 */
export function webhook(options: WebhookOptions): Sink {
  const { url, secret, timeoutMs = 10_000, fetch } = options
  checkSecret(secret)
  checkUrl(url)
  return async (receipt, { signal }) => {
    const { hash, ...rest } = receipt
    const body = Receipt.serialize(rest)
    const time = Math.floor(Date.now() / 1000)
    const opened = await Exchange.open(url, {
      method: 'POST',
      body,
      headers: {
        'content-type': 'application/json',
        'hardcap-receipt': hash,
        'hardcap-signature': `t=${time},v1=${(await sign(secret, time, body)).slice(2)}`,
      },
      redirect: 'manual',
      signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
    })
    if (!opened.allowed) throw X402Error.of(opened)
    const { host } = opened.outgoing
    const answered = await Exchange.send(opened.outgoing, { fetch }).catch((error: unknown) => {
      throw notDelivered(receipt, `${host} did not answer`, error)
    })
    if (!answered.allowed) throw X402Error.of(answered)
    const { response } = answered
    await response.body?.cancel()
    if (!response.ok) throw notDelivered(receipt, `${host} answered ${response.status}`)
  }
}

export function notDelivered({ seq }: Receipt.Receipt, what: string, cause?: unknown): X402Error {
  const message = `${what}: receipt ${seq} is not delivered, and is tried again.`
  return new X402Error('NOT_DELIVERED', message, { figures: { seq }, retryable: true, cause })
}

export type VerifyOptions = {
  readonly secret: string
  /** Of the request: its body as it came, and its `hardcap-signature`. */
  readonly body: string
  readonly signature: string
  /** Unix seconds. The clock where omitted. */
  readonly now?: number | undefined
  /** How old or how far ahead a signature may be, seconds. 300 unless said otherwise. */
  readonly toleranceSeconds?: number | undefined
}

/** Whether a request came from who knows the secret, not long ago: for those who receive it. */
export async function verifyWebhook(options: VerifyOptions): Promise<boolean> {
  const { secret, body, signature, now = Math.floor(Date.now() / 1000), toleranceSeconds = 300 } = options
  checkSecret(secret)
  const [, seconds, hex] = /^t=(\d{1,15}),v1=([0-9a-f]{64})$/.exec(signature) ?? []
  const mac = `0x${hex}`
  if (seconds === undefined || !isHex(mac)) return false
  const time = Number(seconds)
  if (Math.abs(now - time) > toleranceSeconds) return false
  // By the platform, which compares in constant time.
  return crypto.subtle.verify('HMAC', await keyOf(secret), hexToBytes(mac), stringToBytes(`${time}.${body}`))
}

async function sign(secret: string, time: number, body: string): Promise<Hex> {
  const mac = await crypto.subtle.sign('HMAC', await keyOf(secret), stringToBytes(`${time}.${body}`))
  return bytesToHex(new Uint8Array(mac))
}

function keyOf(secret: string) {
  const algorithm = { name: 'HMAC', hash: 'SHA-256' }
  return crypto.subtle.importKey('raw', stringToBytes(secret), algorithm, false, ['sign', 'verify'])
}

function checkSecret(secret: unknown): void {
  if (typeof secret === 'string' && secret.length >= minSecret) return
  const valid = `a random string of at least ${minSecret} characters`
  throw new InputError('INVALID_VALUE', {
    field: 'secret',
    given: 'a secret',
    valid,
    why: 'It could be guessed.',
  })
}

/**
 * That a URL may be sent something secret.
 * @throws InputError `INVALID_VALUE`, which does not repeat it
 */
export function checkUrl(url: unknown): void {
  const read = Host.ofUrl(url)
  if (read.ok) return
  const valid = 'an https URL without user and password, such as https://www.example.com'
  throw new InputError('INVALID_VALUE', { field: 'url', given: 'a URL', valid, why: read.reason })
}
