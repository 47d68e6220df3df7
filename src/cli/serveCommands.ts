/** `hardcap serve` and `hardcap keys`. */
import { once } from 'node:events'
import { type Command, InvalidArgumentError, Option } from 'commander'
import * as Key from '../server/Key.js'
import type { Records } from '../server/Records.js'
import * as Time from '../Time.js'
import { openRecords } from './records.js'
import type { Terminal } from './run.js'
import { type ServeOptions, startServer } from './serve.js'

const environment = `
HARDCAP_STORE names the books and HARDCAP_RECORDS what the server keeps itself (default: beside the books):
sqlite:<path> or a connection string of PostgreSQL. HARDCAP_RPC_URL is the endpoint of the chain, HARDCAP_METRICS_TOKEN
what /metrics asks for. Each may be in a file that <name>_FILE names. None has a place on a command line.`

const whole = (least: number, most: number) => (text: string) => {
  const number = Number(text)
  if (/^\d{1,9}$/.test(text) && number >= least && number <= most) return number
  throw new InvalidArgumentError(`A whole number from ${least} to ${most}.`)
}
const gather = (text: string, before: readonly string[]) => [...before, text]
const listed = (text: string) => text.split(',')

export function addServe(program: Command, terminal: Terminal, print: (text: string) => void): void {
  program
    .command('serve')
    .description('serve the API for owners and backends, and the console, until it is stopped')
    .addHelpText('after', environment)
    .option('--host <address>', 'where to listen', '127.0.0.1')
    .option('--port <port>', 'on which port', whole(0, 65_535), 8787)
    .option('--origin <url>', 'where browsers find it; https where others than this machine do')
    .addOption(
      new Option('--chain <name>', 'the chain of the grants')
        .choices(['base', 'base-sepolia'])
        .default('base'),
    )
    .option('--pages-rpc <url>', 'an endpoint of the chain for pages; everybody can read it')
    .option('--explorer <url>', "an explorer for pages; the chain's own where it is left out")
    .option('--connect <origin>', 'what the console may ask besides; repeatable', gather, [])
    .option('--allow-origin <origin>', 'other pages that may call; repeatable', gather, [])
    .option('--trusted-proxies <count>', 'proxies that append to X-Forwarded-For', whole(0, 10), 0)
    .action(async (options: Omit<ServeOptions, 'onError'>) => {
      const onError = (error: unknown) =>
        terminal.stderr.write(`hardcap: ${error instanceof Error ? (error.stack ?? error.message) : error}\n`)
      const { origin, hasConsole, close } = await startServer(terminal.env, { ...options, onError })
      print(hasConsole ? origin : `${origin} (the API alone: the console was not built)`)
      await Promise.race(['SIGINT', 'SIGTERM'].map((signal) => once(process, signal)))
      await close()
    })
}

export function addKeys(program: Command, terminal: Terminal, print: (text: string) => void): void {
  const now = () => Math.floor(Date.now() / 1000)
  async function within<result>(work: (records: Records) => Promise<result>): Promise<result> {
    const records = await openRecords(terminal.env)
    try {
      return await work(records)
    } finally {
      await records.close()
    }
  }
  const keys = program.command('keys').description('keys of backends for `hardcap serve`')
  keys.addHelpText('after', environment)
  keys
    .command('create')
    .description('make a key and print it, this once')
    .requiredOption('--label <text>', 'whose it is, for people')
    .requiredOption('--verbs <verbs>', `what it may do, of ${Key.verbs.join(',')}`, listed)
    .option(
      '--grants <grantIds>',
      'with which grants, besides those that it asks for itself; or all',
      listed,
      [],
    )
    .option('--days <days>', 'after which it ends', whole(1, 3650))
    .action(async (given: { label: string; verbs: Key.Verb[]; grants: string[]; days?: number }) => {
      const { label, verbs, days } = given
      const grants = given.grants.length === 1 && given.grants[0] === 'all' ? 'all' : given.grants
      const expiresAt = days === undefined ? undefined : now() + days * Time.day
      print((await within((records) => Key.create(records, { label, verbs, grants, expiresAt }, now()))).text)
    })
  keys
    .command('list')
    .description('list the keys, one JSON document a line')
    .action(async () => {
      for (const key of await within(Key.list)) print(JSON.stringify(key))
    })
  keys
    .command('rotate')
    .description('make a key in the place of another, which goes on for a while, and print it, this once')
    .argument('<id>', 'of the key, as `keys list` prints it')
    .option('--overlap <seconds>', 'for how long the old one goes on', whole(0, 31_536_000), 86_400)
    .action(async (id: string, { overlap }: { overlap: number }) =>
      print((await within((records) => Key.rotate(records, id, { now: now(), overlap }))).text),
    )
  keys
    .command('revoke')
    .description('end a key at once')
    .argument('<id>', 'of the key, as `keys list` prints it')
    .action(async (id: string) => within((records) => Key.revoke(records, id, now())))
}
