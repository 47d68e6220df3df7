import { createElement as h } from 'react'
import { renderToString } from 'react-dom/server'
import { describe, expect, test } from 'vitest'
import { Failure, Party } from '../../src/react/components/parts.js'

const address = '0x3333333333333333333333333333333333333333'

describe('Party', () => {
  test('default', () => {
    const html = renderToString(h(Party, { address }))
    expect(html).toContain(`title="${address}"`)
    expect(html).not.toContain('bdi')
  })

  test('behavior: a name does not turn the address beside it', () => {
    const html = renderToString(h(Party, { address, name: 'شركة' }))
    expect(html).toContain('<bdi>شركة</bdi>')
  })
})

describe('Failure', () => {
  test('behavior: what a server says is shown with what cannot be seen in it', () => {
    const html = renderToString(h(Failure, { error: new Error('Pay\u202e 0x33') }))
    expect(html).toContain('Pay\\u{202e} 0x33')
  })
})
