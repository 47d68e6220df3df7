import {
  type Abi,
  type AbiItem,
  type Address,
  getAbiItem,
  type Hex,
  hashTypedData,
  keccak256,
  stringToHex,
  toEventSelector,
  toFunctionSelector,
} from 'viem'
import { describe, expect, test } from 'vitest'
import { spendPermissionManagerAbi as abi } from '../../abi/index.js'
// The package exports no path to it, and its types leave the ABI out of the declarations' index.
import { spendPermissionManagerAbi as canonicalAbi } from '../../node_modules/@base-org/account/dist/sign/base-account/utils/constants.js'
import { nativeToken, spendPermissionManager } from '../../src/Addresses.js'
import { useBase } from '../base.js'

const base = await useBase()
const { client } = base
const contract = { address: spendPermissionManager, abi } as const

const nameOf = (item: AbiItem) => ('name' in item ? `${item.type} ${item.name}` : item.type)

/** Two functions of one name would hide each other below. */
const byName = (items: Abi) => new Map(items.map((item) => [nameOf(item), item]))

describe('behavior: the ABI is the canonical one', () => {
  const ours = byName(abi)
  // A constructor belongs to a deployment, which the stand-in has none of.
  const canonical = byName((canonicalAbi as Abi).filter(({ type }) => type !== 'constructor'))

  test('the same items, none twice', () => {
    expect([...ours.keys()].sort()).toEqual([...canonical.keys()].sort())
    expect(ours.size).toBe(abi.length)
  })

  test.each([...canonical.keys()])('%s', (name) => {
    expect(normalised(ours.get(name))).toEqual(normalised(canonical.get(name)))
  })
})

/** Without what a compiler may say in several ways; names, order, types, indexing and mutability stay. */
function normalised(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(normalised)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).filter(
    ([key, entry]) => key !== 'internalType' && !(key === 'anonymous' && !entry),
  )
  return Object.fromEntries(entries.map(([key, entry]) => [key, normalised(entry)]))
}

describe('behavior: published values', () => {
  const permission =
    'SpendPermission(address account,address spender,address token,uint160 allowance,uint48 period,uint48 start,uint48 end,uint256 salt,bytes extraData)'
  const details =
    'PermissionDetails(address spender,address token,uint160 allowance,uint256 salt,bytes extraData)'
  const batch = `SpendPermissionBatch(address account,uint48 period,uint48 start,uint48 end,PermissionDetails[] permissions)${details}`

  test.each([
    ['SPEND_PERMISSION_TYPEHASH', permission],
    ['SPEND_PERMISSION_BATCH_TYPEHASH', batch],
    ['PERMISSION_DETAILS_TYPEHASH', details],
  ] as const)('%s', async (functionName, type) => {
    expect(await client.readContract({ ...contract, functionName })).toBe(keccak256(stringToHex(type)))
  })

  test('domain separator, of the domain that the contract tells of itself (ERC-5267)', async () => {
    const [fields, name, version, chainId, verifyingContract] = await client.readContract({
      ...contract,
      functionName: 'eip712Domain',
    })
    expect({ fields, name, version, chainId, verifyingContract }).toEqual({
      fields: '0x0f',
      name: 'Spend Permission Manager',
      version: '1',
      chainId: 8453n,
      verifyingContract: spendPermissionManager,
    })
  })

  test.each([
    ['SpendPermissionUsed', 'SpendPermissionUsed(bytes32,address,address,address,(uint48,uint48,uint160))'],
    [
      'SpendPermissionApproved',
      'SpendPermissionApproved(bytes32,(address,address,address,uint160,uint48,uint48,uint48,uint256,bytes))',
    ],
    [
      'SpendPermissionRevoked',
      'SpendPermissionRevoked(bytes32,(address,address,address,uint160,uint48,uint48,uint48,uint256,bytes))',
    ],
  ] as const)('topic of %s', (name, signature) => {
    const item = byName(abi).get(`event ${name}`)
    if (item?.type !== 'event') throw new Error(`no event ${name}`)
    expect(toEventSelector(item)).toBe(keccak256(stringToHex(signature)))
    expect(item.inputs.map(({ indexed = false }) => indexed)).toEqual(
      name === 'SpendPermissionUsed' ? [true, true, true, false, false] : [true, false],
    )
  })

  const struct = '(address,address,address,uint160,uint48,uint48,uint48,uint256,bytes)'
  test.each([
    ['approve', `approve(${struct})`],
    ['approveWithSignature', `approveWithSignature(${struct},bytes)`],
    ['spend', `spend(${struct},uint160)`],
    ['revoke', `revoke(${struct})`],
    ['revokeAsSpender', `revokeAsSpender(${struct})`],
    ['getHash', `getHash(${struct})`],
    ['isValid', `isValid(${struct})`],
    ['getCurrentPeriod', `getCurrentPeriod(${struct})`],
  ] as const)('selector of %s', (name, signature) => {
    expect(toFunctionSelector(getAbiItem({ abi, name }))).toBe(keccak256(stringToHex(signature)).slice(0, 10))
  })
})

describe('behavior: hashes are those of EIP-712', () => {
  const account: Address = '0x1111111111111111111111111111111111111111'
  const spender: Address = '0x2222222222222222222222222222222222222222'
  const domain = {
    name: 'Spend Permission Manager',
    version: '1',
    chainId: 8453,
    verifyingContract: spendPermissionManager,
  } as const
  const detailsType = [
    { name: 'spender', type: 'address' },
    { name: 'token', type: 'address' },
    { name: 'allowance', type: 'uint160' },
    { name: 'salt', type: 'uint256' },
    { name: 'extraData', type: 'bytes' },
  ] as const
  const details = (extraData: Hex) => ({
    spender,
    token: nativeToken as Address,
    allowance: 2n ** 160n - 1n,
    salt: 2n ** 256n - 1n,
    extraData,
  })
  const times = { period: 86_400, start: 1_700_000_000, end: 2 ** 48 - 1 }

  test.each(['0x', '0x00', `0x${'ab'.repeat(33)}`] as const)('getHash, extraData %s', async (extraData) => {
    const message = { account, ...details(extraData), ...times }
    const expected = hashTypedData({
      domain,
      types: {
        SpendPermission: [
          { name: 'account', type: 'address' },
          { name: 'spender', type: 'address' },
          { name: 'token', type: 'address' },
          { name: 'allowance', type: 'uint160' },
          { name: 'period', type: 'uint48' },
          { name: 'start', type: 'uint48' },
          { name: 'end', type: 'uint48' },
          { name: 'salt', type: 'uint256' },
          { name: 'extraData', type: 'bytes' },
        ],
      },
      primaryType: 'SpendPermission',
      message,
    })
    expect(await client.readContract({ ...contract, functionName: 'getHash', args: [message] })).toBe(
      expected,
    )
  })

  test('getBatchHash', async () => {
    const message = { account, ...times, permissions: [details('0x'), details('0x1234')] }
    const types = {
      SpendPermissionBatch: [
        { name: 'account', type: 'address' },
        { name: 'period', type: 'uint48' },
        { name: 'start', type: 'uint48' },
        { name: 'end', type: 'uint48' },
        { name: 'permissions', type: 'PermissionDetails[]' },
      ],
      PermissionDetails: detailsType,
    } as const
    const expected = hashTypedData({ domain, types, primaryType: 'SpendPermissionBatch', message })
    expect(await client.readContract({ ...contract, functionName: 'getBatchHash', args: [message] })).toBe(
      expected,
    )
  })
})
