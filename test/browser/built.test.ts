import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { built } from '../../script/console/built.js'

const folder = await built()
const files = (name: string) =>
  readdirSync(join(folder, name), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'utf8'))

test('default', () => {
  expect(files('development').join('')).toContain('Development wallet')
  const all = files('console').join('')
  for (const absent of ['Development wallet', 'wallet.json', 'test keys']) expect(all).not.toContain(absent)
})

test('behavior: no stylesheet and no page asks for anything outside', () => {
  for (const text of files('console').filter((text) => !/^(import|const|var|let|function|\()/.test(text))) {
    expect(text).not.toMatch(/@import|url\(["']?(https?:)?\/\//)
    expect(text).not.toMatch(/(src|href)="(https?:)?\/\//)
  }
})
