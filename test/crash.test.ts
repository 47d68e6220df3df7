// `npm run crash-test` as a program that reads its table meets it, and that its audit sees what would be wrong.
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, test } from 'vitest'
import { holds, type Row, type Sight, tally } from '../script/crash/audit.js'
import { sqliteBooks } from '../script/crash/books.js'
import { createLauncher } from '../script/crash/replica.js'
import { scenarios } from '../script/crash/scenarios.js'
import { createWorld } from '../script/crash/world.js'
import { Spm, Time } from '../src/index.js'
import { useBase } from './base.js'

const cwd = fileURLToPath(new URL('..', import.meta.url))
const day = Time.day

function crashTest(...args: string[]): Promise<{ code: number | null; stdout: string; stderr: string }> {
  return new Promise((resolve, reject) => {
    // As from a terminal, also where npm itself runs the tests with another level.
    const { npm_config_loglevel: _, ...env } = process.env
    const child = spawn('npm', ['run', 'crash-test', '--', ...args], { cwd, env })
    let stdout = ''
    let stderr = ''
    child.stdout.on('data', (chunk) => (stdout += chunk))
    child.stderr.on('data', (chunk) => (stderr += chunk))
    child.on('error', reject)
    child.on('close', (code) => resolve({ code, stdout, stderr }))
  })
}

// It takes less than a minute on two quiet cores, and here they are not.
test('default: --short --json, one document on stdout, and every kind of scenario is a row of zeros', {
  timeout: 600_000,
}, async () => {
  const { code, stdout, stderr } = await crashTest('--short', '--json')
  expect(code, stderr).toBe(0)
  const { rows, kills, ...rest } = JSON.parse(stdout) as { rows: Row[]; kills: number }
  expect(rest).toEqual({})
  expect(kills).toBeGreaterThanOrEqual(20)
  for (const row of rows) {
    expect(row).toEqual({
      scenario: expect.any(String),
      cap: expect.any(Number),
      paid: expect.any(Number),
      over: 0,
      lost: 0,
      duplicated: 0,
      equal: true,
    })
  }
  // What is paid comes so close to the cap that one payment more is over it.
  expect(rows.filter(({ cap, paid }) => cap - paid < 10_000).length).toBeGreaterThan(rows.length / 2)
  // Of what happens on both rails, it may be on one.
  const kindOf = (name: string) => String(name.split(',')[0])
  for (const { name } of scenarios)
    expect(
      rows.some(({ scenario }) => kindOf(scenario) === kindOf(name)),
      name,
    ).toBe(true)
})

test('error: a scenario that there is not', async () => {
  const { code, stdout, stderr } = await crashTest('--only', 'a fire in the data centre')
  expect([code, stdout]).toEqual([1, ''])
  expect(stderr).toContain('killed at every point, guard rail, SQLite')
})

describe('the audit of what was seen', () => {
  const morning = 20_000 * day
  const paid = (amount: bigint, time = morning) => ({ amount, time })
  const book = { equal: true, total: 21n, paid: 21n, reserved: 0n }
  /** Of three orders two are paid, and the third is refused. */
  const sound: Sight = {
    total: 25n,
    perDay: 20n,
    orders: new Map([
      ['a', 10n],
      ['b', 11n],
      ['c', 12n],
    ]),
    toldPaid: new Set(['a', 'b']),
    endless: new Set(),
    received: [paid(10n), paid(11n, morning + day)],
    left: [paid(10n), paid(11n, morning + day)],
    books: [book],
    forgotten: new Set(),
  }
  const zeros = { cap: 25, paid: 21, over: 0, lost: 0, duplicated: 0, equal: true }

  test('default: nothing is wrong where nothing is', () => {
    expect(tally(sound)).toEqual(zeros)
    expect(holds([{ ...tally(sound), scenario: '' }])).toBe(true)
  })

  test.each<[string, Partial<Sight>, Partial<Row>]>([
    ['more left than the total', { total: 20n }, { cap: 20, over: 1 }],
    ['more left on a day', { perDay: 10n }, { over: 1 }],
    ['more arrived than the total', { received: [...sound.received, paid(12n)] }, { paid: 33, over: 8 }],
    ['a key paid twice', { received: [...sound.received, paid(10n)] }, { paid: 31, duplicated: 1 }],
    ['told, and not on chain', { toldPaid: new Set(['a', 'b', 'c']) }, { lost: 1 }],
    ['an order without an end', { endless: new Set(['c']) }, { lost: 1 }],
    ['books that do not verify', { books: [{ ...book, equal: false }] }, { equal: false }],
    ['books with less than left', { books: [{ ...book, total: 20n }] }, { equal: false }],
    ['books with less than arrived', { books: [{ ...book, paid: 20n }] }, { equal: false }],
    ['books that still reserve', { books: [{ ...book, reserved: 1n }] }, { equal: false }],
  ])('behavior: %s', (_, changes, expected) => {
    const row = tally({ ...sound, ...changes })
    expect(row).toMatchObject(expected)
    expect(holds([{ ...row, scenario: '' }])).toBe(false)
  })

  test('behavior: what restored books have forgotten is not asked of them', () => {
    const forgetful = { ...sound, forgotten: new Set(['a']), books: [{ ...book, paid: 11n }] }
    expect(tally(forgetful)).toEqual(zeros)
  })
})

describe('the audit of a chain', async () => {
  const base = await useBase()
  const launcher = createLauncher()
  afterAll(launcher.end)
  const caps = { total: 35_000n, perDay: 1_000_000n }

  test.each(['guard', 'direct'] as const)(
    'behavior: on the %s rail it sees what is done by hand',
    async (rail) => {
      const world = await createWorld({ base, launcher, books: sqliteBooks }, { rail, ...caps })
      try {
        const [first, ...others] = world.orders(4)
        if (!first) throw new Error('There are orders.')
        await world.launch([first, ...others], { parallel: true }).ended
        expect(await world.audit()).toMatchObject({ over: 0, lost: 0, duplicated: 0, equal: true })
        const { grant } = world.main.terms
        const token = grant.token.address
        await base.fundUsdc(world.payee, BigInt(first.amount))
        await world.wallet.execute([Spm.prepareTransfer({ token, to: grant.agent, amount: 20_000n })])
        const { paid, ...row } = await world.audit()
        expect(row).toMatchObject({ lost: 0, duplicated: 1, equal: false })
        // Three were paid, and a little more than a cent each.
        expect(row.over).toBe(paid - Number(first.amount) + 20_000 - 35_000)
      } finally {
        await world.end()
      }
    },
  )
})
