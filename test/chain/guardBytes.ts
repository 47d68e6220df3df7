// Bytes that are nearly a policy, a batch or a purse's blob, and a reader of batches that knows nothing of the guard's.
import { type Address, bytesToHex, getAddress, type Hex, hexToBytes, zeroHash } from 'viem'
import type * as Guard from '../../src/Guard.js'
import type { Random } from './model.js'

const hexOf = (bytes: readonly number[]): Hex => bytesToHex(Uint8Array.from(bytes))

/** So many bytes: any, only zeros or only ones. */
const some = (random: Random, count: number): number[] => {
  const fill = random.pick(['any', 'any', 0, 0xff] as const)
  return Array.from({ length: count }, () => (fill === 'any' ? random.integer(0, 255) : fill))
}

/**
 * Bytes with up to three accidents: cut, extended, a few left out, put in, or written over, by anything, by what is
 * there somewhere else, by zeros or by ones. `sizes` are the lengths of the fields that may be there.
 */
export function spoilt(random: Random, data: Hex, sizes: readonly number[]): Hex {
  let bytes = [...hexToBytes(data)]
  for (let count = random.integer(1, 3); count > 0; count--) {
    const at = random.integer(0, bytes.length)
    const size = random.pick([1, 1, ...sizes])
    const kind = random.pick(['cut', 'more', 'put', 'out', 'bit', 'over', 'copy', 'head'] as const)
    if (kind === 'cut') bytes = bytes.slice(0, at)
    else if (kind === 'more') bytes.push(...some(random, size))
    else if (kind === 'put') bytes.splice(at, 0, ...some(random, size))
    else if (kind === 'out') bytes.splice(at, size)
    else if (kind === 'over') bytes.splice(at, size, ...some(random, size).slice(0, bytes.length - at))
    else if (kind === 'copy')
      bytes.splice(at, size, ...bytes.slice(random.integer(0, bytes.length)).slice(0, size))
    // Versions, lists of fields and lengths stand at the front.
    else if (kind === 'head' && bytes.length > 3)
      bytes[random.integer(0, 2)] = random.pick([0, 1, 2, 0x80, 0xff])
    else if (bytes.length > at) bytes[at] = (bytes[at] ?? 0) ^ (1 << random.integer(0, 7))
  }
  return hexOf(bytes)
}

/** The fields of a policy after its version, list of fields, grantId and agent: their bit and length. */
const fields = [
  [0, 20],
  [1, 14],
  [2, 14],
  [3, 14],
  [4, 14],
  [5, 10],
  [6, 14],
  [7, 32],
  [8, 32],
] as const

/** Bytes of the length that their list of fields asks for, or nearly, whose fields are anything. */
export function policyLike(random: Random): Hex {
  const odd = random.chance(0.1) ? 1 << random.integer(9, 15) : 0
  const present = random.integer(0, 0x1ff) | (random.chance(0.95) ? 0x80 : 0) | odd
  const field = (size: number) =>
    random.chance(0.75) ? Array.from({ length: size }, () => random.integer(1, 254)) : some(random, size)
  const bytes = [
    random.chance(0.97) ? 1 : random.integer(0, 255),
    ...[present >> 8, present & 0xff],
    ...some(random, 32),
    ...(random.chance(0.95) ? field(20) : Array<number>(20).fill(0)),
    ...fields.flatMap(([bit, size]) => (present & (1 << bit) ? field(size) : [])),
  ]
  if (random.chance(0.05)) bytes.push(0)
  return hexOf(bytes)
}

/** The widths of all there is in policies. */
export const policySizes = [1, 2, 6, 4, 14, 20, 32]
/** And in batches: a ticket's, a payment's and a proof's parts. */
export const batchSizes = [1, 2, 6, 14, 20, 32, 99]

/** What bytes say as a batch, by the words of contracts/Batch.sol; undefined where they say nothing. */
export function readBatch(data: Hex): Guard.Batch | undefined {
  let at = 2
  const left = () => (data.length - at) / 2
  const take = (size: number): Hex => {
    at += 2 * size
    return `0x${data.slice(at - 2 * size, at)}`
  }
  const uint = (size: number) => BigInt(take(size))
  if (left() < 8) return undefined
  const [deadline, present] = [Number(uint(6)), Number(uint(2))]
  if (present > 0 && left() < 31 + present) return undefined
  const task = present > 0 ? take(32) : null
  const size = present > 0 ? present - 1 : 0
  if (task === zeroHash && size === 0) return undefined
  const ticket =
    size === 0
      ? null
      : size < 20
        ? undefined
        : { cap: uint(14), deadline: Number(uint(6)), signature: take(size - 20) }
  if (ticket === undefined) at += 2 * size
  const payments: Guard.Payment[] = []
  while (left() > 0) {
    const nodes = Number(uint(1))
    if (left() < 98 + 32 * nodes) return undefined
    const [number, ref, payee, amount] = [uint(32), take(32), address(take(20)), uint(14)]
    payments.push({ number, ref, payee, amount, proof: Array.from({ length: nodes }, () => take(32)) })
  }
  // A ticket that is too short for a deadline is none that anybody signed.
  return { deadline, task, ticket: ticket ?? null, payments }
}

function address(value: Hex): Address {
  return getAddress(value)
}
