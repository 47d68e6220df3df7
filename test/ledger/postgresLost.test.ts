import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { type PostgresServer, startPostgres } from '../../script/postgres.js'
import * as Ledger from '../../src/Ledger.js'
import { type PostgresOptions, postgres } from '../../src/postgres/index.js'
import type { Store } from '../../src/Store.js'
import { query } from '../database.js'
import { type Fault, type FaultyProxy, startProxy } from './proxy.js'
import { grantRow, signal } from './rows.js'
import { payee, scene } from './scene.js'

// A server of this file's own, which may be stopped.
let server: PostgresServer
let proxy: FaultyProxy
beforeAll(async () => {
  server = await startPostgres()
  proxy = await startProxy(server.url)
})
afterAll(async () => {
  await proxy?.stop()
  await server?.stop()
})

const ends: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
  await query('drop schema if exists hardcap cascade', [], server.url)
})

function open(url: string, options: PostgresOptions = {}): Store {
  const store = postgres(url, options)
  ends.push(store.close)
  return store
}

const grant = grantRow(1)
const { grantId } = grant

async function begin(store: Store) {
  await store.transact(grantId, async (tx) => {
    await tx.put('grants', grant)
    await tx.put('meters', { grantId, name: 'n', amount: 1n })
  })
}

const read = async (store: Store) =>
  (await store.transact(grantId, (tx) => tx.get('meters', { grantId, name: 'n' })))?.amount

/** Writes 2, says so, and waits to be told to go on. */
function interrupted(store: Store) {
  const [wrote, go] = [signal(), signal()]
  const result = store.transact(grantId, async (tx) => {
    await tx.put('meters', { grantId, name: 'n', amount: 2n })
    wrote.happen()
    await go.happened
    await tx.put('meters', { grantId, name: 'n', amount: 3n })
  })
  result.catch(() => {})
  return { wrote: wrote.happened, go: go.happen, result }
}

describe('inside a transaction', () => {
  test('error: STORE_LOST where the server is restarted, and the store goes on with what was committed', async () => {
    const store = open(server.url)
    await begin(store)
    const { wrote, go, result } = interrupted(store)
    await wrote
    await server.restart()
    go()
    await expect(result).rejects.toMatchObject({ code: 'STORE_LOST', retryable: true })
    expect(await read(store)).toBe(1n)
  })

  test('error: STORE_LOST where the session is ended while nothing is asked, and others have their turn', async () => {
    const [here, there] = [open(`${server.url}?application_name=here`), open(server.url)]
    await begin(here)
    const { wrote, go, result } = interrupted(here)
    await wrote
    const next = read(there)
    await query(
      `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'here'`,
      [],
      server.url,
    )
    expect(await next).toBe(1n)
    go()
    await expect(result).rejects.toMatchObject({ code: 'STORE_LOST', retryable: true })
  })

  test('error: STORE_LOST for a host that froze longer than silenceTimeoutMs, which holds up nobody after it', async () => {
    const [frozen, other] = [open(server.url, { silenceTimeoutMs: 1_500 }), open(server.url)]
    await begin(other)
    const { wrote, go, result } = interrupted(frozen)
    await wrote
    expect(await read(other)).toBe(1n)
    go()
    await expect(result).rejects.toMatchObject({ code: 'STORE_LOST' })
    expect(await read(other)).toBe(1n)
  })

  test('behavior: a host killed with SIGKILL leaves what it committed, and no lock', async () => {
    const child = spawn(process.execPath, ['--import', 'tsx', 'test/ledger/killed.ts'], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, HARDCAP_BOOKS: server.url },
    })
    // The child says a word once it has committed 20 steps and is inside the 21st.
    await once(child.stdout, 'data')
    child.kill('SIGKILL')
    await once(child, 'exit')
    const store = open(server.url)
    const killed = `0x${'11'.repeat(32)}` as const
    const meter = await store.transact(killed, (tx) => tx.get('meters', { grantId: killed, name: 'n' }))
    expect(meter?.amount).toBe(20n)
  })

  test('behavior: sessions that the server ends between transactions are replaced, and do not end the process', async () => {
    const store = open(server.url)
    await begin(store)
    const sessions = `from pg_stat_activity where application_name = 'hardcap'`
    await query(`select pg_terminate_backend(pid) ${sessions}`, [], server.url)
    while ((await query(`select ${sessions}`, [], server.url)).length > 0);
    // What the server said at their end came before this answer.
    await query('select', [], server.url)
    expect(await read(store)).toBe(1n)
  })
})

describe('at the commit', () => {
  const written: Record<Exclude<Fault, 'none'>, boolean> = { before: false, after: true, silent: true }

  for (const [fault, isWritten] of Object.entries(written) as [Fault, boolean][]) {
    test(`error: STORE_UNKNOWN where the line breaks (${fault}), and the same key pays once`, async () => {
      const direct = open(server.url)
      const store = open(proxy.url, { busyTimeoutMs: 500, silenceTimeoutMs: 1_000 })
      const it = await scene(direct)
      const { grantId } = it.grant
      // The connection is made and the books are migrated.
      await store.transact(grantId, async () => {})
      const reserve = () => Ledger.reserve(store, grantId, { key: 'a', to: payee, amount: 1_000_000n })
      proxy.fault = fault
      await expect(reserve()).rejects.toMatchObject({
        code: 'STORE_UNKNOWN',
        retryable: true,
        message: expect.stringContaining('idempotency key'),
      })
      const payments = () => direct.transact(grantId, (tx) => tx.list('payments', { grantId }))
      expect(await payments()).toHaveLength(isWritten ? 1 : 0)
      expect(await reserve()).toMatchObject({
        outcome: isWritten ? 'known' : 'reserved',
      })
      expect(await payments()).toHaveLength(1)
      // Sound as well: meters, receipts and payments agree.
      await it.books()
    })
  }
})
