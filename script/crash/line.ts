/** A TCP line between a host and a server that takes its time, as one between two data centres does. */
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

export type Line = { readonly url: string; stop(): Promise<void> }

/** Leads to the server that a URL names; each byte arrives `delayMs` later, in either direction. */
export async function startLine(target: string, delayMs: number): Promise<Line> {
  const { hostname, port } = new URL(target)
  const sockets = new Set<Socket>()
  const server = createServer((near) => {
    const far = connect({ host: hostname, port: Number(port || 5432), noDelay: true })
    near.setNoDelay(true)
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from)
      from.on('error', () => {})
      from.on('data', (chunk) => setTimeout(() => to.write(chunk), delayMs))
      // Timers of one length fire in their order, so nothing is cut off.
      from.on('close', () => {
        sockets.delete(from)
        setTimeout(() => to.destroy(), delayMs)
      })
    }
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = new URL(target)
  url.hostname = '127.0.0.1'
  url.port = String((server.address() as AddressInfo).port)
  return {
    url: url.href,
    async stop() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}
