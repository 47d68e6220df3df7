import { describe, expect, test } from 'vitest'
import * as Guard from '../../src/Guard.js'
import * as Shown from '../../src/react/Shown.js'
import type { RequestShown } from '../../src/server/Schema.js'
import { useBase } from '../base.js'
import { answer, approve, asked as askedOf, connect, signIn } from './hands.js'
import { openScene, walletOf } from './scene.js'

const base = await useBase({ isolate: 'file' })
const scene = await openScene(base)
const { site } = scene

const asked = () => askedOf(scene)

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

  test('behavior: it is shown where the browser forbids storage', async () => {
    const { request } = await asked()
    const { page, thrown } = await scene.visit()
    await page.addInitScript(() => {
      const get = () => {
        throw new DOMException('Access is denied for this document.', 'SecurityError')
      }
      for (const name of ['localStorage', 'sessionStorage']) Object.defineProperty(window, name, { get })
    })
    await page.goto(request.url)
    await page.getByText('The most you can lose').waitFor()
    await page.goto(site.origin)
    await page.getByText('Your grants').waitFor()
    expect(thrown).toEqual([])
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

test('error: a session that is over is asked for again', async () => {
  const owner = await scene.owner()
  walletOf(scene, [owner])
  const { page } = await scene.visit()
  await signIn(page, site.origin)
  await page.getByText('No grants yet').waitFor()
  await page.getByRole('button', { name: 'Sign out' }).click()
  await page.getByText('Sign in with the wallet').waitFor()
})
