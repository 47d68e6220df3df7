import { stringify } from 'viem'
import { describe, expect, test } from 'vitest'
import { hardcapGuard } from '../../src/Addresses.js'
import * as Grant from '../../src/Grant.js'
import * as GuardCall from '../../src/GuardCall.js'
import * as Permission from '../../src/Permission.js'
import * as Shown from '../../src/react/Shown.js'
import type { RequestShown } from '../../src/server/Schema.js'
import { useBase } from '../base.js'
import { approve, asked as askedOf, connect, signIn } from './hands.js'
import { openScene, walletOf } from './scene.js'

const base = await useBase({ isolate: 'file' })
const scene = await openScene(base)
const { site } = scene
const asked = () => askedOf(scene)

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
    // It can be stopped from here too.
    await page.getByText('The chain says: not approved.').waitFor()
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
    // The bytes of a pause are one where they go to the guard.
    const key = { account: grant.owner, token: grant.token.address, grantId: grant.grantId }
    await page.getByRole('textbox', { name: /^Typed data/ }).fill(GuardCall.preparePause(key).data)
    await page.getByText('Compare this with your wallet.').waitFor()
    await page.getByText('It does this:').waitFor()
    await page.getByRole('textbox', { name: /^Where data alone goes/ }).fill(scene.payee)
    await page.getByText(`It calls ${scene.payee}`).waitFor()
    expect(await page.getByText('It does this:').count()).toBe(0)
    await page.getByRole('textbox', { name: /^Where data alone goes/ }).fill(hardcapGuard)
    await page.getByRole('textbox', { name: /^ETH that goes along/ }).fill('0')
    await page.getByText('It does this:').waitFor()
    expect(await page.getByText('Compare this with your wallet.').count()).toBe(0)
    expect(outside).toEqual([])
  })
})
