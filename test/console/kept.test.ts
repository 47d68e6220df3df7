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
  expect(kept.find(grant.grantId)).toEqual(terms)
  expect(kept.all()).toEqual([terms])
  expect(kept.other(terms)).toBeUndefined()
})

test('behavior: others of the same grant take their place only where the chain knows them as approved', () => {
  kept.keep(terms, { isApproved: false })
  const other = raised(5_000_000n)
  kept.keep(other, { isApproved: false })
  expect(kept.find(grant.grantId)).toEqual(terms)
  expect(kept.other(other)).toEqual(terms)
  kept.keep(other, { isApproved: true })
  expect(kept.find(grant.grantId)).toEqual(other)
  expect(kept.other(other)).toBeUndefined()
})

test('error: what cannot be read is not there, and keeps nothing out', () => {
  window.localStorage.setItem(`hardcap.grant.${grant.grantId}`, '["{}"]')
  expect(kept.find(grant.grantId)).toBeUndefined()
  expect(kept.all()).toEqual([])
  kept.keep(terms, { isApproved: false })
  expect(kept.find(grant.grantId)).toEqual(terms)
})

test('error: a browser that keeps nothing', () => {
  vi.stubGlobal('window', {})
  kept.keep(terms, { isApproved: true })
  expect(kept.find(grant.grantId)).toBeUndefined()
  expect(kept.all()).toEqual([])
})
