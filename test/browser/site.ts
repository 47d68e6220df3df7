/** The console in front of a server, on loopback, as `hardcap serve` has them; in development, with its wallet. */
import { readFile } from 'node:fs/promises'
import { extname, join, normalize } from 'node:path'
import { type Http2Bindings, type HttpBindings, serve } from '@hono/node-server'
import { serveWallet } from '../../script/console/development.js'
import type { WalletJson } from '../../src/console/development/accounts.js'
import { built } from './built.js'

export type Api = (request: Request, env: unknown) => Response | Promise<Response>

export type Site = {
  readonly origin: string
  /** What answers `/v1/`; `down` ends every connection to it. Tests put another one there. */
  api: Api | 'down'
  /** What the development wallet of the next page is told. */
  wallet: WalletJson
  close(): Promise<void>
}

const types: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
}

export async function openSite(rpcUrl: string): Promise<Site> {
  const folder = await built()
  const site: Site = { origin: '', api: 'down', wallet: { rpcUrl, accounts: [] }, close: async () => {} }

  async function fetch(request: Request, env: HttpBindings | Http2Bindings): Promise<Response> {
    const { pathname } = new URL(request.url)
    if (pathname.startsWith('/v1/')) {
      if (site.api !== 'down') return site.api(request, env)
      env.incoming.socket?.destroy()
      return new Response(null, { status: 503 })
    }
    const development = await serveWallet(request, site.wallet, `${folder}/development/wallet.js`)
    return development ?? file(`${folder}/console/`, pathname, rpcUrl)
  }

  return new Promise((resolve) => {
    const server = serve({ fetch, port: 0, hostname: '127.0.0.1' }, ({ port }) =>
      resolve(
        Object.assign(site, {
          origin: `http://127.0.0.1:${port}`,
          close: () =>
            new Promise<void>((closed) => {
              server.close(() => closed())
              if ('closeAllConnections' in server) server.closeAllConnections()
            }),
        }),
      ),
    )
  })
}

/** With a policy as strict as a server's should be: the chain is all that a page may ask besides its own origin. */
async function file(folder: string, pathname: string, rpcUrl: string): Promise<Response> {
  const name = extname(pathname) === '' ? 'index.html' : normalize(pathname)
  const bytes = await readFile(join(folder, name)).catch(() => undefined)
  if (bytes === undefined) return new Response(null, { status: 404 })
  const policy = [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    `connect-src 'self' ${new URL(rpcUrl).origin}`,
    "base-uri 'self'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ]
  return new Response(bytes, {
    headers: {
      'content-type': types[extname(name)] ?? 'application/octet-stream',
      'content-security-policy': policy.join('; '),
    },
  })
}
