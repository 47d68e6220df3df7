/** Holds the books against the chain, at one block: every total that the chain also keeps, read anew. */
import type { Hex } from 'viem'
import { GrantError } from './GrantError.js'
import * as Meter from './Meter.js'
import * as Permission from './Permission.js'
import type * as Settlement from './Settlement.js'
import * as Spm from './Spm.js'
import * as Sync from './Sync.js'
import { sourceOf, type Worker, type WorkerOptions } from './Worker.js'

/** One thing that both the books and the chain say. Amounts in base units. */
export type Check = {
  readonly name: 'pulled' | 'today' | 'sent' | 'period' | 'approved' | 'revoked'
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

/** How often to begin again where the chain is reorganised under the comparison. */
const attempts = 5

/**
 * Reads the chain to its head, then compares at that block: what was pulled, in all and on the block's UTC day,
 * and what the agent sent on (all events since the books began, read again), the permission's current period in
 * SpendPermissionManager's storage, and whether it is approved and revoked.
 *
 * @throws GrantError `CHAIN_UNSEEN` where the chain did not stand still for long enough
 */
export async function verify(options: VerifyOptions): Promise<Report> {
  for (let attempt = 0; attempt < attempts; attempt++) {
    await options.worker.round()
    const report = await compare(options).catch(Sync.redact('Holding the books against the chain'))
    if (report) return report
  }
  throw new GrantError(
    'CHAIN_UNSEEN',
    `The block that the books were held against was replaced ${attempts} times. Try again when the chain is calm, or with another endpoint.`,
    { figures: { attempts }, retryable: true },
  )
}

/** The report on the books' head, or undefined where the endpoint has another block there. */
async function compare(options: VerifyOptions): Promise<Report | undefined> {
  const { client, store, grantId } = options
  // In one look, so that the books may go on while the chain is asked.
  const books = await store.transact(grantId, async (tx) => {
    const { row, source } = await sourceOf(tx, options)
    const bounds = Permission.periodAt(source.current, row.headTime)
    return {
      row,
      source,
      bounds,
      pulled: await Meter.read(tx, grantId, Meter.total),
      today: await Meter.read(tx, grantId, Meter.day(row.headTime)),
      sent: await Meter.read(tx, grantId, Meter.sent),
      period: bounds
        ? await Meter.read(tx, grantId, Meter.period(row.permissionHash, bounds.start))
        : undefined,
    }
  })
  const { row, source, bounds } = books
  const blockNumber = BigInt(row.headNumber)
  const at = { permission: source.current, blockNumber }
  const [facts, approved, revoked, current] = await Promise.all([
    Sync.readFacts(client, source, { grantId, after: row.startNumber, to: row.headNumber }),
    Spm.isApproved(client, at),
    Spm.isRevoked(client, at),
    bounds ? Spm.getCurrentPeriod(client, at) : undefined,
  ])
  // Last: what was read before is of this block only if it still stands.
  const block = await client.getBlock({ blockNumber })
  if (block.hash !== row.headHash) return undefined

  const pulls = facts.filter(({ kind }) => kind === 'pull')
  const today = pulls.filter(({ time }) => Meter.day(time) === Meter.day(row.headTime))
  const sum = (facts: readonly Settlement.Fact[]) => facts.reduce((sum, { amount }) => sum + amount, 0n)
  const checks = [
    check('pulled', books.pulled, sum(pulls)),
    check('today', books.today, sum(today)),
    check('sent', books.sent, sum(facts.filter(({ kind }) => kind === 'transfer'))),
    check('period', books.period ?? 0n, current?.spent ?? 0n),
    check('approved', row.approved === 1, approved),
    check('revoked', row.revoked === 1, revoked),
  ]
  return {
    block: { number: row.headNumber, hash: block.hash },
    checks,
    equal: checks.every(({ equal }) => equal),
  }
}

function check(name: Check['name'], ledger: bigint | boolean, chain: bigint | boolean): Check {
  return { name, ledger, chain, equal: ledger === chain }
}
