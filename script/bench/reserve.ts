// `npm run bench -- reserve`: how many payments a second the books reserve, durably, next to what the same engine does
// with the smallest durable transaction there is, in the same run.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { type PostgresServer, startPostgres } from '../postgres.js'
import { type Bench, grouped, table } from './kit.js'
import type { Job } from './reserveChild.js'

/** Transactions a second. `share`: reserves per bare transaction. */
export type Reserves = {
  readonly store: 'sqlite' | 'postgres'
  readonly processes: number
  readonly reservesPerSecond: number
  readonly barePerSecond: number
  readonly share: number
}

/** Milliseconds of one turn, and turns of each kind. */
const turn = { ms: 2_000, count: 3 } as const

const help = `reserve: payments that the books reserve in a second, from the decision to the commit, durable: SQLite with
synchronous=full, PostgreSQL with fsync and synchronous_commit on. Eight grants in each process, each with caps per call,
task, day, trailing window and in total, reserve at once. A turn of these and a turn of bare transactions take place by
turns, ${turn.count} of each, and their medians are printed.

  bare    begin, insert one row, commit: by the same engine, on as many connections, as durable
  share   reserves per bare transaction
`

export const reserve: Bench<readonly Reserves[]> = {
  what: 'durable reserves a second, on SQLite and PostgreSQL, by 1 and 4 processes',
  help,
  run: async (progress) => {
    const results: Reserves[] = []
    const measure = async (store: Reserves['store'], url: string) => {
      for (const processes of [1, 4]) {
        progress(`Measuring ${store}, ${processes} ${processes === 1 ? 'process' : 'processes'} ...`)
        results.push({ store, processes, ...(await rates(url, processes)) })
      }
    }
    const folder = mkdtempSync(join(tmpdir(), 'hardcap-bench-'))
    let server: PostgresServer | undefined
    try {
      await measure('sqlite', `sqlite:${join(folder, 'books.db')}`)
      server = await startPostgres({ durable: true })
      await measure('postgres', server.url)
    } finally {
      await server?.stop()
      rmSync(folder, { recursive: true, force: true })
    }
    return results
  },
  figures: (results) => ({ reserve: results }),
  text: (results) =>
    `\n${table([
      ['store', 'processes', 'reserves/s', 'bare/s', 'share'],
      ...results.map(({ store, processes, reservesPerSecond, barePerSecond, share }) => [
        store,
        String(processes),
        grouped(reservesPerSecond),
        grouped(barePerSecond),
        share.toFixed(3),
      ]),
    ])}`,
}

async function rates(store: string, processes: number): Promise<Omit<Reserves, 'store' | 'processes'>> {
  const workers = await Promise.all(Array.from({ length: processes }, () => launch({ store, ms: turn.ms })))
  try {
    const measured: Record<'bare' | 'reserve', number[]> = { bare: [], reserve: [] }
    // The first of each warms up, and does not count.
    for (let n = 0; n <= turn.count; n++) {
      for (const kind of ['bare', 'reserve'] as const) {
        const perSecond = await Promise.all(workers.map((worker) => worker.turn(kind)))
        if (n > 0) measured[kind].push(perSecond.reduce((sum, rate) => sum + rate, 0))
      }
    }
    const [reserves, bare] = [median(measured.reserve), median(measured.bare)]
    return {
      reservesPerSecond: Math.round(reserves),
      barePerSecond: Math.round(bare),
      share: Number((reserves / bare).toFixed(3)),
    }
  } finally {
    for (const { child } of workers) child.kill('SIGKILL')
  }
}

type Worker = {
  readonly child: ChildProcess
  /** Runs for a turn's time; resolves with its rate per second. */
  turn(kind: 'bare' | 'reserve'): Promise<number>
}

async function launch(job: Job): Promise<Worker> {
  const child = spawn(process.execPath, ['--import', 'tsx', 'script/bench/reserveChild.ts'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const answer = async () => {
    const { value, done } = await lines.next()
    if (done) throw new Error('A process of the measurement ended before its time.')
    return String(value)
  }
  child.stdin.write(`${JSON.stringify(job)}\n`)
  await Promise.race([answer(), once(child, 'error').then(([error]) => Promise.reject(error))])
  return {
    child,
    async turn(kind) {
      child.stdin.write(`${kind}\n`)
      return Number(await answer())
    },
  }
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0
}
