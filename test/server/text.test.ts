/** What people and backends type, for an owner to read. */
import { expect, test } from 'vitest'
import { useBase } from '../base.js'
import * as kit from './kit.js'

const base = await useBase()
kit.endAfterEach()

test('default', async () => {
  const server = await kit.start(base)
  const { authorization } = await kit.key(server)
  const payee = kit.freshAddress()
  const grant = { ...kit.terms(kit.freshAddress(), kit.freshAddress(), payee), id: 'Forschung №7' }
  const typed = { names: [{ address: payee, name: 'شركة 株式会社 Łódź 🚀' }], note: 'Für den Bericht.' }
  const made = await kit.ask(server, '/v1/requests', {
    body: { grant, ...typed },
    headers: { authorization },
  })
  expect(made.status).toBe(201)
  expect((await kit.ask(server, `/v1/requests/${made.body.id}`)).body).toMatchObject(typed)
})

test.each([
  ['an override', '\u202e'],
  ['an isolate', '\u2067'],
  ['a mark', '\u200f'],
  ['no width', '\u200b'],
  ['a joiner', '\u200d'],
  ['a byte order mark', '\ufeff'],
  ['a line break', '\n'],
  ['a line separator', '\u2028'],
  ['NUL', '\0'],
  ['a bell', '\u0007'],
  ['half a character', '\ud800'],
  ['a letter that stands for none', '\u3164'],
])('error: %s in a name, a note, a reason or the name of a grant', async (_, one) => {
  const server = await kit.start(base)
  const { authorization } = await kit.key(server)
  const headers = { authorization }
  const payee = kit.freshAddress()
  const grant = kit.terms(kit.freshAddress(), kit.freshAddress(), payee)
  const text = `Example${one} Ltd`
  for (const body of [
    { grant, names: [{ address: payee, name: text }] },
    { grant, note: text },
    { grant: { ...grant, id: text } },
  ])
    expect(await kit.ask(server, '/v1/requests', { body, headers })).toMatchObject({
      status: 400,
      body: { error: { code: 'INVALID_INPUT' } },
    })
  const own = await kit.grant(base, server)
  const body = { cap: 'perDay', to: '7000000', reason: text }
  expect(await kit.ask(server, `/v1/grants/${own.grant.grantId}/increases`, { body, headers })).toMatchObject(
    {
      status: 400,
      body: { error: { code: 'INVALID_INPUT' } },
    },
  )
})
