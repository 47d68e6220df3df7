import { useEffect } from 'react'
import { formatEther } from 'viem'
import { useStanding } from '../../react/chain.js'
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
import * as kept from '../kept.js'
import { SignIn } from './SignIn.js'

type Props = { grantId: string; explorerUrl: string | undefined }

export function GrantPage({ grantId, explorerUrl }: Props) {
  const { data, error, refetch } = useGrant(grantId)
  useEffect(() => {
    // What is not the grant's own permission would stop something else.
    if (data !== undefined && data.differences.length === 0) kept.keep(data)
  }, [data])
  if (error instanceof OwnerError && error.status === 401)
    return (
      <>
        <h1>Grant</h1>
        <SignIn />
      </>
    )
  return (
    <>
      <h1>Grant</h1>
      {error === null ? null : <Failure error={error} again={() => void refetch()} />}
      {data !== undefined ? (
        <Watch shown={data} explorerUrl={explorerUrl} />
      ) : error === null ? (
        <Loading what="the grant" lines={14} />
      ) : (
        <Offline grantId={grantId} />
      )}
    </>
  )
}

function Watch({ shown, explorerUrl }: { shown: ShownGrant; explorerUrl: string | undefined }) {
  const { grant, permission, standing, coverage, meters, agent, foreign, sessions, differences } = shown
  const isLive = useLive(grant.grantId)
  const onChain = useStanding(permission)
  const revoked = standing.revoked || standing.revokedBy !== null || onChain.data?.revoked === true
  return (
    <div className="cards">
      <GrantCard grant={grant} status={standing.status} meters={meters}>
        <p className="hc-muted" role="status">
          {isLive ? 'Live.' : 'Not live: what is shown may be old.'} Seen up to block {standing.head.number}.
        </p>
        {standing.chain === null ? (
          <Notice tone="warn">The chain did not answer. What is shown is what the books say.</Notice>
        ) : (
          <p>The wallet has {words.money(standing.chain.balance, grant.token)}.</p>
        )}
        <Differences differences={differences} />
        {standing.approved && onChain.data?.approved === false ? (
          <Notice tone="bad" title="The chain does not know this permission.">
            The server says that it was approved, and the chain does not. To pause or revoke it here may stop
            nothing.
          </Notice>
        ) : null}
        {standing.pausedBy === null ? null : <Notice tone="warn">Paused by the {standing.pausedBy}.</Notice>}
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
          grant={grant}
          permission={permission}
          paused={onChain.data?.paused ?? standing.pausedBy === 'account'}
          revoked={revoked}
        />
      </GrantCard>
      <IncreaseList shown={shown} />
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
                {id}: {words.money(spent, grant.token)} of {words.money(perSession, grant.token)}, since{' '}
                {words.date(startedAt)}
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
  const terms = kept.find(grantId)
  if (terms === undefined)
    return (
      <p>This browser has not shown this grant before. Open the decoder with its permission to stop it.</p>
    )
  return <KeptGrant terms={terms} />
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
      {standing.data === undefined ? (
        <Loading what="where it stands on chain" lines={2} />
      ) : (
        <>
          <p>
            The chain says:{' '}
            {standing.data.revoked
              ? 'revoked'
              : standing.data.paused
                ? 'paused'
                : standing.data.approved
                  ? 'approved'
                  : 'not approved'}
            .
          </p>
          <StopGrant
            grant={grant}
            permission={permission}
            paused={standing.data.paused}
            revoked={standing.data.revoked}
          />
        </>
      )}
    </article>
  )
}
