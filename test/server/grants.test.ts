import { describe, expect, test } from 'vitest'
import { createFacilitator } from '../../script/crash/facilitator.js'
import { Coverage, Guard, Receipt, Spm } from '../../src/index.js'
import { useBase } from '../base.js'
import { stealPull } from '../budget/kit.js'
import * as kit from './kit.js'

const base = await useBase()
kit.endAfterEach()

async function running(terms = {}) {
  const server = await kit.start(base)
  const account = await kit.grant(base, server, terms)
  const owner = await kit.signIn(server, account.wallet)
  const path = `/v1/grants/${account.grant.grantId}`
  const get = (rest = '') => kit.ask(server, `${path}${rest}`, { headers: { cookie: owner.cookie } })
  return { server, account, owner, path, get }
}

test('default', async () => {
  const { server, account, owner, get } = await running()
  const { budget, grant } = account
  await budget.spend({ ...kit.order(account)('a', '2'), host: 'api.example.com', task: 'report' })
  const { body: list } = await kit.ask(server, '/v1/grants', { headers: owner.headers })
  expect(list.grants).toHaveLength(1)
  expect(list.grants[0]).toMatchObject({ grant: { grantId: grant.grantId }, status: 'active' })

  const { body } = await get()
  expect(body).toMatchObject({
    grant: { grantId: grant.grantId },
    standing: {
      status: 'active',
      approved: true,
      revoked: false,
      chain: { status: 'active', balance: String(kit.usd('998')) },
    },
    agent: { address: grant.agent, gasWarning: false },
    foreign: [],
    sessions: [],
  })
  const perDay = { cap: 'perDay', limit: '5000000', spent: '2000000', reserved: '0', heldBy: 'chain' }
  expect(body.meters).toEqual([
    { ...perDay, resetsAt: expect.any(Number) },
    { cap: 'total', limit: '8000000', spent: '2000000', reserved: '0', heldBy: 'chain' },
  ])
  expect(body.coverage.worst.life).toBe(String(Coverage.of(grant).worst.life))
  expect(BigInt(body.agent.gasWei)).toBe(await base.client.getBalance({ address: grant.agent }))
  expect(server.errors).toEqual([])
})

test('behavior: the status is that of the chain and the books', async () => {
  const { account, get } = await running()
  const { budget, permission, wallet } = account
  await budget.pause()
  expect((await get()).body.standing).toMatchObject({ status: 'paused', paused: true, pausedBy: null })
  await budget.resume()
  await wallet.execute([Guard.preparePause(Guard.key(permission))])
  await budget.sync()
  expect((await get()).body.standing).toMatchObject({ status: 'paused', paused: false, pausedBy: 'account' })
  await wallet.execute([Guard.prepareRevoke({ permission })])
  await budget.sync()
  expect((await get()).body.standing).toMatchObject({ status: 'revoked', revokedBy: 'account' })
})

test('behavior: what no payment explains is shown as foreign', async () => {
  const { account, get } = await running({ rail: 'direct' })
  await stealPull(base, account, kit.usd('1'))
  await account.budget.sync()
  const { foreign } = (await get()).body
  expect(foreign).toMatchObject([{ amount: '1000000', txHash: expect.stringMatching(/^0x/) }])
  expect((await get('/spending')).body.days).toMatchObject([
    { total: '1000000', byHost: [{ host: null, amount: '1000000' }] },
  ])
})

test('behavior: sessions with what they have spent', async () => {
  const { account, get } = await running()
  const session = await account.budget.openSession({ id: 'run-1', perRequestUsd: '5' })
  await session.spend(kit.order(account)('a', '3'))
  expect((await get()).body.sessions).toMatchObject([
    { id: 'run-1', endedAt: null, spent: '3000000', perSession: '50000000' },
  ])
})

test('behavior: the chain does not answer, and the books do', async () => {
  const { endpoint } = await import('../budget/kit.js')
  const broken = endpoint(base)
  const server = await kit.start(base, { client: { ...broken.client, chain: base.chain } })
  const account = await kit.grant(base, server)
  const { authorization } = await kit.key(server)
  broken.answer = async () => {
    throw new Error('https://endpoint.example/secret')
  }
  const answer = await kit.ask(server, `/v1/grants/${account.grant.grantId}`, { headers: { authorization } })
  expect(answer).toMatchObject({ status: 200, body: { standing: { status: 'active', chain: null } } })
  expect(answer.body.agent.gasWei).toBeNull()
  expect(JSON.stringify(answer.body)).not.toContain('secret')
})

describe('receipts', () => {
  test('default', async () => {
    const { account, get } = await running()
    const { budget } = account
    for (const key of ['a', 'b', 'c']) await budget.spend(kit.order(account)(key, '1'))
    const all = await budget.receipts()
    const seen: unknown[] = []
    for (let cursor: string | null = ''; cursor !== null; ) {
      const { body } = await get(`/receipts?limit=2${cursor === '' ? '' : `&cursor=${cursor}`}`)
      expect(body.receipts.length).toBeLessThanOrEqual(2)
      seen.push(...body.receipts)
      cursor = body.nextCursor
    }
    expect(seen).toEqual(all.map((one) => ({ ...one, amount: String(one.amount) })).reverse())
    // Unbroken, as whoever reads them can tell.
    expect(Receipt.verify(all)).toMatchObject({ holds: true })
  })

  test('args: filters by kind, host and task', async () => {
    const { account, get } = await running()
    const { budget, payee } = account
    const order = kit.order(account)
    await budget.spend({ ...order('a', '1'), task: 'x' })
    await budget.spend({ ...order('b', '1'), task: 'y', host: 'api.example.com' })
    await budget.spend({ key: 'c', to: payee, amount: kit.usd('6') }).catch(() => {})
    const keys = async (query: string) =>
      (await get(`/receipts?${query}`)).body.receipts.map(({ key, event }: Record<string, string>) => [
        key,
        event,
      ])
    expect(await keys('kind=settled')).toEqual([
      ['b', 'settled'],
      ['a', 'settled'],
    ])
    expect(await keys('kind=refused')).toEqual([['c', 'refused']])
    expect(await keys('host=api.example.com&kind=reserved')).toEqual([['b', 'reserved']])
    expect(await keys('task=x&kind=settled')).toEqual([['a', 'settled']])
    expect(await keys('task=nothing')).toEqual([])
  })

  test.each([
    'limit=0',
    'limit=201',
    'limit=1e3',
    'limit=-1',
    'cursor=a',
    'kind=all',
    'offset=1',
    'limit=1&limit=2',
  ])('error: %s', async (query) => {
    const { get } = await running()
    expect(await get(`/receipts?${query}`)).toMatchObject({
      status: 400,
      body: { error: { code: 'INVALID_INPUT' } },
    })
  })
})

test.each(['purse', 'direct'])(
  'behavior: of a float on the %s rail what leaves it is spent',
  async (rail) => {
    const { account, get } = await running({ rail, perCallUsd: '2', maxFloatUsd: '3' })
    const { budget, grant } = account
    const order = { ...kit.order(account)('a', '1'), host: 'api.example.com' }
    const authorized = await budget.authorize(order, { validSeconds: 300 })
    const facilitator = await createFacilitator(base)
    const signed = { ...authorized, amount: String(order.amount), token: grant.token.address }
    await facilitator.settle({ ...signed, signature: await budget.sign('a') })
    await budget.sync()
    expect((await budget.totals()).total).toBeGreaterThan(order.amount)
    expect((await get('/spending')).body.days).toMatchObject([
      { total: '1000000', byHost: [{ host: 'api.example.com', amount: '1000000' }] },
    ])
  },
)

test('behavior: spending by day and host', async () => {
  const { account, get } = await running()
  const { budget } = account
  const order = kit.order(account)
  await budget.spend({ ...order('a', '1'), host: 'api.example.com' })
  await budget.spend(order('b', '2'))
  const today = Math.floor((await base.now()) / 86_400) * 86_400
  await base.warp(today + 2 * 86_400)
  await budget.sync()
  await budget.spend({ ...order('c', '1'), host: 'api.example.com' })
  const { body } = await get('/spending?days=3')
  expect(body.days).toEqual([
    {
      day: today,
      total: '3000000',
      byHost: expect.arrayContaining([
        { host: 'api.example.com', amount: '1000000' },
        { host: null, amount: '2000000' },
      ]),
    },
    { day: today + 2 * 86_400, total: '1000000', byHost: [{ host: 'api.example.com', amount: '1000000' }] },
  ])
  expect((await get('/spending?days=2')).body.days).toHaveLength(1)
})

test('behavior: calls are those of the core, and the wallet that sends them is obeyed', async () => {
  const { server, account, owner, path } = await running()
  const { permission, wallet, budget } = account
  const calls = async (action: string) =>
    (await kit.ask(server, `${path}/calls`, { body: { action }, headers: owner.headers })).body
  const shown = ({ to, data, value }: Guard.Call) => ({
    calls: [{ to, data, value: String(value) }],
    gasPaidBy: 'wallet',
  })
  expect(await calls('approve')).toEqual(shown(Spm.prepareApprove({ permission })))
  expect(await calls('enable')).toEqual(shown(Spm.prepareEnable({ account: wallet.address })))
  expect(await calls('revoke')).toEqual(shown(Guard.prepareRevoke({ permission })))
  for (const [action, status] of [
    ['pause', 'paused'],
    ['resume', 'active'],
    ['revoke', 'revoked'],
  ] as const) {
    const { calls: found } = await calls(action)
    await wallet.execute(found.map((call: { value: string }) => ({ ...call, value: BigInt(call.value) })))
    await budget.sync()
    const { body } = await kit.ask(server, path, { headers: owner.headers })
    expect(body.standing.status).toBe(status)
  }
})

test('error: the direct rail knows no pause', async () => {
  const { server, owner, path } = await running({ rail: 'direct' })
  const answer = await kit.ask(server, `${path}/calls`, { body: { action: 'pause' }, headers: owner.headers })
  expect(answer).toMatchObject({ status: 409, body: { error: { code: 'RAIL_CONFLICT' } } })
})
