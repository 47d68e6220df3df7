import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { memory } from '../../src/memory.js'
import type { Store } from '../../src/Store.js'
import { sqlite } from '../../src/sqlite/index.js'
import { postgresBooks } from '../database.js'

/** A store that every suite about the books runs on. `open` may be called again for the same books. */
export type StoreKind = {
  readonly name: string
  readonly create: () => { open: () => Store; end: () => Promise<void> }
}

/** Those that live in this process: memory and SQLite. */
export const embeddedKinds: readonly StoreKind[] = [
  {
    name: 'memory',
    create() {
      const store = memory()
      return { open: () => ({ ...store, close: async () => {} }), end: store.close }
    },
  },
  {
    name: 'sqlite',
    create() {
      const folder = mkdtempSync(join(tmpdir(), 'hardcap-books-'))
      const opened: Store[] = []
      return {
        open() {
          const store = sqlite(join(folder, 'books.db'))
          opened.push(store)
          return store
        },
        async end() {
          for (const store of opened) await store.close().catch(() => {})
          rmSync(folder, { recursive: true, force: true })
        },
      }
    },
  },
]

export const storeKinds: readonly StoreKind[] = [
  ...embeddedKinds,
  { name: 'postgres', create: postgresBooks },
]
