import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Libsql from 'libsql'
import { afterEach, describe, expect, test } from 'vitest'
import { postgres, postgresRecords } from '../../src/postgres/index.js'
import { Key, memoryRecords, type Records } from '../../src/server/index.js'
import { limiter, subscriber } from '../../src/server/Limiter.js'
import { sqlite, sqliteRecords } from '../../src/sqlite/index.js'
import { databaseUrl, query } from '../database.js'

const ends: (() => Promise<void> | void)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})

/** Each beside books in the same place, if it has a place. */
const kinds: [string, () => Promise<{ open: () => Records; books?: () => Promise<unknown> }>][] = [
  [
    'memory',
    async () => {
      const records = memoryRecords()
      return { open: () => records }
    },
  ],
  [
    'sqlite',
    async () => {
      const folder = mkdtempSync(join(tmpdir(), 'hardcap-records-'))
      ends.push(() => rmSync(folder, { recursive: true, force: true }))
      const path = join(folder, 'books.db')
      return { open: () => closed(sqliteRecords(path)), books: () => look(closed(sqlite(path))) }
    },
  ],
  [
    'postgres',
    async () => {
      const schema = `records_${randomBytes(8).toString('hex')}`
      const url = await databaseUrl()
      ends.push(async () => void (await query(`drop schema if exists ${schema} cascade`)))
      return {
        open: () => closed(postgresRecords(url, { schema })),
        books: () => look(closed(postgres(url, { schema }))),
      }
    },
  ],
]

function closed<store extends { close: () => Promise<void> }>(store: store): store {
  ends.push(() => store.close())
  return store
}
const look = (store: ReturnType<typeof sqlite>) => store.transact('0x', (tx) => tx.list('grants', {}))

const row = {
  id: `0x${'1'.repeat(32)}`,
  grantId: `0x${'2'.repeat(64)}`,
  family: 'f',
  cap: 'perDay',
  from: 5n,
  to: 2n ** 112n - 1n,
  reason: 'More.',
  old: '{}',
  grant: '{}',
  permission: '{}',
  replaces: '0x',
  status: 'open',
  signature: null,
  createdAt: 1,
  expiresAt: 2,
  decidedAt: null,
} as const

describe.each(kinds)('%s', (_, make) => {
  test('default', async () => {
    const { open, books } = await make()
    await books?.()
    const records = open()
    await records.transact('a', (tx) => tx.put('server_increases', row))
    expect(await open().transact('a', (tx) => tx.get('server_increases', { id: row.id }))).toEqual(row)
    expect(await books?.()).toEqual(books && [])
  })

  test('behavior: a row that is all key is put twice, found by its hash, and removed', async () => {
    const records = (await make()).open()
    const nonce = { expiresAt: 7, hash: 'a' }
    for (let n = 0; n < 2; n++) await records.transact('a', (tx) => tx.put('server_nonces', nonce))
    await records.transact('a', (tx) => tx.put('server_nonces', { expiresAt: 3, hash: 'b' }))
    expect(await records.transact('a', (tx) => tx.list('server_nonces', { hash: 'a' }))).toEqual([nonce])
    // The oldest first: what is over is found without looking at all.
    expect(await records.transact('a', (tx) => tx.list('server_nonces', {}, { limit: 1 }))).toMatchObject([
      { hash: 'b' },
    ])
    await records.transact('a', (tx) => tx.remove('server_nonces', nonce))
    expect(await records.transact('a', (tx) => tx.list('server_nonces', { hash: 'a' }))).toEqual([])
  })

  test('behavior: of many who decide at once one does', async () => {
    const { open } = await make()
    const hosts = [open(), open()]
    await hosts[0]?.transact('a', (tx) => tx.put('server_increases', row))
    const decide = (records: Records) =>
      records.transact('increase', async (tx) => {
        const found = await tx.get('server_increases', { id: row.id })
        if (found?.status !== 'open') return false
        await tx.put('server_increases', { ...found, status: 'declined', decidedAt: 2 })
        return true
      })
    const decided = await Promise.all([...hosts, ...hosts, ...hosts].map(decide))
    expect(decided.filter(Boolean)).toHaveLength(1)
  })

  test('behavior: a key is rotated with an overlap, and its successor is of the same family', async () => {
    const records = (await make()).open()
    const made = await Key.create(
      records,
      { label: 'a', verbs: ['read'], grants: ['0x'.padEnd(66, '1')] },
      100,
    )
    const next = await Key.rotate(records, made.key.id, { now: 200, overlap: 50 })
    expect(next.key).toMatchObject({ ...made.key, id: next.key.id, createdAt: 200 })
    expect(await Key.find(records, made.text, 249)).toMatchObject({ family: made.key.family })
    expect(await Key.find(records, made.text, 250)).toBeUndefined()
    expect(await Key.find(records, next.text, 250)).toMatchObject({ family: made.key.family })
    expect((await Key.list(records)).map(({ id }) => id).sort()).toEqual([made.key.id, next.key.id].sort())
    // What is over is not the way to a new one.
    await expect(Key.rotate(records, made.key.id, { now: 300, overlap: 50 })).rejects.toThrow('No such key')
  })

  test('error: a key that is revoked, expired or altered', async () => {
    const records = (await make()).open()
    const given = { label: 'a', verbs: ['read'], grants: 'all', expiresAt: 200 } as const
    const { key, text } = await Key.create(records, given, 100)
    expect(await Key.find(records, text, 199)).toEqual(key)
    expect(await Key.find(records, text, 200)).toBeUndefined()
    expect(
      await Key.find(records, `${text.slice(0, -1)}${text.endsWith('A') ? 'B' : 'A'}`, 150),
    ).toBeUndefined()
    await Key.revoke(records, key.id, 150)
    expect(await Key.find(records, text, 150)).toBeUndefined()
  })
})

test('behavior: requests of an older hardcap have their end, and their askers what they see', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'hardcap-records-'))
  ends.push(() => rmSync(folder, { recursive: true, force: true }))
  const path = join(folder, 'server.db')
  const request = {
    family: 'f',
    grant: '{}',
    permission: '{}',
    names: '[]',
    note: null,
    signature: null,
    transactionHash: null,
    createdAt: 1,
    expiresAt: 100,
  } as const
  const before = sqliteRecords(path)
  await before.transact('a', async (tx) => {
    await tx.put('server_requests', { ...request, id: 'a', grantId: '0x1', status: 'open', decidedAt: null })
    await tx.put('server_requests', { ...request, id: 'b', grantId: '0x2', status: 'declined', decidedAt: 7 })
  })
  await before.close()
  const database = new Libsql(path)
  database.exec(`
    drop table "server_ends";
    drop table "server_asked";
    create index "server_requests_family" on "server_requests" ("family", "grantId");
    delete from "server_migrations" where "name" = '0002_ends';
  `)
  database.close()
  const records = closed(sqliteRecords(path))
  expect(await records.transact('a', (tx) => tx.list('server_ends', {}))).toEqual([
    { endsAt: 7, id: 'b', family: 'f', grantId: '0x2', counts: 1 },
    { endsAt: 100, id: 'a', family: 'f', grantId: '0x1', counts: 1 },
  ])
  expect(await records.transact('a', (tx) => tx.list('server_asked', { family: 'f' }))).toEqual([
    { family: 'f', grantId: '0x1' },
    { family: 'f', grantId: '0x2' },
  ])
})

test.each([
  [{ label: '' }, 'label'],
  [{ verbs: [] }, 'verbs'],
  [{ verbs: ['admin'] }, 'verbs'],
  [{ grants: ['all'] }, 'grants'],
  [{ grants: ['0x12'] }, 'grants'],
])('error: no key with %o', async (change, field) => {
  const given = { label: 'a', verbs: ['read'], grants: 'all', ...change } as Key.NewKey
  await expect(Key.create(memoryRecords(), given, 1)).rejects.toMatchObject({ name: 'InputError', field })
})

test('behavior: a bucket fills with time, and is counted by name', () => {
  let now = 0
  const { take } = limiter(60, () => now)
  for (let n = 0; n < 60; n++) take('a')
  expect(() => take('a')).toThrow('Try again in 1 s')
  take('b')
  now = 999
  expect(() => take('a')).toThrow()
  now = 1_000
  take('a')
  expect(() => take('a')).toThrow()
})

test.each([
  ['203.0.113.7', '203.0.113.7'],
  ['203.0.113.7:50123', '203.0.113.7'],
  ['::ffff:203.0.113.7', '203.0.113.7'],
  ['::FFFF:203.0.113.7', '203.0.113.7'],
  ['::ffff:cb00:7107', '203.0.113.7'],
  ['0:0:0:0:0:ffff:203.0.113.7', '203.0.113.7'],
  ['[::ffff:203.0.113.7]:50123', '203.0.113.7'],
  ['2001:db8:0:1:aaaa::1', '2001:db8:0:1::/64'],
  ['2001:DB8::1:2:3:4:5', '2001:db8:0:1::/64'],
  ['2001:0db8:0000:0001:0:0:0:1', '2001:db8:0:1::/64'],
  ['[2001:db8:0:1::7]', '2001:db8:0:1::/64'],
  ['[2001:db8:0:1::8]:50123', '2001:db8:0:1::/64'],
  ['[2001:db8:0:1::8%25eth0]:50123', '2001:db8:0:1::/64'],
  ['fe80::1%eth0', 'fe80:0:0:0::/64'],
  ['::1', '0:0:0:0::/64'],
  // What is no address is itself.
  ['unknown', 'unknown'],
  ['a customer: 7', 'a customer: 7'],
  ['[', '['],
])('behavior: limits count %s as %s', (address, name) => {
  expect(subscriber(address)).toBe(name)
})

test('behavior: rows after one by its key, either way, the same in every store', async () => {
  for (const [, make] of kinds) {
    const records = (await make()).open()
    const keys = [
      [3, 'b'],
      [1, 'z'],
      [3, 'a'],
      [20, 'aa'],
      [3, 'c'],
    ] as const
    await records.transact('a', async (tx) => {
      for (const [expiresAt, hash] of keys)
        await tx.put('server_sessions', { expiresAt, hash, address: '0x12', createdAt: expiresAt % 2 })
    })
    const list = async (where: { createdAt?: number }, options: object) =>
      (await records.transact('a', (tx) => tx.list('server_sessions', where, options))).map(
        ({ expiresAt, hash }) => `${expiresAt}${hash}`,
      )
    const after = { expiresAt: 3, hash: 'a' }
    expect(await list({}, { after })).toEqual(['3b', '3c', '20aa'])
    expect(await list({}, { after, limit: 1 })).toEqual(['3b'])
    expect(await list({}, { after: { expiresAt: 3, hash: 'bb' }, descending: true })).toEqual([
      '3b',
      '3a',
      '1z',
    ])
    expect(await list({ createdAt: 1 }, { after })).toEqual(['3b', '3c'])
    expect(await list({}, { after: { expiresAt: 20, hash: 'aa' } })).toEqual([])
    await records.transact('a', async (tx) => {
      for (const [family, n] of ['a1', 'b1', 'b2', 'b3', 'c1'])
        await tx.put('server_asked', { family: family ?? '', grantId: `0x${n}` })
    })
    const asked = (options: object) =>
      records.transact('a', (tx) => tx.list('server_asked', { family: 'b' }, options))
    const afterFirst = { after: { family: 'b', grantId: '0x1' } }
    expect((await asked(afterFirst)).map(({ grantId }) => grantId)).toEqual(['0x2', '0x3'])
    expect(await asked({ ...afterFirst, limit: 1 })).toHaveLength(1)
    expect(await asked({ ...afterFirst, descending: true })).toEqual([])
  }
})
