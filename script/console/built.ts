/** The console as it is built for production, and the development wallet, for tests and the demo, from sources. */
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'vite'

const root = fileURLToPath(new URL('../../', import.meta.url))
const cache = `${root}node_modules/.cache/`

/** The folder with `console/` and `development/`, built once for the same sources, whoever asks first. */
export async function built(): Promise<string> {
  const folder = `${cache}hardcap-console-${fingerprint()}`
  if (existsSync(folder)) return folder
  mkdirSync(cache, { recursive: true })
  const temporary = mkdtempSync(`${cache}building-`)
  for (const [name, config] of [
    ['console', 'vite.config.ts'],
    ['development', 'development.config.ts'],
  ] as const)
    await build({
      configFile: `${root}script/console/${config}`,
      logLevel: 'error',
      // vitest's own is `test`, with which React would be its development build.
      mode: 'production',
      build: { outDir: join(temporary, name) },
    })
  for (const old of readdirSync(cache))
    if (old.startsWith('hardcap-console-')) rmSync(cache + old, { recursive: true, force: true })
  try {
    renameSync(temporary, folder)
  } catch (error) {
    // Another worker was faster with the same.
    rmSync(temporary, { recursive: true, force: true })
    if (!existsSync(folder)) throw error
  }
  return folder
}

/** Of everything that goes into the build. */
function fingerprint(): string {
  const hash = createHash('sha256')
  for (const folder of ['src', 'abi', 'script/console'])
    for (const entry of readdirSync(root + folder, { recursive: true, withFileTypes: true }))
      if (entry.isFile()) {
        const path = join(entry.parentPath, entry.name)
        hash.update(`${path}\n`).update(readFileSync(path))
      }
  return hash
    .update(readFileSync(`${root}package-lock.json`))
    .digest('hex')
    .slice(0, 16)
}
