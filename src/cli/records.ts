import { InputError } from '../errors.js'
import type { Records } from '../server/Records.js'
import { secret } from './secret.js'

/**
 * Opens the server's records: those that HARDCAP_RECORDS names, or else those beside the books.
 * @throws InputError where neither names a place
 */
export async function openRecords(env: Readonly<Record<string, string | undefined>>): Promise<Records> {
  const url = secret(env, 'HARDCAP_RECORDS') ?? secret(env, 'HARDCAP_STORE')
  if (url?.startsWith('sqlite:')) {
    const { sqliteRecords } = await import('../sqlite/index.js')
    return sqliteRecords(url.slice('sqlite:'.length))
  }
  if (url !== undefined && /^postgres(ql)?:\/\//.test(url)) {
    const { postgresRecords } = await import('../postgres/index.js')
    return postgresRecords(url)
  }
  // What it is stays unsaid: it may hold a password.
  throw new InputError('INVALID_VALUE', {
    field: 'HARDCAP_RECORDS',
    given: url === undefined ? undefined : 'another text',
    valid: 'sqlite:<path> or postgres://... in the environment, or nothing next to a HARDCAP_STORE',
    why: 'It names no place for the records.',
  })
}
