import { type Address, parseAbiItem } from 'viem'
import { usdc } from '../../src/Addresses.js'
import * as Guard from '../../src/Guard.js'
import type * as Permission from '../../src/Permission.js'
import * as Policy from '../../src/Policy.js'
import type { Base } from '../../src/testing/index.js'
import type { Granted } from './guardKit.js'
import { guardTricksOf } from './guardTricks.js'
import * as kit from './kit.js'
import type { Haul } from './thief.js'

/** What he has of the orchestrator: a task that was signed for. */
export type Signed = { readonly task: `0x${string}`; readonly ticket: Guard.Ticket }

/**
 * Somebody who has the agent's key, every struct and every ticket that the agent ever saw, and an accomplice among the
 * payees. What he sends he signs by hand, and nothing but the chain holds him back.
 */
export function guardThief(base: Base, it: Granted, payee: Address = it.payees[0]) {
  const { pay, fund, settle, agentKey } = it
  /** A number that paid something, to try again. */
  let used: bigint | undefined

  /** Full calls in batches that halve, then amounts that do: together whatever there is, to the unit. */
  async function pays(permission: Permission.Permission, signed: readonly Signed[], nth: number) {
    const { perCall } = Policy.decode(permission.extraData)
    const full = perCall ?? 2n ** 40n
    const raws: Promise<kit.Raw>[] = []
    for (const ticket of signed.length === 0 ? [{}] : signed) {
      const say = { permission, payee, ...ticket, ...(nth % 2 === 0 ? {} : { signer: agentKey }) }
      for (const count of [8, 4, 2, 1, 1]) raws.push(pay(Array<bigint>(count).fill(full), say))
      for (const amount of halves(full)) raws.push(pay(amount, say))
    }
    return Promise.all(raws)
  }

  /** What the purse holds, in full calls and then amounts that halve. */
  async function empties(permission: Permission.Permission) {
    const { perCall } = Policy.decode(permission.extraData)
    const full = perCall ?? 2n ** 40n
    const amounts = [full, full, full, full, ...halves(full)]
    return Promise.all(amounts.map((amount) => settle(amount, { permission, payee })))
  }

  return {
    /** Takes all that there is at exactly this second, directly or relayed. Returns how much reached the payee. */
    async grab(
      time: number,
      permissions: readonly Permission.Permission[],
      options: { signed?: readonly Signed[]; purse?: 'fill' | 'empty' } = {},
    ): Promise<bigint> {
      const { signed = [], purse } = options
      const before = await kit.balanceOf(base, payee)
      const raws: kit.Raw[] = []
      for (const [nth, permission] of permissions.entries()) {
        const { maxFloat } = Policy.decode(permission.extraData)
        if (purse === 'empty') raws.push(...(await empties(permission)))
        if (purse === 'fill' && maxFloat !== null) raws.push(await fund(maxFloat, { permission }))
        raws.push(...(await pays(permission, signed, nth + (time % 2))))
      }
      await blocks(time, raws)
      return (await kit.balanceOf(base, payee)) - before
    },

    /** Everything else that comes to mind, in blocks from this second on. Returns what the chain let through. */
    async tricks(time: number, permission: Permission.Permission): Promise<string[]> {
      const tricks = await guardTricksOf(it, permission, used)
      const receipts = await kit.mineAt(
        base,
        time,
        tricks.map(({ raw }) => raw),
      )
      return tricks.flatMap(({ name }, n) => (receipts[n]?.status === 'success' ? [name] : []))
    },

    /** All that reached payees since the block, as the token's own events tell. */
    async haul(fromBlock: bigint): Promise<Haul> {
      const event = parseAbiItem('event Transfer(address indexed from, address indexed to, uint256 value)')
      const filter = { address: usdc[8453], event, args: { to: payee }, fromBlock, strict: true } as const
      const logs = await base.client.getLogs(filter)
      return Promise.all(
        logs.map(async ({ blockNumber, args }) => {
          const { timestamp } = await base.client.getBlock({ blockNumber })
          return { time: Number(timestamp), amount: args.value }
        }),
      )
    },
  }

  /** One block, of as much gas as it holds. */
  async function blocks(time: number, raws: readonly kit.Raw[]): Promise<void> {
    const gas = 28_000_000n / BigInt(raws.length)
    const receipts = await kit.mineAt(
      base,
      time,
      raws.map((raw) => ({ ...raw, gas: gas < 1_500_000n ? gas : 1_500_000n })),
    )
    for (const event of receipts.flatMap(({ logs }) => Guard.parseLogs(logs)))
      if (event.type === 'paid') used ??= event.number
  }
}

/** Amounts that add up to anything below `full`: every power of two, downwards. */
function halves(full: bigint): bigint[] {
  const bits = full.toString(2).length
  return Array.from({ length: bits }, (_, bit) => 2n ** BigInt(bits - 1 - bit)).filter(
    (amount) => amount < full,
  )
}
