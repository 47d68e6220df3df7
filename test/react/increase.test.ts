import { describe, expect, test } from 'vitest'
import * as Coverage from '../../src/Coverage.js'
import { InputError } from '../../src/errors.js'
import * as Grant from '../../src/Grant.js'
import * as Permission from '../../src/Permission.js'
import * as Shown from '../../src/react/Shown.js'
import type * as Schema from '../../src/server/Schema.js'
import * as Show from '../../src/server/Show.js'

// What a server says of an increase, and what the owner would sign.

const thief = '0x9999999999999999999999999999999999999999'
const params = {
  owner: '0x1111111111111111111111111111111111111111',
  agent: '0x2222222222222222222222222222222222222222',
  allow: [{ host: 'api.example.com', payTo: '0x3333333333333333333333333333333333333333' }],
  perCallUsd: '0.05',
  perDayUsd: '2',
  totalUsd: '25',
  expiresAt: '2090-12-31',
} as const

function scene(rail: 'guard' | 'direct' = 'guard') {
  const grant = Grant.define({ ...params, rail })
  const permission = Permission.fromGrant(grant)
  const current = { grant, permission, coverage: Coverage.of(grant), differences: [] }
  /** As a server answers: terms with these changes, said to raise `cap`. */
  function answer(
    cap: string,
    changes: Partial<Grant.Grant>,
    said: { from?: string; to?: string; reason?: string } = {},
  ) {
    const after = { ...grant, ...changes }
    const replaces = rail === 'direct' ? undefined : Permission.hash(permission)
    const renewed = Permission.fromGrant(after, { replaces })
    return {
      cap,
      from: said.from ?? String(grant[cap as 'perDay']),
      to: said.to ?? String(after[cap as 'perDay']),
      reason: said.reason ?? 'More.',
      grant: Show.grant(after),
      permission: Show.permission(renewed),
      typedData: Show.typedData(renewed),
    } as unknown as Schema.IncreaseShown
  }
  const differences = (...asked: Parameters<typeof answer>) =>
    Shown.increase(answer(...asked), current as unknown as Shown.ShownGrant).differences
  return { grant, differences }
}

describe('increase', () => {
  test('default', () => {
    expect(scene().differences('perDay', { perDay: 5_000_000n })).toEqual([])
  })

  test.each([
    ['another agent, as if it were a cap', 'agent', { agent: thief }],
    ['another end', 'expiresAt', { expiresAt: 4_000_000_000 }],
    ['less than so far', 'perDay', { perDay: 1_000_000n }],
    ['no limit at all', 'perDay', { perDay: null }],
  ] as const)('behavior: %s is a difference', (_, cap, changes) => {
    expect(scene().differences(cap, changes)).not.toEqual([])
  })

  test('behavior: a start that it does not have is a difference', () => {
    const differences = scene().differences('perDay', { perDay: 5_000_000n }, { from: '4900000' })
    expect(differences).toMatchObject([{ field: 'perDay so far', shown: '4900000', signed: '2000000' }])
  })

  test('error: a reason that turns what is around it', () => {
    const read = () => scene().differences('perDay', { perDay: 5_000_000n }, { reason: 'More\u202e.' })
    expect(read).toThrow(InputError)
  })

  test('behavior: on the direct rail it would stand beside the first, which is a difference', () => {
    const differences = scene('direct').differences('perDay', { perDay: 5_000_000n })
    expect(differences).toMatchObject([{ field: 'rail' }])
  })
})
