/** Whether what is to be signed is what is shown. */
import type { Hex } from 'viem'
import { HardcapError } from '../errors.js'
import type * as Grant from '../Grant.js'
import * as Permission from '../Permission.js'
import * as Policy from '../Policy.js'
import * as Payload from './Payload.js'

/** A field in which a permission is not the one of the grant. */
export type Difference = { readonly field: string; readonly shown: string; readonly signed: string }

export type Options = {
  /** The nonce that the permission was made with. Default 0. */
  nonce?: bigint | undefined
  /** The permission that it may replace; another, or any where none is given, is a difference. */
  replaces?: Hex | undefined
}

/**
 * In what a permission differs from the one that the grant compiles to, field by field; nothing where they are the
 * same to the last bit. The salt commits to all terms of the grant, those that the chain does not know included, so a
 * grant that says more, less or other than what was signed differs at least there.
 *
 * The permission it replaces is not a term of the grant: that one is expected as `options.replaces` says.
 */
export function of(
  grant: Grant.Grant,
  permission: Permission.Permission,
  options: Options = {},
): readonly Difference[] {
  const { nonce = 0n, replaces } = options
  const expected = Permission.fromGrant(grant, {
    nonce,
    replaces: grant.rail === 'direct' ? undefined : replaces,
  })
  if (Permission.equals(expected, permission)) return []
  return (Object.keys(expected) as (keyof Permission.Permission)[]).flatMap((field) => {
    const [shown, signed] = [String(expected[field]), String(permission[field])]
    if (shown.toLowerCase() === signed.toLowerCase()) return []
    return field === 'extraData'
      ? policies(expected.extraData, permission.extraData)
      : [{ field, shown, signed }]
  })
}

/**
 * As `of`, of the typed data that a wallet would be asked to sign. Typed data that cannot be read, or that is not
 * SpendPermissionManager's, is a difference of its own: nobody should sign it here.
 */
export function ofTypedData(
  grant: Grant.Grant,
  typedData: unknown,
  options: Options = {},
): readonly Difference[] {
  try {
    return of(grant, Payload.fromTypedData(typedData), options)
  } catch (error) {
    const signed = error instanceof HardcapError ? error.message : 'It cannot be read.'
    return [{ field: 'typedData', shown: 'a SpendPermission', signed }]
  }
}

/** The policies that two `extraData` stand for, field by field where both can be read. */
function policies(expected: Hex, actual: Hex): Difference[] {
  const [shown, signed] = [Policy.explain(expected), Policy.explain(actual)]
  if (shown.kind !== 'policy' || signed.kind !== 'policy')
    return [{ field: 'extraData', shown: expected, signed: actual }]
  return (Object.keys(shown.policy) as (keyof Policy.Policy)[]).flatMap((field) => {
    const [one, other] = [shown.policy[field], signed.policy[field]]
    return one === other ? [] : [{ field: `policy.${field}`, shown: String(one), signed: String(other) }]
  })
}
