/** Who asks, and what they may see and do. What is not allowed here is not allowed. */
import type { Context } from 'hono'
import { getCookie } from 'hono/cookie'
import { type Hex, isAddressEqual } from 'viem'
import * as Books from './Books.js'
import * as Key from './Key.js'
import { subscriber } from './Limiter.js'
import type { Settings } from './Options.js'
import { forbidden, notFound, unauthorized } from './Problem.js'
import type { SessionRow } from './Records.js'
import * as Secret from './Secret.js'
import * as SignIn from './SignIn.js'

export type Principal =
  | { readonly kind: 'key'; readonly key: Key.Key }
  | { readonly kind: 'owner'; readonly session: SessionRow; readonly token: string }

/** The name of the session's cookie: `__Host-` holds it to this host, over TLS. */
export function cookieName(origin: URL): string {
  return origin.protocol === 'https:' ? '__Host-hardcap' : 'hardcap'
}

/**
 * Who asks; undefined for nobody. A key that is sent has to be good: nothing falls back to the cookie.
 * @throws Problem 401, 429
 */
export async function principal(c: Context, settings: Settings): Promise<Principal | undefined> {
  const found = await identify(c, settings)
  if (found?.kind === 'key') settings.limiters.perKey.take(found.key.family)
  return found
}

/**
 * The same for a stream, of which only the beginning counts as a request.
 * @throws Problem 401
 */
export async function still(c: Context, settings: Settings): Promise<Principal> {
  const found = await identify(c, settings)
  if (!found) throw unauthorized()
  return found
}

async function identify(c: Context, settings: Settings): Promise<Principal | undefined> {
  const { records, clock, origin } = settings
  const header = c.req.header('authorization')
  if (header !== undefined) {
    const [, text] = /^Bearer ([\x21-\x7e]{1,200})$/i.exec(header) ?? []
    const key = text === undefined ? undefined : await Key.find(records, text, clock())
    if (!key) throw unauthorized()
    return { kind: 'key', key }
  }
  const token = getCookie(c, cookieName(origin))
  if (token === undefined || token.length > 100) return undefined
  const session = await SignIn.find(records, token, clock())
  return session && { kind: 'owner', session, token }
}

/** @throws Problem 401 */
export async function anybody(c: Context, settings: Settings): Promise<Principal> {
  const found = await principal(c, settings)
  if (!found) throw unauthorized()
  return found
}

/** @throws Problem 401; 403 `SCOPE_MISSING` */
export async function withKey(c: Context, settings: Settings, verb: Key.Verb): Promise<Key.Key> {
  const found = await anybody(c, settings)
  if (found.kind !== 'key') throw forbidden('SCOPE_MISSING', 'That takes a key of a backend.')
  assertVerb(found.key, verb)
  return found.key
}

/**
 * An owner who has signed in; where something changes with a token against requests that other pages forge.
 * @throws Problem 401; 403 `OWNER_ONLY`, `CSRF`
 */
export async function owner(c: Context, settings: Settings): Promise<SessionRow> {
  const found = await anybody(c, settings)
  if (found.kind !== 'owner') throw forbidden('OWNER_ONLY', 'Only the owner can do that, signed in.')
  assertNotForged(c, settings, found.token)
  return found.session
}

/** @throws Problem 403 `CSRF` */
export function assertNotForged(c: Context, settings: Settings, token: string): void {
  if (c.req.method === 'GET' || c.req.method === 'HEAD') return
  assertOrigin(c, settings)
  const given = c.req.header('x-csrf-token') ?? ''
  if (!Secret.equal(given, SignIn.csrfToken(token)))
    throw forbidden('CSRF', 'The header x-csrf-token is missing, or not that of the session.')
}

/**
 * Browsers say where a request comes from; other programs need not.
 * @throws Problem 403 `CSRF`
 */
export function assertOrigin(c: Context, { origins }: Settings): void {
  const from = c.req.header('origin')
  if (from !== undefined && !origins.includes(from))
    throw forbidden('CSRF', 'The page that asks is not one of this server.')
}

function assertVerb(key: Key.Key, verb: Key.Verb): void {
  if (!key.verbs.includes(verb))
    throw forbidden('SCOPE_MISSING', `The key may not do that: it lacks the verb "${verb}".`)
}

/**
 * That whoever asks may see a grant of these books: its owner, or a key with the verb that names the grant or has asked
 * for it. Nobody else learns whether it is there.
 * @throws Problem 401; 403 `SCOPE_MISSING`; 404 `NOT_FOUND`
 */
export async function assertSees(
  settings: Settings,
  who: Principal,
  grantId: Hex,
  verb: Key.Verb = 'read',
): Promise<void> {
  if (who.kind === 'key') assertVerb(who.key, verb)
  const row = await Books.find(settings.store, grantId)
  if (!row || row.chainId !== settings.chainId) throw notFound('grant')
  const sees =
    who.kind === 'owner' ? Books.isOf(row, who.session.address) : await isInScope(settings, who.key, grantId)
  if (!sees) throw notFound('grant')
}

async function isInScope({ records }: Settings, key: Key.Key, grantId: Hex): Promise<boolean> {
  if (key.grants === 'all' || key.grants.includes(grantId)) return true
  const { family } = key
  const asked = await records.transact(`scope:${family}`, (tx) => tx.get('server_asked', { family, grantId }))
  return asked !== undefined
}

/** Grants of the books that one page looks at. */
const looked = 2_000

export type Page = {
  /** Which follow this one, in the order of their ids. */
  readonly cursor?: Hex | undefined
  readonly limit: number
}

/**
 * A page of the grants that whoever asks may see, as `assertSees` would say of each, and where the next one begins. It
 * may be short, or empty, and have a next one: some may not be in the books, and of the books it looks at some thousand.
 * @throws Problem 403 `SCOPE_MISSING`
 */
export async function seen(
  settings: Settings,
  who: Principal,
  { cursor, limit }: Page,
): Promise<{ grantIds: Hex[]; nextCursor: Hex | null }> {
  const { store, chainId } = settings
  if (who.kind === 'key') assertVerb(who.key, 'read')
  if (who.kind === 'key' && who.key.grants !== 'all') {
    const inScope = await scope(settings, who.key, { cursor, limit })
    const known = await Books.known(store, inScope.grantIds)
    return {
      ...inScope,
      grantIds: inScope.grantIds.filter((grantId) => known.get(grantId)?.chainId === chainId),
    }
  }
  const grantIds: Hex[] = []
  let count = 0
  let last: Hex | null = null
  for await (const row of Books.rows(store, cursor)) {
    if (count === looked) return { grantIds, nextCursor: last }
    if (row.chainId === chainId && (who.kind === 'key' || Books.isOf(row, who.session.address))) {
      if (grantIds.length === limit) return { grantIds, nextCursor: last }
      grantIds.push(row.grantId)
    }
    count += 1
    last = row.grantId
  }
  return { grantIds, nextCursor: null }
}

/** Of the grants that a key names, and those that it asked for. */
async function scope({ records }: Settings, key: Key.Key, { cursor, limit }: Page) {
  const { family, grants } = key
  const after = cursor ?? '0x'
  const asked = await records.transact(`scope:${family}`, (tx) =>
    tx.list('server_asked', { family }, { limit: limit + 1, after: { family, grantId: after } }),
  )
  const all = new Set([...grants, ...asked.map(({ grantId }) => grantId)] as Hex[])
  const following = [...all].filter((grantId) => grantId > after).sort()
  const grantIds = following.slice(0, limit)
  return { grantIds, nextCursor: following.length > limit ? (grantIds.at(-1) ?? null) : null }
}

/** What limits count requests by: a key, or where the request comes from. */
export function callerOf(c: Context, settings: Settings): string {
  const { addressOf, trustedProxies = 0 } = settings
  if (addressOf) return subscriber(addressOf(c.req.raw, c.env) ?? 'unknown')
  if (trustedProxies > 0) {
    // Each proxy appends whom it heard from: the first of ours tells the truth, what is before it anybody can write.
    const hops = (c.req.header('x-forwarded-for') ?? '').split(',').map((hop) => hop.trim())
    return subscriber(hops.at(-trustedProxies) || 'unknown')
  }
  return subscriber(socketAddress(c.env) ?? 'unknown')
}

/** As @hono/node-server gives it. */
export function socketAddress(env: unknown): string | undefined {
  const incoming = (env as { incoming?: { socket?: { remoteAddress?: string } } } | undefined)?.incoming
  return incoming?.socket?.remoteAddress
}

/** @throws Problem 404 where the owner is another one */
export function assertOwns(session: SessionRow, account: Hex, what: string): void {
  if (!isAddressEqual(session.address, account)) throw notFound(what)
}
