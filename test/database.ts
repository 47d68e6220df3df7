/** The PostgreSQL of this run of the tests, and schemas in it. */
import { randomBytes } from 'node:crypto'
import pg from 'pg'
import { inject } from 'vitest'
import { type PostgresOptions, postgres } from '../src/postgres/index.js'
import type { Store } from '../src/Store.js'

let asked: Promise<string> | undefined

/** The connection string of a server that all test files share. */
export function databaseUrl(): Promise<string> {
  asked ??= fetch(inject('postgres')).then(async (answer) => {
    const text = await answer.text()
    if (!answer.ok) throw new Error(text)
    return text
  })
  return asked
}

/** Asks the server behind the store's back. */
export async function query(sql: string, parameters: unknown[] = [], url?: string) {
  const client = new pg.Client({ connectionString: url ?? (await databaseUrl()) })
  await client.connect()
  try {
    return (await client.query(sql, parameters)).rows
  } finally {
    await client.end()
  }
}

/** Books in a schema of their own, which `open` gives again and again, each time as another host has them. The server
 * knows its sessions by the schema's name. */
export function postgresBooks() {
  const schema = `books_${randomBytes(8).toString('hex')}`
  const opened: Store[] = []
  return {
    schema,
    open(options: PostgresOptions = {}): Store {
      // The server is started for the first transaction, and not before.
      const made = async () => {
        const url = new URL(await databaseUrl())
        url.searchParams.set('application_name', schema)
        return postgres(url.href, { poolSize: 4, schema, ...options })
      }
      let store: Promise<Store> | undefined
      const lazy: Store = {
        async transact(grantId, work) {
          store ??= made()
          return (await store).transact(grantId, work)
        },
        close: async () => (await store)?.close(),
      }
      opened.push(lazy)
      return lazy
    },
    async end() {
      for (const store of opened) await store.close()
      if (opened.length > 0) await query(`drop schema if exists ${schema} cascade`)
    },
  }
}
