/** An HTTP endpoint in front of a chain: it counts what it is asked, and lies where a test says so. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createPublicClient, http, type PublicClient } from 'viem'
import type { Base } from '../../src/testing/index.js'

type Asked = { readonly method: string; readonly params: readonly unknown[] }
/** In place of the chain's answer. `forward` asks the chain, also something else. */
export type Lie = (asked: Asked, forward: (instead?: Asked) => Promise<unknown>) => Promise<unknown>

export type Rpc = {
  readonly url: string
  /** Asks once: what the endpoint does is what the library sees. */
  readonly client: PublicClient
  readonly asked: Asked[]
  lie: Lie
  stop(): Promise<void>
}

export const honest: Lie = (_, forward) => forward()

/** To throw in a lie: an HTTP answer of this status and no JSON-RPC in it. */
export class Status extends Error {
  constructor(readonly status: number) {
    super(`HTTP ${status}`)
  }
}

/** To throw in a lie: what a node says in JSON-RPC. */
export class Says extends Error {
  constructor(
    readonly code: number,
    message: string,
  ) {
    super(message)
  }
}

/** To await in a lie: nothing is ever heard. */
export const silence = new Promise<never>(() => {})

/** Blocks that a request for logs spans; 1 for those by a block's hash. */
export function widthOf({ params }: Asked): number {
  const [filter] = params as { fromBlock?: string; toBlock?: string; blockHash?: string }[]
  return filter?.blockHash === undefined ? Number(filter?.toBlock) - Number(filter?.fromBlock) + 1 : 1
}

export async function startRpc(base: Pick<Base, 'url' | 'chain'>): Promise<Rpc> {
  const forward = async (asked: Asked): Promise<unknown> => {
    const response = await fetch(base.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, ...asked }),
    })
    const { result, error } = (await response.json()) as { result: unknown; error?: Says }
    if (error) throw Object.assign(new Says(error.code, error.message), error)
    return result
  }
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    const { id, method, params = [] } = JSON.parse(Buffer.concat(chunks).toString())
    const asked: Asked = { method, params }
    rpc.asked.push(asked)
    const telling = async () => rpc.lie(asked, (instead = asked) => forward(instead))
    const answer = await telling().then(
      (result) => ({ result }),
      (error: unknown) => {
        if (error instanceof Status) return error
        if (!(error instanceof Says)) throw error
        const { code, message, data } = error as Says & { data?: unknown }
        return { error: { code, message, data } }
      },
    )
    if (answer instanceof Status) return response.writeHead(answer.status).end()
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify({ jsonrpc: '2.0', id, ...answer }))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const rpc: Rpc = {
    url,
    client: createPublicClient({
      chain: base.chain,
      transport: http(url, { retryCount: 0, timeout: 60_000 }),
      pollingInterval: 1,
      cacheTime: 0,
    }),
    asked: [],
    lie: honest,
    async stop() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
  return rpc
}
