// `npm run check:long`: what takes too long for every commit. Every step prints the command it runs; the last
// lines say what held. A step can be run alone: `node script/long.mjs fuzz`.
import { run } from './setup.mjs'

// Another one every time; the tests print it, and take it again from the environment.
const seed = process.env.HARDCAP_SEED ?? String(Math.floor(Math.random() * 2 ** 32))

const steps = {
  fuzz: () => run('forge', ['test'], { env: { FOUNDRY_FUZZ_RUNS: '10000', FOUNDRY_INVARIANT_RUNS: '2048' } }),
  differential: () =>
    run('vitest', ['run', 'test/chain/differential.test.ts', 'test/chain/guardDifferential.test.ts'], {
      env: { HARDCAP_STEPS: '30000', HARDCAP_SEED: seed },
    }),
  books: () =>
    run('vitest', ['run', 'test/ledger/model.test.ts', '--testTimeout=1800000'], {
      env: { HARDCAP_RUNS: '500', HARDCAP_SEED: seed },
    }),
  thief: () =>
    run('vitest', ['run', 'test/chain/guardThiefRandom.test.ts', '--testTimeout=1800000'], {
      env: { HARDCAP_ROBBERIES: '100', HARDCAP_SEED: seed },
    }),
  crash: () => run('node', ['script/run.mjs', 'crashTest.ts'], { env: { HARDCAP_SEED: seed } }),
  mutants: () => run('node', ['script/mutants.mjs']),
  coverage: () => run('node', ['script/coverage.mjs']),
  node22: () => underNode('22.23.3'),
  node24: () => underNode('24.9.0'),
}

/** The whole vitest suite under another Node, which npm serves as a package. */
function underNode(version) {
  const { platform, arch } = process
  const node = [
    'exec',
    '--yes',
    '--loglevel=error',
    `--package=node-${platform}-${arch}@${version}`,
    '--',
    'node',
  ]
  return run('npm', [...node, 'node_modules/vitest/vitest.mjs', 'run'])
}

const wanted = process.argv.slice(2)
const unknown = wanted.filter((name) => !(name in steps))
if (unknown.length > 0) {
  process.stderr.write(`No such step: ${unknown.join(', ')}. Steps: ${Object.keys(steps).join(', ')}.\n`)
  process.exit(1)
}
const results = Object.entries(steps)
  .filter(([name]) => wanted.length === 0 || wanted.includes(name))
  .map(([name, step]) => {
    process.stdout.write(`\n=== ${name} ===\n`)
    const start = performance.now()
    const ok = step() === 0
    return { name, ok, seconds: Math.round((performance.now() - start) / 1000) }
  })
process.stdout.write('\n')
for (const { name, ok, seconds } of results) {
  process.stdout.write(`${name.padEnd(14)} ${ok ? 'holds' : 'FAILED'}  ${seconds} s\n`)
}
process.exitCode = results.every(({ ok }) => ok) ? 0 : 1
