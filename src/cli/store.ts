import { existsSync } from 'node:fs'
import { InputError } from '../errors.js'
import type { Store } from '../Store.js'

/**
 * Opens the books that a URL names: `sqlite:<path>`, or PostgreSQL's connection string.
 * @throws InputError where it names none. A file that is not there is not created: nobody exports from empty books.
 */
export async function openStore(url: string | undefined): Promise<Store> {
  const path = pathOf(url)
  if (path !== undefined && !existsSync(path)) throw unknown(url, `There is no file ${path}.`)
  return storeAt(url)
}

/** The same, and a file that is not there is created. */
export async function storeAt(url: string | undefined): Promise<Store> {
  const path = pathOf(url)
  if (path !== undefined) {
    const { sqlite } = await import('../sqlite/index.js')
    return sqlite(path)
  }
  if (url !== undefined && /^postgres(ql)?:\/\//.test(url)) {
    const { postgres } = await import('../postgres/index.js')
    return postgres(url)
  }
  // What it is stays unsaid: it may hold a password.
  throw unknown(url === undefined ? undefined : 'another text', 'It names no store.')
}

function pathOf(url: string | undefined): string | undefined {
  return url?.startsWith('sqlite:') ? url.slice('sqlite:'.length) : undefined
}

function unknown(given: string | undefined, why: string): InputError {
  return new InputError('INVALID_VALUE', {
    field: 'HARDCAP_STORE',
    given,
    valid: 'sqlite:<path of the books> or postgres://... in the environment',
    why,
  })
}
