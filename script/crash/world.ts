/** One scenario's chain, wallet, grant and store, the replicas that run on it, and the audit at its end. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { type Address, type Hex, parseAbiItem } from 'viem'
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts'
import { type Budget, Grant, GrantError, openBudget, Permission, Time } from '../../src/index.js'
import type { Base, Wallet } from '../../src/testing/index.js'
import type { Job, Word } from './child.js'
import { openStore } from './stores.js'

/** What one scenario came to. Amounts in base units of USDC, the rest are payments. */
export type Row = {
  readonly scenario: string
  /** The total that the grant may spend, after the last raise. */
  readonly cap: number
  /** What reached the payee, by the token's own events. */
  readonly paid: number
  /** What of it is above a cap: the total, or a day's. */
  readonly over: number
  /** Paid in the words of a replica or of the books, and not on chain; or without an end. */
  readonly lost: number
  /** Paid more than once under one key. */
  readonly duplicated: number
  /** The books hold what the chain holds. */
  readonly equal: boolean
}

export type Order = Job['orders'][number]
export type Replica = {
  readonly process: ChildProcess
  readonly words: readonly Word[]
  /** Resolves when it says a word, or ends. */
  until(word: Word['word']): Promise<void>
  /** SIGKILL, and waits for its end. */
  kill(): Promise<void>
  readonly ended: Promise<unknown>
}

export type World = Awaited<ReturnType<typeof createWorld>>

/** How a grant is told apart from its payee's other income: an amount of its own for every key. */
const unit = 10_000n

/** A grant of `total` and `perDay` base units on a new store, approved. */
export async function createWorld(
  base: Base,
  options: { readonly rail: 'guard' | 'direct'; readonly total: bigint; readonly perDay: bigint },
) {
  const folder = mkdtempSync(join(tmpdir(), 'hardcap-crash-'))
  const path = join(folder, 'books.db')
  const url = `sqlite:${path}`
  const wallet: Wallet = await base.createWallet({ usdc: 1_000_000_000n })
  const agentKey = generatePrivateKey()
  const agent = privateKeyToAccount(agentKey)
  await base.fundEth(agent.address, 10n ** 19n)
  const payee = privateKeyToAccount(generatePrivateKey()).address
  const now = await base.now()
  const usd = (units: bigint) => `${units / 1_000_000n}.${String(units % 1_000_000n).padStart(6, '0')}`
  const params = {
    owner: wallet.address,
    agent: agent.address,
    rail: options.rail,
    allow: [{ host: 'api.example.com', payTo: payee }],
    perCallUsd: '0.02',
    perDayUsd: usd(options.perDay),
    startsAt: Time.midnight(now) * 1000,
    expiresAt: (Time.midnight(now) + 400 * Time.day) * 1000,
  }
  const define = (total: bigint, grantId?: Hex) =>
    Grant.define({ ...params, totalUsd: usd(total) }, grantId === undefined ? { now } : { now, grantId })
  const grant = define(options.total)
  const permission = Permission.fromGrant(grant)
  const start = await base.client.getBlockNumber()
  const replicas: Replica[] = []
  const told: Word[] = []

  const world = {
    base,
    path,
    payee,
    wallet,
    define,
    terms: { grant, permission },
    kills: 0,

    /** Keys from `from` on, each with an amount of its own, a little above `unit`. */
    orders: (count: number, from = 0): Order[] =>
      Array.from({ length: count }, (_, n) => ({
        key: `key-${from + n}`,
        to: payee,
        amount: String(unit + BigInt(from + n)),
      })),

    open: (): Promise<Budget> =>
      openBudget(base.client, { ...world.terms, agent, store: openStore(url), pollMs: 20 }),

    /** Starts a replica. */
    launch(orders: readonly Order[], more: Partial<Pick<Job, 'parallel' | 'point'>> = {}): Replica {
      const { terms } = world
      const job: Job = {
        url: base.url,
        store: url,
        grant: Grant.serialize(terms.grant),
        permission: Permission.serialize(terms.permission),
        agentKey,
        orders,
        parallel: false,
        ...more,
      }
      const replica = run(job, told)
      replicas.push(replica)
      return replica
    },

    async kill(replica: Replica): Promise<void> {
      if (replica.process.exitCode !== null || replica.process.signalCode !== null) return
      world.kills += 1
      await replica.kill()
    },

    /** Has every order come to its end, then holds everything against the chain's own events. */
    async audit(scenario: string, orders: readonly Order[]): Promise<Row> {
      const store = openStore(url)
      const budget = await openBudget(base.client, { ...world.terms, agent, store, pollMs: 20 })
      const ends = new Map<string, 'paid' | 'refused'>()
      for (const { key, to, amount } of orders) ends.set(key, await settle(base, budget, { key, to, amount }))
      await base.finalize()
      await budget.sync()
      const transfers = await received(base, payee, start)
      const byAmount = new Map<bigint, number>()
      for (const { amount } of transfers) byAmount.set(amount, (byAmount.get(amount) ?? 0) + 1)
      const isPaid = (order: Order) => byAmount.has(BigInt(order.amount))
      const toldPaid = new Set(told.flatMap((word) => (word.word === 'paid' ? [word.key] : [])))
      const lost = orders.filter(
        (order) => !isPaid(order) && (ends.get(order.key) === 'paid' || toldPaid.has(order.key)),
      )
      const paid = sum(transfers)
      const { total, perDay } = world.terms.grant
      const days = new Map<number, bigint>()
      for (const { time, amount } of transfers)
        days.set(Time.midnight(time), (days.get(Time.midnight(time)) ?? 0n) + amount)
      const overDays = [...days.values()].map((spent) => above(spent, perDay))
      const { equal } = await budget.verify()
      const books = await budget.totals()
      await budget.close()
      await store.close()
      return {
        scenario,
        cap: Number(total),
        paid: Number(paid),
        over: Number([above(paid, total), ...overDays].reduce((a, b) => a + b, 0n)),
        lost: lost.length,
        duplicated: [...byAmount.values()].reduce((more, count) => more + count - 1, 0),
        equal: equal && books.paid === paid && books.reserved === 0n,
      }
    },

    async end(): Promise<void> {
      for (const replica of replicas) await replica.kill()
      rmSync(folder, { recursive: true, force: true })
    },
  }

  const budget = await world.open()
  await budget.approve({ signature: await Permission.sign(wallet.account, permission) })
  await budget.close()
  return world
}

/** Spends until the order is paid, or is refused for good. A payment that was released is tried again. */
async function settle(base: Base, budget: Budget, order: Order): Promise<'paid' | 'refused'> {
  const { key, to } = order
  for (let attempt = 0; attempt < 20; attempt++) {
    try {
      await budget.spend({ key, to, amount: BigInt(order.amount) })
      return 'paid'
    } catch (error) {
      if (!(error instanceof GrantError)) throw error
      if (error.code === 'BUDGET_EXCEEDED') return 'refused'
      // What still may land has to be waited for: time passes, and it is final.
      await base.warp((await base.now()) + 1_300)
      await base.finalize()
      await budget.sync()
    }
  }
  throw new Error(`Order ${key} has no end.`)
}

/** Every transfer to the payee, as the token tells. */
async function received(base: Base, payee: Address, start: bigint) {
  const event = parseAbiItem('event Transfer(address indexed from, address indexed to, uint256 value)')
  const logs = await base.client.getLogs({ event, args: { to: payee }, fromBlock: start, strict: true })
  return Promise.all(
    logs.map(async ({ args, blockNumber }) => ({
      amount: args.value,
      time: Number((await base.client.getBlock({ blockNumber })).timestamp),
    })),
  )
}

function run(job: Job, told: Word[]): Replica {
  const child = spawn(process.execPath, ['--import', 'tsx', 'script/crash/child.ts'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const words: Word[] = []
  const listeners = new Set<() => void>()
  createInterface({ input: child.stdout }).on('line', (line) => {
    const word = JSON.parse(line) as Word
    words.push(word)
    told.push(word)
    for (const listener of [...listeners]) listener()
  })
  const ended = once(child, 'exit')
  ended.then(() => {
    for (const listener of [...listeners]) listener()
  })
  // A replica that is killed at once never reads its job.
  child.stdin.on('error', () => {})
  child.stdin.end(JSON.stringify(job))
  const isOver = () => child.exitCode !== null || child.signalCode !== null
  return {
    process: child,
    words,
    ended,
    async until(wanted) {
      while (!words.some(({ word }) => word === wanted || word === 'failed') && !isOver())
        await new Promise<void>((resolve) => {
          const listener = () => {
            listeners.delete(listener)
            resolve()
          }
          listeners.add(listener)
        })
    },
    async kill() {
      if (isOver()) return
      child.kill('SIGKILL')
      await ended
    },
  }
}

function sum(transfers: readonly { readonly amount: bigint }[]): bigint {
  return transfers.reduce((sum, { amount }) => sum + amount, 0n)
}

function above(spent: bigint, limit: bigint | null): bigint {
  return limit !== null && spent > limit ? spent - limit : 0n
}
