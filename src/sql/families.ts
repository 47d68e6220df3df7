/** What hardcap keeps in a database: the books, and the server's records. Each is brought up to date by itself. */

import type { Tables } from '../Store.js'
import { type RecordTables, recordSchema } from '../server/Records.js'
import { schema } from '../Tables.js'
import { migrations } from './migrations.js'
import { recordMigrations } from './recordMigrations.js'
import type { Family } from './SqlStore.js'

export const books: Family<Tables> = { schema, journal: 'migrations', migrations }
export const records: Family<RecordTables> = {
  schema: recordSchema,
  journal: 'server_migrations',
  migrations: recordMigrations,
}
