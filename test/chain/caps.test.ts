// Every cap that the direct rail has the chain hold, held by the chain: raw transactions at exact seconds.
import { describe, expect, test } from 'vitest'
import { nativeToken } from '../../src/Addresses.js'
import * as Grant from '../../src/Grant.js'
import * as Permission from '../../src/Permission.js'
import * as Spm from '../../src/Spm.js'
import * as Wallet from '../../src/Wallet.js'
import { useBase } from '../base.js'
import * as kit from './kit.js'

const base = await useBase()
const { day, usd } = kit

/** Three ways to let the chain hold a cap, and what it then holds. Times in days from the start. */
const rails = [
  { name: 'perDay', caps: { perDayUsd: '2' }, allowance: usd('2'), days: 4, periods: 4 },
  { name: 'total', caps: { totalUsd: '5' }, allowance: usd('5'), days: 4, periods: 1 },
  // Two whole days of 2 fit into 5, so it ends after them.
  {
    name: "hold: 'total'",
    caps: { perDayUsd: '2', totalUsd: '5', hold: 'total' },
    allowance: usd('2'),
    days: 2,
    periods: 2,
  },
] as const

type Rail = (typeof rails)[number]

/** A grant for four days from a midnight ahead, its permission approved, and who can spend it. */
async function granted(rail: Rail) {
  const ownerKey = await base.createAccount()
  const agentKey = await base.createAccount()
  const wallet = await base.createWallet({ owner: ownerKey, usdc: usd('1000') })
  const start = await kit.midnight(base)
  const terms = {
    owner: wallet.address,
    agent: agentKey.address,
    rail: 'direct' as const,
    allow: ['api.example.com'],
    startsAt: start * 1_000,
    expiresAt: (start + 4 * day) * 1_000,
    ...rail.caps,
  }
  const define = (raised = {}) => Grant.define({ ...terms, ...raised }, { now: start - 1 })
  const permission = Permission.fromGrant(define())
  const submit = async (approved: Permission.Permission) => {
    const signature = await Permission.sign(wallet.account, approved)
    const call = Spm.prepareApproveWithSignature({ permission: approved, signature })
    const [receipt] = await kit.mineAt(base, (await base.now()) + 1, [{ from: agentKey, call }])
    expect(receipt?.status).toBe('success')
  }
  await submit(permission)

  const pull = (amount: bigint, spent = permission): kit.Raw => ({
    from: agentKey,
    call: Spm.prepareSpend({ permission: spent, amount }),
  })
  /** Spends at exactly this second, and holds the money to the answer. */
  const spendAt = async (time: number, amount: bigint, spent = permission) => {
    const before = await kit.balanceOf(base, agentKey.address)
    const answer = await kit.sendAt(base, time, pull(amount, spent))
    const moved = (await kit.balanceOf(base, agentKey.address)) - before
    expect(moved).toBe(answer === 'ok' ? amount : 0n)
    return answer
  }
  const asAccount = (call: Spm.Call): kit.Raw => ({
    from: ownerKey,
    call: Wallet.prepareExecute({ account: wallet.address, call }),
  })
  const asAgent = (call: Spm.Call): kit.Raw => ({ from: agentKey, call })
  const { end } = permission
  return { permission, define, submit, spendAt, pull, asAccount, asAgent, start, end, agentKey, wallet }
}

/** What became of each of these transactions, all in one block at `time`. */
async function blockAt(time: number, ...raws: kit.Raw[]) {
  const receipts = await kit.mineAt(base, time, raws)
  return receipts.map((receipt) => (receipt.status === 'success' ? 'ok' : 'refused'))
}

describe.each(rails)('$name', (rail) => {
  const { allowance, periods } = rail

  test('default: the permission says what the chain is to hold', async () => {
    const { permission, start } = await granted(rail)
    expect(permission).toMatchObject({ allowance, start, end: start + rail.days * day })
    expect(Permission.periods(permission)).toBe(periods)
  })

  test('behavior: within it, in pieces, up to exactly it', async () => {
    const { start, spendAt } = await granted(rail)
    expect(await spendAt(start + 10, 1n)).toBe('ok')
    expect(await spendAt(start + 20, allowance - 8n)).toBe('ok')
    expect(await spendAt(start + 30, 7n)).toBe('ok')
    expect(await spendAt(start + 40, 1n)).toBe('EXCEEDED_SPEND_PERMISSION')
  })

  test('behavior: exactly it, at once', async () => {
    const { start, spendAt } = await granted(rail)
    expect(await spendAt(start + 10, allowance)).toBe('ok')
  })

  test('error: one unit over, at once and in pieces, and nothing was counted', async () => {
    const { start, spendAt } = await granted(rail)
    expect(await spendAt(start + 10, allowance + 1n)).toBe('EXCEEDED_SPEND_PERMISSION')
    expect(await spendAt(start + 20, allowance - 1n)).toBe('ok')
    expect(await spendAt(start + 30, 2n)).toBe('EXCEEDED_SPEND_PERMISSION')
    expect(await spendAt(start + 40, 1n)).toBe('ok')
  })

  test('behavior: what a period lets out does not carry over to the next', async () => {
    const { start, spendAt } = await granted(rail)
    expect(await spendAt(start + day - 1, 1n)).toBe('ok')
    expect(await spendAt(start + day, allowance + 1n)).toBe('EXCEEDED_SPEND_PERMISSION')
    expect(await spendAt(start + day + 1, allowance)).toBe(periods === 1 ? 'EXCEEDED_SPEND_PERMISSION' : 'ok')
  })

  test('behavior: across a midnight, two allowances a second apart if it renews, and no more', async () => {
    const { start, pull } = await granted(rail)
    const next = periods === 1 ? 'refused' : 'ok'
    const full = pull(allowance)
    const one = pull(1n)
    expect(await blockAt(start + day - 1, full, one, full)).toEqual(['ok', 'refused', 'refused'])
    expect(await blockAt(start + day, full, one, full)).toEqual([next, 'refused', 'refused'])
    expect(await blockAt(start + day + 1, full, one)).toEqual(['refused', 'refused'])
  })

  test('error: one second before the start', async () => {
    const { start, spendAt } = await granted(rail)
    expect(await spendAt(start - 1, 1n)).toBe('BEFORE_SPEND_PERMISSION_START')
  })

  test('behavior: at the start', async () => {
    const { start, spendAt } = await granted(rail)
    expect(await spendAt(start, allowance)).toBe('ok')
  })

  test('behavior: one second before the end, and not one unit above the periods over the life', async () => {
    const { start, end, pull } = await granted(rail)
    const full = pull(allowance)
    for (let period = 0; period < periods - 1; period++) {
      expect(await blockAt(start + period * day, full)).toEqual(['ok'])
    }
    expect(await blockAt(end - 1, full, pull(1n))).toEqual(['ok', 'refused'])
    expect(await blockAt(end, full, pull(1n))).toEqual(['refused', 'refused'])
  })

  test('error: at the end, with everything left', async () => {
    const { end, spendAt } = await granted(rail)
    expect(await spendAt(end, 1n)).toBe('AFTER_SPEND_PERMISSION_END')
  })

  for (const by of ['account', 'spender'] as const) {
    test(`error: after the ${by} revoked it, from the next transaction on and for good`, async () => {
      const { start, permission, spendAt, pull, asAccount, asAgent, submit } = await granted(rail)
      const revoke =
        by === 'account'
          ? asAccount(Spm.prepareRevoke({ permission }))
          : asAgent(Spm.prepareRevokeAsSpender({ permission }))
      expect(await blockAt(start + 10, pull(1n))).toEqual(['ok'])
      expect(await blockAt(start + 20, revoke, pull(1n))).toEqual(['ok', 'refused'])
      // The chain accepts the signature once more, and ignores it.
      await submit(permission)
      expect(await spendAt(start + day, 1n)).toBe('UNAUTHORIZED_SPEND_PERMISSION')
    })
  }

  test('behavior: after a replacement the old one is dead, and the new meter starts at zero', async () => {
    const { start, permission: from, define, spendAt, asAccount } = await granted(rail)
    const to = Permission.fromGrant(define({ perCallUsd: '0.5' }))
    expect(await spendAt(start + 10, allowance)).toBe('ok')
    const lastUpdatedPeriod = await Spm.getLastUpdatedPeriod(base.client, { permission: from })
    const replace = asAccount(Spm.prepareReplace({ from, to, lastUpdatedPeriod }))
    expect(await blockAt(start + 20, replace)).toEqual(['ok'])
    expect(await spendAt(start + 30, 1n, from)).toBe('UNAUTHORIZED_SPEND_PERMISSION')
    expect(await spendAt(start + 40, allowance + 1n, to)).toBe('EXCEEDED_SPEND_PERMISSION')
    expect(await spendAt(start + 50, allowance, to)).toBe('ok')
    expect(await spendAt(start + 60, 1n, to)).toBe('EXCEEDED_SPEND_PERMISSION')
  })

  test('error: a replacement of what was spent from since the owner looked', async () => {
    const { start, permission: from, define, pull, asAccount } = await granted(rail)
    const to = Permission.fromGrant(define({ perCallUsd: '0.5' }))
    const lastUpdatedPeriod = await Spm.getLastUpdatedPeriod(base.client, { permission: from })
    const replace = asAccount(Spm.prepareReplace({ from, to, lastUpdatedPeriod }))
    expect(await blockAt(start + 10, pull(1n), replace, pull(1n), pull(1n, to))).toEqual([
      'ok',
      'refused',
      'ok',
      'refused',
    ])
  })

  test('behavior: two permissions add up, and each keeps its own meter', async () => {
    const { start, permission, define, submit, spendAt } = await granted(rail)
    const sibling = Permission.fromGrant(define({ perCallUsd: '0.5' }))
    await submit(sibling)
    expect(await spendAt(start + 10, allowance)).toBe('ok')
    expect(await spendAt(start + 20, 1n)).toBe('EXCEEDED_SPEND_PERMISSION')
    expect(await spendAt(start + 30, allowance + 1n, sibling)).toBe('EXCEEDED_SPEND_PERMISSION')
    expect(await spendAt(start + 40, allowance, sibling)).toBe('ok')
    for (const spent of [permission, sibling]) {
      expect(await spendAt((await base.now()) + 1, 1n, spent)).toBe('EXCEEDED_SPEND_PERMISSION')
    }
  })

  test('error: another token, account, spender, or any other term than those that were approved', async () => {
    const { start, permission, spendAt, agentKey } = await granted(rail)
    const other = await base.createWallet({ usdc: usd('1000') })
    await base.warp(start)
    for (const changed of [
      { token: nativeToken },
      { account: other.address },
      { allowance: allowance + 1n },
      { period: permission.period + 1 },
      { start: start - 1 },
      { end: permission.end + 1 },
      { salt: permission.salt + 1n },
      { extraData: '0x00' },
    ] as const) {
      const spent = { ...permission, ...changed }
      expect(await spendAt((await base.now()) + 1, 1n, spent)).toBe('UNAUTHORIZED_SPEND_PERMISSION')
    }
    const accomplice = await base.createAccount()
    const call = Spm.prepareSpend({ permission, amount: 1n })
    expect(await kit.sendAt(base, (await base.now()) + 1, { from: accomplice, call })).toBe('INVALID_SENDER')
    const renamed = Spm.prepareSpend({
      permission: { ...permission, spender: accomplice.address },
      amount: 1n,
    })
    const answer = await kit.sendAt(base, (await base.now()) + 1, { from: accomplice, call: renamed })
    expect(answer).toBe('UNAUTHORIZED_SPEND_PERMISSION')
    expect(await kit.balanceOf(base, agentKey.address)).toBe(0n)
  })
})

describe('days', () => {
  test('behavior: a last day that is cut short keeps a full allowance', async () => {
    const { start, define, submit, spendAt } = await granted(rails[0])
    const permission = Permission.fromGrant(define({ expiresAt: (start + day + 60) * 1_000 }))
    await submit(permission)
    const { allowance } = permission
    expect(await spendAt(start + day - 1, allowance, permission)).toBe('ok')
    expect(await spendAt(start + day + 59, allowance + 1n, permission)).toBe('EXCEEDED_SPEND_PERMISSION')
    expect(await spendAt(start + day + 60, 1n, permission)).toBe('AFTER_SPEND_PERMISSION_END')
  })

  test('behavior: a total starts and ends at any second', async () => {
    const { start, define, submit, spendAt } = await granted(rails[1])
    const dates = { startsAt: (start + 77) * 1_000, expiresAt: (start + 99) * 1_000 }
    const permission = Permission.fromGrant(define(dates))
    await submit(permission)
    expect(await spendAt(start + 76, 1n, permission)).toBe('BEFORE_SPEND_PERMISSION_START')
    expect(await spendAt(start + 77, 1n, permission)).toBe('ok')
    expect(await spendAt(start + 98, permission.allowance - 1n, permission)).toBe('ok')
    expect(await spendAt(start + 99, 1n, permission)).toBe('AFTER_SPEND_PERMISSION_END')
  })
})
