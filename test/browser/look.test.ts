import type { Page } from 'playwright-core'
import { stringify } from 'viem'
import { describe, expect, test } from 'vitest'
import * as Permission from '../../src/Permission.js'
import * as Shown from '../../src/react/Shown.js'
import type { RequestShown } from '../../src/server/Schema.js'
import { useBase } from '../base.js'
import type { Look } from './chromium.js'
import { answer, approve, connect, signIn } from './hands.js'
import { look } from './looks.js'
import { openScene, walletOf } from './scene.js'

const scene = await openScene(await useBase({ isolate: 'file' }))
describe.each<Look>(['light', 'dark', 'phone'])('%s', (kind) => {
  test('default', { timeout: 180_000 }, async () => {
    const owner = await scene.owner()
    walletOf(scene, [owner])
    const { page, outside, thrown } = await scene.visit(kind)
    const found: Record<string, unknown> = {}
    const shoot = async (name: string) => {
      found[name] = await look(page, `${name}-${kind}`)
    }
    const request = await scene.ask(owner.wallet, {
      names: [{ address: scene.payee, name: 'Example Ltd' }],
      note: 'For the weekly report.',
    })
    const { grant, permission } = Shown.request(
      await scene.backend<RequestShown>(`/v1/requests/${request.id}`),
    )

    await page.goto(request.url)
    await page.getByText('The most you can lose').waitFor()
    await shoot('approve-unconnected')
    await connect(page)
    await page.getByRole('button', { name: /^Approve by signing/ }).waitFor()
    await page.getByText('What exactly is signed').click()
    await shoot('approve-raw')
    await page.getByText('What exactly is signed').click()
    await shoot('approve')
    await page.getByRole('button', { name: /^Approve by signing/ }).click()
    await page.getByRole('dialog').waitFor()
    await shoot('confirm')
    await answer(page, 'Confirm')
    await page.getByText('The chain knows this permission').waitFor()
    await shoot('approved')

    await page.goto(scene.site.origin)
    await page.getByRole('button', { name: /^Sign in/ }).waitFor()
    await shoot('sign-in')
    await signIn(page, scene.site.origin)
    const budget = await scene.budget(grant.grantId)
    const host = 'api.example.com'
    const order = { to: scene.payee, host, task: 'report-7' }
    for (const [n, amount] of [20_000n, 50_000n, 35_000n].entries())
      await budget.spend({ ...order, key: `paid-${n}`, amount })
    await budget.spend({ ...order, key: 'refused', amount: 60_000n }).catch(() => {})
    await scene.backend(`/v1/grants/${grant.grantId}/increases`, {
      cap: 'perDay',
      to: '5000000',
      reason: 'The report has grown.',
    })
    await page.reload()
    await page.getByRole('link', { name: 'Research agent' }).waitFor()
    await shoot('grants')
    await page.getByRole('link', { name: 'Research agent' }).click()
    await page.getByText('OVER_PER_CALL').waitFor()
    await page.getByText('The agent asks for more').waitFor()
    await page.getByText('highest day').waitFor()
    await page.getByText('Live.').waitFor()
    await shoot('grant')
    await page.getByRole('button', { name: /^Revoke/ }).click()
    await shoot('revoke')

    await page.getByRole('link', { name: 'Decode' }).click()
    await shoot('decode-empty')
    const thief = '0x4444444444444444444444444444444444444444'
    const other = Permission.typedData({ ...permission, spender: thief })
    await page.getByRole('textbox', { name: /^Typed data/ }).fill(stringify(other))
    await page.getByText('Do not sign this.').waitFor()
    await shoot('decode')
    await page.goto(`${scene.site.origin}/approve/0x${'00'.repeat(16)}`)
    await page.getByRole('alert').waitFor()
    await shoot('not-found')

    for (const [name, problems] of Object.entries(found))
      expect({ name, problems }).toEqual({ name, problems: { serious: [], overflow: 0 } })
    expect({ outside, thrown }).toEqual({ outside: [], thrown: [] })
  })
})

test('behavior: approved by keyboard alone', async () => {
  const owner = await scene.owner()
  walletOf(scene, [owner])
  const { page } = await scene.visit()
  await page.goto((await scene.ask(owner.wallet)).url)
  await page.getByText('The most you can lose').waitFor()
  await press(page, 'Skip to the page')
  await press(page, 'What exactly is signed')
  await press(page, 'Connect Development wallet')
  await press(page, 'Confirm')
  await page.getByRole('button', { name: /^Approve by signing/ }).waitFor()
  await press(page, 'Approve by signing')
  await page.getByRole('dialog').waitFor()
  await press(page, 'Confirm')
  await page.getByText('The chain knows this permission').waitFor()
})

test('behavior: nothing moves after the terms are there', async () => {
  const owner = await scene.owner()
  walletOf(scene, [owner])
  const { page } = await scene.visit('phone')
  await page.goto((await scene.ask(owner.wallet)).url)
  await page.getByText('The most you can lose').waitFor()
  const figure = page.getByText('25 USDC', { exact: true }).first()
  const height = async () => (await page.getByRole('banner').boundingBox())?.height
  const before = { figure: (await figure.boundingBox())?.y, banner: await height() }
  await connect(page)
  await approve(page)
  await page.getByText('The chain knows this permission').waitFor()
  await figure.scrollIntoViewIfNeeded()
  const scrolled: number = await page.evaluate('window.scrollY')
  const after = await figure.boundingBox()
  expect({ figure: (after?.y ?? 0) + scrolled, banner: await height() }).toEqual(before)
})

/** Goes on with Tab to what has this text, and presses it. */
async function press(page: Page, text: string): Promise<void> {
  const focused = `(() => { let at = document.activeElement; while (at?.shadowRoot?.activeElement) at = at.shadowRoot.activeElement; return at?.textContent ?? '' })()`
  for (let presses = 0; presses < 60; presses += 1) {
    const label: string = await page.evaluate(focused)
    if (label.startsWith(text)) return page.keyboard.press('Enter')
    await page.keyboard.press('Tab')
  }
  throw new Error(`60 presses of Tab do not lead to "${text}".`)
}
