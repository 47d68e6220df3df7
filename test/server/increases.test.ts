import { expect, test } from 'vitest'
import { Grant, Permission } from '../../src/index.js'
import type { Approved } from '../../src/server/index.js'
import { useBase } from '../base.js'
import * as kit from './kit.js'

const base = await useBase()
kit.endAfterEach()

async function running(options: Parameters<typeof kit.start>[1] = {}, terms = {}) {
  const server = await kit.start(base, options)
  const account = await kit.grant(base, server, terms)
  const owner = await kit.signIn(server, account.wallet)
  const key = await kit.key(server, { verbs: ['increase'], grants: [account.grant.grantId] })
  const path = `/v1/grants/${account.grant.grantId}/increases`
  const ask = (body: unknown) =>
    kit.ask(server, path, { body, headers: { authorization: key.authorization } })
  return { server, account, owner, key, path, ask }
}
const more = { cap: 'perDay', to: '7000000', reason: 'The report is longer than we thought.' }

test('default', async () => {
  const told: Approved[] = []
  const { server, account, owner, path, ask } = await running({ onApproved: (one) => told.push(one) })
  const { budget, grant, wallet } = account
  await budget.spend(kit.order(account)('a', '5'))
  const created = await ask(more)
  expect(created).toMatchObject({ status: 201, body: { status: 'open', from: '5000000', to: '7000000' } })
  const { body } = await kit.ask(server, path, { headers: owner.headers })
  const [shown] = body.increases
  expect(shown).toMatchObject({
    ...more,
    id: created.body.id,
    grant: { perDay: '7000000', grantId: grant.grantId },
  })
  expect(shown.coverageBefore.worst.utcDay).toBe('5000000')
  expect(shown.coverageAfter.worst.utcDay).toBe('7000000')

  const signature = await kit.sign(wallet, shown)
  const approve = () =>
    kit.ask(server, `/v1/increases/${shown.id}/approval`, { body: { signature }, headers: owner.headers })
  expect(await approve()).toMatchObject({ status: 200, body: { status: 'approved' } })
  expect(await approve()).toMatchObject({ status: 200 })
  expect(told).toHaveLength(1)
  // What the backend does with it: what was spent stays spent.
  const [consent] = told
  if (!consent?.signature) throw new Error('Nobody was told.')
  await budget.replace({ grant: consent.grant, permission: consent.permission, signature: consent.signature })
  await budget.spend(kit.order(account)('b', '2'))
  expect(await budget.verify()).toMatchObject({ equal: true })
  expect(server.errors).toEqual([])
})

test('behavior: the signature is for keys that may ask for increases', async () => {
  const { server, account, owner, path, ask } = await running()
  const { body: shown } = await ask(more)
  const signature = await kit.sign(account.wallet, shown)
  await kit.ask(server, `/v1/increases/${shown.id}/approval`, { body: { signature }, headers: owner.headers })
  const seenBy = async (verbs: ('read' | 'increase')[]) => {
    const { authorization } = await kit.key(server, { verbs })
    return (await kit.ask(server, path, { headers: { authorization } })).body.increases[0]
  }
  expect(await seenBy(['increase'])).toMatchObject({ status: 'approved', signature })
  expect(await seenBy(['read'])).not.toHaveProperty('signature')
})

test('behavior: the new permission takes the place of the one in the books', async () => {
  const { account, ask } = await running()
  const { body } = await ask(more)
  const grant = Grant.parse(JSON.stringify(body.grant))
  const replaces = Permission.hash(account.permission)
  expect(Permission.parse(JSON.stringify(body.permission))).toEqual(Permission.fromGrant(grant, { replaces }))
})

test('error: an increase for terms that were replaced since', async () => {
  const { server, account, owner, ask } = await running()
  const { wallet, budget } = account
  const [first, second] = [(await ask(more)).body, (await ask({ ...more, to: '8000000' })).body]
  const grant = Grant.parse(JSON.stringify(first.grant))
  const permission = Permission.parse(JSON.stringify(first.permission))
  await budget.replace({ grant, permission, signature: await kit.sign(wallet, first) })
  const signature = await kit.sign(wallet, second)
  const answer = await kit.ask(server, `/v1/increases/${second.id}/approval`, {
    body: { signature },
    headers: owner.headers,
  })
  expect(answer).toMatchObject({ status: 409, body: { error: { code: 'STALE' } } })
})

test('error: declined is final', async () => {
  const { server, account, owner, ask } = await running()
  const { body: shown } = await ask(more)
  const path = `/v1/increases/${shown.id}`
  const decline = await kit.ask(server, `${path}/decline`, { method: 'POST', headers: owner.headers })
  expect(decline.body).toEqual({ id: shown.id, status: 'declined' })
  const signature = await kit.sign(account.wallet, shown)
  const answer = await kit.ask(server, `${path}/approval`, { body: { signature }, headers: owner.headers })
  expect(answer).toMatchObject({ status: 409, body: { error: { code: 'DECIDED' } } })
})

test('error: what is no increase', async () => {
  const { ask } = await running()
  const code = async (change: object) => {
    const { status, body } = await ask({ ...more, ...change })
    return [status, body.error?.code]
  }
  expect(await code({ to: '5000000' })).toEqual([409, 'NO_INCREASE'])
  expect(await code({ to: '1' })).toEqual([409, 'NO_INCREASE'])
  expect(await code({ cap: 'perWindow' })).toEqual([409, 'NO_INCREASE'])
  expect(await code({ to: '0' })).toEqual([400, 'INVALID_INPUT'])
  expect(await code({ to: '-1' })).toEqual([400, 'INVALID_INPUT'])
  expect(await code({ to: '1e9' })).toEqual([400, 'INVALID_INPUT'])
  expect(await code({ to: '9'.repeat(49) })).toMatchObject([400, expect.any(String)])
  expect(await code({ cap: 'owner' })).toEqual([400, 'INVALID_INPUT'])
  expect(await code({ agent: kit.freshAddress() })).toEqual([400, 'INVALID_INPUT'])
})

test('error: too many at once', async () => {
  const { ask } = await running({ limits: { openIncreases: 2 } })
  const statuses = (await Promise.all([1, 2, 3].map(() => ask(more)))).map(({ status }) => status)
  expect(statuses.sort()).toEqual([201, 201, 409])
})

test('error: on the direct rail', async () => {
  const { ask } = await running({}, { rail: 'direct' })
  expect(await ask(more)).toMatchObject({ status: 409, body: { error: { code: 'RAIL_CONFLICT' } } })
})

test('error: a signature by somebody else', async () => {
  const { server, owner, ask } = await running()
  const { body: shown } = await ask(more)
  const thief = await base.createWallet()
  const signature = await thief.account.signTypedData(shown.typedData)
  const answer = await kit.ask(server, `/v1/increases/${shown.id}/approval`, {
    body: { signature },
    headers: owner.headers,
  })
  expect(answer).toMatchObject({ status: 422, body: { error: { code: 'SIGNATURE_INVALID' } } })
})
