import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Libsql from 'libsql'
import { afterEach, describe, expect, test } from 'vitest'
import type { GrantRow, TableName } from '../../src/Store.js'
import { sqlite } from '../../src/sqlite/index.js'
import { schema } from '../../src/Tables.js'
import { storeKinds } from './stores.js'

const grantId = `0x${'11'.repeat(32)}` as const
const grant: GrantRow = {
  grantId,
  chainId: 8453,
  agent: '0x00000000000000000000000000000000000000A1',
  grant: '{}',
  permissionHash: '0x',
  paused: 0,
  approved: 0,
  revoked: 0,
  pausedBy: null,
  revokedBy: null,
  lane: '0x',
  numbers: 0,
  knownNonces: 0,
  quietUntil: 0,
  payer: null,
  payerBalance: 0n,
  fundedBy: null,
  startNumber: 0,
  finalNumber: 0,
  finalHash: '0x',
  finalTime: 0,
  headNumber: 0,
  headHash: '0x',
  headTime: 0,
  receipts: 0,
  receiptHash: '0x',
}

const ends: (() => Promise<void> | void)[] = []
afterEach(async () => {
  for (const end of ends.splice(0)) await end()
})

describe.each(storeKinds)('$name', ({ create }) => {
  function open() {
    const books = create()
    ends.push(books.end)
    return books
  }

  test('default', async () => {
    const store = open().open()
    await store.transact(grantId, (tx) => tx.put('grants', grant))
    expect(await store.transact(grantId, (tx) => tx.get('grants', { grantId }))).toEqual(grant)
  })

  test('args: an amount of 160 bits comes back exactly, and zero too', async () => {
    const store = open().open()
    const meters = [
      { grantId, name: 'a', amount: 2n ** 160n - 1n },
      { grantId, name: 'b', amount: 0n },
    ]
    await store.transact(grantId, async (tx) => {
      await tx.put('grants', grant)
      for (const meter of meters) await tx.put('meters', meter)
    })
    expect(await store.transact(grantId, (tx) => tx.list('meters', { grantId }))).toEqual(meters)
  })

  test('args: list filters by fields and null, in the order of the key, cut by offset and limit', async () => {
    const store = open().open()
    const event = (blockNumber: number, logIndex: number, key: string | null) =>
      ({
        grantId,
        blockNumber,
        logIndex,
        blockHash: '0x',
        txHash: '0x',
        time: 1,
        kind: 'transfer',
        amount: 1n,
        payee: grant.agent,
        permissionHash: null,
        periodStart: null,
        ref: null,
        number: null,
        payer: null,
        window: null,
        task: null,
        key,
        final: 0,
      }) as const
    const events = [event(10, 0, null), event(9, 2, 'a'), event(9, 1, null), event(100, 0, 'a')]
    const places = (rows: { blockNumber: number; logIndex: number }[]) =>
      rows.map((row) => `${row.blockNumber}.${row.logIndex}`)
    await store.transact(grantId, async (tx) => {
      await tx.put('grants', grant)
      for (const row of events) await tx.put('events', row)
      expect(places(await tx.list('events', { grantId }))).toEqual(['9.1', '9.2', '10.0', '100.0'])
      expect(places(await tx.list('events', { grantId, key: null }))).toEqual(['9.1', '10.0'])
      expect(places(await tx.list('events', { grantId, key: 'a' }, { descending: true }))).toEqual([
        '100.0',
        '9.2',
      ])
      expect(places(await tx.list('events', { grantId }, { offset: 1, limit: 2 }))).toEqual(['9.2', '10.0'])
      expect(places(await tx.list('events', { grantId }, { offset: 3 }))).toEqual(['100.0'])
    })
  })

  test('behavior: put replaces the row with the same key, remove takes it away', async () => {
    const store = open().open()
    await store.transact(grantId, async (tx) => {
      await tx.put('grants', grant)
      await tx.put('grants', { ...grant, paused: 1 })
      expect(await tx.get('grants', { grantId })).toEqual({ ...grant, paused: 1 })
      await tx.remove('grants', { grantId })
      expect(await tx.get('grants', { grantId })).toBeUndefined()
    })
  })

  test('behavior: what throws leaves nothing behind', async () => {
    const store = open().open()
    await store.transact(grantId, (tx) => tx.put('grants', grant))
    const failing = store.transact(grantId, async (tx) => {
      await tx.put('meters', { grantId, name: 'a', amount: 1n })
      await tx.put('grants', { ...grant, paused: 1 })
      throw new Error('power cut')
    })
    await expect(failing).rejects.toThrow('power cut')
    expect(await store.transact(grantId, (tx) => tx.list('meters', { grantId }))).toEqual([])
    expect(await store.transact(grantId, (tx) => tx.get('grants', { grantId }))).toEqual(grant)
  })

  test('behavior: a hundred parallel transactions count to a hundred', async () => {
    const books = open()
    const stores = [books.open(), books.open()]
    await stores[0]?.transact(grantId, (tx) => tx.put('grants', grant))
    const steps = Array.from({ length: 100 }, (_, i) =>
      stores[i % 2]?.transact(grantId, async (tx) => {
        const before = (await tx.get('meters', { grantId, name: 'n' }))?.amount ?? 0n
        await tx.put('meters', { grantId, name: 'n', amount: before + 1n })
      }),
    )
    await Promise.all(steps)
    const meter = await stores[0]?.transact(grantId, (tx) => tx.get('meters', { grantId, name: 'n' }))
    expect(meter?.amount).toBe(100n)
  })
})

describe('sqlite', () => {
  function file() {
    const folder = mkdtempSync(join(tmpdir(), 'hardcap-books-'))
    ends.push(() => rmSync(folder, { recursive: true, force: true }))
    return join(folder, 'books.db')
  }

  test('behavior: the tables have exactly the columns and keys that the port names', async () => {
    const path = file()
    const store = sqlite(path)
    await store.transact(grantId, async () => {})
    await store.close()
    const database = new Libsql(path)
    for (const name of Object.keys(schema) as TableName[]) {
      const columns = database.prepare(`pragma table_info("${name}")`).all([]) as {
        name: string
        pk: number
      }[]
      expect(columns.map((column) => column.name).sort()).toEqual(Object.keys(schema[name].columns).sort())
      const key = columns.filter((column) => column.pk > 0).sort((a, b) => a.pk - b.pk)
      expect(key.map((column) => column.name)).toEqual(schema[name].key)
    }
    database.close()
  })

  test('behavior: the log is written ahead and flushed at every commit', async () => {
    const path = file()
    const store = sqlite(path)
    await store.transact(grantId, async () => {})
    const database = new Libsql(path)
    expect(database.pragma('journal_mode', { simple: true })).toMatchObject({ journal_mode: 'wal' })
    database.close()
    await store.close()
  })

  test('behavior: the schema refuses a leg, a flag or an amount that cannot be', async () => {
    const store = sqlite(file())
    ends.push(store.close)
    await store.transact(grantId, (tx) => tx.put('grants', grant))
    const put = (row: object) => store.transact(grantId, (tx) => tx.put('meters', row as never))
    await expect(put({ grantId, name: 'a', amount: -1n })).rejects.toThrow(/CHECK/)
    await expect(put({ grantId, name: 'a', amount: '01' })).rejects.toThrow(/CHECK/)
    await expect(
      store.transact(grantId, (tx) => tx.put('grants', { ...grant, paused: 2 } as never)),
    ).rejects.toThrow(/CHECK/)
    await expect(
      store.transact(grantId, (tx) =>
        tx.put('payments', {
          grantId,
          key: 'k',
          via: 'direct',
          payee: grant.agent,
          amount: 1n,
          permissionHash: '0x',
          host: null,
          task: null,
          session: null,
          category: null,
          endpoint: null,
          ref: '0x',
          number: null,
          payer: null,
          target: null,
          deadline: null,
          nonce: null,
          alone: 0,
          triedAt: null,
          ticket: null,
          reservedAt: 1,
          pull: 'none',
          transfer: 'signed',
          told: 0,
          failure: null,
          open: 1,
        }),
      ),
    ).rejects.toThrow(/CHECK/)
  })

  test('behavior: what was committed is there after a SIGKILL in the middle of the next transaction', async () => {
    const path = file()
    const child = spawn(process.execPath, ['--import', 'tsx', 'test/ledger/killed.ts', path], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    // The child says a word once it has committed 20 steps and is inside the 21st.
    await once(child.stdout, 'data')
    child.kill('SIGKILL')
    await once(child, 'exit')
    const store = sqlite(path)
    ends.push(store.close)
    const meter = await store.transact(grantId, (tx) => tx.get('meters', { grantId, name: 'n' }))
    expect(meter?.amount).toBe(20n)
  })

  test('error: books of a newer hardcap are not opened', async () => {
    const path = file()
    const store = sqlite(path)
    await store.transact(grantId, async () => {})
    await store.close()
    const database = new Libsql(path)
    database.prepare('insert into migrations (name) values (?)').run(['9999_from_the_future'])
    database.close()
    const older = sqlite(path)
    ends.push(older.close)
    await expect(older.transact(grantId, async () => {})).rejects.toMatchObject({
      code: 'STORE_NEWER',
      message: expect.stringContaining('9999_from_the_future'),
    })
  })
})
