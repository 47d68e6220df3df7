import { Hono } from 'hono'
import { describe, expect, test } from 'vitest'
import { InputError, memory } from '../../src/index.js'
import { createServer, memoryRecords, type ServerOptions } from '../../src/server/index.js'
import { useBase } from '../base.js'
import * as kit from './kit.js'

const base = await useBase()
kit.endAfterEach()

test('default', async () => {
  const server = await kit.start(base, { explorerUrl: 'https://basescan.org', development: true })
  const { body } = await kit.ask(server, '/v1/config')
  expect(body).toMatchObject({
    chainId: 8453,
    token: { address: '0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913', symbol: 'USDC', decimals: 6 },
    explorerUrl: 'https://basescan.org',
    development: true,
  })
  // The endpoint that the server uses may have a secret in it: browsers are told of one only where it is given.
  expect(body).not.toHaveProperty('rpcUrl')
  expect(await kit.ask(server, '/healthz')).toMatchObject({ status: 200, body: { ok: true } })
  expect(await kit.ask(server, '/readyz')).toMatchObject({
    status: 200,
    body: { ok: true, checks: { books: true, records: true, chain: true } },
  })
})

test('behavior: not ready without the books, the records or the chain', async () => {
  const broken = { transact: () => Promise.reject(new Error('gone')), close: async () => {} }
  const { endpoint } = await import('../budget/kit.js')
  const silent = endpoint(base)
  silent.answer = async () => {
    throw new Error('gone')
  }
  const cases: [Parameters<typeof kit.start>[1], object][] = [
    [{ store: broken }, { books: false, records: true, chain: true }],
    [{ records: broken }, { books: true, records: false, chain: true }],
    [{ client: { ...silent.client, chain: base.chain } }, { books: true, records: true, chain: false }],
  ]
  for (const [options, checks] of cases) {
    const server = await kit.start(base, options)
    expect(await kit.ask(server, '/readyz')).toMatchObject({ status: 503, body: { ok: false, checks } })
    expect((await kit.ask(server, '/healthz')).status).toBe(200)
  }
})

test('behavior: one OpenAPI document, of every route that there is', async () => {
  const server = await kit.start(base)
  const { body } = await kit.ask(server, '/openapi.json')
  expect(body.openapi).toBe('3.1.0')
  const routes = Object.entries<object>(body.paths).flatMap(([path, verbs]) =>
    Object.keys(verbs).map((verb) => `${verb} ${path}`),
  )
  expect(routes.sort()).toEqual(
    [
      'get /healthz',
      'get /readyz',
      'get /v1/auth/session',
      'get /v1/config',
      'get /v1/grants',
      'get /v1/grants/{grantId}',
      'get /v1/grants/{grantId}/events',
      'get /v1/grants/{grantId}/increases',
      'get /v1/grants/{grantId}/receipts',
      'get /v1/grants/{grantId}/spending',
      'get /v1/requests/{id}',
      'post /v1/auth/logout',
      'post /v1/auth/nonce',
      'post /v1/auth/verify',
      'post /v1/grants/{grantId}/calls',
      'post /v1/grants/{grantId}/increases',
      'post /v1/increases/{id}/approval',
      'post /v1/increases/{id}/decline',
      'post /v1/requests',
      'post /v1/requests/{id}/approval',
      'post /v1/requests/{id}/decline',
    ].sort(),
  )
  expect(body.components.schemas.Terms.additionalProperties).toBe(false)
  const { parameters } = body.paths['/v1/grants'].get
  expect(parameters.map(({ name }: { name: string }) => name)).toEqual(['cursor', 'limit'])
  expect(body.components.schemas.Grants.required).toEqual(['grants', 'nextCursor'])
  expect(Object.keys(body.components.securitySchemes)).toEqual(['key', 'session', 'csrf'])
})

describe('metrics', () => {
  test('default', async () => {
    const server = await kit.start(base)
    await kit.grant(base, server)
    await kit.ask(server, `/v1/grants/0x${'ab'.repeat(32)}`)
    await kit.ask(server, '/nothing/0x1234')
    const { body } = await kit.ask(server, '/metrics')
    expect(body).toContain('hardcap_grants{state="approved"} 1')
    expect(body).toContain('hardcap_http_refusals_total{code="UNAUTHORIZED"} 1')
    expect(body).toContain('route="/v1/grants/:grantId",status="401"} 1')
    // What callers write makes no new series.
    expect(body).not.toMatch(/abab|1234/)
  })

  test('error: through a proxy, or by a name that was made to point here', async () => {
    const server = await kit.start(base)
    for (const name of ['forwarded', 'x-forwarded-for', 'x-real-ip', 'via'])
      expect((await kit.ask(server, '/metrics', { headers: { [name]: '127.0.0.1' } })).status).toBe(401)
    const { port } = new URL(server.origin)
    const { request } = await import('node:http')
    const status = await new Promise((resolve, reject) => {
      const options = {
        port,
        host: '127.0.0.1',
        path: '/metrics',
        headers: { host: `rebound.example:${port}` },
      }
      request(options, (response) => resolve(response.resume().statusCode))
        .on('error', reject)
        .end()
    })
    expect(status).toBe(401)
  })

  test('error: behind a proxy that says nothing of itself', async () => {
    const options = { store: memory(), records: memoryRecords(), client: base.client }
    const server = createServer({ ...options, origin: 'https://agents.example.com' })
    kit.later(server.close)
    // As many proxies ask: from this machine, by its address, without a header of their own.
    const env = { incoming: { socket: { remoteAddress: '127.0.0.1' } } }
    const ask = async (headers = {}) =>
      (await server.fetch(new Request('http://127.0.0.1:8787/metrics', { headers }), env)).status
    expect(await ask()).toBe(401)
    expect(await ask({ host: 'agents.example.com' })).toBe(401)
    const behind = await kit.start(base, { trustedProxies: 1 })
    expect((await kit.ask(behind, '/metrics')).status).toBe(401)
  })

  test('args: a token is asked for where there is one', async () => {
    const server = await kit.start(base, { metricsToken: 'a-long-token' })
    const ask = async (headers = {}) => (await kit.ask(server, '/metrics', { headers })).status
    expect(await ask()).toBe(401)
    expect(await ask({ authorization: 'Bearer another' })).toBe(401)
    expect(await ask({ authorization: 'Bearer a-long-token' })).toBe(200)
  })
})

test('behavior: mounted in another application, below a path', async () => {
  const running = await kit.start(base)
  const app = new Hono().mount('/agents', running.server.fetch)
  const answer = await app.request('/agents/v1/config')
  expect(answer.status).toBe(200)
})

test('behavior: mounted in Express', async () => {
  const { default: express } = await import('express')
  const { getRequestListener } = await import('@hono/node-server')
  const running = await kit.start(base)
  const app = express()
  const listener = getRequestListener(running.server.fetch)
  app.use((request, response) => void listener(request, response))
  const http = await new Promise<ReturnType<typeof app.listen>>((resolve) => {
    const server = app.listen(0, '127.0.0.1', () => resolve(server))
  })
  kit.later(() => new Promise<void>((resolve) => void http.close(() => resolve())))
  const address = http.address()
  if (typeof address !== 'object' || address === null) throw new Error('It does not listen.')
  const origin = `http://127.0.0.1:${address.port}`
  const { authorization } = await kit.key(running)
  const grant = kit.terms(kit.freshAddress(), kit.freshAddress(), kit.freshAddress())
  const answer = await kit.ask({ origin }, '/v1/requests', { body: { grant }, headers: { authorization } })
  expect(answer.status).toBe(201)
})

test.each([
  'http://agents.example.com',
  'https://agents.example.com/path',
  'https://user@agents.example.com',
  'ftp://127.0.0.1',
  'agents.example.com',
  '',
])('error: an origin of %s', async (origin) => {
  const options = { store: memory(), records: memoryRecords(), client: base.client, origin }
  expect(() => createServer(options as unknown as ServerOptions)).toThrow(InputError)
})

test('error: limits that are none', async () => {
  const origin = 'https://agents.example.com'
  const options = { store: memory(), records: memoryRecords(), client: base.client, origin }
  for (const limits of [{ perKey: 0 }, { perKey: 1.5 }, { perKey: Number.NaN }, { perkey: 1 }])
    expect(() => createServer({ ...options, limits } as unknown as ServerOptions)).toThrow(InputError)
})
