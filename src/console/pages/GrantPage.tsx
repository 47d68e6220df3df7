import { type ReactNode, useEffect, useState } from 'react'
import { formatEther } from 'viem'
import * as Permission from '../../Permission.js'
import { type Standing, useStanding } from '../../react/chain.js'
import { GrantCard } from '../../react/components/GrantCard.js'
import { GrantTerms } from '../../react/components/GrantTerms.js'
import { IncreaseCard } from '../../react/components/IncreaseCard.js'
import { Failure, Loading, Notice, Party } from '../../react/components/parts.js'
import { Differences, RawPermission } from '../../react/components/RawPermission.js'
import { ReceiptTable } from '../../react/components/ReceiptTable.js'
import { SpendChart } from '../../react/components/SpendChart.js'
import { StopGrant } from '../../react/components/StopGrant.js'
import { OwnerError } from '../../react/OwnerError.js'
import { useGrant, useIncreases } from '../../react/reads.js'
import type { ShownGrant } from '../../react/Shown.js'
import { useLive } from '../../react/useLive.js'
import * as words from '../../react/words.js'
import type { GrantStatus } from '../../server/Schema.js'
import { Boundary } from '../Boundary.js'
import * as kept from '../kept.js'
import { SignIn } from './SignIn.js'

type Props = { grantId: string; explorerUrl: string | undefined }

export function GrantPage({ grantId, explorerUrl }: Props) {
  const { data, error, refetch } = useGrant(grantId)
  // While it is asked again too: what the owner is in the middle of must not go from under his hands.
  const [last, setLast] = useState(error)
  if (last !== error && (error !== null || data !== undefined)) setLast(error)
  const isSignedOut = last instanceof OwnerError && last.status === 401
  const offline = <Offline grantId={grantId} />
  return (
    <>
      <h1>Grant</h1>
      {isSignedOut ? (
        <SignIn />
      ) : last === null ? null : (
        <Failure error={last} again={() => void refetch()} />
      )}
      {data !== undefined && !isSignedOut ? (
        <Boundary of={data} instead={offline}>
          <Watch shown={data} explorerUrl={explorerUrl} />
        </Boundary>
      ) : last === null ? (
        <Loading what="the grant" lines={14} />
      ) : (
        offline
      )}
    </>
  )
}

function Watch({ shown, explorerUrl }: { shown: ShownGrant; explorerUrl: string | undefined }) {
  const { grant, permission, standing, coverage, meters, agent, foreign, sessions, differences } = shown
  const isLive = useLive(grant.grantId)
  const onChain = useStanding(permission, { every: 4_000 })
  const stands = onChain.data
  const isApproved = stands?.approved === true && !stands.revoked
  useEffect(() => {
    // What is not the grant's own permission would stop something else.
    if (differences.length === 0) kept.keep({ grant, permission }, { isApproved })
  }, [grant, permission, differences, isApproved])
  const seen = differences.length > 0 ? kept.of(grant.grantId) : kept.others({ grant, permission })
  // Where the chain says nothing, what this browser has seen counts.
  const isKnown = stands?.approved ?? (onChain.isPending || kept.has({ grant, permission }))
  return (
    <div className="cards">
      <GrantCard grant={grant} status={statusOf(standing.status, stands, permission)} meters={meters}>
        <p className="hc-muted" role="status">
          {isLive ? 'Live.' : 'Not live: what is shown may be old.'} Seen up to block {standing.head.number}.
        </p>
        {standing.chain === null ? (
          <Notice tone="warn">The chain did not answer. What is shown is what the books say.</Notice>
        ) : (
          <p>The wallet has {words.money(standing.chain.balance, grant.token)}.</p>
        )}
        <Differences differences={differences} />
        <ChainSays standing={standing} onChain={onChain} />
        {standing.paused ? <Notice tone="warn">The agent's own process is paused as well.</Notice> : null}
        {agent.gasWarning ? (
          <Notice tone="warn" title="The agent is running out of gas.">
            {agent.gasWei === null ? '' : `It has ${formatEther(BigInt(agent.gasWei))} ETH.`}
          </Notice>
        ) : null}
        {foreign.length === 0 ? null : (
          <Notice tone="bad" title="Spent by somebody else.">
            The chain shows payments under this grant that its books did not make:
            <ul>
              {foreign.map(({ amount, payee, txHash, time }) => (
                <li key={txHash + amount}>
                  {words.money(amount, grant.token)} to <Party address={payee} />, {words.date(time)},{' '}
                  <Party address={txHash} href={words.explorer(explorerUrl, { tx: txHash })} />
                </li>
              ))}
            </ul>
          </Notice>
        )}
        <StopGrant
          permission={permission}
          paused={stands?.paused ?? false}
          revoked={stands?.revoked ?? false}
        />
      </GrantCard>
      <Seen terms={seen} isDoubtful={differences.length > 0 || !isKnown} isEnded={stands?.revoked ?? false} />
      <Boundary of={shown} instead={null}>
        <IncreaseList shown={shown} />
      </Boundary>
      <section className="hc-card" aria-label="Spending">
        <h2>Spending per day</h2>
        <SpendChart grantId={grant.grantId} token={grant.token} />
      </section>
      <section className="hc-card" aria-label="Record">
        <h2>Receipts</h2>
        <ReceiptTable grantId={grant.grantId} token={grant.token} explorerUrl={explorerUrl} />
      </section>
      {sessions.length === 0 ? null : (
        <section className="hc-card" aria-label="Sessions">
          <h2>Sessions</h2>
          <ul>
            {sessions.map(({ id, startedAt, spent, perSession, endedAt }) => (
              <li key={id}>
                <bdi>{words.visible(id)}</bdi>: {words.money(spent, grant.token)} of{' '}
                {words.money(perSession, grant.token)}, since {words.date(startedAt)}
                {endedAt === null ? '' : ', ended'}
              </li>
            ))}
          </ul>
        </section>
      )}
      <section className="hc-card" aria-label="Terms">
        <h2>What was agreed</h2>
        <GrantTerms grant={grant} coverage={coverage} explorerUrl={explorerUrl} />
        <RawPermission permission={permission} />
      </section>
    </div>
  )
}

type SeenProps = { terms: readonly kept.Kept[]; isDoubtful: boolean; isEnded: boolean }

/**
 * What this browser keeps of the grant besides what is shown. There also where the chain is said to know what is shown:
 * who names the endpoint can have it say so. Unfolded where what is shown `isEnded`, and something else may not be.
 */
function Seen({ terms, isDoubtful, isEnded }: SeenProps): ReactNode {
  const [isOpen, setIsOpen] = useState(false)
  if (terms.length === 0) return null
  const cards = terms.map((one) => <KeptGrant key={Permission.hash(one.permission)} terms={one} />)
  if (isDoubtful)
    return (
      <section aria-label="Seen here before">
        <Notice tone="bad" title="This is not what this browser has seen before.">
          What the server shows now is not what the chain knows of this grant. These are the terms that this
          browser has seen:
        </Notice>
        {cards}
      </section>
    )
  return (
    <details
      className="hc-raw"
      open={isOpen || isEnded}
      onToggle={({ currentTarget }) => setIsOpen(currentTarget.open)}
    >
      <summary>Other terms of this grant that this browser has seen</summary>
      <p>An increase leaves them here: what it replaced is revoked. Anything else you can stop here.</p>
      {isOpen || isEnded ? cards : null}
    </details>
  )
}

type ChainSaysProps = { standing: ShownGrant['standing']; onChain: ReturnType<typeof useStanding> }

/** What the chain says of the permission, and in what the server says otherwise. */
function ChainSays({ standing, onChain }: ChainSaysProps): ReactNode {
  const { data, error } = onChain
  if (data === undefined)
    return error === null ? null : (
      <>
        <Failure error={error} again={() => void onChain.refetch()} />
        <Notice tone="warn">
          Where it stands is what the server says, and could not be compared with the chain. You can pause and
          revoke all the same.
        </Notice>
      </>
    )
  if (!data.approved)
    return (
      <Notice tone="bad" title="The chain does not know this permission.">
        {standing.approved
          ? 'The server says that it was approved, and the chain does not. '
          : 'It was never approved. '}
        To pause or revoke it here may stop nothing.
      </Notice>
    )
  if ((standing.revoked || standing.revokedBy !== null) && !data.revoked)
    return (
      <Notice tone="bad" title="The chain does not know of a revocation.">
        The server says that it was revoked, and the chain does not: it may still be spent from.
      </Notice>
    )
  if (!data.paused) return null
  return (
    <Notice tone="warn">
      {standing.pausedBy === null ? 'Paused.' : `Paused by the ${standing.pausedBy}.`}
    </Notice>
  )
}

/** The chain's word comes before the server's; dates are the permission's own. */
function statusOf(
  said: GrantStatus,
  stands: Standing | undefined,
  { start, end }: Permission.Permission,
): GrantStatus {
  if (stands === undefined) return said
  const now = Date.now() / 1000
  if (stands.revoked) return 'revoked'
  if (now >= end) return 'ended'
  if (!stands.approved) return 'unapproved'
  if (stands.paused) return 'paused'
  return now < start ? 'before-start' : 'active'
}

function IncreaseList({ shown }: { shown: ShownGrant }) {
  const { data } = useIncreases(shown.grant.grantId)
  const open = data?.filter(({ status }) => status === 'open') ?? []
  if (open.length === 0) return null
  return (
    <section aria-label="Requests for more">
      <h2>The agent asks for more</h2>
      {open.map((increase) => (
        <IncreaseCard key={increase.id} increase={increase} current={shown} />
      ))}
    </section>
  )
}

/** The server is away, or does not know the grant: the chain is asked, and the wallet can stop it. */
function Offline({ grantId }: { grantId: string }) {
  const terms = kept.of(grantId)
  if (terms.length === 0)
    return (
      <p>
        This browser has not shown this grant before. Open the decoder with its permission and its grant to
        stop it.
      </p>
    )
  return terms.map((one) => <KeptGrant key={Permission.hash(one.permission)} terms={one} />)
}

export function KeptGrant({ terms }: { terms: kept.Kept }) {
  const { grant, permission } = terms
  const standing = useStanding(permission, { every: 4_000 })
  return (
    <article className="hc-card">
      <h2>{grant.id === grant.grantId ? words.short(grant.grantId) : grant.id}</h2>
      <p>{words.summary(grant)}</p>
      {standing.error === null ? null : (
        <Failure error={standing.error} again={() => void standing.refetch()} />
      )}
      <p>
        {standing.data === undefined
          ? 'The chain has not said where it stands. You can pause and revoke all the same.'
          : `The chain says: ${standingOf(standing.data)}.`}
      </p>
      <StopGrant
        permission={permission}
        paused={standing.data?.paused ?? false}
        revoked={standing.data?.revoked ?? false}
      />
    </article>
  )
}

function standingOf({ approved, paused, revoked }: Standing): string {
  if (revoked) return 'revoked'
  if (paused) return 'paused'
  return approved ? 'approved' : 'not approved'
}
