// A process of the measurement of reserves. Its job, and then each turn, comes on stdin, because the store's URL may
// hold a password; it answers each with a line.
import { createInterface } from 'node:readline'
import Libsql from 'libsql'
import pg from 'pg'
import { type Address, keccak256 } from 'viem'
import * as Book from '../../src/Book.js'
import { Grant, Permission, type Store, Time } from '../../src/index.js'
import * as Ledger from '../../src/Ledger.js'
import { postgres } from '../../src/postgres/index.js'
import { sqlite } from '../../src/sqlite/index.js'

export type Job = {
  /** `sqlite:<path>`, or a connection string of PostgreSQL. */
  readonly store: string
  /** Milliseconds of a turn. */
  readonly ms: number
}

/** Grants that reserve at once, and connections that bare transactions use. */
const width = 8

const payee: Address = '0x00000000000000000000000000000000000000aa'

/** A grant with every cap, in the books and approved. Returns what reserves once. */
async function reserving(store: Store): Promise<() => Promise<void>> {
  const time = Math.floor(Date.now() / 1000)
  const random = () => `0x${crypto.getRandomValues(Buffer.alloc(20)).toString('hex')}` as const
  const grant = Grant.define({
    owner: random(),
    agent: random(),
    allow: [{ host: 'api.example.com', payTo: payee }],
    perCallUsd: '1',
    perTaskUsd: '1000000',
    perDayUsd: '1000000',
    totalUsd: '1000000',
    perWindowUsd: '1000000',
    window: 3_600,
    expiresAt: (time + Time.day) * 1000,
  })
  const { grantId } = grant
  const start = { number: 1, hash: keccak256('0x01'), time }
  await Book.open(store, { grant, permission: Permission.fromGrant(grant), start: async () => start })
  await store.transact(grantId, async (tx) => {
    await tx.put('grants', { ...(await Book.get(tx, grantId)), approved: 1 })
  })
  let count = 0
  return async () => {
    const order = { key: `key-${count++}`, to: payee, amount: 1n, task: 'bench' }
    const { outcome } = await Ledger.reserve(store, grantId, order)
    if (outcome !== 'reserved') throw new Error(`A reservation was ${outcome}.`)
  }
}

/** What commits one row durably, once for each connection. */
async function bare(url: string): Promise<(() => Promise<void>)[]> {
  const create = 'create table if not exists bare (id text primary key, amount text not null)'
  if (url.startsWith('sqlite:')) {
    const database = new Libsql(url.slice('sqlite:'.length))
    // Waits inside of SQLite: a writer of its own would be no faster than that.
    for (const setting of ['busy_timeout = 30000', 'journal_mode = wal', 'synchronous = full'])
      database.exec(`pragma ${setting}`)
    database.exec(create)
    const insert = database.prepare('insert into bare values (?, ?)')
    return Array.from({ length: width }, () => async () => {
      database.exec('begin immediate')
      insert.run([crypto.randomUUID(), '1'])
      database.exec('commit')
    })
  }
  const clients = await Promise.all(
    Array.from({ length: width }, async () => {
      const client = new pg.Client({ connectionString: url })
      await client.connect()
      await client.query('set synchronous_commit = on')
      return client
    }),
  )
  // Two processes that create it at once would stand in each other's way.
  await clients[0]?.query(`select pg_advisory_lock(1)`)
  await clients[0]?.query(create)
  await clients[0]?.query(`select pg_advisory_unlock(1)`)
  return clients.map((client) => async () => {
    await client.query('begin')
    await client.query('insert into bare values ($1, $2)', [crypto.randomUUID(), '1'])
    await client.query('commit')
  })
}

/** How often they ran in a second, each one time after the other, all at once. */
async function rateOf(works: readonly (() => Promise<void>)[], ms: number): Promise<number> {
  const start = performance.now()
  let count = 0
  const lines = works.map(async (work) => {
    while (performance.now() - start < ms) {
      await work()
      count += 1
    }
  })
  await Promise.all(lines)
  return (count * 1000) / (performance.now() - start)
}

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]()
const { store: url, ms } = JSON.parse(String((await lines.next()).value)) as Job
const store = url.startsWith('sqlite:') ? sqlite(url.slice('sqlite:'.length)) : postgres(url)
const works = {
  bare: await bare(url),
  reserve: await Promise.all(Array.from({ length: width }, () => reserving(store))),
}
process.stdout.write('ready\n')
for (;;) {
  const { value, done } = await lines.next()
  if (done) break
  process.stdout.write(`${await rateOf(works[value as keyof typeof works], ms)}\n`)
}
