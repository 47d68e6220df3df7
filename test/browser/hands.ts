/** What a person does on the pages, by what they read on them. */
import type { Page } from 'playwright-core'
import { type Scene, walletOf } from './scene.js'

/** Answers the development wallet's window. */
export async function answer(page: Page, said: 'Confirm' | 'Reject'): Promise<void> {
  await page.getByRole('dialog').getByRole('button', { name: said }).click()
}

/** Connects the development wallet from whichever page asks for it. */
export async function connect(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Connect Development wallet' }).click()
  await answer(page, 'Confirm')
}

/** Goes to the grants, connected or not, and signs in. */
export async function signIn(page: Page, origin: string): Promise<void> {
  await page.goto(origin)
  const connectButton = page.getByRole('button', { name: 'Connect Development wallet' })
  const signInButton = page.getByRole('button', { name: /^Sign in/ })
  await connectButton.or(signInButton).waitFor()
  if (await connectButton.isVisible()) await connect(page)
  await signInButton.click()
  await answer(page, 'Confirm')
  await page.getByRole('button', { name: 'Sign out' }).waitFor()
}

/** Approves by signing, on the page of a request with the wallet connected. */
export async function approve(page: Page): Promise<void> {
  await page.getByRole('button', { name: /^Approve by signing/ }).click()
  await answer(page, 'Confirm')
}

/** Chooses in the development wallet's bar. */
export async function choose(page: Page, what: 'Account' | 'Chain', value: string): Promise<void> {
  await page.getByLabel(what, { exact: true }).selectOption(value)
}

/** An owner on the page of a request of his. */
export async function asked(scene: Scene) {
  const owner = await scene.owner()
  walletOf(scene, [owner])
  const request = await scene.ask(owner.wallet)
  const visit = await scene.visit()
  await visit.page.goto(request.url)
  await visit.page.getByText('The most you can lose').waitFor()
  return { ...visit, owner, request }
}
