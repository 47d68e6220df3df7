/** The store's four row operations in SQL, the same for every database that Kysely speaks to. */
import { type Kysely, Migrator } from 'kysely'
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

/** Brings an empty or older database up to this schema. Throws `STORE_NEWER` on one from a newer hardcap. */
export async function migrate(db: Kysely<Database>): Promise<void> {
  const migrator = new Migrator({ db, provider: { getMigrations: async () => migrations } })
  const known = new Set(Object.keys(migrations))
  const tables = await db.introspection.getTables({ withInternalKyselyTables: true })
  if (tables.some((table) => table.name === 'kysely_migration')) {
    const done = await db.selectFrom('kysely_migration').select('name').execute()
    const unknown = done.map((row) => String(row.name)).filter((name) => !known.has(name))
    if (unknown.length > 0) {
      throw new HardcapError(
        'STORE_NEWER',
        `The books were written by a newer hardcap (migration ${unknown.join(', ')} is unknown here). Upgrade hardcap to open them.`,
        { figures: { unknown } },
      )
    }
  }
  const { error } = await migrator.migrateToLatest()
  if (error) throw error
}

/** A store over a migrated database. `lock` must make transactions of one grant run one after the other. */
export function sqlStore(
  db: Kysely<Database>,
  lock: (tx: Kysely<Database>, grantId: string) => Promise<void> = async () => {},
): Store {
  return {
    transact: (grantId, work) =>
      db.transaction().execute(async (tx) => {
        await lock(tx, grantId)
        return work(rows(tx))
      }),
    close: () => db.destroy(),
  }
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
      columns[column] === 'amount' ? String(value) : (value as Value),
    ]),
  )
}

function decode<name extends TableName>(table: name, row: Record<string, Value>): Tables[name] {
  const columns: Readonly<Record<string, ColumnType>> = schema[table].columns
  return Object.fromEntries(
    Object.entries(columns).map(([column, type]) => {
      const value = row[column] ?? null
      if (value === null || type === 'text') return [column, value]
      return [column, type === 'amount' ? BigInt(value) : Number(value)]
    }),
  ) as unknown as Tables[name]
}
