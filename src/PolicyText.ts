import type { Hex } from 'viem'
import * as Amount from './Amount.js'
import { PolicyError } from './errors.js'
import { decode, type Policy } from './Policy.js'
import type { Token } from './Token.js'

/** What `extraData` turned out to be, with `sentences` for people. */
export type Explanation = { readonly sentences: readonly string[] } & (
  | { readonly kind: 'policy'; readonly policy: Policy }
  /** No bytes at all: the permission's own fields are everything. */
  | { readonly kind: 'none' }
  /** Not a policy that is known here; a guard of this version refuses to spend under it. */
  | { readonly kind: 'unknown'; readonly error: PolicyError }
)

/**
 * Says what the `extraData` of a permission means, for anybody who was handed opaque bytes. Whatever they say, they
 * only narrow what the permission's visible fields allow, and only while its spender is the guard.
 *
 * @param options.token the permission's token, to write amounts in; in base units where omitted
 * @throws InputError `INVALID_VALUE` where `extraData` is not bytes
 */
export function explain(
  extraData: Hex,
  options: { token?: Pick<Token, 'symbol' | 'decimals'> | undefined } = {},
): Explanation {
  if (extraData === '0x') {
    const sentences = ['There is no policy: nothing narrows what the permission itself allows its spender.']
    return { kind: 'none', sentences }
  }
  try {
    const policy = decode(extraData)
    return { kind: 'policy', policy, sentences: say(policy, options.token) }
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error
    return {
      kind: 'unknown',
      error,
      sentences: [error.message, 'The guard refuses to spend under a permission with these bytes.'],
    }
  }
}

function say(policy: Policy, token: Pick<Token, 'symbol' | 'decimals'> | undefined): string[] {
  const { perCall, perDay, total, perTask, perWindow, window, maxFloat } = policy
  const amount = (units: bigint) =>
    token === undefined ? `${units} base units` : `${Amount.format(units, token.decimals)} ${token.symbol}`
  const cap = (units: bigint | null, most: string, none: string) =>
    units === null ? none : `${most}, at most ${amount(units)}.`
  return [
    `Only ${policy.agent}, the agent, decides on payments.`,
    policy.payees === 'any'
      ? 'Payments may go to anybody.'
      : `Payments go to listed payees only; the list has the Merkle root ${policy.payees}.`,
    cap(perCall, 'In one payment', 'One payment may be as large as the other caps allow.'),
    cap(perDay, 'In one UTC day', 'The guard caps no day.'),
    cap(total, 'In all, replaced permissions of the grant included', 'The guard caps no total.'),
    ...(perWindow === null ? [] : [`In any ${window} seconds, at most ${amount(perWindow)}.`]),
    ...(perTask === null ? [] : [`For one task, at most ${amount(perTask)}, and only with a ticket.`]),
    ...(policy.orchestrator === null
      ? []
      : [`${policy.orchestrator}, the orchestrator, signs tickets and may pause and revoke.`]),
    maxFloat === null
      ? 'There is no purse: the agent never holds money.'
      : `A purse of the agent's may be filled up to ${amount(maxFloat)}; it pays the same payees only.`,
    ...(policy.replaces === null ? [] : [`It replaces the permission ${policy.replaces}.`]),
    `The grant is ${policy.grantId}: all its permissions share what was spent.`,
  ]
}
