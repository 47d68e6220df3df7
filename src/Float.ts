/**
 * What a payer holds to pay authorizations with. Fundings fill it and count against the caps; authorizations empty it and
 * count against it, from the moment at which they are reserved.
 */
import * as Meter from './Meter.js'
import type { State } from './State.js'
import type { GrantRow, Transaction } from './Store.js'

/** What the payer holds for the permission in use, base units: the next funding sends the rest back to the account. */
export function balance({ payerBalance, fundedBy, permissionHash }: GrantRow): bigint {
  return fundedBy === permissionHash ? payerBalance : 0n
}

/** What is left of it for another authorization; 0 where more is held than there is. */
export async function free(tx: Transaction, row: GrantRow): Promise<bigint> {
  const left = balance(row) - (await Meter.read(tx, row.grantId, Meter.held))
  return left > 0n ? left : 0n
}

/** The purse as decisions look at it; undefined where there is none. */
export async function purse(tx: Transaction, row: GrantRow): Promise<State['purse']> {
  return row.payer === null ? undefined : { address: row.payer, balance: await free(tx, row) }
}
