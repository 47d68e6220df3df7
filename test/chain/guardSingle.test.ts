// What limits one payment, or one funding, by itself, in every situation: the table is in docs/testing.md.
import { describe, expect, test } from 'vitest'
import * as Guard from '../../src/Guard.js'
import * as Permission from '../../src/Permission.js'
import { useBase } from '../base.js'
import { singleOf, singles } from './guardRows.js'
import { stranger } from './guardScene.js'
import * as kit from './kit.js'

const base = await useBase()
const { day, usd } = kit
const one = usd('1')
const two = usd('2')

describe.each(singles)('$cap, $way', (single) => {
  const { way, code } = single

  test('behavior: within it, at it, one unit over, and again, by the agent or relayed by a stranger', async () => {
    const { start, spend, agentKey: signer } = await singleOf(base, single)
    for (const [n, more] of [{}, { signer }].entries()) {
      const time = start + 20 * n
      expect(await spend(time + 2, two - 1n, more)).toBe('ok')
      expect(await spend(time + 4, two, more)).toBe('ok')
      expect(await spend(time + 6, two + 1n, more)).toBe(code)
      // It does not add up.
      expect(await spend(time + 8, two, more)).toBe('ok')
    }
  })

  test('behavior: boundary: the same on both sides of midnight', async () => {
    const { start, spend } = await singleOf(base, single)
    for (const time of [start + day - 1, start + day + 1]) expect(await spend(time, two)).toBe('ok')
    expect(await spend(start + day + 4, two + 1n)).toBe(code)
  })

  test('behavior: sibling and replacement have each their own', async () => {
    const { start, spend, lower, permission, sign, strangerKey, blockAt } = await singleOf(base, single)
    const twin = await lower()
    expect(await spend(start + 2, one + 1n, { permission: twin })).toBe(code)
    expect(await spend(start + 4, one, { permission: twin })).toBe('ok')
    expect(await spend(start + 6, two)).toBe('ok')
    const renewed = await lower(Permission.hash(permission))
    const call = Guard.prepareReplace({ from: permission, to: renewed, signature: await sign(renewed) })
    expect(await blockAt(start + 8, { from: strangerKey, call })).toEqual(['ok'])
    expect(await spend(start + 10, 1n)).toBe('UNAUTHORIZED_SPEND_PERMISSION')
    expect(await spend(start + 12, one + 1n, { permission: renewed })).toBe(code)
    expect(await spend(start + 14, one, { permission: renewed })).toBe('ok')
  })

  test('error: paused by account or orchestrator, before the start, expired', async () => {
    const it = await singleOf(base, single)
    const { start, end, spend, blockAt, asAccount, orchestratorKey, agentKey: signer, key } = it
    expect(await spend(start - 1, two)).toBe('BEFORE_SPEND_PERMISSION_START')
    const by = [asAccount, (call: Guard.Call) => ({ from: orchestratorKey, call })] as const
    for (const [n, as] of by.entries()) {
      const time = start + 10 + 10 * n
      expect(await blockAt(time, as(Guard.preparePause(key)))).toEqual(['ok'])
      expect(await spend(time + 2, two)).toBe('PAUSED_BY')
      expect(await spend(time + 4, two, { signer })).toBe('PAUSED_BY')
      expect(await blockAt(time + 5, as(Guard.prepareResume(key)))).toEqual(['ok'])
    }
    expect(await spend(end - 1, two)).toBe('ok')
    expect(await spend(end + 2, two)).toBe('AFTER_SPEND_PERMISSION_END')
    expect(await spend(end + 4, two, { signer })).toBe('AFTER_SPEND_PERMISSION_END')
  })

  test.each(['account', 'orchestrator', 'agent'] as const)('error: revoked by the %s', async (who) => {
    const it = await singleOf(base, single)
    const { start, spend, blockAt, asAccount, agentKey: signer, permission } = it
    expect(await spend(start, two)).toBe('ok')
    const call = Guard.prepareRevoke({ permission })
    const revoke = who === 'account' ? asAccount(call) : { from: it[`${who}Key`], call }
    expect(await blockAt(start + 1, revoke)).toEqual(['ok'])
    expect(await spend(start + 3, two)).toBe('REVOKED_BY')
    expect(await spend(start + day, 1n, { signer })).toBe('REVOKED_BY')
  })

  test('error: wrong payee, wrong task, no ticket or a wrong one, replayed, too late, by another', async () => {
    const it = await singleOf(base, single)
    const { start, spend, agentKey: signer, strangerKey, wrong, permission } = it
    expect(await spend(start, two, { number: 77n })).toBe('ok')
    const used = () => Guard.used(base.client, { permission })
    const { total } = await used()
    let time = start + 8
    const next = () => (time += 2)
    for (const [answer, say] of await wrong(start + 10)) {
      expect([say, await spend(next(), two, say)]).toEqual([say, answer])
      expect([say, await spend(next(), two, { ...say, signer })]).toEqual([say, answer])
    }
    for (const more of [{}, { signer }]) {
      if (way === 'pay') expect(await spend(next(), two, { payee: stranger(), ...more })).toBe('WRONG_PAYEE')
      expect(await spend(next(), two, { number: 77n, ...more })).toBe('NUMBER_USED')
      expect(await spend(next(), two, { deadline: time, ...more })).toBe('DEADLINE_PASSED')
      expect(await spend(next(), two + 1n, more)).toBe(code)
    }
    expect(await spend(next(), two, { signer: strangerKey })).toBe('INVALID_AGENT_SIGNATURE')
    expect(await used()).toMatchObject({ total })
    expect(await spend(next(), two, { deadline: time + 1 })).toBe('ok')
    expect(await used()).toMatchObject({ total: total === null ? null : total + two })
  })
})
