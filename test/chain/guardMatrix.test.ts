// Every cap that the guard meters, by payments and by fundings, in every situation: the table is in docs/testing.md.
import { describe, expect, test } from 'vitest'
import * as Guard from '../../src/Guard.js'
import * as Permission from '../../src/Permission.js'
import { useBase } from '../base.js'
import { rows, sceneOf } from './guardRows.js'
import { stranger } from './guardScene.js'
import * as kit from './kit.js'

const base = await useBase()
const { day, usd } = kit
const one = usd('1')

const cells = rows.flatMap((row) => (['pay', 'fund'] as const).map((way) => ({ ...row, row, way })))

describe.each(cells)('$cap, $way', ({ row, way, code, renews }) => {
  test('behavior: within it, at it, one unit over, by the agent or relayed by a stranger', async () => {
    const { start, spend, agentKey: signer } = await sceneOf(base, row, way)
    expect(await spend(start, one)).toBe('ok')
    expect(await spend(start + 1, one, { signer })).toBe('ok')
    expect(await spend(start + 2, one - 1n)).toBe('ok')
    expect(await spend(start + 3, 2n)).toBe(code)
    expect(await spend(start + 4, 2n, { signer })).toBe(code)
    expect(await spend(start + 5, 1n, { signer })).toBe('ok')
    expect(await spend(start + 6, 1n)).toBe(code)
    expect(await spend(start + 7, 1n, { signer })).toBe(code)
  })

  test('behavior: boundary: when there is more, to the second, or never', async () => {
    const { start, end, spend } = await sceneOf(base, row, way)
    expect(await spend(start + 1, usd('3'))).toBe('ok')
    if (renews === undefined) {
      for (const time of [start + 4_800, start + day - 1, start + day, start + 3 * day, end - 1])
        expect(await spend(time, 1n)).toBe(code)
      return
    }
    expect(await spend(start + renews - 1, 1n)).toBe(code)
    expect(await spend(start + renews, usd('3'))).toBe('ok')
    expect(await spend(start + renews + 1, 1n)).toBe(code)
  })

  test('behavior: sibling and replacement share what was spent, each with a limit of its own', async () => {
    const { start, spend, sibling, raised, permission, sign, strangerKey, blockAt } = await sceneOf(
      base,
      row,
      way,
    )
    const twin = await sibling()
    expect(await spend(start, usd('2'))).toBe('ok')
    expect(await spend(start + 1, one - 1n, { permission: twin })).toBe('ok')
    expect(await spend(start + 2, 2n)).toBe(code)
    expect(await spend(start + 3, 2n, { permission: twin })).toBe(code)

    const renewed = await raised(Permission.hash(permission))
    const call = Guard.prepareReplace({ from: permission, to: renewed, signature: await sign(renewed) })
    expect(await blockAt(start + 4, { from: strangerKey, call })).toEqual(['ok'])
    expect(await spend(start + 5, 1n)).toBe('UNAUTHORIZED_SPEND_PERMISSION')
    expect(await spend(start + 6, usd('0.5') + 2n, { permission: renewed })).toBe(code)
    expect(await spend(start + 7, usd('0.5') + 1n, { permission: renewed })).toBe('ok')
    expect(await spend(start + 8, 1n, { permission: renewed })).toBe(code)
    expect(await spend(start + 9, 1n, { permission: twin })).toBe(code)
  })

  test('error: paused by account or orchestrator, and expired: nothing is counted', async () => {
    const it = await sceneOf(base, row, way)
    const { start, end, spend, blockAt, asAccount, orchestratorKey, agentKey: signer, key } = it
    expect(await spend(start, usd('2'))).toBe('ok')
    const by = [asAccount, (call: Guard.Call) => ({ from: orchestratorKey, call })] as const
    for (const [n, as] of by.entries()) {
      const time = start + 10 + 10 * n
      expect(await blockAt(time, as(Guard.preparePause(key)))).toEqual(['ok'])
      expect(await spend(time + 1, 1n)).toBe('PAUSED_BY')
      expect(await spend(time + 2, 1n, { signer })).toBe('PAUSED_BY')
      expect(await blockAt(time + 3, as(Guard.prepareResume(key)))).toEqual(['ok'])
    }
    expect(await spend(start + 40, one + 1n)).toBe(code)
    expect(await spend(start + 41, one - 1n)).toBe('ok')
    expect(await spend(end, 1n)).toBe('AFTER_SPEND_PERMISSION_END')
    expect(await spend(end + 1, 1n, { signer })).toBe('AFTER_SPEND_PERMISSION_END')
  })

  test.each(['account', 'orchestrator', 'agent'] as const)('error: revoked by the %s', async (who) => {
    const it = await sceneOf(base, row, way)
    const { start, spend, blockAt, asAccount, agentKey: signer, permission, sibling } = it
    const twin = await sibling()
    expect(await spend(start, one)).toBe('ok')
    const call = Guard.prepareRevoke({ permission })
    const revoke = who === 'account' ? asAccount(call) : { from: it[`${who}Key`], call }
    expect(await blockAt(start + 1, revoke)).toEqual(['ok'])
    expect(await spend(start + 2, 1n)).toBe('REVOKED_BY')
    expect(await spend(start + 3, 1n, { signer })).toBe('REVOKED_BY')
    expect(await spend(start + day, 1n, { permission: twin })).toBe('REVOKED_BY')
  })

  test('error: wrong payee, wrong task, no ticket or a wrong one, replayed, too late, by another: nothing is counted', async () => {
    const it = await sceneOf(base, row, way)
    const { start, spend, agentKey: signer, strangerKey, wrong } = it
    expect(await spend(start, usd('2'), { number: 77n })).toBe('ok')
    let time = start + 10
    for (const [answer, say] of await wrong(start + 10)) {
      expect([say, await spend(time++, 1n, say)]).toEqual([say, answer])
      expect([say, await spend(time++, 1n, { ...say, signer })]).toEqual([say, answer])
    }
    for (const more of [{}, { signer }]) {
      if (way === 'pay') expect(await spend(time++, 1n, { payee: stranger(), ...more })).toBe('WRONG_PAYEE')
      expect(await spend(time++, 1n, { number: 77n, ...more })).toBe('NUMBER_USED')
      expect(await spend(time, 1n, { deadline: time++, ...more })).toBe('DEADLINE_PASSED')
    }
    expect(await spend(time++, 1n, { signer: strangerKey })).toBe('INVALID_AGENT_SIGNATURE')
    expect(await spend(time++, one + 1n)).toBe(code)
    expect(await spend(time++, one, { deadline: time })).toBe('ok')
    expect(await spend(time++, 1n)).toBe(code)
  })
})
