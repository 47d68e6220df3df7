import { createRoute } from '@hono/zod-openapi'
import type { Context } from 'hono'
import { deleteCookie, setCookie } from 'hono/cookie'
import * as Access from '../Access.js'
import type { Settings } from '../Options.js'
import { unauthorized } from '../Problem.js'
import { Nonce, SessionShown, SignIn as SignInBody } from '../Schema.js'
import * as SignIn from '../SignIn.js'
import { type App, answer, body, bySession, errors } from './kit.js'

const tags = ['sign-in']

const nonce = createRoute({
  method: 'post',
  path: '/v1/auth/nonce',
  summary: 'A nonce for one message of Sign-In with Ethereum',
  tags,
  responses: { 200: answer(Nonce, 'good once, and for minutes'), ...errors },
})

const verify = createRoute({
  method: 'post',
  path: '/v1/auth/verify',
  summary: 'Sign in: the session comes in a cookie',
  tags,
  request: { body: body(SignInBody) },
  responses: { 200: answer(SessionShown, 'signed in'), ...errors },
})

const session = createRoute({
  method: 'get',
  path: '/v1/auth/session',
  summary: 'Who is signed in',
  tags,
  security: [{ session: [] }],
  responses: { 200: answer(SessionShown, 'the session'), ...errors },
})

const logout = createRoute({
  method: 'post',
  path: '/v1/auth/logout',
  summary: 'Sign out',
  tags,
  security: bySession,
  responses: { 204: { description: 'signed out' }, ...errors },
})

export function auth(app: App, settings: Settings): void {
  const { origin, chainId, records, limits, clock, chain, limiters } = settings
  const name = Access.cookieName(origin)
  const cookie = {
    httpOnly: true,
    secure: origin.protocol === 'https:',
    sameSite: 'Strict',
    path: '/',
  } as const
  const options = (): SignIn.SignInOptions => ({
    records,
    client: chain.client,
    chainId,
    origin,
    now: clock(),
    nonceSeconds: limits.nonceSeconds,
    sessionSeconds: limits.sessionSeconds,
  })
  /** Both are open to everybody, and one of them asks the chain. */
  function assertWelcome(c: Context): void {
    Access.assertOrigin(c, settings)
    limiters.signIns.take(Access.callerOf(c, settings))
  }

  app.openapi(nonce, async (c) => {
    assertWelcome(c)
    return c.json({ nonce: await SignIn.nonce(options()) }, 200)
  })
  app.openapi(verify, async (c) => {
    assertWelcome(c)
    const { token, session } = await SignIn.verify(options(), c.req.valid('json'))
    // Always a new token, and the session that was there before ends.
    const before = c.req.header('authorization') ? undefined : await Access.principal(c, settings)
    if (before?.kind === 'owner') await SignIn.close(records, before.session)
    setCookie(c, name, token, { ...cookie, maxAge: limits.sessionSeconds })
    const { address, expiresAt } = session
    return c.json({ address, csrfToken: SignIn.csrfToken(token), expiresAt }, 200)
  })
  app.openapi(session, async (c) => {
    const who = await Access.anybody(c, settings)
    if (who.kind !== 'owner') throw unauthorized()
    const { address, expiresAt } = who.session
    return c.json({ address, csrfToken: SignIn.csrfToken(who.token), expiresAt }, 200)
  })
  app.openapi(logout, async (c) => {
    await SignIn.close(records, await Access.owner(c, settings))
    deleteCookie(c, name, cookie)
    return c.body(null, 204)
  })
}
