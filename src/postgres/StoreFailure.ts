/**
 * What PostgreSQL and the way to it can answer, as errors of the store. No text of the server or of the network is
 * passed on from before a connection stands: a connection string with a slip in it can turn a part of the password
 * into a host or a database, which such texts name.
 */
import pg from 'pg'
import { HardcapError } from '../errors.js'

/** Nothing could be asked: the server is not there, or does not let these books in. */
export function unreadable(error: unknown): HardcapError {
  const code = codeOf(error)
  const said =
    reasons[code] ?? (code === '' ? 'The connection was closed.' : `The connection failed (${code}).`)
  return new HardcapError('STORE_UNREADABLE', `The books in PostgreSQL cannot be reached. ${said}`, {
    figures: { code },
    // A server that is away comes back; a wrong password stays wrong.
    retryable: code === '' || /^(53|57|08)/.test(code) || (/^E[A-Z]+$/.test(code) && code !== 'EACCES'),
  })
}

const reasons: Readonly<Record<string, string>> = {
  '28000': 'The server refused the user (28000).',
  '28P01': 'The server refused the user or the password (28P01).',
  '3D000': 'There is no such database on the server (3D000).',
  '42501': 'The user lacks a right (42501): it has to own the schema of the books, or may create it.',
  '53300': 'The server has no connection left (53300).',
  '57P03': 'The server is starting or stopping (57P03).',
  ECONNREFUSED: 'Nothing listens there (ECONNREFUSED).',
  ENOTFOUND: 'The host is not known (ENOTFOUND).',
  ENOENT: 'There is no such socket (ENOENT).',
  ERR_INVALID_URL:
    'The connection string is no URL. Special characters of the password have to be escaped, as encodeURIComponent does.',
}

/** The transaction is undone and may be tried again: somebody else was in the way for too long. */
export function busy(busyTimeoutMs: number): HardcapError {
  return new HardcapError(
    'STORE_BUSY',
    `Other transactions were in the way for ${busyTimeoutMs} ms. Nothing was written; try again.`,
    { figures: { busyTimeoutMs }, retryable: true },
  )
}

/** The connection ended before the commit was asked for: the server has undone the transaction, or will. */
export function lost(): HardcapError {
  return new HardcapError(
    'STORE_LOST',
    'The connection to PostgreSQL was lost inside a transaction. Nothing was written; try again.',
    { retryable: true },
  )
}

/** The connection ended between the commit and its answer. */
export function unknown(): HardcapError {
  return new HardcapError(
    'STORE_UNKNOWN',
    'The connection to PostgreSQL was lost while a transaction was being committed: all of it was written, or nothing. Try again with the same idempotency key, which pays once either way.',
    { retryable: true },
  )
}

/** Whether a statement failed because the connection, or the server behind it, is gone. */
export function isLost(error: unknown): boolean {
  // Only the server names a condition. 08: connection exceptions; 25P03, 25P04: it gave up on a transaction;
  // 57P01 to 57P05: it is being stopped, or the session was ended.
  return !(error instanceof pg.DatabaseError) || /^(08|25P0[34]|57P0[1-5])/.test(codeOf(error))
}

/** Whether a statement failed because of another transaction, so that the same one may succeed later. */
export function isBusy(error: unknown): boolean {
  if (!(error instanceof pg.DatabaseError)) return false
  // 55P03: lock_timeout. 57014: a statement_timeout of the server's own, which runs while a lock is waited for. 40:
  // serialization and deadlocks, which this isolation and one lock per transaction do not meet, by any standard
  // setting. 23505 on the agent: another host opened another grant for it in the same moment, and the next attempt
  // sees that.
  if (/^(55P03|57014|40)/.test(codeOf(error))) return true
  return error.code === '23505' && error.constraint === 'grants_agent'
}

/** Whether the server does not let this user do it. */
export function isForbidden(error: unknown): boolean {
  return error instanceof pg.DatabaseError && error.code === '42501'
}

/** Whether a commit failed by a rule of the database, so that it certainly did not happen. */
export function isRefusal(error: unknown): boolean {
  // 40003 is `statement_completion_unknown`.
  return error instanceof pg.DatabaseError && /^(23|40(?!003))/.test(codeOf(error))
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : ''
}
