/** Holds the books against the chain, at one block: every total that the chain also keeps, read anew. */
import type { Hex } from 'viem'
import * as Meter from './Meter.js'
import * as Permission from './Permission.js'
import * as Spm from './Spm.js'
import * as Sync from './Sync.js'
import { readSource, type Worker, type WorkerOptions } from './Worker.js'

/** One thing that both the books and the chain say. Amounts in base units. */
export type Check = {
  readonly name: 'pulled' | 'sent' | 'period' | 'approved' | 'revoked'
  readonly ledger: bigint | boolean
  readonly chain: bigint | boolean
  readonly equal: boolean
}

export type Report = {
  readonly block: { readonly number: number; readonly hash: Hex }
  readonly checks: readonly Check[]
  /** Whether all of them are equal. */
  readonly equal: boolean
}

type VerifyOptions = Pick<WorkerOptions, 'client' | 'store' | 'grantId' | 'agent' | 'token' | 'finality'> & {
  readonly worker: Pick<Worker, 'round'>
}

/**
 * Reads the chain to its head, then compares at that block: what was pulled and what the agent sent on (all
 * events since the books began, read again), the permission's current period in SpendPermissionManager's
 * storage, and whether it is approved and revoked.
 */
export async function verify(options: VerifyOptions): Promise<Report> {
  const { client, store, grantId, worker } = options
  for (;;) {
    await worker.round()
    const { row, source } = await readSource(options)
    const bounds = Permission.periodAt(source.current, row.headTime)
    const [pulled, sent, period] = await store.transact(grantId, (tx) =>
      Promise.all([
        Meter.read(tx, grantId, Meter.total),
        Meter.read(tx, grantId, Meter.sent),
        bounds ? Meter.read(tx, grantId, Meter.period(row.permissionHash, bounds.start)) : 0n,
      ]),
    )
    const blockNumber = BigInt(row.headNumber)
    const at = { permission: source.current, blockNumber }
    const [facts, approved, revoked, current, block] = await Promise.all([
      Sync.readFacts(client, source, { grantId, after: row.startNumber, to: row.headNumber }),
      Spm.isApproved(client, at),
      Spm.isRevoked(client, at),
      bounds ? Spm.getCurrentPeriod(client, at) : undefined,
      client.getBlock({ blockNumber }),
    ])
    // A block that was replaced meanwhile, or books that went on, would compare two different moments.
    if (block.hash !== row.headHash) continue
    if ((await readSource(options)).row.headHash !== row.headHash) continue
    const sum = (kind: 'pull' | 'transfer') =>
      facts.reduce((sum, fact) => (fact.kind === kind ? sum + fact.amount : sum), 0n)
    const checks = [
      check('pulled', pulled, sum('pull')),
      check('sent', sent, sum('transfer')),
      check('period', period, current?.spent ?? 0n),
      check('approved', row.approved === 1, approved),
      check('revoked', row.revoked === 1, revoked),
    ]
    return {
      block: { number: row.headNumber, hash: block.hash },
      checks,
      equal: checks.every(({ equal }) => equal),
    }
  }
}

function check(name: Check['name'], ledger: bigint | boolean, chain: bigint | boolean): Check {
  return { name, ledger, chain, equal: ledger === chain }
}
