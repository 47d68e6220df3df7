import { type Address, concat, encodeAbiParameters, type Hex, keccak256 } from 'viem'
import { InputError } from './errors.js'
import type { Grant } from './Grant.js'
import * as Input from './Input.js'

// The payees of a grant as a Merkle tree, in the format of OpenZeppelin's StandardMerkleTree (v1, `['address']`):
// its root goes into the policy, its proofs into the payments.

/** All payees of a grant, whichever host they belong to: checksummed, in ascending order, without duplicates. */
export function of(grant: Pick<Grant, 'allow'>): readonly Address[] {
  return unique(grant.allow.flatMap(({ payTo }) => payTo))
}

/**
 * The Merkle root of payees, in whatever order and however often they are named.
 *
 * @throws InputError `INVALID_VALUE` where there are none, `INVALID_ADDRESS`
 */
export function root(payees: readonly Address[]): Hex {
  const [root] = tree(payees)
  if (root === undefined) throw noPayees(payees)
  return root
}

/**
 * The proof that the guard takes with a payment to `payee`, from the leaf's sibling up. Empty where `payee` is the
 * only one.
 *
 * @throws InputError `INVALID_ADDRESS` where `payee` is not among `payees`
 */
export function proof(payees: readonly Address[], payee: Address): Hex[] {
  const nodes = tree(payees)
  let at = nodes.lastIndexOf(leaf(Input.address(payee, 'payee')))
  if (at === -1)
    throw new InputError('INVALID_ADDRESS', {
      field: 'payee',
      given: payee,
      valid: `one of ${payees.length} payees, such as ${payees.slice(0, 3).join(', ')}`,
      why: 'Not one of the payees.',
    })
  const proof: Hex[] = []
  for (; at > 0; at = parent(at)) {
    const sibling = nodes[at % 2 === 0 ? at - 1 : at + 1]
    if (sibling !== undefined) proof.push(sibling)
  }
  return proof
}

/** Whether a proof shows that `payee` is under `root`, as the guard computes it. */
export function verify(options: { root: Hex; payee: Address; proof: readonly Hex[] }): boolean {
  return options.proof.reduce(pair, leaf(options.payee)) === options.root
}

/** Hashed twice, so that no inner node can pass for a leaf. */
function leaf(payee: Address): Hex {
  return keccak256(keccak256(encodeAbiParameters([{ type: 'address' }], [payee])))
}

/** Commutative: proofs need not say which side they are on. */
function pair(a: Hex, b: Hex): Hex {
  return keccak256(a < b ? concat([a, b]) : concat([b, a]))
}

/** A complete binary tree in an array: the children of `i` are `2i + 1` and `2i + 2`, sorted leaves from the end. */
function tree(payees: readonly Address[]): readonly Hex[] {
  const leaves = unique(payees).map(leaf).sort()
  const nodes = new Array<Hex>(Math.max(2 * leaves.length - 1, 0))
  for (const [i, hash] of leaves.entries()) nodes[nodes.length - 1 - i] = hash
  for (let i = nodes.length - leaves.length - 1; i >= 0; i--) {
    const [left, right] = [nodes[2 * i + 1], nodes[2 * i + 2]]
    if (left !== undefined && right !== undefined) nodes[i] = pair(left, right)
  }
  return nodes
}

function parent(i: number): number {
  return Math.floor((i - 1) / 2)
}

function unique(payees: readonly Address[]): Address[] {
  const addresses = payees.map((payee, i) => Input.address(payee, `payees[${i}]`))
  return [...new Set(addresses)].sort((a, b) => (a.toLowerCase() < b.toLowerCase() ? -1 : 1))
}

function noPayees(given: unknown): InputError {
  const valid = 'at least one address'
  return new InputError('INVALID_VALUE', { field: 'payees', given, valid, why: 'No payees.' })
}
