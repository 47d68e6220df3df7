/** A text that is kept in a file: whoever reads it finds one state or the next, whole, also after a power cut. */
import type { FileHandle } from 'node:fs/promises'

export type TextFile = {
  /** Writes the text as it is then. Calls that come while one is written are one more write, of the latest. */
  update(): Promise<void>
}

/** `read` gives the text. Node alone: nothing of it is loaded until the first write. */
export function textFile(path: string, read: () => Promise<string>): TextFile {
  let running: Promise<void> | undefined
  let again: Promise<void> | undefined
  function write(): Promise<void> {
    running = replace(path, read).finally(() => {
      running = undefined
    })
    return running
  }
  return {
    update() {
      if (!running) return write()
      again ??= running
        .catch(() => {})
        .then(() => {
          again = undefined
          return write()
        })
      return again
    },
  }
}

/** Written beside it, flushed, then renamed over it, which is one step for the file system. */
async function replace(path: string, read: () => Promise<string>): Promise<void> {
  const { open, rename, rm } = await import('node:fs/promises')
  const beside = `${path}.${process.pid}.${crypto.randomUUID().slice(0, 8)}.tmp`
  let file: FileHandle | undefined
  try {
    file = await open(beside, 'wx', 0o600)
    await file.writeFile(`${await read()}\n`)
    await file.sync()
    await file.close()
    await rename(beside, path)
  } catch (error) {
    await file?.close().catch(() => {})
    await rm(beside, { force: true })
    throw error
  }
}
