/**
 * `hardcap/sqlite`: the books in one file, the embedded default. Several processes on one host may share
 * it. Durable against kill -9 and power loss: write-ahead log, flushed at every commit (`synchronous=full`).
 */
import { CompiledQuery, Kysely, SqliteAdapter, SqliteDialect, SqliteDriver } from 'kysely'
import Libsql from 'libsql'
import type { Store } from '../Store.js'
import { type Database, migrate, sqlStore } from '../sql/SqlStore.js'

export type SqliteOptions = {
  /** How long to wait for another process's transaction, in milliseconds. Default 30,000. */
  readonly busyTimeoutMs?: number
}

/**
 * Opens the books in a file, creating it where there is none. `:memory:` keeps them in memory.
 * The first use throws `STORE_NEWER` where a newer hardcap wrote the file.
 */
export function sqlite(path: string, options: SqliteOptions = {}): Store {
  const database = new Libsql(path)
  database.exec(`pragma busy_timeout = ${Math.trunc(options.busyTimeoutMs ?? 30_000)}`)
  database.exec('pragma journal_mode = wal')
  database.exec('pragma synchronous = full')
  database.exec('pragma foreign_keys = on')
  const db = new Kysely<Database>({ dialect: new ImmediateDialect({ database }) })
  const store = sqlStore(db)
  let ready: Promise<void> | undefined
  return {
    async transact(grantId, work) {
      ready ??= migrate(db)
      await ready
      return store.transact(grantId, work)
    },
    close: store.close,
  }
}

/**
 * `begin immediate` takes the write lock at once: a deferred transaction that reads first and writes later
 * fails when another process wrote in between. That one lock also is the lock of every grant.
 */
class ImmediateDriver extends SqliteDriver {
  override async beginTransaction(connection: Parameters<SqliteDriver['beginTransaction']>[0]) {
    await connection.executeQuery(CompiledQuery.raw('begin immediate'))
  }
}

class ImmediateDialect extends SqliteDialect {
  readonly #config: { database: Libsql.Database }
  constructor(config: { database: Libsql.Database }) {
    super(config)
    this.#config = config
  }
  override createDriver() {
    return new ImmediateDriver(this.#config)
  }
  override createAdapter() {
    return new SqliteAdapter()
  }
}
