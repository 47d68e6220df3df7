'use client'
import { useQuery } from '@tanstack/react-query'
import { useAccount, usePublicClient } from 'wagmi'
import * as Permission from '../../Permission.js'
import { useApprove, useDecline, useEnable } from '../acts.js'
import { type Owner, ownerQuery, useOwner, useStanding } from '../chain.js'
import { useRequest, useServerConfig } from '../reads.js'
import type { ShownRequest } from '../Shown.js'
import * as words from '../words.js'
import { Connect } from './Connect.js'
import { GrantTerms } from './GrantTerms.js'
import { OwnerNotice } from './OwnerNotice.js'
import { Act, Failure, Loading, Notice, Party, pays } from './parts.js'
import { Differences, RawPermission } from './RawPermission.js'
import { WalletOffer } from './WalletOffer.js'

/** A request for approval: what is asked, what it means, and the buttons to approve or decline. */
export function ApproveGrant({ id }: { id: string }) {
  const { data: request, error, refetch } = useRequest(id)
  const { data: config } = useServerConfig()
  if (error !== null && request === undefined) return <Failure error={error} again={() => void refetch()} />
  if (request === undefined) return <Loading what="the request" lines={12} />
  const { grant, coverage, names, note, warnings, differences } = request
  return (
    <article className="hc-card hc-approve">
      <header>
        <h2>An agent asks to spend from your wallet</h2>
        <p className="hc-lead">{words.summary(grant)}</p>
        {note === null ? null : (
          <blockquote>
            <p>{note}</p>
            <footer className="hc-muted">says whoever asks</footer>
          </blockquote>
        )}
      </header>
      <Differences differences={differences} />
      <GrantTerms
        grant={grant}
        coverage={coverage}
        names={names}
        explorerUrl={config?.explorerUrl}
        warnings={warnings.map(({ message }) => message)}
      />
      <RawPermission permission={request.permission} />
      {error === null ? null : <Failure error={error} again={() => void refetch()} />}
      <Decide request={request} />
    </article>
  )
}

function Decide({ request }: { request: ShownRequest }) {
  const { status, differences, expiresAt, permission } = request
  const approve = useApprove()
  const isGiven = approve.isSuccess || status === 'approved'
  const standing = useStanding(permission, { every: isGiven ? 2_000 : false })
  if (standing.data?.revoked)
    return (
      <Notice tone="bad" title="Revoked.">
        This permission was revoked on chain, for good. Nothing can be spent.
      </Notice>
    )
  if (standing.data?.approved) return <Approved request={request} />
  if (isGiven)
    return (
      <Notice title="Signed.">
        Your approval is with the agent's service. It counts when the chain has it; this page is watching for
        it.
      </Notice>
    )
  if (status === 'declined')
    return <Notice title="Declined.">Nothing was signed, and nothing can be spent.</Notice>
  if (status === 'expired')
    return (
      <Notice tone="warn" title="Expired.">
        This request lapsed on {words.date(expiresAt)}. Ask whoever sent you here for a new one.
      </Notice>
    )
  // What differs is not to be signed by any button.
  if (differences.length > 0) return <Decline id={request.id} />
  return <Sign request={request} approve={approve} />
}

/** An approval is one thing, and whether anything can be spent another. */
function Approved({ request }: { request: ShownRequest }) {
  const { owner: account, token, chainId } = request.grant
  const client = usePublicClient({ chainId })
  // Asked anew: the approval may have deployed the wallet.
  const query = ownerQuery(client, { account, token: token.address })
  const { data, isFetchedAfterMount } = useQuery({ ...query, refetchOnMount: 'always' })
  const owner = isFetchedAfterMount ? data : undefined
  return (
    <>
      <Notice tone="good" title="Approved.">
        The chain knows this permission{owner?.enabled ? ', and the agent can spend within it' : ''}. You can
        watch, pause and revoke it at any time.
      </Notice>
      <Lacking request={request} owner={owner} />
    </>
  )
}

/** What stands between the wallet and a payment, and what can be done about it. */
function Lacking({ request, owner }: { request: ShownRequest; owner: Owner | undefined }) {
  const { grant, permission } = request
  const { address } = useAccount()
  const enable = useEnable()
  return (
    <>
      <OwnerNotice
        grant={grant}
        owner={owner}
        enable={() => enable.mutate({ permission })}
        enabling={enable}
      />
      {address === undefined ? null : (
        <WalletOffer account={address} chainId={grant.chainId} named={grant.owner}>
          This request names <Party address={grant.owner} /> as the owner, which cannot be changed. Send the
          address of your smart wallet to whoever asked you: the service has to define the grant anew, for
          that address. Approve it there by a transaction of this account.
        </WalletOffer>
      )}
    </>
  )
}

function Sign({ request, approve }: { request: ShownRequest; approve: ReturnType<typeof useApprove> }) {
  const { grant, permission } = request
  const { address, isConnected } = useAccount()
  const owner = useOwner({ account: grant.owner, token: grant.token.address, chainId: grant.chainId })
  if (!isConnected)
    return (
      <section aria-label="Connect" className="hc-decide">
        <p>
          Connect the wallet <Party address={grant.owner} /> to approve.
        </p>
        <Connect />
        <Decline id={request.id} />
      </section>
    )
  const isOwner = address?.toLowerCase() === grant.owner.toLowerCase()
  const busy = (by: 'signature' | 'call') =>
    approve.isPending && approve.variables.by === by ? 'Look at your wallet\u2026' : undefined
  return (
    <section aria-label="Approve" className="hc-decide">
      {isOwner ? null : (
        <Notice tone="warn" title="Another account is connected.">
          This request is for <Party address={grant.owner} />, and the wallet acts as{' '}
          <Party address={address ?? ''} />. Switch the account in the wallet. An owner of that smart wallet
          can approve by a transaction.
        </Notice>
      )}
      <Lacking request={request} owner={owner.data} />
      <div className="hc-acts">
        <Act
          tone={owner.data?.hasCode === false ? 'plain' : 'primary'}
          label="Approve by signing"
          pays={pays.signature}
          busy={busy('signature')}
          disabled={!isOwner || approve.isPending}
          onClick={() => approve.mutate({ request, by: 'signature' })}
        />
        <Act
          label="Approve by a transaction"
          pays={pays.wallet}
          busy={busy('call')}
          disabled={approve.isPending}
          onClick={() => approve.mutate({ request, by: 'call' })}
        />
        <Decline id={request.id} />
      </div>
      {approve.error === null ? null : <Failure error={approve.error} />}
      <p className="hc-muted">
        Your wallet will show a SpendPermission with the digest {words.short(Permission.hash(permission))}.
      </p>
    </section>
  )
}

function Decline({ id }: { id: string }) {
  const decline = useDecline()
  return (
    <>
      <Act
        label="Decline"
        pays={pays.nobody}
        busy={decline.isPending ? 'Declining\u2026' : undefined}
        onClick={() => decline.mutate(id)}
      />
      {decline.error === null ? null : <Failure error={decline.error} />}
    </>
  )
}
