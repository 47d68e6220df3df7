/** The store's four row operations in SQL, the same for every database that Kysely speaks to. */
import { type Kysely, sql } from 'kysely'
import { HardcapError } from '../errors.js'
import {
  type ColumnType,
  type Store,
  schema,
  type TableName,
  type Tables,
  type Transaction,
} from '../Store.js'
import { migrations } from './migrations.js'

type Value = string | number | null
/** Rows as the database keeps them: amounts are decimal text. */
export type Database = Record<string, Record<string, Value>>

/** What one database does in its own way. */
export type Engine = {
  /** The type of a text column, compared by its bytes, so that order and equality are the same everywhere. */
  readonly text: string
  /** Whether the books have this table. */
  readonly hasTable: (tx: Kysely<Database>, name: string) => Promise<boolean>
  /** At the start of a transaction: waits until no other one has the lock of this name, and keeps it to the end. */
  readonly lock: (tx: Kysely<Database>, name: string) => Promise<void>
  /** Before a transaction of the grant asks for a connection: waits for those of this process, if that has to be. */
  readonly turn?: <result>(grantId: string, work: () => Promise<result>) => Promise<result>
  /** At the start of the first transaction, before there is a table. */
  readonly prepare?: (tx: Kysely<Database>) => Promise<void>
}

/**
 * A store that brings its database up to this schema before the first transaction. `closed` makes what it throws after
 * `close`, which lets the transactions end that have been asked for before it.
 */
export function sqlStore(db: Kysely<Database>, engine: Engine, closed: () => HardcapError): Store {
  const running = new Set<Promise<unknown>>()
  let ready: Promise<void> | undefined
  let closing: Promise<void> | undefined

  async function migrated(): Promise<void> {
    ready ??= migrate(db, engine)
    await ready.catch((error: unknown) => {
      ready = undefined
      throw error
    })
  }
  async function run<result>(grantId: string, work: (tx: Transaction) => Promise<result>): Promise<result> {
    await migrated()
    return db.transaction().execute(async (tx) => {
      await engine.lock(tx, grantId)
      return work(rows(tx))
    })
  }
  async function end(): Promise<void> {
    await Promise.allSettled(running)
    await db.destroy()
  }
  return {
    async transact(grantId, work) {
      if (closing) throw closed()
      const result = engine.turn ? engine.turn(grantId, () => run(grantId, work)) : run(grantId, work)
      running.add(result)
      return result.finally(() => running.delete(result))
    },
    close() {
      closing ??= end()
      return closing
    },
  }
}

/**
 * Brings an empty or older database up to this schema: in one transaction, under a lock of its own, so that many
 * processes may start at once. Throws `STORE_NEWER` on one from a newer hardcap.
 */
function migrate(db: Kysely<Database>, engine: Engine): Promise<void> {
  return db.transaction().execute(async (tx) => {
    await engine.lock(tx, 'migrations')
    await engine.prepare?.(tx)
    // Looked for, because `if not exists` asks for the right to create also where the table is there.
    if (!(await engine.hasTable(tx, 'migrations'))) {
      await sql.raw(`create table "migrations" ("name" ${engine.text} not null primary key)`).execute(tx)
    }
    const rows = await tx.selectFrom('migrations').select('name').execute()
    const done = rows.map(({ name }) => String(name))
    const unknown = done.filter((name) => migrations[name] === undefined)
    if (unknown.length > 0) {
      throw new HardcapError(
        'STORE_NEWER',
        `The books were written by a newer hardcap (migration ${unknown.join(', ')} is unknown here). Upgrade hardcap to open them.`,
        { figures: { unknown } },
      )
    }
    for (const [name, statements] of Object.entries(migrations)) {
      if (done.includes(name)) continue
      for (const statement of statements) {
        await sql.raw(statement.replaceAll(/^(\s*"\w+") text\b/gm, `$1 ${engine.text}`)).execute(tx)
      }
      await tx.insertInto('migrations').values({ name }).execute()
    }
  })
}

function rows(tx: Kysely<Database>): Transaction {
  return {
    async get(table, key) {
      let query = tx.selectFrom(table as string).selectAll()
      for (const [column, value] of keyOf(table, key)) query = query.where(column, '=', value)
      const found = await query.executeTakeFirst()
      return found && decode(table, found)
    },
    async put(table, row) {
      const values = encode(table, row)
      await tx
        .insertInto(table as string)
        .values(values)
        .onConflict((conflict) => conflict.columns([...schema[table].key]).doUpdateSet(values))
        .execute()
    },
    async remove(table, key) {
      let query = tx.deleteFrom(table as string)
      for (const [column, value] of keyOf(table, key)) query = query.where(column, '=', value)
      await query.execute()
    },
    async list(table, where, options = {}) {
      let query = tx.selectFrom(table as string).selectAll()
      for (const [column, value] of Object.entries(encode(table, where))) {
        query = value === null ? query.where(column, 'is', null) : query.where(column, '=', value)
      }
      for (const column of schema[table].key)
        query = query.orderBy(column, options.descending ? 'desc' : 'asc')
      // SQLite knows no offset without a limit.
      const { limit = Number.MAX_SAFE_INTEGER, offset } = options
      if (options.limit !== undefined || offset !== undefined) query = query.limit(limit)
      if (offset !== undefined) query = query.offset(offset)
      return (await query.execute()).map((row) => decode(table, row))
    },
  }
}

function keyOf<name extends TableName>(table: name, key: Partial<Tables[name]>): [string, Value][] {
  const values = encode(table, key)
  return schema[table].key.map((column) => {
    const value = values[column]
    if (value === undefined || value === null) throw new Error(`${table}: the key needs ${column}`)
    return [column, value]
  })
}

function encode<name extends TableName>(table: name, row: Partial<Tables[name]>): Record<string, Value> {
  const columns: Readonly<Record<string, ColumnType>> = schema[table].columns
  return Object.fromEntries(
    Object.entries(row).map(([column, value]) => [
      column,
      columns[column] === 'amount' ? String(value) : writable(value as Value),
    ]),
  )
}

/** What an endpoint said is kept for a person. PostgreSQL has no NUL, and a NUL in it must not stop the books. */
function writable(value: Value): Value {
  return typeof value === 'string' ? value.replaceAll('\0', '\ufffd') : value
}

function decode<name extends TableName>(table: name, row: Record<string, Value>): Tables[name] {
  const columns: Readonly<Record<string, ColumnType>> = schema[table].columns
  return Object.fromEntries(
    Object.entries(columns).map(([column, type]) => {
      const value = row[column] ?? null
      if (value === null || type === 'text') return [column, value]
      return [column, type === 'amount' ? BigInt(value) : exact(table, column, value)]
    }),
  ) as unknown as Tables[name]
}

/** Integers come as text or as numbers; one that a number cannot hold exactly is refused, never rounded. */
function exact(table: string, column: string, value: Value): number {
  const number = Number(value)
  if (Number.isSafeInteger(number)) return number
  throw new Error(`${table}.${column} is ${value}, which is no integer that a number holds exactly.`)
}
