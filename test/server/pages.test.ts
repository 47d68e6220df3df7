/** Grants by pages, in the order of their ids. */
import type { Hex } from 'viem'
import { describe, expect, test } from 'vitest'
import { memory, type Store } from '../../src/index.js'
import type { GrantRow } from '../../src/Store.js'
import { useBase } from '../base.js'
import * as kit from './kit.js'

const base = await useBase()
kit.endAfterEach()

/** Books that note how many grants a transaction listed at most. */
function noting() {
  const books = memory()
  let most = 0
  const store: Store = {
    ...books,
    transact: (lock, work) =>
      books.transact(lock, (tx) =>
        work({
          ...tx,
          async list(table, where, options) {
            const rows = await tx.list(table, where, options)
            if (table === 'grants') most = Math.max(most, rows.length)
            return rows
          },
        }),
      ),
  }
  return { store, most: () => most }
}

type Headers = Record<string, string>

async function page(server: kit.Running, headers: Headers, query: string) {
  const { status, body } = await kit.ask(server, `/v1/grants${query}`, { headers })
  expect(status).toBe(200)
  const ids = body.grants.map(({ grant }: { grant: { grantId: Hex } }) => grant.grantId) as Hex[]
  return { ids, nextCursor: body.nextCursor as Hex | null }
}

/** The ids of every page. */
async function pages(server: kit.Running, headers: Headers, limit: number) {
  const found: Hex[][] = []
  for (let cursor: Hex | null | undefined; cursor !== null; ) {
    const next = await page(server, headers, `?limit=${limit}${cursor ? `&cursor=${cursor}` : ''}`)
    found.push(next.ids)
    cursor = next.nextCursor
  }
  return found
}

const idOf = ({ grant }: { grant: { grantId: Hex } }) => grant.grantId

test('default', async () => {
  const server = await kit.start(base)
  const accounts = [
    await kit.grant(base, server),
    await kit.grant(base, server),
    await kit.grant(base, server),
  ]
  const ids = accounts.map(idOf).sort()
  const { authorization } = await kit.key(server)
  expect(await page(server, { authorization }, '')).toEqual({ ids, nextCursor: null })
  expect(await pages(server, { authorization }, 2)).toEqual([ids.slice(0, 2), ids.slice(2)])
  // The last page says that it is the last, also where it is full.
  expect(await pages(server, { authorization }, 3)).toEqual([ids])
  const [own] = accounts
  const owner = await kit.signIn(server, own?.wallet as NonNullable<typeof own>['wallet'])
  expect(await pages(server, owner.headers, 1)).toEqual([[own && idOf(own)]])
})

test('behavior: a key sees pages of what it names and of what it asked for, where these are in the books', async () => {
  const server = await kit.start(base)
  const accounts = [
    await kit.grant(base, server),
    await kit.grant(base, server),
    await kit.grant(base, server),
  ]
  const [first, second, third] = accounts.map(idOf).sort() as [Hex, Hex, Hex]
  const nowhere = `0x${'f'.repeat(64)}` as const
  const key = await kit.key(server, { grants: [third, nowhere, first] })
  const headers = { authorization: key.authorization }
  const named = async () => (await pages(server, headers, 1)).flat()
  expect(await named()).toEqual([first, third])
  const [row] = await server.records.transact('a', (tx) => tx.list('server_keys', {}))
  await server.records.transact('a', async (tx) => {
    for (const grantId of [first, second])
      await tx.put('server_asked', { family: row?.family ?? '', grantId })
    await tx.put('server_asked', { family: 'another', grantId: third })
  })
  expect(await named()).toEqual([first, second, third])
  expect((await page(server, headers, `?cursor=${first}`)).ids).toEqual([second, third])
})

test('behavior: an owner is found among many, and no look at the books is long', async () => {
  const { store, most } = noting()
  const server = await kit.start(base, { store })
  const [own, other] = [await kit.grant(base, server), await kit.grant(base, server)]
  await store.transact('0x', async (tx) => {
    const row = (await tx.get('grants', { grantId: other.grant.grantId })) as GrantRow
    // Before all others: no grantId that is made is so low.
    for (let n = 0; n < 2_300; n++)
      await tx.put('grants', { ...row, grantId: `0x${n.toString(16).padStart(64, '0')}` })
  })
  const owner = await kit.signIn(server, own.wallet)
  const first = await page(server, owner.headers, '')
  expect(first).toEqual({ ids: [], nextCursor: `0x${(1_999).toString(16).padStart(64, '0')}` })
  expect(await pages(server, owner.headers, 50)).toEqual([[], [own.grant.grantId]])
  expect((await kit.ask(server, '/metrics')).body).toContain('hardcap_grants{state="approved"} 2302')
  expect(most()).toBe(500)
})

describe('error', () => {
  test.each([
    'limit=0',
    'limit=201',
    'limit=1e1',
    'cursor=1',
    'cursor=',
    `cursor=0x${'AB'.repeat(32)}`,
    'offset=1',
    'limit=1&limit=2',
  ])('error: %s', async (query) => {
    const server = await kit.start(base)
    const { authorization } = await kit.key(server)
    expect(await kit.ask(server, `/v1/grants?${query}`, { headers: { authorization } })).toMatchObject({
      status: 400,
      body: { error: { code: 'INVALID_INPUT' } },
    })
  })
})
