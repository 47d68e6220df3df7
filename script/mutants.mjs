// `node script/mutants.mjs`: breaks one line of the library at a time, in a copy, and requires that the tests
// named beside it notice. A mutant that survives is a rule that no test holds.
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { root, run, setup } from './setup.mjs'

const decision = ['test/core/decision.test.ts']
const ledger = ['test/ledger/ledger.test.ts', 'test/ledger/settlement.test.ts', 'test/ledger/reorg.test.ts']

/** File, what stands there (once), what it becomes, the tests that have to fail. */
const mutants = [
  ['src/Rules.ts', 'if (amount <= perCall) return', 'if (amount <= perCall + 1n) return', decision],
  ['src/Rules.ts', 'used.task + amount > limit)', 'used.task + amount >= limit)', decision],
  ['src/Rules.ts', 'used.day + amount > perDay)', 'used.day + amount >= perDay)', decision],
  ['src/Rules.ts', 'used.total + amount > total)', 'used.total + amount > total + 1n)', decision],
  ['src/Rules.ts', 'used.period + amount > permission.allowance', 'amount > permission.allowance', decision],
  ['src/Rules.ts', 'if (now < start)', 'if (now <= start)', decision],
  ['src/Rules.ts', 'if (now >= end)', 'if (now > end)', decision],
  ['src/Meter.ts', 'if (reserved) await add(', 'if (!reserved) await add(', ledger],
  ['src/Settlement.ts', ' || payment.amount !== fact.amount)', ')', ledger],
  ['src/Settlement.ts', 'final.number < after || head.number', 'head.number', ledger],
  ['src/Settlement.ts', 'nonce < reading.finalNonce)', 'nonce <= reading.finalNonce)', ledger],
  ['src/Ledger.ts', 'paused: row.paused === 1,', 'paused: false,', ['test/budget/refuse.test.ts']],
  ['src/Ledger.ts', 'approved: row.approved === 1,', 'approved: true,', ['test/budget/refuse.test.ts']],
  ['src/Receipt.ts', 'receipt.previous !== previous', 'false', ['test/ledger/receipt.test.ts']],
  ['src/Sync.ts', 'fact.amount > 0n', 'fact.amount >= 0n', ['test/budget/chain.test.ts']],
  [
    'src/Settlement.ts',
    'if (hash === row.finalHash) return',
    'if (hash) return',
    ['test/budget/endpoint.test.ts'],
  ],
]

setup()
const copy = mkdtempSync(join(tmpdir(), 'hardcap-mutants-'))
const survivors = []
try {
  for (const name of ['abi', 'src', 'test', 'script', 'package.json', 'tsconfig.json', 'vitest.config.ts']) {
    cpSync(join(root, name), join(copy, name), { recursive: true })
  }
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'))
  // A test that fails without any mutant would kill them all.
  const all = [...new Set(mutants.flatMap(([, , , tests]) => tests))]
  if (run('vitest', ['run', ...all], { cwd: copy, stdio: 'ignore' }) !== 0) {
    throw new Error('The tests fail on the unbroken library: run them first.')
  }
  for (const [file, from, to, tests] of mutants) {
    const original = readFileSync(join(copy, file), 'utf8')
    if (original.split(from).length !== 2)
      throw new Error(`${file}: expected exactly one ${JSON.stringify(from)}`)
    writeFileSync(join(copy, file), original.replace(from, to))
    const killed = run('vitest', ['run', '--bail=1', ...tests], { cwd: copy, stdio: 'ignore' }) !== 0
    writeFileSync(join(copy, file), original)
    process.stdout.write(`${killed ? 'killed  ' : 'SURVIVED'}  ${file}: ${from}  ->  ${to}\n`)
    if (!killed) survivors.push(file)
  }
} finally {
  rmSync(copy, { recursive: true, force: true })
}
process.stdout.write(`\n${mutants.length - survivors.length} of ${mutants.length} mutants killed\n`)
process.exitCode = survivors.length === 0 ? 0 : 1
