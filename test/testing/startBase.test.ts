import { createServer, type Server } from 'node:http'
import { type AddressInfo, createConnection } from 'node:net'
import { afterAll, describe, expect, test } from 'vitest'
import { findAnvil } from '../../src/testing/anvil.js'
import { startBase, TestingError } from '../../src/testing/index.js'
import { readUpstream } from '../../src/testing/upstream.js'

const servers: Server[] = []
afterAll(() => servers.forEach((server) => void server.close()))

/** A JSON-RPC endpoint with fixed answers. */
async function serve(status: number, body: string): Promise<string> {
  const server = createServer((_, response) => response.writeHead(status).end(body))
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `127.0.0.1:${(server.address() as AddressInfo).port}`
}

const caught = async (promise: Promise<unknown>): Promise<TestingError> => {
  const error = await promise.then(
    () => undefined,
    (error: unknown) => error,
  )
  if (error instanceof TestingError) return error
  throw new Error('no TestingError', { cause: error })
}

/** Resolves when nobody listens any more. */
const closed = (url: string) =>
  new Promise<void>((resolve) => {
    const { hostname, port } = new URL(url)
    const socket = createConnection(Number(port), hostname)
    socket.on('error', () => resolve())
    socket.on('close', () => resolve())
  })

describe('startBase', () => {
  test('default', async () => {
    const base = await startBase({ forkUrl: false })
    expect(base.kind).toBe('offline')
    // The guard's deployment.
    expect(base.startBlock).toBe(1n)
    expect(await base.client.getBlockNumber()).toBe(1n)
    await base.stop()
  })

  test('behavior: stop ends anvil, and a second stop is harmless', async () => {
    const base = await startBase({ forkUrl: false })
    const ended = closed(base.url)
    await base.stop()
    await ended
    await base.stop()
    await expect(base.client.getBlockNumber()).rejects.toThrow()
  })

  test('behavior: `await using` ends anvil', async () => {
    const base = await startBase({ forkUrl: false })
    const ended = closed(base.url)
    await base[Symbol.asyncDispose]()
    await ended
  })

  test('behavior: two at once have nothing in common', async () => {
    const [one, two] = await Promise.all([startBase({ forkUrl: false }), startBase({ forkUrl: false })])
    expect(one.url).not.toBe(two.url)
    await one.mine()
    expect(await two.client.getBlockNumber()).toBe(two.startBlock)
    await Promise.all([one.stop(), two.stop()])
  })

  test('args: port', async () => {
    const free = await startBase({ forkUrl: false })
    await free.stop()
    const port = Number(new URL(free.url).port)
    const base = await startBase({ forkUrl: false, port })
    expect(base.url).toBe(`http://127.0.0.1:${port}`)
    await base.stop()
  })

  test('args: secondsPerBlock', async () => {
    const base = await startBase({ forkUrl: false, secondsPerBlock: 7 })
    const before = await base.now()
    await base.mine(2)
    expect(await base.now()).toBe(before + 14)
    await base.stop()
  })

  test('args: slotsInAnEpoch', async () => {
    const base = await startBase({ forkUrl: false, slotsInAnEpoch: 1 })
    await base.mine(10)
    expect((await base.client.getBlock({ blockTag: 'safe' })).number).toBe(base.startBlock + 9n)
    expect((await base.client.getBlock({ blockTag: 'finalized' })).number).toBe(base.startBlock + 8n)
    await base.finalize()
    expect((await base.client.getBlock({ blockTag: 'finalized' })).number).toBe(base.startBlock + 10n)
    await base.stop()
  })

  test('error: a port in use', async () => {
    const base = await startBase({ forkUrl: false })
    const port = Number(new URL(base.url).port)
    const error = await caught(startBase({ forkUrl: false, port }))
    expect(error).toMatchObject({ code: 'PORT_IN_USE', figures: { port } })
    expect(error.message).toContain(String(port))
    await base.stop()
  })

  test.each([
    { port: 65_536 },
    { port: -1 },
    { secondsPerBlock: 0 },
    { slotsInAnEpoch: 0.5 },
    { forkBlock: 1n },
  ])('error: %o', async (options) => {
    const error = await caught(startBase({ forkUrl: false, ...options }))
    expect(error.code).toBe('INVALID_OPTION')
    expect(error.message).toContain(Object.keys(options)[0])
  })

  test('error: an anvil that is not there', async () => {
    const error = await caught(startBase({ forkUrl: false, anvil: '/nowhere/anvil' }))
    expect(error.code).toBe('ANVIL_MISSING')
    expect(error.message).toContain('/nowhere/anvil')
    expect(error.message).toMatch(/npm install --save-dev @foundry-rs\/anvil-/)
  })

  test('error: an anvil that ends at once', async () => {
    const error = await caught(startBase({ forkUrl: false, anvil: '/bin/false' }))
    expect(error).toMatchObject({ code: 'ANVIL_FAILED' })
  })
})

describe('findAnvil', () => {
  test('default', () => {
    expect(findAnvil()).toMatch(/anvil$/)
  })

  test('error: neither the package nor one on PATH', () => {
    expect(() => findAnvil({ from: [], path: '/nowhere' })).toThrow(
      /@foundry-rs\/anvil-.*an anvil on PATH works as well/s,
    )
  })
})

describe('readUpstream', () => {
  const url = 'https://base.example/key'

  test('default', () => {
    expect(readUpstream({}, {})).toBeUndefined()
    expect(readUpstream({}, { BASE_RPC_URL: '' })).toBeUndefined()
  })

  test('args: environment', () => {
    expect(readUpstream({}, { BASE_RPC_URL: url })).toEqual({ url, block: undefined })
    expect(readUpstream({}, { BASE_RPC_URL: url, BASE_FORK_BLOCK: '7' })).toEqual({ url, block: 7n })
  })

  test('args: forkUrl, which comes before the environment', () => {
    expect(
      readUpstream({ forkUrl: url, forkBlock: 8n }, { BASE_RPC_URL: 'http://x', BASE_FORK_BLOCK: '7' }),
    ).toEqual({
      url,
      block: 8n,
    })
    expect(readUpstream({ forkUrl: false }, { BASE_RPC_URL: url, BASE_FORK_BLOCK: '7' })).toBeUndefined()
  })

  test('behavior: the environment’s block is one of the environment’s chain', () => {
    const env = { BASE_RPC_URL: 'http://x', BASE_FORK_BLOCK: '7' }
    expect(readUpstream({ forkUrl: url }, env)).toEqual({ url, block: undefined })
  })

  test.each(['secret-token', 'wss://user:secret@base.example', 'file:///secret', '/secret'])(
    'error: %s is no URL to fork, and is not shown',
    (forkUrl) => {
      expect(() => readUpstream({ forkUrl }, {})).toThrow(/^forkUrl: (?!.*secret)/)
      expect(() => readUpstream({}, { BASE_RPC_URL: forkUrl })).toThrow(/^BASE_RPC_URL: (?!.*secret)/)
    },
  )

  test.each(['latest', '0x10', '-1', '1.5'])('error: BASE_FORK_BLOCK %s', (block) => {
    expect(() => readUpstream({}, { BASE_RPC_URL: url, BASE_FORK_BLOCK: block })).toThrow(block)
  })
})

describe('error: what cannot be forked, never showing more than the origin', () => {
  const secretly = (host: string) => `http://user:secret1@${host}/secret2?key=secret3`
  const fork = (host: string) => caught(startBase({ forkUrl: secretly(host) }))

  test('nobody listens', async () => {
    const host = await serve(200, '')
    const server = servers.pop()
    await new Promise((resolve) => server?.close(resolve))
    const error = await fork(host)
    expect(error).toMatchObject({
      code: 'FORK_UNREACHABLE',
      retryable: true,
      figures: { origin: `http://${host}` },
    })
    expect(error.message).toContain('ECONNREFUSED')
    expect(inspected(error)).not.toContain('secret')
  })

  test.each([
    [401, 'secret4', 'HTTP 401'],
    [200, '<html>secret4', 'not JSON-RPC'],
    [200, '{"error":{"message":"secret4"}}', 'not JSON-RPC'],
  ])('HTTP %d %s', async (status, body, why) => {
    const error = await fork(await serve(status, body))
    expect(error.code).toBe('FORK_UNREACHABLE')
    expect(error.message).toContain(why)
    expect(inspected(error)).not.toContain('secret')
  })

  test('another chain', async () => {
    const host = await serve(200, JSON.stringify({ jsonrpc: '2.0', id: 1, result: '0x1' }))
    const error = await fork(host)
    expect(error).toMatchObject({
      code: 'FORK_WRONG_CHAIN',
      figures: { origin: `http://${host}`, actual: 1, expected: 8453 },
    })
    expect(inspected(error)).not.toContain('secret')
  })

  test('a chain that anvil cannot fork', async () => {
    const host = await serve(200, JSON.stringify({ jsonrpc: '2.0', id: 1, result: '0x2105' }))
    const error = await fork(host)
    expect(error.code).toBe('ANVIL_FAILED')
    expect(inspected(error)).not.toContain('secret')
  })

  test('a block that is not there', async () => {
    const upstream = await startBase({ forkUrl: false })
    const error = await caught(startBase({ forkUrl: upstream.url, forkBlock: 1_000_000n }))
    expect(error).toMatchObject({ code: 'FORK_BLOCK_UNKNOWN', figures: { block: 1_000_000n } })
    await upstream.stop()
  })
})

const inspected = (error: Error) =>
  `${error.message} ${error.stack} ${String(error.cause)} ${JSON.stringify(error, (_, v) => (typeof v === 'bigint' ? String(v) : v))}`
