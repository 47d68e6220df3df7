/** Tries to get in by what is sent. */
import { expect, test } from 'vitest'
import { useBase } from '../base.js'
import * as kit from './kit.js'
import { twoOwners } from './owners.js'

const base = await useBase()
kit.endAfterEach()

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
  const { server, owner, path } = await twoOwners(base)
  const host = encodeURIComponent(`x' or '1'='1`)
  const { status, body } = await kit.ask(server, `${path}/receipts?host=${host}`, {
    headers: owner.headers,
  })
  expect([status, body.receipts]).toEqual([200, []])
})

test('error: a method that is not there', async () => {
  const { server, owner, path } = await twoOwners(base)
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
