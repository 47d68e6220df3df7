// Somebody has the agent's key. He ignores the library and does his worst with raw transactions; the chain stops
// him at the figures that `Coverage` had promised the owner, to the unit, and he does reach them.
import { describe, expect, test } from 'vitest'
import { usdc } from '../../src/Addresses.js'
import * as Coverage from '../../src/Coverage.js'
import * as Grant from '../../src/Grant.js'
import * as Permission from '../../src/Permission.js'
import * as Spm from '../../src/Spm.js'
import * as Wallet from '../../src/Wallet.js'
import { useBase } from '../base.js'
import * as kit from './kit.js'
import { type Moment, planOf, thief, worstOf } from './thief.js'

const base = await useBase()
const { day, usd } = kit

/** A funded wallet, an agent, and grants between them that start on one midnight ahead. */
async function household() {
  const ownerKey = await base.createAccount()
  const key = await base.createAccount()
  const wallet = await base.createWallet({ owner: ownerKey, usdc: usd('1000') })
  const start = await kit.midnight(base)
  const fromBlock = await base.client.getBlockNumber()
  const define = (terms: Partial<Grant.DefineParams>) =>
    Grant.define(
      {
        owner: wallet.address,
        agent: key.address,
        rail: 'direct',
        allow: ['api.example.com'],
        startsAt: start * 1_000,
        expiresAt: (start + 3 * day) * 1_000,
        ...terms,
      },
      { now: start - 1 },
    )
  const sign = (permission: Permission.Permission) => Permission.sign(wallet.account, permission)
  /** The calls, by whoever makes them, in one block; all go through. */
  const block = async (at: number, ...raws: kit.Raw[]) => {
    const receipts = await kit.mineAt(base, at, raws)
    expect(receipts.map(({ status }) => status)).toEqual(raws.map(() => 'success'))
  }
  const approve = async (permission: Permission.Permission) => {
    const call = Spm.prepareApproveWithSignature({ permission, signature: await sign(permission) })
    await block((await base.now()) + 1, { from: key, call })
  }
  const asOwner = (call: Spm.Call): kit.Raw => ({
    from: ownerKey,
    call: Wallet.prepareExecute({ account: wallet.address, call }),
  })
  return { key, wallet, start, fromBlock, define, sign, approve, block, asOwner }
}

type Household = Awaited<ReturnType<typeof household>>

/** Follows the plan, with all tricks before, in the middle and after. Returns what was stolen. */
async function rob({ key, wallet, fromBlock, sign }: Household, plan: readonly Moment[], boundary: number) {
  const [permission] = plan[0]?.from ?? []
  const last = plan.at(-1)
  if (!permission || !last) throw new Error('There is nothing to take.')
  const signature = await sign(permission)
  const him = thief(base, key, wallet.address)
  const everything = [...new Set(plan.flatMap(({ from }) => from))]
  const end = Math.max(...everything.map((known) => known.end))
  const first = Math.min(...everything.map((known) => known.start))

  if ((await base.now()) < first - 1) {
    expect(await him.tricks(first - 2, permission, signature)).toEqual([])
    expect(await him.grab(first - 1, everything)).toBe(0n)
  }
  for (const { at, from } of plan) {
    expect(await him.grab(at, from)).toBeGreaterThan(0n)
    if (at !== boundary) continue
    expect(await him.grab(at + 1, from)).toBe(0n)
    expect(await him.tricks(at + 2, permission, signature)).toEqual([])
    await expect(him.replay(permission)).rejects.toThrow(/nonce/i)
  }
  if (last.at < end - 1) expect(await him.grab(end - 1, last.from)).toBe(0n)
  expect(await him.grab(end, everything)).toBe(0n)
  expect(await him.tricks(end + 1, permission, signature)).toEqual([])
  return him.haul(fromBlock)
}

describe('one grant', () => {
  for (const [name, terms] of [
    ['perDay', { perDayUsd: '0.05' }],
    ['perDay with a last day cut short', { perDayUsd: '0.05', lastDay: 77 }],
    ['total', { totalUsd: '0.07' }],
    ['perDay and total', { perDayUsd: '0.05', totalUsd: '0.12' }],
    ["perDay and total, hold: 'total'", { perDayUsd: '0.05', totalUsd: '0.12', hold: 'total' }],
  ] as const) {
    test(`behavior: ${name}`, async () => {
      const home = await household()
      const { lastDay = day, ...caps } = { lastDay: undefined, ...terms }
      const grant = home.define({ ...caps, expiresAt: (home.start + 2 * day + lastDay) * 1_000 })
      const permission = Permission.fromGrant(grant)
      const promised = Coverage.of(grant)
      await home.approve(permission)

      const boundary = home.start + day
      const haul = await rob(home, planOf([permission], boundary), boundary)
      expect(worstOf(haul)).toEqual(promised.worst)
      expect(promised.bound).toBe('exact')
      // The payees are the process's to hold: all of it can go anywhere.
      const { life } = worstOf(haul)
      const accomplice = await base.createAccount()
      const call = Spm.prepareTransfer({ token: usdc[8453], to: accomplice.address, amount: life })
      await home.block((await base.now()) + 1, { from: home.key, call })
      expect(await kit.balanceOf(base, accomplice.address)).toBe(life)
      expect(await kit.balanceOf(base, home.wallet.address)).toBe(usd('1000') - life)
    })
  }

  test('args: now and used, the key is stolen in the middle of a day that was spent from', async () => {
    const home = await household()
    const grant = home.define({ perDayUsd: '0.05' })
    const permission = Permission.fromGrant(grant)
    await home.approve(permission)
    const used = usd('0.02')
    await home.block(home.start + 100, thief(base, home.key, home.wallet.address).spend(permission, used))
    const now = home.start + 200
    const promised = Coverage.of(grant, { now, used })

    const fromBlock = (await base.client.getBlockNumber()) + 1n
    // The next midnight finds less; the one after, two whole days.
    const boundary = home.start + 2 * day
    const haul = await rob({ ...home, fromBlock }, planOf([permission], boundary, now), boundary)
    expect(worstOf(haul)).toEqual(promised.worst)
    expect(promised.worst.life).toBe(3n * usd('0.05') - used)
  })
})

describe('siblings', () => {
  test('behavior: one with shorter periods, and one that the owner signed and nobody submitted', async () => {
    const home = await household()
    const grant = home.define({ perDayUsd: '0.05' })
    const permission = Permission.fromGrant(grant)
    const quarterly = { ...permission, period: day / 4, allowance: 1_001n, end: home.start + 2 * day }
    const unsubmitted = Permission.fromGrant(home.define({ perDayUsd: '0.013' }))
    const signature = await home.sign(unsubmitted)
    await home.approve(permission)
    await home.approve(quarterly)
    const promised = Coverage.of(grant, { permissions: [quarterly, unsubmitted] })

    const call = Spm.prepareApproveWithSignature({ permission: unsubmitted, signature })
    await home.block((await base.now()) + 1, { from: home.key, call })
    const boundary = home.start + day
    const haul = await rob(home, planOf([permission, quarterly, unsubmitted], boundary), boundary)
    expect(worstOf(haul)).toEqual(promised.worst)
    expect(promised.bound).toBe('exact')
    const both = usd('0.05') + usd('0.013')
    expect(promised.worst).toEqual({
      second: 2n * (both + 1_001n),
      utcDay: both + 4n * 1_001n,
      day: 2n * both + 5n * 1_001n,
      life: 3n * both + 8n * 1_001n,
    })
  })

  test('behavior: one whose days begin at noon, so that a UTC day sees two of them', async () => {
    const home = await household()
    const grant = home.define({ perDayUsd: '0.05' })
    const permission = Permission.fromGrant(grant)
    const noon = {
      ...permission,
      allowance: 1_001n,
      start: home.start + day / 2,
      end: home.start + 3.5 * day,
    }
    await home.approve(permission)
    await home.approve(noon)
    const promised = Coverage.of(grant, { permissions: [noon] })

    const boundary = home.start + day
    const haul = await rob(home, planOf([permission, noon], boundary), boundary)
    expect(worstOf(haul)).toEqual(promised.worst)
    expect(promised.bound).toBe('exact')
    expect(promised.worst).toEqual({
      second: 2n * usd('0.05') + 1_001n,
      utcDay: usd('0.05') + 2n * 1_001n,
      day: 2n * usd('0.05') + 2n * 1_001n,
      life: 3n * usd('0.05') + 3n * 1_001n,
    })
  })
})

describe('the owner strikes back', () => {
  test('behavior: a revoke that he sees coming costs what the period still had, and not a unit later', async () => {
    const home = await household()
    const permission = Permission.fromGrant(home.define({ perDayUsd: '0.05' }))
    await home.approve(permission)
    const him = thief(base, home.key, home.wallet.address)
    const { spend } = him
    const revoke = home.asOwner(Spm.prepareRevoke({ permission }))
    const receipts = await kit.mineAt(base, home.start + 10, [
      spend(permission, permission.allowance),
      revoke,
      spend(permission, 1n),
    ])
    expect(receipts.map(({ status }) => status)).toEqual(['success', 'success', 'reverted'])

    const signature = await home.sign(permission)
    for (const at of [home.start + day - 1, home.start + day, home.start + 2 * day]) {
      expect(await him.grab(at, [permission])).toBe(0n)
    }
    expect(await him.tricks(home.start + 2 * day + 1, permission, signature)).toEqual([])
    // He may submit the owner's signature again, which changes nothing.
    const call = Spm.prepareApproveWithSignature({ permission, signature })
    await home.block(home.start + 2 * day + 2, { from: home.key, call })
    expect(await him.grab(home.start + 2 * day + 3, [permission])).toBe(0n)
    expect(worstOf(await him.haul(home.fromBlock)).life).toBe(permission.allowance)
  })

  test('behavior: a replacement starts a new meter, so the life is what the old one saw and the new worst', async () => {
    const home = await household()
    const from = Permission.fromGrant(home.define({ perDayUsd: '0.05' }))
    const raised = home.define({ perDayUsd: '0.08' })
    const to = Permission.fromGrant(raised)
    await home.approve(from)
    const him = thief(base, home.key, home.wallet.address)
    const stolen = await him.grab(home.start + 10, [from])
    const lastUpdatedPeriod = await Spm.getLastUpdatedPeriod(base.client, { permission: from })
    const replace = home.asOwner(Spm.prepareReplace({ from, to, lastUpdatedPeriod }))
    await home.block(home.start + 20, replace)
    const promised = Coverage.of(raised, { now: home.start + 21 })

    expect(await him.grab(home.start + 30, [from])).toBe(0n)
    const fromBlock = (await base.client.getBlockNumber()) + 1n
    const boundary = home.start + day
    const haul = await rob({ ...home, fromBlock }, planOf([to], boundary), boundary)
    expect(worstOf(haul)).toEqual(promised.worst)
    const all = await him.haul(home.fromBlock)
    expect(worstOf(all).life).toBe(stolen + (promised.worst.life ?? 0n))
    expect(stolen).toBe(from.allowance)
  })
})
