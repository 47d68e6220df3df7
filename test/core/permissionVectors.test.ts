import { readFileSync } from 'node:fs'
import { type Address, type Hex, hexToBigInt, zeroAddress } from 'viem'
import { describe, expect, test } from 'vitest'
import { Grant, Permission } from '../../src/index.js'

// The same file is read by test/contracts/PermissionVectors.t.sol, which asks the contract for every digest.
type Struct = {
  chainId: number
  account: Address
  spender: Address
  token: Address
  allowance: string
  period: number
  start: number
  end: number
  salt: Hex
  extraData: Hex
}
type Vectors = {
  grants: {
    name: string
    text: string
    terms: Record<string, unknown>
    hash: Hex
    nonce: Hex
    permission: Struct
    permissionHash: Hex
  }[]
  permissions: { permission: Struct; hash: Hex }[]
  batch: { permissions: Struct[]; hash: Hex }
}
const file = new URL('../vectors/permission.json', import.meta.url)
const vectors: Vectors = JSON.parse(readFileSync(file, 'utf8'))

const read = (struct: Struct): Permission.Permission => ({
  ...struct,
  allowance: BigInt(struct.allowance),
  salt: hexToBigInt(struct.salt),
})

describe.each(vectors.grants)('grant: $name', (vector) => {
  const grant = Grant.parse(vector.text)

  test('Grant.hash', () => {
    expect(Grant.hash(grant)).toBe(vector.hash)
  })

  test('the terms that the hash covers', () => {
    const { version, status, ...terms } = grant
    const absent = (2n ** 256n - 1n).toString()
    const text = (value: bigint | number | null, none = absent) => (value === null ? none : value.toString())
    expect({
      ...terms,
      orchestrator: grant.orchestrator ?? zeroAddress,
      token: grant.token.address,
      perCall: text(grant.perCall),
      perTask: text(grant.perTask),
      perDay: text(grant.perDay),
      total: text(grant.total),
      perWindow: text(grant.perWindow),
      window: text(grant.window, '0'),
      maxFloat: text(grant.maxFloat, '0'),
      startsAt: text(grant.startsAt),
      expiresAt: text(grant.expiresAt),
    }).toEqual(vector.terms)
  })

  test('Permission.fromGrant', () => {
    const permission = Permission.fromGrant(grant, { nonce: hexToBigInt(vector.nonce) })
    expect(permission).toEqual(read(vector.permission))
    expect(Permission.hash(permission)).toBe(vector.permissionHash)
  })
})

test.each(vectors.permissions)('permission: $hash', ({ permission, hash }) => {
  expect(Permission.hash(read(permission))).toBe(hash)
})

test('batch', () => {
  const batch = Permission.batch(vectors.batch.permissions.map(read))
  expect(Permission.batchHash(batch)).toBe(vectors.batch.hash)
})
