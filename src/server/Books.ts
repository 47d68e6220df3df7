/** What the books say of grants, for those who may see them. The server reads them and never writes. */
import { type Address, type Hex, isAddressEqual } from 'viem'
import * as Coverage from '../Coverage.js'
import * as Grant from '../Grant.js'
import * as Ledger from '../Ledger.js'
import * as Meter from '../Meter.js'
import type * as Permission from '../Permission.js'
import { endOf, type State } from '../State.js'
import type { GrantRow, Store, Transaction } from '../Store.js'
import * as Time from '../Time.js'
import * as TrailingWindow from '../TrailingWindow.js'
import type { Meter as MeterJson, Standing } from './Schema.js'
import * as Show from './Show.js'
import type { GrantStatus, GrantSummary } from './schema/View.js'

/** Grants that one transaction reads: nobody holds the books for long. */
const chunk = 500

/** A grant as the books have it at one moment. */
export type Account = {
  readonly row: GrantRow
  readonly grant: Grant.Grant
  readonly permission: Permission.Permission
  readonly state: State
  readonly meters: MeterJson[]
}

/** The grant's row, undefined where these books have none. */
export function find(store: Store, grantId: Hex): Promise<GrantRow | undefined> {
  return store.transact(grantId, (tx) => tx.get('grants', { grantId }))
}

export async function read(store: Store, grantId: Hex): Promise<Account | undefined> {
  return store.transact(grantId, async (tx) => {
    const row = await tx.get('grants', { grantId })
    return row && account(tx, row)
  })
}

async function account(tx: Transaction, row: GrantRow): Promise<Account> {
  const state = await Ledger.readState(tx, row, {})
  const { grant, permission } = state
  return { row, grant, permission, state, meters: await meters(tx, row, state) }
}

/** Every grant's row whose grantId follows this one, in their order. */
export async function* rows(store: Store, after?: Hex): AsyncGenerator<GrantRow, void> {
  for (let last = after; ; ) {
    const page = { limit: chunk, ...(last === undefined ? {} : { after: { grantId: last } }) }
    const found = await store.transact('0x', (tx) => tx.list('grants', {}, page))
    yield* found
    last = found.at(-1)?.grantId
    if (found.length < chunk) return
  }
}

/** The rows of those of the grants that these books have. */
export async function known(store: Store, grantIds: readonly Hex[]): Promise<Map<Hex, GrantRow>> {
  const found = new Map<Hex, GrantRow>()
  for (let n = 0; n < grantIds.length; n += chunk) {
    const keys = grantIds.slice(n, n + chunk).map((grantId) => ({ grantId }))
    await store.transact('0x', async (tx) => {
      await tx.load('grants', keys)
      for (const key of keys) {
        const row = await tx.get('grants', key)
        if (row) found.set(key.grantId, row)
      }
    })
  }
  return found
}

/** Of whom the grant is, from its row. */
export function isOf(row: GrantRow, owner: Address): boolean {
  return isAddressEqual(Grant.parse(row.grant).owner, owner)
}

export async function summary(store: Store, grantId: Hex): Promise<GrantSummary | undefined> {
  const found = await read(store, grantId)
  if (!found) return undefined
  const { row, grant, state, meters } = found
  return {
    grant: Show.grant(grant),
    status: statusOf(row, state, row.headTime),
    meters,
    receipts: row.receipts,
  }
}

/** The first that is true: what is for good, what the owner has to do, what stops it now. */
export function statusOf(row: GrantRow, state: State, now: number): GrantStatus {
  if (row.revoked === 1 || row.revokedBy !== null) return 'revoked'
  if (now >= endOf(state)) return 'ended'
  if (row.approved === 0) return 'unapproved'
  if (row.paused === 1 || row.pausedBy !== null) return 'paused'
  return now < state.permission.start ? 'before-start' : 'active'
}

export function standing({ row, state }: Account, chain: Standing['chain']): Standing {
  return {
    status: statusOf(row, state, Math.max(row.headTime, chain?.time ?? 0)),
    paused: row.paused === 1,
    pausedBy: row.pausedBy,
    revokedBy: row.revokedBy,
    approved: row.approved === 1,
    revoked: row.revoked === 1,
    head: { number: row.headNumber, time: row.headTime },
    chain,
  }
}

async function meters(tx: Transaction, row: GrantRow, { grant, permission }: State): Promise<MeterJson[]> {
  const { grantId, headTime } = row
  const { perDay, total, perWindow, window } = grant
  const { caps } = Coverage.of(grant, { permission })
  const reserved = String(await Meter.read(tx, grantId, Meter.open))
  const meter = (cap: MeterJson['cap'], limit: bigint, spent: bigint): MeterJson => ({
    cap,
    limit: String(limit),
    spent: String(spent),
    reserved,
    heldBy: caps.find((line) => line.cap === cap)?.holder ?? 'none',
  })
  const found: MeterJson[] = []
  if (perDay !== null) {
    const spent = await Meter.read(tx, grantId, Meter.day(headTime))
    found.push({ ...meter('perDay', perDay, spent), resetsAt: Time.midnight(headTime) + Time.day })
  }
  if (total !== null) found.push(meter('total', total, await Meter.read(tx, grantId, Meter.total)))
  if (perWindow !== null && window !== null) {
    const spent = await windowed(tx, grantId, { time: headTime, window })
    found.push(meter('perWindow', perWindow, spent))
  }
  return found
}

async function windowed(tx: Transaction, grantId: Hex, at: { time: number; window: number }) {
  const names = TrailingWindow.indexes(at).map((index) => Meter.bucket(at.window, index))
  const amounts = await Promise.all(names.map((name) => Meter.read(tx, grantId, name)))
  return amounts.reduce((sum, amount) => sum + amount, 0n)
}

/** How many of each are shown. */
const shown = 100

/** Permissions that are looked at for them. */
const mostLooked = 200

/** What left the account and no payment of these books explains, newest first. */
export function foreign(store: Store, grantId: Hex) {
  return store.transact(grantId, async (tx) => {
    const page = { descending: true, limit: shown }
    const kinds = ['pull', 'payment'] as const
    const lists = await Promise.all(
      kinds.map((kind) => tx.list('events', { grantId, kind, key: null }, page)),
    )
    const found = lists.flat().sort((a, b) => b.blockNumber - a.blockNumber || b.logIndex - a.logIndex)
    return found
      .slice(0, shown)
      .map(({ amount, payee, txHash, time }) => ({ amount: String(amount), payee, txHash, time }))
  })
}

export function sessions(store: Store, grantId: Hex) {
  return store.transact(grantId, async (tx) => {
    const rows = await tx.list('sessions', { grantId }, { limit: shown })
    await Meter.load(
      tx,
      grantId,
      rows.map(({ id }) => Meter.labelled('session', id)),
    )
    return Promise.all(
      rows.map(async ({ id, startedAt, endedAt, perSession }) => ({
        id,
        startedAt,
        endedAt,
        perSession: String(perSession),
        spent: String(await Meter.read(tx, grantId, Meter.labelled('session', id))),
      })),
    )
  })
}

/**
 * The permissions that the books know of the same account, approved and not revoked, of other grants: of the first so many
 * of them, because anybody with a link may ask, and each is looked at by itself.
 */
export async function siblings(store: Store, owner: Address, grantId: Hex): Promise<Account[]> {
  const found: Account[] = []
  let looked = 0
  for await (const row of rows(store)) {
    if (row.grantId === grantId || row.revoked === 1 || row.approved === 0 || !isOf(row, owner)) continue
    looked += 1
    const other = await read(store, row.grantId)
    if (other && other.row.revokedBy === null && other.row.headTime < endOf(other.state)) found.push(other)
    if (found.length === shown || looked === mostLooked) break
  }
  return found
}
