import { InfiniteQueryObserver, QueryClient } from '@tanstack/react-query'
import { expect, test } from 'vitest'
import * as Grant from '../../src/Grant.js'
import { createApi, grantsQuery } from '../../src/react/index.js'
import * as Show from '../../src/server/Show.js'

const summary = () => ({
  grant: Show.grant(
    Grant.define({
      owner: '0x1111111111111111111111111111111111111111',
      agent: '0x2222222222222222222222222222222222222222',
      allow: [{ host: 'api.example.com', payTo: '0x3333333333333333333333333333333333333333' }],
      perDayUsd: '2',
    }),
  ),
  status: 'active',
  meters: [],
  receipts: 0,
})

/** What a server answers, by cursor; and the cursors that it was asked for. */
function server(pages: Readonly<Record<string, { grants: object[]; nextCursor: string | null }>>) {
  const asked: string[] = []
  const api = createApi({
    url: 'https://agents.example.com',
    fetch: async (input) => {
      const cursor = new URL(String(input)).searchParams.get('cursor') ?? ''
      asked.push(cursor)
      return Response.json(pages[cursor])
    },
  })
  const client = new QueryClient()
  const observer = new InfiniteQueryObserver(client, grantsQuery(api))
  return { asked, observer }
}

test('default', async () => {
  const [a, b, c] = [summary(), summary(), summary()]
  const { asked, observer } = server({
    '': { grants: [a, b], nextCursor: '2' },
    '2': { grants: [c], nextCursor: null },
  })
  const first = await observer.refetch()
  expect(first.data?.map(({ grant }) => grant.grantId)).toEqual([a.grant.grantId, b.grant.grantId])
  expect(observer.getCurrentResult().hasNextPage).toBe(true)
  const second = await observer.fetchNextPage()
  expect(second.data?.map(({ grant }) => grant.grantId)).toEqual([a, b, c].map(({ grant }) => grant.grantId))
  expect(second.hasNextPage).toBe(false)
  expect(asked).toEqual(['', '2'])
})

test('behavior: an empty page with a next one is not what anybody is shown', async () => {
  const one = summary()
  const { asked, observer } = server({
    '': { grants: [], nextCursor: '1' },
    '1': { grants: [], nextCursor: '2' },
    '2': { grants: [one], nextCursor: '3' },
    '3': { grants: [], nextCursor: null },
  })
  const first = await observer.refetch()
  expect(first.data?.map(({ grant }) => grant.grantId)).toEqual([one.grant.grantId])
  expect(asked).toEqual(['', '1', '2'])
  const second = await observer.fetchNextPage()
  expect(second.data).toHaveLength(1)
  expect(second.hasNextPage).toBe(false)
})

test('error: a server that has nothing but empty pages is not asked for good', async () => {
  const { asked, observer } = server({
    '': { grants: [], nextCursor: '1' },
    '1': { grants: [], nextCursor: '1' },
  })
  const { data } = await observer.refetch()
  expect(data).toEqual([])
  expect(observer.getCurrentResult().hasNextPage).toBe(true)
  expect(asked).toHaveLength(51)
})
