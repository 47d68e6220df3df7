/** Serves the development wallet beside a server on loopback: for tests, and for the demo on the offline Base. */
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import type { WalletJson } from '../../src/console/development/accounts.js'

const built = fileURLToPath(new URL('../../dist/development/wallet.js', import.meta.url))

/**
 * Answers what the console asks for under `/development/`; undefined for everything else, which is the server's. Never to
 * be mounted where the keys in `wallet` are worth anything.
 */
export async function serveWallet(
  request: Request,
  wallet: WalletJson,
  file = built,
): Promise<Response | undefined> {
  const { pathname } = new URL(request.url)
  const headers = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' }
  if (pathname.endsWith('/development/wallet.json')) return Response.json(wallet, { headers })
  if (!pathname.endsWith('/development/wallet.js')) return undefined
  const bundle = await readFile(file)
  return new Response(bundle, { headers: { ...headers, 'content-type': 'text/javascript; charset=utf-8' } })
}
