import { StandardMerkleTree } from '@openzeppelin/merkle-tree'
import fc from 'fast-check'
import { type Address, getAddress, type Hex, toHex } from 'viem'
import { describe, expect, test } from 'vitest'
import { type Grant, InputError, Payees } from '../../src/index.js'
import { define, other, payee } from './grants.js'
import { thrown } from './thrown.js'

const address = fc
  .uint8Array({ minLength: 20, maxLength: 20 })
  .map((bytes): Address => getAddress(toHex(bytes)))
  .filter((value) => BigInt(value) !== 0n)
const payees = fc.uniqueArray(address, { minLength: 1, maxLength: 40 })
const theirs = (list: readonly Address[]) =>
  StandardMerkleTree.of(
    list.map((address) => [address]),
    ['address'],
  )

describe('of', () => {
  test('default: every payee of every host, once', () => {
    const allow: Grant.DefineParams['allow'] = [
      { host: 'a.example.com', payTo: [other, payee] },
      { host: 'b.example.com', payTo: payee },
      'c.example.com',
    ]
    expect(Payees.of(define({ allow }))).toEqual([payee, other])
  })
})

describe('root', () => {
  test("default: OpenZeppelin's", () => {
    fc.assert(
      fc.property(payees, (list) => {
        expect(Payees.root(list)).toBe(theirs(list).root)
      }),
    )
  })

  test('behavior: neither order, duplicates nor notation matter', () => {
    const root = Payees.root([payee, other])
    expect(Payees.root([other, payee, other])).toBe(root)
    const [upper, lower] = ['0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed', payee] as const
    expect(Payees.root([upper.toLowerCase() as Address, lower])).toBe(Payees.root([upper, lower]))
  })

  test('error: no payees, or not an address', () => {
    expect(thrown(InputError, () => Payees.root([]))).toMatchObject({
      code: 'INVALID_VALUE',
      field: 'payees',
    })
    expect(thrown(InputError, () => Payees.root([payee, '0x12']))).toMatchObject({
      code: 'INVALID_ADDRESS',
      field: 'payees[1]',
    })
  })
})

describe('proof', () => {
  test("default: OpenZeppelin's", () => {
    fc.assert(
      fc.property(payees, (list) => {
        const tree = theirs(list)
        for (const one of list) {
          const proof = Payees.proof(list, one)
          expect(proof).toEqual(tree.getProof([one]))
          expect(Payees.verify({ root: tree.root as Hex, payee: one, proof })).toBe(true)
        }
      }),
    )
  })

  test('behavior: empty for the only payee', () => {
    expect(Payees.proof([payee], payee)).toEqual([])
  })

  test('behavior: another payee, root or proof does not hold', () => {
    const list = [payee, other, '0x5555555555555555555555555555555555555555'] as const
    const [root, proof] = [Payees.root(list), Payees.proof(list, payee)]
    expect(Payees.verify({ root, payee, proof })).toBe(true)
    expect(Payees.verify({ root, payee: other, proof })).toBe(false)
    expect(Payees.verify({ root, payee, proof: proof.slice(1) })).toBe(false)
    expect(Payees.verify({ root: Payees.root([payee, other]), payee, proof })).toBe(false)
  })

  test('error: not a payee', () => {
    expect(thrown(InputError, () => Payees.proof([payee], other))).toMatchObject({
      code: 'INVALID_ADDRESS',
      field: 'payee',
    })
  })
})
