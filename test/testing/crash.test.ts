import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createConnection } from 'node:net'
import { expect, test } from 'vitest'

const program = `
  import { startBase } from './src/testing/index.js'
  const run = async () => {
    const base = await startBase({ forkUrl: false })
    console.log(base.url)
    return base
  }
`

/** A process that starts a Base, and a connection to that Base, which lasts as long as anvil does. */
async function start(rest: string) {
  const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', program + rest], {
    stdio: ['pipe', 'pipe', 'ignore'],
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
