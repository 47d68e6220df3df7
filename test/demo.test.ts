// `npm start` as a program that reads its output meets it.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { createPublicClient, http } from 'viem'
import { base } from 'viem/chains'
import { afterEach, expect, test, vi } from 'vitest'
import { Guard } from '../src/index.js'

const cwd = fileURLToPath(new URL('..', import.meta.url))

function demo(...args: string[]): Promise<{ code: number | null; stdout: string; stderr: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['--import', 'tsx', 'script/demo.ts', ...args], { cwd })
    let stdout = ''
    let stderr = ''
    child.stdout.on('data', (chunk) => (stdout += chunk))
    child.stderr.on('data', (chunk) => (stderr += chunk))
    child.on('error', reject)
    child.on('close', (code) => resolve({ code, stdout, stderr }))
  })
}

const refusals = [
  ['OVER_PER_CALL', 'perCall'],
  ['BUDGET_EXCEEDED', 'perTask'],
  ['NOT_ALLOWED', null],
  ['NOT_ALLOWED', null],
  ['BUDGET_EXCEEDED', 'perDay'],
]
const later = [
  ['BUDGET_EXCEEDED', 'perDay'],
  ['BUDGET_EXCEEDED', 'perDay'],
  ['BUDGET_EXCEEDED', 'total'],
]

test.each([
  {
    args: ['--once', '--json'],
    rail: 'guard',
    spent: '5000000',
    thief: { taken: '1500000', bound: '1500000' },
    refused: [...refusals, ['TICKET_MISSING', null], ...later],
  },
  {
    args: ['--rail', 'direct', '--once', '--json'],
    rail: 'direct',
    spent: '8000000',
    thief: { taken: '5000000', bound: '5000000' },
    refused: [...refusals, ...later],
  },
])(
  'args: $args, one document on stdout and the story on stderr',
  async ({ args, rail, spent, thief, refused }) => {
    const { code, stdout, stderr } = await demo(...args)
    expect(stderr).toContain('All as promised.')
    expect(code).toBe(0)
    const report = JSON.parse(stdout)
    expect(report).toMatchObject({
      rail,
      ledger: { settled: spent, reserved: '0' },
      chain: { spent },
      equal: true,
      thief,
    })
    expect(report.steps.filter(({ ok }: { ok: boolean }) => !ok)).toEqual([])
    expect(report.refusals.map(({ code, cap }: { code: string; cap: string | null }) => [code, cap])).toEqual(
      refused,
    )
    expect(stderr).not.toContain('\u001b[')
  },
)

const children = new Set<ChildProcess>()
afterEach(() => {
  for (const child of children) child.kill('SIGKILL')
})

/** Until it has printed what matches. */
function said(child: ChildProcess, wanted: RegExp): Promise<RegExpExecArray> {
  return new Promise((resolve, reject) => {
    let output = ''
    child.stdout?.on('data', (chunk) => {
      output += chunk
      const match = wanted.exec(output)
      if (match) resolve(match)
    })
    child.once('exit', () => reject(new Error(`It ended without a word of ${wanted}: ${output}`)))
  })
}

test('default: the console stays, with an agent that pays and a request that waits, until it is interrupted', async () => {
  const child = spawn(process.execPath, ['--import', 'tsx', 'script/demo.ts'], {
    cwd,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  children.add(child)
  const [, origin, requestId] = await said(child, /(http:\/\/127\.0\.0\.1:\d+)\/approve\/(0x[0-9a-f]{32})\n/)
  const ask = (path: string) => fetch(`${origin}${path}`)
  const page = await ask(`/approve/${requestId}`)
  expect(page.status).toBe(200)
  expect(await page.text()).toContain('<script type="module"')
  expect((await ask('/development/wallet.js')).headers.get('content-type')).toContain('javascript')
  expect(await (await ask(`/v1/requests/${requestId}`)).json()).toMatchObject({ status: 'open' })
  expect((await ask('/v1/grants')).status).toBe(401)
  const { rpcUrl, guard } = (await (await ask('/v1/config')).json()) as {
    rpcUrl: string
    guard: `0x${string}`
  }
  const client = createPublicClient({ chain: base, transport: http(rpcUrl) })
  await vi.waitFor(
    async () => {
      const logs = Guard.parseLogs(await client.getLogs({ address: guard, fromBlock: 0n }))
      expect(logs.filter(({ type }) => type === 'paid').length).toBeGreaterThanOrEqual(2)
    },
    { timeout: 30_000, interval: 200 },
  )
  child.kill('SIGINT')
  expect(await once(child, 'exit')).toEqual([0, null])
  await expect(ask('/healthz')).rejects.toThrow()
}, 180_000)

test('error: a rail that is none, and an option that is none', async () => {
  for (const [args, said] of [
    [['--rail', 'purse'], /^\nhardcap demo: --rail: .*Valid: "guard" or "direct"\. \(INVALID_VALUE\)\n$/],
    [['--port', '70000'], /^\nhardcap demo: --port: .*Valid: 0 to 65535\. \(INVALID_VALUE\)\n$/],
    [['--bogus'], /^\nhardcap demo: Unknown option '--bogus'.*\n$/],
  ] as const) {
    const { code, stdout, stderr } = await demo(...args)
    expect(stderr).toMatch(said)
    expect(stdout).toBe('')
    expect(code).toBe(1)
  }
})
