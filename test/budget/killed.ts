// A process of its own, for restart.test.ts: opens a budget on SQLite and spends. It says a word at the point that
// it is given and waits there to be killed; without a point it just ends when there is nothing left to do.
import { type Chain, createPublicClient, custom, defineChain, type Hex, http, type PublicClient } from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import { base } from 'viem/chains'
import { Grant, openBudget, Permission } from '../../src/index.js'
import { sqlite } from '../../src/sqlite/index.js'
import { type Answer, dieAt, type Point } from './points.js'

export type Job = {
  readonly url: string
  readonly path: string
  readonly grant: string
  readonly permission: string
  readonly agentKey: Hex
  /** Base units. */
  readonly amount: string
  readonly key: string
  readonly point?: Point
}

const { url, path, point, key, ...job } = JSON.parse(process.argv[2] ?? '') as Job
const grant = Grant.parse(job.grant)
const chain: Chain = defineChain({ ...base, rpcUrls: { default: { http: [url] } } })
const direct = http(url, { retryCount: 0 })({ chain })
const hang = () => {
  process.stdout.write('here\n')
  return new Promise<void>(() => setInterval(() => {}, 1000))
}
const answer: Answer = point === undefined ? (_, forward) => forward() : dieAt(point, hang)
const client: PublicClient = createPublicClient({
  chain,
  transport: custom({ request: (asked) => answer(asked, () => direct.request(asked)) }, { retryCount: 0 }),
  cacheTime: 0,
})
const budget = await openBudget(client, {
  grant,
  permission: Permission.parse(job.permission),
  agent: privateKeyToAccount(job.agentKey),
  store: sqlite(path),
  pollMs: 5,
})
const [allowed] = grant.allow
const to = allowed?.payTo[0]
if (!to) throw new Error('The grant names a payee.')
await budget.spend({ to, amount: BigInt(job.amount), key })
process.stdout.write('paid\n')
