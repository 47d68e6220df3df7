import { type Address, encodeAbiParameters, type Hex, isHex, keccak256, maxUint256, toHex } from 'viem'
import { hardcapGuard } from './Addresses.js'
import * as Amount from './Amount.js'
import { InputError } from './errors.js'
import * as Grant from './Grant.js'
import * as Input from './Input.js'
import * as Json from './Json.js'
import { hash } from './PermissionHash.js'
import * as Policy from './Policy.js'
import * as Time from './Time.js'

export {
  type Batch,
  batch,
  batchHash,
  batchTypedData,
  type Details,
  hash,
  typedData,
} from './PermissionHash.js'
export { type Signer, sign, verify } from './PermissionSignature.js'

/**
 * Coinbase's SpendPermission struct, as it is signed (EIP-712) and kept, with the chain it is for.
 * Amounts in base units, times in unix seconds.
 */
export type Permission = {
  readonly chainId: number
  /** The smart wallet whose money is spent. */
  readonly account: Address
  /** Who may call `spend`: the agent's EOA on the direct rail, else the guard. */
  readonly spender: Address
  readonly token: Address
  /** uint160: the most that one period may spend. */
  readonly allowance: bigint
  /** uint48: seconds. Periods are `[start + n*period, start + (n+1)*period)`, the last clipped to `end`. */
  readonly period: number
  /** uint48, inclusive. */
  readonly start: number
  /** uint48, exclusive. */
  readonly end: number
  /** uint256: commits to the whole grant and a nonce. */
  readonly salt: bigint
  /** The policy that the guard enforces (`Policy.encode`); empty on the direct rail. */
  readonly extraData: Hex
}

/**
 * The one permission that mirrors a grant, always the same for the same grant and nonce.
 *
 * - With a day cap below the total, or no total: the day cap for every UTC day, until the grant expires. Where the
 *   grant asks to `hold` its total, until as many whole days have passed as fit into it, if that is earlier.
 * - Otherwise the total, once, as one period from start to end. (A day cap of at least the total never binds.)
 *
 * On the guard and purse rails the spender is the guard, and `extraData` the policy that narrows these fields: the
 * guard holds the total next to a day cap, over all permissions of the grant.
 *
 * Without an expiry, `end` is the last that a permission can have, 2^48 - 1.
 *
 * `salt` is `uint256(keccak256(abi.encode("hardcap.salt.v1", Grant.hash(grant), uint256(nonce))))`. A revoked
 * permission can never be approved again: the same grant then needs another nonce.
 *
 * @param options.replaces the hash of the permission that `Guard.replace` is to revoke when it approves this one
 * @throws InputError `INVALID_VALUE` for a nonce that is no uint256 or a `replaces` that is no hash, `RAIL_CONFLICT` for
 * a `replaces` on the direct rail, `CAP_MISSING` for a grant without a day cap and
 * a total, which `Grant.define` and `Grant.parse` never return
 */
export function fromGrant(
  grant: Grant.Grant,
  options: { nonce?: bigint | undefined; replaces?: Hex | undefined } = {},
): Permission {
  const { nonce = 0n, replaces } = options
  if (typeof nonce !== 'bigint' || nonce < 0n || nonce > maxUint256)
    throw new InputError('INVALID_VALUE', {
      field: 'nonce',
      given: nonce,
      valid: 'a bigint from 0n to 2n ** 256n - 1n',
      why: 'Not a uint256.',
    })
  if (replaces !== undefined && grant.rail === 'direct')
    throw new InputError('RAIL_CONFLICT', {
      field: 'replaces',
      given: replaces,
      valid: 'rail "guard" or "purse", or nothing',
      why: 'On the direct rail a permission cannot say which one it replaces.',
    })
  const salt = keccak256(
    encodeAbiParameters(
      [{ type: 'string' }, { type: 'bytes32' }, { type: 'uint256' }],
      ['hardcap.salt.v1', Grant.hash(grant), nonce],
    ),
  )
  return Object.freeze({
    chainId: grant.chainId,
    account: grant.owner,
    spender: grant.rail === 'direct' ? grant.agent : hardcapGuard,
    token: grant.token.address,
    ...allowance(grant),
    salt: BigInt(salt),
    extraData: grant.rail === 'direct' ? '0x' : Policy.encode(Policy.fromGrant(grant, { replaces })),
  })
}

function allowance(grant: Grant.Grant): Pick<Permission, 'allowance' | 'period' | 'start' | 'end'> {
  const { perDay, total, startsAt: start, hold } = grant
  const expiry = grant.expiresAt ?? Time.max
  if (perDay !== null && (total === null || perDay < total)) {
    if (hold !== 'total' || total === null) return { allowance: perDay, period: Time.day, start, end: expiry }
    // Compared as bigints: a million years of days do not fit a number of seconds exactly.
    const held = BigInt(start) + (total / perDay) * BigInt(Time.day)
    return { allowance: perDay, period: Time.day, start, end: held < expiry ? Number(held) : expiry }
  }
  if (total !== null) return { allowance: total, period: expiry - start, start, end: expiry }
  throw new InputError('CAP_MISSING', {
    field: 'grant',
    given: grant,
    valid: 'a grant from Grant.define or Grant.parse',
    why: 'The grant has neither a day cap nor a total.',
  })
}

/** Whether two permissions are one and the same to the chain. */
export function equals(a: Permission, b: Permission): boolean {
  return hash(a) === hash(b)
}

/**
 * The bounds of the period that holds `now`, half open, or null outside `[start, end)`: what `getCurrentPeriod` of
 * the contract answers, where it reverts for null.
 */
export function periodAt(permission: Permission, now: number): { start: number; end: number } | null {
  const { start, end, period } = permission
  if (now < start || now >= end) return null
  const begin = now - ((now - start) % period)
  return { start: begin, end: Math.min(begin + period, end) }
}

/** In how many periods the allowance can be spent, the last, clipped one included, which has all of it too. */
export function periods(permission: Permission): number {
  const { start, end, period } = permission
  const rest = (end - start) % period
  return (end - start - rest) / period + (rest > 0 ? 1 : 0)
}

const keys = [
  'chainId',
  'account',
  'spender',
  'token',
  'allowance',
  'period',
  'start',
  'end',
  'salt',
  'extraData',
]

/** Writes a permission as JSON, byte for byte the same for equal ones; bigints as decimal strings. */
export function serialize(permission: Permission): string {
  const { chainId, account, spender, token, allowance, period, start, end, salt, extraData } = permission
  return JSON.stringify({
    version: 1,
    chainId,
    account,
    spender,
    token,
    allowance: allowance.toString(),
    period,
    start,
    end,
    salt: salt.toString(),
    extraData,
  })
}

/**
 * Reads what `serialize` wrote. Refuses what SpendPermissionManager would never approve: a zero token, spender,
 * period or allowance, and a start that is not before the end.
 *
 * @throws InputError
 */
export function parse(text: string): Permission {
  const input = Json.record(Json.parse(text, 'permission'), 'permission', keys)
  const time = (field: string, min = 0) =>
    Input.integer(input[field], field, { min, max: Time.max, code: 'INVALID_DATE' })
  const start = time('start')
  const permission = Object.freeze({
    chainId: Input.integer(input.chainId, 'chainId', { min: 1, max: Number.MAX_SAFE_INTEGER }),
    account: Input.address(input.account, 'account'),
    spender: Input.address(input.spender, 'spender'),
    token: Input.address(input.token, 'token'),
    allowance: Input.units(input.allowance, 'allowance', { min: 1n, max: Amount.max }),
    period: time('period', 1),
    start,
    end: time('end', start + 1),
    salt: Input.units(input.salt, 'salt', { min: 0n, max: maxUint256 }),
    extraData: bytes(input.extraData, 'extraData'),
  })
  Json.checkSame(text, serialize(permission), 'permission')
  return permission
}

function bytes(value: unknown, field: string): Hex {
  if (typeof value === 'string' && isHex(value) && value.length % 2 === 0 && value === value.toLowerCase())
    return value
  const valid = `lower-case hexadecimal with 0x and whole bytes, such as "${toHex('hi')}"`
  throw new InputError('INVALID_VALUE', { field, given: value, valid, why: 'Not bytes.' })
}
