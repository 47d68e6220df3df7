/**
 * Keys of backends: `hc_<id>_<secret>`. A key can do what its verbs name, with the grants that it names and those that
 * it asked the owners for itself. None can approve, raise or revoke anything: that takes the owner.
 */
import { isHex } from 'viem'
import { InputError } from '../errors.js'
import * as Input from '../Input.js'
import type { KeyRow, Records } from './Records.js'
import * as Secret from './Secret.js'

/**
 * `read`: grants, meters, receipts, calls for the wallet. `request`: ask an owner to approve a grant, and have the
 * signature. `increase`: ask the owner of a grant for a higher cap, and have the signature.
 */
export const verbs = ['read', 'request', 'increase'] as const
export type Verb = (typeof verbs)[number]

export type Key = {
  readonly id: string
  readonly label: string
  /** Stays through rotations: what one key asked for its successor may see. */
  readonly family: string
  readonly verbs: readonly Verb[]
  readonly grants: 'all' | readonly string[]
  readonly createdAt: number
  readonly expiresAt: number | null
  readonly revokedAt: number | null
}

export type NewKey = {
  /** 1 to 200 characters, for people. */
  readonly label: string
  readonly verbs: readonly Verb[]
  /** grantIds, which may be none for a key that only asks, or `all`. */
  readonly grants: 'all' | readonly string[]
  /** Unix seconds. */
  readonly expiresAt?: number | undefined
}

const shape = /^hc_([0-9a-f]{16})_([A-Za-z0-9_-]{43})$/
const lock = 'keys'

/**
 * Makes a key. The text is shown this once, and kept nowhere.
 * @throws InputError
 */
export async function create(records: Records, given: NewKey, now: number) {
  if (!Input.isText(given.label)) throw invalid('label', given.label, '1 to 200 characters')
  if (given.verbs.length === 0) throw invalid('verbs', given.verbs, `some of ${verbs.join(', ')}`)
  for (const verb of given.verbs) Input.oneOf(verb, 'verbs', verbs)
  for (const grantId of given.grants === 'all' ? [] : given.grants)
    if (!isHex(grantId) || !/^0x[0-9a-f]{64}$/.test(grantId))
      throw invalid('grants', grantId, 'grantIds: 0x and 64 hexadecimal digits in lower case, or all')
  return put(records, { ...given, family: Secret.id() }, now)
}

async function put(records: Records, given: NewKey & { readonly family: string }, now: number) {
  const secret = Secret.secret()
  const row: KeyRow = {
    id: Secret.id().slice(2, 18),
    hash: Secret.hash(secret),
    label: given.label,
    family: given.family,
    verbs: JSON.stringify(given.verbs),
    grants: JSON.stringify(given.grants),
    createdAt: now,
    expiresAt: given.expiresAt ?? null,
    revokedAt: null,
  }
  await records.transact(lock, (tx) => tx.put('server_keys', row))
  return { key: fromRow(row), text: `hc_${row.id}_${secret}` }
}

/**
 * A new key in the place of one, which goes on for `overlap` seconds.
 * @throws InputError where there is none, or it is over
 */
export async function rotate(records: Records, id: string, options: { now: number; overlap: number }) {
  const { now, overlap } = options
  const row = await records.transact(lock, async (tx) => {
    const row = await tx.get('server_keys', { id })
    if (!row || isOver(row, now)) throw invalid('id', id, 'the id of a key that is in use')
    const end = now + overlap
    await tx.put('server_keys', { ...row, expiresAt: Math.min(row.expiresAt ?? end, end) })
    return row
  })
  const { label, verbs, grants, family, expiresAt } = fromRow(row)
  return put(records, { label, verbs, grants, family, expiresAt: expiresAt ?? undefined }, now)
}

/**
 * Ends a key at once.
 * @throws InputError where there is none
 */
export async function revoke(records: Records, id: string, now: number): Promise<void> {
  await records.transact(lock, async (tx) => {
    const row = await tx.get('server_keys', { id })
    if (!row) throw invalid('id', id, 'the id of a key')
    await tx.put('server_keys', { ...row, revokedAt: row.revokedAt ?? now })
  })
}

export async function list(records: Records): Promise<Key[]> {
  return (await records.transact(lock, (tx) => tx.list('server_keys', {}))).map(fromRow)
}

/** The key that a text is, if it is one that is in use. */
export async function find(records: Records, text: string, now: number): Promise<Key | undefined> {
  const [, id, secret] = shape.exec(text) ?? []
  if (id === undefined || secret === undefined) return undefined
  const row = await records.transact(`key:${id}`, (tx) => tx.get('server_keys', { id }))
  // Compared in any case, so that nobody learns from the time whether the id exists.
  const matches = Secret.equal(Secret.hash(secret), row?.hash ?? '')
  return row && matches && !isOver(row, now) ? fromRow(row) : undefined
}

function isOver({ expiresAt, revokedAt }: KeyRow, now: number): boolean {
  return revokedAt !== null || (expiresAt !== null && now >= expiresAt)
}

function fromRow({ hash: _, verbs, grants, ...row }: KeyRow): Key {
  return { ...row, verbs: JSON.parse(verbs), grants: JSON.parse(grants) }
}

function invalid(field: string, given: unknown, valid: string): InputError {
  return new InputError('INVALID_VALUE', { field, given, valid, why: 'No such key can be.' })
}
