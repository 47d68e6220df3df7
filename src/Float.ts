/**
 * What a payer holds to pay authorizations with. Fundings fill it and count against the caps; authorizations empty it and
 * count against it, from the moment at which they are reserved.
 */
import type { Address } from 'viem'
import type { Grant } from './Grant.js'
import * as Meter from './Meter.js'
import type { Permission } from './Permission.js'
import { address as purseOf } from './PurseAddress.js'
import { type Refusal, refuse } from './Refusal.js'
import type { State } from './State.js'
import type { GrantRow, Transaction } from './Store.js'

/** Whose float pays authorizations; null where none does. */
export function payerOf({ rail, agent, maxFloat }: Grant, permission: Permission): Address | null {
  if (rail === 'direct') return maxFloat === null ? null : agent
  return rail === 'purse' ? purseOf(permission) : null
}

/** Whether the payer is the agent's own address, which pulls fill: on the direct rail. Else it is a purse. */
export function isAgents({ payer, agent }: Pick<GrantRow, 'payer' | 'agent'>): boolean {
  return payer === agent
}

/**
 * Why the float can neither be paid from nor filled, where the books have not read on chain yet what it holds: to take that
 * for nothing would fill it twice.
 */
export function unread({ payer, payerBalance, headNumber }: GrantRow): Refusal | undefined {
  if (payer === null || payerBalance !== null) return undefined
  const reason = `The books have read the chain up to block ${headNumber} and are on the way to its head, so what the float ${payer} holds is not known yet. Try again once they are there.`
  return refuse('CHAIN_UNSEEN', reason, { payer, head: headNumber }, true)
}

/**
 * What the payer holds for the permission in use, base units; 0 where that is not known yet.
 *
 * Of a purse that is nothing where another permission has funded it, because the next funding sends that back to the
 * account. Of the agent's own address it is what was pulled and is still there, less what is on its way through it to
 * payees: what others gave to that address was metered by no cap, and is left alone.
 */
export async function balance(tx: Transaction, row: GrantRow): Promise<bigint> {
  const { grantId, fundedBy, permissionHash } = row
  const payerBalance = row.payerBalance ?? 0n
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
