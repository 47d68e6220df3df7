'use client'
import type * as Grant from '../../Grant.js'
import type { useEnable } from '../acts.js'
import type { Owner } from '../chain.js'
import * as words from '../words.js'
import { Act, Failure, Notice, pays } from './parts.js'

/** What stands between the owner's wallet and a payment, as the chain itself says. */
export function OwnerNotice({
  grant,
  owner,
  enable,
  enabling,
}: {
  grant: Grant.Grant
  owner: Owner | undefined
  enable: () => void
  enabling: ReturnType<typeof useEnable>
}) {
  if (owner === undefined) return null
  const allowance = grant.perDay ?? grant.total ?? 0n
  return (
    <>
      {owner.hasCode ? null : (
        <Notice tone="warn" title="There is no smart wallet at this address yet.">
          A plain account (EOA) can approve, and nothing can ever be spent from it: spend permissions work
          with smart wallets. Create one, move {grant.token.symbol} into it, and ask for a request with its
          address. If this is a smart wallet that was never used, signing will deploy it.
        </Notice>
      )}
      {owner.hasCode && !owner.enabled ? (
        <Notice tone="warn" title="This wallet does not know spend permissions yet.">
          Until SpendPermissionManager is an owner of the wallet, nothing can be spent.
          <div className="hc-acts">
            <Act
              label="Let it spend within permissions"
              pays={pays.wallet}
              busy={enabling.isPending ? 'Look at your wallet\u2026' : undefined}
              onClick={enable}
            />
          </div>
          {enabling.error === null ? null : <Failure error={enabling.error} />}
        </Notice>
      ) : null}
      {owner.balance < allowance ? (
        <Notice>
          The wallet has {words.money(owner.balance, grant.token)}, less than the{' '}
          {words.money(allowance, grant.token)} that this allows{grant.perDay === null ? '' : ' a day'}. What
          is not there cannot be spent.
        </Notice>
      ) : null}
    </>
  )
}
