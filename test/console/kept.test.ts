import { beforeEach, expect, test, vi } from 'vitest'
import * as kept from '../../src/console/kept.js'
import * as Grant from '../../src/Grant.js'
import * as Permission from '../../src/Permission.js'

// A browser's localStorage, as far as it is used.
beforeEach(() => {
  const items: Record<string, string> = {}
  const methods = {
    getItem: (key: string) => items[key] ?? null,
    setItem: (key: string, text: string) => {
      items[key] = text
    },
  }
  const localStorage = new Proxy(methods, { ownKeys: () => Object.keys(items), getOwnPropertyDescriptor })
  vi.stubGlobal('window', { localStorage })
  function getOwnPropertyDescriptor() {
    return { enumerable: true, configurable: true }
  }
  return () => vi.unstubAllGlobals()
})

const grant = Grant.define({
  owner: '0x1111111111111111111111111111111111111111',
  agent: '0x2222222222222222222222222222222222222222',
  allow: [{ host: 'api.example.com', payTo: '0x3333333333333333333333333333333333333333' }],
  perDayUsd: '2',
  totalUsd: '25',
  expiresAt: '2090-12-31',
})
const terms = { grant, permission: Permission.fromGrant(grant) }
/** Of the same grant, by its id. */
const raised = (perDay: bigint) => {
  const other = { ...grant, perDay }
  return { grant: other, permission: Permission.fromGrant(other) }
}

test('default', () => {
  kept.keep(terms, { isApproved: false })
  expect(kept.of(grant.grantId)).toEqual([terms])
  expect(kept.all()).toEqual([terms])
  expect([kept.has(terms), kept.others(terms)]).toEqual([true, []])
})

test('behavior: others of the same grant are kept beside them, where the chain is said to know those as approved', () => {
  kept.keep(terms, { isApproved: false })
  const other = raised(5_000_000n)
  kept.keep(other, { isApproved: false })
  expect(kept.of(grant.grantId)).toEqual([terms])
  expect([kept.has(other), kept.others(other)]).toEqual([false, [terms]])
  for (const again of [other, terms, other]) kept.keep(again, { isApproved: true })
  expect(kept.of(grant.grantId)).toEqual([terms, other])
  expect(kept.all()).toEqual([terms, other])
  expect([kept.others(other), kept.others(terms)]).toEqual([[terms], [other]])
})

test('behavior: whatever is said to be approved, the first stay, and the last four', () => {
  const many = Array.from({ length: 9 }, (_, n) => raised(BigInt(n + 3) * 1_000_000n))
  for (const one of [terms, ...many]) kept.keep(one, { isApproved: true })
  expect(kept.of(grant.grantId)).toEqual([terms, ...many.slice(-4)])
})

test('error: what cannot be read is not there, and keeps nothing out', () => {
  for (const text of ['["{}"]', '{}', 'null', '[', '[7,7]']) {
    window.localStorage.setItem(`hardcap.grant.${grant.grantId}`, text)
    expect(kept.of(grant.grantId)).toEqual([])
    expect(kept.all()).toEqual([])
    kept.keep(terms, { isApproved: false })
    expect(kept.of(grant.grantId)).toEqual([terms])
  }
})

test('error: a browser that has no room left keeps what it has', () => {
  kept.keep(terms, { isApproved: true })
  const { localStorage } = window
  const setItem = () => {
    throw new DOMException('Full.', 'QuotaExceededError')
  }
  vi.stubGlobal('window', { localStorage: { getItem: localStorage.getItem, setItem } })
  kept.keep(raised(5_000_000n), { isApproved: true })
  expect(kept.of(grant.grantId)).toEqual([terms])
})

test('error: a browser that keeps nothing', () => {
  vi.stubGlobal('window', {})
  kept.keep(terms, { isApproved: true })
  expect(kept.of(grant.grantId)).toEqual([])
  expect(kept.all()).toEqual([])
})
