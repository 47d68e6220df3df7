// `npm test`: the contracts' tests (forge), then everything else (vitest), on a clone in any state.
// Closes with one plain line, `N passed, N failed`. BASE_RPC_URL runs the chain tests on a fork.
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { root, setup, setupChromium } from './setup.mjs'

setup()
setupChromium()
const totals = [await forge(), await vitest()]
const passed = totals.reduce((sum, total) => sum + total.passed, 0)
const failed = totals.reduce((sum, total) => sum + total.failed, 0)
process.stdout.write(`\n${passed} passed, ${failed} failed\n`)
process.exitCode = failed === 0 && passed > 0 && totals.every((total) => total.ok) ? 0 : 1

async function forge() {
  const { code, output } = await run('forge', ['test'])
  const [, passed, failed] = /(\d+) tests? passed, (\d+) failed, \d+ skipped \(\d+ total/.exec(output) ?? []
  if (code !== 0 && passed === undefined) return { ok: false, passed: 0, failed: 1 }
  return { ok: code === 0, passed: Number(passed ?? 0), failed: Number(failed ?? 0) }
}

async function vitest() {
  const folder = mkdtempSync(join(tmpdir(), 'hardcap-test-'))
  const file = join(folder, 'vitest.json')
  try {
    const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${file}`]
    const { code } = await run('vitest', ['run', ...reporters])
    const report = JSON.parse(readFileSync(file, 'utf8'))
    // A test file that cannot be loaded has no tests of its own to fail.
    const broken = report.testResults.filter((r) => r.status === 'failed' && r.assertionResults.length === 0)
    return {
      ok: code === 0,
      passed: report.numPassedTests,
      failed: report.numFailedTests + broken.length,
    }
  } catch (error) {
    process.stderr.write(`vitest left no report: ${error.message}\n`)
    return { ok: false, passed: 0, failed: 1 }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Runs a local tool, showing its output as it comes and keeping it. */
function run(command, args) {
  return new Promise((resolve, reject) => {
    const env = { ...process.env, PATH: `${root}node_modules/.bin:${process.env.PATH}` }
    const child = spawn(command, args, { cwd: root, stdio: ['ignore', 'pipe', 'inherit'], env })
    let output = ''
    child.stdout.on('data', (data) => {
      output += data
      process.stdout.write(data)
    })
    child.on('error', reject)
    child.on('close', (code) => resolve({ code: code ?? 1, output }))
  })
}
