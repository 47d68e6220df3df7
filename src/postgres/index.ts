/**
 * `hardcap/postgres`: the books in PostgreSQL, for many hosts. The same tables as `hardcap/sqlite`, in a schema of
 * their own. `pg` is not installed with hardcap: `npm install pg`.
 */

import { Kysely, sql } from 'kysely'
import pg from 'pg'
import { keccak256, stringToHex } from 'viem'
import { HardcapError, InputError } from '../errors.js'
import type { Store, TableStore } from '../Store.js'
import type { Records } from '../server/Records.js'
import { books, records } from '../sql/families.js'
import type { Database } from '../sql/Rows.js'
import { type Engine, type Family, sqlStore } from '../sql/SqlStore.js'
import { GrantDialect } from './GrantDriver.js'

/** Where the server is, if not by a connection string; what is left out comes from PGHOST and its like, as `pg` reads them. */
export type PostgresConnection = {
  readonly host?: string | undefined
  readonly port?: number | undefined
  readonly database?: string | undefined
  readonly user?: string | undefined
  /** A function is asked for every new connection, for passwords that are short-lived. */
  readonly password?: string | (() => string | Promise<string>) | undefined
  /** As for `tls.connect`; `true` verifies the server's certificate. */
  readonly ssl?: boolean | object | undefined
}

export type PostgresOptions = {
  /** The schema that holds the books, created where it is missing. Default `hardcap`. */
  readonly schema?: string
  /** The most connections of this process; each grant uses one at a time. Default 10. */
  readonly poolSize?: number
  /** How long to wait for the transactions of other hosts on the same grant, in milliseconds. Default 30,000. */
  readonly busyTimeoutMs?: number
  /**
   * How long the other side may be silent inside a transaction, in milliseconds: a host that froze loses its
   * transaction after it, so that it does not hold up the others, and a server that is gone is no longer waited for.
   * Default 20,000.
   */
  readonly silenceTimeoutMs?: number
}

/**
 * The books in PostgreSQL, by a connection string (`postgres://user:password@host/database`) or its parts. Nothing is
 * connected before the first transaction.
 *
 * Transactions throw HardcapError `STORE_UNREADABLE` where the server cannot be reached or refuses, `STORE_BUSY`
 * (retryable, nothing was written) where others were in the way for longer than `busyTimeoutMs`, `STORE_LOST`
 * (retryable, nothing was written) where the connection ended inside a transaction, `STORE_UNKNOWN` (retryable, with
 * the same idempotency key) where it ended between the commit and its answer, `STORE_NEWER` where a newer hardcap wrote
 * the books, and `STORE_CLOSED` after `close`. No error carries the connection string or the password.
 *
 * @throws InputError on a schema or a figure that cannot be
 */
export function postgres(connection: string | PostgresConnection, options: PostgresOptions = {}): Store {
  return connect(connection, options, books)
}

/** The records of `hardcap/server`, in the schema of the books unless said otherwise. Errors as for them. */
export function postgresRecords(
  connection: string | PostgresConnection,
  options: PostgresOptions = {},
): Records {
  return connect(connection, options, records)
}

function connect<tables, lock extends string>(
  connection: string | PostgresConnection,
  options: PostgresOptions,
  family: Family<tables>,
): TableStore<tables, lock> {
  const schema = identifier(options.schema ?? 'hardcap')
  const poolSize = positive(options.poolSize ?? 10, 'poolSize')
  const busyTimeoutMs = positive(options.busyTimeoutMs ?? 30_000, 'busyTimeoutMs')
  const silenceTimeoutMs = positive(options.silenceTimeoutMs ?? 20_000, 'silenceTimeoutMs')
  const pool = new pg.Pool({
    ...(typeof connection === 'string' ? { connectionString: connection } : connection),
    max: poolSize,
    fallback_application_name: 'hardcap',
    keepAlive: true,
    connectionTimeoutMillis: silenceTimeoutMs,
    // A statement may wait for a lock, and the server says so when that took too long. Beyond it there is no server.
    query_timeout: busyTimeoutMs + silenceTimeoutMs,
    // A script that forgets to close the books ends all the same.
    allowExitOnIdle: true,
    // Everything as text, so that nothing is rounded, whatever parsers the process has set for `pg`.
    types: { getTypeParser: () => String },
  })
  // A connection that ends while nobody uses it is replaced when it is needed. Without a listener it ends the process.
  pool.on('error', () => {})
  pool.on('connect', (client) => client.on('error', () => {}))
  const begin = beginning({ schema, busyTimeoutMs, silenceTimeoutMs })
  const db = new Kysely<Database>({
    dialect: new GrantDialect({ pool, begin, busyTimeoutMs, silenceTimeoutMs }),
  })
  return sqlStore(db, engine(schema), family, closed)
}

/**
 * Every setting holds for one transaction, so that it is right also behind a proxy that lends a server's session to
 * one transaction at a time.
 *
 * Read committed, whatever the server's default: every statement after the grant's lock sees all that was committed
 * before the lock was free. Under a stricter level the snapshot would be that of the statement that waits for the
 * lock, taken before the wait, and every second of two transactions would fail. Nothing is lost by it, because all
 * rows belong to one grant, and all who touch them hold its lock.
 *
 * `synchronous_commit` is never weaker than `on`: what is committed is on the disk, and on that of the synchronous
 * standby where the server has one.
 */
function beginning(options: { schema: string; busyTimeoutMs: number; silenceTimeoutMs: number }): string {
  const { schema, busyTimeoutMs, silenceTimeoutMs } = options
  return [
    'begin isolation level read committed read write',
    `set local search_path to "${schema}", pg_temp`,
    `set local lock_timeout to ${busyTimeoutMs}`,
    `set local idle_in_transaction_session_timeout to ${silenceTimeoutMs}`,
    `select set_config('synchronous_commit', 'on', true) where current_setting('synchronous_commit') <> 'remote_apply'`,
  ].join(';')
}

const engine = (schema: string): Engine => ({
  // Other collations order text by language, and change with the system's libraries, under the feet of an index.
  text: 'text collate "C"',
  hasTable: async (tx, name) =>
    (
      await sql`select from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
        where n.nspname = ${schema} and c.relname = ${name}`.execute(tx)
    ).rows.length > 0,
  prepare: async (tx) => {
    const { rows } = await sql`select from pg_catalog.pg_namespace where nspname = ${schema}`.execute(tx)
    if (rows.length === 0) await sql.raw(`create schema "${schema}"`).execute(tx)
  },
  turn: turns(),
  lock: (tx, name) => lock(tx, `${schema}.${name}`),
})

/**
 * An advisory lock, and not `select ... for update` on the grant's row: it is there before the row is, so two hosts
 * that open the same new grant wait for each other as well. The server frees it with the transaction, however that
 * ends. Two grants whose names share 63 bits would wait for each other, and no more.
 */
async function lock(tx: Kysely<Database>, name: string): Promise<void> {
  const key = BigInt.asIntN(64, BigInt(keccak256(stringToHex(`hardcap:${name}`))))
  // A number of ours, and so without a parameter: it goes out together with what opens the transaction.
  await sql.raw(`select pg_catalog.pg_advisory_xact_lock(${key})`).execute(tx)
}

/**
 * Transactions of one grant in this process, one after the other, before they ask for a connection: else those that
 * wait for one busy grant would hold every connection of the pool.
 */
function turns() {
  const tails = new Map<string, Promise<unknown>>()
  return async <result>(name: string, work: () => Promise<result>): Promise<result> => {
    const turn = (tails.get(name) ?? Promise.resolve()).then(work)
    const tail = turn.catch(() => {})
    tails.set(name, tail)
    try {
      return await turn
    } finally {
      if (tails.get(name) === tail) tails.delete(name)
    }
  }
}

function closed(): HardcapError {
  return new HardcapError(
    'STORE_CLOSED',
    'The books in PostgreSQL are closed. Open them again with postgres().',
  )
}

function identifier(schema: unknown): string {
  if (typeof schema === 'string' && /^[a-z_][a-z0-9_]{0,62}$/.test(schema) && !schema.startsWith('pg_'))
    return schema
  throw new InputError('INVALID_VALUE', {
    field: 'schema',
    given: schema,
    valid: 'up to 63 lower-case letters, digits and underscores, not beginning with a digit or `pg_`',
    why: 'No name for a schema.',
  })
}

function positive(given: unknown, field: string): number {
  if (typeof given === 'number' && Number.isInteger(given) && given > 0 && given <= 1e9) return given
  throw new InputError('INVALID_VALUE', {
    field,
    given,
    valid: 'a whole number from 1 to 1,000,000,000',
    why: 'Not a whole number, or out of range.',
  })
}
