/** What a server is made of, and the limits that it keeps. */
import type { Hex } from 'viem'
import { InputError } from '../errors.js'
import type { Grant } from '../Grant.js'
import * as Input from '../Input.js'
import type { Permission } from '../Permission.js'
import type { Store } from '../Store.js'
import * as Chain from './Chain.js'
import * as Limiter from './Limiter.js'
import type { Records } from './Records.js'

export type Limits = {
  /** The most bytes of a body. Default 131,072: a signature of 32 KiB fits, as hexadecimal. */
  readonly bodyBytes: number
  /** Requests a minute: of one address, of one key, and of one address to sign in or approve. Defaults 300, 600, 20. */
  readonly perAddress: number
  readonly perKey: number
  readonly signIns: number
  /** Streams at once: of one address or key, and of all. Defaults 10 and 1,000. */
  readonly streams: number
  readonly allStreams: number
  /** Seconds that a nonce, a session and a request for approval last, at the most. Defaults 300, 28,800, 2,592,000. */
  readonly nonceSeconds: number
  readonly sessionSeconds: number
  readonly requestSeconds: number
  /**
   * Requests for approval that are kept for one key and its successors, open or ended, besides those whose grants have
   * come into the books. Default 1,000.
   */
  readonly keptRequests: number
  /** Seconds that a request is kept after it has ended: the backend's time to fetch an approval. Default 604,800. */
  readonly keptSeconds: number
  /** Increases that one grant may have open. Default 10. */
  readonly openIncreases: number
  /** After which an answer is given up, and how often a stream looks at the books, in milliseconds. Defaults 15,000, 1,000. */
  readonly timeoutMs: number
  readonly pollMs: number
  readonly heartbeatMs: number
}

const defaults: Limits = {
  bodyBytes: 131_072,
  perAddress: 300,
  perKey: 600,
  signIns: 20,
  streams: 10,
  allStreams: 1_000,
  nonceSeconds: 300,
  sessionSeconds: 28_800,
  requestSeconds: 2_592_000,
  keptRequests: 1_000,
  keptSeconds: 604_800,
  openIncreases: 10,
  timeoutMs: 15_000,
  pollMs: 1_000,
  heartbeatMs: 15_000,
}

/** An owner's consent, for whoever submits it: `budget.approve`, or `budget.replace` for an increase. */
export type Approved = {
  readonly kind: 'request' | 'increase'
  readonly id: Hex
  readonly grant: Grant
  readonly permission: Permission
  /** Null where the wallet approved by a call of its own. */
  readonly signature: Hex | null
  readonly transactionHash: Hex | null
}

export type ServerOptions = {
  /** The books: read, never written. */
  readonly store: Store
  /** Requests, keys, sessions: `memoryRecords()`, or those of `hardcap/sqlite` and `hardcap/postgres`. */
  readonly records: Records
  /** A viem client of the chain that the grants are on. */
  readonly client: Chain.Endpoint
  /** Where browsers find the server, such as `https://agents.example.com`. Without TLS on loopback alone. */
  readonly origin: string
  /** Other origins whose pages may call, with credentials. Default: none. */
  readonly allowOrigins?: readonly string[] | undefined
  readonly limits?: Partial<Limits> | undefined
  /** Unix seconds. Default: the machine's clock. */
  readonly clock?: (() => number) | undefined
  /** An endpoint and an explorer for browsers. Everybody can read them: no URL with a secret in it. */
  readonly rpcUrl?: string | undefined
  readonly explorerUrl?: string | undefined
  /** Tells the console to offer the development wallet. Never outside of one's own machine. */
  readonly development?: boolean | undefined
  /** Whose request it is, for rate limits. Default: the socket's address where @hono/node-server tells it. */
  readonly addressOf?: ((request: Request, env: unknown) => string | undefined) | undefined
  /** Proxies before this server that each append to X-Forwarded-For. Default 0: the header is not believed. */
  readonly trustedProxies?: number | undefined
  /**
   * What `/metrics` asks for as a bearer token. Without one only programs on this machine may read them, and only where
   * `origin` is on loopback and no proxy is trusted.
   */
  readonly metricsToken?: string | undefined
  /**
   * Told of every consent, after it is kept. It is told once and may miss one when the process ends: whoever has to know
   * asks `GET /v1/requests/:id` as well.
   */
  readonly onApproved?: ((approved: Approved) => unknown) | undefined
  /** Told of what is answered with 500, and of what `onApproved` throws. */
  readonly onError?: ((error: unknown) => void) | undefined
}

export type Settings = Omit<
  ServerOptions,
  'client' | 'origin' | 'limits' | 'clock' | 'allowOrigins' | 'onError'
> & {
  readonly origin: URL
  readonly origins: readonly string[]
  readonly limits: Limits
  readonly clock: () => number
  readonly onError: (error: unknown) => void
  readonly chainId: number
  readonly chain: Chain.Reader
  readonly limiters: { readonly [name in 'perAddress' | 'perKey' | 'signIns']: Limiter.Limiter }
}

/** @throws InputError */
export function settings(options: ServerOptions): Settings {
  const { limits = {}, allowOrigins = [] } = options
  for (const [name, value] of Object.entries(Input.fields(limits, 'limits', Object.keys(defaults))))
    Input.integer(value, `limits.${name}`, { min: 1, max: 2 ** 31 - 1 })
  if (options.client.chain === undefined)
    throw new InputError('INVALID_VALUE', {
      field: 'client',
      given: options.client,
      valid: 'a viem client that was made with its chain',
      why: 'It does not say which chain it is for.',
    })
  const origin = readOrigin(options.origin, 'origin')
  const kept = { ...defaults, ...limits }
  return {
    ...options,
    origin,
    origins: [
      origin.origin,
      ...allowOrigins.map((given, n) => readOrigin(given, `allowOrigins[${n}]`).origin),
    ],
    limits: kept,
    limiters: {
      perAddress: Limiter.limiter(kept.perAddress),
      perKey: Limiter.limiter(kept.perKey),
      signIns: Limiter.limiter(kept.signIns),
    },
    clock: options.clock ?? (() => Math.floor(Date.now() / 1000)),
    onError: options.onError ?? (() => {}),
    chainId: options.client.chain.id,
    chain: Chain.reader(options.client),
  }
}

/** Cookies go over TLS, or never leave the machine. */
function readOrigin(given: unknown, field: string): URL {
  const url = typeof given === 'string' && URL.canParse(given) ? new URL(given) : undefined
  const isPlain = url && url.href === `${url.origin}/` && url.username === ''
  if (url && isPlain && (url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url.hostname))))
    return url
  throw new InputError('INVALID_VALUE', {
    field,
    given,
    valid:
      'an origin such as https://agents.example.com, or http://127.0.0.1:8787 on loopback, without a path',
    why: 'Not an origin that can keep a session secret.',
  })
}

export function isLoopback(host: string): boolean {
  const name = host.replace(/^\[|\]$/g, '').replace(/^::ffff:/, '')
  return name === 'localhost' || name === '::1' || /^127(\.\d{1,3}){3}$/.test(name)
}
