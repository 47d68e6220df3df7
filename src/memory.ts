/** The books in this process's memory: for tests and trials. They end with the process. */
import type { Store, TableStore, Transaction } from './Store.js'
import { type Schema, schema } from './Tables.js'

type AnyRow = Record<string, unknown>

export function memory(): Store {
  return memoryOf(schema)
}

/** The same for other tables. */
export function memoryOf<tables, lock extends string>(schema: Schema<tables>): TableStore<tables, lock> {
  const keys = new Map(
    Object.entries<{ key: readonly string[] }>(schema).map(([name, { key }]) => [name, key]),
  )
  const tables = new Map<string, Map<string, AnyRow>>(Object.keys(schema).map((name) => [name, new Map()]))
  let tail: Promise<unknown> = Promise.resolve()

  return {
    transact(_lock, work) {
      // One at a time for the whole store, which is more than one grant's lock and as fast here.
      const turn = tail.then(async () => {
        const undo: (() => void)[] = []
        try {
          return await work(transaction(tables, keys, undo))
        } catch (error) {
          for (const step of undo.reverse()) step()
          throw error
        }
      })
      tail = turn.catch(() => {})
      return turn
    },
    async close() {},
  }
}

function transaction<all>(
  tables: Map<string, Map<string, AnyRow>>,
  keys: Map<string, readonly string[]>,
  undo: (() => void)[],
): Transaction<all> {
  const rows = (table: string) => tables.get(table) ?? new Map<string, AnyRow>()
  const keyOf = (table: string) => keys.get(table) ?? []
  const idOf = (table: string, row: AnyRow) => JSON.stringify(keyOf(table).map((name) => row[name]))
  const set = (table: string, id: string, row: AnyRow | undefined) => {
    const before = rows(table).get(id)
    undo.push(() => (before ? rows(table).set(id, before) : rows(table).delete(id)))
    if (row) rows(table).set(id, row)
    else rows(table).delete(id)
  }
  return {
    async get(table, key) {
      return rows(table).get(idOf(table, key)) as all[typeof table] | undefined
    },
    async load() {},
    async put(table, row) {
      set(table, idOf(table, row as AnyRow), { ...(row as AnyRow) })
    },
    async remove(table, key) {
      set(table, idOf(table, key), undefined)
    },
    async list(table, where, options = {}) {
      const order = (a: AnyRow, b: AnyRow) => compare(keyOf(table), a, b) * (options.descending ? -1 : 1)
      const { after } = options
      const found = [...rows(table).values()].filter(
        (row) =>
          Object.entries(where).every(([name, value]) => row[name] === value) &&
          (after === undefined || order(row, after) > 0),
      )
      found.sort(order)
      const offset = options.offset ?? 0
      return found.slice(offset, options.limit === undefined ? undefined : offset + options.limit) as never
    },
  }
}

function compare(key: readonly string[], a: AnyRow, b: AnyRow): number {
  for (const name of key) {
    const [left, right] = [a[name] as string | number, b[name] as string | number]
    if (left !== right) return left < right ? -1 : 1
  }
  return 0
}
