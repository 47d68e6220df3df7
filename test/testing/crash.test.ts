import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { createConnection } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createTestClient, http } from 'viem'
import { foundry } from 'viem/chains'
import { expect, test, vi } from 'vitest'

const program = `
  import { startBase } from './src/testing/index.js'
  const run = async () => {
    const base = await startBase({ forkUrl: false })
    console.log(base.url)
    return base
  }
`

/** A process that starts a Base, and a connection to that Base, which lasts as long as anvil does. */
async function start(rest: string, env: NodeJS.ProcessEnv = {}) {
  const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', program + rest], {
    stdio: ['pipe', 'pipe', 'ignore'],
    env: { ...process.env, ...env },
  })
  const exit = once(child, 'exit')
  const [line] = await once(child.stdout, 'data')
  const { hostname, port } = new URL(String(line).trim())
  const socket = createConnection(Number(port), hostname)
  const end = once(socket, 'close')
  await once(socket, 'connect')
  return { child, exit, end, url: String(line).trim() }
}

const refused = async (url: string) =>
  fetch(url).then(
    () => false,
    () => true,
  )

test.each(['SIGKILL', 'SIGTERM', 'SIGINT'] as const)(
  'behavior: anvil ends with a process that %s ends',
  async (signal) => {
    const { child, exit, end, url } = await start('await run(); setInterval(() => {}, 1_000)')
    child.kill(signal)
    await exit
    await end
    expect(await refused(url)).toBe(true)
  },
)

test('behavior: anvil ends with a process that throws', async () => {
  const { child, exit, end, url } = await start(
    "await run(); process.stdin.once('data', () => { throw 'thrown' })",
  )
  child.stdin.write('now')
  expect((await exit)[0]).toBe(1)
  await end
  expect(await refused(url)).toBe(true)
})

test('behavior: a process that forgets to stop ends, and anvil with it', async () => {
  const { child, exit, end, url } = await start(
    "await run(); process.stdin.once('data', () => process.stdin.destroy())",
  )
  child.stdin.write('now')
  expect((await exit)[0]).toBe(0)
  await end
  expect(await refused(url)).toBe(true)
})

test('behavior: stop waits for an anvil that takes its time, and the process goes on', async () => {
  const { child, exit, end, url } = await start(
    "const base = await run(); process.stdin.once('data', async () => { process.stdin.destroy(); await base.stop(); process.exit(7) })",
  )
  const children = readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8').trim().split(' ')
  const shell = children.find((pid) => readFileSync(`/proc/${pid}/comm`, 'utf8').trim() === 'sh')
  // Then SIGTERM waits, and only SIGKILL ends it.
  process.kill(-Number(shell), 'SIGSTOP')
  child.stdin.write('now')
  expect((await exit)[0]).toBe(7)
  await end
  expect(await refused(url)).toBe(true)
})

test('behavior: the states of old blocks, which anvil keeps on disk, go with it, however it ends', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'hardcap-test-'))
  const folders = () => readdirSync(folder).filter((name) => name.startsWith('hardcap-anvil-'))
  const keep = 'await run(); setInterval(() => {}, 1_000)'
  const { child, exit, end, url } = await start(keep, { TMPDIR: folder, HOME: folder })
  // More blocks than anvil holds the states of in memory.
  const client = createTestClient({ chain: foundry, mode: 'anvil', transport: http(url) })
  await client.mine({ blocks: 1_200 })
  const [states] = folders()
  expect(readdirSync(join(folder, String(states)), { recursive: true }).length).toBeGreaterThan(100)
  child.kill('SIGKILL')
  await exit
  await end
  await vi.waitFor(() => expect(folders()).toEqual([]))
  expect(existsSync(join(folder, '.foundry', 'anvil'))).toBe(false)
  rmSync(folder, { recursive: true })
})
