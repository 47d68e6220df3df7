import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const root = fileURLToPath(new URL('..', import.meta.url))

/** As `npm run bench -- <args>`, with as few calls as can be. */
function bench(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      ['script/run.mjs', 'bench.ts', ...args],
      { cwd: root, env: { ...process.env, HARDCAP_CALLS: '1' } },
      (_, stdout, stderr) => resolve({ code: child.exitCode ?? 1, stdout, stderr }),
    )
  })
}

test('default: a table, next to what was to be reached', async () => {
  const { code, stdout } = await bench('gas')
  expect(code).toBe(0)
  expect(stdout).toMatch(/^ +typical +[\d,]+ +[\d,]+ +\+32,000 +\+35,000$/m)
  expect(stdout).toMatch(/^ +purseSettle +[\d,]+ +95,000 +[\d,]+$/m)
}, 60_000)

test('args: --json, one document on stdout and nothing else', async () => {
  const { code, stdout } = await bench('gas', '--json')
  expect(code).toBe(0)
  const figures: Record<string, unknown> = JSON.parse(stdout)
  expect(Object.keys(figures)).toEqual([
    ...['spend', 'typical', 'allCaps', 'batch10PerPayment', 'purseSettle', 'fund', 'approveAndPay', 'ticket'],
  ])
  expect(Object.values(figures).every((gas) => Number.isSafeInteger(gas) && Number(gas) > 0)).toBe(true)
}, 60_000)

test('args: --help', async () => {
  const { code, stdout } = await bench('gas', '--help')
  expect(code).toBe(0)
  expect(stdout).toContain('purseSettle')
})

test('args: x402 --json, what a grant costs over the stock client', async () => {
  const { code, stdout } = await bench('x402', '--json')
  expect(code).toBe(0)
  const figures: Record<string, Record<string, number>> = JSON.parse(stdout)
  expect(Object.keys(figures)).toEqual(['ratioP50', 'ratioP50Parallel32'])
  for (const ratios of Object.values(figures)) {
    expect(Object.keys(ratios)).toEqual(['direct', 'purse', 'strict'])
    expect(Object.values(ratios).every((ratio) => ratio > 0)).toBe(true)
  }
}, 120_000)

test('error: an unknown name, or none, is told which there are', async () => {
  for (const names of [['nope'], [], ['gas', 'nope'], ['toString']]) {
    const { code, stdout, stderr } = await bench(...names)
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toContain('There is: gas, reserve, sync, x402.')
  }
}, 60_000)
