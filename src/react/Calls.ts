/** What the owner's wallet sends to act on a grant: built here from the grant alone, whether a server is there or not. */
import { InputError } from '../errors.js'
import type * as Grant from '../Grant.js'
import { key, preparePause, prepareResume, prepareRevoke } from '../GuardCall.js'
import type * as Permission from '../Permission.js'
import * as SpmCall from '../SpmCall.js'
import type { Call } from '../Transaction.js'

export type { Call } from '../Transaction.js'

/** What an owner can do about a grant with a transaction of his own wallet. */
export type Verb = 'approve' | 'pause' | 'resume' | 'revoke' | 'enable'

/**
 * The calls that the grant's owner has to make. `revoke` is final; `enable` makes SpendPermissionManager an owner of
 * the wallet, without which nothing can be spent.
 *
 * @throws InputError `RAIL_CONFLICT`: on the direct rail nothing on chain knows a pause
 */
export function prepare(
  verb: Verb,
  options: { grant: Grant.Grant; permission: Permission.Permission },
): readonly Call[] {
  const { grant, permission } = options
  switch (verb) {
    case 'approve':
      return [SpmCall.prepareApprove({ permission })]
    case 'enable':
      return [SpmCall.prepareEnable({ account: permission.account })]
    case 'revoke':
      return [grant.rail === 'direct' ? SpmCall.prepareRevoke({ permission }) : prepareRevoke({ permission })]
    case 'pause':
    case 'resume':
      if (grant.rail === 'direct')
        throw new InputError('RAIL_CONFLICT', {
          field: 'rail',
          given: grant.rail,
          valid: '"guard" or "purse", or to revoke',
          why: 'On the direct rail nothing on chain knows a pause.',
        })
      // Of the permission that spends, whatever somebody says that its grant is.
      return [verb === 'pause' ? preparePause(key(permission)) : prepareResume(key(permission))]
  }
}
