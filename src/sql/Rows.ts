/**
 * The rows of one transaction. A database answers each statement at a cost of its own, on a network a whole round trip,
 * so a row is read once, and what is put is written at the end, or before its table is listed, many rows in a statement.
 * Nobody else sees or changes these rows meanwhile: the transaction holds the grant's lock.
 */
import { type Kysely, sql } from 'kysely'
import { type ColumnType, schema, type TableName, type Tables, type Transaction } from '../Store.js'

export type Value = string | number | null
/** Rows as the database keeps them: amounts are decimal text. */
export type Database = Record<string, Record<string, Value>>

type Row = Tables[TableName]

/** Rows in one statement: some databases take no more than some thousand parameters. */
const chunk = 100

/** The operations, and `finish`, which writes what is left and ends them. */
export function rowsOf(tx: Kysely<Database>): Transaction & { finish(): Promise<void> } {
  /** What is known of each row, undefined where there is none. */
  const known = new Map<string, Row | undefined>()
  const unwritten = new Map<TableName, Map<string, Record<string, Value>>>()
  let failure: { readonly error: unknown } | undefined
  let finished = false

  const idOf = (table: TableName, key: Partial<Row>) =>
    JSON.stringify([table, ...keyOf(table, key).map(([, value]) => value)])

  /** Writes what was put: of all tables, in the order of the schema, or of one, and of grants, to which all refer. */
  async function flush(only?: TableName): Promise<void> {
    // What was not written must not be missing in silence where the work goes on after an error.
    if (failure) throw failure.error
    const tables = (Object.keys(schema) as TableName[]).filter(
      (table) => only === undefined || table === only || table === 'grants',
    )
    try {
      for (const table of tables) {
        const rows = [...(unwritten.get(table)?.values() ?? [])]
        unwritten.delete(table)
        for (let n = 0; n < rows.length; n += chunk) await write(tx, table, rows.slice(n, n + chunk))
      }
    } catch (error) {
      failure = { error }
      throw error
    }
  }

  async function load(table: TableName, keys: readonly Partial<Row>[]): Promise<void> {
    const missing = keys.filter((key) => !known.has(idOf(table, key)))
    const [first] = missing
    if (!first) return
    const common = keyOf(table, first)
    const last = common.pop()?.[0] ?? ''
    let query = tx.selectFrom(table as string).selectAll()
    for (const [column, value] of common) query = query.where(column, '=', value)
    const values = missing.map((key) => keyOf(table, key).at(-1)?.[1] ?? null)
    const found = (await query.where(last, 'in', values).execute()).map((row) => decode(table, row))
    const rows = new Map(found.map((row) => [idOf(table, row), row]))
    for (const id of missing.map((key) => idOf(table, key))) {
      // Unless it was put while the database answered.
      if (!known.has(id)) known.set(id, rows.get(id))
    }
  }

  return {
    finish() {
      finished = true
      return flush()
    },
    load,
    async get(table, key) {
      await load(table, [key])
      return known.get(idOf(table, key)) as Tables[typeof table] | undefined
    },
    async put(table, row) {
      if (finished) throw new Error('The transaction is already committed: nothing can be written in it.')
      const id = idOf(table, row)
      const values = encode(table, row)
      known.set(id, decode(table, values))
      const rows = unwritten.get(table) ?? new Map()
      unwritten.set(table, rows.set(id, values))
    },
    async remove(table, key) {
      await flush(table)
      known.set(idOf(table, key), undefined)
      let query = tx.deleteFrom(table as string)
      for (const [column, value] of keyOf(table, key)) query = query.where(column, '=', value)
      await query.execute()
    },
    async list(table, where, options = {}) {
      await flush(table)
      let query = tx.selectFrom(table as string).selectAll()
      for (const [column, value] of Object.entries(encode(table, where))) {
        // As part of the statement where an index is of one value alone: for a parameter it might not be used.
        const wanted = column === 'open' || column === 'final' ? sql.lit(value) : value
        query = value === null ? query.where(column, 'is', null) : query.where(column, '=', wanted)
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

/** Inserts the rows, or replaces those with the same keys. */
async function write(tx: Kysely<Database>, table: TableName, rows: readonly Record<string, Value>[]) {
  const { key, columns } = schema[table]
  const others = Object.keys(columns).filter((column) => !(key as readonly string[]).includes(column))
  const replaced = Object.fromEntries(others.map((column) => [column, sql.ref<Value>(`excluded.${column}`)]))
  await tx
    .insertInto(table as string)
    .values([...rows])
    .onConflict((conflict) => conflict.columns([...key]).doUpdateSet(replaced))
    .execute()
}

function keyOf<name extends TableName>(table: name, key: Partial<Tables[name]>): [string, Value][] {
  const { columns, key: names } = schema[table]
  return names.map((name) => {
    const value = key[name as keyof Tables[name]]
    if (value === undefined || value === null) throw new Error(`${table}: the key needs ${String(name)}`)
    return [name as string, encoded(columns[name as keyof typeof columns], value)]
  })
}

function encode<name extends TableName>(table: name, row: Partial<Tables[name]>): Record<string, Value> {
  const columns: Readonly<Record<string, ColumnType>> = schema[table].columns
  return Object.fromEntries(
    Object.entries(row).map(([column, value]) => [column, encoded(columns[column], value)]),
  )
}

function encoded(type: ColumnType | undefined, value: unknown): Value {
  return type === 'amount' && value !== null ? String(value) : writable(value as Value)
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
