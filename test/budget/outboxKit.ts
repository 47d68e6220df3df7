/** Many payments that are due in one round, and what the agent's transactions did of them. */
import { type Address, type Hex, parseTransaction } from 'viem'
import {
  Addresses,
  type Grant,
  Guard,
  type OpenBudgetOptions,
  type Receipt,
  type Store,
} from '../../src/index.js'
import type { Base } from '../../src/testing/index.js'
import * as kit from './kit.js'

export type Outbox = Awaited<ReturnType<typeof start>>

/** Raw transactions that an endpoint was asked to send, and what it answered. */
export type Sent = { readonly raw: Hex; readonly nonce: number; readonly maxFeePerGas: bigint }

/**
 * An approved account on the guard rail, of 100 USDC a day to ten payees, with an endpoint that can be held, and what it
 * was asked to send.
 */
export async function start(
  base: Base,
  store: Store,
  { terms = {}, options = {} }: { terms?: Partial<Grant.DefineParams>; options?: Partial<OpenBudgetOptions> },
) {
  const payees = Array.from({ length: 10 }, () => kit.freshAddress())
  const endpoint = kit.endpoint(base)
  const told: unknown[] = []
  const receipts: Receipt.Receipt[] = []
  const watchers = new Set<() => void>()
  const wide = { rail: 'guard', perDayUsd: '100', totalUsd: '200', perCallUsd: '50' } as const
  const account = await kit.approved(
    base,
    store,
    { ...wide, allow: [{ host: 'api.example.com', payTo: payees }], ...terms },
    {
      client: endpoint.client,
      onError: (error) => told.push(error),
      onReceipt: (receipt) => {
        receipts.push(receipt)
        for (const watcher of watchers) watcher()
      },
      ...options,
    },
  )
  const { agent, grant } = account
  const first = await base.client.getTransactionCount({ address: agent.address })
  /** What goes to the endpoint comes here first. */
  const raws: Sent[] = []
  const inner = { answer: endpoint.answer }
  let gate: Promise<void> | undefined
  endpoint.answer = async (asked, forward) => {
    // Tickets are verified by a call before anything is reserved.
    if (gate && asked.method !== 'eth_call') await gate
    if (asked.method === 'eth_sendRawTransaction') {
      const [raw] = asked.params as [Hex]
      const { nonce = 0, maxFeePerGas = 0n } = parseTransaction(raw)
      if (!raws.some((sent) => sent.raw === raw)) raws.push({ raw, nonce, maxFeePerGas })
    }
    return inner.answer(asked, forward)
  }
  return {
    ...account,
    store,
    client: endpoint.client,
    endpoint: inner,
    payees,
    told,
    receipts,
    raws,
    /** Until as many receipts of an event have come. */
    received: (event: string, count: number) =>
      new Promise<void>((resolve) => {
        const look = () => {
          if (receipts.filter((receipt) => receipt.event === event).length < count) return
          watchers.delete(look)
          resolve()
        }
        watchers.add(look)
        look()
      }),
    /** No reading of the chain is answered until the function that it gives is called. */
    hold() {
      let release = () => {}
      gate = new Promise((resolve) => {
        release = resolve
      })
      return () => {
        gate = undefined
        release()
      }
    },
    /** How many transactions of the agent are mined since the approval. */
    mined: async () => (await base.client.getTransactionCount({ address: agent.address })) - first,
    balance: (payee: Address) => kit.balanceOf(base, payee, grant.token.address),
    /** The payments of the grant on chain. */
    async paid() {
      const logs = await base.client.getLogs({
        address: Addresses.hardcapGuard,
        fromBlock: base.startBlock,
        toBlock: 'latest',
      })
      return Guard.parseLogs(logs).flatMap((event) =>
        event.type === 'paid' && event.grantId === grant.grantId ? [event] : [],
      )
    },
  }
}

/** One USDC to each payee, under a key of its own: `p0` to `p9`. */
export function orders({ payees }: Pick<Outbox, 'payees'>, count = payees.length, amount = '1') {
  return payees.slice(0, count).map((to, i) => ({ key: `p${i}`, to, amount: kit.usd(amount) }))
}

/** Spends so that all is due in one round of the budget. Resolves with what each became, once all are reserved. */
export async function together<order extends { key: string; to: Address; amount: bigint }>(
  it: Outbox,
  orders: readonly order[],
): Promise<Promise<unknown>[]> {
  const before = it.receipts.filter(({ event }) => event === 'reserved').length
  const release = it.hold()
  const spends = orders.map((order) => kit.settledAs(it.budget.spend(order)))
  await it.received('reserved', before + orders.length)
  release()
  return spends
}
