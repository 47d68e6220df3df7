/**
 * One request to one host, and the answer of that host. Redirects are followed here and not by `fetch`, which would
 * follow them anywhere: an allowed host that redirects must not make another one the one that is paid.
 */
import { InputError } from '../errors.js'
import * as Host from '../Host.js'
import { type Violation, violation } from './Violation.js'

/** A request that can be made again, with the host that it goes to in the form of `Host.parse`. */
export type Outgoing = {
  readonly url: string
  readonly host: string
  readonly method: string
  readonly headers: Headers
  /** In full, so that it can be sent a second time with a payment. */
  readonly body: ArrayBuffer | undefined
  readonly redirect: 'follow' | 'error' | 'manual'
  /** Whose signal ends it: kept, because the signal of a request that was collected aborts nothing any more. */
  readonly source: Request
}

export type Opened = { readonly allowed: true; readonly outgoing: Outgoing } | Violation

/** What pays, outside the books; and what makes another host answer than the one that is asked. */
const refusedHeaders = ['payment-signature', 'x-payment', 'host']

/**
 * Reads what `fetch` takes, without any network. What a URL may be: https, and http on a loopback host alone, without
 * user or password (`Host.ofUrl`). A loopback host is asked by either, under the one entry that names it.
 *
 * @returns the request, or `NOT_ALLOWED`
 * @throws InputError `INVALID_VALUE` for headers that pay or name a host, and what `new Request` throws
 */
export async function open(input: string | URL | Request, init: RequestInit = {}): Promise<Opened> {
  const url = input instanceof Request ? input.url : input
  const read = Host.ofUrl(url)
  if (!read.ok) return violation('NOT_ALLOWED', `There must be no such request. ${read.reason}`)
  const request = new Request(input, init)
  const refused = refusedHeaders.find((name) => request.headers.has(name))
  if (refused !== undefined)
    throw new InputError('INVALID_VALUE', {
      field: `headers.${refused}`,
      given: 'a value',
      valid: `no headers ${refusedHeaders.join(', ')}`,
      why: 'The payment and the host are not for a header of the caller to say.',
    })
  const { method, headers, redirect } = request
  const body = request.body === null ? undefined : await request.arrayBuffer()
  // Without the fragment, which is not sent.
  const { href } = Object.assign(new URL(url), { hash: '' })
  const outgoing = { url: href, host: read.host, method, headers, body, redirect, source: request }
  return { allowed: true, outgoing }
}

/** An answer, and the request that it answers: after redirects another one than the first. */
export type Answered = { readonly allowed: true; readonly response: Response; readonly asked: Outgoing }

export type SendOptions = {
  /** Added to the request, such as its payment. */
  readonly headers?: Readonly<Record<string, string>> | undefined
  /** How many redirects in a row are followed. 5 unless said otherwise. */
  readonly maxRedirects?: number | undefined
  readonly fetch?: typeof globalThis.fetch | undefined
}

const redirects = new Set([301, 302, 303, 307, 308])

/**
 * Makes the request. Redirects are followed as `fetch` does, by method and body, but only within the same host and
 * never from https to http.
 *
 * @returns the answer, `REDIRECT_REFUSED` or `REDIRECT_LOOP`
 * @throws what `fetch` throws
 */
export async function send(outgoing: Outgoing, options: SendOptions = {}): Promise<Answered | Violation> {
  const { headers = {}, maxRedirects = 5, fetch = globalThis.fetch } = options
  let asked = outgoing
  for (let followed = 0; ; followed++) {
    const sent = new Headers(asked.headers)
    for (const [name, value] of Object.entries(headers)) sent.set(name, value)
    const { url, method, body, source } = asked
    const { signal } = source
    const init = { method, headers: sent, signal, redirect: 'manual', ...(body ? { body } : {}) } as const
    const response = await fetch(url, init)
    const location = redirects.has(response.status) ? response.headers.get('location') : null
    if (location === null || asked.redirect === 'manual') return { allowed: true, response, asked }
    await response.body?.cancel()
    const next = follow(asked, { status: response.status, location })
    if (!('url' in next)) return next
    if (followed === maxRedirects) {
      const reason = `${asked.host} redirected more than ${maxRedirects} times.`
      return violation('REDIRECT_LOOP', reason, { host: asked.host, limit: maxRedirects })
    }
    asked = next
  }
}

function follow(
  asked: Outgoing,
  { status, location }: { status: number; location: string },
): Outgoing | Violation {
  const from = asked.host
  // Of the target no more than its host is repeated: the rest of a URL may be a secret.
  const no = (why: string, figures = {}) =>
    violation('REDIRECT_REFUSED', `${from} redirects, ${why}`, { host: from, ...figures })
  if (asked.redirect === 'error') return no('and the request says that nothing is to be followed.')
  if (!URL.canParse(location, asked.url)) return no('to where no URL can be read.')
  const target = new URL(location, asked.url)
  const read = Host.ofUrl(target)
  if (!read.ok) return no(`to where no request may go. ${read.reason}`)
  if (read.host !== from)
    return no(`to ${read.host}. Ask ${read.host} itself, if it is meant.`, { to: read.host })
  if (asked.url.startsWith('https:') && target.protocol === 'http:') return no('from https to http.')

  target.hash = ''
  const { method } = asked
  const isRead = method === 'GET' || method === 'HEAD'
  if (isRead || status === 307 || status === 308 || (status !== 303 && method !== 'POST'))
    return { ...asked, url: target.href }
  const headers = new Headers(asked.headers)
  for (const part of ['encoding', 'language', 'location', 'type', 'length']) headers.delete(`content-${part}`)
  return { ...asked, url: target.href, method: 'GET', body: undefined, headers }
}
