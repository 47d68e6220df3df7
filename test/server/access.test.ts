/** Tries to see and to do what is not for the one who asks. */
import { expect, test } from 'vitest'
import { useBase } from '../base.js'
import * as kit from './kit.js'
import { twoOwners } from './owners.js'

const base = await useBase()
kit.endAfterEach()

const gets = ['', '/receipts', '/spending', '/events', '/increases']

test("error: another owner's grant is as one that is not there", async () => {
  const { server, path, stranger } = await twoOwners(base)
  const nowhere = `/v1/grants/0x${'0'.repeat(64)}`
  for (const rest of gets) {
    const answer = await kit.ask(server, `${path}${rest}`, { headers: stranger.headers })
    expect(answer).toMatchObject({ status: 404, body: { error: { code: 'NOT_FOUND' } } })
    const absent = await kit.ask(server, `${nowhere}${rest}`, { headers: stranger.headers })
    expect(answer.body).toEqual(absent.body)
  }
  const calls = { body: { action: 'pause' }, headers: stranger.headers }
  expect((await kit.ask(server, `${path}/calls`, calls)).status).toBe(404)
  const { grants } = (await kit.ask(server, '/v1/grants', { headers: stranger.headers })).body
  expect(JSON.stringify(grants)).not.toContain(path.split('/').at(-1))
})

test('error: nobody sees anything', async () => {
  const { server, path } = await twoOwners(base)
  for (const rest of ['/v1/grants', ...gets.map((rest) => `${path}${rest}`), '/v1/auth/session'])
    expect((await kit.ask(server, rest)).status).toBe(401)
})

test('error: a key sees the grants that it names, and no others', async () => {
  const { server, key, own, path, otherPath } = await twoOwners(base)
  const headers = { authorization: key.authorization }
  for (const rest of gets.filter((rest) => rest !== '/events')) {
    expect((await kit.ask(server, `${path}${rest}`, { headers })).status).toBe(200)
    expect((await kit.ask(server, `${otherPath}${rest}`, { headers })).status).toBe(404)
  }
  expect((await kit.ask(server, `${otherPath}/events`, { headers })).status).toBe(404)
  const { grants } = (await kit.ask(server, '/v1/grants', { headers })).body
  expect(grants.map(({ grant }: { grant: { grantId: string } }) => grant.grantId)).toEqual([
    own.grant.grantId,
  ])
  const increase = { cap: 'perDay', to: '7000000', reason: 'More.' }
  expect((await kit.ask(server, `${otherPath}/increases`, { body: increase, headers })).status).toBe(404)
})

test('error: a verb that a key lacks', async () => {
  const { server, path, own } = await twoOwners(base)
  const grants = [own.grant.grantId]
  const asker = await kit.key(server, { verbs: ['request'], grants })
  const reader = await kit.key(server, { verbs: ['read'], grants })
  const refused = { status: 403, body: { error: { code: 'SCOPE_MISSING' } } }
  const increase = { cap: 'perDay', to: '7000000', reason: 'More.' }
  const grant = kit.terms(own.wallet.address, kit.freshAddress(), kit.freshAddress())
  const as = ({ authorization }: { authorization: string }) => ({ headers: { authorization } })
  expect(await kit.ask(server, '/v1/grants', as(asker))).toMatchObject(refused)
  for (const rest of gets) expect(await kit.ask(server, `${path}${rest}`, as(asker))).toMatchObject(refused)
  const body = { body: increase, ...as(reader) }
  expect(await kit.ask(server, `${path}/increases`, body)).toMatchObject(refused)
  expect(await kit.ask(server, '/v1/requests', { body: { grant }, ...as(reader) })).toMatchObject(refused)
})

test('error: no key decides for an owner, and raises nothing', async () => {
  const { server, path, own } = await twoOwners(base)
  const { authorization } = await kit.key(server)
  const headers = { authorization }
  const increase = { cap: 'perDay', to: '7000000', reason: 'More.' }
  const { body: shown } = await kit.ask(server, `${path}/increases`, { body: increase, headers })
  const signature = await kit.sign(own.wallet, shown)
  for (const [rest, body] of [
    ['approval', { signature }],
    ['decline', {}],
  ] as const)
    expect(await kit.ask(server, `/v1/increases/${shown.id}/${rest}`, { body, headers })).toMatchObject({
      status: 403,
      body: { error: { code: 'OWNER_ONLY' } },
    })
  const { grant } = (await kit.ask(server, path, { headers })).body
  expect(grant.perDay).toBe('5000000')
})

test("error: another owner decides an increase, with the owner's own signature", async () => {
  const { server, path, own, stranger, key } = await twoOwners(base)
  const headers = { authorization: key.authorization }
  const increase = { cap: 'perDay', to: '7000000', reason: 'More.' }
  const { body: shown } = await kit.ask(server, `${path}/increases`, { body: increase, headers })
  const body = { signature: await kit.sign(own.wallet, shown) }
  const decision = `/v1/increases/${shown.id}`
  expect((await kit.ask(server, `${decision}/approval`, { body, headers: stranger.headers })).status).toBe(
    404,
  )
  expect((await kit.ask(server, `${decision}/decline`, { body: {}, headers: stranger.headers })).status).toBe(
    404,
  )
})

test('error: the signature of a request is not for another key, nor for whoever has the link', async () => {
  const { server, own } = await twoOwners(base)
  const asker = await kit.key(server)
  const grant = kit.terms(own.wallet.address, kit.freshAddress(), kit.freshAddress())
  const headers = { authorization: asker.authorization }
  const { id } = (await kit.ask(server, '/v1/requests', { body: { grant }, headers })).body
  const signature = await kit.sign(own.wallet, (await kit.ask(server, `/v1/requests/${id}`)).body)
  await kit.ask(server, `/v1/requests/${id}/approval`, { body: { signature } })
  const { authorization } = await kit.key(server)
  const seen = async (headers: Record<string, string>) =>
    (await kit.ask(server, `/v1/requests/${id}`, { headers })).body
  expect(await seen({})).not.toHaveProperty('signature')
  expect(await seen({ authorization })).not.toHaveProperty('signature')
  expect(await seen(headers)).toHaveProperty('signature')
})
