// A replica of an agent's service, as a process of its own, for the crash test: opens the budget on a store that others
// share, and spends a list of keys. Its job comes on stdin, because it holds the agent's key. It tells on stdout what it
// sees, line by line, until it is killed.
import { createPublicClient, custom, defineChain, type Hex, http, type PublicClient } from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import { Grant, GrantError, type Order, openBudget, Permission } from '../../src/index.js'
import type { Signed } from './facilitator.js'
import { type Point, stopAt } from './points.js'
import { gated, openStore, type Place } from './stores.js'

/** What a replica is to do. Amounts in base units, as text. */
export type Job = {
  readonly url: string
  readonly store: Place
  readonly grant: string
  readonly permission: string
  readonly agentKey: Hex
  /** Spent one after the other, or all at once. */
  readonly orders: readonly { readonly key: string; readonly to: Hex; readonly amount: string }[]
  readonly parallel: boolean
  /** Where it stops and waits to be killed. */
  readonly point?: Point | undefined
  /** How far the clock of its machine is ahead. */
  readonly aheadSeconds: number
}

/** What it tells. */
export type Word =
  | { readonly word: 'opened' | 'here' }
  | { readonly word: 'paid'; readonly key: string }
  /** Whoever hears it may settle it, as a merchant that was handed it. */
  | { readonly word: 'signed'; readonly signed: Signed }
  | { readonly word: 'refused'; readonly key: string; readonly code: string }
  | { readonly word: 'failed'; readonly why: string }
  /** With how many effects (see `points.ts`) it had, in all. */
  | { readonly word: 'done'; readonly effects: number }

const tell = (word: Word) => process.stdout.write(`${JSON.stringify(word)}\n`)

async function main(): Promise<void> {
  const chunks: Buffer[] = []
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer)
  const job = JSON.parse(Buffer.concat(chunks).toString()) as Job
  const clock = Date.now
  Date.now = () => clock() + job.aheadSeconds * 1000
  const { gate, count } = stopAt(job.point, () => {
    tell({ word: 'here' })
    // Until it is killed.
    setInterval(() => {}, 1000)
  })
  const store = gated(openStore(job.store), gate)
  const budget = await openBudget(clientOf(job.url, gate), {
    grant: Grant.parse(job.grant),
    permission: Permission.parse(job.permission),
    agent: privateKeyToAccount(job.agentKey),
    store,
    pollMs: 150,
  })
  tell({ word: 'opened' })
  const sign = async (order: Order) => {
    const { settled, payer, nonce, validBefore } = await budget.authorize(order, { validSeconds: 300 })
    if (settled) return tell({ word: 'paid', key: order.key })
    const signature = await budget.sign(order.key)
    const { token } = budget.grant
    const { to, amount } = order
    const signed = { token: token.address, payer, to, amount: String(amount), validBefore, nonce, signature }
    tell({ word: 'signed', signed })
  }
  const spend = async ({ key, to, amount }: Job['orders'][number]) => {
    try {
      const order = { key, to, amount: BigInt(amount) }
      if (budget.grant.maxFloat !== null) return await sign(order)
      await budget.spend(order)
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
  tell({ word: 'done', effects: count() })
}

/** An endpoint each answer of which passes the gate. viem's own definition of Base takes longer to load than all of this. */
function clientOf(url: string, gate: ReturnType<typeof stopAt>['gate']): PublicClient {
  const nativeCurrency = { name: 'Ether', symbol: 'ETH', decimals: 18 }
  const chain = defineChain({ id: 8453, name: 'Base', nativeCurrency, rpcUrls: { default: { http: [url] } } })
  const direct = http(url, { retryCount: 0 })({ chain })
  const request = async (asked: { method: string; params?: unknown }) => {
    const leave = await gate(asked.method)
    const answer = await direct.request(asked as never)
    await leave()
    return answer
  }
  return createPublicClient({ chain, transport: custom({ request }, { retryCount: 0 }), cacheTime: 0 })
}

main().catch((error: unknown) => {
  tell({ word: 'failed', why: error instanceof Error ? error.message : String(error) })
  process.exitCode = 1
})
