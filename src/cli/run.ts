/** The `hardcap` command: what is done from a terminal, each command a thin skin over the library. */
import { readFileSync } from 'node:fs'
import { text } from 'node:stream/consumers'
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander'
import { type Hex, isHex } from 'viem'
import * as Coverage from '../Coverage.js'
import { HardcapError } from '../errors.js'
import * as Grant from '../Grant.js'
import * as Policy from '../Policy.js'
import * as Receipt from '../Receipt.js'
import type { Resolved } from '../x402/resolve.js'
import { exported } from './receipts.js'
import { addKeys, addServe } from './serveCommands.js'

/** What a command reads from and writes to; `process` is one. */
export type Terminal = {
  readonly stdin: AsyncIterable<unknown>
  readonly stdout: { write(text: string): unknown }
  readonly stderr: { write(text: string): unknown }
  readonly env: Readonly<Record<string, string | undefined>>
}

/** Runs a command. Resolves with its exit code: 0, 1 for what does not hold or cannot be read, 2 for a wrong call. */
export async function run(args: readonly string[], terminal: Terminal): Promise<number> {
  let code = 0
  const program = commands(terminal, () => {
    code = 1
  })
  try {
    await program.parseAsync(args, { from: 'user' })
    return code
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
    if (!isExpected(error)) throw error
    terminal.stderr.write(`hardcap: ${error.message}\n`)
    return 1
  }
}

/** An error that tells what was wrong with what was given; any other is a bug, and keeps its stack. */
function isExpected(error: unknown): error is Error {
  return error instanceof HardcapError || (error instanceof Error && 'syscall' in error)
}

const storeHelp = `
HARDCAP_STORE is sqlite:<path> or a connection string of PostgreSQL (postgres://...). It is read from the environment,
because a password has no place on a command line.`

/** `fails`: called where a command has its answer, and the answer is that something does not hold. */
function commands(terminal: Terminal, fails: () => void): Command {
  const print = (output: string) => void terminal.stdout.write(output.endsWith('\n') ? output : `${output}\n`)
  const read = async (file: string | undefined) =>
    file === undefined ? text(terminal.stdin as NodeJS.ReadableStream) : readFileSync(file, 'utf8')

  const program = new Command('hardcap')
    .description('Expense accounts for AI agents, enforced by the chain.')
    .version(version())
    // Before the commands, which take both from it.
    .exitOverride()
    .configureOutput({
      writeOut: (output) => terminal.stdout.write(output),
      writeErr: (output) => terminal.stderr.write(output),
    })

  const receipts = program.command('receipts').description('export and verify the receipts of a grant')
  receipts
    .command('export')
    .description('write the receipts of a grant, from the books that HARDCAP_STORE names, to stdout')
    .addHelpText('after', storeHelp)
    .option('--grant <grantId>', 'whose receipts; needed where the books hold several grants', hex)
    .addOption(new Option('--format <format>', 'as what').choices(['json', 'csv']).default('json'))
    .action(async ({ grant, format }: { grant?: Hex; format: 'json' | 'csv' }) =>
      print(await exported(terminal.env.HARDCAP_STORE, { grantId: grant, format })),
    )
  receipts
    .command('verify')
    .description('tell whether exported receipts are unbroken: none altered, dropped, reordered or cut off')
    .argument('[file]', 'what `receipts export` wrote; stdin where it is left out')
    .option('--head <hash>', 'the hash of a receipt, kept elsewhere, up to which all have to be there', hex)
    .option('--grant <grantId>', 'the grant that they have to be of', hex)
    .option('--json', 'print one JSON document')
    .action(
      async (file: string | undefined, { head, grant, json }: { head?: Hex; grant?: Hex; json?: true }) => {
        const check = Receipt.verify(Receipt.fromJson(await read(file)), { head, grantId: grant })
        if (!check.holds) fails()
        print(json ? toJson(check) : sayChain(check))
      },
    )

  program
    .command('coverage')
    .description('tell who holds each cap of a grant, and the most that can be lost')
    .argument('[file]', 'the grant, as Grant.serialize writes it; stdin where it is left out')
    .option('--json', 'print one JSON document')
    .action(async (file: string | undefined, { json }: { json?: true }) => {
      const coverage = Coverage.of(Grant.parse(await read(file)))
      print(json ? toJson(coverage) : Coverage.format(coverage))
    })
  program
    .command('explain')
    .description("tell in words what a permission's extraData lets the guard do")
    .argument('<extraData>', 'the bytes, as hexadecimal', hex)
    .action((bytes: Hex) => print(Policy.explain(bytes).sentences.join('\n')))
  program
    .command('resolve')
    .description("ask a URL what it costs, and propose the entry for a grant's allowlist; nothing is paid")
    .argument('<url>', 'what the agent will ask for')
    .option('--method <method>', 'how', 'GET')
    .option('--json', 'print one JSON document')
    .action(async (url: string, { method, json }: { method: string; json?: true }) => {
      const { resolve } = await import('../x402/resolve.js').catch(missing)
      const resolved = await resolve(url, { init: { method } }).catch(unanswered)
      if (resolved.entry === null) fails()
      print(json ? toJson(resolved) : sayResolved(resolved))
    })
  addServe(program, terminal, print)
  addKeys(program, terminal, print)
  return program
}

/** Both are optional: whoever pays by x402 has them. */
function missing(cause: unknown): never {
  const what = 'hardcap resolve needs the packages of x402: npm install @x402/core @x402/evm'
  throw new HardcapError('MODULE_MISSING', what, { cause })
}

/** `fetch` says no more than that it failed, and why in its cause. */
function unanswered(error: unknown): never {
  if (!(error instanceof TypeError)) throw error
  const why = error.cause instanceof Error ? error.cause.message || error.cause.name : error.message
  throw new HardcapError('UNREACHABLE', `Nobody answers there: ${why}`, { cause: error })
}

function sayResolved({ host, entry, prices }: Resolved): string {
  const lines = prices.map(({ price, amount, symbol, asset, network, scheme, payTo }) => {
    const what = price === null ? `${amount} base units of ${plain(asset)}` : `${price} ${symbol}`
    return `${what} on ${plain(network)} by ${plain(scheme)}, to ${plain(payTo)}`
  })
  const proposal =
    entry === null
      ? 'Nothing of it is USDC on Base by scheme exact, so no grant of that can pay it.'
      : `For the grant, if that is whom you mean to pay:\n  allow: [${JSON.stringify(entry)}]`
  return [`${host} asks for`, ...lines.map((line) => `  ${line}`), proposal].join('\n')
}

/** What a server wrote must not write into a terminal anything but itself. */
function plain(text: string): string {
  return text.replace(/[^ -~]/g, '?').slice(0, 100)
}

function sayChain(check: Receipt.ChainCheck): string {
  return check.holds
    ? `${check.receipts} receipts, unbroken. The head is ${check.head}`
    : `Broken at receipt ${check.seq}: ${check.reason}`
}

/** JSON, with amounts as decimal text of base units. */
function toJson(value: unknown): string {
  return JSON.stringify(value, (_, field) => (typeof field === 'bigint' ? String(field) : field), 2)
}

function hex(value: string): Hex {
  if (isHex(value)) return value
  throw new InvalidArgumentError('It has to be hexadecimal and begin with 0x.')
}

/** Of the package, from src/cli as well as from dist/src/cli. */
function version(): string {
  const near = new URL('../../package.json', import.meta.url)
  const path = import.meta.url.includes('/dist/src/')
    ? new URL('../../../package.json', import.meta.url)
    : near
  return JSON.parse(readFileSync(path, 'utf8')).version
}
