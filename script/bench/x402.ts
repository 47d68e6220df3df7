// `npm run bench -- x402`: what a paid call takes with a grant, next to the stock client of an account with a key, against
// the same merchant and facilitator in the same run.
import { type Bench, table } from './kit.js'
import type { Measured, Times } from './x402Measure.js'

const help = `x402: paid calls to a stock @x402/hono server that settles through a stock @x402/evm facilitator on a local Base, which
mines at once: real chains add their block time to both sides. Merchant, facilitator and clients share one process.

  stock    @x402/fetch with the key of an account that has USDC
  purse    payWith, books on SQLite with synchronous=full, a purse that was funded before
  strict   the same with maxFloat of one call: each call is funded by a transaction first
  direct   payWith on the direct rail: the agent's own address pays, topped up before

HARDCAP_CALLS (60) calls one after the other, the clients taking turns; then a tenth as many times 32 at once (strict: each
waits for the one before it, since its float is one call). Books look at the chain every two seconds, as often as Base has a
block (strict: 50 times a second, to see its funding at once). The figures are medians of single calls, ours over stock.
`

export const x402: Bench<Measured> = {
  what: 'paid x402 calls under a grant, next to the stock client',
  help,
  // What it takes to pay is loaded for it alone.
  run: async (progress) => (await import('./x402Measure.js')).measure(progress),
  figures: ({ one, parallel }) => ({ ratioP50: ratios(one), ratioP50Parallel32: ratios(parallel) }),
  text: ({ one, parallel }) =>
    `\n${table([
      ['', 'ms', 'over stock', 'ms, 32 at once', 'over stock'],
      ...namesOf(one).map((name) => [
        name,
        one[name].toFixed(1),
        (one[name] / one.stock).toFixed(3),
        parallel[name].toFixed(1),
        (parallel[name] / parallel.stock).toFixed(3),
      ]),
    ])}`,
}

const namesOf = (times: Times) => Object.keys(times) as (keyof Times)[]

/** Ours over stock. */
function ratios({ stock, ...ours }: Times): Record<string, number> {
  const entries = Object.entries(ours).map(([rail, ms]) => [rail, Number((ms / stock).toFixed(3))])
  return Object.fromEntries(entries)
}
