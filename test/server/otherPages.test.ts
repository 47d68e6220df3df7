/** Tries to get in from pages of other origins. */
import { expect, test } from 'vitest'
import { useBase } from '../base.js'
import * as kit from './kit.js'
import { twoOwners } from './owners.js'

const base = await useBase()
kit.endAfterEach()

test('error: without the token, with that of another session, or from another origin', async () => {
  const { server, owner, stranger, path } = await twoOwners(base)
  const { cookie } = owner
  const forged: Record<string, string>[] = [
    { cookie },
    { cookie, 'x-csrf-token': '' },
    { cookie, 'x-csrf-token': stranger.headers['x-csrf-token'] },
    { ...owner.headers, origin: 'https://evil.example' },
    { ...owner.headers, origin: 'null' },
  ]
  const mutations = [`${path}/calls`, `/v1/increases/0x${'0'.repeat(32)}/decline`, '/v1/auth/logout']
  for (const headers of forged)
    for (const mutation of mutations)
      expect(await kit.ask(server, mutation, { body: { action: 'pause' }, headers })).toMatchObject({
        status: 403,
        body: { error: { code: 'CSRF' } },
      })
  expect((await kit.ask(server, '/v1/auth/session', { headers: { cookie } })).status).toBe(200)
  const own = { ...owner.headers, origin: server.origin }
  expect((await kit.ask(server, `${path}/calls`, { body: { action: 'pause' }, headers: own })).status).toBe(
    200,
  )
})

test('error: a form, which asks nobody before it is sent', async () => {
  const { server, owner, path } = await twoOwners(base)
  for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=a']) {
    const given = { raw: '{"action":"pause"}', headers: { ...owner.headers, 'content-type': type } }
    expect((await kit.ask(server, `${path}/calls`, given)).status).toBe(415)
    // Also where no body is looked at.
    expect((await kit.ask(server, '/v1/auth/nonce', given)).status).toBe(415)
  }
})

test('error: CORS opens to the origins that were named, and to no others', async () => {
  const friend = 'https://console.example'
  const { server, owner } = await twoOwners(base, { allowOrigins: [friend] })
  const preflight = (origin: string) =>
    kit.ask(server, '/v1/grants', {
      method: 'OPTIONS',
      headers: { origin, 'access-control-request-method': 'POST' },
    })
  expect((await preflight(friend)).headers.get('access-control-allow-origin')).toBe(friend)
  for (const origin of ['https://evil.example', 'null', `${friend}.evil.example`, 'http://console.example']) {
    const { headers } = await preflight(origin)
    expect(headers.get('access-control-allow-origin')).toBeNull()
    const read = await kit.ask(server, '/v1/grants', { headers: { ...owner.headers, origin } })
    expect(read.headers.get('access-control-allow-origin')).toBeNull()
  }
})

test('behavior: every answer is data that nothing may run, frame or keep', async () => {
  const server = await kit.start(base)
  for (const path of ['/v1/config', '/v1/grants', '/nothing', '/openapi.json']) {
    const { headers } = await kit.ask(server, path)
    expect(headers.get('content-security-policy')).toBe("default-src 'none'; frame-ancestors 'none'")
    expect(headers.get('x-content-type-options')).toBe('nosniff')
    expect(headers.get('x-frame-options')).toBe('DENY')
    expect(headers.get('referrer-policy')).toBe('no-referrer')
    expect(headers.get('cache-control')).toBe('no-store')
    expect(headers.get('x-powered-by')).toBeNull()
  }
})
