/** A store in SQL, the same for every database that Kysely speaks to. */
import { type Kysely, sql } from 'kysely'
import { HardcapError } from '../errors.js'
import type { TableStore, Transaction } from '../Store.js'
import type { Schema } from '../Tables.js'
import { type AnySchema, type Database, rowsOf } from './Rows.js'

/** Tables that belong together, and how a database comes to have them. Several families may share a database. */
export type Family<tables> = {
  readonly schema: Schema<tables>
  /** Which migrations were made, by name: a table of the family's own. */
  readonly journal: string
  readonly migrations: Readonly<Record<string, readonly string[]>>
}

/** What one database does in its own way. */
export type Engine = {
  /** The type of a text column, compared by its bytes, so that order and equality are the same everywhere. */
  readonly text: string
  /** Whether the database has this table. */
  readonly hasTable: (tx: Kysely<Database>, name: string) => Promise<boolean>
  /** At the start of a transaction: waits until no other one has the lock of this name, and keeps it to the end. */
  readonly lock: (tx: Kysely<Database>, name: string) => Promise<void>
  /** Before a transaction under this lock asks for a connection: waits for those of this process, if that has to be. */
  readonly turn?: <result>(name: string, work: () => Promise<result>) => Promise<result>
  /** At the start of the first transaction, before there is a table. */
  readonly prepare?: (tx: Kysely<Database>) => Promise<void>
}

/**
 * A store that brings its database up to this schema before the first transaction. `closed` makes what it throws after
 * `close`, which lets the transactions end that have been asked for before it.
 */
export function sqlStore<tables, lock extends string>(
  db: Kysely<Database>,
  engine: Engine,
  family: Family<tables>,
  closed: () => HardcapError,
): TableStore<tables, lock> {
  const schema = family.schema as unknown as AnySchema
  const running = new Set<Promise<unknown>>()
  let ready: Promise<void> | undefined
  let closing: Promise<void> | undefined

  async function migrated(): Promise<void> {
    ready ??= migrate(db, engine, family)
    await ready.catch((error: unknown) => {
      ready = undefined
      throw error
    })
  }
  async function run<result>(
    lock: string,
    work: (tx: Transaction<tables>) => Promise<result>,
  ): Promise<result> {
    await migrated()
    return db.transaction().execute(async (tx) => {
      await engine.lock(tx, lock)
      const rows = rowsOf(tx, schema)
      const result = await work(rows as unknown as Transaction<tables>)
      await rows.finish()
      return result
    })
  }
  async function end(): Promise<void> {
    await Promise.allSettled(running)
    await db.destroy()
  }
  return {
    async transact(lock, work) {
      if (closing) throw closed()
      const result = engine.turn ? engine.turn(lock, () => run(lock, work)) : run(lock, work)
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
function migrate<tables>(
  db: Kysely<Database>,
  engine: Engine,
  { journal, migrations }: Family<tables>,
): Promise<void> {
  return db.transaction().execute(async (tx) => {
    await engine.lock(tx, 'migrations')
    await engine.prepare?.(tx)
    // Looked for, because `if not exists` asks for the right to create also where the table is there.
    if (!(await engine.hasTable(tx, journal))) {
      await sql.raw(`create table "${journal}" ("name" ${engine.text} not null primary key)`).execute(tx)
    }
    const rows = await tx.selectFrom(journal).select('name').execute()
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
      await tx.insertInto(journal).values({ name }).execute()
    }
  })
}
