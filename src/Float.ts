/**
 * What a payer holds to pay authorizations with. Fundings fill it and count against the caps; authorizations empty it and
 * count against it, from the moment at which they are reserved.
 */
import * as Meter from './Meter.js'
import type { State } from './State.js'
import type { GrantRow, Transaction } from './Store.js'

/** Whether the payer is the agent's own address, which pulls fill: on the direct rail. Else it is a purse. */
export function isAgents({ payer, agent }: Pick<GrantRow, 'payer' | 'agent'>): boolean {
  return payer === agent
}

/**
 * What the payer holds for the permission in use, base units.
 *
 * Of a purse that is nothing where another permission has funded it, because the next funding sends that back to the
 * account. Of the agent's own address it is what was pulled and is still there, less what is on its way through it to
 * payees: what others gave to that address was metered by no cap, and is left alone.
 */
export async function balance(tx: Transaction, row: GrantRow): Promise<bigint> {
  const { grantId, payerBalance, fundedBy, permissionHash } = row
  if (!isAgents(row)) return fundedBy === permissionHash ? payerBalance : 0n
  const left = await pulled(tx, row)
  return positive(
    (left < payerBalance ? left : payerBalance) - (await Meter.read(tx, grantId, Meter.carried)),
  )
}

/** What was pulled to the agent's own address and did not leave it again; below 0 where more left than ever came by pulls. */
export async function pulled(tx: Transaction, { grantId }: Pick<GrantRow, 'grantId'>): Promise<bigint> {
  const read = (name: string) => Meter.read(tx, grantId, name)
  return (await read(Meter.total)) - (await read(Meter.sent)) - (await read(Meter.authorized))
}

/** What is left of it for another authorization; 0 where more is held than there is. */
export async function free(tx: Transaction, row: GrantRow): Promise<bigint> {
  return positive((await balance(tx, row)) - (await Meter.read(tx, row.grantId, Meter.held)))
}

/** The purse as decisions look at it; undefined where there is none. */
export async function purse(tx: Transaction, row: GrantRow): Promise<State['purse']> {
  return row.payer === null ? undefined : { address: row.payer, balance: await free(tx, row) }
}

const positive = (amount: bigint) => (amount > 0n ? amount : 0n)
