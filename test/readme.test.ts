// The README's example is type-checked and run as it stands there, and what it says it prints is what it prints.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { inspect } from 'node:util'
import ts from 'typescript'
import { expect, test } from 'vitest'
import * as hardcap from '../src/index.js'
import { sqlite } from '../src/sqlite/index.js'
import { useBase } from './base.js'

const base = await useBase()
const root = fileURLToPath(new URL('..', import.meta.url))
const readme = readFileSync(join(root, 'README.md'), 'utf8')
const example = block('ts')

/** What the example takes as given, as the paragraph below it says. */
const given = `
import type { Address, LocalAccount, PublicClient } from 'viem'
import type { SmartAccount } from 'viem/account-abstraction'
declare const client: PublicClient
declare const wallet: SmartAccount
declare const agent: LocalAccount
declare const payee: Address
`

test('the example type-checks', () => {
  const file = join(root, 'test', 'readme.example.ts')
  const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), ts.sys.readFile)
  const { options } = ts.parseJsonConfigFileContent({ ...config, include: [] }, ts.sys, root)
  options.paths = { hardcap: [join(root, 'src/index.ts')], 'hardcap/*': [join(root, 'src/*/index.ts')] }
  const host = ts.createCompilerHost(options)
  const { fileExists, getSourceFile } = host
  const source = ts.createSourceFile(file, given + example, ts.ScriptTarget.ES2022, true)
  source.impliedNodeFormat = ts.ModuleKind.ESNext
  host.fileExists = (name) => name === file || fileExists(name)
  host.getSourceFile = (name, ...rest) => (name === file ? source : getSourceFile(name, ...rest))
  const program = ts.createProgram([file], options, host)
  const problems = ts.getPreEmitDiagnostics(program, source)
  expect(ts.formatDiagnostics(problems, host)).toBe('')
})

test('the example runs, and prints what it says', async () => {
  const wallet = await base.createWallet({ usdc: 100_000_000n })
  const agent = await base.createAccount()
  const payee = (await base.createAccount()).address
  const folder = mkdtempSync(join(tmpdir(), 'hardcap-readme-'))
  const printed: unknown[][] = []
  const stores: hardcap.Store[] = []
  const scope = {
    ...hardcap,
    client: base.client,
    wallet: wallet.account,
    agent,
    payee,
    sqlite(path: string) {
      const store = sqlite(join(folder, path))
      stores.push(store)
      return store
    },
    console: { log: (...values: unknown[]) => printed.push(values) },
  }
  const AsyncFunction = (async () => {}).constructor as new (
    ...code: string[]
  ) => (...values: unknown[]) => Promise<void>
  try {
    await new AsyncFunction(...Object.keys(scope), withoutImports(example))(...Object.values(scope))
  } finally {
    for (const store of stores) await store.close()
    rmSync(folder, { recursive: true, force: true })
  }

  const [coverage, hash, refusal, last] = printed
  expect(undated(inspect(coverage?.[0]))).toBe(undated(block('text')))
  expect(hash?.[0]).toMatch(/^0x[0-9a-f]{64}$/)
  expect(refusal).toEqual(['OVER_PER_CALL', expect.stringMatching(/^0x[0-9a-f]{64}$/)])
  expect(last?.[0]).toMatchObject({ perCall: 50_000n, perDay: 1_980_000n, total: 24_980_000n })
  expect(last?.[1]).toMatchObject({ equal: true })
})

/** The README's one code block of a language. */
function block(language: string): string {
  const [found, ...more] = [...readme.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, 'gms'))]
  if (found?.[1] === undefined || more.length > 0) throw new Error(`The README has no one ${language} block.`)
  return found[1]
}

function withoutImports(code: string): string {
  const { outputText } = ts.transpileModule(code.replace(/^import .*\n/gm, ''), {
    compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext },
  })
  return outputText.replace(/^export \{\};?$/m, '')
}

/** Text without its dates, which are those of the day that it is printed on. */
function undated(text: string): string {
  return text.replaceAll(/\d{4}-\d{2}-\d{2}T00:00:00Z/g, 'midnight').trim()
}
