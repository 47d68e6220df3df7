import { expect, test } from 'vitest'
import { Guard } from '../../src/index.js'
import { Key } from '../../src/server/index.js'
import { useBase } from '../base.js'
import * as kit from './kit.js'

const base = await useBase()
kit.endAfterEach()

type Event = { readonly event: string; readonly id?: string; readonly data: Record<string, unknown> }

/** A stream as a browser reads it. `until` reads on to the event that it is asked for; `rest` to the end. */
async function watch(server: kit.Running, path: string, headers: Record<string, string>) {
  const ending = new AbortController()
  kit.later(() => ending.abort())
  const response = await fetch(`${server.origin}${path}/events`, { headers, signal: ending.signal })
  const body = response.body
  if (!body) throw new Error('There is no stream.')
  const reader = body.pipeThrough(new TextDecoderStream()).getReader()
  let text = ''
  async function* read(): AsyncGenerator<Event> {
    for (;;) {
      const end = text.indexOf('\n\n')
      if (end < 0) {
        const { done, value } = await reader.read()
        if (done) return
        text += value
        continue
      }
      const lines = text.slice(0, end).split('\n')
      text = text.slice(end + 2)
      const field = (name: string) =>
        lines.find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2)
      const [event, id, data] = [field('event'), field('id'), field('data')]
      if (event && data) yield { event, ...(id === undefined ? {} : { id }), data: JSON.parse(data) }
    }
  }
  const events = read()
  return {
    response,
    async until(isIt: (event: Event) => boolean): Promise<Event> {
      for (;;) {
        const { done, value } = await events.next()
        if (done) throw new Error('The stream ended before.')
        if (isIt(value)) return value
      }
    },
    async ended(): Promise<void> {
      for await (const _ of events);
    },
    cancel: () => ending.abort(),
  }
}

async function running(options: Parameters<typeof kit.start>[1] = {}) {
  const server = await kit.start(base, options)
  const account = await kit.grant(base, server)
  const owner = await kit.signIn(server, account.wallet)
  return { server, account, owner, path: `/v1/grants/${account.grant.grantId}` }
}
const settled = ({ event, data }: Event) => event === 'receipt' && data.event === 'settled'

test('default', async () => {
  const { server, account, owner, path } = await running()
  const stream = await watch(server, path, owner.headers)
  expect(stream.response.headers.get('content-type')).toBe('text/event-stream')
  const first = await stream.until(({ event }) => event === 'status')
  expect(first.data).toMatchObject({ status: 'active', chain: { status: 'active' } })
  await account.budget.spend(kit.order(account)('a', '2'))
  const receipt = await stream.until(settled)
  expect(receipt).toMatchObject({ id: '1', data: { key: 'a', amount: '2000000', seq: 1 } })
  const meters = await stream.until(({ event }) => event === 'meters')
  expect(meters.data.meters).toContainEqual(expect.objectContaining({ cap: 'perDay', spent: '2000000' }))
  await account.wallet.execute([Guard.preparePause(Guard.key(account.permission))])
  await account.budget.sync()
  await stream.until(({ event, data }) => event === 'status' && data.pausedBy === 'account')
  expect(server.errors).toEqual([])
})

test('behavior: whoever comes back goes on where he was', async () => {
  const { server, account, owner, path } = await running()
  const { budget } = account
  for (const key of ['a', 'b', 'c']) await budget.spend(kit.order(account)(key))
  const all = (await budget.receipts()).map(({ hash }) => hash)
  const stream = await watch(server, path, { ...owner.headers, 'last-event-id': '1' })
  const seen: unknown[] = []
  await stream.until(({ event, id, data }) => {
    if (event === 'receipt') seen.push(data.hash)
    return event === 'receipt' && id === String(all.length - 1)
  })
  expect(seen).toEqual(all.slice(2))
})

test.each(['-1', 'a', '1e3', '9'.repeat(15)])(
  'args: a Last-Event-ID of %s begins at the head',
  async (id) => {
    const { server, account, owner, path } = await running()
    await account.budget.spend(kit.order(account)('a'))
    const stream = await watch(server, path, { ...owner.headers, 'last-event-id': id })
    await stream.until(({ event }) => event === 'status')
    await account.budget.spend(kit.order(account)('b'))
    const next = await stream.until(({ event }) => event === 'receipt')
    expect(next.data).toMatchObject({ key: 'b', event: 'reserved' })
  },
)

test('behavior: one who signs out hears nothing more', async () => {
  const { server, account, owner, path } = await running()
  const stream = await watch(server, path, owner.headers)
  await stream.until(({ event }) => event === 'status')
  await kit.ask(server, '/v1/auth/logout', { method: 'POST', headers: owner.headers })
  await account.budget.spend(kit.order(account)('a'))
  await expect(stream.until(({ event }) => event === 'receipt')).rejects.toThrow('The stream ended before.')
})

test('behavior: a key that is revoked hears nothing more, also where nothing happens', async () => {
  const { server, path } = await running({ limits: { pollMs: 5, heartbeatMs: 10 } })
  const key = await kit.key(server)
  const stream = await watch(server, path, { authorization: key.authorization })
  await stream.until(({ event }) => event === 'status')
  await Key.revoke(server.records, key.id, 1)
  await stream.ended()
})

test('behavior: a stream that is given up makes room', async () => {
  const { server, owner, path } = await running({ limits: { pollMs: 5, heartbeatMs: 10, streams: 1 } })
  const first = await watch(server, path, owner.headers)
  const refused = await kit.ask(server, `${path}/events`, { headers: owner.headers })
  expect(refused).toMatchObject({ status: 429, body: { error: { code: 'TOO_MANY_STREAMS' } } })
  first.cancel()
  const measured = async () => (await kit.ask(server, '/metrics')).body
  while (!(await measured()).includes('hardcap_event_streams 0'));
  const next = await watch(server, path, owner.headers)
  await next.until(({ event }) => event === 'status')
})

test('behavior: a server that closes ends its streams', async () => {
  const { server, owner, path } = await running()
  const stream = await watch(server, path, owner.headers)
  await stream.until(({ event }) => event === 'status')
  await server.server.close()
  await stream.ended()
  expect((await kit.ask(server, `${path}/events`, { headers: owner.headers })).status).toBe(503)
})

test('behavior: a HEAD opens no stream, and a stream uses up no limit of its key', async () => {
  const { server, account, path } = await running({
    limits: { pollMs: 5, heartbeatMs: 10, perKey: 3, streams: 1 },
  })
  const { authorization } = await kit.key(server)
  const head = await kit.ask(server, `${path}/events`, { method: 'HEAD', headers: { authorization } })
  expect(head.status).toBe(200)
  const stream = await watch(server, path, { authorization })
  for (const key of ['a', 'b', 'c', 'd']) {
    await account.budget.spend(kit.order(account)(key))
    await stream.until((event) => settled(event) && event.data.key === key)
  }
})
