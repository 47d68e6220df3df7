import { afterAll, afterEach, beforeEach } from 'vitest'
import { type Base, startBase } from '../src/testing/index.js'

declare global {
  /** Outside of the module, which vitest may load anew for every file that a worker runs. */
  var hardcapBase: Promise<Base> | undefined
}

/**
 * The Base of this vitest worker: a fork where `BASE_RPC_URL` is set. To call once, at the top of a test file:
 *
 *     const base = await useBase()
 *
 * Every test starts from the state that the file's own `beforeAll` left, or with `isolate: 'file'` from the one
 * that the test before it left. Nothing reaches the next file. Not for `test.concurrent`. Nobody has to stop it:
 * it ends with the worker.
 */
export async function useBase(options: { isolate?: 'test' | 'file' } = {}): Promise<Base> {
  const { isolate = 'test' } = options
  globalThis.hardcapBase ??= startBase()
  const base = await globalThis.hardcapBase
  const revertFile = await base.snapshot()
  afterAll(revertFile)
  if (isolate === 'test') {
    let revertTest = async () => {}
    beforeEach(async () => {
      revertTest = await base.snapshot()
    })
    afterEach(() => revertTest())
  }
  return base
}
