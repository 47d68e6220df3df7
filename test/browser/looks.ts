/** How a page looks, to everybody: pictures of it, what axe finds, and whether it fits the window. */
import { mkdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import type { AxeResults } from 'axe-core'
import type { Page } from 'playwright-core'

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const folder = fileURLToPath(new URL('screenshots/', import.meta.url))
mkdirSync(folder, { recursive: true })

/** Takes pictures of the page, and answers what is wrong with it: nothing serious, no pixel too wide. */
export async function look(page: Page, name: string): Promise<{ serious: string[]; overflow: number }> {
  await page.screenshot({ path: `${folder}${name}.png`, fullPage: true })
  // As it is seen first, for the README.
  await page.evaluate('scrollTo(0, 0)')
  await page.screenshot({ path: `${folder}${name}-first.png` })
  return { serious: await serious(page), overflow: await overflow(page) }
}

/** What axe finds serious or worse, as lines to read. The development wallet's bar is looked at too. */
async function serious(page: Page): Promise<string[]> {
  // Not as a script of the page, which its policy would not let in.
  await page.evaluate(`${axe}; undefined`)
  const results = (await page.evaluate('axe.run(document, { resultTypes: ["violations"] })')) as AxeResults
  return results.violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 200)).join(' | ')}`)
}

/** How far the page is wider than the window. */
function overflow(page: Page): Promise<number> {
  return page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth')
}
