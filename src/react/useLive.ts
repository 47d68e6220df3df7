'use client'
import { useQueryClient } from '@tanstack/react-query'
import { useEffect, useState } from 'react'
import { useApi } from './HardcapProvider.js'
import { root } from './queries.js'

/**
 * Follows a grant while the component is there: what the server tells of is asked for again. Answers whether the line
 * is open; the browser opens it again by itself, and goes on after the last event that it saw.
 */
export function useLive(grantId: string): boolean {
  const [api, client] = [useApi(), useQueryClient()]
  const [isOpen, setOpen] = useState(false)
  const url = api.eventsUrl(grantId)
  useEffect(() => {
    const source = new EventSource(url, { withCredentials: true })
    const refresh = () => {
      void client.invalidateQueries({ queryKey: [root, api.url, 'grant', grantId] })
    }
    source.onopen = () => setOpen(true)
    source.onerror = () => setOpen(false)
    for (const event of ['receipt', 'meters', 'status']) source.addEventListener(event, refresh)
    return () => source.close()
  }, [url, api.url, client, grantId])
  return isOpen
}
