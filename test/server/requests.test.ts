import { describe, expect, test } from 'vitest'
import { Grant, openBudget, Permission, Spm } from '../../src/index.js'
import { type Approved, Key } from '../../src/server/index.js'
import { useBase } from '../base.js'
import * as kit from './kit.js'

const base = await useBase()
kit.endAfterEach()

async function asked(options: Parameters<typeof kit.start>[1] = {}, wallets = {}) {
  const running = await kit.start(base, options)
  const wallet = await base.createWallet({ usdc: kit.usd('1000'), ...wallets })
  const key = await kit.key(running)
  const payee = kit.freshAddress()
  const grant = kit.terms(wallet.address, kit.freshAddress(), payee)
  const body = { grant, names: [{ address: payee, name: 'Search' }], note: 'For the report.' }
  const created = await kit.ask(running, '/v1/requests', {
    body,
    headers: { authorization: key.authorization },
  })
  return { running, wallet, key, payee, created, path: `/v1/requests/${created.body.id}` }
}

test('default', async () => {
  const told: Approved[] = []
  const { running, wallet, key, payee, created, path } = await asked({ onApproved: (one) => told.push(one) })
  expect(created).toMatchObject({ status: 201, body: { status: 'open' } })
  expect(created.body.url).toBe(`${running.origin}/approve/${created.body.id}`)

  const { body: shown } = await kit.ask(running, path)
  expect(shown).toMatchObject({
    status: 'open',
    note: 'For the report.',
    names: [{ address: payee, name: 'Search' }],
  })
  const grant = Grant.parse(JSON.stringify(shown.grant))
  const permission = Permission.parse(JSON.stringify(shown.permission))
  expect(Permission.fromGrant(grant)).toEqual(permission)
  expect(shown.coverage.worst.life).toBe('25000000')
  expect(shown.warnings.map(({ code }: { code: string }) => code)).toEqual(['COVERAGE'])

  const signature = await kit.sign(wallet, shown)
  const approved = await kit.ask(running, `${path}/approval`, { body: { signature } })
  expect(approved).toMatchObject({ status: 200, body: { status: 'approved' } })
  expect(told).toEqual([
    { kind: 'request', id: created.body.id, grant, permission, signature, transactionHash: null },
  ])
  // The signature is for who asked.
  expect((await kit.ask(running, path)).body).not.toHaveProperty('signature')
  const seen = await kit.ask(running, path, { headers: { authorization: key.authorization } })
  expect(seen.body).toMatchObject({ status: 'approved', signature })
  expect(running.errors).toEqual([])
})

test('behavior: what a wallet signs as JSON typed data is the permission', async () => {
  const { running, wallet, path } = await asked()
  const { body: shown } = await kit.ask(running, path)
  const signature = await wallet.account.signTypedData(shown.typedData)
  expect((await kit.ask(running, `${path}/approval`, { body: { signature } })).status).toBe(200)
})

test('behavior: a wallet that is not deployed yet approves by its ERC-6492 signature', async () => {
  const { running, wallet, path } = await asked({}, { deployed: false })
  const { body: shown } = await kit.ask(running, path)
  expect(shown.warnings).toContainEqual(expect.objectContaining({ code: 'ACCOUNT_NOT_DEPLOYED' }))
  const signature = await kit.sign(wallet, shown)
  expect((await kit.ask(running, `${path}/approval`, { body: { signature } })).status).toBe(200)
})

test('behavior: the wallet approves by a call of its own', async () => {
  const { running, wallet, path } = await asked()
  const { body: shown } = await kit.ask(running, path)
  const permission = Permission.parse(JSON.stringify(shown.permission))
  const approve = (hash: string) => kit.ask(running, `${path}/approval`, { body: { transactionHash: hash } })
  expect((await approve(`0x${'11'.repeat(32)}`)).body.error.code).toBe('NOT_APPROVED')
  const sibling = Permission.fromGrant(Grant.parse(JSON.stringify(shown.grant)), { nonce: 1n })
  const other = await wallet.execute([Spm.prepareApprove({ permission: sibling })])
  const receipt = await wallet.execute([Spm.prepareApprove({ permission })])
  // The approval of another permission is none of this one.
  expect((await approve(other.transactionHash)).body.error.code).toBe('NOT_THIS_APPROVAL')
  expect((await approve(receipt.transactionHash)).status).toBe(200)
  expect((await kit.ask(running, path)).body).toMatchObject({
    status: 'approved',
    transactionHash: receipt.transactionHash,
  })
})

test('behavior: the same approval twice is one, and nobody is told twice', async () => {
  const told: Approved[] = []
  const { running, wallet, path } = await asked({ onApproved: (one) => told.push(one) })
  const signature = await kit.sign(wallet, (await kit.ask(running, path)).body)
  const approve = () => kit.ask(running, `${path}/approval`, { body: { signature } })
  const answers = await Promise.all([approve(), approve(), approve()])
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200])
  expect(told).toHaveLength(1)
})

test('behavior: what onApproved throws is told to onError, and the approval stands', async () => {
  const { running, wallet, path } = await asked({
    onApproved: () => {
      throw new Error('no')
    },
  })
  const signature = await kit.sign(wallet, (await kit.ask(running, path)).body)
  expect((await kit.ask(running, `${path}/approval`, { body: { signature } })).status).toBe(200)
  expect(running.errors).toMatchObject([{ message: 'no' }])
})

test('behavior: warnings tell what the chain says', async () => {
  const { running, path } = await asked({}, { spm: false, usdc: 0n })
  const codes = (await kit.ask(running, path)).body.warnings.map(({ code }: { code: string }) => code)
  expect(codes).toEqual(expect.arrayContaining(['SPM_NOT_OWNER', 'BALANCE_LOW']))
})

test('behavior: warnings tell of other grants of the wallet', async () => {
  const running = await kit.start(base)
  const { wallet } = await kit.grant(base, running)
  const { authorization } = await kit.key(running)
  const grant = kit.terms(wallet.address, kit.freshAddress(), kit.freshAddress())
  const { body } = await kit.ask(running, '/v1/requests', { body: { grant }, headers: { authorization } })
  const { warnings } = (await kit.ask(running, `/v1/requests/${body.id}`)).body
  expect(warnings).toContainEqual({
    code: 'SIBLINGS',
    message: expect.stringContaining('1, which can lose up to 8 USDC in any 24 hours'),
  })
})

describe('how many are kept', () => {
  /** A server with a clock of its own, and who asks it. */
  async function asking(limits: NonNullable<Parameters<typeof kit.start>[1]>['limits']) {
    const clock = { now: Math.floor(Date.now() / 1000) }
    const told: Approved[] = []
    const running = await kit.start(base, {
      limits,
      clock: () => clock.now,
      onApproved: (one) => told.push(one),
    })
    const wallet = await base.createWallet({ usdc: kit.usd('1000') })
    const agent = await base.createAccount()
    const key = await kit.key(running, { grants: [] })
    const ask = ({ authorization } = key, more = {}) => {
      const grant = kit.terms(wallet.address, agent.address, kit.freshAddress())
      return kit.ask(running, '/v1/requests', { body: { grant, ...more }, headers: { authorization } })
    }
    const get = (path: string, { authorization } = key) =>
      kit.ask(running, path, { headers: { authorization } })
    const approve = async (id: string) => {
      const signature = await kit.sign(wallet, (await get(`/v1/requests/${id}`)).body)
      await kit.ask(running, `/v1/requests/${id}/approval`, { body: { signature } })
      const [last] = told.slice(-1)
      if (!last) throw new Error('Nobody was told.')
      return last
    }
    return { running, clock, agent, key, ask, get, approve }
  }
  const full = { status: 409, body: { error: { code: 'TOO_MANY_OPEN', figures: { most: 2 } } } }

  test('error: more than one family may have, however many ask at once', async () => {
    const { running, clock, key, ask, get } = await asking({ keptRequests: 2, keptSeconds: 1_000 })
    const answers = await Promise.all([ask(), ask(), ask(), ask()])
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 201, 409, 409])
    expect(await ask()).toMatchObject(full)
    // A key that takes its place has no more; another has its own.
    const rotated = await Key.rotate(running.records, key.id, { now: clock.now, overlap: 60 })
    expect(await ask({ ...key, authorization: `Bearer ${rotated.text}` })).toMatchObject(full)
    expect((await ask(await kit.key(running))).status).toBe(201)
    // Whoever declines his own requests has no more either, until they are forgotten.
    const [first, second] = answers.filter(({ status }) => status === 201)
    await kit.ask(running, `/v1/requests/${first?.body.id}/decline`, { method: 'POST' })
    clock.now += 999
    expect(await ask({ ...key, authorization: `Bearer ${rotated.text}` })).toMatchObject(full)
    expect((await get(`/v1/requests/${first?.body.id}`, await kit.key(running))).body.status).toBe('declined')
    clock.now += 1
    expect((await ask({ ...key, authorization: `Bearer ${rotated.text}` })).status).toBe(201)
    expect((await kit.ask(running, `/v1/requests/${first?.body.id}`)).status).toBe(404)
    expect((await kit.ask(running, `/v1/requests/${second?.body.id}`)).body.status).toBe('open')
  })

  test('behavior: what has ended is removed after its time, an approval no sooner than others', async () => {
    const { running, clock, ask, get, approve } = await asking({ keptSeconds: 1_000 })
    const lapsing = (await ask(undefined, { expiresAt: clock.now + 100 })).body.id
    const approved = (await ask()).body.id
    clock.now += 99
    await approve(approved)
    const statuses = async () => {
      // Each that comes takes with it what is over.
      expect((await ask()).status).toBe(201)
      const both = await Promise.all([approved, lapsing].map((id) => get(`/v1/requests/${id}`)))
      return both.map(({ status, body }) => (status === 200 ? body.status : status))
    }
    clock.now += 999
    expect(await statuses()).toEqual(['approved', 'expired'])
    clock.now += 1
    expect(await statuses()).toEqual([404, 'expired'])
    clock.now += 1
    expect(await statuses()).toEqual([404, 404])
    const rows = await running.records.transact('a', (tx) => tx.list('server_requests', {}))
    expect(rows.map(({ status }) => status)).toEqual(['open', 'open', 'open'])
    for (const table of ['server_ends', 'server_asked'] as const)
      expect(await running.records.transact('a', (tx) => tx.list(table, {}))).toHaveLength(3)
  })

  test('behavior: a backend has its time to fetch an approval that came at the last moment', async () => {
    const { clock, ask, get, approve } = await asking({ keptSeconds: 1_000 })
    const { id, expiresAt } = (await ask()).body
    clock.now = expiresAt - 1
    const { signature } = await approve(id)
    clock.now += 999
    await ask()
    expect((await get(`/v1/requests/${id}`)).body).toMatchObject({ status: 'approved', signature })
  })

  test("behavior: a grant that came into the books makes room, and stays its asker's to see", async () => {
    const { running, clock, agent, key, ask, get, approve } = await asking({
      keptRequests: 2,
      keptSeconds: 1_000,
    })
    const { grant, permission, signature } = await approve((await ask()).body.id)
    await ask()
    expect(await ask()).toMatchObject(full)
    const budget = await openBudget(base.client, { grant, permission, agent, store: running.store })
    kit.later(() => budget.close())
    if (!signature) throw new Error('There is no signature.')
    await budget.approve({ signature })
    expect((await ask()).status).toBe(201)
    expect(await ask()).toMatchObject(full)
    clock.now += 1_000
    await ask()
    expect(await running.records.transact('a', (tx) => tx.list('server_requests', {}))).toHaveLength(2)
    expect((await get(`/v1/grants/${grant.grantId}`)).status).toBe(200)
    const { grants } = (await get('/v1/grants')).body
    expect(grants).toMatchObject([{ grant: { grantId: grant.grantId } }])
    expect((await get(`/v1/grants/${grant.grantId}`, await kit.key(running, { grants: [] }))).status).toBe(
      404,
    )
    expect((await get(`/v1/grants/${grant.grantId}`, key)).status).toBe(200)
  })
})

test('error: declined is final', async () => {
  const { running, wallet, path } = await asked()
  const { body: shown } = await kit.ask(running, path)
  expect((await kit.ask(running, `${path}/decline`, { method: 'POST' })).body.status).toBe('declined')
  const signature = await kit.sign(wallet, shown)
  const answer = await kit.ask(running, `${path}/approval`, { body: { signature } })
  expect(answer).toMatchObject({ status: 409, body: { error: { code: 'DECIDED' } } })
})

test('error: an approved request cannot be declined', async () => {
  const { running, wallet, path } = await asked()
  const signature = await kit.sign(wallet, (await kit.ask(running, path)).body)
  await kit.ask(running, `${path}/approval`, { body: { signature } })
  const answer = await kit.ask(running, `${path}/decline`, { method: 'POST' })
  expect(answer).toMatchObject({ status: 409, body: { error: { code: 'DECIDED' } } })
})

test('error: an expired request cannot be approved', async () => {
  let now = Math.floor(Date.now() / 1000)
  const { running, wallet, path, created } = await asked({ clock: () => now })
  const signature = await kit.sign(wallet, (await kit.ask(running, path)).body)
  now = created.body.expiresAt
  expect((await kit.ask(running, path)).body.status).toBe('expired')
  const answer = await kit.ask(running, `${path}/approval`, { body: { signature } })
  expect(answer).toMatchObject({ status: 409, body: { error: { code: 'EXPIRED' } } })
})

test('error: a signature by another wallet, of another permission, or with a bit that is not the same', async () => {
  const { running, wallet, path } = await asked()
  const other = await asked()
  const { body: shown } = await kit.ask(running, path)
  const { body: foreign } = await kit.ask(other.running, other.path)
  const own = await kit.sign(wallet, shown)
  const at = own.length - 100
  const flipped = `${own.slice(0, at)}${own[at] === '0' ? '1' : '0'}${own.slice(at + 1)}`
  const tried = [
    await other.wallet.account.signTypedData(shown.typedData),
    await wallet.account.signTypedData(foreign.typedData),
    flipped,
    `0x${'00'.repeat(65)}`,
  ]
  for (const signature of tried) {
    const answer = await kit.ask(running, `${path}/approval`, { body: { signature } })
    expect(answer).toMatchObject({ status: 422, body: { error: { code: 'SIGNATURE_INVALID' } } })
  }
  expect((await kit.ask(running, path)).body.status).toBe('open')
})

test('error: terms that make no sense are told as Grant.define tells them', async () => {
  const { running, key, wallet, payee } = await asked()
  const headers = { authorization: key.authorization }
  const grant = { ...kit.terms(wallet.address, kit.freshAddress(), payee), perCallUsd: '0' }
  const answer = await kit.ask(running, '/v1/requests', { body: { grant }, headers })
  expect(answer).toMatchObject({ status: 400, body: { error: { code: 'INVALID_AMOUNT' } } })
  const onOther = await kit.ask(running, '/v1/requests', {
    body: { grant: { ...grant, chain: 84532 } },
    headers,
  })
  expect(onOther).toMatchObject({ status: 400, body: { error: { code: 'INVALID_INPUT' } } })
})
