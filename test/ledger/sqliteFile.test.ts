import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Libsql from 'libsql'
import { afterEach, expect, test } from 'vitest'
import { HardcapError } from '../../src/index.js'
import { migrations } from '../../src/sql/migrations.js'
import { sqlite } from '../../src/sqlite/index.js'

const folders: string[] = []
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'hardcap-file-'))
  folders.push(path)
  return path
}

const grantId = `0x${'11'.repeat(32)}` as const
const get = (store: ReturnType<typeof sqlite>) =>
  store.transact(grantId, (tx) => tx.get('grants', { grantId }))

function thrown(work: () => unknown): unknown {
  try {
    return work()
  } catch (error) {
    return error
  }
}

test('error: STORE_UNREADABLE where the folder is missing', () => {
  const path = join(folder(), 'missing', 'books.db')
  const error = thrown(() => sqlite(path))
  expect(error).toBeInstanceOf(HardcapError)
  expect(error).toMatchObject({ code: 'STORE_UNREADABLE', figures: { path } })
  expect(String(error)).toContain(path)
  expect(existsSync(path)).toBe(false)
})

test('error: STORE_UNREADABLE where the file is no database', () => {
  const path = join(folder(), 'books.db')
  writeFileSync(path, 'These are no books. '.repeat(200))
  expect(thrown(() => sqlite(path))).toMatchObject({ code: 'STORE_UNREADABLE', figures: { path } })
})

test('error: STORE_CLOSED after close, which may be called twice', async () => {
  const path = join(folder(), 'books.db')
  const store = sqlite(path)
  expect(await get(store)).toBeUndefined()
  await store.close()
  await store.close()
  await expect(get(store)).rejects.toMatchObject({ code: 'STORE_CLOSED', figures: { path } })
})

test('error: STORE_BUSY where another process has the file alone while it is opened', () => {
  const path = join(folder(), 'books.db')
  const other = new Libsql(path)
  other.exec('create table "something" ("id" text)')
  other.exec('begin exclusive')
  expect(thrown(() => sqlite(path, { busyTimeoutMs: 20 }))).toMatchObject({
    code: 'STORE_BUSY',
    figures: { busyTimeoutMs: 20 },
    retryable: true,
  })
  other.close()
})

test.each([
  ['payments', '"open" = 1'],
  ['payments', '"ref" = ?'],
  ['payments', '"number" = ?'],
  ['payments', '"session" = ?'],
  ['events', '"final" = 0'],
  ['events', '"key" = ?'],
  ['events', '"ref" = ?'],
  ['events', '"number" = ?'],
  ['transactions', '"nonce" = ?'],
  ['transactions', '"key" = ?'],
  ['transactions', '"hash" = ?'],
] as const)(
  'behavior: of the %s those with %s are found by an index, whatever else the grant has',
  (table, where) => {
    const order = {
      payments: '"grantId", "key"',
      events: '"grantId", "blockNumber", "logIndex"',
      transactions: '"grantId", "nonce", "hash"',
    }[table]
    const db = new Libsql(':memory:')
    for (const statement of Object.values(migrations).flat()) db.exec(statement)
    const asked = `select * from "${table}" where "grantId" = ? and ${where} order by ${order}`
    const values = Array.from(asked.matchAll(/\?/g), () => '')
    const plan = db.prepare(`explain query plan ${asked}`).all(values) as { detail: string }[]
    const [{ detail } = { detail: '' }] = plan
    const column = /^"(\w+)"/.exec(where)?.[1]
    const isOfAll = !detail.includes(`AND ${column}=?`) && !detail.includes(`${table}_${column}`)
    expect(isOfAll, detail).toBe(false)
    db.close()
  },
)
