/** A store in SQL, the same for every database that Kysely speaks to. */
import { type Kysely, sql } from 'kysely'
import { HardcapError } from '../errors.js'
import type { Store, Transaction } from '../Store.js'
import { migrations } from './migrations.js'
import { type Database, rowsOf } from './Rows.js'

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
      const rows = rowsOf(tx)
      const result = await work(rows)
      await rows.finish()
      return result
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
