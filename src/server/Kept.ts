/**
 * How many requests for approval are kept, and how long: nobody fills the disk with a key. A request counts for the
 * family of its key as long as it is kept, however it ended, unless its grant has come into the books, whose size is not
 * for keys to say. What a family asked for and is in the books stays the family's to see when the request has gone.
 */
import type { Transaction } from '../Store.js'
import * as Books from './Books.js'
import type { Settings } from './Options.js'
import { Problem } from './Problem.js'
import type { EndRow, RecordTables, RequestRow } from './Records.js'

/** Of everything that changes how many there are. */
export const lock = 'requests'

/** What is over that each new one takes with it, so that it never piles up. */
const swept = 8

type Tx = Transaction<RecordTables>

/** @throws Problem 409 `TOO_MANY_OPEN` */
export async function add(settings: Settings, row: RequestRow): Promise<void> {
  const { records, limits } = settings
  const { id, family, grantId, expiresAt } = row
  await sweep(settings, family)
  await records.transact(lock, async (tx) => {
    if ((await counted(tx, settings, family)).length >= limits.keptRequests)
      throw tooMany(limits.keptRequests)
    await tx.put('server_requests', row)
    await tx.put('server_ends', { endsAt: expiresAt, id, family, grantId, counts: 1 })
    await tx.put('server_asked', { family, grantId })
  })
}

/** That a request has ended now, and not when it would have. */
export async function end(tx: Tx, { expiresAt, id }: RequestRow, now: number): Promise<void> {
  const row = await tx.get('server_ends', { endsAt: expiresAt, id })
  if (!row) return
  await tx.remove('server_ends', row)
  await tx.put('server_ends', { ...row, endsAt: now })
}

/** Forgets some of what is over, whosever it is, and where the family has too many looks which grants are in the books. */
async function sweep(settings: Settings, family: string): Promise<void> {
  const { records, store, limits, clock } = settings
  const now = clock()
  const { over, own } = await records.transact(lock, async (tx) => {
    const oldest = await tx.list('server_ends', {}, { limit: swept })
    const rows = await counted(tx, settings, family)
    return {
      over: oldest.filter(({ endsAt }) => endsAt + limits.keptSeconds <= now),
      own: rows.length < limits.keptRequests ? [] : rows,
    }
  })
  if (over.length + own.length === 0) return
  // Before the transaction: books and records may be one file, which only one of them can have.
  const known = await Books.known(
    store,
    [...over, ...own].map(({ grantId }) => grantId),
  )
  await records.transact(lock, async (tx) => {
    for (const row of own)
      if (known.has(row.grantId) && (await tx.get('server_ends', row)))
        await tx.put('server_ends', { ...row, counts: 0 })
    for (const row of over) await forget(tx, row, known.has(row.grantId))
  })
}

async function forget(tx: Tx, row: EndRow, isInBooks: boolean): Promise<void> {
  await tx.remove('server_ends', row)
  await tx.remove('server_requests', row)
  if (!isInBooks) await tx.remove('server_asked', row)
}

/** The rows that count for the family, no more of them than it may have. */
function counted(tx: Tx, { limits }: Settings, family: string): Promise<EndRow[]> {
  return tx.list('server_ends', { family, counts: 1 }, { limit: limits.keptRequests })
}

function tooMany(most: number): Problem {
  const message = `${most} requests of this key are kept, which is the most: open ones, and those that ended lately. Wait until owners answer and the grants are in the books, or until requests lapse; an earlier expiresAt has them lapse sooner.`
  return new Problem(409, 'TOO_MANY_OPEN', message, { figures: { most } })
}
