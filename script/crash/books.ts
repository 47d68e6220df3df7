/** The places where the books of a world are, on either store, and how an operator backs them up. */
import { randomBytes } from 'node:crypto'
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Libsql from 'libsql'
import pg from 'pg'
import { type Line, startLine } from './line.js'
import type { Place } from './stores.js'

export type Books = {
  readonly place: Place
  /** The same books as another host reaches them, over a line of its own. */
  distant(delayMs: number): Promise<Place>
  /** A copy that the database itself makes, while it is in use. */
  backUp(): Promise<void>
  /** Puts the copy in the place of the books, while nobody uses them. */
  restore(): Promise<void>
  end(): Promise<void>
}

/** One file. */
export function sqliteBooks(): Books {
  const folder = mkdtempSync(join(tmpdir(), 'hardcap-crash-'))
  const path = join(folder, 'books.db')
  return {
    place: { path },
    distant: async () => {
      throw new Error('A file is on one host.')
    },
    async backUp() {
      const database = new Libsql(path)
      // As a replica that is about to commit holds the lock.
      database.exec('pragma busy_timeout = 5000')
      database.exec(`vacuum into '${path}.backup'`)
      database.close()
    },
    async restore() {
      for (const end of ['', '-wal', '-shm']) rmSync(path + end, { force: true })
      copyFileSync(`${path}.backup`, path)
    },
    end: async () => rmSync(folder, { recursive: true, force: true }),
  }
}

/** A schema of its own in the database that a URL names. */
export function postgresBooks(url: string): Books {
  const schema = `crash_${randomBytes(8).toString('hex')}`
  const backup = `${schema}_backup`
  const lines: Line[] = []
  return {
    place: { url, schema },
    async distant(delayMs) {
      const line = await startLine(url, delayMs)
      lines.push(line)
      return { url: line.url, schema }
    },
    backUp: () =>
      within(url, async (client) => {
        await client.query(`drop schema if exists ${backup} cascade`)
        await client.query(`create schema ${backup}`)
        for (const table of await tablesOf(client, schema))
          await client.query(`create table ${backup}.${table} as table ${schema}.${table}`)
      }),
    restore: () =>
      within(url, async (client) => {
        const tables = await tablesOf(client, backup)
        await client.query(`truncate ${tables.map((table) => `${schema}.${table}`).join(', ')}`)
        for (const table of tables)
          await client.query(`insert into ${schema}.${table} select * from ${backup}.${table}`)
      }),
    async end() {
      for (const line of lines) await line.stop()
      await within(url, async (client) => {
        for (const name of [backup, schema]) await client.query(`drop schema if exists ${name} cascade`)
      })
    },
  }
}

/** In one transaction, all of which sees the same moment. */
async function within(url: string, work: (client: pg.Client) => Promise<void>): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    await client.query('begin isolation level repeatable read')
    await work(client)
    await client.query('commit')
  } finally {
    await client.end()
  }
}

/** The grants first, which the rows of all others belong to. */
async function tablesOf(client: pg.Client, schema: string): Promise<string[]> {
  const sql = `select tablename from pg_tables where schemaname = $1 order by tablename <> 'grants'`
  const { rows } = await client.query(sql, [schema])
  return rows.map(({ tablename }: { tablename: string }) => tablename)
}
