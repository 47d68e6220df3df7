/**
 * What this browser keeps of grants that it has shown, so that their owner can stop them while the server is away. Terms
 * alone, as the chain has them too; nothing here is trusted more than what a server says.
 */
import * as Grant from '../Grant.js'
import * as Permission from '../Permission.js'

export type Kept = { readonly grant: Grant.Grant; readonly permission: Permission.Permission }

const prefix = 'hardcap.grant.'

/**
 * Keeps the terms. Others that are kept of the same grant stay, unless these are `isApproved` by the chain's own word:
 * else a server could have a page forget what its owner may have to stop.
 */
export function keep(terms: Kept, { isApproved }: { readonly isApproved: boolean }): void {
  const { grant, permission } = terms
  if (!isApproved && other(terms) !== undefined) return
  try {
    const terms = [Grant.serialize(grant), Permission.serialize(permission)]
    window.localStorage.setItem(prefix + grant.grantId, JSON.stringify(terms))
  } catch {
    // A browser that keeps nothing can still show everything.
  }
}

/** Undefined where it was never shown here, or cannot be read. */
export function find(grantId: string): Kept | undefined {
  try {
    const text = window.localStorage.getItem(prefix + grantId)
    if (text === null) return undefined
    const [grant, permission] = JSON.parse(text)
    return { grant: Grant.parse(grant), permission: Permission.parse(permission) }
  } catch {
    return undefined
  }
}

/** What is kept of the same grant, and is not this. */
export function other({ grant, permission }: Kept): Kept | undefined {
  const before = find(grant.grantId)
  return before === undefined || Permission.equals(before.permission, permission) ? undefined : before
}

/** All that are kept, in no order. */
export function all(): readonly Kept[] {
  try {
    return Object.keys(window.localStorage).flatMap((key) => {
      const kept = key.startsWith(prefix) ? find(key.slice(prefix.length)) : undefined
      return kept ?? []
    })
  } catch {
    return []
  }
}
