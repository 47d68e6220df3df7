// Somebody has the agent's key, and is in league with a payee. He ignores the library and does his worst by raw
// transactions, relays and purse signatures; the chain stops him at the figures that `Coverage` had promised, to the
// unit, and he does reach them.
import { describe, expect, test } from 'vitest'
import * as Coverage from '../../src/Coverage.js'
import type * as Grant from '../../src/Grant.js'
import * as Guard from '../../src/Guard.js'
import * as Permission from '../../src/Permission.js'
import * as Spm from '../../src/Spm.js'
import { useBase } from '../base.js'
import { granted } from './guardKit.js'
import { guardThief, type Signed } from './guardThief.js'
import * as kit from './kit.js'
import { worstOf } from './thief.js'

const base = await useBase()
const { day } = kit

/** Base units, small, so that a few payments are every unit there is. */
const caps = (units: number) => `0.${String(units).padStart(6, '0')}`
const terms = { perCallUsd: caps(100), orchestrator: undefined } as const

type Robbery = {
  it: Awaited<ReturnType<typeof granted>>
  permissions: readonly Permission.Permission[]
  moments: readonly number[]
  signed?: readonly Signed[]
}

/** Takes all there is at each of these moments, with every trick on the way. Returns what he got. */
async function rob({ it, permissions, moments, signed }: Robbery) {
  const him = guardThief(base, it)
  const [permission] = permissions
  if (!permission) throw new Error('There is nothing to rob.')
  const fromBlock = (await base.client.getBlockNumber()) + 1n
  const options = { ...(signed ? { signed } : {}) }
  for (const [n, time] of moments.entries()) {
    // While there is something to take, which all of these would.
    const last = n === moments.length - 1
    if (last) expect(await him.tricks(time, permission)).toEqual([])
    await him.grab(last ? time + 1 : time, permissions, options)
  }
  const end = Math.max(...permissions.map((known) => known.end))
  expect(await him.grab(end, permissions, options)).toBe(0n)
  expect(await him.tricks(end + 1, permission)).toEqual([])
  return him.haul(fromBlock)
}

/** Across the first midnight, and on every day that is left. */
const midnights = (start: number) => [start + day - 1, start + day, start + 2 * day, start + 3 * day]
/** The same, and where a third of a day later something comes back. */
const thirds = (start: number) => midnights(start).flatMap((at, n) => (n < 2 ? at : [at, at + day / 3]))
/** Where windows of an hour let out as much as they can around it: every four buckets, and three after a boundary. */
const hourly = (start: number) => {
  const boundary = start + day
  const before = [4, 3, 2, 1, 0].map((n) => boundary - 1 - n * 4_800)
  const after = [0, 3_600, 8_400, 13_200, 18_000, 22_800].map((n) => boundary + n)
  const later = [2, 3].flatMap((n) => [0, 1, 2, 3, 4, 5].map((k) => start + n * day + k * 4_800))
  return [...before, ...after, ...later]
}

describe('guard', () => {
  test.each<[string, Partial<Grant.DefineParams>, (start: number) => number[]]>([
    ['perDay', { perDayUsd: caps(537) }, midnights],
    ['perDay and total', { perDayUsd: caps(537), totalUsd: caps(1_301) }, midnights],
    ['a total alone', { totalUsd: caps(733) }, midnights],
    ['a window of an hour', { perDayUsd: caps(537), perWindowUsd: caps(211), window: 3600 }, hourly],
    [
      'a window of a day, and a total',
      { perDayUsd: caps(537), totalUsd: caps(1_601), perWindowUsd: caps(611), window: day },
      thirds,
    ],
  ])('behavior: %s', async (_, more, plan) => {
    const it = await granted(base, { ...terms, ...more })
    const promised = Coverage.of(it.grant)
    const haul = await rob({ it, permissions: [it.permission], moments: plan(it.start) })
    expect(promised.bound).toBe('exact')
    expect(worstOf(haul)).toEqual(promised.worst)
  })

  test('behavior: without a ticket nothing, with some what they are good for, with the key of the orchestrator the caps', async () => {
    const orchestratorKey = await base.createAccount()
    const tasked = { perDayUsd: caps(537), totalUsd: caps(1_301), perTaskUsd: caps(307) }
    const house = await granted(base, { ...terms, ...tasked, orchestrator: orchestratorKey.address })
    const sign = async (name: string, cap: bigint): Promise<Signed> => {
      const { permission, end } = house
      const options = { permission, task: Guard.task(name), cap, deadline: end }
      return { task: options.task, ticket: await Guard.signTicket(orchestratorKey, options) }
    }
    const { permission, start, end } = house
    const none = guardThief(base, house)
    expect(await none.grab(start, [permission])).toBe(0n)
    const signed = [await sign('a', 211n), await sign('b', 900n)]
    const tickets = [
      { cap: 211n, deadline: end },
      { cap: 900n, deadline: end },
    ]
    const promised = Coverage.of(house.grant, { tickets })
    const fromBlock = (await base.client.getBlockNumber()) + 1n
    for (const at of [start + day - 1, start + day]) await none.grab(at, [permission], { signed })
    expect(worstOf(await none.haul(fromBlock))).toEqual(promised.worst)
    expect(promised.worst.life).toBe(211n + 307n)
    // With the orchestrator's key he invents tasks, and runs into what else there is.
    const more = await Promise.all(['c', 'd', 'e', 'f'].map((name) => sign(name, 900n)))
    for (const at of [start + day + 1, start + 2 * day, start + 3 * day])
      await none.grab(at, [permission], { signed: more })
    const { life } = worstOf(await none.haul(fromBlock))
    expect(life).toBe(Coverage.of(house.grant).worst.life)
  })

  test('args: now, used and spent: the key is stolen in the middle of a day', async () => {
    const it = await granted(base, { ...terms, perDayUsd: caps(537), totalUsd: caps(1_801) })
    const { start, payAt, permission, payees } = it
    expect(await payAt(start + 50, 90n, { payee: payees[1] })).toBe('ok')
    expect(await payAt(start + day + 50, 37n, { payee: payees[1] })).toBe('ok')
    const now = start + day + 100
    const promised = Coverage.of(it.grant, { now, used: 37n, spent: { day: 37n, total: 127n } })
    const moments = [2 * day - 1, 3 * day - 1, 3 * day, 3 * day + 10].map((after) => start + after)
    const haul = await rob({ it, permissions: [permission], moments })
    expect(worstOf(haul)).toEqual(promised.worst)
    expect(promised.worst.life).toBe(537n - 37n + 2n * 537n)
  })

  test("behavior: payees: 'any', and he pays himself", async () => {
    const any = {
      payees: 'any',
      allow: ['api.example.com'],
      perDayUsd: caps(537),
      totalUsd: caps(1_301),
    } as const
    const it = await granted(base, { ...terms, ...any })
    const him = guardThief(base, it, it.agentKey.address)
    const fromBlock = (await base.client.getBlockNumber()) + 1n
    for (const at of midnights(it.start)) await him.grab(at, [it.permission])
    expect(worstOf(await him.haul(fromBlock))).toEqual(Coverage.of(it.grant).worst)
  })
})

describe('siblings', () => {
  test('behavior: of the same grant they share its meters, up to the highest of their caps', async () => {
    const it = await granted(base, { ...terms, perDayUsd: caps(537), totalUsd: caps(1_301) })
    const twin = await it.sibling({ perDayUsd: caps(537), totalUsd: caps(1_301), perCallUsd: caps(90) })
    const raised = it.define({ perDayUsd: caps(701), totalUsd: caps(1_501) }, { grantId: it.grant.grantId })
    // The owner signed it, and nobody has submitted it yet.
    const unsubmitted = Permission.fromGrant(raised, { nonce: 9n })
    const ownerSignature = await it.sign(unsubmitted)
    const promised = Coverage.of(it.grant, { permissions: [twin, unsubmitted] })
    const call = Guard.prepareApproveAndPay({
      permission: unsubmitted,
      ownerSignature,
      batch: it.batchOf([1n], { permission: unsubmitted, payee: it.payees[1], deadline: it.start }),
    })
    // Refused before the start, and so is the approval with it.
    expect(await it.blockAt((await base.now()) + 1, { from: it.agentKey, call })).toEqual(['refused'])
    const later = Spm.prepareApproveWithSignature({ permission: unsubmitted, signature: ownerSignature })
    expect(await it.blockAt((await base.now()) + 1, { from: it.agentKey, call: later })).toEqual(['ok'])
    const permissions = [it.permission, twin, unsubmitted]
    const haul = await rob({ it, permissions, moments: midnights(it.start) })
    expect(promised.bound).toBe('exact')
    expect(worstOf(haul)).toEqual(promised.worst)
    expect(promised.worst).toEqual({ second: 1_402n, utcDay: 701n, day: 1_402n, life: 1_501n })
  })

  test('behavior: of another grant they add up', async () => {
    const it = await granted(base, { ...terms, perDayUsd: caps(537), totalUsd: caps(1_301) })
    const other = it.define({ perDayUsd: caps(211), totalUsd: caps(401) })
    const second = Permission.fromGrant(other)
    const call = Spm.prepareApproveWithSignature({
      permission: second,
      signature: await it.sign(second),
    })
    expect(await it.blockAt((await base.now()) + 1, { from: it.agentKey, call })).toEqual(['ok'])
    const promised = Coverage.of(it.grant, { permissions: [second] })
    const haul = await rob({ it, permissions: [it.permission, second], moments: midnights(it.start) })
    expect(worstOf(haul)).toEqual(promised.worst)
    expect(promised.worst).toEqual({ second: 1_475n, utcDay: 748n, day: 1_475n, life: 1_702n })
  })

  test('behavior: a replacement goes on where the old one was', async () => {
    const it = await granted(base, { ...terms, perDayUsd: caps(537), totalUsd: caps(1_301) })
    const him = guardThief(base, it)
    const fromBlock = (await base.client.getBlockNumber()) + 1n
    expect(await him.grab(it.start, [it.permission])).toBe(537n)
    const renewed = await it.sibling({ perDayUsd: caps(601) }, Permission.hash(it.permission))
    const signature = await it.sign(renewed)
    const call = Guard.prepareReplace({ from: it.permission, to: renewed, signature })
    expect(await it.blockAt(it.start + 1, { from: it.strangerKey, call })).toEqual(['ok'])
    const grant = it.define({ perDayUsd: caps(601) }, { grantId: it.grant.grantId })
    const now = it.start + 2
    const promised = Coverage.of(grant, { now, permission: renewed, spent: { day: 537n, total: 537n } })
    const both = [it.permission, renewed]
    for (const at of [it.start + 2 * day - 1, it.start + 2 * day, it.start + 3 * day])
      await him.grab(at, both)
    const haul = await him.haul(fromBlock)
    expect(worstOf(haul.filter(({ time }) => time >= now))).toEqual({
      ...promised.worst,
    })
    expect(worstOf(haul).life).toBe(1_301n)
  })
})

describe('purse', () => {
  test('behavior: the float comes on top, but not of the total', async () => {
    const more = {
      rail: 'purse',
      maxFloatUsd: caps(311),
      perDayUsd: caps(537),
      totalUsd: caps(1_801),
    } as const
    const it = await granted(base, { ...terms, ...more })
    const promised = Coverage.of(it.grant)
    const him = guardThief(base, it)
    const { permission, start, end, fund, blockAt, settle, payees } = it
    const fromBlock = (await base.client.getBlockNumber()) + 1n
    // Filled on the first day; emptied around the second midnight, with all that two days let out.
    expect(await blockAt(start, fund(311n))).toEqual(['ok'])
    expect(await him.grab(start + 2 * day - 1, [permission], { purse: 'empty' })).toBe(311n + 537n)
    expect(await him.grab(start + 2 * day, [permission], { purse: 'empty' })).toBe(537n)
    expect(await him.tricks(start + 3 * day - 1, permission)).toEqual([])
    expect(await him.grab(start + 3 * day, [permission], { purse: 'fill' })).toBe(
      1_801n - 311n - 537n - 537n - 311n,
    )
    expect(await him.grab(end - 1, [permission], { purse: 'empty' })).toBe(311n)
    expect(await him.tricks(end, permission)).toEqual([])
    expect(await blockAt(end + 1, settle(1n, { payee: payees[0] }))).toEqual(['refused'])
    expect(promised.bound).toBe('exact')
    expect(worstOf(await him.haul(fromBlock))).toEqual(promised.worst)
    expect(promised.worst).toEqual({ second: 1_385n, utcDay: 848n, day: 1_385n, life: 1_801n })
  })
})

describe('the owner strikes back', () => {
  test('behavior: a pause holds him, whoever of the two said it, and he cannot take it back', async () => {
    const it = await granted(base, { perCallUsd: caps(100), perDayUsd: caps(537) })
    const him = guardThief(base, it)
    const { start, blockAt, asAccount, orchestratorKey, agentKey, key, permission } = it
    const by = { owner: asAccount, orchestrator: (call: Guard.Call) => ({ from: orchestratorKey, call }) }
    for (const [n, say] of [by.owner, by.orchestrator].entries()) {
      const today = start + n * day
      expect(await blockAt(today, say(Guard.preparePause(key)))).toEqual(['ok'])
      expect(await blockAt(today + 1, { from: agentKey, call: Guard.prepareResume(key) })).toEqual(['ok'])
      expect(await him.grab(today + 2, [permission])).toBe(0n)
      expect(await blockAt(today + 3, say(Guard.prepareResume(key)))).toEqual(['ok'])
      expect(await him.grab(today + 4, [permission])).toBe(537n)
    }
  })

  test('behavior: a revocation that he sees coming costs what the day still had, and not a unit later', async () => {
    const it = await granted(base, { ...terms, perDayUsd: caps(537) })
    const him = guardThief(base, it)
    const { start, blockAt, asAccount, permission, pay } = it
    const full = Array<bigint>(5).fill(100n)
    const revoke = asAccount(Guard.prepareRevoke({ permission }))
    expect(await blockAt(start, pay(full), pay(37n), revoke, pay(1n))).toEqual(['ok', 'ok', 'ok', 'refused'])
    for (const at of [start + day - 1, start + day]) expect(await him.grab(at, [permission])).toBe(0n)
    expect(await him.tricks(start + day + 1, permission)).toEqual([])
  })
})
