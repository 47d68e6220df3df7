/** How a replica opens the store that it is told to. */

import type { Store } from '../../src/index.js'
import { postgres } from '../../src/postgres/index.js'
import { sqlite } from '../../src/sqlite/index.js'
import type { Gate } from './points.js'

/** Where books are: a file, or a schema of a server, with its password. */
export type Place = { readonly path: string } | { readonly url: string; readonly schema: string }

export function openStore(place: Place): Store {
  if ('path' in place) return sqlite(place.path)
  // One grant needs one connection, and ten hosts have to fit.
  return postgres(place.url, { schema: place.schema, poolSize: 2 })
}

/** The store, each commit of which passes the gate. */
export function gated(store: Store, gate: Gate): Store {
  return {
    close: store.close,
    async transact(grantId, work) {
      let leave = async () => {}
      const result = await store.transact(grantId, async (tx) => {
        const result = await work(tx)
        leave = await gate('commit')
        return result
      })
      await leave()
      return result
    },
  }
}
