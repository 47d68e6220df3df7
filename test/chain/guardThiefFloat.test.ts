// The thief and the purse: what lies there when the owner stops him, what tickets let him put there, and what he had
// signed before.
import { expect, test } from 'vitest'
import * as Coverage from '../../src/Coverage.js'
import * as Guard from '../../src/Guard.js'
import * as Permission from '../../src/Permission.js'
import * as Purse from '../../src/Purse.js'
import { useBase } from '../base.js'
import { granted } from './guardKit.js'
import { guardThief, type Signed } from './guardThief.js'
import * as kit from './kit.js'
import { worstOf } from './thief.js'

const base = await useBase()
const { day } = kit

/** Base units. */
const caps = (units: number) => `0.${String(units).padStart(6, '0')}`
const terms = {
  rail: 'purse',
  perCallUsd: caps(100),
  perDayUsd: caps(537),
  totalUsd: caps(2_000),
  maxFloatUsd: caps(311),
} as const

test('behavior: a float is lost until a pause is mined, not while it lasts, and again after it; a revocation ends that', async () => {
  const it = await granted(base, terms)
  const him = guardThief(base, it)
  const { start, permission, blockAt, settle, fund, pay, asAccount, key, payees, wallet, strangerKey } = it
  const fromBlock = (await base.client.getBlockNumber()) + 1n
  expect(await blockAt(start, fund(311n))).toEqual(['ok'])
  // Signed while all was well, for an accomplice to settle whenever he likes.
  const early = await Promise.all([settle(100n), settle(100n), settle(11n), settle(50n)])
  const pause = asAccount(Guard.preparePause(key))
  expect(await blockAt(start + 10, settle(100n), pause, ...early, pay(1n), fund(311n))).toEqual([
    ...['ok', 'ok'],
    ...Array<string>(6).fill('refused'),
  ])
  for (const time of [start + 20, start + day - 100, start + day]) {
    expect(await him.grab(time, [permission], { purse: 'empty' })).toBe(0n)
    expect(await blockAt(time + 30, ...early)).toEqual(Array<string>(4).fill('refused'))
  }
  expect(await him.tricks(start + day + 40, permission)).toEqual([])
  expect(worstOf(await him.haul(fromBlock)).life).toBe(100n)

  // Resumed too early: what is left of the float, and all that the caps let out from here on.
  const now = start + day + 100
  const resumed = (await base.client.getBlockNumber()) + 1n
  const promised = Coverage.of(it.grant, { now, spent: { day: 0n, total: 311n, float: 211n } })
  expect(await blockAt(now, asAccount(Guard.prepareResume(key)), fund(311n))).toEqual(['ok', 'ok'])
  expect(await blockAt(now + 1, ...early)).toEqual(Array<string>(4).fill('ok'))
  expect(await blockAt(now + 2, fund(311n))).toEqual(['ok'])
  expect(await him.grab(now + 3, [permission])).toBe(537n - 100n - 261n)
  expect(await him.grab(start + 3 * day - 1, [permission], { purse: 'empty' })).toBe(311n + 537n)
  expect(await him.grab(start + 3 * day, [permission], { purse: 'empty' })).toBe(537n)
  expect(promised.bound).toBe('exact')
  expect(worstOf(await him.haul(resumed))).toEqual(promised.worst)
  expect(promised.worst.life).toBe(211n + 3n * 537n)

  const last = start + 3 * day + 100
  expect(await kit.balanceOf(base, Purse.address(permission))).toBe(0n)
  expect(await blockAt(last, asAccount(Guard.prepareRevoke({ permission })), pay(1n), fund(1n))).toEqual([
    'ok',
    'refused',
    'refused',
  ])
  const held = await kit.balanceOf(base, wallet.address)
  const sweep = { from: strangerKey, call: Purse.prepareSweep({ permission }) }
  expect(await blockAt(last + 1, sweep, settle(1n, { payee: payees[1] }))).toEqual(['ok', 'refused'])
  expect(await kit.balanceOf(base, wallet.address)).toBe(held)
})

test('behavior: revoked with a float in it: he gets what was settled in time, the account all the rest', async () => {
  const it = await granted(base, terms)
  const him = guardThief(base, it)
  const { start, end, permission, blockAt, settle, fund, asAccount, wallet, agentKey, strangerKey } = it
  const fromBlock = (await base.client.getBlockNumber()) + 1n
  expect(await blockAt(start, fund(311n))).toEqual(['ok'])
  const early = await Promise.all([settle(100n), settle(100n), settle(11n)])
  const held = await kit.balanceOf(base, wallet.address)
  const revoke = asAccount(Guard.prepareRevoke({ permission }))
  expect(await blockAt(start + 1, settle(100n), revoke, ...early)).toEqual([
    ...['ok', 'ok'],
    ...Array<string>(3).fill('refused'),
  ])
  const now = start + 2
  for (const time of [now, start + day, end - 1])
    expect(await him.grab(time, [permission], { purse: 'empty' })).toBe(0n)
  expect(await him.tricks(end, permission)).toEqual([])
  const sweeps = [agentKey, strangerKey].map((from) => ({ from, call: Purse.prepareSweep({ permission }) }))
  expect(await blockAt(end + 1, ...sweeps, ...early)).toEqual(['ok', 'ok', ...early.map(() => 'refused')])
  expect((await kit.balanceOf(base, wallet.address)) - held).toBe(211n)
  expect(worstOf(await him.haul(fromBlock)).life).toBe(100n)
})

test('args: tickets: the purse is filled as far as they go, and what it pays then names no task', async () => {
  const orchestratorKey = await base.createAccount()
  const tasks = { perTaskUsd: caps(307), orchestrator: orchestratorKey.address }
  const it = await granted(base, { ...terms, ...tasks })
  const him = guardThief(base, it)
  const { permission, start, end, fund, blockAt } = it
  const sign = async (name: string, cap: bigint): Promise<Signed> => {
    const options = { permission, task: Guard.task(name), cap, deadline: end }
    return { task: options.task, ticket: await Guard.signTicket(orchestratorKey, options) }
  }
  const [a, b] = [await sign('a', 211n), await sign('b', 900n)]
  const tickets = [211n, 900n].map((cap) => ({ cap, deadline: end }))
  const promised = Coverage.of(it.grant, { tickets })
  const fromBlock = (await base.client.getBlockNumber()) + 1n
  expect(await blockAt(start, fund(1n), fund(212n, a), fund(211n, a), fund(311n, a))).toEqual([
    ...['refused', 'refused', 'ok', 'refused'],
  ])
  expect(await blockAt(start + 1, fund(311n, b))).toEqual(['ok'])
  const signed = [a, b]
  expect(await him.grab(start + day - 1, [permission], { signed, purse: 'empty' })).toBe(311n + 207n)
  expect(await him.grab(start + day, [permission], { signed, purse: 'empty' })).toBe(0n)
  expect(await him.tricks(start + day + 1, permission)).toEqual([])
  expect(worstOf(await him.haul(fromBlock))).toEqual(promised.worst)
  expect(promised.worst.life).toBe(211n + 307n)
})

test('behavior: siblings share a purse: what one put there is lost to the thief when the other fills it', async () => {
  const it = await granted(base, terms)
  const him = guardThief(base, it)
  const { permission, start, fund, blockAt, settle, sibling } = it
  const twin = await sibling({ maxFloatUsd: caps(207), perDayUsd: caps(501) })
  const promised = Coverage.of(it.grant, { permissions: [twin] })
  const fromBlock = (await base.client.getBlockNumber()) + 1n
  expect(await blockAt(start, fund(311n))).toEqual(['ok'])
  const early = await settle(100n)
  expect(await blockAt(start + 1, fund(190n, { permission: twin }), early)).toEqual(['ok', 'refused'])
  // Back and forth costs him the meters, and gives him nothing.
  expect(await blockAt(start + day, fund(250n), fund(207n, { permission: twin }), fund(80n))).toEqual([
    ...['ok', 'ok', 'ok'],
  ])
  expect(await blockAt(start + 2 * day, fund(311n))).toEqual(['ok'])
  const both = [twin, permission]
  for (const time of [start + 3 * day - 1, start + 3 * day]) await him.grab(time, both, { purse: 'empty' })
  const haul = worstOf(await him.haul(fromBlock))
  // All but what went back to the account.
  expect(haul.second).toBe(2_000n - 311n - 190n - 250n - 207n)
  for (const span of ['second', 'utcDay', 'day'] as const)
    expect(haul[span] <= promised.worst[span]).toBe(true)
  expect(haul.life <= (promised.worst.life ?? 0n)).toBe(true)
})

test('behavior: replaced: nothing that he had signed is worth anything, nor is what lies in the purse', async () => {
  const it = await granted(base, terms)
  const him = guardThief(base, it)
  const { permission, start, end, fund, pay, settle, blockAt, sibling, sign, strangerKey, agentKey, define } =
    it
  expect(await blockAt(start, fund(311n), pay(100n))).toEqual(['ok', 'ok'])
  const lower = { perDayUsd: caps(207), maxFloatUsd: caps(120) } as const
  const renewed = await sibling(lower, Permission.hash(permission))
  const early = await Promise.all([
    ...[settle(100n), settle(100n), pay(100n, { signer: agentKey }), fund(300n, { signer: agentKey })],
    settle(100n, { permission: renewed }),
  ])
  const call = Guard.prepareReplace({ from: permission, to: renewed, signature: await sign(renewed) })
  const now = start + day
  const fromBlock = (await base.client.getBlockNumber()) + 1n
  expect(await blockAt(now, { from: strangerKey, call }, ...early)).toEqual([
    'ok',
    ...early.map(() => 'refused'),
  ])
  const grant = define(lower, { grantId: it.grant.grantId })
  const promised = Coverage.of(grant, {
    now,
    permission: renewed,
    spent: { day: 0n, total: 411n, float: 0n },
  })
  const both = [permission, renewed]
  expect(await blockAt(now + 1, fund(120n, { permission: renewed }), ...early.slice(0, 4))).toEqual([
    'ok',
    ...Array<string>(4).fill('refused'),
  ])
  expect(await him.grab(now + 2, both)).toBe(207n - 120n)
  expect(await him.tricks(start + 3 * day - 2, renewed)).toEqual([])
  expect(await him.grab(start + 3 * day - 1, both, { purse: 'empty' })).toBe(120n + 207n)
  expect(await him.grab(start + 3 * day, both, { purse: 'empty' })).toBe(207n)
  expect(await him.grab(end, both, { purse: 'empty' })).toBe(0n)
  expect(worstOf(await him.haul(fromBlock))).toEqual(promised.worst)
  expect(promised.worst).toEqual({ second: 534n, utcDay: 327n, day: 534n, life: 621n })
})
