import { type Address, type Hex, maxUint160, type PrivateKeyAccount, parseAbiItem } from 'viem'
import { usdc } from '../../src/Addresses.js'
import * as Permission from '../../src/Permission.js'
import * as Spm from '../../src/Spm.js'
import * as Time from '../../src/Time.js'
import type { Base } from '../../src/testing/index.js'
import * as kit from './kit.js'
import { tricksOf } from './tricks.js'

/** What left the account, when: unix seconds and base units. */
export type Haul = readonly { readonly time: number; readonly amount: bigint }[]

/** The most that a haul has in each of the stretches that `Coverage` promises about. */
export function worstOf(haul: Haul) {
  const sum = (holds: (time: number) => boolean) =>
    haul.reduce((sum, { time, amount }) => (holds(time) ? sum + amount : sum), 0n)
  const most = (sums: bigint[]) => sums.sort((a, b) => Number(b - a))[0] ?? 0n
  const within = (width: number) =>
    most(haul.map((first) => sum((time) => time >= first.time && time < first.time + width)))
  return {
    second: within(2),
    utcDay: most(haul.map((first) => sum((time) => Time.midnight(time) === Time.midnight(first.time)))),
    day: within(Time.day),
    life: sum(() => true),
  }
}

/** When to take what: `at`, unix seconds, everything that these permissions let out. */
export type Moment = { readonly at: number; readonly from: readonly Permission.Permission[] }

/**
 * The greediest plan: every period of every permission once, and around `boundary` so that as much as possible
 * comes together: a period that ends there in its last second, one that goes on over it right at it. Nothing
 * before `now`.
 */
export function planOf(permissions: readonly Permission.Permission[], boundary: number, now = 0): Moment[] {
  const moments = new Map<number, Permission.Permission[]>()
  for (const permission of permissions) {
    for (let at = permission.start; ; ) {
      const period = Permission.periodAt(permission, at)
      if (period === null) break
      const { start, end } = period
      const when =
        end === boundary ? end - 1 : start < boundary && boundary < end ? boundary : Math.max(start, now)
      moments.set(when, [...(moments.get(when) ?? []), permission])
      at = end
    }
  }
  return [...moments].map(([at, from]) => ({ at, from })).sort((a, b) => a.at - b.at)
}

/**
 * Somebody who has the agent's key, every struct and every signature that the agent ever saw, and no library: what
 * he sends he signs by hand, and nothing but the chain holds him back.
 */
export function thief(base: Base, key: PrivateKeyAccount, account: Address) {
  const spend = (permission: Permission.Permission, amount: bigint, from = key): kit.Raw => ({
    from,
    call: Spm.prepareSpend({ permission, amount }),
    gas: 400_000n,
  })

  /**
   * One block of spends: some odd ones, all at once, and then every power of two downwards, which together are
   * whatever was left, to the unit; and then all and one unit again.
   */
  function greed(permission: Permission.Permission): kit.Raw[] {
    const { allowance } = permission
    const bits = allowance.toString(2).length
    const powers = Array.from({ length: bits }, (_, bit) => 2n ** BigInt(bits - 1 - bit))
    return [3n, 7n, allowance, maxUint160, ...powers, allowance, 1n].map((amount) =>
      spend(permission, amount),
    )
  }

  return {
    /** Takes all that there is at exactly this second. Returns how much that was. */
    async grab(at: number, permissions: readonly Permission.Permission[]): Promise<bigint> {
      const before = await kit.balanceOf(base, account)
      await kit.mineAt(base, at, permissions.flatMap(greed))
      return before - (await kit.balanceOf(base, account))
    },

    spend,

    /** Everything else that comes to mind, in one block at this second. Returns what the chain let through. */
    async tricks(at: number, permission: Permission.Permission, signature: Hex): Promise<string[]> {
      const tricks = await tricksOf(base, key, permission, signature)
      const receipts = await kit.mineAt(
        base,
        at,
        tricks.map(({ raw }) => raw),
      )
      return tricks.flatMap(({ name }, index) => (receipts[index]?.status === 'success' ? [name] : []))
    },

    /** Broadcasts a transaction of a used nonce again. Rejects if nobody takes it. */
    async replay(permission: Permission.Permission): Promise<void> {
      const signed = await key.signTransaction({
        ...spend(permission, 1n).call,
        ...{ type: 'eip1559', chainId: base.chain.id, nonce: 0, gas: 400_000n, maxFeePerGas: 10n ** 12n },
      })
      await base.client.sendRawTransaction({ serializedTransaction: signed })
    },

    /** All that left the account since the block, as the token's own events tell. */
    async haul(fromBlock: bigint): Promise<Haul> {
      const event = parseAbiItem('event Transfer(address indexed from, address indexed to, uint256 value)')
      const filter = { address: usdc[8453], event, args: { from: account }, fromBlock, strict: true } as const
      const logs = await base.client.getLogs(filter)
      return Promise.all(
        logs.map(async ({ blockNumber, args }) => {
          const { timestamp } = await base.client.getBlock({ blockNumber })
          return { time: Number(timestamp), amount: args.value }
        }),
      )
    },
  }
}
