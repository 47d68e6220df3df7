/** A real server on loopback, before books that a real budget writes, and those who ask it. */
import { serve } from '@hono/node-server'
import { createPublicClient, type Hex, http, type LocalAccount } from 'viem'
import { createSiweMessage } from 'viem/siwe'
import { memory, Permission } from '../../src/index.js'
import { createServer, Key, memoryRecords, type ServerOptions } from '../../src/server/index.js'
import type { Base, Wallet } from '../../src/testing/index.js'
import * as kit from '../budget/kit.js'

export { endAfterEach, freshAddress, later, order, usd } from '../budget/kit.js'

type Options = Partial<Omit<ServerOptions, 'origin'>>

/** A server with books and records of its own, in memory unless given. */
export async function start(base: Base, options: Options = {}) {
  const store = options.store ?? memory()
  const records = options.records ?? memoryRecords()
  const client = createPublicClient({ chain: base.chain, transport: http(base.url) })
  const errors: unknown[] = []
  let answer: (request: Request, env: unknown) => Promise<Response> = async () =>
    new Response('', { status: 503 })
  const listening = await new Promise<{ server: ReturnType<typeof serve>; port: number }>((resolve) => {
    const server = serve(
      { fetch: (request, env) => answer(request, env), port: 0, hostname: '127.0.0.1' },
      ({ port }) => resolve({ server, port }),
    )
  })
  const origin = `http://127.0.0.1:${listening.port}`
  const server = createServer({
    client,
    store,
    records,
    // The chain's time is the tests' as well.
    clock: options.clock ?? (() => Math.floor(Date.now() / 1000)),
    onError: (error) => errors.push(error),
    ...options,
    limits: { pollMs: 5, ...options.limits },
    origin,
  })
  answer = server.fetch
  kit.later(async () => {
    await server.close()
    await new Promise((resolve) => {
      listening.server.close(resolve)
      if ('closeAllConnections' in listening.server) listening.server.closeAllConnections()
    })
  })
  return { origin, server, store, records, client, errors }
}

export type Running = Awaited<ReturnType<typeof start>>

/** An answer, with its body read. */
export type Answer = {
  readonly status: number
  readonly headers: Headers
  // biome-ignore lint/suspicious/noExplicitAny: what a test expects of it, it says itself.
  readonly body: any
}

export async function ask(
  { origin }: Pick<Running, 'origin'>,
  path: string,
  given: { method?: string; body?: unknown; raw?: string; headers?: Record<string, string> } = {},
): Promise<Answer> {
  const { body, raw, headers } = given
  const text = raw ?? (body === undefined ? undefined : JSON.stringify(body))
  const response = await fetch(`${origin}${path}`, {
    method: given.method ?? (text === undefined ? 'GET' : 'POST'),
    headers: { ...(text === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
    ...(text === undefined ? {} : { body: text }),
    redirect: 'manual',
  })
  const answer = await response.text()
  const isJson = response.headers.get('content-type')?.includes('json') === true
  return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(answer) : answer }
}

/** The header of a new key. */
export async function key(
  { records }: Pick<Running, 'records'>,
  given: Partial<Key.NewKey> = {},
): Promise<{ authorization: string; id: string }> {
  const made = await Key.create(
    records,
    { label: 'test', verbs: Key.verbs, grants: 'all', ...given },
    Math.floor(Date.now() / 1000),
  )
  return { authorization: `Bearer ${made.text}`, id: made.key.id }
}

/** What a message of Sign-In with Ethereum says, as the console writes it. */
export async function message(
  running: Running,
  address: Hex,
  changes: Partial<Parameters<typeof createSiweMessage>[0]> = {},
): Promise<string> {
  const { body } = await ask(running, '/v1/auth/nonce', { method: 'POST' })
  return createSiweMessage({
    address,
    chainId: 8453,
    domain: new URL(running.origin).host,
    uri: running.origin,
    version: '1',
    nonce: body.nonce,
    issuedAt: new Date(),
    ...changes,
  })
}

type Signs = { readonly signMessage: (given: { message: string }) => Promise<Hex> }

/** An owner, signed in: the headers that his browser sends, the token among them. */
export async function signIn(running: Running, wallet: Pick<Wallet, 'address' | 'account'> | LocalAccount) {
  const signer = ('account' in wallet ? wallet.account : wallet) as Signs
  const text = await message(running, wallet.address)
  const signature = await signer.signMessage({ message: text })
  const answer = await ask(running, '/v1/auth/verify', { body: { message: text, signature } })
  if (answer.status !== 200) throw new Error(`${answer.status} ${JSON.stringify(answer.body)}`)
  const cookie = cookieOf(answer)
  return { cookie, headers: { cookie, 'x-csrf-token': answer.body.csrfToken as string }, answer }
}

export function cookieOf({ headers }: Answer): string {
  const [cookie = ''] = (headers.getSetCookie()[0] ?? '').split(';')
  return cookie
}

/** A grant of the guard rail in the server's books, approved, with the owner who signed it. */
export async function grant(base: Base, { store }: Pick<Running, 'store'>, terms = {}) {
  return kit.approved(base, store, { rail: 'guard', ...terms })
}

/** The terms of a grant as a backend writes them. */
export function terms(owner: Hex, agent: Hex, payee: Hex) {
  return {
    owner,
    agent,
    allow: [{ host: 'api.example.com', payTo: payee }],
    perCallUsd: '0.05',
    perDayUsd: '2',
    totalUsd: '25',
    expiresAt: '2100-12-31',
  }
}

/** The wallet's signature of a permission that the server shows. */
export function sign(wallet: Wallet, shown: { permission: unknown }): Promise<Hex> {
  return Permission.sign(wallet.account, Permission.parse(JSON.stringify(shown.permission)))
}
