/**
 * One PostgreSQL for a whole run of vitest: that of `DATABASE_URL`, or one of our own, which the first test that asks
 * starts. A run without such a test pays nothing for it.
 */
import { createServer } from 'node:http'
import type { TestProject } from 'vitest/node'
import { type PostgresServer, startPostgres } from '../script/postgres.js'

declare module 'vitest' {
  export interface ProvidedContext {
    /** Where a test file asks for the connection string. */
    postgres: string
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  let server: Promise<PostgresServer> | undefined
  async function url() {
    if (process.env.DATABASE_URL) return process.env.DATABASE_URL
    server ??= startPostgres()
    return (await server).url
  }
  const desk = createServer((_, response) => {
    url().then(
      (text) => response.end(text),
      (error: unknown) => response.writeHead(500).end(String(error)),
    )
  })
  await new Promise<void>((resolve) => desk.listen(0, '127.0.0.1', resolve))
  const address = desk.address()
  if (address === null || typeof address === 'string') throw new Error('No port of the loopback is free.')
  project.provide('postgres', `http://127.0.0.1:${address.port}`)
  return async () => {
    desk.close()
    desk.closeAllConnections()
    await server?.then(({ stop }) => stop())
  }
}
