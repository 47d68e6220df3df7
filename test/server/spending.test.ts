/** An answer that takes many looks at the books: asked for once, and not longer than somebody waits for it. */
import { expect, test } from 'vitest'
import { memory, type Store } from '../../src/index.js'
import { shared } from '../../src/server/Shared.js'
import { useBase } from '../base.js'
import * as kit from './kit.js'

const base = await useBase()
kit.endAfterEach()

/** Books in which every page of events, once read, waits for `open`. */
function gated() {
  const books = memory()
  let pages = 0
  let open = () => {}
  let told = () => {}
  const opened = new Promise<void>((resolve) => (open = resolve))
  const reached = new Promise<void>((resolve) => (told = resolve))
  const store: Store = {
    ...books,
    async transact(lock, work) {
      let isPage = false
      const result = await books.transact(lock, (tx) =>
        work({
          ...tx,
          list: (table, where, options) => {
            isPage ||= table === 'events' && options?.limit === 500
            return tx.list(table, where, options)
          },
        }),
      )
      if (!isPage) return result
      pages += 1
      told()
      await opened
      return result
    },
  }
  return { store, open, reached, pages: () => pages }
}

/** A server whose books have so many further facts, each of one base unit. */
async function running(count: number, options: Parameters<typeof kit.start>[1] = {}) {
  const gate = gated()
  const server = await kit.start(base, { ...options, store: gate.store })
  const account = await kit.grant(base, server)
  await account.budget.spend(kit.order(account)('a', '1'))
  const { grantId } = account.grant
  const put = (from: number, to: number) =>
    server.store.transact(grantId, async (tx) => {
      const [first] = await tx.list('events', { grantId, kind: 'payment' })
      if (!first) throw new Error('There is no payment.')
      for (let n = from; n < to; n++)
        await tx.put('events', {
          ...first,
          blockNumber: first.blockNumber + n,
          amount: 1n,
          key: null,
          number: null,
        })
    })
  await put(1, count + 1)
  const { authorization } = await kit.key(server)
  const path = `/v1/grants/${grantId}/spending`
  return {
    ...gate,
    server,
    put,
    path,
    authorization,
    ask: () => kit.ask(server, path, { headers: { authorization } }),
  }
}

test('default', async () => {
  const { open, reached, ask, put, pages } = await running(1_200)
  const asked = ask()
  await reached
  // What comes meanwhile is of the next answer, and counts nothing twice.
  await put(1_201, 1_301)
  open()
  expect((await asked).body.days).toMatchObject([{ total: '1001200' }])
  expect(pages()).toBe(3)
  expect((await ask()).body.days).toMatchObject([{ total: '1001300' }])
})

test('behavior: who asks the same at the same time waits for one answer', async () => {
  const ask = shared<string>()
  const { signal } = new AbortController()
  let works = 0
  let finish = (_: string) => {}
  const work = () => {
    works += 1
    return new Promise<string>((resolve) => (finish = resolve))
  }
  const both = [ask('a', signal, work), ask('a', signal, work)]
  finish('one')
  expect(await Promise.all(both)).toEqual(['one', 'one'])
  expect(works).toBe(1)
  // What was answered is over: who comes now has it asked anew.
  const later = ask('a', signal, work)
  finish('two')
  expect(await later).toBe('two')
  const failing = ask('b', signal, () => Promise.reject(new Error('no')))
  await expect(failing).rejects.toThrow('no')
  expect(await ask('b', signal, async () => 'again')).toBe('again')
})

test('behavior: the work goes on while one of them waits, and ends with the last', async () => {
  const ask = shared<string>()
  const [one, two] = [new AbortController(), new AbortController()]
  const signals: AbortSignal[] = []
  const work = (signal: AbortSignal) => {
    signals.push(signal)
    return new Promise<string>(() => {})
  }
  const first = ask('a', one.signal, work)
  const second = ask('a', two.signal, work)
  one.abort()
  await expect(first).rejects.toMatchObject({ status: 504, code: 'TIMEOUT' })
  expect(signals.map(({ aborted }) => aborted)).toEqual([false])
  two.abort()
  await expect(second).rejects.toMatchObject({ status: 504 })
  expect(signals.map(({ aborted }) => aborted)).toEqual([true])
  // Nobody is given what was given up.
  const third = new AbortController()
  const anew = ask('a', third.signal, work)
  expect(signals.map(({ aborted }) => aborted)).toEqual([true, false])
  third.abort()
  await expect(anew).rejects.toMatchObject({ status: 504 })
  await expect(ask('a', third.signal, work)).rejects.toMatchObject({ status: 504 })
  expect(signals).toHaveLength(2)
})

test('error: nothing more is read after the answer was given up', async () => {
  const { open, reached, ask, pages, server } = await running(1_200, { limits: { timeoutMs: 500 } })
  const asked = ask()
  await reached
  expect(await asked).toMatchObject({ status: 504, body: { error: { code: 'TIMEOUT' } } })
  open()
  // The books are asked in order, so what would have gone on would have been before this.
  for (let n = 0; n < 5; n++) await server.store.transact('0x', (tx) => tx.list('grants', {}))
  expect(pages()).toBe(1)
  expect(server.errors).toEqual([])
})

test('error: nor after whoever asked has gone', async () => {
  const { open, reached, path, authorization, pages, server } = await running(1_200)
  const going = new AbortController()
  const request = new Request(`${server.origin}${path}`, { headers: { authorization }, signal: going.signal })
  const asked = server.server.fetch(request)
  await reached
  going.abort()
  expect((await asked).status).toBe(504)
  open()
  for (let n = 0; n < 5; n++) await server.store.transact('0x', (tx) => tx.list('grants', {}))
  expect(pages()).toBe(1)
  expect(server.errors).toEqual([])
})
