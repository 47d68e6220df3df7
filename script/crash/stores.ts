import type { Store } from '../../src/index.js'
import { sqlite } from '../../src/sqlite/index.js'

/** The store that a URL names: `sqlite:<path>`. */
export function openStore(url: string): Store {
  if (url.startsWith('sqlite:')) return sqlite(url.slice('sqlite:'.length))
  throw new Error(`No store is opened by ${url.split(':')[0]}:`)
}
