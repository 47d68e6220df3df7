import { type Hex, maxUint160, maxUint256, numberToHex, zeroAddress } from 'viem'
import { nativeToken } from '../../src/Addresses.js'
import { Grant, Permission, Time } from '../../src/index.js'

export const owner = '0x1111111111111111111111111111111111111111'
export const agent = '0x2222222222222222222222222222222222222222'
export const payee = '0x3333333333333333333333333333333333333333'
/** The example of ERC-55: its checksum has both cases. */
export const mixed = '0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed'

/** 2030-01-01 12:00 UTC. */
export const now = Date.UTC(2030, 0, 1, 12) / 1000

/** 32 times the same byte. */
export const bytes32 = (byte: string): Hex => `0x${byte.repeat(32)}`

type Case = { name: string; terms: Grant.DefineParams; grantId: Hex; nonce: bigint }

const common = {
  owner,
  agent,
  perCallUsd: '0.05',
  perDayUsd: '2',
  totalUsd: '25',
  expiresAt: '2030-12-31',
} as const

const grants: readonly Case[] = [
  {
    name: 'a day cap and a total',
    terms: { ...common, id: 'research', rail: 'direct', allow: [{ host: 'api.example.com', payTo: payee }] },
    grantId: bytes32('ab'),
    nonce: 0n,
  },
  {
    name: 'a total that is held',
    terms: {
      ...common,
      id: 'held',
      rail: 'direct',
      allow: [{ host: 'api.example.com:8443', payTo: [payee, mixed] }, 'open.example.com'],
      perTaskUsd: '1',
      hold: 'total',
    },
    grantId: bytes32('ac'),
    nonce: 7n,
  },
  {
    name: 'a total alone, without an expiry',
    terms: {
      id: 'Forschung № 7 ☃',
      owner: mixed,
      agent,
      rail: 'direct',
      allow: ['open.example.com'],
      totalUsd: '0.000001',
      startsAt: 1_906_539_630_000,
    },
    grantId: bytes32('ad'),
    nonce: maxUint256,
  },
  {
    name: 'a day cap alone on Base Sepolia',
    terms: {
      id: '1',
      owner,
      agent: mixed,
      rail: 'direct',
      chain: 84532,
      allow: ['localhost:4021'],
      perDayUsd: '12345.678901',
    },
    grantId: bytes32('01'),
    nonce: 1n,
  },
  {
    name: 'the guard rail',
    terms: {
      ...common,
      id: 'guard',
      rail: 'guard',
      allow: [{ host: 'api.example.com', payTo: [payee, mixed] }],
    },
    grantId: bytes32('02'),
    nonce: 0n,
  },
  {
    name: 'the guard rail with any payee, a window and a total alone',
    terms: {
      ...common,
      id: 'any',
      rail: 'guard',
      payees: 'any',
      allow: ['open.example.com'],
      perDayUsd: undefined,
      perWindowUsd: '1',
      window: 3600,
    },
    grantId: bytes32('03'),
    nonce: 2n,
  },
  {
    name: 'the purse rail with tasks and their orchestrator',
    terms: {
      ...common,
      id: 'purse',
      rail: 'purse',
      orchestrator: mixed,
      allow: [{ host: 'api.example.com', payTo: payee }],
      perTaskUsd: '1',
      totalUsd: undefined,
    },
    grantId: bytes32('04'),
    nonce: 0n,
  },
]

/** The grants that policies and permissions are made of, and the permissions at the ends of their types. */
export function permissionVectors() {
  const permissions: Permission.Permission[] = [
    {
      chainId: 1,
      account: mixed,
      spender: payee,
      token: nativeToken,
      allowance: maxUint160,
      period: 1,
      start: 0,
      end: Time.max,
      salt: maxUint256,
      extraData: '0x00ff1234',
    },
    {
      chainId: 8453,
      account: mixed,
      spender: payee,
      token: nativeToken,
      allowance: 1n,
      period: Time.max,
      start: Time.max - 1,
      end: Time.max,
      salt: 0n,
      extraData: `0x${'ab'.repeat(100)}`,
    },
  ]
  const [first] = grants
  if (!first) throw new Error('No grants.')
  const grant = define(first)
  const one = Permission.fromGrant(grant)
  const batch = [
    one,
    Permission.fromGrant(grant, { nonce: 1n }),
    { ...one, spender: mixed, allowance: 1n, salt: 1n, extraData: '0x1234' },
  ] as const
  return {
    grants: grants.map(ofGrant),
    permissions: permissions.map((permission) => ({
      permission: ofPermission(permission),
      hash: Permission.hash(permission),
    })),
    batch: {
      permissions: batch.map(ofPermission),
      hash: Permission.batchHash(Permission.batch(batch)),
    },
  }
}

function define({ terms, grantId }: Case): Grant.Grant {
  return Grant.define(terms, { now, grantId })
}

function ofGrant(vector: Case) {
  const grant = define(vector)
  const { version, status, ...terms } = grant
  const permission = Permission.fromGrant(grant, { nonce: vector.nonce })
  const text = (value: bigint | number | null, absent = maxUint256) => (value ?? absent).toString()
  return {
    name: vector.name,
    text: Grant.serialize(grant),
    terms: {
      ...terms,
      orchestrator: grant.orchestrator ?? zeroAddress,
      token: grant.token.address,
      perCall: text(grant.perCall),
      perTask: text(grant.perTask),
      perDay: text(grant.perDay),
      total: text(grant.total),
      perWindow: text(grant.perWindow),
      window: text(grant.window, 0n),
      maxFloat: text(grant.maxFloat, 0n),
      startsAt: text(grant.startsAt),
      expiresAt: text(grant.expiresAt),
    },
    hash: Grant.hash(grant),
    nonce: numberToHex(vector.nonce, { size: 32 }),
    permission: ofPermission(permission),
    permissionHash: Permission.hash(permission),
  }
}

/** As JSON has it, whose numbers are too small for amounts. */
function ofPermission({ allowance, salt, ...others }: Permission.Permission) {
  return { ...others, allowance: allowance.toString(), salt: numberToHex(salt, { size: 32 }) }
}
