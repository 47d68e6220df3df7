import { createRoute } from '@hono/zod-openapi'
import type { Hex } from 'viem'
import { z } from 'zod'
import * as Access from '../Access.js'
import type { Settings } from '../Options.js'
import * as Requests from '../Requests.js'
import { Approval, Decided, Id, NewRequest, RequestCreated, RequestShown } from '../Schema.js'
import { type App, answer, body, byKey, errors } from './kit.js'

const params = z.object({ id: Id })
const tags = ['requests']

const createRequest = createRoute({
  method: 'post',
  path: '/v1/requests',
  summary: 'Ask an owner to approve a grant',
  tags,
  security: byKey,
  request: { body: body(NewRequest) },
  responses: {
    201: answer(RequestCreated, 'the link for the owner: keep it, it is not shown again'),
    ...errors,
  },
})

const showRequest = createRoute({
  method: 'get',
  path: '/v1/requests/{id}',
  summary: 'What an owner is asked for; with the key that asked, his signature as well',
  tags,
  request: { params },
  responses: { 200: answer(RequestShown, 'the request'), ...errors },
})

const approveRequest = createRoute({
  method: 'post',
  path: '/v1/requests/{id}/approval',
  summary: 'Approve, by signature or by the transaction of the wallet',
  tags,
  request: { params, body: body(Approval) },
  responses: { 200: answer(Decided, 'approved'), ...errors },
})

const declineRequest = createRoute({
  method: 'post',
  path: '/v1/requests/{id}/decline',
  summary: 'Decline',
  tags,
  request: { params },
  responses: { 200: answer(Decided, 'declined'), ...errors },
})

export function requests(app: App, settings: Settings): void {
  app.openapi(createRequest, async (c) => {
    const key = await Access.withKey(c, settings, 'request')
    return c.json(await Requests.create(settings, key, c.req.valid('json')), 201)
  })
  app.openapi(showRequest, async (c) => {
    const who = await Access.principal(c, settings)
    const key = who?.kind === 'key' ? who.key : undefined
    return c.json(await Requests.show(settings, c.req.valid('param').id as Hex, key), 200)
  })
  app.openapi(approveRequest, async (c) => {
    Access.assertOrigin(c, settings)
    // Open to whoever has the link, and it asks the chain.
    settings.limiters.signIns.take(Access.callerOf(c, settings))
    const { id } = c.req.valid('param')
    const status = await Requests.approve(settings, id as Hex, c.req.valid('json'))
    return c.json({ id, status }, 200)
  })
  app.openapi(declineRequest, async (c) => {
    Access.assertOrigin(c, settings)
    const { id } = c.req.valid('param')
    return c.json({ id, status: await Requests.decline(settings, id as Hex) }, 200)
  })
}
