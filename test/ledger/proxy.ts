/** Stands between a store and PostgreSQL, and breaks the line at a given place. */
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/** At the next commit: the line breaks before the server has it, or with the server's answer; or nothing is heard again. */
export type Fault = 'none' | 'before' | 'after' | 'silent'

export type FaultyProxy = { readonly url: string; fault: Fault; stop(): Promise<void> }

/** A simple query, as the protocol writes it: its letter, its length with itself, its text. */
const commit = Buffer.from('Q\0\0\0\x0bcommit\0', 'latin1')

export async function startProxy(target: string): Promise<FaultyProxy> {
  const { hostname, port } = new URL(target)
  const sockets = new Set<Socket>()
  const server = createServer((client) => {
    const upstream = connect({ host: hostname, port: Number(port) })
    let answering: Fault = 'none'
    const pair = [client, upstream]
    for (const socket of pair) {
      sockets.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => {
        for (const other of pair) other.destroy()
        sockets.delete(socket)
      })
    }
    const cut = () => client.destroy()
    client.on('data', (chunk) => {
      if (proxy.fault !== 'none' && chunk.includes(commit)) {
        answering = proxy.fault
        proxy.fault = 'none'
        if (answering === 'before') return cut()
      }
      upstream.write(chunk)
    })
    upstream.on('data', (chunk) => {
      if (answering === 'after') return cut()
      if (answering === 'none') client.write(chunk)
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = new URL(target)
  url.port = String((server.address() as AddressInfo).port)
  const proxy: FaultyProxy = {
    url: url.href,
    fault: 'none',
    async stop() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
  return proxy
}
