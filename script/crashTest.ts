/**
 * `npm run crash-test`: many processes on one store and one chain, killed with SIGKILL at every step and at random,
 * restarted, and then held against the chain's own events. Exits with 1 where anything is over, lost, duplicated or
 * unequal.
 */
import { parseArgs } from 'node:util'
import { startBase } from '../src/testing/index.js'
import { scenarios } from './crash/scenarios.js'
import type { Row } from './crash/world.js'

const help = `hardcap's crash test: what is paid, over, lost and duplicated when processes are killed.

  npm run crash-test                     at least 1,000 kills
  npm run crash-test -- --short          a few of each, in under a minute
  npm run crash-test -- --short --json   one JSON document on stdout, progress on stderr

  --kills N       how many kills, in all
  --only TEXT     the scenarios whose name contains it
  HARDCAP_SEED    a number that repeats the random choices of an earlier run
`

const { values } = parseArgs({
  options: {
    short: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    kills: { type: 'string' },
    only: { type: 'string', default: '' },
    help: { type: 'boolean', short: 'h', default: false },
  },
})

if (values.help) process.stdout.write(help)
else await main()

async function main(): Promise<void> {
  const wanted = scenarios.filter(({ name }) => name.includes(values.only))
  if (wanted.length === 0)
    throw new Error(
      `No scenario has "${values.only}" in its name: ${scenarios.map(({ name }) => name).join('; ')}.`,
    )
  const all = Number(values.kills ?? (values.short ? 16 : 1_000))
  if (!Number.isSafeInteger(all) || all < 0) throw new Error('--kills needs a whole number from 0.')
  const kills = Math.ceil(all / wanted.length)
  const seed = Number(process.env.HARDCAP_SEED ?? Math.floor(Math.random() * 2 ** 32))
  const random = mulberry32(seed)
  const say = (line: string) => process.stderr.write(`${line}\n`)
  say(`seed ${seed}; ${kills} kills in each of ${wanted.length} scenarios`)
  const rows: Row[] = []
  let killed = 0
  const started = performance.now()
  for (const [n, { name, run }] of wanted.entries()) {
    // A chain of its own for each: clocks jump in some.
    const base = await startBase({ forkUrl: false })
    try {
      const { kills: done, ...row } = await run({ base, kills, random })
      rows.push({ ...row, scenario: name })
      killed += done
    } finally {
      await base.stop()
    }
    const seconds = (performance.now() - started) / 1000
    const left = Math.round((seconds / (n + 1)) * (wanted.length - n - 1))
    say(`${n + 1} of ${wanted.length}: ${name}, ${Math.round(seconds)} s so far, about ${left} s to go`)
  }
  const report = { rows, kills: killed }
  process.stdout.write(values.json ? `${JSON.stringify(report, null, 2)}\n` : table(report))
  const holds = rows.every(
    ({ over, lost, duplicated, equal }) => over === 0 && lost === 0 && duplicated === 0 && equal,
  )
  if (!holds) process.exitCode = 1
}

function table({ rows, kills }: { rows: readonly Row[]; kills: number }): string {
  const usd = (units: number) => (units / 1_000_000).toFixed(6)
  const cells = [
    ['scenario', 'cap', 'paid', 'over the cap', 'lost', 'duplicated', 'ledger = chain'],
    ...rows.map(({ scenario, cap, paid, over, lost, duplicated, equal }) => [
      scenario,
      usd(cap),
      usd(paid),
      usd(over),
      String(lost),
      String(duplicated),
      equal ? 'yes' : 'NO',
    ]),
  ]
  const widths = (cells[0] ?? []).map((_, n) => Math.max(...cells.map((row) => (row[n] ?? '').length)))
  const lines = cells.map((row) =>
    row
      .map((cell, n) => cell.padEnd(widths[n] ?? 0))
      .join('  ')
      .trimEnd(),
  )
  return `${lines.join('\n')}\n${kills} kills\n`
}

/** A small generator of numbers from 0 up to 1, the same for the same seed. */
function mulberry32(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
