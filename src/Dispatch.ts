/** What goes out in one round: the open payments of a grant, each taken one step further. */
import * as Book from './Book.js'
import { GrantError } from './GrantError.js'
import * as Lost from './Lost.js'
import * as Outbox from './Outbox.js'
import * as Submit from './Submit.js'
import * as Sync from './Sync.js'

export type Listener = {
  /** A payment's next step cannot be taken. */
  readonly onRefused: (key: string, error: GrantError) => void
  /** Whether the worker has stopped, so that nothing more may begin. */
  readonly isStopped: () => boolean
}

/** Takes the steps that are due. What stops one payment does not stop the others. */
export async function drive(submitter: Outbox.Submitter, { onRefused, isStopped }: Listener): Promise<void> {
  const { store, grantId } = submitter
  const { open, row } = await store.transact(grantId, async (tx) => ({
    open: await tx.list('payments', { grantId, open: 1 }),
    row: await Book.get(tx, grantId),
  }))
  if (open.length === 0 || isStopped()) return
  const failures: unknown[] = []
  await Outbox.rebroadcast(submitter).catch((error: unknown) => failures.push(error))
  // What looks due to books that have forgotten something may be done already.
  if (Lost.refusal(row)) return
  for (const payment of open) {
    if (isStopped()) return
    try {
      await Submit.step(submitter, payment)
    } catch (error) {
      if (error instanceof GrantError) onRefused(payment.key, error)
      else failures.push(error)
    }
  }
  if (failures.length > 0) Sync.redact('Submitting payments')(failures[0])
}
