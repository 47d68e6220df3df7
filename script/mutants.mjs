// `node script/mutants.mjs [library] [server] [contracts] [promises]`: breaks the code at one place at a time, in a copy,
// and requires that the tests named beside it notice. A mutant that survives is a rule that no test holds.
import {
  closeSync,
  cpSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { contracts } from './mutants/contracts.mjs'
import { library } from './mutants/library.mjs'
import { promises } from './mutants/promises.mjs'
import { server } from './mutants/server.mjs'
import { root, run, setup } from './setup.mjs'

/** A mutant: places to change, the tests that have to fail, and the words that they have to fail with, if any. */
const single = ([file, from, to, tests]) => ({ edits: [[file, from, to]], tests, words: '' })
const ofWorlds = ([words, ...edits]) => ({ edits, tests: ['test/contracts/invariant/Reach.t.sol'], words })
const suites = {
  library: { mutants: library.map(single), test: vitest },
  server: { mutants: server.map(single), test: vitest },
  contracts: { mutants: contracts.map(single), test: forge },
  promises: { mutants: promises.map(ofWorlds), test: forge },
}

/** What the tests in `cwd` fail with; nothing if they pass. */
function vitest(cwd, tests) {
  return run('vitest', ['run', '--bail=1', ...tests], { cwd, stdio: 'ignore' }) === 0
    ? undefined
    : 'a test fails'
}

/** As `vitest`. Linked late, forge compiles no more than what changed; but a test keeps what it has of a library then,
 * so that what survives, or fails in other words, is tried again with all compiled. */
function forge(cwd, tests, words) {
  only(cwd, tests)
  const late = { FOUNDRY_DYNAMIC_TEST_LINKING: 'true' }
  const full = { FOUNDRY_OUT: 'out-full', FOUNDRY_CACHE_PATH: 'cache-full' }
  const failure = forgeOnce(cwd, late)
  return failure?.includes(words) ? failure : forgeOnce(cwd, full)
}

/** Leaves no other tests in the copy: to be asked for some of many, forge would look through them all each time. */
function only(cwd, tests) {
  const folder = join(cwd, 'test/contracts')
  for (const name of readdirSync(folder, { recursive: true })) {
    if (name.endsWith('.t.sol')) rmSync(join(folder, name))
  }
  for (const test of tests) cpSync(join(cwd, 'all', test), join(cwd, test))
}

function forgeOnce(cwd, env) {
  const file = join(cwd, 'forge.txt')
  const log = openSync(file, 'w')
  const stdio = ['ignore', log, log]
  run('forge', ['test'], { cwd, stdio, env: { FOUNDRY_DENY: 'never', ...env } })
  closeSync(log)
  const output = readFileSync(file, 'utf8')
  // What does not compile is no mutant.
  if (!/\d+ tests? passed, \d+ failed/.test(output)) throw new Error(`forge ran no tests:\n${output}`)
  return /\[FAIL(?:: )?(.*?)\] /.exec(output)?.[1]
}

function edit(copy, [file, from, to]) {
  const path = join(copy, file)
  const text = readFileSync(path, 'utf8')
  writeFileSync(
    path,
    text.replace(from, () => to),
  )
}

/** What stands in the code no more, or twice: told before an hour of tests. */
function misplaced(names) {
  return names
    .flatMap((name) => suites[name].mutants.flatMap(({ edits }) => edits))
    .filter(([file, from]) => readFileSync(join(root, file), 'utf8').split(from).length !== 2)
    .map(([file, from]) => `${file}: expected exactly one ${JSON.stringify(from)}\n`)
}

/** Those of the suite that no test noticed. */
function survivors(name, copy) {
  const { mutants, test } = suites[name]
  // A test that fails without any mutant would kill them all.
  const all = [...new Set(mutants.flatMap(({ tests }) => tests))]
  if (test(copy, all, '') !== undefined)
    throw new Error('The tests fail on the unbroken code: run them first.')
  return mutants.filter(({ edits, tests, words }) => {
    const originals = edits.map(([file]) => [join(copy, file), readFileSync(join(copy, file), 'utf8')])
    for (const change of edits) edit(copy, change)
    const failure = test(copy, tests, words)
    for (const [path, text] of originals) writeFileSync(path, text)
    const killed = failure?.includes(words) ?? false
    for (const [file, from, to] of edits) {
      const line = `${killed ? 'killed  ' : 'SURVIVED'}  ${file}: ${from}  ->  ${to || 'nothing'}`
      process.stdout.write(`${line.replace(/\n\s*/g, ' ')}\n`)
    }
    if (words) process.stdout.write(`          by "${words}"; noticed: ${failure ?? 'nothing'}\n`)
    return !killed
  })
}

const wanted = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(suites)
const unknown = wanted.filter((name) => !(name in suites))
if (unknown.length > 0) throw new Error(`No such mutants: ${unknown}. There are: ${Object.keys(suites)}.`)
const misses = misplaced(wanted)
if (misses.length > 0) throw new Error(`Mutants that have no place:\n${misses.join('')}`)

setup()
const copy = mkdtempSync(join(tmpdir(), 'hardcap-mutants-'))
const lines = []
try {
  const copied = ['abi', 'contracts', 'src', 'test', 'script']
  for (const name of [...copied, 'package.json', 'tsconfig.json', 'vitest.config.ts', 'foundry.toml']) {
    cpSync(join(root, name), join(copy, name), { recursive: true })
  }
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'))
  cpSync(join(root, 'test/contracts'), join(copy, 'all/test/contracts'), { recursive: true })
  rmSync(join(copy, 'script/Deploy.s.sol'))
  for (const name of wanted) {
    const { length } = suites[name].mutants
    const alive = survivors(name, copy).length
    if (alive > 0) process.exitCode = 1
    lines.push(`${name}: ${length - alive} of ${length} mutants killed\n`)
  }
} finally {
  rmSync(copy, { recursive: true, force: true })
}
process.stdout.write(`\n${lines.join('')}`)
