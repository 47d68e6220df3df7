// `npm start` as a program that reads its output meets it.
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

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

test('error: a rail that is none, and an option that is none', async () => {
  for (const [args, said] of [
    [['--rail', 'purse'], /^\nhardcap demo: --rail: .*Valid: "guard" or "direct"\. \(INVALID_VALUE\)\n$/],
    [['--bogus'], /^\nhardcap demo: Unknown option '--bogus'.*\n$/],
  ] as const) {
    const { code, stdout, stderr } = await demo(...args)
    expect(stderr).toMatch(said)
    expect(stdout).toBe('')
    expect(code).toBe(1)
  }
})
