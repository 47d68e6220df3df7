import { stringify } from 'viem'
import { describe, expect, test } from 'vitest'
import * as Grant from '../../src/Grant.js'
import * as Guard from '../../src/Guard.js'
import * as Permission from '../../src/Permission.js'
import * as Shown from '../../src/react/Shown.js'
import type { RequestShown } from '../../src/server/Schema.js'
import { useBase } from '../base.js'
import { answer, approve, connect, signIn } from './hands.js'
import { openScene, walletOf } from './scene.js'

const base = await useBase({ isolate: 'file' })
const scene = await openScene(base)
const { site } = scene

/** An owner on the page of a request of his. */
async function asked() {
  const owner = await scene.owner()
  walletOf(scene, [owner])
  const request = await scene.ask(owner.wallet)
  const visit = await scene.visit()
  await visit.page.goto(request.url)
  await visit.page.getByText('The most you can lose').waitFor()
  return { ...visit, owner, request }
}

describe('a request', () => {
  test('behavior: what one tab approves, the other does not ask for again', async () => {
    const { page, context, request } = await asked()
    const other = await context.newPage()
    await other.goto(request.url)
    await other.getByText('The most you can lose').waitFor()
    await connect(page)
    await approve(page)
    await page.getByText('The chain knows this permission').waitFor()
    await other.getByText('The chain knows this permission').waitFor()
    expect(await other.getByRole('button', { name: /^Approve/ }).count()).toBe(0)
  })

  test('behavior: two tabs that both sign make one approval', async () => {
    const { page, context, request } = await asked()
    await connect(page)
    const other = await context.newPage()
    await other.goto(request.url)
    await other.getByRole('button', { name: /^Approve by signing/ }).click()
    await other.getByRole('dialog').waitFor()
    await approve(page)
    await page.getByText('The chain knows this permission').waitFor()
    await answer(other, 'Confirm')
    await other.getByText('The chain knows this permission').waitFor()
  })

  test('behavior: a link that is opened again shows what became of it', async () => {
    const { page, request } = await asked()
    await connect(page)
    await approve(page)
    await page.getByText('The chain knows this permission').waitFor()
    const stranger = await scene.visit()
    await stranger.page.goto(request.url)
    await stranger.page.getByText('The chain knows this permission').waitFor()
    expect(await stranger.page.getByRole('button', { name: /^(Approve|Decline)/ }).count()).toBe(0)
  })

  test('behavior: declined, it stays declined', async () => {
    const { page, request } = await asked()
    await page.getByRole('button', { name: /^Decline/ }).click()
    await page.getByText('Nothing was signed, and nothing can be spent.').waitFor()
    expect(await scene.backend(`/v1/requests/${request.id}`)).toMatchObject({ status: 'declined' })
    await page.reload()
    await page.getByText('Nothing was signed, and nothing can be spent.').waitFor()
  })

  test('error: expired, it cannot be approved', async () => {
    const { page, request } = await asked()
    await connect(page)
    scene.ahead = 8 * 86_400
    try {
      await page.reload()
      await page.getByText('This request lapsed on').waitFor()
      expect(await page.getByRole('button', { name: /^Approve/ }).count()).toBe(0)
      expect(await scene.backend(`/v1/requests/${request.id}`)).toMatchObject({ status: 'expired' })
    } finally {
      scene.ahead = 0
    }
  })

  test('error: no such request', async () => {
    const { page } = await scene.visit()
    await page.goto(`${site.origin}/approve/0x${'00'.repeat(16)}`)
    await page.getByRole('alert').waitFor()
    await page.goto(`${site.origin}/approve/nonsense`)
    await page.getByText('There is no such page.').waitFor()
  })
})

describe('a server that is away', () => {
  test('error: a signature that it did not get is no approval; then it is given again', async () => {
    const { page, request } = await asked()
    await connect(page)
    site.api = 'down'
    try {
      await approve(page)
      await page.getByText('The server does not answer.').first().waitFor()
    } finally {
      site.api = scene.api
    }
    expect(await scene.backend(`/v1/requests/${request.id}`)).toMatchObject({ status: 'open' })
    await approve(page)
    await page.getByText('The chain knows this permission').waitFor()
  })

  test('behavior: the owner pauses and revokes all the same', async () => {
    const { page, request } = await asked()
    await connect(page)
    await approve(page)
    await page.getByText('The chain knows this permission').waitFor()
    const shown = Shown.request(await scene.backend<RequestShown>(`/v1/requests/${request.id}`))
    const { owner: account, token, grantId } = shown.grant
    const stops = () => Guard.stopsOfAccount(base.client, { account, token: token.address, grantId })
    await page.getByRole('link', { name: 'Watch this grant' }).waitFor()
    site.api = 'down'
    try {
      await page.goto(`${site.origin}/`)
      await page.getByText('You can still stop these').waitFor()
      await page.getByRole('link', { name: 'Research agent' }).click()
      await page.getByText('The chain says: approved').waitFor()
      await page.getByRole('button', { name: /^Pause/ }).click()
      await answer(page, 'Confirm')
      await page.getByText('The chain says: paused').waitFor()
      expect(await stops()).toEqual({ paused: true, revoked: false })
      await page.getByRole('button', { name: /^Revoke/ }).click()
      await page.getByRole('button', { name: /^Yes, revoke/ }).click()
      await answer(page, 'Confirm')
      await page.getByText('The chain says: revoked').waitFor()
      expect((await stops()).revoked).toBe(true)
    } finally {
      site.api = scene.api
    }
  })
})

describe('a server that lies', () => {
  /** The real answer, with something of it changed on the way. */
  function lie(change: (answer: RequestShown) => Partial<RequestShown>): void {
    site.api = async (request, env) => {
      const response = await scene.api(request, env)
      if (request.method !== 'GET' || !/requests\/0x[0-9a-f]+$/.test(request.url)) return response
      const answer = (await response.json()) as RequestShown
      return Response.json({ ...answer, ...change(answer) })
    }
  }
  const thief = '0x4444444444444444444444444444444444444444'

  test('error: whatever differs from what is shown is not put before the wallet', async () => {
    const lies: ((answer: RequestShown) => Partial<RequestShown>)[] = [
      // Shows one thing and asks to sign another.
      ({ typedData }) => ({
        typedData: { ...typedData, message: { ...typedData.message, allowance: '1000000000' } },
      }),
      ({ typedData }) => ({ typedData: { ...typedData, message: { ...typedData.message, spender: thief } } }),
      ({ typedData, grant }) => ({
        typedData: { ...typedData, domain: { ...typedData.domain, verifyingContract: grant.token } },
      }),
      // Both halves agree with each other, and not with the terms in words.
      (answer) => {
        const { permission } = Shown.request(answer)
        const other = { ...permission, allowance: permission.allowance * 1000n }
        return {
          permission: JSON.parse(Permission.serialize(other)),
          typedData: JSON.parse(stringify(Permission.typedData(other))),
        }
      },
      // Milder terms in words than the ones to be signed.
      ({ grant }) => ({ grant: { ...grant, allow: [{ host: 'api.example.com', payTo: [thief] }] } }),
      ({ grant }) => ({ grant: { ...grant, perCall: '1' } }),
      ({ grant }) => ({
        grant: { ...grant, allow: ['api.example.com', ...grant.allow].slice(1, 2), id: 'Nice' },
      }),
    ]
    const owner = await scene.owner()
    walletOf(scene, [owner])
    const { id, url } = await scene.ask(owner.wallet)
    const { page, thrown } = await scene.visit()
    await page.goto(url)
    await connect(page)
    await page.getByRole('button', { name: /^Approve by signing/ }).waitFor()
    try {
      for (const change of lies) {
        lie(change)
        await page.reload()
        await page.getByText('Do not sign this.').waitFor()
        expect(await page.getByRole('button', { name: /^Approve/ }).count()).toBe(0)
      }
    } finally {
      site.api = scene.api
    }
    expect(await scene.backend(`/v1/requests/${id}`)).toMatchObject({ status: 'open' })
    expect(thrown).toEqual([])
  })

  test('error: terms that cannot be read are not shown as terms', async () => {
    const { page } = await asked()
    lie(({ grant }) => ({ grant: { ...grant, perDay: '1e30' } }))
    try {
      await page.reload()
      await page.getByRole('alert').waitFor()
      expect(await page.getByText('The most you can lose').count()).toBe(0)
    } finally {
      site.api = scene.api
    }
  })

  test('behavior: its coverage is not believed', async () => {
    const { page } = await asked()
    lie(({ coverage }) => ({
      coverage: { ...coverage, worst: { second: '1', utcDay: '1', day: '1', life: '1' }, warnings: [] },
    }))
    try {
      await page.reload()
      const worst = page.getByRole('region', { name: 'The most you can lose' })
      await worst.waitFor()
      expect(await worst.textContent()).toContain('25 USDC')
    } finally {
      site.api = scene.api
    }
  })
})

describe('a server that lies about what is there', () => {
  test('error: an increase brings no payee along, whatever was there before by its account', async () => {
    const { page, request, owner } = await asked()
    await connect(page)
    await approve(page)
    await page.getByText('The chain knows this permission').waitFor()
    const { grant } = Shown.request(await scene.backend<RequestShown>(`/v1/requests/${request.id}`))
    const path = `/v1/grants/${grant.grantId}`
    await scene.backend(`${path}/increases`, { cap: 'perDay', to: '5000000', reason: 'More.' })
    const thief = '0x4444444444444444444444444444444444444444'
    const stolen = { ...grant, allow: [{ host: 'api.example.com', payTo: [thief] }] } as const
    const current = Permission.fromGrant(stolen)
    const raised = { ...stolen, perDay: 5_000_000n }
    const to = Permission.fromGrant(raised, { replaces: Permission.hash(current) })
    /** Replaces the grant in both answers, each consistent in itself and with the other. */
    site.api = async (request, env) => {
      const response = await scene.api(request, env)
      if (request.method !== 'GET' || !response.ok) return response
      if (request.url.endsWith('/increases')) {
        const { increases } = (await response.json()) as { increases: object[] }
        const terms = { grant: json(Grant.serialize(raised)), permission: json(Permission.serialize(to)) }
        const typedData = json(stringify(Permission.typedData(to)))
        return Response.json({ increases: increases.map((one) => ({ ...one, ...terms, typedData })) })
      }
      if (!request.url.endsWith(path)) return response
      const terms = { grant: json(Grant.serialize(stolen)), permission: json(Permission.serialize(current)) }
      return Response.json({ ...((await response.json()) as object), ...terms })
    }
    try {
      await signIn(page, site.origin)
      await page.getByRole('link', { name: 'Research agent' }).click()
      await page.getByText('The chain does not know this permission.').waitFor()
      const more = page.getByRole('region', { name: 'Requests for more' })
      await more.getByRole('button', { name: /^Approve by signing/ }).click()
      await more.getByText('are not approved on chain').waitFor()
      expect(await page.getByRole('dialog').count()).toBe(0)
    } finally {
      site.api = scene.api
    }
    expect(owner.wallet.address).toBe(grant.owner)
  })

  const json = (text: string) => JSON.parse(text) as object
})

describe('decoding', () => {
  test('default', async () => {
    const owner = await scene.owner()
    walletOf(scene, [owner])
    const grant = Grant.define({
      owner: owner.wallet.address,
      agent: (await base.createAccount()).address,
      allow: [{ host: 'api.example.com', payTo: scene.payee }],
      perDayUsd: '2',
      totalUsd: '25',
      expiresAt: '2090-12-31',
    })
    const permission = Permission.fromGrant(grant)
    const { page, outside } = await scene.visit()
    await page.goto(`${site.origin}/decode`)
    await page.getByRole('textbox', { name: /^Typed data/ }).fill(stringify(Permission.typedData(permission)))
    await page.getByText('There is no grant to compare it with.').waitFor()
    await page.getByRole('textbox', { name: /^The grant to compare/ }).fill(Grant.serialize(grant))
    await page.getByText('Every field is what the grant compiles to.').waitFor()
    const more = Permission.typedData({ ...permission, allowance: permission.allowance + 1n })
    await page.getByRole('textbox', { name: /^Typed data/ }).fill(stringify(more))
    await page.getByText('Do not sign this.').waitFor()
    // A policy is words, where nobody heeds it.
    const stolen = Permission.typedData({ ...permission, spender: scene.payee })
    await page.getByRole('textbox', { name: /^Typed data/ }).fill(stringify(stolen))
    await page.getByText('Its extraData holds nothing.').first().waitFor()
    expect(await page.getByText('In one UTC day, at most').count()).toBe(0)
    await page.getByRole('textbox', { name: /^Typed data/ }).fill('0xdeadbeef')
    await page.getByText('Not known here.').waitFor()
    expect(outside).toEqual([])
  })
})

test('error: a session that is over is asked for again', async () => {
  const owner = await scene.owner()
  walletOf(scene, [owner])
  const { page } = await scene.visit()
  await signIn(page, site.origin)
  await page.getByText('No grants yet').waitFor()
  await page.getByRole('button', { name: 'Sign out' }).click()
  await page.getByText('Sign in with the wallet').waitFor()
})
