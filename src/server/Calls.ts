/** Calls for the owner's wallet to send. Nothing is sent from here: the page could build the same by itself. */
import * as Guard from '../GuardCall.js'
import * as Spm from '../SpmCall.js'
import type { Account } from './Books.js'
import { Problem } from './Problem.js'
import type { Calls, NewCalls } from './Schema.js'

/** @throws Problem 409 `RAIL_CONFLICT` where the chain knows no such thing */
export function prepare({ grant, permission }: Account, { action }: NewCalls): Calls {
  const call = () => {
    switch (action) {
      case 'approve':
        return Spm.prepareApprove({ permission })
      case 'enable':
        return Spm.prepareEnable({ account: permission.account })
      case 'revoke':
        return grant.rail === 'direct'
          ? Spm.prepareRevoke({ permission })
          : Guard.prepareRevoke({ permission })
      default: {
        if (grant.rail === 'direct')
          throw new Problem(
            409,
            'RAIL_CONFLICT',
            'On the direct rail the chain knows no pause: revoke instead.',
          )
        const key = Guard.key(permission)
        return action === 'pause' ? Guard.preparePause(key) : Guard.prepareResume(key)
      }
    }
  }
  const { to, data, value } = call()
  return { calls: [{ to, data, value: String(value) }], gasPaidBy: 'wallet' }
}
