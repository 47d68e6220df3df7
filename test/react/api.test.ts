import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createApi } from '../../src/react/Api.js'
import { OwnerError } from '../../src/react/OwnerError.js'

/** What the server answers next, and what it was asked. */
let next: { status: number; body: string } = { status: 200, body: '{}' }
const asked: IncomingMessage[] = []
const server = createServer((request, response) => {
  asked.push(request)
  response.writeHead(next.status, { 'content-type': 'application/json' }).end(next.body)
})
let url = ''
beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/mounted`
})
afterAll(() => void server.close())

const answerWith = (status: number, body: unknown) => {
  next = { status, body: typeof body === 'string' ? body : JSON.stringify(body) }
}

test('default', async () => {
  const api = createApi({ url })
  answerWith(200, { grants: [], nextCursor: null })
  expect(await api.grants()).toEqual({ grants: [], nextCursor: null })
  expect(asked.at(-1)?.url).toBe('/mounted/v1/grants')
  expect(api.eventsUrl('0x12')).toBe(`${url}/v1/grants/0x12/events`)
})

test('args: ids and filters cannot leave their place in the path', async () => {
  const api = createApi({ url })
  answerWith(200, {})
  await api.request('../auth/session?x=1#')
  expect(asked.at(-1)?.url).toBe('/mounted/v1/requests/..%2Fauth%2Fsession%3Fx%3D1%23')
  await api.receipts('0x12', { host: 'a&kind=foreign', limit: 10 })
  expect(asked.at(-1)?.url).toBe('/mounted/v1/grants/0x12/receipts?host=a%26kind%3Dforeign&limit=10')
})

test('behavior: what changes something carries the token of the session, and what reads does not', async () => {
  const api = createApi({ url })
  answerWith(200, { address: '0x12', csrfToken: 'secret', expiresAt: 1 })
  await api.session()
  await api.declineIncrease('0x12')
  expect(asked.at(-1)?.headers['x-csrf-token']).toBe('secret')
  await api.grant('0x12')
  expect(asked.at(-1)?.headers['x-csrf-token']).toBeUndefined()
  await api.signOut()
  await api.declineRequest('0x12')
  expect(asked.at(-1)?.headers['x-csrf-token']).toBeUndefined()
})

test('behavior: nobody signed in is an answer', async () => {
  answerWith(401, { error: { code: 'UNAUTHENTICATED', message: 'Sign in.' } })
  expect(await createApi({ url }).session()).toBeNull()
})

test('error: the server refuses in its own words', async () => {
  answerWith(409, {
    error: { code: 'NOT_OPEN', message: 'It was declined.', figures: { status: 'declined' } },
  })
  const error = await createApi({ url })
    .approveRequest('0x12', { signature: '0x12' })
    .catch((error: unknown) => error)
  expect(error).toBeInstanceOf(OwnerError)
  expect(error).toMatchObject({
    code: 'NOT_OPEN',
    status: 409,
    retryable: false,
    message: 'It was declined.',
  })
  answerWith(503, { error: { code: 'BUSY', message: 'Later.' } })
  await expect(createApi({ url }).config()).rejects.toMatchObject({ code: 'BUSY', retryable: true })
})

test('error: an answer that is not of this interface, and none', async () => {
  for (const [status, body] of [
    [200, '<html>'],
    [502, '<html>'],
    [404, { error: 'no' }],
    [404, {}],
  ] as const) {
    answerWith(status, body)
    await expect(createApi({ url }).config()).rejects.toMatchObject({ code: 'SERVER_ANSWER', status })
  }
  const gone = createApi({ url: 'http://127.0.0.1:1' })
  await expect(gone.config()).rejects.toMatchObject({ code: 'SERVER_UNREACHABLE', retryable: true })
})
