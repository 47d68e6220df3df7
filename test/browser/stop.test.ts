import { concat, type Hex, padHex, toFunctionSelector } from 'viem'
import { afterEach, describe, expect, test } from 'vitest'
import * as Grant from '../../src/Grant.js'
import * as Guard from '../../src/Guard.js'
import * as Permission from '../../src/Permission.js'
import * as Shown from '../../src/react/Shown.js'
import * as SpmRead from '../../src/SpmRead.js'
import type { RequestShown } from '../../src/server/Schema.js'
import { useBase } from '../base.js'
import { answer, approve, asked, connect, signIn } from './hands.js'
import { openScene } from './scene.js'

// Whatever a server and its endpoint say, the owner stops the agent.

const base = await useBase({ isolate: 'file' })
const scene = await openScene(base)
const { site } = scene
afterEach(() => {
  site.api = scene.api
})

/** An owner who has approved a grant, on its page's doorstep. */
async function approved() {
  const { page, request, ...rest } = await asked(scene)
  await connect(page)
  await approve(page)
  await page.getByText('The chain knows this permission').waitFor()
  await page.getByRole('link', { name: 'Watch this grant' }).waitFor()
  const { grant, permission } = Shown.request(await scene.backend<RequestShown>(`/v1/requests/${request.id}`))
  const { owner: account, token, grantId } = grant
  const stops = () => Guard.stopsOfAccount(base.client, { account, token: token.address, grantId })
  const path = `/v1/grants/${grantId}`
  return { ...rest, page, grant, permission, stops, path, url: `${site.origin}/grants/${grantId}` }
}

/** The real answers to GET, with some of them changed on the way. */
function lie(change: (path: string, answer: never) => unknown): void {
  site.api = async (request, env) => {
    const response = await scene.api(request, env)
    if (request.method !== 'GET' || !response.headers.get('content-type')?.includes('json')) return response
    const said = (await response.json()) as never
    const changed = change(new URL(request.url).pathname, said)
    return Response.json(changed ?? said, { status: response.status, headers: response.headers })
  }
}

/**
 * An endpoint of the server's own that answers every call of a contract so, and the rest not at all. The server itself
 * may change what it says as well.
 */
function endpoint(
  answerCall: (data: Hex) => object,
  change: (path: string, answer: never) => unknown = () => undefined,
): void {
  lie((path, said: object) =>
    path === '/v1/config' ? { ...said, rpcUrl: `${site.origin}/v1/liar` } : change(path, said as never),
  )
  const lies = site.api as Exclude<typeof site.api, 'down'>
  site.api = async (request, env) => {
    if (!request.url.endsWith('/v1/liar')) return lies(request, env)
    const { id, method, params } = (await request.json()) as Asked
    const gone = { error: { code: -32601, message: 'not here' } }
    const said = method === 'eth_call' ? answerCall(params[0].data) : gone
    return Response.json({ jsonrpc: '2.0', id, ...said })
  }
}

type Asked = { id: number; method: string; params: [{ data: Hex }] }

describe('an endpoint that the server has chosen', () => {
  test('behavior: one that refuses keeps nobody from pausing and revoking', async () => {
    const { page, stops, url, thrown } = await approved()
    endpoint(() => ({ error: { code: 3, message: 'execution reverted', data: '0x' } }))
    await signIn(page, site.origin)
    await page.goto(url)
    await page.getByRole('button', { name: /^Pause/ }).click()
    await page.getByText('It may fail.').waitFor()
    await answer(page, 'Confirm')
    await page.getByText('Your wallet has it on chain').waitFor()
    expect(await stops()).toEqual({ paused: true, revoked: false })
    await page.getByText('could not be compared with the chain').waitFor()
    site.api = 'down'
    await page.reload()
    await page.getByText('The chain has not said where it stands.').waitFor()
    await page.getByRole('button', { name: /^Revoke/ }).click()
    await page.getByRole('button', { name: /^Yes, revoke/ }).click()
    await answer(page, 'Confirm')
    await page.getByText('Your wallet has it on chain').waitFor()
    expect(await stops()).toMatchObject({ revoked: true })
    expect(thrown).toEqual([])
  })

  test('behavior: one that says it was revoked keeps nobody from revoking', async () => {
    const { page, stops, url } = await approved()
    const yes = padHex('0x1').slice(2)
    endpoint(() => ({ result: `0x${yes}${yes}` }))
    await signIn(page, site.origin)
    await page.goto(url)
    await page.getByText('Nothing can be spent under this grant any more.').waitFor()
    expect(await stops()).toMatchObject({ revoked: false })
    await page.getByRole('button', { name: /^Revoke all the same/ }).click()
    await page.getByRole('button', { name: /^Yes, revoke/ }).click()
    await answer(page, 'Confirm')
    await page.getByText('Your wallet has it on chain').waitFor()
    expect(await stops()).toMatchObject({ revoked: true })
  })
})

describe('a server', () => {
  test('behavior: that lies together with its endpoint does not have the page forget those it has seen', async () => {
    const { page, grant, path, stops, url } = await approved()
    const stolen = { ...grant, perDay: 3_000_000n }
    const terms = json({
      grant: Grant.serialize(stolen),
      permission: Permission.serialize(Permission.fromGrant(stolen)),
    })
    const isApproved = toFunctionSelector(
      'isApproved((address,address,address,uint160,uint48,uint48,uint48,uint256,bytes))',
    )
    endpoint(
      (data) => ({ result: concat([padHex(data.startsWith(isApproved) ? '0x1' : '0x0'), padHex('0x0')]) }),
      (at, said: object) => (at === path ? { ...said, ...terms } : undefined),
    )
    await signIn(page, site.origin)
    await page.goto(url)
    await page.getByText('Other terms of this grant that this browser has seen').waitFor()
    // Kept once the liars' endpoint has said that they are approved.
    const isKept = (name: string) => JSON.parse(window.localStorage.getItem(name) ?? '[]').length === 4
    await page.waitForFunction(isKept, `hardcap.grant.${grant.grantId}`)
    site.api = 'down'
    await page.reload()
    await page.getByText('The chain has not said where it stands.').first().waitFor()
    // Both, what was seen first before what the liars say.
    const cards = page.getByRole('article')
    await cards.nth(1).waitFor()
    expect(await cards.count()).toBe(2)
    await cards
      .first()
      .getByRole('button', { name: /^Revoke/ })
      .click()
    await cards
      .first()
      .getByRole('button', { name: /^Yes, revoke/ })
      .click()
    await answer(page, 'Confirm')
    await page.getByText('Your wallet has it on chain').waitFor()
    expect(await stops()).toMatchObject({ revoked: true })
  })

  test('error: that shows another grant in the place of this one', async () => {
    const { page, grant, path, stops, url } = await approved()
    const other = Grant.define({
      owner: grant.owner,
      agent: scene.payee,
      allow: [{ host: 'a.example', payTo: grant.agent }],
      perDayUsd: '1',
    })
    const terms = json({
      grant: Grant.serialize(other),
      permission: Permission.serialize(Permission.fromGrant(other)),
    })
    lie((at, said: object) => (at === path ? { ...said, ...terms } : undefined))
    await signIn(page, site.origin)
    await page.goto(url)
    await page.getByText('answered about another').waitFor()
    await page.getByText('The chain says: approved').waitFor()
    await page.getByRole('button', { name: /^Pause/ }).click()
    await answer(page, 'Confirm')
    await page.getByText('The chain says: paused').waitFor()
    expect(await stops()).toMatchObject({ paused: true })
  })

  test('behavior: that shows other terms does not have the page forget those it has seen', async () => {
    const { page, grant, permission, path, url } = await approved()
    const stolen = {
      ...grant,
      allow: [{ host: 'api.example.com', payTo: [grant.agent] }],
      agent: scene.payee,
    }
    const terms = json({
      grant: Grant.serialize(stolen),
      permission: Permission.serialize(Permission.fromGrant(stolen)),
    })
    lie((at, said: { standing: object }) =>
      at === path ? { ...said, ...terms, standing: { ...said.standing, approved: false } } : undefined,
    )
    const altered = site.api
    // Milder in words, over the permission that is the grant's.
    lie((at, said: { grant: object }) =>
      at === path ? { ...said, grant: { ...said.grant, perCall: '1' } } : undefined,
    )
    await signIn(page, site.origin)
    await page.goto(url)
    await page.getByText('Do not sign this.').waitFor()
    await page.getByRole('region', { name: 'Seen here before' }).waitFor()
    site.api = altered
    await page.reload()
    await page.getByText('The chain does not know this permission.').waitFor()
    await page.getByText('This is not what this browser has seen before.').waitFor()
    const seen = page.getByRole('region', { name: 'Seen here before' })
    await seen.getByText('The chain says: approved').waitFor()
    await seen.getByRole('button', { name: /^Revoke/ }).click()
    await seen.getByRole('button', { name: /^Yes, revoke/ }).click()
    await answer(page, 'Confirm')
    await seen.getByText('The chain says: revoked').waitFor()
    expect(await SpmRead.isRevoked(base.client, { permission })).toBe(true)
    // Nor later.
    site.api = 'down'
    await page.reload()
    await page.getByText('The chain says: revoked').waitFor()
  })

  test('behavior: that calls a grant revoked or paused, which the chain does not', async () => {
    const { page, path, url } = await approved()
    const said = { status: 'revoked', revoked: true, revokedBy: 'account', pausedBy: 'account' }
    lie((at, answer: { standing: object }) =>
      at === path ? { ...answer, standing: { ...answer.standing, ...said } } : undefined,
    )
    await signIn(page, site.origin)
    await page.goto(url)
    await page.getByText('The chain does not know of a revocation.').waitFor()
    expect(await page.locator('.hc-card-head .hc-badge').textContent()).toBe('active')
    expect(await page.getByText('Paused by').count()).toBe(0)
    await page.getByRole('button', { name: /^Pause/ }).waitFor()
    await page.getByRole('button', { name: /^Revoke/ }).waitFor()
  })

  test('behavior: that makes no sense leaves the buttons to stop', async () => {
    const { page, path, url, grant } = await approved()
    await scene.backend(`${path}/increases`, { cap: 'perDay', to: '5000000', reason: 'More.' })
    lie((at, { increases }: { increases: object[] }) =>
      at === `${path}/increases`
        ? { increases: increases.map((one) => ({ ...one, grant: null })) }
        : undefined,
    )
    await signIn(page, site.origin)
    await page.goto(url)
    await page.getByText('This request cannot be shown.').waitFor()
    await page.getByRole('button', { name: /^Pause/ }).waitFor()
    lie((at, said: object) =>
      at === path ? { ...said, meters: [{ cap: 'perDay', limit: 'all' }] } : undefined,
    )
    await page.reload()
    await page.getByText('It cannot be shown.').waitFor()
    await page.getByText('The chain says: approved').waitFor()
    await page.getByRole('button', { name: /^Pause/ }).waitFor()
    // Left out of the list, and never signed in.
    lie((at) => (at === '/v1/grants' ? { grants: [], nextCursor: null } : undefined))
    await page.goto(site.origin)
    await page.getByText('Not among what the server lists').waitFor()
    await page.getByRole('link', { name: grant.id }).waitFor()
    site.api = (request, env) => {
      const refused = { error: { code: 'UNAUTHENTICATED', message: 'Sign in.' } }
      return request.url.includes('/v1/config')
        ? scene.api(request, env)
        : Response.json(refused, { status: 401 })
    }
    await page.reload()
    await page.getByText('You can still stop these').waitFor()
    await page.getByRole('link', { name: grant.id }).click()
    await page.getByText('Sign in with the wallet').waitFor()
    await page.getByRole('button', { name: /^Pause/ }).waitFor()
  })
})

/** As they come over HTTP. */
function json(texts: Record<string, string>): object {
  return Object.fromEntries(Object.entries(texts).map(([name, text]) => [name, JSON.parse(text)]))
}
