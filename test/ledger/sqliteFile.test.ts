import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { HardcapError } from '../../src/index.js'
import { sqlite } from '../../src/sqlite/index.js'

const folders: string[] = []
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'hardcap-file-'))
  folders.push(path)
  return path
}

const grantId = `0x${'11'.repeat(32)}` as const
const get = (store: ReturnType<typeof sqlite>) =>
  store.transact(grantId, (tx) => tx.get('grants', { grantId }))

function thrown(work: () => unknown): unknown {
  try {
    return work()
  } catch (error) {
    return error
  }
}

test('error: STORE_UNREADABLE where the folder is missing', () => {
  const path = join(folder(), 'missing', 'books.db')
  const error = thrown(() => sqlite(path))
  expect(error).toBeInstanceOf(HardcapError)
  expect(error).toMatchObject({ code: 'STORE_UNREADABLE', figures: { path } })
  expect(String(error)).toContain(path)
  expect(existsSync(path)).toBe(false)
})

test('error: STORE_UNREADABLE where the file is no database', () => {
  const path = join(folder(), 'books.db')
  writeFileSync(path, 'These are no books. '.repeat(200))
  expect(thrown(() => sqlite(path))).toMatchObject({ code: 'STORE_UNREADABLE', figures: { path } })
})

test('error: STORE_CLOSED after close, which may be called twice', async () => {
  const path = join(folder(), 'books.db')
  const store = sqlite(path)
  expect(await get(store)).toBeUndefined()
  await store.close()
  await store.close()
  await expect(get(store)).rejects.toMatchObject({ code: 'STORE_CLOSED', figures: { path } })
})
