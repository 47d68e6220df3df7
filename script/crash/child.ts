// A replica of an agent's service, as a process of its own, for the crash test: opens the budget on a store that others
// share, and spends a list of keys. Its job comes on stdin, because it holds the agent's key. It tells on stdout what it
// sees, line by line, until it is killed.
import { type Chain, createPublicClient, custom, defineChain, type Hex, http, type PublicClient } from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import { base } from 'viem/chains'
import { Grant, GrantError, openBudget, Permission } from '../../src/index.js'
import { type Answer, dieAt, type Point } from './points.js'
import { openStore } from './stores.js'

/** What a replica is to do. Amounts in base units, as text. */
export type Job = {
  readonly url: string
  /** See `openStore`. */
  readonly store: string
  readonly grant: string
  readonly permission: string
  readonly agentKey: Hex
  /** Spent one after the other, or all at once. */
  readonly orders: readonly { readonly key: string; readonly to: Hex; readonly amount: string }[]
  readonly parallel: boolean
  /** Where it stops and waits to be killed. */
  readonly point?: Point | undefined
}

/** What it tells. */
export type Word =
  | { readonly word: 'opened' | 'here' | 'done' }
  | { readonly word: 'paid'; readonly key: string }
  | { readonly word: 'refused'; readonly key: string; readonly code: string }
  | { readonly word: 'failed'; readonly why: string }

const tell = (word: Word) => process.stdout.write(`${JSON.stringify(word)}\n`)

async function main(): Promise<void> {
  const chunks: Buffer[] = []
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer)
  const job = JSON.parse(Buffer.concat(chunks).toString()) as Job
  const chain: Chain = defineChain({ ...base, rpcUrls: { default: { http: [job.url] } } })
  const direct = http(job.url, { retryCount: 0 })({ chain })
  const stop = () => {
    tell({ word: 'here' })
    return new Promise<void>(() => setInterval(() => {}, 1000))
  }
  const answer: Answer = job.point === undefined ? (_, forward) => forward() : dieAt(job.point, stop)
  const request = (asked: { method: string; params?: unknown }) =>
    answer(asked, () => direct.request(asked as never))
  const client: PublicClient = createPublicClient({
    chain,
    transport: custom({ request }, { retryCount: 0 }),
    cacheTime: 0,
  })
  const store = openStore(job.store)
  const budget = await openBudget(client, {
    grant: Grant.parse(job.grant),
    permission: Permission.parse(job.permission),
    agent: privateKeyToAccount(job.agentKey),
    store,
    pollMs: 20,
  })
  tell({ word: 'opened' })
  const spend = async ({ key, to, amount }: Job['orders'][number]) => {
    try {
      await budget.spend({ key, to, amount: BigInt(amount) })
      tell({ word: 'paid', key })
    } catch (error) {
      if (!(error instanceof GrantError)) throw error
      tell({ word: 'refused', key, code: error.code })
    }
  }
  if (job.parallel) await Promise.all(job.orders.map(spend))
  else for (const order of job.orders) await spend(order)
  await budget.close()
  await store.close()
  tell({ word: 'done' })
}

main().catch((error: unknown) => {
  tell({ word: 'failed', why: error instanceof Error ? error.message : String(error) })
  process.exitCode = 1
})
