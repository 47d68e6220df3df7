/**
 * `hardcap/sqlite`: the books in one file, the embedded default. Several processes on one host may share
 * it. Durable against kill -9 and power loss: write-ahead log, flushed at every commit (`synchronous=full`).
 */
import { setTimeout } from 'node:timers/promises'
import { Kysely, type SqliteDatabase, SqliteDialect, SqliteDriver, type SqliteStatement } from 'kysely'
import Libsql from 'libsql'
import { HardcapError } from '../errors.js'
import type { Store, TableStore } from '../Store.js'
import type { Records } from '../server/Records.js'
import { books, records } from '../sql/families.js'
import type { Database } from '../sql/Rows.js'
import { type Engine, type Family, sqlStore } from '../sql/SqlStore.js'

export type SqliteOptions = {
  /** How long to wait for other processes, in milliseconds. Default 30,000. */
  readonly busyTimeoutMs?: number
}

/**
 * Opens the books in a file, creating it where there is none. `:memory:` keeps them in memory.
 *
 * Transactions throw HardcapError `STORE_NEWER` where a newer hardcap wrote the file, `STORE_BUSY` (retryable,
 * nothing was written) where other processes kept it locked for longer than `busyTimeoutMs`, and `STORE_CLOSED`
 * after `close`.
 *
 * @throws HardcapError `STORE_UNREADABLE` where the folder is missing, or the file is no database; `STORE_BUSY`
 */
export function sqlite(path: string, options: SqliteOptions = {}): Store {
  return openFamily(path, options, books)
}

/** The records of `hardcap/server` in a file, which may be that of the books. Errors as for them. */
export function sqliteRecords(path: string, options: SqliteOptions = {}): Records {
  return openFamily(path, options, records)
}

function openFamily<tables, lock extends string>(
  path: string,
  options: SqliteOptions,
  family: Family<tables>,
): TableStore<tables, lock> {
  const { busyTimeoutMs = 30_000 } = options
  const database = openFile(path, busyTimeoutMs)
  const db = new Kysely<Database>({ dialect: new ImmediateDialect(database, busyTimeoutMs) })
  const store = sqlStore<tables, lock>(db, engine, family, () => closed(path))
  return {
    transact: store.transact,
    async close() {
      await store.close()
      // Kysely closes what it has used; a store that was only opened holds its file all the same.
      if (database.open) database.close()
    },
  }
}

const engine: Engine = {
  // Bytes are what SQLite compares by.
  text: 'text',
  hasTable: async (tx, name) =>
    (await tx.selectFrom('sqlite_master').select('name').where('name', '=', name).execute()).length > 0,
  // The one write lock, which a transaction takes as it begins, is the lock of every grant.
  lock: async () => {},
}

function closed(path: string): HardcapError {
  return new HardcapError('STORE_CLOSED', `The books in ${path} are closed. Open them again with sqlite().`, {
    figures: { path },
  })
}

function busy(busyTimeoutMs: number): HardcapError {
  return new HardcapError(
    'STORE_BUSY',
    `Other processes kept the books locked for ${busyTimeoutMs} ms. Nothing was written; try again.`,
    { figures: { busyTimeoutMs }, retryable: true },
  )
}

function openFile(path: string, busyTimeoutMs: number): Libsql.Database {
  let database: Libsql.Database | undefined
  try {
    database = new Libsql(path)
    // Others may be opening or closing it: whoever is last of them, or first after a kill, has it alone for a while.
    database.exec(`pragma busy_timeout = ${busyTimeoutMs}`)
    database.exec('pragma journal_mode = wal')
    database.exec('pragma synchronous = full')
    database.exec('pragma foreign_keys = on')
    // 32 MiB. The default holds some hundred grants.
    database.exec('pragma cache_size = -32768')
    // From here on waiting is ours: SQLite's own would block the process, and with it a transaction of this
    // process that only needs its turn to end.
    database.exec('pragma busy_timeout = 0')
    return database
  } catch (error) {
    database?.close()
    if (isBusy(error)) throw busy(busyTimeoutMs)
    throw new HardcapError(
      'STORE_UNREADABLE',
      `The books at ${path} cannot be opened (${error instanceof Error ? error.message : String(error)}). The folder has to be there, and the file one that hardcap wrote, or none yet.`,
      { figures: { path }, cause: error },
    )
  }
}

/**
 * `begin immediate` takes the write lock at once: a deferred transaction that reads first and writes later
 * fails when another process wrote in between. That one lock also is the lock of every grant.
 */
class ImmediateDriver extends SqliteDriver {
  readonly #database: Libsql.Database
  readonly #busyTimeoutMs: number
  constructor(database: Libsql.Database, busyTimeoutMs: number) {
    super({ database: prepared(database) })
    this.#database = database
    this.#busyTimeoutMs = busyTimeoutMs
  }

  override async beginTransaction() {
    const deadline = performance.now() + this.#busyTimeoutMs
    for (;;) {
      try {
        // Not as a prepared statement: libsql leaves one that met a lock unfinished, and then nothing commits.
        this.#database.exec('begin immediate')
        return
      } catch (error) {
        if (!isBusy(error)) throw error
        if (performance.now() >= deadline) throw busy(this.#busyTimeoutMs)
        // Between 1 and 5 ms, at random, so that those who wait do not march in step.
        await setTimeout(1 + Math.random() * 4)
      }
    }
  }
}

/** How many statements are kept: more than the books have, for lists and loads of a few lengths. */
const kept = 200

/** The database, which prepares each statement once: to prepare costs about as much as to run. */
function prepared(database: Libsql.Database): SqliteDatabase {
  const statements = new Map<string, SqliteStatement>()
  return {
    close: () => database.close(),
    prepare(sql) {
      const known = statements.get(sql)
      // The latest goes to the end, so that the first is the one that was not used for longest.
      if (known) {
        statements.delete(sql)
        statements.set(sql, known)
        return known
      }
      const statement = database.prepare(sql)
      statements.set(sql, statement)
      const [oldest] = statements.keys()
      if (statements.size > kept && oldest !== undefined) statements.delete(oldest)
      return statement
    },
  }
}

function isBusy(error: unknown): boolean {
  return error instanceof Error && 'code' in error && String(error.code).startsWith('SQLITE_BUSY')
}

class ImmediateDialect extends SqliteDialect {
  readonly #database: Libsql.Database
  readonly #busyTimeoutMs: number
  constructor(database: Libsql.Database, busyTimeoutMs: number) {
    super({ database })
    this.#database = database
    this.#busyTimeoutMs = busyTimeoutMs
  }

  override createDriver() {
    return new ImmediateDriver(this.#database, this.#busyTimeoutMs)
  }
}
