// `node script/coverage.mjs`: every line and every branch of contracts/, stand-ins aside, is run by the tests of
// the contracts. The invariants do not count: what only they reach, no test states.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { run, setup } from './setup.mjs'

setup()
const folder = mkdtempSync(join(tmpdir(), 'hardcap-coverage-'))
const file = join(folder, 'lcov.info')
try {
  const tests = ['--no-match-path', 'test/contracts/{devnet,spm,invariant}/*']
  const report = ['--report', 'summary', '--report', 'lcov', '--report-file', file]
  const measured = ['--no-match-coverage', '(test|script|devnet|node_modules)/']
  const code = run('forge', ['coverage', ...tests, ...report, ...measured])
  if (code !== 0) process.exitCode = code
  else check(readFileSync(file, 'utf8'))
} finally {
  rmSync(folder, { recursive: true, force: true })
}

/** Fails for every line and branch that was never taken. Format: lcov's geninfo(1). */
function check(lcov) {
  const found = { line: 0, branch: 0 }
  const missed = []
  let source = ''
  for (const entry of lcov.split('\n')) {
    const [kind, value = ''] = entry.split(/:(.*)/)
    if (kind === 'SF') source = value
    if (!source.startsWith('contracts/') || source.startsWith('contracts/devnet/')) continue
    const fields = value.split(',')
    const what = kind === 'DA' ? 'line' : kind === 'BRDA' ? 'branch' : undefined
    if (what === undefined) continue
    found[what] += 1
    // Never run, or `-` for a branch of a line that was never run.
    if (!(Number(fields.at(-1)) > 0)) missed.push(`${source}:${fields[0]}: ${what} not covered`)
  }
  // A report of nothing would pass for a complete one.
  if (found.line === 0 || found.branch === 0) missed.push('The report has no lines or no branches.')
  for (const line of missed) process.stdout.write(`${line}\n`)
  process.stdout.write(`\n${found.line} lines, ${found.branch} branches, ${missed.length} not covered\n`)
  if (missed.length > 0) process.exitCode = 1
}
