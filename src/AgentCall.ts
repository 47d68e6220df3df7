/** A call of the agent that is no payment, such as submitting the owner's signature, until the books show what it did. */
import type { Hex } from 'viem'
import * as Book from './Book.js'
import { ChainError } from './ChainError.js'
import * as Outbox from './Outbox.js'
import type * as Spm from './Spm.js'
import type { GrantRow } from './Store.js'
import * as Sync from './Sync.js'
import type { Worker } from './Worker.js'

/** Who makes the call, and who follows the chain for the books. */
export type Caller = {
  readonly submitter: Outbox.Submitter
  readonly worker: Pick<Worker, 'round'>
  readonly pollMs: number
}

/**
 * Sends a call and waits until the books have read it, and `isDone` finds in them, or at their head, what it was for.
 * @throws GrantError `GAS_LOW`, `CLOSED`; ChainError with the decoded revert, `OUTCOME_UNKNOWN`, `OUTCOME_MISSING`
 */
export async function make(
  caller: Caller,
  options: {
    call: Spm.Call
    outcome: 'approved' | 'revoked' | 'replaced'
    isDone: (row: GrantRow) => boolean | Promise<boolean>
    doing: string
  },
): Promise<void> {
  const { call, outcome, isDone, doing } = options
  const { submitter, pollMs } = caller
  const hash = await Outbox.submitCall(submitter, call, doing).catch(Sync.redact(doing))
  try {
    while (!(await isMined(caller, hash))) await new Promise((resolve) => setTimeout(resolve, pollMs))
  } catch (error) {
    throw new ChainError(
      'OUTCOME_UNKNOWN',
      `${doing}: transaction ${hash} is signed and kept, and was not seen mined. It is sent again with the agent's next transaction; look at the status before trying again.`,
      { figures: { hash, reason: error instanceof Error ? error.message : String(error) } },
    )
  }
  if (await isDone(await rowOf(submitter))) return
  throw new ChainError('OUTCOME_MISSING', `${doing}: ${hash} is mined, and nothing is ${outcome}.`, {
    figures: { hash },
  })
}

/** Whether the books have read the block of a transaction. */
async function isMined({ submitter, worker }: Caller, hash: Hex): Promise<boolean> {
  await worker.round()
  const receipt = await Sync.receiptOf(submitter.client, hash)
  if (receipt) return receipt.blockNumber <= (await rowOf(submitter)).headNumber
  await Outbox.rebroadcast(submitter)
  return false
}

function rowOf({ store, grantId }: Outbox.Submitter): Promise<GrantRow> {
  return store.transact(grantId, (tx) => Book.get(tx, grantId))
}
