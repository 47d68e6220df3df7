// `npm run build`: the library as it is published, in dist/. `--check` also packs it and imports every entry
// point from an empty folder, as a user's project would.
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { root, run, setup } from './setup.mjs'

setup()
rmSync(`${root}dist`, { recursive: true, force: true })
must('tsc', ['-p', 'tsconfig.build.json'])
must('tsc', ['-p', 'tsconfig.react.build.json'])
cpSync(`${root}src/react/styles.css`, `${root}dist/src/react/styles.css`)
must('vite', ['build', '--config', 'script/console/vite.config.ts'])
must('vite', ['build', '--config', 'script/console/development.config.ts'])
if (process.argv.includes('--check')) checkPackage()

function checkPackage() {
  const { name, exports, bin } = JSON.parse(readFileSync(`${root}package.json`, 'utf8'))
  const folder = mkdtempSync(join(tmpdir(), 'hardcap-pack-'))
  try {
    must('npm', ['pack', '--loglevel=error', '--pack-destination', folder])
    must('sh', ['-c', `tar -xzf "${folder}"/*.tgz -C "${folder}" && mkdir -p "${folder}/node_modules"`])
    const runtime = [
      'viem',
      'commander',
      'kysely',
      'libsql',
      '@libsql',
      '@neon-rs',
      'detect-libc',
      'pg',
      '@x402',
      'hono',
      '@hono',
      'zod',
      '@asteasolutions',
      'openapi3-ts',
      'yaml',
      'prom-client',
      'tdigest',
      'bintrees',
      '@opentelemetry',
      'react',
      'react-dom',
      'wagmi',
      '@tanstack',
      '@coinbase',
    ]
    for (const dependency of runtime) {
      symlinkSync(`${root}node_modules/${dependency}`, `${folder}/node_modules/${dependency}`)
    }
    symlinkSync(`${folder}/package`, `${folder}/node_modules/${name}`)
    const entries = Object.keys(exports).filter((entry) => !/\.(json|css)$/.test(entry))
    const imports = entries.map((entry) => `await import('${name}${entry.slice(1)}')`)
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }\n')
    writeFileSync(join(folder, 'imports.mjs'), `${imports.join('\n')}\n`)
    must('node', ['imports.mjs'], { cwd: folder })
    for (const path of Object.values(bin)) must('node', [join('package', path), '--version'], { cwd: folder })
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function must(command, args, options) {
  const code = run(command, args, options)
  if (code !== 0) process.exit(code)
}
