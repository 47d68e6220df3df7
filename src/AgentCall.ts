/** A call of the agent that is no payment, such as submitting the owner's signature, until the books show what it did. */
import * as Book from './Book.js'
import { ChainError, toChainError } from './ChainError.js'
import { HardcapError } from './errors.js'
import * as Gas from './Gas.js'
import * as Omission from './Omission.js'
import * as Outbox from './Outbox.js'
import { lifetime } from './Payment.js'
import type * as Spm from './Spm.js'
import type { GrantRow, TransactionRow } from './Store.js'
import * as Sync from './Sync.js'
import { simulate } from './Transaction.js'
import type { Worker } from './Worker.js'

/** Who makes the call, and who follows the chain for the books. */
export type Caller = {
  readonly submitter: Outbox.Submitter
  readonly worker: Pick<Worker, 'round'>
  readonly pollMs: number
}

type MakeOptions = {
  readonly call: Spm.Call
  readonly outcome: 'approved' | 'revoked' | 'replaced' | 'cancelled'
  readonly isDone: (row: GrantRow) => boolean | Promise<boolean>
  readonly doing: string
}

/**
 * Sends a call and waits until the books have read it, and `isDone` finds in them, or at their head, what it was for.
 * @throws GrantError `GAS_LOW`, `CLOSED`; ChainError with the decoded revert, `OUTCOME_UNKNOWN`, `OUTCOME_MISSING`
 */
export async function make(caller: Caller, options: MakeOptions): Promise<void> {
  const { call, outcome, isDone, doing } = options
  const { submitter } = caller
  const row = await submitCall(submitter, call, doing).catch(Sync.redact(doing))
  const { hash } = row
  try {
    while (!(await isMined(caller, row))) await pause(caller)
  } catch (error) {
    throw new ChainError(
      'OUTCOME_UNKNOWN',
      `${doing}: transaction ${hash} is signed and kept, and was not seen mined. It is sent again with the agent's next transaction; look at the status before trying again.`,
      { figures: { hash, reason: reasonOf(error, doing) } },
    )
  }
  if (await isDone(await rowOf(submitter))) return
  throw new ChainError('OUTCOME_MISSING', `${doing}: ${hash} is mined, and nothing is ${outcome}.`, {
    figures: { hash },
  })
}

/**
 * As `make`, for a call that anybody may send: by the relay, if there is one. It is given it again until the books show
 * what it was for.
 * @throws as `make`; with a relay ChainError `OUTCOME_UNKNOWN` after as long as a payment is waited for, by chain time
 */
export async function makeByAnybody(caller: Caller, options: MakeOptions): Promise<void> {
  const { submitter, worker } = caller
  const { client, agent, fees } = submitter
  const { call, isDone, doing } = options
  if (!submitter.relay) return make(caller, options)
  await simulate(client, { call, from: agent.address, doing })
  const began = await rowOf(submitter)
  let givenAt: number | undefined
  for (let row = began; row.headTime - began.headTime < lifetime; row = await rowOf(submitter)) {
    if (givenAt === undefined || row.headNumber - givenAt >= fees.replaceAfterBlocks) {
      Outbox.give(submitter, call)
      givenAt = row.headNumber
    }
    await worker.round()
    if (await isDone(await rowOf(submitter))) return
    await pause(caller)
  }
  throw new ChainError(
    'OUTCOME_UNKNOWN',
    `${doing}: the relay was given the call, and the chain has not shown it for ${lifetime} seconds. It may still send it; look at the status before trying again.`,
    { figures: { to: call.to } },
  )
}

/** Without the URL that viem's own errors carry. */
function reasonOf(error: unknown, doing: string): string {
  return error instanceof HardcapError ? error.message : toChainError(error, doing).message
}

function pause({ pollMs }: Caller): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, pollMs))
}

async function submitCall(
  submitter: Outbox.Submitter,
  call: Spm.Call,
  doing: string,
): Promise<TransactionRow> {
  const prepared = await Outbox.prepare(submitter, call, doing)
  await Gas.assertEnough(submitter, prepared)
  const row = await Outbox.signAndSend(submitter, { key: '', kind: 'call', call: prepared })
  if (!row) throw new Error(`${doing}: a call always gets a nonce.`)
  return row
}

/** Whether the books have read the block of a transaction, or of one that took its place with a higher fee. */
async function isMined({ submitter, worker }: Caller, { nonce }: TransactionRow): Promise<boolean> {
  const { client, store, grantId } = submitter
  await worker.round()
  for (const { hash } of await store.transact(grantId, (tx) => tx.list('transactions', { grantId, nonce }))) {
    const receipt = await Omission.receiptOf(client, hash)
    if (receipt) return receipt.blockNumber <= (await rowOf(submitter)).headNumber
  }
  await Outbox.push(submitter)
  return false
}

function rowOf({ store, grantId }: Outbox.Submitter): Promise<GrantRow> {
  return store.transact(grantId, (tx) => Book.get(tx, grantId))
}
