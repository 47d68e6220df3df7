import { createRoute } from '@hono/zod-openapi'
import type { Context } from 'hono'
import type { Hex } from 'viem'
import { z } from 'zod'
import * as Coverage from '../../Coverage.js'
import * as Access from '../Access.js'
import * as Books from '../Books.js'
import * as Calls from '../Calls.js'
import * as Events from '../Events.js'
import type { Settings } from '../Options.js'
import { notFound } from '../Problem.js'
import * as ReceiptPages from '../Receipts.js'
import {
  Calls as CallsShown,
  GrantId,
  GrantShown,
  Grants,
  GrantsQuery,
  NewCalls,
  Receipts,
  ReceiptsQuery,
  Spending,
  SpendingQuery,
} from '../Schema.js'
import { shared } from '../Shared.js'
import * as Show from '../Show.js'
import { type App, answer, body, byEither, errors } from './kit.js'

const params = z.object({ grantId: GrantId })
const common = { tags: ['grants'], security: byEither }
const path = '/v1/grants/{grantId}'

const listGrants = createRoute({
  ...common,
  method: 'get',
  path: '/v1/grants',
  summary: "The owner's grants, or those of the key, in the order of their ids",
  request: { query: GrantsQuery },
  responses: { 200: answer(Grants, 'a page, which may be empty and have a next one'), ...errors },
})

const showGrant = createRoute({
  ...common,
  method: 'get',
  path,
  summary: 'A grant: where it stands, what holds it, what was spent',
  request: { params },
  responses: { 200: answer(GrantShown, 'the grant'), ...errors },
})

const listReceipts = createRoute({
  ...common,
  method: 'get',
  path: `${path}/receipts`,
  summary: 'Receipts, newest first',
  request: { params, query: ReceiptsQuery },
  responses: { 200: answer(Receipts, 'a page, which may be empty and have a next one'), ...errors },
})

const showSpending = createRoute({
  ...common,
  method: 'get',
  path: `${path}/spending`,
  summary: 'What was spent, by UTC day and host; of a float, what left it',
  request: { params, query: SpendingQuery },
  responses: { 200: answer(Spending, 'days that saw something'), ...errors },
})

const watch = createRoute({
  ...common,
  method: 'get',
  path: `${path}/events`,
  summary: 'What happens, as server-sent events: receipt, meters, status',
  description: 'Last-Event-ID is the seq of the last receipt that was seen.',
  request: { params },
  responses: {
    200: { description: 'a stream', content: { 'text/event-stream': { schema: z.string() } } },
    ...errors,
  },
})

const prepareCalls = createRoute({
  ...common,
  method: 'post',
  path: `${path}/calls`,
  summary: "Calls for the owner's wallet to send",
  request: { params, body: body(NewCalls) },
  responses: { 200: answer(CallsShown, 'calls'), ...errors },
})

/** An agent should not run out of gas unseen: `openBudget` warns at the same balance. */
const gasWarningWei = 500_000_000_000_000n

export function grants(app: App, settings: Settings, hub: Events.Hub): void {
  const { store, chain } = settings
  const spending = shared<Spending>()

  /** The account, to whoever may see it. */
  async function seen(c: Context, grantId: Hex): Promise<Books.Account> {
    await Access.assertSees(settings, await Access.anybody(c, settings), grantId)
    const found = await Books.read(store, grantId)
    if (!found) throw notFound('grant')
    return found
  }

  app.openapi(listGrants, async (c) => {
    const { cursor, limit = 50 } = c.req.valid('query')
    const page = { cursor: cursor as Hex | undefined, limit }
    const { grantIds, nextCursor } = await Access.seen(settings, await Access.anybody(c, settings), page)
    const found = await Promise.all(grantIds.map((grantId) => Books.summary(store, grantId)))
    return c.json({ grants: found.flatMap((summary) => summary ?? []), nextCursor }, 200)
  })
  app.openapi(showGrant, async (c) => {
    const account = await seen(c, c.req.valid('param').grantId as Hex)
    const { grant, permission, meters, row } = account
    const { grantId, agent } = grant
    const [standing, gas, foreign, sessions] = await Promise.all([
      Events.standingOf(settings, account),
      chain.balance(agent).catch(() => null),
      Books.foreign(store, grantId),
      Books.sessions(store, grantId),
    ])
    return c.json(
      {
        grant: Show.grant(grant),
        permission: Show.permission(permission),
        standing,
        coverage: Show.coverage(Coverage.of(grant, { permission })),
        meters,
        agent: {
          address: agent,
          gasWei: gas === null ? null : String(gas),
          gasWarning: gas !== null && gas < gasWarningWei,
        },
        foreign,
        sessions,
        receipts: row.receipts,
      },
      200,
    )
  })
  app.openapi(listReceipts, async (c) => {
    const { grantId } = (await seen(c, c.req.valid('param').grantId as Hex)).grant
    return c.json(await ReceiptPages.page(store, grantId, c.req.valid('query')), 200)
  })
  app.openapi(showSpending, async (c) => {
    const { grantId } = (await seen(c, c.req.valid('param').grantId as Hex)).grant
    const { days = 30 } = c.req.valid('query')
    const gone = AbortSignal.any([c.get('late'), c.req.raw.signal])
    const found = await spending(`${grantId} ${days}`, gone, (signal) =>
      ReceiptPages.spending(store, grantId, days, signal),
    )
    return c.json(found, 200)
  })
  app.openapi(watch, async (c) => {
    const grantId = c.req.valid('param').grantId as Hex
    const who = await Access.anybody(c, settings)
    await Access.assertSees(settings, who, grantId)
    // Nobody would read a stream that answers a HEAD, and it would be open for good.
    if (c.req.method === 'HEAD') return c.body(null, 200, { 'content-type': 'text/event-stream' })
    const name = who.kind === 'key' ? `key ${who.key.family}` : `owner ${who.session.address}`
    return hub.open({
      grantId,
      name,
      lastEventId: c.req.header('last-event-id'),
      // Asked anew: a session ends and a key is revoked while a stream is open.
      assertAllowed: async () => Access.assertSees(settings, await Access.still(c, settings), grantId),
    })
  })
  app.openapi(prepareCalls, async (c) => {
    const who = await Access.anybody(c, settings)
    if (who.kind === 'owner') Access.assertNotForged(c, settings, who.token)
    const account = await seen(c, c.req.valid('param').grantId as Hex)
    return c.json(Calls.prepare(account, c.req.valid('json')), 200)
  })
}
