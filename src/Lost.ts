/**
 * Books that have forgotten payments: lost and rebuilt, or restored from a backup. The chain tells of it when they are
 * opened: the agent has used nonces that they know nothing of. What was signed then and is not on chain yet could still
 * land, and its key would pay again. Through the guard it cannot once its deadline has passed, so until that is final
 * nothing is reserved. On the direct rail nothing ever ends it: there the operator has to say that it is over.
 */
import type { Address, Hex, PublicClient } from 'viem'
import * as Book from './Book.js'
import * as Grant from './Grant.js'
import { GrantError } from './GrantError.js'
import { lifetime } from './Payment.js'
import { type Refusal, refuse } from './Refusal.js'
import type { GrantRow, Store, Transaction } from './Store.js'
import * as Time from './Time.js'

/**
 * Looks for what the books have forgotten, when they are opened, and notes it.
 *
 * @param options.firstNonce what the operator says on the direct rail: the agent's first nonce that was never signed
 * @throws GrantError `MISMATCH` for a `firstNonce` that the chain has used
 */
export async function look(
  client: PublicClient,
  store: Store,
  options: { readonly grantId: Hex; readonly agent: Address; readonly firstNonce: number | undefined },
): Promise<void> {
  const { grantId, agent, firstNonce } = options
  // Read before the books: what another process has stored and sent meanwhile is in them then.
  const [used, { timestamp }] = await Promise.all([
    client.getTransactionCount({ address: agent, blockTag: 'pending' }),
    client.getBlock(),
  ])
  if (firstNonce !== undefined && firstNonce < used) {
    throw new GrantError(
      'MISMATCH',
      `firstNonce is ${firstNonce}, and the chain knows ${used} transactions of agent ${agent}: give ${used} or more.`,
      { figures: { firstNonce, used } },
    )
  }
  await store.transact(grantId, async (tx) => {
    const row = await Book.get(tx, grantId)
    const isGuarded = Grant.parse(row.grant).rail !== 'direct'
    if (!isGuarded && firstNonce !== undefined)
      return tx.put('grants', { ...row, knownNonces: Math.max(firstNonce, row.knownNonces), quietUntil: 0 })
    if (used <= (await knownNonces(tx, row))) return
    // By the later of both clocks, as deadlines are given.
    const now = Math.max(Number(timestamp), Math.floor(Date.now() / 1000))
    const quietUntil = isGuarded ? now + lifetime : Time.max
    await tx.put('grants', { ...row, knownNonces: isGuarded ? used : row.knownNonces, quietUntil })
  })
}

/** How many of the agent's nonces the books account for. */
async function knownNonces(tx: Transaction, { grantId, knownNonces }: GrantRow): Promise<number> {
  const [last] = await tx.list('transactions', { grantId }, { descending: true, limit: 1 })
  return Math.max(knownNonces, (last?.nonce ?? -1) + 1)
}

/** The first nonce that the operator has named on the direct rail; 0 where none was. */
export async function firstNonce(tx: Transaction, grantId: Hex): Promise<number> {
  const { grant, knownNonces } = await Book.get(tx, grantId)
  // Through the guard what competes for a nonce cannot pay twice, and one that is never mined must not hold up the rest.
  return Grant.parse(grant).rail === 'direct' ? knownNonces : 0
}

/** Why nothing new is reserved or begun by now, if so. */
export function refusal({ quietUntil, finalTime, agent }: GrantRow): Refusal | undefined {
  if (finalTime >= quietUntil) return undefined
  if (quietUntil === Time.max) {
    const reason = `These books know nothing of transactions that agent ${agent} has sent: they were lost, or restored from a backup. What they have forgotten could pay a second time. Make sure that nothing more of it can land, then open the budget with firstNonce: the agent's first nonce that was never signed.`
    return refuse('BOOKS_INCOMPLETE', reason, { agent })
  }
  const reason = `These books know nothing of transactions that agent ${agent} has sent: they were lost, or restored from a backup. What was signed then could land until ${Time.format(quietUntil)}; the final block is of ${Time.format(finalTime)}. Try again when one of that time is final.`
  return refuse('BOOKS_INCOMPLETE', reason, { agent, quietUntil, finalTime }, quietUntil)
}
