import { describe, expect, test } from 'vitest'
import * as Grant from '../../src/Grant.js'
import * as GuardCall from '../../src/GuardCall.js'
import * as Permission from '../../src/Permission.js'
import * as Calls from '../../src/react/Calls.js'
import * as SpmCall from '../../src/SpmCall.js'

const thief = '0x9999999999999999999999999999999999999999'
const params = {
  owner: '0x1111111111111111111111111111111111111111',
  agent: '0x2222222222222222222222222222222222222222',
  allow: [{ host: 'api.example.com', payTo: '0x3333333333333333333333333333333333333333' }],
  perDayUsd: '2',
} as const
const grant = Grant.define(params)
const permission = Permission.fromGrant(grant)
const direct = { permission: Permission.fromGrant(Grant.define({ ...params, rail: 'direct' })) }

describe('prepare', () => {
  test('default', () => {
    const key = GuardCall.key(permission)
    expect(Calls.prepare('pause', { permission })).toEqual([GuardCall.preparePause(key)])
    expect(Calls.prepare('resume', { permission })).toEqual([GuardCall.prepareResume(key)])
    expect(Calls.prepare('revoke', { permission })).toEqual([GuardCall.prepareRevoke({ permission })])
    expect(Calls.prepare('approve', { permission })).toEqual([SpmCall.prepareApprove({ permission })])
  })

  test('behavior: what acts is the permission, whatever somebody says that its grant is', () => {
    for (const [real, said, revoke] of [
      [direct, { ...grant, rail: 'guard' }, SpmCall.prepareRevoke(direct)],
      [{ permission }, { ...grant, rail: 'direct' }, GuardCall.prepareRevoke({ permission })],
    ] as const) {
      const terms = { ...real, grant: said }
      expect(Calls.prepare('revoke', terms)).toEqual([revoke])
    }
  })

  test.each([
    ['without a policy', { extraData: '0x' }],
    ['with one that nobody can read', { extraData: '0x00' }],
    ['with another spender', { spender: thief }],
  ] as const)('args: one %s is none of the guard, which would refuse to revoke it', (_, changes) => {
    const other = { permission: { ...permission, ...changes } }
    expect(Calls.prepare('revoke', other)).toEqual([SpmCall.prepareRevoke(other)])
    expect(() => Calls.prepare('pause', other)).toThrow('direct rail')
  })

  test('error: on the direct rail nothing knows a pause', () => {
    for (const verb of ['pause', 'resume'] as const)
      expect(() => Calls.prepare(verb, direct)).toThrow('direct rail')
    expect(Calls.prepare('revoke', direct)).toEqual([SpmCall.prepareRevoke(direct)])
  })
})
