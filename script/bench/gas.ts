// `npm run bench -- gas`: what hardcap's transactions cost, next to what they may.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../setup.mjs'
import { type Gas, type Measured, measure } from './gasMeasure.js'
import { type Bench, grouped, table } from './kit.js'

/** What `test/gas.test.ts` compares. */
const snapshot = 'test/gas.json'

/** The most that each may be: a count, or so much more than `spend`. `aim` is what it would better be. */
export const limits = {
  typical: { above: 35_000, aim: 32_000 },
  allCaps: { above: 50_000, aim: 46_000 },
  batch10PerPayment: { most: 28_000, aim: 25_000 },
  // docs/contracts.md says why not less: 95,000 would be the aim.
  purseSettle: { most: 115_500, aim: 95_000 },
} as const satisfies Partial<Record<keyof Gas, { aim: number } & ({ above: number } | { most: number })>>

const help = `gas: whole transactions on an offline Base, calldata and all, with meters that were written before and no
balance that is new. The same figures in every run. ${snapshot} holds them, and a test compares.

  spend              SPM.spend by an EOA, with nothing of ours: what the others are compared with
  typical            a payment under caps per call, day and total, to one of eight payees (a proof of three words)
  allCaps            as typical, with a trailing window and a ticketed task. Without "ticket": the transaction is both
  batch10PerPayment  a tenth of a batch of ten to one payee for one task, under all caps, the ticket included
  purseSettle        a facilitator's transferWithAuthorization from a purse, under the caps of typical
  fund               filling up a purse again, under the caps of typical
  approveAndPay      approving a permission and paying from it, every meter of the grant new
  ticket             of a ticket's signature: recovering its signer, and the bytes of it

In the table "above" is what a transaction costs more than spend, and a limit holds for it where there is a plus.
`

export const gas: Bench<Measured> = {
  what: "gas of hardcap's transactions",
  help,
  run: async (progress) => {
    progress('Measuring on an offline Base ...')
    return measure()
  },
  figures: (measured) => measured.gas,
  text: ({ gas, settlement }) =>
    `\n${table([['', 'gas', 'above', 'aim', 'at most'], ...Object.keys(gas).map((name) => row(gas, name as keyof Gas))])}
Where the gas of purseSettle goes:
${table(settlement.map(({ name, gas }) => [name, grouped(gas)]))}`,
  write: ({ gas }) => {
    writeFileSync(join(root, snapshot), `${JSON.stringify(gas, null, 2)}\n`)
    process.stderr.write(`${snapshot}\n`)
  },
}

function row(gas: Gas, name: keyof Gas): string[] {
  const limit = name in limits ? limits[name as keyof typeof limits] : undefined
  const above = ['typical', 'allCaps'].includes(name) ? grouped(gas[name] - gas.spend) : ''
  const cells = [name, grouped(gas[name]), above]
  if (limit === undefined) return cells
  const sign = 'above' in limit ? '+' : ''
  return [...cells, sign + grouped(limit.aim), sign + grouped('above' in limit ? limit.above : limit.most)]
}
