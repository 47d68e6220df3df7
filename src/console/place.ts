/** Where the console is mounted: the document's `<base>`, which a server sets that serves it under a prefix. */
import { useSyncExternalStore } from 'react'

/** With a slash at both ends. */
export const mount = new URL('.', document.baseURI).pathname

/** A page of the console. */
export type Place =
  | { readonly page: 'grants' }
  | { readonly page: 'grant'; readonly grantId: string }
  | { readonly page: 'approve'; readonly id: string }
  | { readonly page: 'decode' }
  | { readonly page: 'unknown' }

/** The page that a path stands for. */
export function parse(pathname: string): Place {
  if (!pathname.startsWith(mount)) return { page: 'unknown' }
  const [first = '', second, ...rest] = pathname.slice(mount.length).replace(/\/$/, '').split('/')
  if (rest.length > 0) return { page: 'unknown' }
  if (second === undefined) {
    if (first === '') return { page: 'grants' }
    return first === 'decode' ? { page: 'decode' } : { page: 'unknown' }
  }
  if (first === 'grants' && /^0x[0-9a-f]{64}$/.test(second)) return { page: 'grant', grantId: second }
  if (first === 'approve' && /^0x[0-9a-f]{32}$/.test(second)) return { page: 'approve', id: second }
  return { page: 'unknown' }
}

/** The path of a page, for a link. */
export function href(place: Place): string {
  switch (place.page) {
    case 'grant':
      return `${mount}grants/${place.grantId}`
    case 'approve':
      return `${mount}approve/${place.id}`
    case 'decode':
      return `${mount}decode`
    default:
      return mount
  }
}

const listeners = new Set<() => void>()

/** Goes to a page without loading the document again. */
export function go(path: string): void {
  window.history.pushState(null, '', path)
  for (const listener of listeners) listener()
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener)
  window.addEventListener('popstate', listener)
  return () => {
    listeners.delete(listener)
    window.removeEventListener('popstate', listener)
  }
}

/** The path that is shown. */
export function usePathname(): string {
  return useSyncExternalStore(subscribe, () => window.location.pathname)
}
