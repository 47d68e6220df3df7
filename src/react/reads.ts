'use client'
import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import type { ReceiptsPage } from './Api.js'
import { useApi } from './HardcapProvider.js'
import * as queries from './queries.js'

// Each is a query of queries.ts with the client of the provider, and nothing more.

/** What the server is for: chain, contracts, token. */
export function useServerConfig() {
  return useQuery(queries.configQuery(useApi()))
}

/** A request for approval, checked: `data.differences` has to be empty before anything is signed. */
export function useRequest(id: string) {
  return useQuery(queries.requestQuery(useApi(), id))
}

/** Who is signed in; null where nobody is. */
export function useSession() {
  return useQuery(queries.sessionQuery(useApi()))
}

/** The grants of whoever is signed in, by pages: `data` is one list of those that were asked for so far. */
export function useGrants() {
  return useInfiniteQuery(queries.grantsQuery(useApi()))
}

/** A grant with everything that changes about it. */
export function useGrant(grantId: string) {
  return useQuery(queries.grantQuery(useApi(), grantId))
}

/** Who holds each cap of a grant, and the most that can be lost; computed here from the grant. */
export function useCoverage(grantId: string) {
  return useQuery({ ...queries.grantQuery(useApi(), grantId), select: ({ coverage }) => coverage })
}

/** What was spent and reserved under each cap. */
export function useMeters(grantId: string) {
  return useQuery({ ...queries.grantQuery(useApi(), grantId), select: ({ meters }) => meters })
}

/** The record of every decision and settlement, newest first, by pages. */
export function useReceipts(grantId: string, filter: Omit<ReceiptsPage, 'cursor'> = {}) {
  return useInfiniteQuery(queries.receiptsQuery(useApi(), grantId, filter))
}

/** What each UTC day saw, by host. */
export function useSpending(grantId: string, days = 30) {
  return useQuery(queries.spendingQuery(useApi(), grantId, days))
}

/** Requests for a higher cap. Read each with `Shown.increase` before it is shown. */
export function useIncreases(grantId: string) {
  return useQuery(queries.increasesQuery(useApi(), grantId))
}
