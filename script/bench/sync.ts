// `npm run bench -- sync`: how fast empty books read the past of many grants, next to what it costs to ask for the same
// logs and to decode them, in the same run; and whether a reserve costs more with that past in the books.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type PublicClient, parseEventLogs } from 'viem'
import { hardcapGuardAbi, spendPermissionManagerAbi } from '../../abi/index.js'
import { hardcapGuard, spendPermissionManager } from '../../src/Addresses.js'
import { openBudget, type Store } from '../../src/index.js'
import * as Ledger from '../../src/Ledger.js'
import { sqlite } from '../../src/sqlite/index.js'
import { startBase } from '../../src/testing/index.js'
import { type Bench, count, grouped, table } from './kit.js'
import { amount, type Member, populate } from './population.js'

type Synced = {
  readonly seed: number
  readonly grants: number
  readonly payments: number
  /** Payments a second. */
  readonly rawPerSecond: number
  readonly syncPerSecond: number
  /** Of the raw rate. */
  readonly share: number
  /** Milliseconds of a reserve, median: with a tenth of the past in the books, and with all of it. */
  readonly reserveMsAtStart: number
  readonly reserveMsAtEnd: number
  readonly reserveRatio: number
}

/** Blocks in one request of the raw reading: some ten thousand logs of all grants, about what endpoints give at once. */
const span = 100n

/** Grants whose books read the chain at once. */
const width = 8

/** How many reserves are timed. */
const reserves = 1_000

const help = `sync: a chain with payments under many grants, of which no books know; HARDCAP_GRANTS (1,000) grants with
HARDCAP_PAYMENTS (100) payments each, in batches of 50. Books on SQLite with synchronous=full read it, a tenth first,
${width} grants at a time.

  raw       payments a second that are asked for (eth_getLogs of guard and SpendPermissionManager) and decoded by viem
  sync      payments a second that books read of the other nine tenths: checked, metered, with a receipt each
  share     of the raw rate
  reserve   milliseconds of one, the median of ${grouped(reserves)} on grants at random, after a tenth and after all
`

export const sync: Bench<Synced> = {
  what: 'reading the past of many grants, next to raw logs; reserves before and after',
  help,
  run: async (progress) => {
    const grants = count('HARDCAP_GRANTS', 1_000)
    const payments = count('HARDCAP_PAYMENTS', 100)
    const seed = count('HARDCAP_SEED', 1)
    const folder = mkdtempSync(join(tmpdir(), 'hardcap-bench-'))
    const base = await startBase({ forkUrl: false })
    const store = sqlite(join(folder, 'books.db'))
    try {
      progress(`seed ${seed}; defining ${grouped(grants)} grants ...`)
      const say = every(10_000, (paid) => progress(`${grouped(paid)} payments are on chain`))
      const population = await populate(base, { grants, seed, progress: say })
      const { members } = population
      const first = Math.ceil(payments / 10)
      await population.pay(first)
      progress('Reading the first tenth ...')
      await read(base.client, store, members)
      const reserveMsAtStart = await reserveMs(store, members, seed)
      await population.pay(payments - first)
      const from = await base.client.getBlockNumber()
      progress('Reading the rest, raw ...')
      const raw = await timed(() => readRaw(base.client, from))
      progress('Reading the rest into the books ...')
      const rest = await timed(() => read(base.client, store, members))
      const reserveMsAtEnd = await reserveMs(store, members, seed)
      const rawPerSecond = raw.result / raw.seconds
      const syncPerSecond = ((payments - first) * grants) / rest.seconds
      return {
        seed,
        grants,
        payments: payments * grants,
        rawPerSecond: Math.round(rawPerSecond),
        syncPerSecond: Math.round(syncPerSecond),
        share: Number((syncPerSecond / rawPerSecond).toFixed(3)),
        reserveMsAtStart: Number(reserveMsAtStart.toFixed(3)),
        reserveMsAtEnd: Number(reserveMsAtEnd.toFixed(3)),
        reserveRatio: Number((reserveMsAtEnd / reserveMsAtStart).toFixed(3)),
      }
    } finally {
      await store.close()
      await base.stop()
      rmSync(folder, { recursive: true, force: true })
    }
  },
  figures: (result) => result,
  text: (result) =>
    `\n${table([
      ['seed', String(result.seed)],
      ['grants', grouped(result.grants)],
      ['payments', grouped(result.payments)],
      ['raw, payments/s', grouped(result.rawPerSecond)],
      ['sync, payments/s', grouped(result.syncPerSecond)],
      ['share of raw', result.share.toFixed(3)],
      ['reserve after a tenth, ms', result.reserveMsAtStart.toFixed(3)],
      ['reserve after all, ms', result.reserveMsAtEnd.toFixed(3)],
      ['ratio', result.reserveRatio.toFixed(3)],
    ])}`,
}

/** Has the books of all grants read the chain to its head. */
async function read(client: PublicClient, store: Store, members: readonly Member[]): Promise<void> {
  const left = [...members]
  const lines = Array.from({ length: width }, async () => {
    for (let member = left.pop(); member; member = left.pop()) {
      const { grant, permission, agent } = member
      const budget = await openBudget(client, { grant, permission, agent, store })
      await budget.close()
    }
  })
  await Promise.all(lines)
}

/** Asks for the logs of all grants, and decodes them. Returns how many payments there are. */
async function readRaw(client: PublicClient, last: bigint): Promise<number> {
  let payments = 0
  for (let from = 0n; from <= last; from += span) {
    const range = { fromBlock: from, toBlock: from + span - 1n < last ? from + span - 1n : last }
    const [used, paid] = await Promise.all([
      client.getLogs({ address: spendPermissionManager, ...range }),
      client.getLogs({ address: hardcapGuard, ...range }),
    ])
    parseEventLogs({ abi: spendPermissionManagerAbi, eventName: 'SpendPermissionUsed', logs: used })
    payments += parseEventLogs({ abi: hardcapGuardAbi, eventName: 'Paid', logs: paid }).length
  }
  return payments
}

/** The median time of a reserve on grants at random, of which nothing stays reserved. */
async function reserveMs(store: Store, members: readonly Member[], seed: number): Promise<number> {
  const times: number[] = []
  for (let n = 0; n < reserves; n++) {
    const member = members[(n * 7_919 + seed) % members.length]
    const entry = member?.grant.allow[0]
    const to = entry?.payTo[0]
    if (!member || !to) throw new Error('There are grants with payees.')
    const { grantId } = member.grant
    const key = `reserve ${n}`
    const { result, seconds } = await timed(() => Ledger.reserve(store, grantId, { key, to, amount }))
    if (result.outcome !== 'reserved') throw new Error(`A reservation was ${result.outcome}.`)
    times.push(seconds * 1000)
    await Ledger.release(store, grantId, key, 'It was for its time alone.')
  }
  return times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)] ?? 0
}

async function timed<result>(work: () => Promise<result>): Promise<{ result: result; seconds: number }> {
  const start = performance.now()
  const result = await work()
  return { result, seconds: (performance.now() - start) / 1000 }
}

/** Passes on every so many. */
function every(step: number, tell: (count: number) => void): (count: number) => void {
  let next = step
  return (count) => {
    if (count < next) return
    next = count + step
    tell(count)
  }
}
