// Random grants, robbed: with siblings of other caps, windows, and purses that he fills beforehand. Whatever he does,
// no second, day or life sees a unit more than `Coverage` had promised; where it promises to be exact he gets it, but
// for less than one call.
import { expect, test } from 'vitest'
import * as Coverage from '../../src/Coverage.js'
import type * as Grant from '../../src/Grant.js'
import type * as Permission from '../../src/Permission.js'
import * as Policy from '../../src/Policy.js'
import * as Purse from '../../src/Purse.js'
import * as TrailingWindow from '../../src/TrailingWindow.js'
import { useBase } from '../base.js'
import { granted } from './guardKit.js'
import { guardThief } from './guardThief.js'
import * as kit from './kit.js'
import { type Random, randomOf } from './model.js'
import { type Haul, worstOf } from './thief.js'

const base = await useBase()
const { day } = kit
const { HARDCAP_SEED, HARDCAP_ROBBERIES } = process.env
const seed = Number(HARDCAP_SEED ?? 20_261_122)
const robberies = Number(HARDCAP_ROBBERIES ?? 4)

const caps = (units: number) => `0.${String(units).padStart(6, '0')}`

/** Caps of a few calls each, and never a multiple of one. */
function termsOf(random: Random, perCall: number): Partial<Grant.DefineParams> {
  const some = (most: number) => caps(perCall * random.integer(1, most) + random.integer(0, perCall - 1))
  const daily = random.chance(0.8)
  return {
    perCallUsd: caps(perCall),
    ...(daily ? { perDayUsd: some(5) } : {}),
    ...(!daily || random.chance(0.7) ? { totalUsd: some(12) } : {}),
    ...(random.chance(0.6)
      ? { perWindowUsd: some(6), window: random.pick([day / 2, day, day, 1.5 * day, 2 * day]) }
      : {}),
  }
}

async function houseOf(random: Random) {
  const perCall = random.integer(20, 90)
  const purse: Partial<Grant.DefineParams> = random.chance(0.5)
    ? { rail: 'purse', maxFloatUsd: caps(perCall * random.integer(1, 3) + random.integer(0, perCall - 1)) }
    : {}
  const it = await granted(base, { ...termsOf(random, perCall), ...purse, orchestrator: undefined })
  const siblings: Permission.Permission[] = []
  for (let count = random.pick([0, 0, 1, 2]); count > 0; count--) {
    const none = { perDayUsd: undefined, totalUsd: undefined, perWindowUsd: undefined, window: undefined }
    siblings.push(await it.sibling({ ...none, ...termsOf(random, perCall) }))
  }
  return { it, perCall: BigInt(perCall), siblings }
}

type House = Awaited<ReturnType<typeof houseOf>>

/** Every second at which something of any permission starts anew. */
function moments(permissions: readonly Permission.Permission[]): number[] {
  const all = new Set<number>()
  for (const { start, end, extraData } of permissions) {
    const { window } = Policy.decode(extraData)
    for (const length of [day, ...(window === null ? [] : [TrailingWindow.bucket(window)])])
      for (let time = start; time < end; time = time - (time % length) + length) all.add(time)
  }
  return [...all].sort((a, b) => a - b)
}

const least = (a: bigint | null, b: bigint | null) =>
  a === b ? 0 : b === null || (a !== null && a < b) ? -1 : 1

/** Those with the narrowest caps first, or the wider ones would leave them nothing. */
function sorted(permissions: readonly Permission.Permission[]) {
  const policies = permissions.map((permission) => ({ permission, ...Policy.decode(permission.extraData) }))
  policies.sort((a, b) => least(a.perDay, b.perDay) || least(a.total, b.total))
  return policies.map(({ permission }) => permission)
}

/** Everything as soon as it is there. */
async function greedily({ it, siblings }: House): Promise<Haul> {
  const him = guardThief(base, it)
  const permissions = sorted([it.permission, ...siblings])
  const fromBlock = (await base.client.getBlockNumber()) + 1n
  for (const time of moments(permissions)) await him.grab(time, permissions)
  return him.haul(fromBlock)
}

/** The purse filled as soon as that goes, and then all at once around the third midnight. */
async function patiently({ it, siblings }: House): Promise<Haul> {
  const him = guardThief(base, it)
  const permissions = sorted([it.permission, ...siblings])
  const fromBlock = (await base.client.getBlockNumber()) + 1n
  const boundary = it.start + 3 * day
  const { maxFloat } = Policy.decode(it.permission.extraData)
  if (maxFloat !== null)
    for (const time of moments(permissions).filter((time) => time < boundary - day)) {
      const purse = Purse.address(it.permission)
      let now = time
      for (let step = 2n ** 20n; step > 0n; step /= 2n) {
        const target = (await kit.balanceOf(base, purse)) + step
        if (target <= maxFloat) await it.blockAt(now++, it.fund(target))
      }
    }
  const options = maxFloat === null ? {} : { purse: 'empty' as const }
  await him.grab(boundary - 1, permissions, options)
  await him.grab(boundary, permissions, options)
  await him.grab(boundary + day - 1, permissions)
  return him.haul(fromBlock)
}

test.each(Array.from({ length: robberies }, (_, n) => n))(
  `behavior: never a unit more than promised (HARDCAP_SEED=${seed} HARDCAP_ROBBERIES=${robberies}): %i`,
  async (n) => {
    const random = randomOf(seed + n)
    const house = await houseOf(random)
    const { it, perCall, siblings } = house
    const { worst, bound } = Coverage.of(it.grant, { permissions: siblings })
    const told = JSON.stringify({ terms: it.grant, siblings, worst, bound }, (_, value) =>
      typeof value === 'bigint' ? `${value}` : value,
    )
    const revert = await base.snapshot()
    const greedy = worstOf(await greedily(house))
    await revert()
    const patient = worstOf(await patiently(house))
    for (const haul of [greedy, patient]) {
      for (const span of ['second', 'utcDay', 'day'] as const)
        expect(haul[span] <= worst[span], told).toBe(true)
      expect(worst.life === null || haul.life <= worst.life, told).toBe(true)
    }
    if (bound !== 'exact') return
    expect(worst.life === null || worst.life - greedy.life < perCall, told).toBe(true)
    expect(worst.second - patient.second < perCall, told).toBe(true)
  },
)
