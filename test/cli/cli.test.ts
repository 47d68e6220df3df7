import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { keccak256 } from 'viem'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import * as Book from '../../src/Book.js'
import { run } from '../../src/cli/run.js'
import { Coverage, Grant, Permission, Policy, Receipt } from '../../src/index.js'
import * as Ledger from '../../src/Ledger.js'
import { sqlite } from '../../src/sqlite/index.js'
import { define } from '../core/grants.js'
import { startHostile, terms } from '../x402/hostile.js'

const root = fileURLToPath(new URL('../..', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'hardcap-cli-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const path = join(folder, 'books.db')
const grants = [define(), define({ agent: '0x00000000000000000000000000000000000000c1' })]

type Ran = { readonly code: number; readonly stdout: string; readonly stderr: string }

/** As `hardcap <args>` in a terminal. */
async function hardcap(args: readonly string[], { input = '', store = `sqlite:${path}` } = {}): Promise<Ran> {
  const said = { stdout: '', stderr: '' }
  const into = (name: keyof typeof said) => ({
    write: (text: string) => {
      said[name] += text
    },
  })
  const code = await run(args, {
    stdin: Readable.from([input]),
    stdout: into('stdout'),
    stderr: into('stderr'),
    env: { HARDCAP_STORE: store },
  })
  return { code, ...said }
}

/** Two grants, one with three receipts. */
beforeAll(async () => {
  const store = sqlite(path)
  for (const grant of grants) {
    const start = { number: 1, hash: keccak256('0x01'), time: 1_800_000_000 }
    await Book.open(store, { grant, permission: Permission.fromGrant(grant), start: async () => start })
  }
  const [grant] = grants
  for (const key of ['a', 'b', 'c']) {
    const order = { key, to: '0x00000000000000000000000000000000000000b1', amount: 1n } as const
    await Ledger.reserve(store, grant?.grantId ?? '0x', order)
  }
  await store.close()
})

describe('receipts', () => {
  const own = ['--grant', grants[0]?.grantId ?? '']
  const exported = async () => (await hardcap(['receipts', 'export', ...own])).stdout

  test('default: what is exported verifies, up to its own head', async () => {
    const text = await exported()
    const head = Receipt.fromJson(text).at(-1)?.hash ?? ''
    const verified = await hardcap(['receipts', 'verify', '--head', head, ...own], { input: text })
    expect(verified).toEqual({ code: 0, stdout: `3 receipts, unbroken. The head is ${head}\n`, stderr: '' })
  })

  test('args: --json, and a file', async () => {
    const file = join(folder, 'receipts.json')
    writeFileSync(file, await exported())
    const { stdout } = await hardcap(['receipts', 'verify', file, '--json'])
    expect(JSON.parse(stdout)).toMatchObject({ holds: true, receipts: 3 })
  })

  test('args: --format csv', async () => {
    const { stdout } = await hardcap(['receipts', 'export', ...own, '--format', 'csv'])
    expect(stdout.split('\r\n')).toHaveLength(5)
    expect(stdout).toMatch(/^grantId,seq,time/)
  })

  test('behavior: one that was altered, dropped or cut off is told, with exit code 1', async () => {
    const receipts = Receipt.fromJson(await exported())
    const head = receipts.at(-1)?.hash ?? ''
    const verify = (kept: readonly Receipt.Receipt[], ...args: string[]) =>
      hardcap(['receipts', 'verify', ...args], { input: Receipt.toJson(kept) })
    const [first, second, third] = receipts
    if (!first || !second || !third) throw new Error('There are three receipts.')
    expect(await verify([first, { ...second, amount: 2n }, third])).toMatchObject({
      code: 1,
      stdout: 'Broken at receipt 1: Receipt 1 does not have the hash of its content.\n',
    })
    expect(await verify([first, third])).toMatchObject({ code: 1 })
    expect(await verify([first, second])).toMatchObject({ code: 0 })
    expect(await verify([first, second], '--head', head)).toMatchObject({ code: 1 })
  })

  test('error: of several grants one has to be named, and the message names them', async () => {
    const { code, stderr } = await hardcap(['receipts', 'export'])
    expect(code).toBe(1)
    for (const { grantId } of grants) expect(stderr).toContain(grantId)
  })

  test('error: no store, a file that is not there, and a password that stays unsaid', async () => {
    const ask = (store: string) => hardcap(['receipts', 'export'], { store })
    expect(await ask('')).toMatchObject({ code: 1, stdout: '' })
    expect((await ask('sqlite:/nowhere/books.db')).stderr).toContain('/nowhere/books.db')
    expect((await ask('mysql://user:secret@host/db')).stderr).not.toContain('secret')
    const away = await ask('postgres://user:secret@127.0.0.1:1/db')
    expect(away.code).toBe(1)
    expect(away.stderr).not.toContain('secret')
  })

  test('error: what is no export', async () => {
    const { code, stderr } = await hardcap(['receipts', 'verify'], { input: '{}' })
    expect(code).toBe(1)
    expect(stderr).toMatch(/^hardcap: .*Receipt\.toJson/s)
    expect(await hardcap(['receipts', 'verify', '/nowhere'])).toMatchObject({ code: 1 })
  })
})

test('default: coverage, as text and as JSON', async () => {
  const [grant] = grants
  if (!grant) throw new Error('There are two.')
  const input = Grant.serialize(grant)
  const { stdout } = await hardcap(['coverage'], { input })
  expect(stdout.trimEnd()).toBe(Coverage.format(Coverage.of(grant)).trimEnd())
  expect(JSON.parse((await hardcap(['coverage', '--json'], { input })).stdout)).toMatchObject({
    rail: 'direct',
  })
})

test('default: explain says what the guard enforces', async () => {
  const [grant] = grants
  if (!grant) throw new Error('There are two.')
  const { extraData } = Permission.fromGrant(grant)
  const { stdout } = await hardcap(['explain', extraData])
  expect(stdout).toBe(`${Policy.explain(extraData).sentences.join('\n')}\n`)
})

test('error: a wrong call has exit code 2 and says what there is', async () => {
  for (const args of [
    ['nope'],
    ['receipts', 'export', '--format', 'xml'],
    ['explain', 'text'],
    ['explain'],
  ]) {
    const { code, stdout, stderr } = await hardcap(args)
    expect({ args, code, stdout }).toEqual({ args, code: 2, stdout: '' })
    expect(stderr).toMatch(/error: /)
  }
})

test('behavior: as a process of its own, which ends with the code', async () => {
  const main = ['--import', 'tsx', 'src/cli/main.ts']
  const ran = spawnSync(process.execPath, [...main, 'receipts', 'verify', '--head', `0x${'11'.repeat(32)}`], {
    cwd: root,
    input: '[]',
    encoding: 'utf8',
  })
  expect(ran).toMatchObject({ status: 1, stderr: '' })
  expect(ran.stdout).toMatch(/^Broken at receipt 0: /)
}, 30_000)

test('args: --version and --help', async () => {
  expect((await hardcap(['--version'])).stdout).toMatch(/^\d+\.\d+\.\d+\n$/)
  const { code, stdout } = await hardcap(['--help'])
  expect(code).toBe(0)
  for (const command of ['receipts', 'coverage', 'explain']) expect(stdout).toContain(command)
})

describe('resolve', () => {
  const payTo = '0x00000000000000000000000000000000000000B1'

  test('default: what it costs, and the entry that binds the host to whom it names', async () => {
    const { origin, host } = await startHostile({ payTo })
    const { code, stdout } = await hardcap(['resolve', origin])
    expect(code).toBe(0)
    expect(stdout).toContain(`${host} asks for\n  0.01 USDC on eip155:8453 by exact, to ${payTo}\n`)
    expect(stdout).toContain(`allow: [{"host":"${host}","payTo":["${payTo}"]}]`)
  })

  test('args: --json, and a method', async () => {
    const { origin, host, visits } = await startHostile({ payTo })
    const { code, stdout } = await hardcap(['resolve', origin, '--method', 'POST', '--json'])
    expect([code, visits]).toMatchObject([0, [{ method: 'POST' }]])
    expect(JSON.parse(stdout)).toMatchObject({
      host,
      entry: { host, payTo: [payTo] },
      prices: [{ amount: '10000', price: '0.01', symbol: 'USDC' }],
    })
  })

  test('error: what no grant can pay, told without what could write into a terminal', async () => {
    const { origin } = await startHostile({ payTo }, terms({ scheme: 'up\u001b[2Jto\u009b' }))
    const { code, stdout } = await hardcap(['resolve', origin])
    expect(code).toBe(1)
    expect(stdout).toContain('0.01 USDC on eip155:8453 by up?[2Jto?, to')
    expect(stdout).toContain('no grant of that can pay it')
  })

  test('error: nothing to pay, a URL that must not be asked, nobody there', async () => {
    const { origin } = await startHostile({ payTo }, (visit) => {
      visit.challenge = () => void visit.response.end('free')
    })
    const free = await hardcap(['resolve', origin])
    expect(free).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringContaining('asks for no payment'),
    })
    const secret = await hardcap(['resolve', 'https://me:password@example.com/'])
    expect(secret).toMatchObject({ code: 1, stdout: '' })
    expect(secret.stderr).not.toContain('password@')
    const nobody = await hardcap(['resolve', 'http://127.0.0.1:1/'])
    expect(nobody).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^hardcap: Nobody answers there: .+\n$/),
    })
  })
})
