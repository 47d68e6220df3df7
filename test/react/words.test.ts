import { describe, expect, test } from 'vitest'
import * as words from '../../src/react/words.js'

describe('visible', () => {
  test('default', () => {
    for (const text of ['', 'api.example.com', 'Łódź 株式会社 🚀']) expect(words.visible(text)).toBe(text)
  })

  test('behavior: what cannot be seen, or turns what is around it, is written out', () => {
    expect(words.visible('a\u202eb\nc\u200b')).toBe(String.raw`a\u{202e}b\u{a}c\u{200b}`)
    expect(words.visible('\ud800')).toBe(String.raw`\u{d800}`)
  })
})
