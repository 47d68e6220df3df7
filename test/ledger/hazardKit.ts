/** A budget whose chain misbehaves: every round is asked for, and time passes only with blocks. */
import { type Hex, keccak256, type PublicClient } from 'viem'
import { expect } from 'vitest'
import { hardcapGuardAbi } from '../../abi/index.js'
import { Addresses, Guard, type OpenBudgetOptions, Spm } from '../../src/index.js'
import type { Store } from '../../src/Store.js'
import type { Base } from '../../src/testing/index.js'
import * as kit from '../budget/kit.js'
import { assertSound } from './books.js'
import { startRpc } from './rpc.js'

export type World = Awaited<ReturnType<typeof world>>

/** Its rounds are those that the test asks for. */
export const quiet = { pollMs: 3_600_000 }

/** An account whose permission is approved, its budget in the books, and the endpoint between them and the chain. */
export async function world(
  base: Base,
  store: Store,
  options: Partial<OpenBudgetOptions> & { rail?: kit.Rail } = {},
) {
  const { rail = 'guard', ...rest } = options
  const account = await kit.createAccount(base, { rail, totalUsd: '25', perDayUsd: '20' })
  await account.wallet.execute([Spm.prepareApprove({ permission: account.permission })])
  const rpc = await startRpc(base)
  kit.later(rpc.stop)
  const { client } = rpc
  const open = (store: Store, more: Partial<OpenBudgetOptions> & { client?: PublicClient } = {}) =>
    kit.open(base, account, store, { client, ...quiet, ...rest, ...more })
  const budget = await open(store)
  return { ...account, base, store, rpc, budget, open, order: kit.order(account) }
}

/** Pays one USDC under a key, a round at a time. */
export async function pay({ budget, order }: Pick<World, 'budget' | 'order'>, key: string): Promise<void> {
  const paying = budget.spend(order(key))
  await kit.untilPaid(budget, key)
  await paying
}

/** A payment that is signed and stored, and whose bytes went nowhere. Returns them. */
export async function signed({ rpc, budget, order }: World, key: string): Promise<Hex> {
  const { lie } = rpc
  const sent = new Promise<Hex>((resolve) => {
    rpc.lie = async (asked, forward) => {
      if (asked.method !== 'eth_sendRawTransaction') return lie(asked, forward)
      resolve(asked.params[0] as Hex)
      return keccak256(asked.params[0] as Hex)
    }
  })
  budget.spend(order(key)).catch(() => {})
  return sent
}

/** What a thief with the agent's key has the payee paid, in another transaction. */
export function steal({ base, ...account }: World, dollars: string): Promise<Hex> {
  return kit.stealSpend(base, account, kit.usd(dollars))
}

/** Sends bytes that are signed, into a block. */
export async function include(base: Base, serializedTransaction: Hex): Promise<void> {
  await kit.mined(base, await base.client.sendRawTransaction({ serializedTransaction }))
}

/** How often the chain shows a key paid. */
export async function timesPaid({ base, grant }: World, key: string): Promise<number> {
  const logs = await base.client.getContractEvents({
    address: Addresses.hardcapGuard,
    abi: hardcapGuardAbi,
    eventName: 'Paid',
    args: { grantId: grant.grantId, ref: Guard.reference(grant.grantId, key) },
    fromBlock: 0n,
  })
  return logs.length
}

/** The books are sound and equal to the chain, and no key was paid twice. */
export async function holds(it: World, keys: readonly string[] = ['a']): Promise<void> {
  await it.budget.sync()
  const rows = await assertSound(it.store, it.grant.grantId)
  expect(await it.budget.verify()).toMatchObject({ equal: true })
  for (const key of keys) {
    const shown = rows.events.filter((event) => event.key === key && event.kind !== 'pull').length
    if (it.grant.rail === 'guard') expect([key, shown]).toEqual([key, await timesPaid(it, key)])
    expect(shown).toBeLessThanOrEqual(1)
  }
}
