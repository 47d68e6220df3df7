/**
 * Books that have forgotten payments: lost and rebuilt, or restored from a backup. The chain tells of it when they are
 * opened: the agent has used nonces, or numbers of these books, that they know nothing of. What was signed then and is not
 * on chain yet could still land, and its key would pay again. Through the guard it cannot once its deadline has passed, so
 * until that is final nothing is reserved. On the direct rail nothing ever ends it: there the operator has to say that it
 * is over. What was given to a relay and is not sent yet leaves no trace anywhere: with one, empty books of a permission
 * that could be spent from already wait all the same, and of a backup the operator has to say that it is one. So do those
 * whose float holds something: who has its authorizations may settle them until they end, which is no later. Of those
 * that a backup has forgotten there is no trace before one is settled: there too the operator has to say that it is one.
 */
import type { Address, Hex, PublicClient } from 'viem'
import * as Book from './Book.js'
import * as FloatRead from './FloatRead.js'
import * as Grant from './Grant.js'
import { GrantError } from './GrantError.js'
import { lifetime } from './Payment.js'
import * as PaymentNumber from './PaymentNumber.js'
import * as Permission from './Permission.js'
import * as Policy from './Policy.js'
import { type Refusal, refuse } from './Refusal.js'
import * as Spm from './SpmRead.js'
import type { GrantRow, Store, Transaction } from './Store.js'
import * as Time from './Time.js'

type LookOptions = {
  readonly grantId: Hex
  readonly agent: Address
  readonly token: Address
  /** What the operator says on the direct rail: the agent's first nonce that was never signed. */
  readonly firstNonce: number | undefined
  /** What the operator says where something leaves no trace in the agent's nonces. */
  readonly books: 'new' | 'restored' | undefined
  readonly isRelayed: boolean
}

/**
 * Looks for what the books have forgotten, when they are opened, and notes it.
 *
 * @throws GrantError `MISMATCH` for a `firstNonce` that the chain has used
 */
export async function look(client: PublicClient, store: Store, options: LookOptions): Promise<void> {
  const { grantId, agent, token, firstNonce, books, isRelayed } = options
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
  const first = await unread(store, grantId)
  const couldBeGiven = isRelayed && first !== undefined && (await isUsable(client, first.permission))
  // What a purse holds could have been authorized, which leaves no trace before it is settled.
  const payer = first?.payer ?? null
  const couldBeHeld = payer !== null && (await FloatRead.balanceOf(client, { token, payer })) > 0n
  await store.transact(grantId, async (tx) => {
    const row = await Book.get(tx, grantId)
    const isGuarded = Grant.parse(row.grant).rail !== 'direct'
    const quiet = quietFrom(Number(timestamp))
    const hasSent = used > (await knownNonces(tx, row))
    if (!isGuarded && firstNonce !== undefined) {
      // It speaks of transactions. Authorizations that were forgotten with them end by themselves.
      const isNews = row.quietUntil === Time.max || hasSent || books === 'restored'
      const quietUntil = row.payer === null ? 0 : isNews ? quiet : row.quietUntil
      return tx.put('grants', { ...row, knownNonces: Math.max(firstNonce, row.knownNonces), quietUntil })
    }
    if (!isGuarded && hasSent) return tx.put('grants', { ...row, quietUntil: Time.max })
    const hasForgotten = books === 'restored' || (books !== 'new' && (couldBeGiven || couldBeHeld || hasSent))
    if (!hasForgotten || row.quietUntil === Time.max) return
    await tx.put('grants', { ...row, knownNonces: isGuarded ? used : row.knownNonces, quietUntil: quiet })
  })
}

/** The permission and the payer of books that have not read anything yet; undefined for others. */
function unread(store: Store, grantId: Hex) {
  return store.transact(grantId, async (tx) => {
    const { permissionHash, payer, startNumber, headNumber } = await Book.get(tx, grantId)
    const stored = await tx.get('permissions', { grantId, hash: permissionHash })
    if (!stored || headNumber !== startNumber) return undefined
    return { permission: Permission.parse(stored.permission), payer }
  })
}

/** Whether other books may have spent from a permission, or from the one that it replaces. */
async function isUsable(client: PublicClient, permission: Permission.Permission): Promise<boolean> {
  if (permission.extraData !== '0x' && Policy.decode(permission.extraData).replaces !== null) return true
  return Spm.isApproved(client, { permission })
}

/** By the later of both clocks, as deadlines are given. */
function quietFrom(time: number): number {
  return Math.max(time, Math.floor(Date.now() / 1000)) + lifetime
}

/**
 * Looks for what the chain has of these books that they never took, once they have read it: payment numbers, and
 * authorizations in the blocks after `since`. Then they were restored from before that, and something that was signed with
 * them may be open.
 */
export function lookAtChain(store: Store, grantId: Hex, since: number): Promise<void> {
  return store.transact(grantId, async (tx) => {
    const row = await Book.get(tx, grantId)
    const isGuarded = Grant.parse(row.grant).rail !== 'direct'
    const numbers = isGuarded ? await PaymentNumber.firstUnseen(tx, row) : row.numbers
    const foreign = row.payer === null ? [] : await tx.list('events', { grantId, key: null })
    const isForgotten = foreign.some(
      ({ kind, blockNumber }) => kind === 'authorization' && blockNumber > since,
    )
    if (numbers === row.numbers && !isForgotten) return
    const quietUntil = Math.max(row.quietUntil, quietFrom(row.headTime))
    await tx.put('grants', { ...row, numbers, quietUntil })
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
  const reason = `These books know nothing of what agent ${agent} has signed: they were lost, or restored from a backup. What was signed then could land until ${Time.format(quietUntil)}; the final block is of ${Time.format(finalTime)}. Try again when one of that time is final.`
  return refuse('BOOKS_INCOMPLETE', reason, { agent, quietUntil, finalTime }, quietUntil)
}
