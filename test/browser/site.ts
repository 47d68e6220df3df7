/** The console in front of a server, on loopback, as `hardcap serve` has them; in development, with its wallet. */
import { type Http2Bindings, type HttpBindings, serve } from '@hono/node-server'
import { built } from '../../script/console/built.js'
import { serveWallet } from '../../script/console/development.js'
import { consoleFiles } from '../../src/cli/console.js'
import type { WalletJson } from '../../src/console/development/accounts.js'

export type Api = (request: Request, env: unknown) => Response | Promise<Response>

export type Site = {
  readonly origin: string
  /** What answers `/v1/`; `down` ends every connection to it. Tests put another one there. */
  api: Api | 'down'
  /** What the development wallet of the next page is told. */
  wallet: WalletJson
  close(): Promise<void>
}

export async function openSite(rpcUrl: string): Promise<Site> {
  const folder = await built()
  const files = consoleFiles(`${folder}/console`, { connect: [new URL(rpcUrl).origin] })
  const site: Site = { origin: '', api: 'down', wallet: { rpcUrl, accounts: [] }, close: async () => {} }

  async function fetch(request: Request, env: HttpBindings | Http2Bindings): Promise<Response> {
    const { pathname } = new URL(request.url)
    if (pathname.startsWith('/v1/')) {
      if (site.api !== 'down') return site.api(request, env)
      env.incoming.socket?.destroy()
      return new Response(null, { status: 503 })
    }
    const development = await serveWallet(request, site.wallet, `${folder}/development/wallet.js`)
    return development ?? files(pathname) ?? new Response(null, { status: 404 })
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
