/**
 * `npm start`: the whole of hardcap in one story, on an offline Base or a fork of the real one. An owner signs a
 * grant, an agent pays and is refused, another buys by x402, its key is stolen, the chain holds. Exits with 1 where
 * anything differs from what it says. Then the console, with an agent that goes on paying, until somebody ends it.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { InputError } from '../src/index.js'
import { sqlite } from '../src/sqlite/index.js'
import { type Base, startBase } from '../src/testing/index.js'
import { agentStory } from './demo/agent.js'
import { guardTheftStory } from './demo/guardTheft.js'
import { createPrinter } from './demo/print.js'
import { createScene, type Report } from './demo/scene.js'
import { theftStory } from './demo/theft.js'

const help = `hardcap's demo: an agent's expense account, and a thief with the agent's key.

  npm start                     the story, and then the console in the browser
  npm start -- --once           the story alone
  npm start -- --once --json    one JSON document on stdout, the story on stderr

  --port PORT     where the console listens on loopback; default: a free port
  --rail RAIL     how money moves: guard (the default), or direct
  --json          amounts as decimal strings of base units (6 decimals)
  --help          this text

  BASE_RPC_URL    an endpoint of Base: run on a fork of it instead of an offline stand-in
  NO_COLOR        no colours on a terminal
  DEBUG           the stack of an unexpected error
`

const rails = ['guard', 'direct'] as const

const report: Report = {
  rail: 'guard',
  steps: [],
  refusals: [],
  ledger: { settled: '0', reserved: '0' },
  chain: { spent: '0' },
  equal: false,
  thief: { taken: '0', bound: '0' },
}

try {
  await main()
} catch (error) {
  fail(error)
}

async function main(): Promise<void> {
  const options = readArgs()
  if (options.help) return void process.stdout.write(help)
  try {
    await tell(options.json ? process.stderr : process.stdout)
  } finally {
    if (options.json) process.stdout.write(`${JSON.stringify(report, null, 2)}\n`)
  }
  if (!options.once) await keepConsole(options.json ? process.stderr : process.stdout, options.port)
}

/** Until it is interrupted. */
async function keepConsole(stream: NodeJS.WriteStream, port: number): Promise<void> {
  const print = createPrinter(stream)
  const interrupted = new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => resolve())
  })
  print.step("The owner's side, in a browser")
  print.explain(
    'On a Base of its own, which goes when this ends. Its wallet asks in the page: it is for development.',
  )
  // What pages are made of is loaded for them alone.
  const { openConsole } = await import('./demo/console.js')
  const { origin, requestUrl, failed, close } = await openConsole({ port })
  print.table([
    ['Console', origin],
    ['A request that waits for you', requestUrl],
  ])
  print.say('An agent pays in the background. Ctrl-C ends it all.')
  const error = await Promise.race([failed, interrupted])
  await close()
  if (error) throw error
}

async function tell(stream: NodeJS.WriteStream): Promise<void> {
  const started = performance.now()
  const print = createPrinter(stream)
  stream.write(
    `\n    ${print.style('bold', 'hardcap: an expense account for an AI agent, held by the chain')}\n`,
  )
  print.explain(
    'A smart wallet on Base can sign a spend permission: "this key may take up to so much a day, until then". Coinbase\'s SpendPermissionManager contract lets out that much and no more. hardcap turns what an owner agrees to (a grant) into a permission, has a contract of its own (HardcapGuard) hold the caps that a permission cannot say, pays through it, and keeps the books.',
  )
  const folder = mkdtempSync(join(tmpdir(), 'hardcap-demo-'))
  let base: Base | undefined
  const clean = async () => {
    await base?.stop()
    rmSync(folder, { recursive: true, force: true })
  }
  const interrupt = () => void clean().finally(() => process.exit(130))
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
  for (const signal of signals) process.once(signal, interrupt)
  try {
    base = await startBase()
    const scene = await createScene(base, print, report)
    const store = sqlite(join(folder, 'books.db'))
    await agentStory(scene, store)
    // What servers are made of is loaded for it alone.
    await (await import('./demo/x402.js')).x402Story(scene, store)
    await (report.rail === 'guard' ? guardTheftStory : theftStory)(scene, store)
    await store.close()
  } finally {
    await clean()
    for (const signal of signals) process.off(signal, interrupt)
  }
  const failed = report.steps.filter(({ ok }) => !ok).map(({ name }) => name)
  const seconds = ((performance.now() - started) / 1000).toFixed(1)
  if (failed.length > 0)
    throw new Error(`Not as it has to be: ${failed.join(', ')}. See the lines that begin with NO.`)
  stream.write(
    `\n    ${print.style('green', 'All as promised.')} ${report.steps.length} steps in ${seconds} s.\n\n`,
  )
}

function readArgs() {
  const { values } = parseArgs({
    options: {
      once: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
      rail: { type: 'string', default: 'guard' },
      port: { type: 'string', default: '0' },
    },
  })
  const port = Number(values.port)
  if (!/^\d+$/.test(values.port) || port > 65_535) {
    const why = 'The console listens on no such port.'
    throw new InputError('INVALID_VALUE', { field: '--port', given: values.port, valid: '0 to 65535', why })
  }
  const rail = rails.find((known) => known === values.rail)
  if (rail === undefined) {
    const valid = rails.map((known) => `"${known}"`).join(' or ')
    const why = 'The story is told on no such rail.'
    throw new InputError('INVALID_VALUE', { field: '--rail', given: values.rail, valid, why })
  }
  report.rail = rail
  return { ...values, port }
}

function fail(error: unknown): void {
  const named = error instanceof Error ? error : new Error(String(error))
  const code = 'code' in named ? ` (${named.code})` : ''
  process.stderr.write(`\nhardcap demo: ${named.message}${code}\n`)
  if (process.env.DEBUG) process.stderr.write(`${named.stack}\n`)
  process.exitCode = 1
}
