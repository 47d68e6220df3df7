import { createServer } from 'node:http'
import { inspect } from 'node:util'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { HardcapError, InputError } from '../../src/index.js'
import { type PostgresConnection, type PostgresOptions, postgres } from '../../src/postgres/index.js'
import type { Store } from '../../src/Store.js'
import { databaseUrl, postgresBooks, query } from '../database.js'
import { grantRow, signal } from './rows.js'

const ends: (() => Promise<void> | void)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})

/** What a call to the books there comes to, which has to be an error. */
async function failure(connection: string | PostgresConnection, options?: PostgresOptions) {
  const store = postgres(connection, options)
  ends.push(store.close)
  return { error: await thrown(store), store }
}

async function thrown(store: Store): Promise<HardcapError> {
  const error = await store
    .transact(grantRow(1).grantId, async () => 'an answer')
    .catch((error: unknown) => error)
  if (error instanceof HardcapError) return error
  throw new Error('Not a HardcapError.', { cause: error })
}

async function url(change: Partial<Pick<URL, 'password' | 'pathname' | 'port'>>): Promise<string> {
  return Object.assign(new URL(await databaseUrl()), change).href
}

/** A port of the loopback where nothing listens any more. */
async function deadPort(): Promise<string> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  return typeof address === 'object' && address !== null ? String(address.port) : ''
}

describe('STORE_UNREADABLE', () => {
  test('error: where nothing listens, which may pass', async () => {
    const { error } = await failure(await url({ port: await deadPort() }))
    expect(error).toMatchObject({
      code: 'STORE_UNREADABLE',
      retryable: true,
      figures: { code: 'ECONNREFUSED' },
    })
  })

  test('error: where there is no such database, which stays', async () => {
    const { error } = await failure(await url({ pathname: '/nowhere' }))
    expect(error).toMatchObject({ code: 'STORE_UNREADABLE', retryable: false, figures: { code: '3D000' } })
  })

  test('error: where a listener is no PostgreSQL', async () => {
    const server = createServer().on('clientError', (_, socket) => socket.destroy())
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    ends.push(() => void server.close())
    const { port } = server.address() as { port: number }
    const { error } = await failure(await url({ port: String(port) }))
    expect(error).toMatchObject({ code: 'STORE_UNREADABLE' })
  })

  test('behavior: the store goes on when the server is there', async () => {
    const books = postgresBooks()
    ends.push(books.end)
    let password = 'not yet the right one'
    const { hostname, port, username, password: right } = new URL(await databaseUrl())
    const { error, store } = await failure(
      { host: hostname, port: Number(port), user: username, database: 'postgres', password: () => password },
      { schema: books.schema },
    )
    expect(error).toMatchObject({ code: 'STORE_UNREADABLE', figures: { code: '28P01' } })
    password = right
    expect(await store.transact(grantRow(1).grantId, async () => 'an answer')).toBe('an answer')
    await store.close()
    await query(`drop schema ${books.schema} cascade`)
  })
})

describe('secrets', () => {
  const secret = 'pa55-w0rd'
  const printed: string[] = []
  beforeEach(() => {
    printed.length = 0
    for (const stream of [process.stdout, process.stderr]) {
      const spy = vi.spyOn(stream, 'write').mockImplementation((chunk) => {
        printed.push(String(chunk))
        return true
      })
      ends.push(() => spy.mockRestore())
    }
  })

  /** Everything of an error and its store that a log could show. */
  function shown(error: HardcapError, store: Store): string {
    const deep = { depth: 20, showHidden: true } as const
    return [inspect(error, deep), inspect(store, deep), error.stack, JSON.stringify(error), ...printed].join()
  }

  const connections: Record<string, () => Promise<string | PostgresConnection>> = {
    'a wrong password': () => url({ password: secret }),
    'a wrong password, in parts': async () => {
      const { hostname, port, username } = new URL(await databaseUrl())
      return { host: hostname, port: Number(port), user: username, password: secret }
    },
    'a server that is away': async () => url({ password: secret, port: await deadPort() }),
    'a database that is not there': async () => url({ password: secret, pathname: `/${secret}` }),
    // Slips: what is behind the unescaped character is read as something else.
    'a password with a slash': async () => (await url({})).replace(/:[^:@]+@/, `:1/${secret}@`),
    'a password with a hash': async () => (await url({})).replace(/:[^:@]+@/, `:1#${secret}@`),
    'a password with an at sign': async () => (await url({})).replace(/:[^:@]+@/, `:1@${secret}.invalid@`),
    'a port that is none': async () => `postgres://user:${secret}/x@127.0.0.1/books`,
    'a password function that fails': async () => ({
      host: new URL(await databaseUrl()).hostname,
      port: Number(new URL(await databaseUrl()).port),
      user: new URL(await databaseUrl()).username,
      password: () => Promise.reject(new Error(`The vault says ${secret}.`)),
    }),
  }

  for (const [name, connection] of Object.entries(connections)) {
    test(`behavior: no error shows them: ${name}`, async () => {
      const { error, store } = await failure(await connection())
      expect(error.code).toBe('STORE_UNREADABLE')
      const text = shown(error, store)
      expect(text).not.toContain(secret)
      expect(text).not.toContain('postgres://')
    })
  }

  test('behavior: nor does what fails inside a transaction', async () => {
    const right = new URL(await databaseUrl()).password
    const books = postgresBooks()
    ends.push(books.end)
    const store = books.open()
    const broken = await store
      .transact(grantRow(1).grantId, (tx) => tx.put('grants', { ...grantRow(1), paused: 2 } as never))
      .catch((error: unknown) => error as HardcapError)
    expect(inspect(broken)).toContain('check constraint')
    expect(shown(broken as HardcapError, store)).not.toContain(right)
  })
})

test('error: STORE_CLOSED after close, which may be called twice and lets end what was asked for', async () => {
  const books = postgresBooks()
  ends.push(books.end)
  const store = books.open()
  const { grantId } = grantRow(1)
  const [began, go] = [signal(), signal()]
  const last = store.transact(grantId, async (tx) => {
    began.happen()
    await go.happened
    await tx.put('grants', grantRow(1))
  })
  await began.happened
  const queued = store.transact(grantId, (tx) => tx.get('grants', { grantId }))
  const closing = [store.close(), store.close()]
  await expect(store.transact(grantId, async () => {})).rejects.toMatchObject({ code: 'STORE_CLOSED' })
  go.happen()
  await Promise.all([last, ...closing])
  expect(await queued).toEqual(grantRow(1))
  expect(await books.open().transact(grantId, (tx) => tx.get('grants', { grantId }))).toEqual(grantRow(1))
})

test('error: a schema or a figure that cannot be', () => {
  for (const schema of ['', 'Books', 'pg_books', 'books"; drop schema public; --', 'a'.repeat(64), 7]) {
    expect(() => postgres('', { schema: schema as string })).toThrow(InputError)
  }
  for (const figure of ['poolSize', 'busyTimeoutMs', 'silenceTimeoutMs']) {
    for (const value of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, '5']) {
      expect(() => postgres('', { [figure]: value })).toThrow(InputError)
    }
  }
})
