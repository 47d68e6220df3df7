import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A server on loopback, with its origin (`http://127.0.0.1:4021`) and its host as a grant names it. */
export type Served = { readonly origin: string; readonly host: string }

/** Listens on a free loopback port until it is closed. */
export async function listen(listener: RequestListener): Promise<Served & { close: () => Promise<void> }> {
  const server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const host = `127.0.0.1:${port}`
  const close = async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
  return { origin: `http://${host}`, host, close }
}
