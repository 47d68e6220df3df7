import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, expect, test } from 'vitest'
import { run } from '../../src/cli/run.js'
import { type ServeOptions, startServer } from '../../src/cli/serve.js'
import { sqlite, sqliteRecords } from '../../src/sqlite/index.js'
import { useBase } from '../base.js'
import * as kit from './kit.js'

const base = await useBase()
kit.endAfterEach()

const folder = mkdtempSync(join(tmpdir(), 'hardcap-serve-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
let count = 0
const place = () => {
  count += 1
  return { HARDCAP_STORE: `sqlite:${join(folder, `books-${count}.db`)}`, HARDCAP_RPC_URL: base.url }
}
const pathOf = ({ HARDCAP_STORE }: { HARDCAP_STORE: string }) => HARDCAP_STORE.slice('sqlite:'.length)

/** A console of three files, and a secret beside it. */
function pages(): string {
  const root = join(folder, 'pages')
  mkdirSync(join(root, 'console/assets'), { recursive: true })
  writeFileSync(join(root, 'secret.txt'), 'a secret')
  writeFileSync(join(root, 'console/index.html'), '<!doctype html><title>hardcap</title>')
  writeFileSync(join(root, 'console/assets/main-abc.js'), 'void 0')
  return join(root, 'console')
}

async function start(env: Record<string, string>, options: Partial<ServeOptions> = {}) {
  const errors: unknown[] = []
  const server = await startServer(env, {
    host: '127.0.0.1',
    port: 0,
    chain: 'base',
    connect: [],
    allowOrigin: [],
    trustedProxies: 0,
    folder: pages(),
    onError: (error) => errors.push(error),
    ...options,
  })
  kit.later(server.close)
  return { ...server, errors }
}

/** As `hardcap <args>` in a terminal. */
async function hardcap(args: readonly string[], env: Record<string, string>) {
  const said = { stdout: '', stderr: '' }
  const into = (name: keyof typeof said) => ({
    write: (text: string) => {
      said[name] += text
    },
  })
  const stdin = (async function* () {})()
  return { code: await run(args, { stdin, stdout: into('stdout'), stderr: into('stderr'), env }), ...said }
}

test('default', async () => {
  const env = place()
  const server = await start(env)
  const store = sqlite(pathOf(env))
  kit.later(store.close)
  const account = await kit.grant(base, { store })
  const made = await hardcap(
    ['keys', 'create', '--label', 'a backend', '--verbs', 'read,request', '--grants', account.grant.grantId],
    env,
  )
  expect(made).toMatchObject({ code: 0, stdout: expect.stringMatching(/^hc_[0-9a-f]{16}_[\w-]{43}\n$/) })
  const headers = { authorization: `Bearer ${made.stdout.trim()}` }
  const { body } = await kit.ask(server, '/v1/grants', { headers })
  expect(body.grants).toMatchObject([{ status: 'active', grant: { grantId: account.grant.grantId } }])
  expect((await kit.ask(server, '/readyz')).body).toMatchObject({ ok: true })
  expect((await kit.ask(server, '/v1/config')).body).toMatchObject({
    explorerUrl: 'https://basescan.org',
    development: false,
  })

  const { stdout } = await hardcap(['keys', 'list'], env)
  const listed = JSON.parse(stdout)
  expect(listed).toMatchObject({ label: 'a backend', verbs: ['read', 'request'], revokedAt: null })
  // The secret itself may have the separator in it.
  expect(stdout).not.toContain(made.stdout.trim().split('_').slice(2).join('_'))
  const next = await hardcap(['keys', 'rotate', listed.id, '--overlap', '3600'], env)
  expect(next.code).toBe(0)
  expect((await kit.ask(server, '/v1/grants', { headers })).status).toBe(200)
  expect((await hardcap(['keys', 'revoke', listed.id], env)).code).toBe(0)
  expect((await kit.ask(server, '/v1/grants', { headers })).status).toBe(401)
  const renewed = { authorization: `Bearer ${next.stdout.trim()}` }
  expect((await kit.ask(server, '/v1/grants', { headers: renewed })).status).toBe(200)
})

test('behavior: the console, under a policy of its own', async () => {
  const server = await start(place(), {
    pagesRpc: 'https://rpc.example/path',
    connect: ['https://wallet.example'],
  })
  for (const path of ['/', '/approve/0x1234', '/grants/0x12', '/decode', '/index.html']) {
    const { status, headers, body } = await kit.ask(server, path)
    expect([status, body]).toEqual([200, '<!doctype html><title>hardcap</title>'])
    const policy = headers.get('content-security-policy') ?? ''
    expect(policy).toContain("script-src 'self';")
    expect(policy).toContain("connect-src 'self' https://wallet.example https://rpc.example;")
    expect(policy).toContain("frame-ancestors 'none'")
    expect(policy).not.toContain('unsafe')
  }
  const script = await kit.ask(server, '/assets/main-abc.js')
  expect(script).toMatchObject({ status: 200, body: 'void 0' })
  expect(script.headers.get('content-type')).toContain('text/javascript')
  expect(script.headers.get('cache-control')).toContain('immutable')
  expect((await kit.ask(server, '/assets/gone.js')).status).toBe(404)
  expect((await kit.ask(server, '/v1/nothing')).body.error.code).toBe('NOT_FOUND')
})

test("behavior: without an endpoint for pages, they may ask the chain's own, where they read from then", async () => {
  for (const [chain, endpoint] of [
    ['base', 'https://mainnet.base.org'],
    ['base-sepolia', 'https://sepolia.base.org'],
  ] as const) {
    const { headers } = await kit.ask(await start(place(), { chain }), '/')
    expect(headers.get('content-security-policy')).toContain(`connect-src 'self' ${endpoint};`)
  }
})

test.each([
  '/../secret.txt',
  '/assets/../../secret.txt',
  '/%2e%2e/secret.txt',
  '/assets/%2e%2e%2f%2e%2e%2fsecret.txt',
  '/assets/..%5c..%5csecret.txt',
  '//secret.txt',
  '/assets/main-abc.js%00.txt',
  '/..;/secret.txt',
])('error: no way out of the folder by %s', async (path) => {
  const server = await start(place())
  const { port } = new URL(server.origin)
  // As it is written: `fetch` would tidy it first.
  const { status, text } = await new Promise<{ status: number; text: string }>((resolve, reject) => {
    request({ port, host: '127.0.0.1', path }, (response) => {
      let text = ''
      response.on('data', (chunk) => {
        text += chunk
      })
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }))
    })
      .on('error', reject)
      .end()
  })
  expect([400, 404]).toContain(status)
  expect(text).not.toContain('a secret')
})

test('error: to others without TLS', async () => {
  for (const options of [{ host: '0.0.0.0' }, { host: '0.0.0.0', origin: 'http://127.0.0.1:8787' }])
    await expect(start(place(), options)).rejects.toMatchObject({ name: 'InputError', field: '--origin' })
  const server = await start(place(), { host: '0.0.0.0', origin: 'https://agents.example.com' })
  expect(server.origin).toBe('https://agents.example.com')
})

test('args: secrets from files', async () => {
  const file = (name: string, text: string) => {
    writeFileSync(join(folder, name), `${text}\n`)
    return join(folder, name)
  }
  const { HARDCAP_STORE, HARDCAP_RPC_URL } = place()
  const server = await start({
    HARDCAP_STORE_FILE: file('store', HARDCAP_STORE),
    HARDCAP_RECORDS_FILE: file('records', `sqlite:${join(folder, 'records.db')}`),
    HARDCAP_RPC_URL_FILE: file('rpc', HARDCAP_RPC_URL),
    HARDCAP_METRICS_TOKEN_FILE: file('metrics', 'a-long-token'),
  })
  expect((await kit.ask(server, '/readyz')).status).toBe(200)
  expect((await kit.ask(server, '/metrics')).status).toBe(401)
  const headers = { authorization: 'Bearer a-long-token' }
  expect((await kit.ask(server, '/metrics', { headers })).status).toBe(200)
  const records = sqliteRecords(join(folder, 'records.db'))
  kit.later(records.close)
  expect(await records.transact('a', (tx) => tx.list('server_keys', {}))).toEqual([])
})

test('error: what no command takes', async () => {
  const env = place()
  for (const args of [
    ['keys', 'create', '--verbs', 'read'],
    ['serve', '--port', '70000'],
    ['serve', '--port', '1e3'],
    ['serve', '--chain', 'mainnet'],
    ['serve', '--rpc-url', 'https://rpc.example/secret'],
  ])
    expect((await hardcap(args, env)).code).toBe(2)
  for (const args of [
    ['keys', 'create', '--label', 'a', '--verbs', 'everything'],
    ['keys', 'create', '--label', 'a', '--verbs', 'read', '--grants', 'all,0x12'],
    ['keys', 'revoke', '0123456789abcdef'],
  ])
    expect(await hardcap(args, env)).toMatchObject({ code: 1, stderr: expect.stringContaining('hardcap: ') })
  const nowhere = await hardcap(['keys', 'list'], { HARDCAP_RECORDS: 'https://user:hunter2@example.com' })
  expect(nowhere).toMatchObject({ code: 1 })
  expect(nowhere.stderr).not.toContain('hunter2')
})

test('behavior: as a process, until it is told to stop', async () => {
  const root = fileURLToPath(new URL('../..', import.meta.url))
  const child = spawn(process.execPath, ['--import', 'tsx', 'src/cli/main.ts', 'serve', '--port', '0'], {
    cwd: root,
    env: { ...process.env, ...place() },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  kit.later(() => void child.kill('SIGKILL'))
  const [line] = await once(child.stdout, 'data')
  const [origin = ''] = String(line).trim().split(' ')
  expect((await kit.ask({ origin }, '/healthz')).status).toBe(200)
  const ended = once(child, 'exit')
  child.kill('SIGTERM')
  expect(await ended).toEqual([0, null])
})
