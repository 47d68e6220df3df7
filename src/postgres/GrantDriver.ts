/** Kysely's way to PostgreSQL, where every error is one of the store, and a connection that is in doubt is thrown away. */
import {
  type CompiledQuery,
  type DatabaseConnection,
  type Driver,
  PostgresDialect,
  type QueryResult,
} from 'kysely'
import type pg from 'pg'
import * as StoreFailure from './StoreFailure.js'

export type DriverOptions = {
  readonly pool: pg.Pool
  /** What opens a transaction, several statements in one round trip. */
  readonly begin: string
  readonly busyTimeoutMs: number
  readonly silenceTimeoutMs: number
}

export class GrantDialect extends PostgresDialect {
  readonly #options: DriverOptions
  constructor(options: DriverOptions) {
    super({ pool: options.pool })
    this.#options = options
  }

  override createDriver() {
    return new GrantDriver(this.#options)
  }
}

class GrantDriver implements Driver {
  readonly #options: DriverOptions
  constructor(options: DriverOptions) {
    this.#options = options
  }

  async init() {}

  async acquireConnection() {
    const { pool, busyTimeoutMs } = this.#options
    try {
      return new Connection(await pool.connect(), busyTimeoutMs)
    } catch (error) {
      // The pool has no code for it.
      const isFull = error instanceof Error && error.message === 'timeout exceeded when trying to connect'
      throw isFull ? StoreFailure.busy(this.#options.silenceTimeoutMs) : StoreFailure.unreadable(error)
    }
  }

  async beginTransaction(connection: Connection) {
    connection.begin(this.#options.begin)
  }

  async commitTransaction(connection: Connection) {
    await connection.commit()
  }

  async rollbackTransaction(connection: Connection) {
    await connection.rollback()
  }

  async releaseConnection(connection: Connection) {
    connection.release()
  }

  async destroy() {
    await this.#options.pool.end()
  }
}

/** One loan of a client of the pool: from the beginning of a transaction to its end. */
class Connection implements DatabaseConnection {
  readonly #client: pg.PoolClient
  readonly #busyTimeoutMs: number
  /** Whether nobody may use the client after us. */
  #doubtful = false
  /** What opens the transaction, until it has. */
  #opening: string | undefined
  /** The first statement that failed: PostgreSQL has given the transaction up, whatever its work does next. */
  #failure: unknown
  /** Statements one by one, also where the work does not wait for each. */
  #last: Promise<unknown> = Promise.resolve()

  constructor(client: pg.PoolClient, busyTimeoutMs: number) {
    this.#client = client
    this.#busyTimeoutMs = busyTimeoutMs
  }

  /** What opens the transaction goes out with its first statement, the lock, in one round trip. */
  begin(sql: string) {
    this.#opening = sql
  }

  executeQuery<row>({ sql, parameters }: CompiledQuery): Promise<QueryResult<row>> {
    const turn = this.#last.then(async () => {
      try {
        return { rows: await this.#ask(sql, parameters) }
      } catch (error) {
        this.#failure ??= this.#translate(error)
        throw this.#failure
      }
    })
    this.#last = turn.catch(() => {})
    return turn
  }

  async #ask(sql: string, parameters: readonly unknown[]) {
    if (this.#opening === undefined) return (await this.#client.query(sql, [...parameters])).rows
    if (parameters.length > 0) throw new Error('Several statements in one round trip take no parameters.')
    const answers: unknown = await this.#client.query(`${this.#opening};${sql}`)
    this.#opening = undefined
    return Array.isArray(answers) ? answers.at(-1).rows : []
  }

  streamQuery(): never {
    throw new Error('The books are not streamed.')
  }

  #translate(error: unknown): unknown {
    if (StoreFailure.isLost(error)) {
      this.#doubtful = true
      return StoreFailure.lost()
    }
    if (StoreFailure.isBusy(error)) return StoreFailure.busy(this.#busyTimeoutMs)
    // What refuses to open a transaction, such as a standby that only reads, refuses all.
    const isRefused = this.#opening !== undefined || StoreFailure.isForbidden(error)
    return isRefused ? StoreFailure.unreadable(error) : error
  }

  /** Resolves where the server said that it is committed, throws what is known otherwise. */
  async commit() {
    await this.#last
    if (this.#failure !== undefined) throw this.#failure
    const { command } = await this.#client.query('commit').catch((error: unknown) => {
      this.#doubtful = true
      throw StoreFailure.isRefusal(error) ? error : StoreFailure.unknown()
    })
    // So the server answers the commit of a transaction that it gave up, without an error.
    if (command !== 'COMMIT') throw StoreFailure.lost()
  }

  /** Never throws: what made the transaction fail is what the caller has to see. */
  async rollback() {
    await this.#last
    if (this.#doubtful) return
    await this.#client.query('rollback').catch(() => {
      this.#doubtful = true
    })
  }

  release() {
    this.#client.release(this.#doubtful)
  }
}
