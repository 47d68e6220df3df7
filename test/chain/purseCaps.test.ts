// What the guard and the purse hold between them: fundings, the float, and settlements by whoever submits them.
import { describe, expect, test } from 'vitest'
import { hardcapGuard } from '../../src/Addresses.js'
import * as Guard from '../../src/Guard.js'
import * as Permission from '../../src/Permission.js'
import * as Purse from '../../src/Purse.js'
import * as Spm from '../../src/Spm.js'
import { useBase } from '../base.js'
import { type Granted, granted } from './guardKit.js'
import { stranger } from './guardScene.js'
import * as kit from './kit.js'

const base = await useBase()
const { day, usd } = kit
const one = usd('1')
const { task } = Guard

const pursed = (terms = {}) =>
  granted(base, { rail: 'purse', maxFloatUsd: '3', perDayUsd: '5', totalUsd: '12', ...terms })

/** Funds at this second, and holds the purse's balance to the answer. */
async function fundAt(it: Granted, time: number, target: bigint, say: Parameters<Granted['fund']>[1] = {}) {
  const purse = Purse.address(it.permission)
  const before = await kit.balanceOf(base, purse)
  const answer = await it.at(time, it.fund(target, say))
  expect(await kit.balanceOf(base, purse)).toBe(answer === 'ok' ? target : before)
  return answer
}

/** Settles at this second, and holds the payee's balance to the answer. The token's own words are not ours to test. */
async function settleAt(
  it: Granted,
  time: number,
  value: bigint,
  say: Parameters<Granted['settle']>[1] = {},
) {
  const to = say.payee ?? it.payees[0]
  const before = await kit.balanceOf(base, to)
  const [answer] = await it.blockAt(time, it.settle(value, say))
  expect((await kit.balanceOf(base, to)) - before).toBe(answer === 'ok' ? value : 0n)
  return answer
}

describe('fund', () => {
  test('behavior: maxFloat: at it, one unit over, and again when it was spent', async () => {
    const it = await pursed()
    const { start } = it
    expect(await fundAt(it, start, usd('3') + 1n)).toBe('OVER_FLOAT')
    expect(await fundAt(it, start + 1, usd('3'))).toBe('ok')
    expect(await fundAt(it, start + 2, usd('3'))).toBe('NOTHING_TO_FUND')
    expect(await settleAt(it, start + 3, 1n)).toBe('ok')
    expect(await fundAt(it, start + 4, usd('3'))).toBe('ok')
  })

  test('behavior: a donation makes it smaller, not impossible', async () => {
    const it = await pursed()
    const { start, wallet, asAccount, permission, blockAt } = it
    expect(await fundAt(it, start, one)).toBe('ok')
    const gift = Spm.prepareTransfer({ token: permission.token, to: Purse.address(permission), amount: 1n })
    expect(await blockAt(start + 1, asAccount(gift))).toEqual(['ok'])
    const before = await kit.balanceOf(base, wallet.address)
    expect(await fundAt(it, start + 2, usd('3'))).toBe('ok')
    expect(before - (await kit.balanceOf(base, wallet.address))).toBe(usd('2') - 1n)
  })

  test('behavior: the day, at it, one unit over, and the next', async () => {
    const it = await pursed({ perDayUsd: '3.5' })
    const { start } = it
    expect(await fundAt(it, start, usd('3'))).toBe('ok')
    expect(await settleAt(it, start + 1, one)).toBe('ok')
    expect(await fundAt(it, start + 2, usd('2.5') + 1n)).toBe('OVER_DAY')
    expect(await fundAt(it, start + 3, usd('2.5'))).toBe('ok')
    expect(await fundAt(it, start + 4, usd('2.5') + 1n)).toBe('OVER_DAY')
    expect(await fundAt(it, start + day, usd('3'))).toBe('ok')
    // What is paid directly and what is funded are metered as one.
    expect(await it.at(start + day + 1, it.pay([one, one, one]))).toBe('ok')
    expect(await it.payAt(start + day + 2, 1n)).toBe('OVER_DAY')
  })

  test('behavior: the total, exactly, and a sweep credits nothing', async () => {
    const it = await pursed({ totalUsd: '4', perDayUsd: '4' })
    const { start, agentKey, permission, wallet, at } = it
    expect(await fundAt(it, start, usd('3'))).toBe('ok')
    const before = await kit.balanceOf(base, wallet.address)
    const sweep = { from: agentKey, call: Purse.prepareSweep({ permission }) }
    expect(await at(start + 1, Promise.resolve(sweep))).toBe('ok')
    expect((await kit.balanceOf(base, wallet.address)) - before).toBe(usd('3'))
    expect(await fundAt(it, start + 2, one + 1n)).toBe('OVER_TOTAL')
    expect(await fundAt(it, start + 3, one)).toBe('ok')
    expect(await fundAt(it, start + day, one + 1n)).toBe('OVER_TOTAL')
  })

  test('behavior: the window', async () => {
    const it = await pursed({ perWindowUsd: '2', window: 3600 })
    const { start } = it
    expect(await fundAt(it, start, usd('2') + 1n)).toBe('OVER_WINDOW')
    expect(await fundAt(it, start + 1, usd('2'))).toBe('ok')
    expect(await fundAt(it, start + 4_799, usd('2') + 1n)).toBe('OVER_WINDOW')
    expect(await fundAt(it, start + 4_800, usd('3'))).toBe('ok')
  })

  test('behavior: tickets, for fundings; settlements name no task', async () => {
    const it = await pursed({ perTaskUsd: '2' })
    const { start, ticket } = it
    const [a, b] = [task('a'), task('b')]
    expect(await fundAt(it, start, one)).toBe('TASK_MISSING')
    expect(await fundAt(it, start + 1, one, { task: a })).toBe('TICKET_MISSING')
    expect(await fundAt(it, start + 2, one, { task: b, ticket: await ticket(a, one) })).toBe('TICKET_INVALID')
    const old = await ticket(a, one, start + 3)
    expect(await fundAt(it, start + 3, one, { task: a, ticket: old })).toBe('TICKET_EXPIRED')
    const good = { task: a, ticket: await ticket(a, one) }
    expect(await fundAt(it, start + 4, one + 1n, good)).toBe('OVER_TASK')
    expect(await fundAt(it, start + 5, one, good)).toBe('ok')
    expect(await settleAt(it, start + 6, one)).toBe('ok')
    expect(await fundAt(it, start + 7, 1n, good)).toBe('OVER_TASK')
  })

  test('error: replayed, too late, before the start, at the end, by a stranger, without a purse', async () => {
    const it = await pursed()
    const { start, end, fund, blockAt, agentKey, strangerKey } = it
    expect(await fundAt(it, start - 1, 1n)).toBe('BEFORE_SPEND_PERMISSION_START')
    const signed = await fund(1n, { number: 5n, signer: agentKey })
    expect(await blockAt(start, signed, signed)).toEqual(['ok', 'refused'])
    expect(await fundAt(it, start + 1, 2n, { number: 5n })).toBe('NUMBER_USED')
    expect(await it.payAt(start + 2, 1n, { number: 5n })).toBe('NUMBER_USED')
    expect(await fundAt(it, start + 3, 2n, { deadline: start + 3 })).toBe('DEADLINE_PASSED')
    expect(await fundAt(it, start + 4, 2n, { signer: strangerKey })).toBe('INVALID_AGENT_SIGNATURE')
    const stolen = { ...(await fund(2n)), from: strangerKey }
    expect(await it.at(start + 5, Promise.resolve(stolen))).toBe('WRONG_AGENT')
    expect(await fundAt(it, end, 2n)).toBe('AFTER_SPEND_PERMISSION_END')
    const without = await granted(base, { perDayUsd: '5' })
    expect(await without.at(without.start, without.fund(1n))).toBe('OVER_FLOAT')
  })
})

describe('settle', () => {
  test('behavior: within perCall, at it, one unit over, and no more than there is', async () => {
    const it = await pursed()
    const { start } = it
    expect(await fundAt(it, start, usd('2') + 1n)).toBe('ok')
    expect(await settleAt(it, start + 1, one + 1n)).toBe('refused')
    expect(await settleAt(it, start + 2, one)).toBe('ok')
    expect(await settleAt(it, start + 3, one - 1n)).toBe('ok')
    expect(await settleAt(it, start + 4, 3n)).toBe('refused')
    expect(await settleAt(it, start + 5, 2n)).toBe('ok')
    expect(await settleAt(it, start + 6, 1n)).toBe('refused')
  })

  test('behavior: what was funded can be paid on any later day, whatever the day cap says', async () => {
    const it = await pursed({ perDayUsd: '3' })
    const { start, payees, blockAt, settle, pay, fund } = it
    expect(await fundAt(it, start + day - 1, usd('3'))).toBe('ok')
    const before = await kit.balanceOf(base, payees[0])
    const purse = () => [settle(one), settle(one), settle(one)]
    expect(await blockAt(start + day, ...purse(), fund(usd('3')), ...purse(), pay(1n))).toEqual([
      ...Array(7).fill('ok'),
      'refused',
    ])
    expect((await kit.balanceOf(base, payees[0])) - before).toBe(usd('6'))
  })

  test('error: another payee, another signer, a nonce again, outside of its validity', async () => {
    const it = await pursed()
    const { start, payees, agentKey, strangerKey, ownerKey, orchestratorKey } = it
    expect(await fundAt(it, start, usd('3'))).toBe('ok')
    expect(await settleAt(it, start + 1, 1n, { payee: payees[1] })).toBe('ok')
    expect(await settleAt(it, start + 2, 1n, { payee: stranger() })).toBe('refused')
    expect(await settleAt(it, start + 3, 1n, { payee: agentKey.address })).toBe('refused')
    expect(await settleAt(it, start + 4, 1n, { payee: hardcapGuard })).toBe('refused')
    for (const [n, signer] of [strangerKey, ownerKey, orchestratorKey].entries())
      expect(await settleAt(it, start + 5 + n, 1n, { signer })).toBe('refused')
    const nonce = Guard.reference(it.grant.grantId, 'once')
    expect(await settleAt(it, start + 10, 1n, { nonce })).toBe('ok')
    expect(await settleAt(it, start + 11, 1n, { nonce })).toBe('refused')
    expect(await settleAt(it, start + 20, 1n, { deadline: start + 20 })).toBe('refused')
    expect(await settleAt(it, start + 21, 1n, { deadline: start + 22 })).toBe('ok')
    expect(await settleAt(it, start + 23, 1n, { validAfter: start + 23 })).toBe('refused')
    expect(await settleAt(it, start + 24, 1n, { validAfter: start + 23 })).toBe('ok')
  })

  test('behavior: paused, resumed, revoked, ended: what is in it then only goes back', async () => {
    const it = await pursed()
    const { start, end, blockAt, asAccount, orchestratorKey, key, settle, strangerKey, wallet, permission } =
      it
    expect(await fundAt(it, start, usd('3'))).toBe('ok')
    const by = { account: asAccount, orchestrator: (call: Spm.Call) => ({ from: orchestratorKey, call }) }
    let time = start
    for (const who of [by.account, by.orchestrator]) {
      time += 10
      expect(await blockAt(time, who(Guard.preparePause(key)), settle(1n))).toEqual(['ok', 'refused'])
      expect(await fundAt(it, time + 1, usd('3') - 1n)).toBe('PAUSED_BY')
      expect(await blockAt(time + 2, who(Guard.prepareResume(key)), settle(1n))).toEqual(['ok', 'ok'])
    }
    const sweep = { from: strangerKey, call: Purse.prepareSweep({ permission }) }
    expect(await blockAt(end - 1, sweep, settle(1n))).toEqual(['refused', 'ok'])
    expect(await settleAt(it, end, 1n)).toBe('refused')
    const before = await kit.balanceOf(base, wallet.address)
    expect(await blockAt(end + 1, sweep)).toEqual(['ok'])
    expect((await kit.balanceOf(base, wallet.address)) - before).toBe(usd('3') - 3n)
  })

  for (const by of ['account', 'orchestrator', 'agent'] as const) {
    test(`error: revoked by the ${by}, in the same block`, async () => {
      const it = await pursed()
      const { start, blockAt, asAccount, permission, settle, strangerKey, wallet } = it
      expect(await fundAt(it, start, usd('3'))).toBe('ok')
      const call = Guard.prepareRevoke({ permission })
      const revoke = by === 'account' ? asAccount(call) : { from: it[`${by}Key`], call }
      expect(await blockAt(start + 1, settle(1n), revoke, settle(1n))).toEqual(['ok', 'ok', 'refused'])
      expect(await fundAt(it, start + 2, usd('3'))).toBe('REVOKED_BY')
      const sweep = { from: strangerKey, call: Purse.prepareSweep({ permission }) }
      const before = await kit.balanceOf(base, wallet.address)
      expect(await blockAt(start + 3, sweep)).toEqual(['ok'])
      expect((await kit.balanceOf(base, wallet.address)) - before).toBe(usd('3') - 1n)
    })
  }

  test('behavior: after a replacement the purse listens to the new one, once that has funded it', async () => {
    const it = await pursed()
    const { start, permission, sibling, sign, strangerKey, at } = it
    expect(await fundAt(it, start, usd('2'))).toBe('ok')
    const renewed = await sibling({ perCallUsd: '0.5' }, Permission.hash(permission))
    const call = Guard.prepareReplace({ from: permission, to: renewed, signature: await sign(renewed) })
    expect(await at(start + 1, Promise.resolve({ from: strangerKey, call }))).toBe('ok')
    expect(await settleAt(it, start + 2, 1n)).toBe('refused')
    expect(await settleAt(it, start + 3, 1n, { permission: renewed })).toBe('refused')
    expect(await at(start + 4, it.fund(usd('3'), { permission: renewed }))).toBe('ok')
    expect(await settleAt(it, start + 5, usd('0.5') + 1n, { permission: renewed })).toBe('refused')
    expect(await settleAt(it, start + 6, usd('0.5'), { permission: renewed })).toBe('ok')
    expect(await settleAt(it, start + 7, 1n)).toBe('refused')
  })

  test("error: a sibling's purse is the grant's, another agent's is not", async () => {
    const it = await pursed()
    const { start, sibling, strangerKey } = it
    const twin = await sibling({ perDayUsd: '4' })
    const foreign = await sibling({ agent: strangerKey.address })
    expect(Purse.address(twin)).toBe(Purse.address(it.permission))
    expect(Purse.address(foreign)).not.toBe(Purse.address(it.permission))
    expect(await fundAt(it, start, usd('3'))).toBe('ok')
    expect(await settleAt(it, start + 1, 1n, { permission: twin })).toBe('refused')
    expect(await it.at(start + 2, it.fund(usd('3'), { permission: foreign }))).toBe('WRONG_AGENT')
  })
})
