/** The HTTP interface of hardcap/server, one function for each question. Answers are typed by the server's schemas. */
import type { Hex } from 'viem'
import type * as Schema from '../server/Schema.js'
import { OwnerError } from './OwnerError.js'

export type Api = {
  /** Where the server is, with a slash at the end. */
  readonly url: string
  config(): Promise<Schema.Config>
  request(id: string): Promise<Schema.RequestShown>
  approveRequest(id: string, approval: Schema.Approval): Promise<Schema.Decided>
  declineRequest(id: string): Promise<Schema.Decided>
  nonce(): Promise<string>
  signIn(signed: { message: string; signature: Hex }): Promise<Schema.SessionShown>
  /** Null where nobody is signed in. */
  session(): Promise<Schema.SessionShown | null>
  signOut(): Promise<void>
  /** In the order of their ids; a page may be empty and have a next one. */
  grants(page?: GrantsPage): Promise<Schema.Grants>
  grant(grantId: string): Promise<Schema.GrantShown>
  receipts(grantId: string, page?: ReceiptsPage): Promise<Schema.Receipts>
  /** Default: 30 days. */
  spending(grantId: string, days?: number): Promise<Schema.Spending>
  increases(grantId: string): Promise<readonly Schema.IncreaseShown[]>
  approveIncrease(id: string, approval: { signature: Hex }): Promise<Schema.Decided>
  declineIncrease(id: string): Promise<Schema.Decided>
  /** For an EventSource: `receipt`, `meters` and `status` of a grant as they come. */
  eventsUrl(grantId: string): string
}

export type GrantsPage = {
  cursor?: string | undefined
  limit?: number | undefined
}

export type ReceiptsPage = {
  cursor?: string | undefined
  limit?: number | undefined
  kind?: Schema.ReceiptKind | undefined
  host?: string | undefined
  task?: string | undefined
}

export type CreateApiOptions = {
  /** Where the server is mounted, such as `https://pay.example.com/hardcap/`. Default: the root of the page's origin. */
  url?: string | undefined
  fetch?: typeof fetch | undefined
  /** Milliseconds after which a server that does not answer counts as gone. Default 15,000. */
  timeoutMs?: number | undefined
}

/**
 * A client of the server. It keeps the token that guards a session's changes against other sites (CSRF) in memory: the
 * session itself is in a cookie that no script can read.
 *
 * Every function throws OwnerError: `SERVER_UNREACHABLE` where nobody answered, `SERVER_ANSWER` where the answer is not
 * this interface's, and else the server's own code with its HTTP status.
 */
export function createApi(options: CreateApiOptions = {}): Api {
  const { url: given = '/', timeoutMs = 15_000 } = options
  const url = given.endsWith('/') ? given : `${given}/`
  let csrfToken: string | undefined

  async function ask<answer>(method: 'GET' | 'POST', path: string, body?: unknown): Promise<answer> {
    const send = options.fetch ?? fetch
    const response = await send(`${url}v1/${path}`, {
      method,
      credentials: 'same-origin',
      cache: 'no-store',
      redirect: 'error',
      referrerPolicy: 'no-referrer',
      signal: AbortSignal.timeout(timeoutMs),
      headers: {
        accept: 'application/json',
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(method === 'POST' && csrfToken !== undefined ? { 'x-csrf-token': csrfToken } : {}),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    }).catch((cause: unknown) => {
      throw new OwnerError(
        'SERVER_UNREACHABLE',
        'The server does not answer. What the chain holds goes on holding; try again in a moment.',
        { cause, retryable: true },
      )
    })
    const text = await response.text().catch(() => '')
    const answer = parse(text)
    if (response.ok && (answer !== undefined || response.status === 204)) return answer as answer
    throw refusal(response.status, answer)
  }

  const get = <answer>(path: string) => ask<answer>('GET', path)
  const post = <answer>(path: string, body: unknown = {}) => ask<answer>('POST', path, body)
  const remember = (session: Schema.SessionShown) => {
    csrfToken = session.csrfToken
    return session
  }

  return {
    url,
    config: () => get('config'),
    request: (id) => get(`requests/${encodeURIComponent(id)}`),
    approveRequest: (id, approval) => post(`requests/${encodeURIComponent(id)}/approval`, approval),
    declineRequest: (id) => post(`requests/${encodeURIComponent(id)}/decline`),
    nonce: async () => (await post<{ nonce: string }>('auth/nonce')).nonce,
    signIn: async (signed) => remember(await post<Schema.SessionShown>('auth/verify', signed)),
    session: async () => {
      try {
        return remember(await get<Schema.SessionShown>('auth/session'))
      } catch (error) {
        if (error instanceof OwnerError && error.status === 401) return null
        throw error
      }
    },
    signOut: async () => {
      await post('auth/logout')
      csrfToken = undefined
    },
    grants: (page = {}) => get(`grants${query(page)}`),
    grant: (grantId) => get(`grants/${encodeURIComponent(grantId)}`),
    receipts: (grantId, page = {}) => get(`grants/${encodeURIComponent(grantId)}/receipts${query(page)}`),
    spending: (grantId, days = 30) => get(`grants/${encodeURIComponent(grantId)}/spending${query({ days })}`),
    increases: async (grantId) =>
      (await get<Schema.Increases>(`grants/${encodeURIComponent(grantId)}/increases`)).increases,
    approveIncrease: (id, approval) => post(`increases/${encodeURIComponent(id)}/approval`, approval),
    declineIncrease: (id) => post(`increases/${encodeURIComponent(id)}/decline`),
    eventsUrl: (grantId) => `${url}v1/grants/${encodeURIComponent(grantId)}/events`,
  }
}

function query(given: Record<string, string | number | undefined>): string {
  const entries = Object.entries(given).flatMap(([name, value]) =>
    value === undefined || value === '' ? [] : [[name, String(value)]],
  )
  return entries.length === 0 ? '' : `?${new URLSearchParams(entries)}`
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function refusal(status: number, answer: unknown): OwnerError {
  if (isErrorAnswer(answer)) {
    const { code, message, figures } = answer.error
    return new OwnerError(code, message, {
      status,
      retryable: status === 429 || status >= 500,
      ...(figures === undefined ? {} : { figures }),
    })
  }
  return new OwnerError(
    'SERVER_ANSWER',
    `The server answered with HTTP ${status}, and not as hardcap's does.`,
    {
      status,
      retryable: status >= 500,
    },
  )
}

function isErrorAnswer(answer: unknown): answer is Schema.ErrorAnswer {
  if (typeof answer !== 'object' || answer === null || !('error' in answer)) return false
  const { error } = answer
  if (typeof error !== 'object' || error === null) return false
  return (
    'code' in error &&
    typeof error.code === 'string' &&
    'message' in error &&
    typeof error.message === 'string'
  )
}
