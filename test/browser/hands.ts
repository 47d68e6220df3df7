/** What a person does on the pages, by what they read on them. */
import type { Page } from 'playwright-core'

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
