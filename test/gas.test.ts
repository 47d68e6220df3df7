// What transactions cost is what test/gas.json says, and within bounds. On an offline Base also where the other tests
// run on a fork, whose wallets and token are other code.
import { readFileSync } from 'node:fs'
import { beforeAll, expect, test } from 'vitest'
import { limits } from '../script/bench/gas.js'
import { type Gas, measure } from '../script/bench/gasMeasure.js'
import { grouped } from '../script/bench/kit.js'

let gas: Gas
beforeAll(async () => {
  ;({ gas } = await measure())
}, 60_000)

test('default: as in test/gas.json', () => {
  const before = JSON.parse(readFileSync(new URL('gas.json', import.meta.url), 'utf8')) as Gas
  const names = Object.keys({ ...before, ...gas }) as (keyof Gas)[]
  const changes = names
    .filter((name) => gas[name] !== before[name])
    .map((name) => `${name} ${before[name]} -> ${gas[name]}`)
  expect(changes, 'Gas is not what test/gas.json says. If it may be: npm run bench -- gas --write').toEqual(
    [],
  )
})

test('behavior: docs/contracts.md shows the same', () => {
  const docs = readFileSync(new URL('../docs/contracts.md', import.meta.url), 'utf8')
  const missing = Object.entries(gas).filter(([, figure]) => !docs.includes(`| ${grouped(figure)} |`))
  expect(missing, 'Figures that docs/contracts.md does not have').toEqual([])
})

test('behavior: within the limits', () => {
  const { typical, allCaps, batch10PerPayment, purseSettle } = limits
  expect(gas.typical - gas.spend).toBeLessThanOrEqual(typical.above)
  expect(gas.allCaps - gas.spend).toBeLessThanOrEqual(allCaps.above)
  expect(gas.batch10PerPayment).toBeLessThanOrEqual(batch10PerPayment.most)
  expect(gas.purseSettle).toBeLessThanOrEqual(purseSettle.most)
})
