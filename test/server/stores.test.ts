/** The same server on every store, and several of it on one. */
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { postgres, postgresRecords } from '../../src/postgres/index.js'
import { sqlite, sqliteRecords } from '../../src/sqlite/index.js'
import { useBase } from '../base.js'
import { databaseUrl, query } from '../database.js'
import * as kit from './kit.js'

const base = await useBase()
kit.endAfterEach()

type Place = () => Pick<Parameters<typeof kit.start>[1] & object, 'store' | 'records'>

/** Books and records in one place, opened anew each time, as another process would. */
const places: [string, () => Promise<Place>][] = [
  [
    'sqlite',
    async () => {
      const folder = mkdtempSync(join(tmpdir(), 'hardcap-server-'))
      kit.later(() => rmSync(folder, { recursive: true, force: true }))
      const path = join(folder, 'books.db')
      return () => ({ store: closing(sqlite(path)), records: closing(sqliteRecords(path)) })
    },
  ],
  [
    'postgres',
    async () => {
      const schema = `server_${randomBytes(8).toString('hex')}`
      const url = await databaseUrl()
      kit.later(async () => void (await query(`drop schema if exists ${schema} cascade`)))
      return () => ({
        store: closing(postgres(url, { schema })),
        records: closing(postgresRecords(url, { schema })),
      })
    },
  ],
]

function closing<store extends { close: () => Promise<void> }>(store: store): store {
  kit.later(() => store.close())
  return store
}

describe.each(places)('%s', (_, make) => {
  test('default', async () => {
    const open = await make()
    const [one, two] = [await kit.start(base, open()), await kit.start(base, open())]
    const account = await kit.grant(base, one)
    await account.budget.spend({ ...kit.order(account)('a', '2'), host: 'api.example.com' })
    const path = `/v1/grants/${account.grant.grantId}`
    const { authorization } = await kit.key(one, { grants: [account.grant.grantId] })
    const increase = { cap: 'perDay', to: '7000000', reason: 'More.' }
    const asked = await kit.ask(one, `${path}/increases`, { body: increase, headers: { authorization } })
    expect(asked.status).toBe(201)

    // Each process has an origin of its own here, and both know the session.
    const owner = await kit.signIn(one, account.wallet)
    const { body } = await kit.ask(two, path, { headers: owner.headers })
    expect(body.meters).toContainEqual(expect.objectContaining({ cap: 'perDay', spent: '2000000' }))
    const { receipts } = (await kit.ask(two, `${path}/receipts?kind=settled`, { headers: owner.headers }))
      .body
    expect(receipts).toMatchObject([{ key: 'a', amount: '2000000' }])
    const { days } = (await kit.ask(two, `${path}/spending`, { headers: owner.headers })).body
    expect(days).toMatchObject([{ total: '2000000', byHost: [{ host: 'api.example.com' }] }])
    const signature = await kit.sign(account.wallet, asked.body)
    const decide = (server: kit.Running) =>
      kit.ask(server, `/v1/increases/${asked.body.id}/approval`, {
        body: { signature },
        headers: owner.headers,
      })
    expect((await Promise.all([decide(one), decide(two)])).map(({ status }) => status)).toEqual([200, 200])

    await kit.ask(two, '/v1/auth/logout', { method: 'POST', headers: owner.headers })
    expect((await kit.ask(one, path, { headers: owner.headers })).status).toBe(401)
    expect([...one.errors, ...two.errors]).toEqual([])
  })

  test('behavior: a nonce is good once, at whichever process', async () => {
    const open = await make()
    const [one, two] = [await kit.start(base, open()), await kit.start(base, open())]
    const wallet = await base.createWallet()
    const message = await kit.message(one, wallet.address)
    const signature = await wallet.account.signMessage({ message })
    const verify = (server: kit.Running) =>
      kit.ask(server, '/v1/auth/verify', { body: { message, signature } })
    const statuses = (await Promise.all([verify(one), verify(one), verify(two)])).map(({ status }) => status)
    expect(statuses.filter((status) => status === 200)).toHaveLength(1)
  })
})
