// Writes test/vectors/ from the library: what vitest and forge then hold both sides to.
// `npm run gen` writes; `--check` writes nothing and exits 1 where a committed file is stale.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './setup.mjs'
import { decisionVectors } from './vectors/decision.js'
import { permissionVectors } from './vectors/permission.js'
import { policyVectors } from './vectors/policy.js'
import { windowVectors } from './vectors/window.js'

const files = {
  'decision.json': decisionVectors(),
  'permission.json': permissionVectors(),
  'policy.json': policyVectors(),
  'window.json': windowVectors(),
}

for (const [file, vectors] of Object.entries(files)) {
  const path = join(root, 'test/vectors', file)
  const content = `${JSON.stringify(vectors, null, 2)}\n`
  if (existsSync(path) && readFileSync(path, 'utf8') === content) continue
  if (process.argv.includes('--check')) {
    process.stderr.write(`test/vectors/${file} is not what the library says. Run \`npm run gen\`.\n`)
    process.exitCode = 1
  } else {
    process.stderr.write(`test/vectors/${file}\n`)
    writeFileSync(path, content)
  }
}
