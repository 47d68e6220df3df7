/** Query options for @tanstack/query, one for each question: for hooks, loaders and prefetching alike. */
import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query'
import type { Api, ReceiptsPage } from './Api.js'
import { OwnerError } from './OwnerError.js'
import * as Shown from './Shown.js'

/** The first part of every key of hardcap, to invalidate all of them. */
export const root = 'hardcap'

/** A refusal stays one; only a server that was away or busy is asked again. */
const retry = (failures: number, error: Error) =>
  failures < 2 && error instanceof OwnerError && error.retryable

/** Another grant than the one that was asked for would be taken for it, and stopped in its place. */
function assertAsked(wanted: string, given: unknown): void {
  if (given === wanted) return
  throw new OwnerError(
    'SERVER_ANSWER',
    `The server was asked about ${wanted} and answered about another. Nothing of that is shown.`,
  )
}

export function configQuery(api: Api) {
  return queryOptions({
    queryKey: [root, api.url, 'config'],
    queryFn: () => api.config(),
    staleTime: Number.POSITIVE_INFINITY,
    retry,
  })
}

/** A request for approval, read and checked: see `Shown.request`. Asked again while it is open. */
export function requestQuery(api: Api, id: string) {
  return queryOptions({
    queryKey: [root, api.url, 'request', id],
    queryFn: async () => {
      const answer = await api.request(id)
      assertAsked(id, answer.id)
      return Shown.request(answer)
    },
    refetchInterval: ({ state }) => (state.data?.status === 'open' ? 5_000 : false),
    retry,
  })
}

export function sessionQuery(api: Api) {
  return queryOptions({
    queryKey: [root, api.url, 'session'],
    queryFn: () => api.session(),
    staleTime: 60_000,
    retry,
  })
}

/** Pages of grants, as one list of those that were asked for so far. */
export function grantsQuery(api: Api) {
  return infiniteQueryOptions({
    queryKey: [root, api.url, 'grants'],
    queryFn: async ({ pageParam }) => {
      let page = await api.grants({ cursor: pageParam })
      // An empty page says where to go on. A server that has nothing else to say is not listened to for good.
      for (let n = 0; n < 50 && page.grants.length === 0 && page.nextCursor !== null; n++)
        page = await api.grants({ cursor: page.nextCursor })
      return { grants: page.grants.map(Shown.summary), nextCursor: page.nextCursor }
    },
    initialPageParam: undefined as string | undefined,
    getNextPageParam: ({ nextCursor }) => nextCursor ?? undefined,
    select: ({ pages }) => pages.flatMap(({ grants }) => grants),
    retry,
  })
}

/** Everything about a grant that changes together: terms, standing, coverage, meters, foreign spends, sessions. */
export function grantQuery(api: Api, grantId: string) {
  return queryOptions({
    queryKey: [root, api.url, 'grant', grantId],
    queryFn: async () => {
      const shown = Shown.grant(await api.grant(grantId))
      assertAsked(grantId, shown.grant.grantId)
      return shown
    },
    retry,
  })
}

export function receiptsQuery(api: Api, grantId: string, filter: Omit<ReceiptsPage, 'cursor'> = {}) {
  return infiniteQueryOptions({
    queryKey: [root, api.url, 'grant', grantId, 'receipts', filter],
    queryFn: ({ pageParam }) => api.receipts(grantId, { ...filter, cursor: pageParam }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: ({ nextCursor }) => nextCursor ?? undefined,
    retry,
  })
}

export function spendingQuery(api: Api, grantId: string, days = 30) {
  return queryOptions({
    queryKey: [root, api.url, 'grant', grantId, 'spending', days],
    queryFn: () => api.spending(grantId, days),
    retry,
  })
}

export function increasesQuery(api: Api, grantId: string) {
  return queryOptions({
    queryKey: [root, api.url, 'grant', grantId, 'increases'],
    queryFn: () => api.increases(grantId),
    retry,
  })
}
