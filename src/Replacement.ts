/** A grant with other terms in place of the one that the books have: on chain first, then in the books. */
import type { Hex } from 'viem'
import * as AgentCall from './AgentCall.js'
import * as Approval from './Approval.js'
import * as Book from './Book.js'
import type { Grant } from './Grant.js'
import * as GuardCall from './GuardCall.js'
import * as Opening from './Opening.js'
import * as Permission from './Permission.js'
import * as Policy from './Policy.js'
import type { Receipt } from './Receipt.js'
import * as Spm from './SpmRead.js'
import type { GrantRow } from './Store.js'
import * as Sync from './Sync.js'

export type ReplaceOptions = {
  /** The new terms, under the same grantId: `Grant.define` with it, or with the same id. */
  readonly grant: Grant
  /** `Permission.fromGrant(grant, { replaces: Permission.hash(budget.permission) })`. */
  readonly permission: Permission.Permission
  /** The owner's signature of the new permission. */
  readonly signature: Hex
  /** The nonce that the permission was made with. Default 0. */
  readonly nonce?: bigint
}

/** What the books have now. */
type Current = {
  readonly row: GrantRow
  readonly grant: Grant
  readonly permission: Permission.Permission
}

const doing = 'Replacing the permission'

/**
 * Approves the new permission and revokes the old one in one transaction of the agent, waits until the books show it,
 * and has them go on with the new terms. What was spent stays spent. Done on chain before, only the books follow; done in the books too, nothing.
 *
 * @throws GrantError `MISMATCH` for terms that cannot take the place of the old ones, `REVOKED`, `GAS_LOW`; ChainError with
 * the decoded revert, such as `INVALID_SIGNATURE`; InputError
 */
export async function replace(
  caller: AgentCall.Caller,
  current: Current,
  options: ReplaceOptions,
): Promise<Receipt | undefined> {
  const { grant, permission } = options
  const signature = Approval.readSignature(options.signature)
  assertReplaces(current, options)
  // Another process was faster.
  if (Permission.hash(permission) === current.row.permissionHash) return undefined
  Approval.assertGrantNotRevoked(current.row)
  const { submitter, worker } = caller
  if (!(await isReplaced(caller, current, permission))) {
    const call = GuardCall.prepareReplace({ from: current.permission, to: permission, signature })
    const isDone = ({ headNumber }: GrantRow) => isReplaced(caller, current, permission, BigInt(headNumber))
    await AgentCall.makeByAnybody(caller, { call, outcome: 'replaced', isDone, doing })
  }
  const start = () => Promise.reject(new Error('The books of a grant that is replaced are open.'))
  const { receipt } = await Book.open(submitter.store, { grant, permission, start })
  await worker.round()
  return receipt
}

/** Asked of the chain: another process may have had the books follow already, or have sent another replacement. */
async function isReplaced(
  { submitter: { client } }: AgentCall.Caller,
  current: Current,
  to: Permission.Permission,
  blockNumber?: bigint,
): Promise<boolean> {
  const [approved, revoked, old] = await Promise.all([
    Spm.isApproved(client, { permission: to, blockNumber }),
    Spm.isRevoked(client, { permission: to, blockNumber }),
    Spm.isRevoked(client, { permission: current.permission, blockNumber }),
  ]).catch(Sync.redact(doing))
  if (revoked) throw Approval.revokedError(to)
  return approved && old
}

function assertReplaces(current: Current, options: ReplaceOptions): void {
  const { grant, permission } = options
  if (grant.rail === 'direct' || current.grant.rail === 'direct') {
    throw Opening.mismatch(
      'On the direct rail a permission cannot be replaced in one transaction by anybody but its account: have the owner call approveWithRevoke (Spm.replace), then open the budget again with the new grant. The meter of the new permission starts at zero.',
    )
  }
  Book.assertContinues(current.grant, grant)
  Opening.assertMirrors(options)
  const old = current.row.permissionHash
  const { replaces } = Policy.decode(permission.extraData)
  if (replaces === old || Permission.hash(permission) === old) return
  throw Opening.mismatch(
    `The new permission replaces ${replaces ?? 'none'}, and the one in use is ${old}. Make it with Permission.fromGrant(grant, { replaces: Permission.hash(budget.permission) }).`,
  )
}
