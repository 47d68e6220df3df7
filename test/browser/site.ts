/** The console in front of a server, on loopback, as `hardcap serve` has them; in development, with its wallet. */
import { readFile } from 'node:fs/promises'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { extname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'
import { serveWallet } from '../../script/console/development.js'
import type { WalletJson } from '../../src/console/development/accounts.js'

export type Site = {
  readonly origin: string
  /** What answers `/v1/`. Tests put another server there, or none. */
  api: ((request: Request) => Response | Promise<Response>) | 'down'
  close(): Promise<void>
}

const folder = fileURLToPath(new URL('../../dist/console/', import.meta.url))
const types: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
}

/** `wallet` is what the development wallet is told; it may change between two pages. */
export async function openSite(wallet: () => WalletJson, rpcUrl: string): Promise<Site> {
  const site: Site = { origin: '', api: 'down', close: async () => {} }
  const server = createServer(async (incoming, outgoing) => {
    if (site.api === 'down' && incoming.url?.startsWith('/v1/')) return void incoming.socket.destroy()
    const response = await answer(site, await toRequest(site.origin, incoming), wallet, rpcUrl).catch(
      (error) => {
        process.stderr.write(`${error}\n`)
        return new Response(null, { status: 500 })
      },
    )
    const headers: Record<string, string | string[]> = Object.fromEntries(response.headers)
    const cookies = response.headers.getSetCookie()
    if (cookies.length > 0) headers['set-cookie'] = cookies
    outgoing.writeHead(response.status, headers)
    if (response.body === null) return void outgoing.end()
    const reader = response.body.getReader()
    outgoing.on('close', () => void reader.cancel().catch(() => {}))
    for (;;) {
      const { done, value } = await reader.read().catch(() => ({ done: true, value: undefined }))
      if (done) return void outgoing.end()
      outgoing.write(value)
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return Object.assign(site, {
    origin: `http://127.0.0.1:${port}`,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  })
}

async function answer(
  site: Site,
  request: Request,
  wallet: () => WalletJson,
  rpcUrl: string,
): Promise<Response> {
  const { pathname } = new URL(request.url)
  if (pathname.startsWith('/v1/')) {
    if (site.api === 'down') throw new Error('It was up a moment ago.')
    return site.api(request)
  }
  return (await serveWallet(request, wallet())) ?? file(pathname, rpcUrl)
}

async function file(pathname: string, rpcUrl: string): Promise<Response> {
  const isPage = extname(pathname) === ''
  const name = isPage ? 'index.html' : normalize(pathname)
  const bytes = await readFile(join(folder, name)).catch(() => undefined)
  if (bytes === undefined) return new Response(null, { status: 404 })
  const csp = [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    `connect-src 'self' ${new URL(rpcUrl).origin}`,
    "base-uri 'self'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ]
  const headers = { 'content-type': types[extname(name)] ?? 'application/octet-stream' }
  return new Response(bytes, { headers: { ...headers, 'content-security-policy': csp.join('; ') } })
}

async function toRequest(origin: string, incoming: IncomingMessage): Promise<Request> {
  const chunks: Buffer[] = []
  for await (const chunk of incoming) chunks.push(chunk as Buffer)
  const { method = 'GET', url = '/' } = incoming
  const headers = new Headers()
  for (const [name, value] of Object.entries(incoming.headers))
    if (value !== undefined) headers.set(name, Array.isArray(value) ? value.join(', ') : value)
  const hasBody = method !== 'GET' && method !== 'HEAD'
  return new Request(origin + url, { method, headers, ...(hasBody ? { body: Buffer.concat(chunks) } : {}) })
}
