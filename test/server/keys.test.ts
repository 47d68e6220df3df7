/** Tries to get in with keys that are none. */
import { expect, test } from 'vitest'
import { useBase } from '../base.js'
import * as kit from './kit.js'
import { twoOwners } from './owners.js'

const base = await useBase()
kit.endAfterEach()

test.each([
  ['no key', ''],
  ['another scheme', 'Basic aGM6aGM='],
  ['an id without a secret', 'Bearer hc_0123456789abcdef_'],
  ['a secret that is not the one', `Bearer hc_0123456789abcdef_${'a'.repeat(43)}`],
  ['SQL', `Bearer hc_' or '1'='1_${'a'.repeat(43)}`],
  ['a long one', `Bearer hc_0123456789abcdef_${'a'.repeat(5_000)}`],
])('error: %s', async (_, authorization) => {
  const server = await kit.start(base)
  expect((await kit.ask(server, '/v1/grants', { headers: { authorization } })).status).toBe(401)
})

test('error: the id of one key with the secret of another', async () => {
  const server = await kit.start(base)
  const [a, b] = [await kit.key(server), await kit.key(server)]
  const mixed = `Bearer hc_${a.id}_${b.authorization.slice(-43)}`
  expect((await kit.ask(server, '/v1/grants', { headers: { authorization: mixed } })).status).toBe(401)
})

test('error: a bad key is not helped by a good cookie', async () => {
  const { server, owner } = await twoOwners(base)
  const headers = { ...owner.headers, authorization: 'Bearer hc_0123456789abcdef_x' }
  expect((await kit.ask(server, '/v1/grants', { headers })).status).toBe(401)
})

test('error: revoked', async () => {
  const { Key } = await import('../../src/server/index.js')
  const server = await kit.start(base)
  const { authorization, id } = await kit.key(server)
  const ask = async () => (await kit.ask(server, '/v1/grants', { headers: { authorization } })).status
  expect(await ask()).toBe(200)
  await Key.revoke(server.records, id, 1)
  expect(await ask()).toBe(401)
})

test('error: too often', async () => {
  const server = await kit.start(base, { limits: { perKey: 2 } })
  const { authorization } = await kit.key(server)
  const ask = async () => (await kit.ask(server, '/v1/grants', { headers: { authorization } })).status
  expect([await ask(), await ask(), await ask()]).toEqual([200, 200, 429])
})
