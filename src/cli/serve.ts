/** `hardcap serve`: the server and the console on one port. */
import { serve } from '@hono/node-server'
import { createPublicClient, http } from 'viem'
import { base, baseSepolia } from 'viem/chains'
import { InputError } from '../errors.js'
import { createServer } from '../server/createServer.js'
import { isLoopback } from '../server/Options.js'
import { consoleFiles, consoleFolder } from './console.js'
import { openRecords } from './records.js'
import { secret } from './secret.js'
import { storeAt } from './store.js'

export type ServeOptions = {
  readonly host: string
  readonly port: number
  /** Where browsers find it. Default: where it listens. */
  readonly origin?: string | undefined
  readonly chain: 'base' | 'base-sepolia'
  /** An endpoint and an explorer for pages. */
  readonly pagesRpc?: string | undefined
  readonly explorer?: string | undefined
  /** Further origins that the console may ask, such as a wallet's. */
  readonly connect: readonly string[]
  readonly allowOrigin: readonly string[]
  readonly trustedProxies: number
  /** The console's files. Default: those of the package, if they were built. */
  readonly folder?: string | undefined
  readonly onError: (error: unknown) => void
}

const chains = { base, 'base-sepolia': baseSepolia } as const

/** What is the server's and never the console's. */
const own = /^\/(v1\/|openapi\.json$|metrics$|healthz$|readyz$)/

/**
 * Listens until `close`.
 * @throws InputError for what cannot be; what the system says where it cannot listen
 */
export async function startServer(
  env: Readonly<Record<string, string | undefined>>,
  options: ServeOptions,
): Promise<{ readonly origin: string; readonly hasConsole: boolean; readonly close: () => Promise<void> }> {
  const { host, port, pagesRpc, explorer } = options
  if (!isLoopback(host) && !options.origin?.startsWith('https:'))
    throw new InputError('INVALID_VALUE', {
      field: '--origin',
      given: options.origin,
      valid: 'https://..., where something before this server speaks TLS',
      why: `Whoever reaches ${host} would send cookies and keys without TLS.`,
    })
  const store = await storeAt(secret(env, 'HARDCAP_STORE'))
  const records = await openRecords(env)
  const chain = chains[options.chain]
  const client = createPublicClient({ chain, transport: http(secret(env, 'HARDCAP_RPC_URL')) })
  const folder = options.folder ?? consoleFolder()
  // Where pages are told of no endpoint they ask the chain's own.
  const endpoint = pagesRpc ?? chain.rpcUrls.default.http[0]
  const connect = [...options.connect, new URL(endpoint).origin]
  const files = folder === undefined ? undefined : consoleFiles(folder, { connect })

  let answer = async (_: Request, __: unknown): Promise<Response> => new Response(null, { status: 503 })
  const listening = await new Promise<{ server: ReturnType<typeof serve>; port: number }>(
    (resolve, reject) => {
      const server = serve(
        {
          fetch: (request, bindings) => answer(request, bindings),
          hostname: host,
          port,
          // Of a request to come in, in milliseconds: who sends slowly does not keep the door open.
          serverOptions: { requestTimeout: 30_000, headersTimeout: 10_000 },
        },
        (info) => resolve({ server, port: info.port }),
      )
      server.on('error', reject)
    },
  ).catch(async (error: unknown) => {
    await Promise.all([store.close(), records.close()])
    throw error
  })
  const stop = () =>
    new Promise<void>((resolve) => {
      listening.server.close(() => resolve())
      if ('closeAllConnections' in listening.server) listening.server.closeAllConnections()
    })
  try {
    const origin = options.origin ?? `http://${host.includes(':') ? `[${host}]` : host}:${listening.port}`
    const server = createServer({
      store,
      records,
      client,
      origin,
      allowOrigins: options.allowOrigin,
      trustedProxies: options.trustedProxies,
      rpcUrl: pagesRpc,
      explorerUrl: explorer ?? chain.blockExplorers.default.url,
      metricsToken: secret(env, 'HARDCAP_METRICS_TOKEN'),
      onError: options.onError,
    })
    answer = async (request, bindings) => {
      const { pathname } = new URL(request.url)
      const isPage = files !== undefined && !own.test(pathname) && /^(GET|HEAD)$/.test(request.method)
      return (isPage ? files(pathname) : undefined) ?? server.fetch(request, bindings)
    }
    return {
      origin,
      hasConsole: files !== undefined,
      async close() {
        await server.close()
        await stop()
        await Promise.all([store.close(), records.close()])
      },
    }
  } catch (error) {
    await stop()
    await Promise.all([store.close(), records.close()])
    throw error
  }
}
