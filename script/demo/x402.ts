/** Another agent buys from servers that want to be paid by x402: real ones, on loopback, with a real facilitator. */
import {
  type Budget,
  Grant,
  GrantError,
  openBudget,
  Permission,
  type Receipt,
  type Store,
} from '../../src/index.js'
import { payWith, type Resolved, resolve, X402Error } from '../../src/x402/index.js'
import { facilitatorOf } from '../x402/facilitator.js'
import { merchants } from '../x402/merchant.js'
import { listen, type Served } from '../x402/serve.js'
import { balanceOf, day, type Scene, short, step, stranger, usd } from './scene.js'

/** Tells it with a wallet, a key and a grant of its own, in the same books. */
export async function x402Story(scene: Scene, store: Store): Promise<void> {
  const facilitator = await listen(await facilitatorOf(scene.base))
  const payTo = stranger()
  const shop = { url: facilitator.origin }
  const cheap = await listen(merchants.hono(shop, { payTo, price: '$0.01' }))
  const dear = await listen(merchants.express(shop, { payTo, price: '$0.06' }))
  try {
    const { budget, agent } = await agree(scene, store, [cheap, dear])
    await buy(scene, budget, { agent, payTo, cheap, dear })
    await budget.close()
  } finally {
    for (const server of [cheap, dear, facilitator]) await server.close()
  }
}

async function agree(scene: Scene, store: Store, servers: readonly Served[]) {
  const { base, print, report } = scene
  const { must, note } = step(scene, 'x402', 'A second agent buys by x402: who the servers are')
  print.explain(
    'Two servers of the packages @x402/hono and @x402/express and a facilitator of @x402/evm, as they are, answer 402 until they are paid. What they say of themselves is what an owner looks at before he binds a host to a payee.',
  )
  const resolved = await Promise.all(servers.map(({ origin }) => resolve(`${origin}/paid`)))
  print.table(
    resolved.flatMap(({ host, prices }) =>
      prices.map(({ price, symbol, payTo }) => [host, `${price} ${symbol}`, `to ${short(payTo)}`]),
    ),
  )
  const allow = resolved.flatMap(({ entry }: Resolved) => entry ?? [])
  must('both can be paid under a grant', allow.length === servers.length)

  const now = await base.now()
  const owner = await base.createAccount()
  const wallet = await base.createWallet({ owner, usdc: 10_000_000n })
  const agent = await base.createAccount()
  const terms = {
    owner: wallet.address,
    agent: agent.address,
    allow,
    rail: report.rail === 'guard' ? 'purse' : 'direct',
    perCallUsd: '0.05',
    perDayUsd: '1',
    maxFloatUsd: '0.10',
    expiresAt: (now + 4 * day) * 1000,
  } as const
  const grant = Grant.define(terms, { now })
  const permission = Permission.fromGrant(grant)
  const budget = await openBudget(base.client, { grant, permission, agent, store, pollMs: 20 })
  await budget.approve({ signature: await Permission.sign(wallet.account, permission) })
  const { status } = await budget.status()
  must(
    `it is a grant on the ${grant.rail} rail, 0.05 a call, 1 a day, 0.10 ahead: ${status}`,
    status === 'active',
  )
  note({ rail: grant.rail })
  return { budget, agent }
}

type Buying = {
  readonly agent: { readonly address: `0x${string}` }
  readonly payTo: `0x${string}`
  readonly cheap: Served
  readonly dear: Served
}

async function buy(scene: Scene, budget: Budget, { agent, payTo, cheap, dear }: Buying): Promise<void> {
  const { base, print } = scene
  const { must, note } = step(scene, 'pay', 'It pays them')
  const pay = payWith(budget)
  const nonce = () => base.client.getTransactionCount({ address: agent.address })
  const said: string[] = []
  const ask = async (key: string) =>
    void said.push(await (await pay(`${cheap.origin}/paid`, {}, { key })).text())
  await ask('page-1')
  const before = await nonce()
  await ask('page-2')
  await ask('page-3')
  await budget.sync()
  const settled = (await budget.receipts()).filter(({ note }) => note === 'settled')
  print.table(
    settled.map(({ key, amount, host, txHash }: Receipt.Receipt) => [
      key ?? '',
      usd(amount),
      host ?? '',
      `tx ${short(txHash ?? '')}, by the facilitator`,
    ]),
  )
  must('each answered with its page', said.join() === 'bought,bought,bought')
  must('the payee has 0.03 USDC', (await balanceOf(scene, payTo)) === 30_000n)
  must(
    'the first call filled the float; the other two took no transaction of the agent',
    before === (await nonce()),
  )

  const refused = [
    await refusal(pay(`${dear.origin}/paid`)),
    await refusal(pay(cheap.origin.replace('127.0.0.1', 'localhost'))),
  ]
  print.table([
    [print.style('bold', refused[0] ?? ''), '0.06', dear.host],
    [print.style('bold', refused[1] ?? ''), 'never asked', cheap.host.replace('127.0.0.1', 'localhost')],
  ])
  must(
    'what the grant does not allow is refused, and nothing is signed',
    refused.join() === 'OVER_PER_CALL,NOT_ALLOWED',
  )
  const { equal } = await budget.verify()
  const { balance, held } = await budget.float()
  must(
    `books and chain agree: ${usd(balance)} USDC are left in the float`,
    equal && held === 0n && balance === 70_000n,
  )
  note({ payments: settled.length })
  await pay.close()
}

/** The code of what it is refused with. */
async function refusal(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => 'paid',
    (error: unknown) => {
      if (error instanceof GrantError || error instanceof X402Error) return error.code
      throw error
    },
  )
}
