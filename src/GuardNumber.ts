import { bytesToBigInt, concat, type Hex, keccak256, stringToHex } from 'viem'
import * as Input from './Input.js'

// Payment numbers, references and tasks, by which ledger and chain speak of the same payment without guessing.

/**
 * A lane of payment numbers, with room for 2^48 of them: 64 random bits, so that no two ledgers of an agent ever choose
 * the same number. To be drawn once per ledger and kept. All else in it is zero, which is cheap to send.
 */
export function lane(): bigint {
  return bytesToBigInt(crypto.getRandomValues(new Uint8Array(8))) << 40n
}

/**
 * The payment number at `index` of a lane: `lane * 256 + index`, modulo 2^256. 256 numbers in a row share a slot of
 * the guard's storage, so they are best used in order.
 *
 * @throws InputError `INVALID_AMOUNT` for a lane that is no uint248, `INVALID_VALUE` for an index that is no safe
 * integer from 0
 */
export function number(lane: bigint, index: number): bigint {
  Input.units(String(lane), 'lane', { min: 0n, max: 2n ** 248n - 1n })
  Input.integer(index, 'index', { min: 0, max: Number.MAX_SAFE_INTEGER })
  return BigInt.asUintN(256, lane * 256n + BigInt(index))
}

/**
 * The reference of a payment: `keccak256(abi.encodePacked(bytes32 grantId, string key))`. It is `ref` in the guard's
 * events, and the EIP-3009 nonce of a purse's payment, so that anybody who knows the key finds the payment on chain,
 * and a ledger that lost its memory finds the key's payment again.
 */
export function reference(grantId: Hex, key: string): Hex {
  return keccak256(concat([grantId, stringToHex(key)]))
}

/** The 32 bytes by which the chain knows a task: `keccak256(bytes(name))`, the same under every grant. */
export function task(name: string): Hex {
  return keccak256(stringToHex(name))
}
