// `npm run check`: everything that must hold besides the tests. `--fix` writes what a tool can mend.
// `--long` (`npm run check:long`) adds what takes too long for every commit.
import { run, setup } from './setup.mjs'

const fix = process.argv.includes('--fix')
const long = process.argv.includes('--long')

const checks = [
  ['TypeScript: format and lint', 'biome', ['check', '--error-on-warnings', ...(fix ? ['--write'] : [])]],
  ['Solidity: format', 'forge', ['fmt', ...(fix ? [] : ['--check'])]],
  ['Solidity: lint', 'forge', ['lint', 'contracts', '--deny', 'warnings']],
  ['Types', 'tsc', ['--noEmit']],
  ['Types of what runs in browsers', 'tsc', ['--noEmit', '-p', 'tsconfig.react.json']],
  ['Generated files', 'node', ['script/run.mjs', 'gen.ts', ...(fix ? [] : ['--check'])]],
  ['Test vectors', 'node', ['script/run.mjs', 'vectors.ts', ...(fix ? [] : ['--check'])]],
  ['Unused files, exports, dependencies', 'knip', []],
  ['Package', 'node', ['script/build.mjs', '--check']],
]
const longChecks = [['Long checks', 'node', ['script/long.mjs']]]

setup()
const failed = []
for (const [name, command, args] of [...checks, ...(long ? longChecks : [])]) {
  process.stdout.write(`${name} ...\n`)
  if (run(command, args) !== 0) failed.push(name)
}
if (failed.length > 0) {
  process.stderr.write(`\nFailed: ${failed.join('; ')}\n`)
  process.exitCode = 1
} else {
  process.stdout.write('\nAll checks hold.\n')
}
