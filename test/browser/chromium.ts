/** Chromium as the browser tests start it: Debian's, without a word to the outside. */
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core'

export const executablePath = process.env.CHROMIUM_PATH ?? '/usr/bin/chromium'

export type { Browser }

export function launch(): Promise<Browser> {
  return chromium.launch({
    executablePath,
    args: [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  })
}

export type Look = 'light' | 'dark' | 'phone'

export type Visit = {
  readonly context: BrowserContext
  readonly page: Page
  /** Hosts that were asked besides loopback, and what the console's own code threw: both have to stay empty. */
  readonly outside: string[]
  readonly thrown: string[]
}

/** A browser of somebody who has never been here. */
export async function visit(browser: Browser, look: Look = 'light'): Promise<Visit> {
  const context = await browser.newContext({
    viewport: look === 'phone' ? { width: 390, height: 844 } : { width: 1100, height: 900 },
    colorScheme: look === 'dark' ? 'dark' : 'light',
    reducedMotion: 'reduce',
    serviceWorkers: 'block',
    ...(look === 'phone' ? { isMobile: true, hasTouch: true, deviceScaleFactor: 2 } : {}),
  })
  const [outside, thrown]: [string[], string[]] = [[], []]
  await context.route(
    (url) => /^(https?|wss?):$/.test(url.protocol) && url.hostname !== '127.0.0.1',
    (route) => {
      outside.push(route.request().url())
      return route.abort()
    },
  )
  const page = await context.newPage()
  page.on('pageerror', (error) => thrown.push(String(error)))
  return { context, page, outside, thrown }
}
