/** What goes wrong, as HTTP answers it: `{ error: { code, message, figures? } }`. Nothing of what is inside gets out. */
import { HTTPException } from 'hono/http-exception'
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import { HardcapError } from '../errors.js'
import type { ErrorAnswer } from './Schema.js'

/** An answer that is no success, with a code for programs. */
export class Problem extends Error {
  readonly status: ContentfulStatusCode
  readonly code: string
  readonly figures: Readonly<Record<string, unknown>> | undefined
  readonly headers: Readonly<Record<string, string>>
  constructor(
    status: ContentfulStatusCode,
    code: string,
    message: string,
    options: { figures?: Record<string, unknown>; headers?: Record<string, string> } = {},
  ) {
    super(message)
    this.status = status
    this.code = code
    this.figures = options.figures
    this.headers = options.headers ?? {}
  }
}

/** The same for what is not there and for what is somebody else's: nobody learns which. */
export function notFound(what: string): Problem {
  return new Problem(404, 'NOT_FOUND', `There is no such ${what}, or it is not yours to see.`)
}

export function unauthorized(): Problem {
  const headers = { 'www-authenticate': 'Bearer realm="hardcap"' }
  return new Problem(401, 'UNAUTHORIZED', 'Sign in, or send a key that is valid.', { headers })
}

export function forbidden(code: string, message: string): Problem {
  return new Problem(403, code, message)
}

/** What the chain did not answer. Endpoints put their URL, with its key, into their errors: none of it is passed on. */
export function chainUnseen(): Problem {
  return new Problem(503, 'CHAIN_UNSEEN', 'The chain did not answer. Try again.', {
    headers: { 'retry-after': '2' },
  })
}

const unavailable = new Set(['STORE_BUSY', 'STORE_LOST', 'STORE_UNKNOWN', 'STORE_UNREADABLE', 'STORE_CLOSED'])
/** Of the books and the input: their messages tell what was given and what would have been valid. */
const readable = new Set(['InputError', 'GrantError', 'PolicyError', 'PermissionError'])

const byStatus: Readonly<Record<number, string>> = {
  400: 'INVALID_INPUT',
  413: 'TOO_LARGE',
  415: 'UNSUPPORTED_MEDIA_TYPE',
}

/** The answer to an error. Undefined where it is a bug or a failure that somebody should hear of. */
export function known(error: unknown): Problem | undefined {
  if (error instanceof Problem) return error
  if (error instanceof HTTPException) {
    const code = byStatus[error.status] ?? 'REFUSED'
    return new Problem(error.status, code, error.message || 'The request was refused.')
  }
  if (!(error instanceof HardcapError)) return undefined
  if (unavailable.has(error.code))
    return new Problem(503, 'UNAVAILABLE', 'The books cannot be reached. Try again.', {
      headers: { 'retry-after': '2' },
    })
  if (error.code === 'RPC_FAILED' || error.code === 'WRONG_CHAIN') return chainUnseen()
  if (!readable.has(error.name)) return undefined
  const status = error.name === 'InputError' ? 400 : 409
  return new Problem(status, error.code, error.message, { figures: { ...error.figures } })
}

export function toJson({ code, message, figures }: Problem): ErrorAnswer {
  return { error: { code, message, ...(figures ? { figures: plain(figures) } : {}) } }
}

/** bigints as decimal strings. */
function plain(figures: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return JSON.parse(
    JSON.stringify(figures, (_, value) => (typeof value === 'bigint' ? String(value) : value)),
  )
}
