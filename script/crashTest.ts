/**
 * `npm run crash-test`: many processes on one store and one chain, killed with SIGKILL at every step and at random,
 * restarted, and then held against the chain's own events. Exits with 1 where anything is over, lost, duplicated or
 * unequal, or where a scenario did not come to its end.
 */
import { parseArgs } from 'node:util'
import { startBase } from '../src/testing/index.js'
import { add, holds, type Row } from './crash/audit.js'
import { postgresBooks, sqliteBooks } from './crash/books.js'
import { createLauncher } from './crash/replica.js'
import { type Scenario, type Store, scenarios } from './crash/scenarios.js'
import { startPostgres } from './postgres.js'

const help = `hardcap's crash test: what is paid, over, lost and duplicated when processes are killed.

  npm run crash-test                     at least 1,000 kills
  npm run crash-test -- --short          a few of each, in under a minute
  npm run crash-test -- --short --json   one JSON document on stdout, progress on stderr

  --kills N       how many kills, at least, in all
  --only TEXT     the scenarios whose name contains it
  HARDCAP_SEED    a number that repeats the random choices of an earlier run
  DATABASE_URL    a PostgreSQL to use; without it one is started
`

/** Kills in one world: with its end they cost a fraction of what they would cost each in a world of its own. */
const atOnce = 20
/** Scenarios at a time; the chain is one process, and the replicas are others. */
const lanes = 3

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

/** A scenario on a store, and how many kills it is to have. */
type Task = { readonly name: string; readonly kills: number } & Pick<Scenario, 'round'> & {
    readonly store: Store
    readonly seed: number
  }

async function main(): Promise<void> {
  const all = Number(values.kills ?? (values.short ? 20 : 1_000))
  if (!Number.isSafeInteger(all) || all < 0) throw new Error('--kills needs a whole number from 0.')
  const seed = Number(process.env.HARDCAP_SEED ?? Math.floor(Math.random() * 2 ** 32))
  const tasks = tasksOf(all, seed)
  const say = (line: string) => process.stderr.write(`${line}\n`)
  const expected = tasks.reduce((sum, { kills }) => sum + kills, 0)
  say(`HARDCAP_SEED=${seed}: ${expected} kills in ${tasks.length} scenarios`)
  const isNeeded = tasks.some(({ store }) => store === 'PostgreSQL') && !process.env.DATABASE_URL
  const server = isNeeded ? await startPostgres() : undefined
  const url = process.env.DATABASE_URL ?? server?.url ?? ''
  const launcher = createLauncher()
  const rows = new Map<Task, Row>()
  const started = performance.now()
  let killed = 0
  let ended = 0
  /** Rounds of a scenario until it had its kills. */
  async function runTask(task: Task): Promise<void> {
    const { name, store } = task
    const random = mulberry32(task.seed)
    const books = store === 'SQLite' ? sqliteBooks : () => postgresBooks(url)
    // A chain of its own for each: clocks jump in some.
    const base = await startBase({ forkUrl: false, slotsInAnEpoch: 2 })
    try {
      for (let before = 0; before === 0 || before < task.kills; ) {
        const kills = Math.min(atOnce, task.kills - before)
        const { kills: done, ...row } = await task.round({ base, launcher, books, random, before, kills })
        const sofar = rows.get(task)
        const total = { ...row, scenario: name }
        rows.set(task, sofar ? add(sofar, total) : total)
        killed += done
        before += done
        say(`${progress(killed, expected, started)}; ${name}: ${done}`)
        if (done === 0) break
      }
    } finally {
      await base.stop()
    }
    ended += 1
    say(`${ended} of ${tasks.length} scenarios: ${name}`)
  }
  // Those at the end of the list take longest.
  const queue = [...tasks].reverse()
  /** What one comes to says nothing of the others. */
  async function work(): Promise<void> {
    for (let task = queue.shift(); task; task = queue.shift()) {
      await runTask(task).catch((error: unknown) => {
        process.exitCode = 1
        if (task) rows.delete(task)
        say(`FAILED: ${task?.name}: ${error instanceof Error ? error.stack : String(error)}`)
      })
    }
  }
  try {
    await Promise.all(Array.from({ length: lanes }, work))
  } finally {
    launcher.end()
    await server?.stop()
  }
  // Without the row of one that failed: it stands on stderr, and in the exit code.
  const report = { rows: tasks.flatMap((task) => rows.get(task) ?? []), kills: killed }
  process.stdout.write(values.json ? `${JSON.stringify(report, null, 2)}\n` : table(report))
  if (!holds(report.rows)) process.exitCode = 1
}

/** With a rate, and from it the time of the end. */
function progress(killed: number, expected: number, started: number): string {
  const rate = (killed / (performance.now() - started)) * 1000
  const soFar = `${killed} of ${expected} kills, ${rate.toFixed(2)} a second`
  if (killed === 0) return soFar
  const end = new Date(Date.now() + (Math.max(0, expected - killed) / rate) * 1000)
  return `${soFar}, the end at about ${end.toISOString().slice(11, 19)} UTC`
}

function tasksOf(kills: number, seed: number): Task[] {
  const wanted = scenarios.flatMap(({ name, stores, short, ...rest }) =>
    ((values.short && short) || stores).map((store) => ({ ...rest, name: `${name}, ${store}`, store })),
  )
  const tasks = wanted.filter(({ name }) => name.includes(values.only))
  if (tasks.length === 0)
    throw new Error(
      `No scenario has "${values.only}" in its name: ${wanted.map(({ name }) => name).join('; ')}.`,
    )
  const shares = tasks.reduce((sum, { share }) => sum + share, 0)
  return tasks.map(({ share, ...task }, n) => ({
    ...task,
    kills: share === 0 ? 0 : Math.ceil((kills * share) / shares),
    seed: seed + n,
  }))
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
