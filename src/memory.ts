/** The books in this process's memory: for tests and trials. They end with the process. */
import { type Store, schema, type TableName, type Tables, type Transaction } from './Store.js'

type AnyRow = Record<string, unknown>

export function memory(): Store {
  const tables = new Map<string, Map<string, AnyRow>>(Object.keys(schema).map((name) => [name, new Map()]))
  let tail: Promise<unknown> = Promise.resolve()

  return {
    transact(_grantId, work) {
      // One at a time for the whole store, which is more than one grant's lock and as fast here.
      const turn = tail.then(async () => {
        const undo: (() => void)[] = []
        try {
          return await work(transaction(tables, undo))
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

function transaction(tables: Map<string, Map<string, AnyRow>>, undo: (() => void)[]): Transaction {
  const rows = (table: TableName) => tables.get(table) ?? new Map<string, AnyRow>()
  const set = (table: TableName, id: string, row: AnyRow | undefined) => {
    const before = rows(table).get(id)
    undo.push(() => (before ? rows(table).set(id, before) : rows(table).delete(id)))
    if (row) rows(table).set(id, row)
    else rows(table).delete(id)
  }
  return {
    async get(table, key) {
      return rows(table).get(idOf(table, key)) as Tables[typeof table] | undefined
    },
    async load() {},
    async put(table, row) {
      set(table, idOf(table, row), { ...row })
    },
    async remove(table, key) {
      set(table, idOf(table, key), undefined)
    },
    async list(table, where, options = {}) {
      const found = [...rows(table).values()].filter((row) =>
        Object.entries(where).every(([name, value]) => row[name] === value),
      )
      found.sort((a, b) => compare(table, a, b) * (options.descending ? -1 : 1))
      const offset = options.offset ?? 0
      return found.slice(offset, options.limit === undefined ? undefined : offset + options.limit) as never
    },
  }
}

function idOf(table: TableName, row: AnyRow): string {
  return JSON.stringify(schema[table].key.map((name) => row[name]))
}

function compare(table: TableName, a: AnyRow, b: AnyRow): number {
  for (const name of schema[table].key) {
    const [left, right] = [a[name] as string | number, b[name] as string | number]
    if (left !== right) return left < right ? -1 : 1
  }
  return 0
}
