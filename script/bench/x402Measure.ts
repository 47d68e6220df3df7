// What a paid call takes, by client.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ExactEvmScheme } from '@x402/evm/exact/client'
import { wrapFetchWithPayment, x402Client } from '@x402/fetch'
import type { Address } from 'viem'
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts'
import { Grant, openBudget, Permission } from '../../src/index.js'
import { sqlite } from '../../src/sqlite/index.js'
import { type Base, startBase } from '../../src/testing/index.js'
import { payWith } from '../../src/x402/index.js'
import { facilitatorOf } from '../x402/facilitator.js'
import { merchants } from '../x402/merchant.js'
import { listen, type Served } from '../x402/serve.js'
import { count } from './kit.js'

/** Grants that are measured, by what they are called. */
const grants = {
  direct: { rail: 'direct', maxFloatUsd: '100' },
  purse: { rail: 'purse', maxFloatUsd: '100' },
  // One call's worth at most: each call is funded first.
  strict: { rail: 'purse', maxFloatUsd: '0.01' },
} as const satisfies Record<string, Partial<Grant.DefineParams>>

type Rail = keyof typeof grants

/**
 * Milliseconds between two looks at the chain. As often as Base has a block, which here comes with every settlement; where
 * each call waits for its funding, as soon as that can be there.
 */
const pollMs: Record<Rail, number> = { direct: 2_000, purse: 2_000, strict: 20 }
type Name = 'stock' | Rail
const names: readonly Name[] = ['stock', 'direct', 'purse', 'strict']
const rails = Object.keys(grants) as readonly Rail[]

/** Milliseconds, by client. */
export type Times = Record<Name, number>
export type Measured = { readonly one: Times; readonly parallel: Times }

const calls = count('HARDCAP_CALLS', 60)
const rounds = Math.ceil(calls / 10)
const width = 32

/** Measures them all. */
export async function measure(progress: (line: string) => void): Promise<Measured> {
  const folder = mkdtempSync(join(tmpdir(), 'hardcap-bench-'))
  const base = await startBase({ forkUrl: false })
  const ends: (() => Promise<void>)[] = [base.stop]
  try {
    const facilitator = await listen(await facilitatorOf(base))
    ends.push(facilitator.close)
    const payTo = privateKeyToAccount(generatePrivateKey()).address
    // A block a call takes chain time ahead of the clock, which the stock client goes by.
    const priced = { payTo, maxTimeoutSeconds: 86_400 }
    const merchant = await listen(merchants.hono({ url: facilitator.origin }, priced))
    ends.push(merchant.close)
    const clients = { stock: await stock(base) } as Record<Name, typeof fetch>
    for (const rail of rails) {
      const { pay, close } = await granted(base, merchant, payTo, { rail, folder })
      clients[rail] = pay
      ends.push(close)
    }
    return await take(clients, `${merchant.origin}/paid`, progress)
  } finally {
    for (const end of ends.reverse()) await end()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** An account with a key, as the stock client has it. */
async function stock(base: Base): Promise<typeof fetch> {
  const account = await base.createAccount()
  await base.fundUsdc(account.address, 1_000_000_000n)
  return wrapFetchWithPayment(
    fetch,
    new x402Client().register('eip155:8453', new ExactEvmScheme(account)),
  ) as typeof fetch
}

async function granted(
  base: Base,
  { host }: Served,
  payTo: Address,
  { rail, folder }: { rail: Rail; folder: string },
) {
  const wallet = await base.createWallet({ owner: await base.createAccount(), usdc: 1_000_000_000n })
  const agent = await base.createAccount()
  const grant = Grant.define(
    {
      owner: wallet.address,
      agent: agent.address,
      allow: [{ host, payTo }],
      perCallUsd: '0.01',
      perDayUsd: '500',
      ...grants[rail],
    },
    { now: await base.now() },
  )
  const permission = Permission.fromGrant(grant)
  const store = sqlite(join(folder, `${rail}.db`))
  const budget = await openBudget(base.client, { grant, permission, agent, store, pollMs: pollMs[rail] })
  await budget.approve({ signature: await Permission.sign(wallet.account, permission) })
  const pay = payWith(budget)
  const close = async () => {
    await pay.close()
    await budget.close()
    await store.close()
  }
  return { pay: pay as typeof fetch, close }
}

async function take(
  clients: Record<Name, typeof fetch>,
  url: string,
  progress: (line: string) => void,
): Promise<Measured> {
  const call = async (name: Name): Promise<number> => {
    const start = performance.now()
    const response = await clients[name](url)
    const said = await response.text()
    if (said !== 'bought') throw new Error(`${name}: the answer is ${response.status} ${said.slice(0, 100)}`)
    return performance.now() - start
  }
  async function atOnce(name: Name): Promise<number[]> {
    if (name !== 'strict') return Promise.all(Array.from({ length: width }, () => call(name)))
    // The second of them would be refused until the first is settled, so they wait for one another.
    const start = performance.now()
    const times: number[] = []
    for (let n = 0; n < width; n++) {
      await call(name)
      times.push(performance.now() - start)
    }
    return times
  }
  progress('Warming up ...')
  for (let n = 0; n < 5; n++) for (const name of names) await call(name)
  progress(`${calls} calls of each, one after the other ...`)
  const one = gathered()
  for (let n = 0; n < calls; n++) for (const name of names) one[name].push(await call(name))
  progress(`${rounds} times ${width} calls of each, at once ...`)
  const parallel = gathered()
  for (let n = 0; n < rounds; n++) for (const name of names) parallel[name].push(...(await atOnce(name)))
  return { one: medians(one), parallel: medians(parallel) }
}

const gathered = (): Record<Name, number[]> => ({ stock: [], direct: [], purse: [], strict: [] })

function medians(times: Record<Name, number[]>): Times {
  const median = (all: number[]) => all.toSorted((a, b) => a - b)[Math.floor(all.length / 2)] ?? 0
  const { stock, direct, purse, strict } = times
  return { stock: median(stock), direct: median(direct), purse: median(purse), strict: median(strict) }
}
