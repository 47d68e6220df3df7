/** What the owner's wallet sends to act on a permission: built here from it alone, whether a server is there or not. */
import { isAddressEqual } from 'viem'
import { hardcapGuard } from '../Addresses.js'
import { InputError } from '../errors.js'
import { key, preparePause, prepareResume, prepareRevoke } from '../GuardCall.js'
import type * as Permission from '../Permission.js'
import * as Policy from '../Policy.js'
import * as SpmCall from '../SpmCall.js'
import type { Call } from '../Transaction.js'

export type { Call } from '../Transaction.js'

/** What an owner can do about a grant with a transaction of his own wallet. */
export type Verb = 'approve' | 'pause' | 'resume' | 'revoke' | 'enable'

/**
 * Whether the guard knows the permission: can be asked where it stands, and told to pause or revoke it. Whatever somebody
 * says that its grant is, since the guard refuses every other one.
 */
export function isGuarded({ spender, extraData }: Permission.Permission): boolean {
  return isAddressEqual(spender, hardcapGuard) && Policy.explain(extraData).kind === 'policy'
}

/**
 * The calls that the account of the permission has to make. `revoke` is final; `enable` makes SpendPermissionManager an
 * owner of the wallet, without which nothing can be spent.
 *
 * @throws InputError `RAIL_CONFLICT`: on the direct rail nothing on chain knows a pause
 */
export function prepare(verb: Verb, { permission }: { permission: Permission.Permission }): readonly Call[] {
  switch (verb) {
    case 'approve':
      return [SpmCall.prepareApprove({ permission })]
    case 'enable':
      return [SpmCall.prepareEnable({ account: permission.account })]
    case 'revoke':
      return [isGuarded(permission) ? prepareRevoke({ permission }) : SpmCall.prepareRevoke({ permission })]
    case 'pause':
    case 'resume':
      if (!isGuarded(permission))
        throw new InputError('RAIL_CONFLICT', {
          field: 'rail',
          given: 'direct',
          valid: '"guard" or "purse", or to revoke',
          why: 'On the direct rail nothing on chain knows a pause.',
        })
      return [verb === 'pause' ? preparePause(key(permission)) : prepareResume(key(permission))]
  }
}
