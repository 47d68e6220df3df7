import { createRoute } from '@hono/zod-openapi'
import type { Context } from 'hono'
import { hardcapGuard, spendPermissionManager } from '../../Addresses.js'
import * as Token from '../../Token.js'
import * as Access from '../Access.js'
import type { Metrics } from '../Metrics.js'
import { isLoopback, type Settings } from '../Options.js'
import { unauthorized } from '../Problem.js'
import { Config, Health } from '../Schema.js'
import * as Secret from '../Secret.js'
import { type App, answer, errors } from './kit.js'

const config = createRoute({
  method: 'get',
  path: '/v1/config',
  summary: 'What a page has to know',
  responses: { 200: answer(Config, 'public'), ...errors },
})

const healthz = createRoute({
  method: 'get',
  path: '/healthz',
  summary: 'Whether the process answers',
  responses: { 200: answer(Health, 'it does') },
})

const readyz = createRoute({
  method: 'get',
  path: '/readyz',
  summary: 'Whether books, records and chain answer',
  responses: { 200: answer(Health, 'they do'), 503: answer(Health, 'one of them does not') },
})

export function system(app: App, settings: Settings, metrics: Metrics): void {
  const { chainId, rpcUrl, explorerUrl, development = false, store, records, chain } = settings
  const { address, symbol, decimals } = Token.resolve('USDC', { chainId, field: 'client.chain.id' })

  app.openapi(config, (c) =>
    c.json(
      {
        chainId,
        ...(rpcUrl === undefined ? {} : { rpcUrl }),
        guard: hardcapGuard,
        spendPermissionManager,
        token: { address, symbol, decimals },
        ...(explorerUrl === undefined ? {} : { explorerUrl }),
        development,
      },
      200,
    ),
  )
  app.openapi(healthz, (c) => c.json({ ok: true }, 200))
  app.openapi(readyz, async (c) => {
    const answers = async (work: Promise<boolean>) => work.catch(() => false)
    const [books, kept, chainAnswers] = await Promise.all([
      answers(store.transact('0x', async (tx) => (await tx.list('grants', {}, { limit: 1 })).length >= 0)),
      answers(
        records.transact('ready', async (tx) => (await tx.list('server_keys', {}, { limit: 1 })).length >= 0),
      ),
      answers(chain.chainId().then((id) => id === chainId)),
    ])
    const checks = { books, records: kept, chain: chainAnswers }
    const ok = Object.values(checks).every(Boolean)
    return c.json({ ok, checks }, ok ? 200 : 503)
  })
  app.get('/metrics', async (c) => {
    if (!mayMeasure(c, settings)) throw unauthorized()
    return c.body(await metrics.text(), 200, { 'content-type': metrics.contentType })
  })
}

/**
 * Whoever has the token; without one programs on this machine, of a server that is for this machine alone. A proxy on it
 * is such a program too and speaks for others, whether it says so or not, and so does a page whose name was made to point
 * here: neither is let in.
 */
function mayMeasure(c: Context, { metricsToken, origin, trustedProxies = 0 }: Settings): boolean {
  if (metricsToken !== undefined)
    return Secret.equal(c.req.header('authorization') ?? '', `Bearer ${metricsToken}`)
  const from = Access.socketAddress(c.env)
  const isForwarded = ['forwarded', 'x-forwarded-for', 'x-real-ip', 'via'].some((name) => c.req.header(name))
  const isOwn = isLoopback(origin.hostname) && trustedProxies === 0 && !isForwarded
  return isOwn && from !== undefined && isLoopback(from) && isLoopback(new URL(c.req.url).hostname)
}
