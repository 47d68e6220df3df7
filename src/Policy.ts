import {
  type Address,
  concat,
  getAddress,
  type Hex,
  isHex,
  numberToHex,
  size,
  slice,
  zeroAddress,
} from 'viem'
import { most } from './Caps.js'
import { InputError, PolicyError } from './errors.js'
import type { Grant } from './Grant.js'
import * as Input from './Input.js'
import * as Payees from './Payees.js'

export { type Explanation, explain } from './PolicyText.js'

/**
 * The part of a grant that the guard enforces, encoded in the permission's `extraData`. Amounts in base units of the
 * permission's token. `null` is a cap that the guard does not have; zero means zero.
 */
export type Policy = {
  /** 32 bytes. Permissions of one account and token with the same grantId share their meters. */
  readonly grantId: Hex
  /** Who decides on payments. */
  readonly agent: Address
  /** Who signs tickets and may pause or revoke. */
  readonly orchestrator: Address | null
  /** The most of one payment. At most 2^112 - 2, as the next three. */
  readonly perCall: bigint | null
  /** The most of one UTC day. */
  readonly perDay: bigint | null
  /** The most ever. */
  readonly total: bigint | null
  /** The most of one task. With it, every payment needs a task and the orchestrator's ticket. */
  readonly perTask: bigint | null
  /** The most of any `window` seconds. At most 2^48 - 2. */
  readonly perWindow: bigint | null
  /** Seconds, 1 to 2^32 - 1; null where `perWindow` is, and only there. */
  readonly window: number | null
  /** The most that a funding may lift the purse to: 1 to 2^112 - 1. Null where there is no purse. */
  readonly maxFloat: bigint | null
  /** The Merkle root of the payees (`Payees.root`), or `any`. */
  readonly payees: Hex | 'any'
  /** The hash of the permission that this one replaces. */
  readonly replaces: Hex | null
}

/** The root that stands for any payee: nobody can know the leaves of a tree with it. */
export const anyPayee: Hex = `0x${'f'.repeat(64)}`
const noPermission: Hex = `0x${'0'.repeat(64)}`

const amounts = ['perCall', 'perDay', 'total', 'perTask'] as const

/**
 * The policy of a grant on the guard or the purse rail. A task cap goes into it only with an orchestrator: without,
 * nobody could tell the guard which tasks there are.
 *
 * @throws InputError `RAIL_CONFLICT` for a grant on the direct rail, `INVALID_VALUE` for a `replaces` that is no hash
 */
export function fromGrant(grant: Grant, options: { replaces?: Hex | undefined } = {}): Policy {
  if (grant.rail === 'direct')
    throw new InputError('RAIL_CONFLICT', {
      field: 'rail',
      given: grant.rail,
      valid: '"guard" or "purse"',
      why: 'On the direct rail there is no guard to enforce a policy.',
    })
  const { replaces } = options
  if (replaces !== undefined) bytes32(replaces, 'replaces', noPermission)
  const { grantId, agent, orchestrator, perCall, perDay, total, perWindow, window, maxFloat } = grant
  return Object.freeze({
    grantId,
    agent,
    orchestrator,
    perCall,
    perDay,
    total,
    perTask: orchestrator === null ? null : grant.perTask,
    perWindow,
    window,
    maxFloat,
    payees: grant.payees === 'any' ? 'any' : Payees.root(Payees.of(grant)),
    replaces: replaces ?? null,
  })
}

/**
 * The bytes that stand for a policy, version 1: always the same for the same policy, and no two have the same.
 *
 * Packed: `version (1 byte) | present (2 bytes) | grantId (32) | agent (20)`, then the fields whose bits are set in
 * `present`, in the order of their bits: 0 orchestrator (20 bytes), 1 perCall (14), 2 perDay (14), 3 total (14),
 * 4 perTask (14), 5 perWindow (6) and window (4), 6 maxFloat (14), 7 payees (32, always there), 8 replaces (32).
 *
 * @throws InputError `INVALID_ADDRESS`, `INVALID_AMOUNT`, `INVALID_VALUE`, `CAP_CONFLICT`
 */
export function encode(policy: Policy): Hex {
  const { orchestrator, perWindow, window, maxFloat, payees, replaces } = policy
  if (policy.perTask !== null && orchestrator === null)
    throw new InputError('CAP_CONFLICT', {
      field: 'perTask',
      given: policy.perTask,
      valid: 'null, or an orchestrator, who signs the tickets',
      why: 'Nobody could tell the guard which tasks there are.',
    })
  if ((perWindow === null) !== (window === null))
    throw new InputError('CAP_CONFLICT', {
      field: 'window',
      given: window,
      valid: 'perWindow and window together, or both null',
      why: 'A cap per window and the window in seconds say nothing without each other.',
    })
  const limit = (field: (typeof amounts)[number]) => {
    const value = policy[field]
    return value === null ? null : uint(value, field, { min: 0n, size: 14 })
  }
  const fields = [
    orchestrator === null ? null : lower(Input.address(orchestrator, 'orchestrator')),
    ...amounts.map(limit),
    perWindow === null || window === null
      ? null
      : concat([
          uint(perWindow, 'perWindow', { min: 0n, size: 6 }),
          numberToHex(Input.integer(window, 'window', { min: 1, max: 2 ** 32 - 1 }), { size: 4 }),
        ]),
    maxFloat === null ? null : uint(maxFloat, 'maxFloat', { min: 1n, size: 14 }),
    payees === 'any' ? anyPayee : bytes32(payees, 'payees', anyPayee),
    replaces === null ? null : bytes32(replaces, 'replaces', noPermission),
  ]
  const present = fields.reduce((bits, field, i) => (field === null ? bits : bits | (1 << i)), 0)
  return concat([
    '0x01',
    numberToHex(present, { size: 2 }),
    bytes32(policy.grantId, 'grantId'),
    lower(Input.address(policy.agent, 'agent')),
    ...fields.filter((field) => field !== null),
  ])
}

/**
 * The policy that bytes stand for: the inverse of `encode`, equal to `explain` of the guard.
 *
 * @throws PolicyError `UNKNOWN_POLICY_VERSION`, `MALFORMED_POLICY`, where the guard refuses the bytes as well;
 * InputError `INVALID_VALUE` where they are not bytes
 */
export function decode(data: Hex): Policy {
  if (typeof data !== 'string' || !isHex(data) || data.length % 2 !== 0)
    throw new InputError('INVALID_VALUE', {
      field: 'extraData',
      given: data,
      valid: 'the extraData of a permission: bytes in hexadecimal with 0x',
      why: 'Not bytes.',
    })
  const bytes = data.toLowerCase() as Hex
  if (size(bytes) === 0) throw malformed('There are none, as on the direct rail.')
  const version = Number(slice(bytes, 0, 1))
  if (version !== 1)
    throw new PolicyError(
      'UNKNOWN_POLICY_VERSION',
      `The policy has version ${version}, and 1 is the only one known: it was made for another guard or by a newer hardcap.`,
      { figures: { version } },
    )

  let at = 1
  const take = (length: number, field: string): Hex => {
    if (size(bytes) < at + length)
      throw malformed(`It ends within ${field}, after ${size(bytes)} bytes.`, { length: size(bytes) })
    at += length
    return slice(bytes, at - length, at)
  }
  const present = Number(take(2, 'the list of fields'))
  const has = (bit: number) => (present & (1 << bit)) !== 0
  if (present >= 1 << 9 || !has(7)) throw malformed(`It has fields ${numberToHex(present)}.`, { present })
  const address = (field: string): Address => {
    const value = take(20, field)
    if (value === zeroAddress) throw malformed(`The ${field} is the zero address.`)
    return getAddress(value)
  }
  const amount = (length: number, field: keyof typeof most, refused: bigint): bigint => {
    const value = BigInt(take(length, field))
    if (value === refused) throw malformed(`Its ${field} is what leaving it out means.`)
    return value
  }

  const [grantId, agent] = [take(32, 'grantId'), address('agent')]
  const orchestrator = has(0) ? address('orchestrator') : null
  const [perCall, perDay, total, perTask] = amounts.map((field, i) =>
    has(i + 1) ? amount(14, field, most[field] + 1n) : null,
  ) as [bigint | null, bigint | null, bigint | null, bigint | null]
  if (perTask !== null && orchestrator === null) throw malformed('It caps tasks without an orchestrator.')
  const perWindow = has(5) ? amount(6, 'perWindow', most.perWindow + 1n) : null
  const window = has(5) ? Number(take(4, 'window')) : null
  if (window === 0) throw malformed('Its window lasts no time.')
  const maxFloat = has(6) ? amount(14, 'maxFloat', 0n) : null
  const root = take(32, 'payees')
  const replaces = has(8) ? take(32, 'replaces') : null
  if (replaces === noPermission) throw malformed('Its replaces is what leaving it out means.')
  if (at !== size(bytes)) throw malformed(`${size(bytes) - at} bytes follow it.`, { length: size(bytes) })
  const payees = root === anyPayee ? 'any' : root
  const caps = { perCall, perDay, total, perTask, perWindow, window, maxFloat }
  return Object.freeze({ grantId, agent, orchestrator, ...caps, payees, replaces })
}

function malformed(why: string, figures: Record<string, unknown> = {}): PolicyError {
  return new PolicyError('MALFORMED_POLICY', `These bytes are not a policy. ${why}`, { figures })
}

/** `most` is what the field's type can say besides "no cap". */
function uint(value: bigint, field: keyof typeof most, options: { min: bigint; size: number }): Hex {
  const { min, size } = options
  if (typeof value === 'bigint' && value >= min && value <= most[field]) return numberToHex(value, { size })
  const valid = `null, or base units from ${min} to ${most[field]}`
  throw new InputError('INVALID_AMOUNT', { field, given: value, valid, why: 'The guard cannot hold it.' })
}

function bytes32(value: unknown, field: string, reserved?: Hex): Hex {
  const text = typeof value === 'string' ? value.toLowerCase() : ''
  if (/^0x[0-9a-f]{64}$/.test(text) && text !== reserved) return text as Hex
  const valid = `32 bytes in hexadecimal with 0x${reserved === undefined ? '' : `, other than ${reserved}`}`
  throw new InputError('INVALID_VALUE', { field, given: value, valid, why: 'Not such a hash.' })
}

function lower(address: Address): Hex {
  return address.toLowerCase() as Hex
}
