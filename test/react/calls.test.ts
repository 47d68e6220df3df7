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

describe('prepare', () => {
  test('default', () => {
    const key = GuardCall.key(permission)
    expect(Calls.prepare('pause', { grant, permission })).toEqual([GuardCall.preparePause(key)])
    expect(Calls.prepare('resume', { grant, permission })).toEqual([GuardCall.prepareResume(key)])
    expect(Calls.prepare('revoke', { grant, permission })).toEqual([GuardCall.prepareRevoke({ permission })])
    expect(Calls.prepare('approve', { grant, permission })).toEqual([SpmCall.prepareApprove({ permission })])
  })

  test('behavior: what acts is the permission, whatever somebody says that its grant is', () => {
    const said = { ...grant, owner: thief, grantId: `0x${'99'.repeat(32)}` } as const
    for (const verb of ['pause', 'resume', 'revoke', 'enable'] as const)
      expect(Calls.prepare(verb, { grant: said, permission })).toEqual(
        Calls.prepare(verb, { grant, permission }),
      )
  })

  test('error: on the direct rail nothing knows a pause', () => {
    const direct = Grant.define({ ...params, rail: 'direct' })
    const terms = { grant: direct, permission: Permission.fromGrant(direct) }
    expect(() => Calls.prepare('pause', terms)).toThrow('direct rail')
    expect(Calls.prepare('revoke', terms)).toEqual([SpmCall.prepareRevoke(terms)])
  })
})
