import { describe, expect, test } from 'vitest'
import { InputError } from '../../src/index.js'
import * as Order from '../../src/Order.js'
import * as Session from '../../src/Session.js'
import { define, payee } from './grants.js'

/** PostgreSQL keeps no NUL, and half a surrogate pair becomes the same replacement for all of them: two keys would be one. */
const unkept = ['a\0', '\ud800', 'a\udfff', '\udc00\ud800']

describe('text that a store would not keep as it is', () => {
  const order = { key: 'k', to: payee, amount: 1n }

  test.each(unkept)('error: as a key or a label of an order: %j', (text) => {
    for (const field of ['key', 'host', 'task', 'session', 'category', 'endpoint']) {
      expect(() => Order.read({ ...order, [field]: text })).toThrow(InputError)
      expect(() => Order.readQuestion({ ...order, [field]: text })).toThrow(InputError)
    }
  })

  test.each(unkept)('error: as the name of a session: %j', (id) => {
    expect(() => Session.readOptions({ id }, define())).toThrow(InputError)
  })

  test('args: whole pairs are characters like others', () => {
    expect(Order.read({ ...order, key: '\ud83d\ude00', task: 'é' })).toMatchObject({ key: '😀', task: 'é' })
  })
})
