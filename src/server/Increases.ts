/**
 * Higher caps that a backend asks for. The new terms stay under the grantId, so what was spent stays spent, and the new
 * permission names the one whose place it takes. Only the owner can approve, signed in and by his wallet's signature.
 */
import type { Hex } from 'viem'
import * as Coverage from '../Coverage.js'
import * as Grant from '../Grant.js'
import * as Permission from '../Permission.js'
import * as Books from './Books.js'
import * as Chain from './Chain.js'
import type { Key } from './Key.js'
import type { Settings } from './Options.js'
import { notFound, Problem } from './Problem.js'
import type { IncreaseRow } from './Records.js'
import { assertOpen, statusOf } from './Requests.js'
import type { IncreaseShown, NewIncrease, RequestStatus } from './Schema.js'
import * as Secret from './Secret.js'
import * as Show from './Show.js'

/** Seconds that an increase waits for its owner. */
const lasts = 7 * 86_400

const lock = (grantId: Hex) => `increases:${grantId}`

/** @throws InputError; Problem 409 `RAIL_CONFLICT`, `NO_INCREASE`, `TOO_MANY_OPEN`, `REVOKED` */
export async function create(
  settings: Settings,
  key: Key,
  grantId: Hex,
  given: NewIncrease,
): Promise<IncreaseShown> {
  const { records, clock, limits } = settings
  const { cap, reason } = given
  const to = BigInt(given.to)
  const current = await account(settings, grantId)
  const { grant: old, row: book } = current
  if (old.rail === 'direct')
    throw new Problem(409, 'RAIL_CONFLICT', 'On the direct rail a cap is raised by a new grant.')
  if (book.revoked === 1 || book.revokedBy !== null)
    throw new Problem(409, 'REVOKED', 'The grant was revoked, which is final.')
  const from = old[cap]
  if (from === null || to <= from)
    throw new Problem(409, 'NO_INCREASE', `${cap} is ${from ?? 'not capped'}: ${to} would not raise it.`)
  // Read as every grant is, so that the new terms hold to the same rules.
  const grant = Grant.parse(Grant.serialize({ ...old, [cap]: to }))
  const replaces = book.permissionHash
  const now = clock()
  const row: IncreaseRow = {
    id: Secret.id(),
    grantId,
    family: key.family,
    cap,
    from,
    to,
    reason,
    old: Grant.serialize(old),
    grant: Grant.serialize(grant),
    permission: Permission.serialize(Permission.fromGrant(grant, { replaces })),
    replaces,
    status: 'open',
    signature: null,
    createdAt: now,
    expiresAt: now + lasts,
    decidedAt: null,
  }
  await records.transact(lock(grantId), async (tx) => {
    const rows = await tx.list('server_increases', { grantId, status: 'open' })
    if (rows.filter((row) => statusOf(row, now) === 'open').length >= limits.openIncreases)
      throw new Problem(
        409,
        'TOO_MANY_OPEN',
        'The grant has too many open increases: they wait for the owner.',
      )
    await tx.put('server_increases', row)
  })
  return shown(row, now, key)
}

async function account({ store }: Settings, grantId: Hex): Promise<Books.Account> {
  const found = await Books.read(store, grantId)
  if (!found) throw notFound('grant')
  return found
}

/** Newest first. */
export async function list(
  { records, clock }: Settings,
  grantId: Hex,
  key: Key | undefined,
): Promise<IncreaseShown[]> {
  const rows = await records.transact(lock(grantId), (tx) => tx.list('server_increases', { grantId }))
  const latest = rows.sort((a, b) => b.createdAt - a.createdAt || (a.id < b.id ? 1 : -1)).slice(0, 100)
  return latest.map((row) => shown(row, clock(), key))
}

function shown(row: IncreaseRow, now: number, key: Key | undefined): IncreaseShown {
  const grant = Grant.parse(row.grant)
  const permission = Permission.parse(row.permission)
  const { id, grantId, cap, from, to, reason, expiresAt, signature } = row
  return {
    id,
    grantId,
    status: statusOf(row, now),
    cap,
    from: String(from),
    to: String(to),
    reason,
    grant: Show.grant(grant),
    permission: Show.permission(permission),
    typedData: Show.typedData(permission),
    coverageBefore: Show.coverage(Coverage.of(Grant.parse(row.old))),
    coverageAfter: Show.coverage(Coverage.of(grant, { permission })),
    expiresAt,
    gas: { signature: 'agent', call: 'wallet' },
    ...(signature !== null && key?.verbs.includes('increase') ? { signature } : {}),
  }
}

/** @throws Problem 404 */
export async function get({ records }: Settings, id: Hex): Promise<IncreaseRow> {
  const row = await records.transact(`increase:${id}`, (tx) => tx.get('server_increases', { id }))
  if (!row) throw notFound('increase')
  return row
}

/**
 * Keeps the owner's signature of the new permission. The same twice is one.
 * @throws Problem 409 `DECIDED`, `EXPIRED`, `STALE`, 422 `SIGNATURE_INVALID`, 503
 */
export async function approve(settings: Settings, row: IncreaseRow, signature: Hex): Promise<RequestStatus> {
  assertOpen(row, settings.clock(), 'approved')
  const permission = Permission.parse(row.permission)
  const current = await account(settings, row.grantId)
  // What is approved already may be in use by now.
  if (row.status === 'open' && current.row.permissionHash !== row.replaces)
    throw new Problem(409, 'STALE', 'The grant was replaced since: the increase is for terms that are gone.')
  await Chain.assertSigned(settings.chain.client, { permission, signature })
  const isNew = await decide(settings, row, { status: 'approved', signature })
  if (isNew) {
    const { onApproved, onError } = settings
    const told = { kind: 'increase', id: row.id, permission, signature, transactionHash: null } as const
    void (async () => onApproved?.({ ...told, grant: Grant.parse(row.grant) }))().catch(onError)
  }
  return 'approved'
}

/** @throws Problem 409 `DECIDED`, `EXPIRED` */
export async function decline(settings: Settings, row: IncreaseRow): Promise<RequestStatus> {
  await decide(settings, row, { status: 'declined' })
  return 'declined'
}

function decide(
  { records, clock }: Settings,
  { id, grantId }: IncreaseRow,
  decision: Pick<IncreaseRow, 'status'> & Partial<IncreaseRow>,
): Promise<boolean> {
  return records.transact(lock(grantId), async (tx) => {
    const row = await tx.get('server_increases', { id })
    if (!row) throw notFound('increase')
    const now = clock()
    assertOpen(row, now, decision.status)
    if (row.status !== 'open') return false
    await tx.put('server_increases', { ...row, ...decision, decidedAt: now })
    return true
  })
}
