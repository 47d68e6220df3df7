import { createRoute } from '@hono/zod-openapi'
import type { Context } from 'hono'
import type { Hex } from 'viem'
import { z } from 'zod'
import * as Grant from '../../Grant.js'
import * as Access from '../Access.js'
import * as Asked from '../Increases.js'
import type { Settings } from '../Options.js'
import { Decided, GrantId, Id, IncreaseApproval, IncreaseShown, Increases, NewIncrease } from '../Schema.js'
import { type App, answer, body, byEither, byKey, bySession, errors } from './kit.js'

const tags = ['increases']
const ofGrant = z.object({ grantId: GrantId })
const ofIncrease = z.object({ id: Id })

const listIncreases = createRoute({
  method: 'get',
  path: '/v1/grants/{grantId}/increases',
  summary: 'Higher caps that were asked for, newest first',
  tags,
  security: byEither,
  request: { params: ofGrant },
  responses: { 200: answer(Increases, 'increases'), ...errors },
})

const createIncrease = createRoute({
  method: 'post',
  path: '/v1/grants/{grantId}/increases',
  summary: 'Ask the owner for a higher cap',
  tags,
  security: byKey,
  request: { params: ofGrant, body: body(NewIncrease) },
  responses: { 201: answer(IncreaseShown, 'the increase'), ...errors },
})

const approveIncrease = createRoute({
  method: 'post',
  path: '/v1/increases/{id}/approval',
  summary: "Approve, by the owner's signature of the new permission",
  tags,
  security: bySession,
  request: { params: ofIncrease, body: body(IncreaseApproval) },
  responses: { 200: answer(Decided, 'approved'), ...errors },
})

const declineIncrease = createRoute({
  method: 'post',
  path: '/v1/increases/{id}/decline',
  summary: 'Decline',
  tags,
  security: bySession,
  request: { params: ofIncrease },
  responses: { 200: answer(Decided, 'declined'), ...errors },
})

export function increases(app: App, settings: Settings): void {
  /** The increase, to the owner of its grant alone. */
  async function owned(c: Context, id: Hex) {
    const session = await Access.owner(c, settings)
    const row = await Asked.get(settings, id)
    Access.assertOwns(session, Grant.parse(row.grant).owner, 'increase')
    return row
  }

  app.openapi(listIncreases, async (c) => {
    const grantId = c.req.valid('param').grantId as Hex
    const who = await Access.anybody(c, settings)
    const key = who.kind === 'key' ? who.key : undefined
    await Access.assertSees(settings, who, grantId, key?.verbs.includes('increase') ? 'increase' : 'read')
    return c.json({ increases: await Asked.list(settings, grantId, key) }, 200)
  })
  app.openapi(createIncrease, async (c) => {
    const grantId = c.req.valid('param').grantId as Hex
    const key = await Access.withKey(c, settings, 'increase')
    await Access.assertSees(settings, { kind: 'key', key }, grantId, 'increase')
    return c.json(await Asked.create(settings, key, grantId, c.req.valid('json')), 201)
  })
  app.openapi(approveIncrease, async (c) => {
    const { id } = c.req.valid('param')
    const row = await owned(c, id as Hex)
    const { signature } = c.req.valid('json')
    return c.json({ id, status: await Asked.approve(settings, row, signature as Hex) }, 200)
  })
  app.openapi(declineIncrease, async (c) => {
    const { id } = c.req.valid('param')
    return c.json({ id, status: await Asked.decline(settings, await owned(c, id as Hex)) }, 200)
  })
}
