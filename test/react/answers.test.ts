import { QueryClient } from '@tanstack/react-query'
import { describe, expect, test } from 'vitest'
import * as Grant from '../../src/Grant.js'
import * as Permission from '../../src/Permission.js'
import { createApi } from '../../src/react/Api.js'
import { grantQuery, requestQuery } from '../../src/react/queries.js'
import * as Show from '../../src/server/Show.js'

// What is asked for by an id has to be what comes back.

const grant = Grant.define({
  owner: '0x1111111111111111111111111111111111111111',
  agent: '0x2222222222222222222222222222222222222222',
  allow: [{ host: 'api.example.com', payTo: '0x3333333333333333333333333333333333333333' }],
  perDayUsd: '2',
  expiresAt: '2090-12-31',
})
const permission = Permission.fromGrant(grant)
const terms = {
  grant: Show.grant(grant),
  permission: Show.permission(permission),
  typedData: Show.typedData(permission),
}
const id = `0x${'ab'.repeat(16)}`
const request = { ...terms, id, names: [], note: null, warnings: [], status: 'open', expiresAt: 4e9 }
const answering = (answer: unknown) => createApi({ fetch: async () => Response.json(answer) })
const client = () => new QueryClient()

describe('grantQuery', () => {
  test('default', async () => {
    const shown = await client().fetchQuery(grantQuery(answering(terms), grant.grantId))
    expect(shown).toMatchObject({ grant: { grantId: grant.grantId }, differences: [] })
  })

  test('error: another grant than the one of the page', async () => {
    const other = `0x${'12'.repeat(32)}`
    await expect(client().fetchQuery(grantQuery(answering(terms), other))).rejects.toMatchObject({
      code: 'SERVER_ANSWER',
      message: expect.stringContaining(other),
    })
  })
})

describe('requestQuery', () => {
  test('default', async () => {
    const shown = await client().fetchQuery(requestQuery(answering(request), id))
    expect(shown).toMatchObject({ id, differences: [] })
  })

  test.each([
    ['a name', { names: [{ address: grant.agent, name: 'Example\u202e dtL' }] }],
    ['an address of a name', { names: [{ address: null, name: 'Example Ltd' }] }],
    ['a note', { note: 'For\u2066 the report' }],
    ['a note of another kind', { note: { text: 'For the report' } }],
    ['a warning', { warnings: [{ code: 'A', message: 'nothing\u200b' }] }],
  ])('error: %s that people would not see as it is', async (_, changes) => {
    const api = answering({ ...request, ...changes })
    await expect(client().fetchQuery(requestQuery(api, id))).rejects.toMatchObject({ name: 'InputError' })
  })

  test('behavior: names and notes in any script are shown', async () => {
    const typed = {
      names: [{ address: grant.agent, name: 'شركة 株式会社 Łódź 🚀' }],
      note: 'Für den Bericht: №7',
    }
    expect(await client().fetchQuery(requestQuery(answering({ ...request, ...typed }), id))).toMatchObject(
      typed,
    )
  })

  test('error: another request than the one of the link', async () => {
    const other = `0x${'cd'.repeat(16)}`
    await expect(client().fetchQuery(requestQuery(answering(request), other))).rejects.toMatchObject({
      code: 'SERVER_ANSWER',
    })
  })
})
