/**
 * What the server keeps besides the books: keys, sessions, and what owners are asked for. A small port of its own, with
 * tables of its own, which may be in the database of the books. Nothing in it can be used to get in: of keys, sessions,
 * nonces and links to requests only SHA-256 hashes are kept, each of 128 random bits or more.
 */
import type { Address, Hex } from 'viem'
import { memoryOf } from '../memory.js'
import type { TableStore } from '../Store.js'
import type { Schema } from '../Tables.js'
import type { IncreaseCap } from './Schema.js'

/** What a backend's key may do. See `Key`. */
export type KeyRow = {
  /** What is public of the key. */
  readonly id: string
  /** Of the secret. */
  readonly hash: string
  readonly label: string
  /** Whose it is: stays through rotations. */
  readonly family: string
  /** JSON: an array of verbs. */
  readonly verbs: string
  /** JSON: an array of grantIds, or `"all"`. */
  readonly grants: string
  readonly createdAt: number
  /** Unix seconds, exclusive; null for never. */
  readonly expiresAt: number | null
  readonly revokedAt: number | null
}

/** A nonce that was given out and not used. The oldest come first. */
export type NonceRow = { readonly expiresAt: number; readonly hash: string }

/** An owner who has signed in. The oldest come first. */
export type SessionRow = {
  readonly expiresAt: number
  readonly hash: string
  readonly address: Address
  readonly createdAt: number
}

/** What becomes of something that an owner is asked for. `expired` is for the clock to say. */
export type Answer = 'open' | 'approved' | 'declined'

export type RequestRow = {
  /** Hash of the id: the link is not kept. */
  readonly id: string
  /** Of the key that asked. */
  readonly family: string
  readonly grantId: Hex
  /** As `Grant.serialize` and `Permission.serialize` write them. */
  readonly grant: string
  readonly permission: string
  /** JSON, see `Names`. */
  readonly names: string
  readonly note: string | null
  readonly status: Answer
  readonly signature: Hex | null
  readonly transactionHash: Hex | null
  readonly createdAt: number
  readonly expiresAt: number
  readonly decidedAt: number | null
}

/** When a request ended, or will if nobody answers. Those that ended first come first. */
export type EndRow = {
  readonly endsAt: number
  readonly id: string
  readonly family: string
  readonly grantId: Hex
  /** 1 while it counts for its family: its grant was not seen in the books. */
  readonly counts: 0 | 1
}

/** That a family asked for a grant, which it may see for that. */
export type AskedRow = { readonly family: string; readonly grantId: Hex }

export type IncreaseRow = {
  readonly id: Hex
  readonly grantId: Hex
  readonly family: string
  readonly cap: IncreaseCap
  /** Base units. */
  readonly from: bigint
  readonly to: bigint
  readonly reason: string
  /** The terms as they were, and as they would be. */
  readonly old: string
  readonly grant: string
  readonly permission: string
  /** Hash of the permission whose place the new one takes. */
  readonly replaces: Hex
  readonly status: Answer
  readonly signature: Hex | null
  readonly createdAt: number
  readonly expiresAt: number
  readonly decidedAt: number | null
}

export type RecordTables = {
  server_keys: KeyRow
  server_nonces: NonceRow
  server_sessions: SessionRow
  server_requests: RequestRow
  server_ends: EndRow
  server_asked: AskedRow
  server_increases: IncreaseRow
}

/** Transactions take a lock by name, such as `request:<id>`: two of the same name run one after the other. */
export type Records = TableStore<RecordTables>

export const recordSchema: Schema<RecordTables> = {
  server_keys: {
    columns: {
      id: 'text',
      hash: 'text',
      label: 'text',
      family: 'text',
      verbs: 'text',
      grants: 'text',
      createdAt: 'integer',
      expiresAt: 'integer',
      revokedAt: 'integer',
    },
    key: ['id'],
    indexes: [],
  },
  server_nonces: {
    columns: { expiresAt: 'integer', hash: 'text' },
    key: ['expiresAt', 'hash'],
    indexes: [['hash']],
  },
  server_sessions: {
    columns: { expiresAt: 'integer', hash: 'text', address: 'text', createdAt: 'integer' },
    key: ['expiresAt', 'hash'],
    indexes: [['hash']],
  },
  server_requests: {
    columns: {
      id: 'text',
      family: 'text',
      grantId: 'text',
      grant: 'text',
      permission: 'text',
      names: 'text',
      note: 'text',
      status: 'text',
      signature: 'text',
      transactionHash: 'text',
      createdAt: 'integer',
      expiresAt: 'integer',
      decidedAt: 'integer',
    },
    key: ['id'],
    indexes: [],
  },
  server_ends: {
    columns: { endsAt: 'integer', id: 'text', family: 'text', grantId: 'text', counts: 'integer' },
    key: ['endsAt', 'id'],
    indexes: [['family', 'counts']],
  },
  server_asked: {
    columns: { family: 'text', grantId: 'text' },
    key: ['family', 'grantId'],
    indexes: [],
  },
  server_increases: {
    columns: {
      id: 'text',
      grantId: 'text',
      family: 'text',
      cap: 'text',
      from: 'amount',
      to: 'amount',
      reason: 'text',
      old: 'text',
      grant: 'text',
      permission: 'text',
      replaces: 'text',
      status: 'text',
      signature: 'text',
      createdAt: 'integer',
      expiresAt: 'integer',
      decidedAt: 'integer',
    },
    key: ['id'],
    indexes: [['grantId']],
  },
}

/** Records in this process's memory: for tests and trials. They end with the process. */
export function memoryRecords(): Records {
  return memoryOf(recordSchema)
}
