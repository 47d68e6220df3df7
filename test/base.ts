import { afterAll, afterEach, beforeEach } from 'vitest'
import { type Base, startBase } from '../src/testing/index.js'

/**
 * A Base for a test file: a fork where `BASE_RPC_URL` is set. To call once, at its top:
 *
 *     const base = await useBase()
 *
 * Every test starts from the state that the file's own `beforeAll` left, or with `isolate: 'file'` from the one
 * that the test before it left. Nothing reaches the next file. Not for `test.concurrent`. Nobody has to stop it.
 */
export async function useBase(options: { isolate?: 'test' | 'file' } = {}): Promise<Base> {
  const { isolate = 'test' } = options
  const base = await startBase()
  afterAll(base.stop)
  if (isolate === 'test') {
    let revertTest = async () => {}
    beforeEach(async () => {
      revertTest = await base.snapshot()
    })
    afterEach(() => revertTest())
  }
  return base
}
