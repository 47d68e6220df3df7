import { createContext, type ReactNode, useContext } from 'react'
import type { Api } from './Api.js'

const ApiContext = createContext<Api | undefined>(undefined)

/** Gives the hooks their server. Within wagmi's provider and @tanstack/query's. */
export function HardcapProvider({ api, children }: { api: Api; children: ReactNode }) {
  return <ApiContext.Provider value={api}>{children}</ApiContext.Provider>
}

/** The client of the nearest provider. */
export function useApi(): Api {
  const api = useContext(ApiContext)
  if (api === undefined)
    throw new Error('There is no <HardcapProvider api={createApi()}> around this component.')
  return api
}
