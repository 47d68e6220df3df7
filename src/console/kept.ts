/**
 * What this browser keeps of grants that it has shown, so that their owner can stop them while the server is away. Terms
 * alone, as the chain has them too; nothing here is trusted more than what a server says.
 */
import * as Grant from '../Grant.js'
import * as Permission from '../Permission.js'

export type Kept = { readonly grant: Grant.Grant; readonly permission: Permission.Permission }

const prefix = 'hardcap.grant.'

/** Of each grant, so that nobody fills the browser: the first that were seen, and the last. */
const most = 5

/**
 * Keeps the terms, beside others that are kept of the same grant: those only where these are `isApproved`. Whoever names
 * the endpoint decides what that is, so nothing takes the place of what was seen first, by which its owner can stop all
 * permissions of the grant that the guard knows.
 */
export function keep(terms: Kept, { isApproved }: { readonly isApproved: boolean }): void {
  const { grantId } = terms.grant
  const before = of(grantId)
  if (has(terms) || (before.length > 0 && !isApproved)) return
  const [first, ...later] = [...before, terms]
  const texts = [first ?? terms, ...later.slice(1 - most)].flatMap(({ grant, permission }) => [
    Grant.serialize(grant),
    Permission.serialize(permission),
  ])
  try {
    window.localStorage.setItem(prefix + grantId, JSON.stringify(texts))
  } catch {
    // A browser that keeps nothing can still show everything.
  }
}

/** What is kept of a grant, as it was seen; nothing where it was never shown here, or cannot be read. */
export function of(grantId: string): readonly Kept[] {
  try {
    const texts: string[] = JSON.parse(window.localStorage.getItem(prefix + grantId) ?? '[]')
    return texts.flatMap((text, n) => (n % 2 === 0 ? read(text, texts[n + 1]) : []))
  } catch {
    return []
  }
}

function read(grant: string, permission = ''): readonly Kept[] {
  try {
    return [{ grant: Grant.parse(grant), permission: Permission.parse(permission) }]
  } catch {
    return []
  }
}

/** What is kept of the same grant, and is not this. */
export function others({ grant, permission }: Kept): readonly Kept[] {
  return of(grant.grantId).filter((one) => !Permission.equals(one.permission, permission))
}

export function has({ grant, permission }: Kept): boolean {
  return of(grant.grantId).some((one) => Permission.equals(one.permission, permission))
}

/** All that are kept: those of a grant as they were seen, grants in no order. */
export function all(): readonly Kept[] {
  try {
    const keys = Object.keys(window.localStorage)
    return keys.flatMap((key) => (key.startsWith(prefix) ? of(key.slice(prefix.length)) : []))
  } catch {
    return []
  }
}
