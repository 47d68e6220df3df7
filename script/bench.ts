// `npm run bench -- <name>`: figures that are measured, and compared with what they should be.
import { parseArgs } from 'node:util'
import { gas } from './bench/gas.js'
import type { Bench } from './bench/kit.js'
import { reserve } from './bench/reserve.js'
import { sync } from './bench/sync.js'
import { x402 } from './bench/x402.js'

/** By name. */
const benches = { gas, reserve, sync, x402 }
const isName = (name: string | undefined): name is keyof typeof benches =>
  name !== undefined && Object.hasOwn(benches, name)

const names = Object.entries(benches).map(([name, { what }]) => `  ${name.padEnd(10)} ${what}\n`)
const help = `hardcap's measurements.

  npm run bench -- <name>            a table
  npm run bench -- <name> --json     one JSON document on stdout, nothing else
  npm run bench -- <name> --write    into the committed snapshot, which a test compares (gas)

${names.join('')}`

try {
  await main()
} catch (error) {
  process.stderr.write(`\nhardcap bench: ${error instanceof Error ? error.message : String(error)}\n`)
  if (process.env.DEBUG && error instanceof Error) process.stderr.write(`${error.stack}\n`)
  process.exitCode = 1
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      json: { type: 'boolean', default: false },
      write: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  const [name, ...more] = positionals
  if (values.help) return void process.stdout.write(isName(name) ? `${help}\n${benches[name].help}` : help)
  if (!isName(name) || more.length > 0) {
    const given = positionals.length === 0 ? 'Which one?' : `There is no bench "${positionals.join(' ')}".`
    throw new Error(`${given} There is: ${Object.keys(benches).join(', ')}. See npm run bench -- --help.`)
  }
  const bench = benches[name] as Bench<unknown>
  if (values.write && !bench.write)
    throw new Error(`${name} has no snapshot: its figures are of the machine.`)
  const result = await bench.run((line) => process.stderr.write(`${line}\n`))
  if (values.write) bench.write?.(result)
  process.stdout.write(
    values.json ? `${JSON.stringify(bench.figures(result), null, 2)}\n` : bench.text(result),
  )
}
