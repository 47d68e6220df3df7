import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { createElement as h, type ReactNode } from 'react'
import { renderToString } from 'react-dom/server'
import { http } from 'viem'
import { base } from 'viem/chains'
import { expect, test } from 'vitest'
import { createConfig, WagmiProvider } from 'wagmi'
import * as Coverage from '../../src/Coverage.js'
import * as Grant from '../../src/Grant.js'
import * as Permission from '../../src/Permission.js'
import {
  ApproveGrant,
  createApi,
  GrantCard,
  GrantTerms,
  HardcapProvider,
  ReceiptTable,
  requestQuery,
  SmartWalletCard,
  SpendChart,
  StopGrant,
} from '../../src/react/index.js'
import * as Show from '../../src/server/Show.js'

// On a server: no window, no document, and nothing may be asked while it renders.

const grant = Grant.define({
  owner: '0x1111111111111111111111111111111111111111',
  agent: '0x2222222222222222222222222222222222222222',
  allow: [{ host: 'api.example.com', payTo: '0x3333333333333333333333333333333333333333' }],
  perCallUsd: '0.05',
  perDayUsd: '2',
  totalUsd: '25',
  expiresAt: '2090-12-31',
})
const permission = Permission.fromGrant(grant)
const coverage = Coverage.of(grant)
const id = `0x${'ab'.repeat(16)}` as const
const asked: string[] = []
const api = createApi({
  fetch: async (input) => {
    asked.push(String(input))
    const request = {
      id,
      status: 'open',
      grant: Show.grant(grant),
      permission: Show.permission(permission),
      typedData: Show.typedData(permission),
      coverage: Show.coverage(coverage),
      names: [],
      note: '<script>alert(1)</script>',
      // As a server does, which says all of them in one place.
      warnings: coverage.warnings.map((message) => ({ code: 'COVERAGE', message })),
      expiresAt: 4e9,
      gas: { signature: 'agent', call: 'wallet' },
    }
    return Response.json(request)
  },
})

const Provided = ({ children }: { children?: ReactNode }) => HardcapProvider({ api, children })

function render(node: ReactNode, client = new QueryClient()): string {
  const config = createConfig({ chains: [base], transports: { [base.id]: http() }, ssr: true })
  const inner = h(QueryClientProvider, { client }, h(Provided, null, node))
  return renderToString(h(WagmiProvider, { config, reconnectOnMount: false }, inner))
}

test('default', () => {
  expect(typeof window).toBe('undefined')
  const meter = { cap: 'perDay', limit: '2000000', spent: '500000', reserved: '0', heldBy: 'chain' } as const
  const html = render([
    h(GrantTerms, { key: 1, grant, coverage }),
    h(GrantCard, { key: 2, grant, status: 'active', meters: [meter] }),
    h(StopGrant, { key: 3, permission, paused: false, revoked: true }),
  ])
  expect(html).toContain('25 USDC')
  expect(html).toContain('aria-valuenow="25"')
  expect(html).toContain('Revoked.')
  expect(asked).toEqual([])
})

test('behavior: what has to be asked is shown as on its way', () => {
  const { token, grantId } = grant
  for (const node of [
    h(ApproveGrant, { id }),
    h(ReceiptTable, { grantId, token }),
    h(SpendChart, { grantId, token }),
    h(SmartWalletCard, { owner: grant.owner, chainId: base.id }),
  ])
    expect(render(node)).toContain('Loading')
  expect(asked).toEqual([])
})

test('behavior: what was fetched before is there at once, and text stays text', async () => {
  const client = new QueryClient()
  await client.prefetchQuery(requestQuery(api, id))
  const html = render(h(ApproveGrant, { id }), client)
  expect(html).toContain('The most you can lose')
  expect(html).toContain('&lt;script&gt;alert(1)')
  expect(html).not.toContain('<script>alert')
  for (const warning of coverage.warnings) expect(html.split(warning)).toHaveLength(2)
})
