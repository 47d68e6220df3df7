/**
 * What the console weighs: `node script/run.mjs console/weigh.ts`. Our own code is weighed by itself, with everything of
 * node_modules left out; React with it; then what a page loads at first, and what it loads when a wallet asks for it.
 */
import { fileURLToPath } from 'node:url'
import { brotliCompressSync, gzipSync } from 'node:zlib'
import { build, type Rolldown } from 'vite'

const root = fileURLToPath(new URL('../../', import.meta.url))

type Chunk = Rolldown.OutputChunk

const pieces = async (external: (id: string) => boolean): Promise<Rolldown.RolldownOutput['output']> => {
  const configFile = `${root}script/console/vite.config.ts`
  const built = await build({
    configFile,
    logLevel: 'error',
    build: { write: false, rolldownOptions: { external } },
  })
  if (!('output' in built)) throw new Error('vite gave more than one output.')
  return built.output
}

const isBare = (id: string) => /^[@a-z]/.test(id) && !id.startsWith(root)
const isReact = (id: string) => /^(react|react-dom|scheduler|@tanstack\/[a-z-]+)(\/|$)/.test(id)

const own = scripts(await pieces((id) => isBare(id)))
const withReact = scripts(await pieces((id) => isBare(id) && !isReact(id)))
const whole = await pieces(() => false)
const first = atFirst(whole)
const later = scripts(whole).filter((chunk) => !first.includes(chunk))
const styles = whole.flatMap((file) =>
  file.fileName.endsWith('.css') && 'source' in file ? [file.source] : [],
)

print('our own code', text(own))
print('our own code with React and @tanstack/query', text(withReact))
print('all code that a page loads at first', text(first))
print('all styles', styles.map(String))
print('loaded when a wallet asks for it', text(later))

function scripts(output: Rolldown.RolldownOutput['output']): Chunk[] {
  return output.filter((file) => file.type === 'chunk')
}

/** The entry, and what it imports without being asked. */
function atFirst(output: Rolldown.RolldownOutput['output']): Chunk[] {
  const all = scripts(output)
  const found = new Set(all.filter(({ isEntry }) => isEntry))
  for (const { imports } of found)
    for (const chunk of all) if (imports.includes(chunk.fileName)) found.add(chunk)
  return [...found]
}

function text(chunks: readonly Chunk[]): string[] {
  return chunks.map(({ code }) => code)
}

function print(what: string, files: readonly string[]): void {
  const sum = (weigh: (file: string) => number) => files.reduce((sum, file) => sum + weigh(file), 0)
  const kb = (bytes: number) => `${(bytes / 1000).toFixed(1)} kB`
  const figures = [
    kb(sum((file) => Buffer.byteLength(file))),
    `gzip ${kb(sum((file) => gzipSync(file, { level: 9 }).length))}`,
    `brotli ${kb(sum((file) => brotliCompressSync(file).length))}`,
  ]
  process.stdout.write(`${what}: ${figures.join(', ')}\n`)
}
