import { expect, test } from 'vitest'
import { GrantError } from '../../src/GrantError.js'
import * as Guard from '../../src/Guard.js'
import * as Permission from '../../src/Permission.js'
import * as Shown from '../../src/react/Shown.js'
import type { RequestShown } from '../../src/server/Schema.js'
import { useBase } from '../base.js'
import { answer, approve, connect, signIn } from './hands.js'
import { openScene, walletOf } from './scene.js'

const scene = await openScene(await useBase({ isolate: 'file' }))
const host = 'api.example.com'

test('default', { timeout: 120_000 }, async () => {
  const owner = await scene.owner()
  walletOf(scene, [owner])
  const { page, outside, thrown } = await scene.visit()

  // Approve.
  const { id, url } = await scene.ask(owner.wallet, {
    names: [{ address: scene.payee, name: 'Example Ltd' }],
    note: 'For the weekly report.',
  })
  await page.goto(url)
  await page.getByText('The most you can lose').waitFor()
  const terms = page.getByRole('article')
  for (const words of ['25 USDC', 'For the weekly report.', 'Example Ltd', host, 'Nobody has checked them'])
    expect(await terms.textContent()).toContain(words)
  await connect(page)
  await approve(page)
  await page.getByText('The chain knows this permission').waitFor()
  const { grant } = Shown.request(await scene.backend<RequestShown>(`/v1/requests/${id}`))
  const budget = await scene.budget(grant.grantId)
  expect(await budget.status()).toMatchObject({ status: 'active' })

  // Watch: what the agent pays and is refused shows up by itself.
  await signIn(page, scene.site.origin)
  await page.getByRole('link', { name: 'Research agent' }).click()
  await page.getByText('Live.').waitFor()
  const order = { to: scene.payee, host, task: 'report-7' }
  await budget.spend({ ...order, key: 'first', amount: 20_000n })
  await page.getByText('0.02 USDC of 2 USDC').waitFor()
  await page.getByRole('table').getByText('settled').first().waitFor()
  await expect(budget.spend({ ...order, key: 'second', amount: 60_000n })).rejects.toThrow(GrantError)
  await page.getByText('OVER_PER_CALL').waitFor()

  // More.
  const path = `/v1/grants/${grant.grantId}/increases`
  await scene.backend(path, { cap: 'perDay', to: '5000000', reason: 'The report has grown.' })
  await page.reload()
  const more = page.getByRole('region', { name: 'Requests for more' })
  await more.getByText('The report has grown.').waitFor()
  const sides = await more.getByRole('row', { name: /any 24 hours/ }).textContent()
  expect(sides).toContain('4 USDC')
  expect(sides).toContain('10 USDC')
  await more.getByRole('button', { name: /^Approve by signing/ }).click()
  await answer(page, 'Confirm')
  await page.getByText('0.02 USDC of 5 USDC').waitFor()
  expect(budget.grant.perDay).toBe(5_000_000n)

  // Act.
  await page.getByRole('button', { name: /^Pause/ }).click()
  await answer(page, 'Confirm')
  await page.getByRole('button', { name: /^Resume/ }).waitFor()
  const key = { account: grant.owner, token: grant.token.address, grantId: grant.grantId }
  expect(await Guard.stopsOfAccount(scene.base.client, key)).toMatchObject({ paused: true })
  await page.getByRole('button', { name: /^Resume/ }).click()
  await answer(page, 'Confirm')
  await page.getByRole('button', { name: /^Pause/ }).waitFor()
  expect(await Guard.stopsOfAccount(scene.base.client, key)).toMatchObject({ paused: false })

  await page.getByRole('button', { name: /^Revoke/ }).click()
  await page.getByRole('button', { name: /^Keep it/ }).click()
  await page.getByRole('button', { name: /^Revoke/ }).click()
  await page.getByRole('button', { name: /^Yes, revoke/ }).click()
  await answer(page, 'Confirm')
  await page.getByText('Nothing can be spent under this grant any more.').first().waitFor()
  // What the increase replaced is unfolded, so that its owner sees that it has ended as well.
  await page.getByText('The chain says: revoked').waitFor()
  expect(await Guard.stopsOfAccount(scene.base.client, key)).toMatchObject({ revoked: true })
  await budget.sync()
  const last = budget.spend({ ...order, key: 'third', amount: 20_000n })
  await expect(last).rejects.toMatchObject({ code: 'REVOKED' })

  expect({ outside, thrown }).toEqual({ outside: [], thrown: [] })
})

test('behavior: more grants than a page has', async () => {
  const owner = await scene.owner()
  walletOf(scene, [owner])
  for (const name of ['One', 'Two', 'Three']) {
    const { id } = await scene.ask(owner.wallet, { note: name })
    const shown = Shown.request(await scene.backend<RequestShown>(`/v1/requests/${id}`))
    const signature = await Permission.sign(owner.wallet.account, shown.permission)
    await scene.backend(`/v1/requests/${id}/approval`, { signature })
    await (await scene.budget(shown.grant.grantId)).status()
  }
  scene.site.api = (request, env) => {
    const url = new URL(request.url)
    if (url.pathname === '/v1/grants') url.searchParams.set('limit', '2')
    return scene.api(url.href === request.url ? request : new Request(url, request), env)
  }
  const { page, thrown } = await scene.visit()
  await signIn(page, scene.site.origin)
  const grants = page.getByRole('link', { name: 'Research agent' })
  await grants.nth(1).waitFor()
  expect(await grants.count()).toBe(2)
  await page.getByRole('button', { name: 'More grants' }).click()
  await grants.nth(2).waitFor()
  expect(await page.getByRole('button', { name: 'More grants' }).count()).toBe(0)
  scene.site.api = scene.api
  expect(thrown).toEqual([])
})
