/**
 * What the chain itself has metered, against what the books have counted: the only way to notice logs that an endpoint
 * left out. On the guard rail the guard's total and day of the grant, on the direct rail SpendPermissionManager's
 * current period of the permission.
 */
import type { Hex, PublicClient } from 'viem'
import { GrantError } from './GrantError.js'
import * as Guard from './GuardRead.js'
import * as Logs from './Logs.js'
import * as Meter from './Meter.js'
import * as Permission from './Permission.js'
import * as Spm from './SpmRead.js'
import type { GrantRow, Transaction } from './Store.js'

/** Base units by the name of the books' meter that has to hold as much. */
export type Totals = ReadonlyMap<string, bigint>

/** What does not agree. Amounts in base units. */
export type Doubt = {
  readonly what: string
  readonly books: bigint | string
  readonly chain: bigint | string
}

/**
 * Read in the state of one block.
 * @param options.time that block's, unix seconds
 * @throws ChainError `RPC_FAILED`
 */
export async function read(
  client: PublicClient,
  subject: Pick<Logs.Subject, 'current' | 'agent'>,
  { blockHash, time }: { blockHash: Hex; time: number },
): Promise<Totals> {
  const permission = subject.current
  if (Logs.isGuarded(subject)) {
    const { total, perDay } = await Guard.used(client, { permission, blockHash })
    return new Map([
      [Meter.total, total ?? 0n],
      [Meter.day(time), perDay ?? 0n],
    ])
  }
  const bounds = Permission.periodAt(permission, time)
  if (!bounds) return new Map()
  const { spent } = await Spm.getCurrentPeriod(client, { permission, blockHash })
  return new Map([[Meter.period(Permission.hash(permission), bounds.start), spent]])
}

/** The first that the books do not have as the chain does. */
export async function compare(
  tx: Transaction,
  { grantId }: Pick<GrantRow, 'grantId'>,
  totals: Totals,
): Promise<Doubt | undefined> {
  for (const [what, chain] of totals) {
    const books = await Meter.read(tx, grantId, what)
    if (books !== chain) return { what, books, chain }
  }
  return undefined
}

/** The error for a doubt that another reading has not removed. */
export function missing({ what, books, chain }: Doubt): GrantError {
  return new GrantError(
    'LOGS_MISSING',
    `The chain holds ${chain} as ${what}, and the logs that the endpoint gives come to ${books}. It leaves some out, or the books begin after the grant's first payment: then open empty books with its time as since. Nothing is reserved meanwhile. Try another endpoint.`,
    { figures: { what, books, chain }, retryable: true },
  )
}
