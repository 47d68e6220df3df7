/**
 * The rows of one transaction. A database answers each statement at a cost of its own, on a network a whole round trip,
 * so a row is read once, and what is put is written at the end, or before its table is listed, many rows in a statement.
 * Nobody else sees or changes these rows meanwhile: the transaction holds the grant's lock.
 */
import { type Kysely, sql } from 'kysely'
import type { Transaction } from '../Store.js'
import type { ColumnType } from '../Tables.js'

export type Value = string | number | null
/** Rows as the database keeps them: amounts are decimal text. */
export type Database = Record<string, Record<string, Value>>

/** Tables whose rows only their owner knows. The others may refer to the first. */
export type AnySchema = Readonly<
  Record<string, { readonly columns: Readonly<Record<string, ColumnType>>; readonly key: readonly string[] }>
>
type Row = Readonly<Record<string, unknown>>
type AnyTables = Readonly<Record<string, Row>>

/** Rows in one statement: some databases take no more than some thousand parameters. */
const chunk = 100

/** The operations, and `finish`, which writes what is left and ends them. */
export function rowsOf(
  tx: Kysely<Database>,
  schema: AnySchema,
): Transaction<AnyTables> & { finish(): Promise<void> } {
  const tableOf = (name: string) => {
    const table = schema[name]
    if (table) return table
    throw new Error(`There is no table ${name}.`)
  }
  const [root] = Object.keys(schema)
  /** What is known of each row, undefined where there is none. */
  const known = new Map<string, Row | undefined>()
  const unwritten = new Map<string, Map<string, Record<string, Value>>>()
  let failure: { readonly error: unknown } | undefined
  let finished = false

  const idOf = (table: string, key: Row) =>
    JSON.stringify([table, ...keyOf(tableOf(table), key).map(([, value]) => value)])

  /** Writes what was put: of all tables, in the order of the schema, or of one, and of the first. */
  async function flush(only?: string): Promise<void> {
    // What was not written must not be missing in silence where the work goes on after an error.
    if (failure) throw failure.error
    const tables = Object.keys(schema).filter(
      (table) => only === undefined || table === only || table === root,
    )
    try {
      for (const table of tables) {
        const rows = [...(unwritten.get(table)?.values() ?? [])]
        unwritten.delete(table)
        for (let n = 0; n < rows.length; n += chunk)
          await write(tx, table, tableOf(table), rows.slice(n, n + chunk))
      }
    } catch (error) {
      failure = { error }
      throw error
    }
  }

  async function load(table: string, keys: readonly Row[]): Promise<void> {
    const missing = keys.filter((key) => !known.has(idOf(table, key)))
    const [first] = missing
    if (!first) return
    const common = keyOf(tableOf(table), first)
    const last = common.pop()?.[0] ?? ''
    let query = tx.selectFrom(table).selectAll()
    for (const [column, value] of common) query = query.where(column, '=', value)
    const values = missing.map((key) => keyOf(tableOf(table), key).at(-1)?.[1] ?? null)
    const found = (await query.where(last, 'in', values).execute()).map((row) =>
      decode(table, tableOf(table), row),
    )
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
      return known.get(idOf(table, key))
    },
    async put(table, row) {
      if (finished) throw new Error('The transaction is already committed: nothing can be written in it.')
      const id = idOf(table, row)
      const values = encode(tableOf(table), row)
      known.set(id, decode(table, tableOf(table), values))
      const rows = unwritten.get(table) ?? new Map()
      unwritten.set(table, rows.set(id, values))
    },
    async remove(table, key) {
      await flush(table)
      known.set(idOf(table, key), undefined)
      let query = tx.deleteFrom(table as string)
      for (const [column, value] of keyOf(tableOf(table), key)) query = query.where(column, '=', value)
      await query.execute()
    },
    async list(table, where, options = {}) {
      await flush(table)
      let query = tx.selectFrom(table).selectAll()
      for (const [column, value] of Object.entries(encode(tableOf(table), where))) {
        // As part of the statement where an index is of one value alone: for a parameter it might not be used.
        const wanted = column === 'open' || column === 'final' ? sql.lit(value) : value
        query = value === null ? query.where(column, 'is', null) : query.where(column, '=', wanted)
      }
      if (options.after !== undefined) {
        // Without those that are fixed: an index finds where to begin by what is left of the key, and only by that.
        const key = keyOf(tableOf(table), options.after).filter(([column]) => !(column in where))
        const [columns, values] = [
          key.map(([column]) => sql.ref(column)),
          key.map(([, value]) => sql`${value}`),
        ]
        const order = sql.raw(options.descending ? '<' : '>')
        query = query.where(sql<boolean>`(${sql.join(columns)}) ${order} (${sql.join(values)})`)
      }
      for (const column of tableOf(table).key)
        query = query.orderBy(column, options.descending ? 'desc' : 'asc')
      // SQLite knows no offset without a limit.
      const { limit = Number.MAX_SAFE_INTEGER, offset } = options
      if (options.limit !== undefined || offset !== undefined) query = query.limit(limit)
      if (offset !== undefined) query = query.offset(offset)
      return (await query.execute()).map((row) => decode(table, tableOf(table), row))
    },
  }
}

type Table = AnySchema[string]

/** Inserts the rows, or replaces those with the same keys. */
async function write(
  tx: Kysely<Database>,
  name: string,
  { key, columns }: Table,
  rows: readonly Record<string, Value>[],
) {
  const others = Object.keys(columns).filter((column) => !key.includes(column))
  const replaced = Object.fromEntries(others.map((column) => [column, sql.ref<Value>(`excluded.${column}`)]))
  await tx
    .insertInto(name)
    .values([...rows])
    .onConflict((conflict) => {
      const same = conflict.columns([...key])
      // A row that is all key is there, or it is not.
      return others.length === 0 ? same.doNothing() : same.doUpdateSet(replaced)
    })
    .execute()
}

function keyOf({ columns, key }: Table, row: Row): [string, Value][] {
  return key.map((name) => {
    const value = row[name]
    if (value === undefined || value === null) throw new Error(`The key needs ${name}.`)
    return [name, encoded(columns[name], value)]
  })
}

function encode({ columns }: Table, row: Row): Record<string, Value> {
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

function decode(table: string, { columns }: Table, row: Record<string, Value>): Row {
  return Object.fromEntries(
    Object.entries(columns).map(([column, type]) => {
      const value = row[column] ?? null
      if (value === null || type === 'text') return [column, value]
      return [column, type === 'amount' ? BigInt(value) : exact(table, column, value)]
    }),
  )
}

/** Integers come as text or as numbers; one that a number cannot hold exactly is refused, never rounded. */
function exact(table: string, column: string, value: Value): number {
  const number = Number(value)
  if (Number.isSafeInteger(number)) return number
  throw new Error(`${table}.${column} is ${value}, which is no integer that a number holds exactly.`)
}
