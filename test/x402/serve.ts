import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { getRequestListener } from '@hono/node-server'
import type { Hono } from 'hono'
import { onTestFinished } from 'vitest'

/** A server on loopback, with its origin (`http://127.0.0.1:4021`) and its host as a grant names it. */
export type Served = { readonly origin: string; readonly host: string }

/** Listens on a free loopback port until the test is over. */
export async function serve(listener: RequestListener): Promise<Served> {
  const server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })
  const { port } = server.address() as AddressInfo
  const host = `127.0.0.1:${port}`
  return { origin: `http://${host}`, host }
}

export function serveHono(app: Hono): Promise<Served> {
  return serve(getRequestListener(app.fetch))
}
