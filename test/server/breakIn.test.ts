/** Tries to get in, with everything but what it takes. */
import { describe, expect, test } from 'vitest'
import { useBase } from '../base.js'
import * as kit from './kit.js'

const base = await useBase()
kit.endAfterEach()

/** Two owners with a grant each on one server, and a key that is for the first one's. */
async function scene(options: Parameters<typeof kit.start>[1] = {}) {
  const server = await kit.start(base, options)
  const [own, other] = [await kit.grant(base, server), await kit.grant(base, server)]
  const owner = await kit.signIn(server, own.wallet)
  const stranger = await kit.signIn(server, other.wallet)
  const key = await kit.key(server, { grants: [own.grant.grantId] })
  const path = `/v1/grants/${own.grant.grantId}`
  const otherPath = `/v1/grants/${other.grant.grantId}`
  return { server, own, other, owner, stranger, key, path, otherPath }
}

const gets = ['', '/receipts', '/spending', '/events', '/increases']

describe('who sees what', () => {
  test("error: another owner's grant is as one that is not there", async () => {
    const { server, path, stranger } = await scene()
    const nowhere = `/v1/grants/0x${'0'.repeat(64)}`
    for (const rest of gets) {
      const answer = await kit.ask(server, `${path}${rest}`, { headers: stranger.headers })
      expect(answer).toMatchObject({ status: 404, body: { error: { code: 'NOT_FOUND' } } })
      const absent = await kit.ask(server, `${nowhere}${rest}`, { headers: stranger.headers })
      expect(answer.body).toEqual(absent.body)
    }
    const calls = { body: { action: 'pause' }, headers: stranger.headers }
    expect((await kit.ask(server, `${path}/calls`, calls)).status).toBe(404)
    const { grants } = (await kit.ask(server, '/v1/grants', { headers: stranger.headers })).body
    expect(JSON.stringify(grants)).not.toContain(path.split('/').at(-1))
  })

  test('error: nobody sees anything', async () => {
    const { server, path } = await scene()
    for (const rest of ['/v1/grants', ...gets.map((rest) => `${path}${rest}`), '/v1/auth/session'])
      expect((await kit.ask(server, rest)).status).toBe(401)
  })

  test('error: a key sees the grants that it names, and no others', async () => {
    const { server, key, own, path, otherPath } = await scene()
    const headers = { authorization: key.authorization }
    for (const rest of gets.filter((rest) => rest !== '/events')) {
      expect((await kit.ask(server, `${path}${rest}`, { headers })).status).toBe(200)
      expect((await kit.ask(server, `${otherPath}${rest}`, { headers })).status).toBe(404)
    }
    expect((await kit.ask(server, `${otherPath}/events`, { headers })).status).toBe(404)
    const { grants } = (await kit.ask(server, '/v1/grants', { headers })).body
    expect(grants.map(({ grant }: { grant: { grantId: string } }) => grant.grantId)).toEqual([
      own.grant.grantId,
    ])
    const increase = { cap: 'perDay', to: '7000000', reason: 'More.' }
    expect((await kit.ask(server, `${otherPath}/increases`, { body: increase, headers })).status).toBe(404)
  })

  test('error: a verb that a key lacks', async () => {
    const { server, path, own } = await scene()
    const grants = [own.grant.grantId]
    const asker = await kit.key(server, { verbs: ['request'], grants })
    const reader = await kit.key(server, { verbs: ['read'], grants })
    const refused = { status: 403, body: { error: { code: 'SCOPE_MISSING' } } }
    const increase = { cap: 'perDay', to: '7000000', reason: 'More.' }
    const grant = kit.terms(own.wallet.address, kit.freshAddress(), kit.freshAddress())
    const as = ({ authorization }: { authorization: string }) => ({ headers: { authorization } })
    expect(await kit.ask(server, '/v1/grants', as(asker))).toMatchObject(refused)
    for (const rest of gets) expect(await kit.ask(server, `${path}${rest}`, as(asker))).toMatchObject(refused)
    const body = { body: increase, ...as(reader) }
    expect(await kit.ask(server, `${path}/increases`, body)).toMatchObject(refused)
    expect(await kit.ask(server, '/v1/requests', { body: { grant }, ...as(reader) })).toMatchObject(refused)
  })

  test('error: no key decides for an owner, and raises nothing', async () => {
    const { server, path, own } = await scene()
    const { authorization } = await kit.key(server)
    const headers = { authorization }
    const increase = { cap: 'perDay', to: '7000000', reason: 'More.' }
    const { body: shown } = await kit.ask(server, `${path}/increases`, { body: increase, headers })
    const signature = await kit.sign(own.wallet, shown)
    for (const [rest, body] of [
      ['approval', { signature }],
      ['decline', {}],
    ] as const)
      expect(await kit.ask(server, `/v1/increases/${shown.id}/${rest}`, { body, headers })).toMatchObject({
        status: 403,
        body: { error: { code: 'OWNER_ONLY' } },
      })
    const { grant } = (await kit.ask(server, path, { headers })).body
    expect(grant.perDay).toBe('5000000')
  })

  test("error: another owner decides an increase, with the owner's own signature", async () => {
    const { server, path, own, stranger, key } = await scene()
    const headers = { authorization: key.authorization }
    const increase = { cap: 'perDay', to: '7000000', reason: 'More.' }
    const { body: shown } = await kit.ask(server, `${path}/increases`, { body: increase, headers })
    const body = { signature: await kit.sign(own.wallet, shown) }
    const base = `/v1/increases/${shown.id}`
    expect((await kit.ask(server, `${base}/approval`, { body, headers: stranger.headers })).status).toBe(404)
    expect((await kit.ask(server, `${base}/decline`, { body: {}, headers: stranger.headers })).status).toBe(
      404,
    )
  })

  test('error: the signature of a request is not for another key, nor for whoever has the link', async () => {
    const { server, own } = await scene()
    const asker = await kit.key(server)
    const grant = kit.terms(own.wallet.address, kit.freshAddress(), kit.freshAddress())
    const headers = { authorization: asker.authorization }
    const { id } = (await kit.ask(server, '/v1/requests', { body: { grant }, headers })).body
    const signature = await kit.sign(own.wallet, (await kit.ask(server, `/v1/requests/${id}`)).body)
    await kit.ask(server, `/v1/requests/${id}/approval`, { body: { signature } })
    const { authorization } = await kit.key(server)
    const seen = async (headers: Record<string, string>) =>
      (await kit.ask(server, `/v1/requests/${id}`, { headers })).body
    expect(await seen({})).not.toHaveProperty('signature')
    expect(await seen({ authorization })).not.toHaveProperty('signature')
    expect(await seen(headers)).toHaveProperty('signature')
  })
})

describe('keys', () => {
  test.each([
    ['no key', ''],
    ['another scheme', 'Basic aGM6aGM='],
    ['an id without a secret', 'Bearer hc_0123456789abcdef_'],
    ['a secret that is not the one', `Bearer hc_0123456789abcdef_${'a'.repeat(43)}`],
    ['SQL', `Bearer hc_' or '1'='1_${'a'.repeat(43)}`],
    ['a long one', `Bearer hc_0123456789abcdef_${'a'.repeat(5_000)}`],
  ])('error: %s', async (_, authorization) => {
    const server = await kit.start(base)
    expect((await kit.ask(server, '/v1/grants', { headers: { authorization } })).status).toBe(401)
  })

  test('error: the id of one key with the secret of another', async () => {
    const server = await kit.start(base)
    const [a, b] = [await kit.key(server), await kit.key(server)]
    const mixed = `Bearer hc_${a.id}_${b.authorization.slice(-43)}`
    expect((await kit.ask(server, '/v1/grants', { headers: { authorization: mixed } })).status).toBe(401)
  })

  test('error: a bad key is not helped by a good cookie', async () => {
    const { server, owner } = await scene()
    const headers = { ...owner.headers, authorization: 'Bearer hc_0123456789abcdef_x' }
    expect((await kit.ask(server, '/v1/grants', { headers })).status).toBe(401)
  })

  test('error: revoked', async () => {
    const { Key } = await import('../../src/server/index.js')
    const server = await kit.start(base)
    const { authorization, id } = await kit.key(server)
    const ask = async () => (await kit.ask(server, '/v1/grants', { headers: { authorization } })).status
    expect(await ask()).toBe(200)
    await Key.revoke(server.records, id, 1)
    expect(await ask()).toBe(401)
  })

  test('error: too often', async () => {
    const server = await kit.start(base, { limits: { perKey: 2 } })
    const { authorization } = await kit.key(server)
    const ask = async () => (await kit.ask(server, '/v1/grants', { headers: { authorization } })).status
    expect([await ask(), await ask(), await ask()]).toEqual([200, 200, 429])
  })
})

describe('other pages', () => {
  test('error: without the token, with that of another session, or from another origin', async () => {
    const { server, owner, stranger, path } = await scene()
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
    const { server, owner, path } = await scene()
    for (const type of [
      'text/plain',
      'application/x-www-form-urlencoded',
      'multipart/form-data; boundary=a',
    ]) {
      const given = { raw: '{"action":"pause"}', headers: { ...owner.headers, 'content-type': type } }
      expect((await kit.ask(server, `${path}/calls`, given)).status).toBe(415)
      // Also where no body is looked at.
      expect((await kit.ask(server, '/v1/auth/nonce', given)).status).toBe(415)
    }
  })

  test('error: CORS opens to the origins that were named, and to no others', async () => {
    const friend = 'https://console.example'
    const { server, owner } = await scene({ allowOrigins: [friend] })
    const preflight = (origin: string) =>
      kit.ask(server, '/v1/grants', {
        method: 'OPTIONS',
        headers: { origin, 'access-control-request-method': 'POST' },
      })
    expect((await preflight(friend)).headers.get('access-control-allow-origin')).toBe(friend)
    for (const origin of [
      'https://evil.example',
      'null',
      `${friend}.evil.example`,
      'http://console.example',
    ]) {
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
})

describe('what is sent', () => {
  test('error: bodies that are too large, with and without their length', async () => {
    const server = await kit.start(base, { limits: { bodyBytes: 1_000 } })
    const { authorization } = await kit.key(server)
    const raw = JSON.stringify({ grant: 'a'.repeat(2_000) })
    const headers = { authorization, 'content-type': 'application/json' }
    expect((await kit.ask(server, '/v1/requests', { raw, headers })).status).toBe(413)
    const chunks = new ReadableStream({
      start(controller) {
        for (let n = 0; n < 20; n++) controller.enqueue(new TextEncoder().encode('a'.repeat(100)))
        controller.close()
      },
    })
    const streamed = { method: 'POST', headers, body: chunks, duplex: 'half' } as RequestInit
    expect((await fetch(`${server.origin}/v1/requests`, streamed)).status).toBe(413)
  })

  test('error: what is not for a caller to set', async () => {
    const server = await kit.start(base)
    const { authorization } = await kit.key(server)
    const grant = kit.terms(kit.freshAddress(), kit.freshAddress(), kit.freshAddress())
    const ask = async (body: unknown) => {
      const answer = await kit.ask(server, '/v1/requests', { body, headers: { authorization } })
      return [answer.status, answer.body.error?.code]
    }
    expect(await ask({ grant })).toEqual([201, undefined])
    const grantId = `0x${'11'.repeat(32)}`
    for (const more of [{ grantId }, { status: 'active' }, { version: 1 }, { salt: '1' }])
      expect(await ask({ grant: { ...grant, ...more } })).toEqual([400, 'INVALID_INPUT'])
    for (const more of [
      { id: '0x00' },
      { status: 'approved' },
      { signature: '0x00' },
      { family: 'a' },
      { url: 'x' },
    ])
      expect(await ask({ grant, ...more })).toEqual([400, 'INVALID_INPUT'])
  })

  test.each([
    ['nothing', ''],
    ['no JSON', '{'],
    ['an array', '[]'],
    ['null', 'null'],
    ['a prototype', '{"__proto__":{"verbs":["read"]},"grant":{}}'],
    ['depth', `${'['.repeat(20_000)}${']'.repeat(20_000)}`],
    ['numbers for amounts', '{"grant":{"perDayUsd":1e400}}'],
  ])('error: %s as a body', async (_, raw) => {
    const server = await kit.start(base)
    const { authorization } = await kit.key(server)
    const headers = { authorization, 'content-type': 'application/json' }
    const answer = await kit.ask(server, '/v1/requests', { method: 'POST', raw, headers })
    expect(answer).toMatchObject({ status: 400, body: { error: { code: 'INVALID_INPUT' } } })
    expect(server.errors).toEqual([])
  })

  test.each([
    ['SQL', "0x' or '1'='1"],
    ['a path', '..%2f..%2fetc%2fpasswd'],
    ['a dot path', '%2e%2e'],
    ['NUL', '%00'],
    ['a name of every object', '__proto__'],
    ['another case', `0x${'AB'.repeat(32)}`],
    ['a half', '0x1234'],
    ['a broken escape', '%E0%A4%A'],
    ['half a megabyte', 'a'.repeat(10_000)],
  ])('error: %s as a grantId', async (_, id) => {
    const server = await kit.start(base)
    const { authorization } = await kit.key(server)
    const answer = await kit.ask(server, `/v1/grants/${id}`, { headers: { authorization } })
    expect([400, 404]).toContain(answer.status)
    expect(server.errors).toEqual([])
  })

  test('error: SQL in what a filter looks for finds nothing', async () => {
    const { server, owner, path } = await scene()
    const host = encodeURIComponent(`x' or '1'='1`)
    const { status, body } = await kit.ask(server, `${path}/receipts?host=${host}`, {
      headers: owner.headers,
    })
    expect([status, body.receipts]).toEqual([200, []])
  })

  test('error: a method that is not there', async () => {
    const { server, owner, path } = await scene()
    for (const method of ['PUT', 'DELETE', 'PATCH'])
      expect((await kit.ask(server, path, { method, headers: owner.headers })).status).toBe(404)
  })

  test('error: a request that nobody made', async () => {
    const server = await kit.start(base)
    for (const id of [`0x${'0'.repeat(32)}`, `0x${'f'.repeat(32)}`])
      expect((await kit.ask(server, `/v1/requests/${id}`)).status).toBe(404)
  })

  test('error: more than one address may ask', async () => {
    const server = await kit.start(base, { limits: { perAddress: 3 } })
    const ask = async (headers = {}) => (await kit.ask(server, '/healthz', { headers })).status
    expect([await ask(), await ask(), await ask(), await ask()]).toEqual([200, 200, 200, 429])
    // Nobody gets a fresh start by what he writes about himself.
    expect(await ask({ 'x-forwarded-for': '203.0.113.7' })).toBe(429)
  })

  test('behavior: behind a proxy that is trusted, it is whom the proxy heard from', async () => {
    const server = await kit.start(base, { limits: { perAddress: 1 }, trustedProxies: 1 })
    const ask = async (from: string) =>
      (await kit.ask(server, '/healthz', { headers: { 'x-forwarded-for': from } })).status
    expect(await ask('203.0.113.7')).toBe(200)
    expect(await ask('198.51.100.1, 203.0.113.7')).toBe(429)
    expect(await ask('203.0.113.8')).toBe(200)
  })

  test('error: what takes too long is given up', async () => {
    const { memory } = await import('../../src/index.js')
    const store = { ...memory(), transact: () => new Promise<never>(() => {}) }
    const server = await kit.start(base, { store, limits: { timeoutMs: 50 } })
    const answer = await kit.ask(server, '/readyz')
    expect(answer).toMatchObject({ status: 504, body: { error: { code: 'TIMEOUT' } } })
  })

  test('error: what is inside stays inside', async () => {
    const { memory } = await import('../../src/index.js')
    const store = { ...memory(), transact: () => Promise.reject(new Error('password=hunter2 at /home')) }
    const server = await kit.start(base, { store })
    const { authorization } = await kit.key(server)
    const answer = await kit.ask(server, '/v1/grants', { headers: { authorization } })
    expect(answer).toMatchObject({ status: 500, body: { error: { code: 'INTERNAL' } } })
    expect(JSON.stringify(answer.body)).not.toMatch(/hunter2|home/)
    expect(server.errors).toMatchObject([{ message: 'password=hunter2 at /home' }])
  })
})
