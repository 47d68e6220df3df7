import { type Hex, keccak256, toHex, zeroAddress } from 'viem'
import { Grant, Payees, Policy } from '../../src/index.js'
import { agent, bytes32, mixed, now, owner, payee } from './permission.js'

const five = [payee, mixed, owner, agent, '0x5555555555555555555555555555555555555555'] as const

const unlimited = 2n ** 112n - 1n
const unlimitedWindow = 2n ** 48n - 1n

/** Nothing but what every policy has. */
const bare: Policy.Policy = {
  grantId: bytes32('ab'),
  agent,
  orchestrator: null,
  perCall: null,
  perDay: null,
  total: null,
  perTask: null,
  perWindow: null,
  window: null,
  maxFloat: null,
  payees: 'any',
  replaces: null,
}

const full: Policy.Policy = {
  grantId: bytes32('01'),
  agent: mixed,
  orchestrator: owner,
  perCall: 50_000n,
  perDay: 2_000_000n,
  total: 25_000_000n,
  perTask: 1_000_000n,
  perWindow: 500_000n,
  window: 3_600,
  maxFloat: 500_000n,
  payees: Payees.root([payee, mixed, owner]),
  replaces: bytes32('cd'),
}

const policies: Record<string, Policy.Policy> = {
  'nothing but what every policy has': bare,
  'every field': full,
  'an orchestrator alone': { ...bare, orchestrator: mixed },
  'perCall alone': { ...bare, perCall: 1n },
  'perDay alone': { ...bare, perDay: 1n },
  'total alone': { ...bare, total: 1n },
  'perTask with its orchestrator': { ...bare, orchestrator: owner, perTask: 1n },
  'a window alone': { ...bare, perWindow: 1n, window: 1 },
  'a float alone': { ...bare, maxFloat: 1n },
  'payees alone': { ...bare, payees: bytes32('ef') },
  'payees under the root zero, which nobody can prove': { ...bare, payees: bytes32('00') },
  'a replacement alone': { ...bare, replaces: bytes32('ff') },
  'zero, which means zero': { ...full, perCall: 0n, perDay: 0n, total: 0n, perTask: 0n, perWindow: 0n },
  'the largest caps': {
    ...full,
    grantId: bytes32('ff'),
    agent: '0xFFfFfFffFFfffFFfFFfFFFFFffFFFffffFfFFFfF',
    perCall: unlimited - 1n,
    perDay: unlimited - 1n,
    total: unlimited - 1n,
    perTask: unlimited - 1n,
    perWindow: unlimitedWindow - 1n,
    window: 2 ** 32 - 1,
    maxFloat: unlimited,
  },
  'a grant on the guard rail': Policy.fromGrant(
    Grant.define(
      {
        owner,
        agent,
        rail: 'guard',
        allow: [{ host: 'api.example.com', payTo: [payee, mixed] }],
        perCallUsd: '0.05',
        perDayUsd: '2',
        totalUsd: '25',
      },
      { now, grantId: bytes32('ab') },
    ),
  ),
}

/** Bytes that are no policy, by what is wrong with them, and the error of the contract. */
function malformed(): { name: string; data: Hex; error: Hex }[] {
  const [one, all] = [Policy.encode(bare), Policy.encode(full)]
  /** With `bytes` in place of those from the byte `at`. */
  const put = (data: Hex, at: number, bytes: string): Hex =>
    `0x${data.slice(2, 2 + 2 * at)}${bytes}${data.slice(2 + 2 * at + bytes.length)}`
  /** With more fields than `bare` has: their bits, and their bytes before or after the payees. */
  const add = (present: number, before: string, after = ''): Hex => {
    const bits = present.toString(16).padStart(4, '0')
    return `0x01${bits}${one.slice(8, 112)}${before}${'ff'.repeat(32)}${after}`
  }
  const [amount, most, zero] = ['00'.repeat(13).concat('01'), 'ff'.repeat(14), '00'.repeat(14)]
  const cases: Record<string, Hex> = {
    'no bytes': '0x',
    'a version and nothing else': '0x01',
    'one byte too few': all.slice(0, -2) as Hex,
    'one byte too many': `${all}00`,
    'half the list of fields': '0x0100',
    'nothing after the list of fields': '0x010080',
    'no payees': `0x010000${one.slice(8, 112)}`,
    'an unknown field': put(one, 1, '0280'),
    'the last unknown field': put(one, 1, '8080'),
    'a field announced that is missing': put(one, 1, '0082'),
    'a field that nobody announced': add(0x80, amount),
    'no agent': put(one, 35, '00'.repeat(20)),
    'an orchestrator that is nobody': add(0x81, '00'.repeat(20)),
    'perCall without a limit': add(0x82, most),
    'perDay without a limit': add(0x84, most),
    'total without a limit': add(0x88, most),
    'perTask without a limit': add(0x91, '11'.repeat(20) + most),
    'perTask without an orchestrator': add(0x90, amount),
    'a window without a limit': add(0xa0, `${'ff'.repeat(6)}00000e10`),
    'a window that lasts no time': add(0xa0, `00000007a12000000000`),
    'a float of zero': add(0xc0, zero),
    'a replacement of nothing': add(0x180, '', '00'.repeat(32)),
  }
  const selector = (signature: string) => keccak256(toHex(signature)).slice(0, 10) as Hex
  const versions = [0, 2, 255].map((version) => {
    const word = version.toString(16).padStart(64, '0')
    const data = put(one, 0, word.slice(-2))
    return {
      name: `version ${version}`,
      data,
      error: `${selector('UnknownPolicyVersion(uint256)')}${word}` as Hex,
    }
  })
  const error = selector('MalformedPolicy()')
  return [...Object.entries(cases).map(([name, data]) => ({ name, data, error })), ...versions]
}

/** Policies as the contract has them, where "no cap" is the largest value of the type. */
export function policyVectors() {
  return {
    policies: Object.entries(policies).map(([name, policy]) => ({
      name,
      policy: {
        ...policy,
        orchestrator: policy.orchestrator ?? zeroAddress,
        perCall: (policy.perCall ?? unlimited).toString(),
        perDay: (policy.perDay ?? unlimited).toString(),
        total: (policy.total ?? unlimited).toString(),
        perTask: (policy.perTask ?? unlimited).toString(),
        perWindow: (policy.perWindow ?? unlimitedWindow).toString(),
        window: policy.window ?? 0,
        maxFloat: (policy.maxFloat ?? 0n).toString(),
        payees: policy.payees === 'any' ? bytes32('ff') : policy.payees,
        replaces: policy.replaces ?? bytes32('00'),
      },
      data: Policy.encode(policy),
    })),
    malformed: malformed(),
    payees: [1, 2, 3, 5].map((count) => {
      const list = five.slice(0, count)
      return {
        root: Payees.root(list),
        proofs: list.map((payee) => ({ payee, proof: Payees.proof(list, payee) })),
      }
    }),
  }
}
