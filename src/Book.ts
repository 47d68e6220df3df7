/**
 * The grant's own row in the books: which permission it uses, how far the chain has been read, whether it is
 * paused, and the head of its receipts.
 */
import { type Hex, numberToHex } from 'viem'
import * as Float from './Float.js'
import * as Grant from './Grant.js'
import { GrantError } from './GrantError.js'
import * as GuardNumber from './GuardNumber.js'
import * as Permission from './Permission.js'
import * as Policy from './Policy.js'
import * as Receipt from './Receipt.js'
import type { GrantRow, PermissionRow, Store, Transaction } from './Store.js'

/** A block, and its time in unix seconds. */
export type BlockId = { readonly number: number; readonly hash: Hex; readonly time: number }

/**
 * Opens a grant in the books, or finds it there. `start` is the block from which the chain will be read:
 * nothing of the grant may have happened in it or before.
 *
 * @throws GrantError `AGENT_IN_USE` where the agent serves another grant in these books, `MISMATCH` where the
 * grant is known with another account, agent or rail, whose payments, nonces and blocks the books hold, or where the
 * permission is one that was replaced.
 */
export async function open(
  store: Store,
  options: {
    readonly grant: Grant.Grant
    readonly permission: Permission.Permission
    readonly start: () => Promise<BlockId>
  },
): Promise<{ readonly row: GrantRow; readonly receipt?: Receipt.Receipt }> {
  const { grant, permission } = options
  const { grantId } = grant
  const known = await store.transact(grantId, (tx) => tx.get('grants', { grantId }))
  // Read before the transaction: no lock is held while the network answers.
  const start = known ? undefined : await options.start()
  return store.transact(grantId, async (tx) => {
    const permissionHash = Permission.hash(permission)
    const [other] = (await tx.list('grants', { agent: grant.agent, chainId: grant.chainId })).filter(
      (row) => row.grantId !== grantId,
    )
    if (other) {
      throw new GrantError(
        'AGENT_IN_USE',
        `Agent ${grant.agent} already serves grant ${other.grantId} in these books. An agent's key serves one grant, so that its nonces have one order: use a fresh key, or replace that grant.`,
        { figures: { agent: grant.agent, grantId: other.grantId } },
      )
    }
    const existing = await tx.get('grants', { grantId })
    if (existing) {
      assertContinues(Grant.parse(existing.grant), grant)
      await assertNotReplaced(tx, existing, permissionHash)
    }
    const text = Grant.serialize(grant)
    const row = existing ?? firstRow(grant, text, permission, start)
    await tx.put('grants', row)
    await addPermission(tx, grantId, permission)
    if (row.grant === text && row.permissionHash === permissionHash) return { row }
    // Whether the new one is approved is for the next reading to say, also where the head is still the same.
    const replaced: GrantRow = { ...row, grant: text, permissionHash, approved: 0, revoked: 0, headHash: '' }
    await moveUnsigned(tx, grantId, permissionHash)
    const receipt = await write(tx, replaced, { event: 'replaced', note: 'replaced', amount: 0n })
    return { row: await get(tx, grantId), receipt }
  })
}

/**
 * That a grant's terms may take the place of others in its books.
 * @throws GrantError `MISMATCH`, which names what does not stay
 */
export function assertContinues(from: Grant.Grant, to: Grant.Grant): void {
  for (const field of ['grantId', 'owner', 'agent', 'chainId', 'rail'] as const) {
    if (to[field] !== from[field]) throw discontinued(field, from[field], to[field])
  }
  // The books have not read, or would not read any more, what the agent's address pays by authorizations.
  if (from.rail === 'direct' && (to.maxFloat === null) !== (from.maxFloat === null))
    throw discontinued('maxFloat', from.maxFloat ?? 'absent', to.maxFloat ?? 'absent')
  if (to.token.address !== from.token.address) throw discontinued('token', from.token.symbol, to.token.symbol)
}

function discontinued(field: string, expected: unknown, actual: unknown): GrantError {
  return new GrantError(
    'MISMATCH',
    `The new grant's ${field} is ${actual}, and would have to stay ${expected}: another one is another account with meters of its own. Define a new grant for it.`,
    { figures: { field, expected, actual } },
  )
}

/** A process that starts with the terms of before a replacement must not take the books back to them. */
async function assertNotReplaced(tx: Transaction, { grantId, permissionHash }: GrantRow, given: Hex) {
  for (let hash: Hex | null = permissionHash; hash !== null; ) {
    const stored: PermissionRow | undefined = await tx.get('permissions', { grantId, hash })
    hash = stored ? replacedBy(Permission.parse(stored.permission)) : null
    if (hash !== given) continue
    throw new GrantError(
      'MISMATCH',
      `Permission ${given} was replaced: these books use ${permissionHash}. Open the budget with the grant and the permission that replaced it.`,
      { figures: { expected: permissionHash, actual: given } },
    )
  }
}

function replacedBy({ extraData }: Permission.Permission): Hex | null {
  return extraData === '0x' ? null : Policy.decode(extraData).replaces
}

/** What is reserved for the guard and not signed yet goes through the new permission, whose policy it enforces. */
async function moveUnsigned(tx: Transaction, grantId: Hex, permissionHash: Hex): Promise<void> {
  for (const payment of await tx.list('payments', { grantId, open: 1 })) {
    // A funding is for the permission that was asked: its target may be above what the new one allows.
    if (payment.pull === 'none' && payment.via === 'guard')
      await tx.put('payments', { ...payment, permissionHash })
  }
}

function firstRow(
  grant: Grant.Grant,
  text: string,
  permission: Permission.Permission,
  start: BlockId | undefined,
): GrantRow {
  if (!start) throw new Error('The grant vanished while it was opened.')
  return {
    grantId: grant.grantId,
    chainId: grant.chainId,
    agent: grant.agent,
    grant: text,
    permissionHash: Permission.hash(permission),
    paused: 0,
    approved: 0,
    revoked: 0,
    pausedBy: null,
    revokedBy: null,
    lane: numberToHex(GuardNumber.lane(), { size: 32 }),
    numbers: 0,
    knownNonces: 0,
    quietUntil: 0,
    payer: Float.payerOf(grant, permission),
    payerBalance: null,
    fundedBy: null,
    startNumber: start.number,
    finalNumber: start.number,
    finalHash: start.hash,
    finalTime: start.time,
    headNumber: start.number,
    headHash: start.hash,
    headTime: start.time,
    receipts: 0,
    receiptHash: Receipt.genesis,
  }
}

/** Notes a permission of the grant, also one that is not in use here: what is paid through it counts. */
export async function addPermission(
  tx: Transaction,
  grantId: Hex,
  permission: Permission.Permission,
): Promise<void> {
  const hash = Permission.hash(permission)
  await tx.put('permissions', { grantId, hash, permission: Permission.serialize(permission) })
}

/** The grant's row, which must be there. */
export async function get(tx: Transaction, grantId: Hex): Promise<GrantRow> {
  const row = await tx.get('grants', { grantId })
  if (!row) throw new GrantError('MISMATCH', `Grant ${grantId} is not in these books. Open it first.`)
  return row
}

/** Appends a receipt and puts the grant's new head. */
export async function write(
  tx: Transaction,
  row: GrantRow,
  draft: Receipt.ReceiptDraft,
): Promise<Receipt.Receipt> {
  const { grant, receipt } = await Receipt.append(tx, row, draft)
  await tx.put('grants', grant)
  return receipt
}

/**
 * Pauses or resumes: the books refuse, the chain knows nothing of it on the direct rail. Returns the receipt, undefined
 * where it was so already.
 */
export function setPaused(store: Store, grantId: Hex, paused: boolean): Promise<Receipt.Receipt | undefined> {
  return store.transact(grantId, async (tx) => {
    const row = await get(tx, grantId)
    if ((row.paused === 1) === paused) return undefined
    return write(
      tx,
      { ...row, paused: paused ? 1 : 0 },
      {
        event: paused ? 'paused' : 'resumed',
        note: paused ? 'PAUSED' : 'resumed',
        amount: 0n,
      },
    )
  })
}
