/**
 * Requests for approval. A backend asks, an owner reads and answers. The link is a capability: who has it can read what
 * is asked and decline it; to approve takes the owner's signature, or his wallet's call.
 */
import type { Hex } from 'viem'
import * as Amount from '../Amount.js'
import * as Coverage from '../Coverage.js'
import * as Grant from '../Grant.js'
import * as Permission from '../Permission.js'
import type * as Status from '../Status.js'
import * as Time from '../Time.js'
import * as Books from './Books.js'
import * as Chain from './Chain.js'
import * as Kept from './Kept.js'
import type { Key } from './Key.js'
import type { Settings } from './Options.js'
import { notFound, Problem } from './Problem.js'
import type { RequestRow } from './Records.js'
import type { Approval, NewRequest, RequestCreated, RequestShown, RequestStatus, Warning } from './Schema.js'
import * as Secret from './Secret.js'
import * as Show from './Show.js'

/** What a request lasts where nothing is said, and the least, seconds. */
const usual = 7 * Time.day
const least = 60

/** @throws InputError; Problem 400 `INVALID_INPUT`, 409 `TOO_MANY_OPEN` */
export async function create(settings: Settings, key: Key, given: NewRequest): Promise<RequestCreated> {
  const { clock, chainId, limits, origin } = settings
  const now = clock()
  const terms = { chain: chainId, ...given.grant }
  if (terms.chain !== chainId)
    throw new Problem(400, 'INVALID_INPUT', `grant.chain: this server is for chain ${chainId}.`)
  const grant = Grant.define(terms as Grant.DefineParams, { now })
  const latest = now + limits.requestSeconds
  const expiresAt = given.expiresAt ?? Math.min(now + usual, latest)
  if (expiresAt < now + Math.min(least, limits.requestSeconds) || expiresAt > latest)
    throw new Problem(
      400,
      'INVALID_INPUT',
      `expiresAt: a request lasts from ${least} to ${limits.requestSeconds} seconds.`,
    )
  const id = Secret.id()
  const row: RequestRow = {
    id: Secret.hash(id),
    family: key.family,
    grantId: grant.grantId,
    grant: Grant.serialize(grant),
    permission: Permission.serialize(Permission.fromGrant(grant)),
    names: JSON.stringify(given.names ?? []),
    note: given.note ?? null,
    status: 'open',
    signature: null,
    transactionHash: null,
    createdAt: now,
    expiresAt,
    decidedAt: null,
  }
  await Kept.add(settings, row)
  return { id, url: `${origin.origin}/approve/${id}`, status: 'open', expiresAt }
}

async function get({ records }: Settings, id: string): Promise<RequestRow> {
  const hash = Secret.hash(id)
  const row = await records.transact(`request:${hash}`, (tx) => tx.get('server_requests', { id: hash }))
  if (!row) throw notFound('request')
  return row
}

export function statusOf(
  { status, expiresAt }: Pick<RequestRow, 'status' | 'expiresAt'>,
  now: number,
): RequestStatus {
  return status === 'open' && now >= expiresAt ? 'expired' : status
}

/** `key`: whoever asks by one, if anybody does. The signature is for the key that made the request. */
export async function show(settings: Settings, id: Hex, key: Key | undefined): Promise<RequestShown> {
  const row = await get(settings, id)
  const grant = Grant.parse(row.grant)
  const permission = Permission.parse(row.permission)
  const coverage = Coverage.of(grant, { permission })
  const { signature, transactionHash } = row
  const isAsker = key?.family === row.family && key.verbs.includes('request')
  return {
    id,
    status: statusOf(row, settings.clock()),
    grant: Show.grant(grant),
    permission: Show.permission(permission),
    typedData: Show.typedData(permission),
    coverage: Show.coverage(coverage),
    names: JSON.parse(row.names),
    note: row.note,
    warnings: await warnings(settings, grant, permission, coverage),
    expiresAt: row.expiresAt,
    gas: { signature: 'agent', call: 'wallet' },
    ...(signature !== null && isAsker ? { signature } : {}),
    ...(transactionHash !== null ? { transactionHash } : {}),
  }
}

const words: Readonly<Partial<Record<Status.Name, readonly [code: string, message: string]>>> = {
  revoked: ['REVOKED', 'This permission was revoked before. It cannot be approved again.'],
  ended: ['ENDED', 'The dates of this permission are over.'],
  'spm-not-owner': [
    'SPM_NOT_OWNER',
    'SpendPermissionManager is not an owner of the wallet, so the agent could spend nothing until it is.',
  ],
  'account-not-contract': [
    'ACCOUNT_NOT_CONTRACT',
    'The account has no code: an EOA can approve but never be spent from.',
  ],
  'balance-low': ['BALANCE_LOW', 'The wallet holds less than the agent may spend in the first period.'],
  'agent-delegated': [
    'AGENT_DELEGATED',
    "The spender's account has handed itself over to other code (EIP-7702), which may spend as well.",
  ],
}

async function warnings(
  settings: Settings,
  grant: Grant.Grant,
  permission: Permission.Permission,
  coverage: Coverage.Coverage,
): Promise<Warning[]> {
  const ofGrant = coverage.warnings.map((message) => ({ code: 'COVERAGE', message }))
  const [ofChain, ofSiblings] = await Promise.all([
    chainWarnings(settings, permission),
    siblingWarnings(settings, grant),
  ])
  return [...ofChain, ...ofSiblings, ...ofGrant]
}

async function chainWarnings({ chain }: Settings, permission: Permission.Permission): Promise<Warning[]> {
  const found = await Promise.all([chain.status(permission), chain.hasGuard()]).catch(() => undefined)
  if (!found)
    return [{ code: 'CHAIN_UNSEEN', message: 'The chain did not answer: nothing was checked against it.' }]
  const [status, hasGuard] = found
  const shown = [status.status, ...status.warnings].flatMap((name) => {
    const [code, message] = words[name] ?? []
    return code !== undefined && message !== undefined ? [{ code, message }] : []
  })
  if (status.status === 'unapproved' && !status.deployed)
    shown.push({
      code: 'ACCOUNT_NOT_DEPLOYED',
      message:
        'The account has no code yet. A smart wallet is deployed by its signature; an EOA can approve but never be spent from.',
    })
  if (permission.extraData !== '0x' && !hasGuard)
    shown.push({
      code: 'GUARD_MISSING',
      message: 'The guard is not deployed on this chain: nothing could be spent.',
    })
  return shown
}

/** Approvals are public on the chain, so the sum of those that these books know tells nobody a secret. */
async function siblingWarnings(
  { store }: Settings,
  { owner, grantId, token }: Grant.Grant,
): Promise<Warning[]> {
  const others = await Books.siblings(store, owner, grantId)
  if (others.length === 0) return []
  const day = others
    .map(({ grant, permission }) => Coverage.of(grant, { permission }).worst.day)
    .reduce((sum, amount) => sum + amount, 0n)
  const sum = `${Amount.format(day, token.decimals)} ${token.symbol}`
  const message = `Other approved grants of this wallet add to it: ${others.length}, which can lose up to ${sum} in any 24 hours.`
  return [{ code: 'SIBLINGS', message }]
}

/**
 * Keeps the owner's consent. The same consent twice is one.
 * @throws Problem 409 `DECIDED`, `EXPIRED`, `NOT_APPROVED`, 422 `SIGNATURE_INVALID`, `NOT_THIS_APPROVAL`, 503
 */
export async function approve(settings: Settings, id: Hex, given: Approval): Promise<RequestStatus> {
  const row = await get(settings, id)
  const permission = Permission.parse(row.permission)
  assertOpen(row, settings.clock(), 'approved')
  const { client } = settings.chain
  const consent =
    'signature' in given
      ? { signature: given.signature as Hex, transactionHash: null }
      : { signature: null, transactionHash: given.transactionHash.toLowerCase() as Hex }
  // Before the transaction: no lock is held while the network answers.
  if (consent.signature !== null)
    await Chain.assertSigned(client, { permission, signature: consent.signature })
  else await Chain.assertApproved(client, { permission, hash: consent.transactionHash })
  const isNew = await decide(settings, row.id, { status: 'approved', ...consent })
  if (isNew) tell(settings, row, id, consent)
  return 'approved'
}

function tell(
  { onApproved, onError }: Settings,
  row: RequestRow,
  id: Hex,
  consent: Pick<RequestRow, 'signature' | 'transactionHash'>,
): void {
  const grant = Grant.parse(row.grant)
  const permission = Permission.parse(row.permission)
  // What is kept is kept: whoever listens must not make it look like a failure.
  void (async () => onApproved?.({ kind: 'request', id, grant, permission, ...consent }))().catch(onError)
}

/** @throws Problem 409 `DECIDED`, `EXPIRED` */
export async function decline(settings: Settings, id: Hex): Promise<RequestStatus> {
  const row = await get(settings, id)
  assertOpen(row, settings.clock(), 'declined')
  await decide(settings, row.id, { status: 'declined' })
  return 'declined'
}

/** Whether it was decided now, and not so before. */
function decide(
  { records, clock }: Settings,
  id: string,
  decision: Pick<RequestRow, 'status'> & Partial<RequestRow>,
): Promise<boolean> {
  return records.transact(Kept.lock, async (tx) => {
    const row = await tx.get('server_requests', { id })
    if (!row) throw notFound('request')
    const now = clock()
    assertOpen(row, now, decision.status)
    if (row.status !== 'open') return false
    await tx.put('server_requests', { ...row, ...decision, decidedAt: now })
    await Kept.end(tx, row, now)
    return true
  })
}

/** Open, or decided so already. */
export function assertOpen(
  row: Pick<RequestRow, 'status' | 'expiresAt'>,
  now: number,
  decision: RequestRow['status'],
): void {
  const status = statusOf(row, now)
  if (status === 'open' || status === decision) return
  if (status === 'expired') throw new Problem(409, 'EXPIRED', 'The request has expired. Ask for a new one.')
  throw new Problem(409, 'DECIDED', `The request was ${status} before, which is final.`, {
    figures: { status },
  })
}
