import { useAccount } from 'wagmi'
import { GrantCard } from '../../react/components/GrantCard.js'
import { Failure, Loading } from '../../react/components/parts.js'
import { WalletOffer } from '../../react/components/WalletOffer.js'
import { useGrants, useServerConfig, useSession } from '../../react/reads.js'
import * as words from '../../react/words.js'
import { all } from '../kept.js'
import * as place from '../place.js'
import { SignIn } from './SignIn.js'

export function GrantsPage() {
  const { data: session, error, refetch } = useSession()
  return (
    <>
      <h1>Your grants</h1>
      {error !== null && session === undefined ? (
        <>
          <Failure error={error} again={() => void refetch()} />
          <KeptGrants />
        </>
      ) : session === undefined ? (
        <Loading what="your session" lines={6} />
      ) : session === null ? (
        <SignIn />
      ) : (
        <List />
      )}
    </>
  )
}

function List() {
  const { data, error, refetch } = useGrants()
  if (error !== null && data === undefined)
    return (
      <>
        <Failure error={error} again={() => void refetch()} />
        <KeptGrants />
      </>
    )
  if (data === undefined) return <Loading what="your grants" lines={10} />
  if (data.length === 0)
    return (
      <div className="hc-card">
        <h2>No grants yet</h2>
        <p>
          When an agent's service asks you to approve a grant, it gives you a link. Approved grants show up
          here.
        </p>
        <Offer />
      </div>
    )
  return (
    <>
      <div className="cards">
        {data.map(({ grant, status, meters, receipts }) => (
          <GrantCard
            key={grant.grantId}
            grant={grant}
            status={status}
            meters={meters}
            href={place.href({ page: 'grant', grantId: grant.grantId })}
          >
            <p className="hc-muted">{words.plural(receipts, 'receipt')}</p>
          </GrantCard>
        ))}
      </div>
      <More />
    </>
  )
}

/** What an account without grants may lack. */
function Offer() {
  const { address } = useAccount()
  const { data: config } = useServerConfig()
  if (address === undefined || config === undefined) return null
  return (
    <WalletOffer account={address} chainId={config.chainId}>
      Give the address of your smart wallet to the service of your agent: the grant that it asks you for has
      to name it as the owner. Approve it by a transaction of this account.
    </WalletOffer>
  )
}

/** The pages after the first. */
function More() {
  const { error, isFetchNextPageError, hasNextPage, fetchNextPage, isFetchingNextPage } = useGrants()
  const next = () => void fetchNextPage()
  return (
    <>
      {isFetchNextPageError ? <Failure error={error} again={next} /> : null}
      {hasNextPage ? (
        <button type="button" className="hc-button hc-small" disabled={isFetchingNextPage} onClick={next}>
          {isFetchingNextPage ? 'Loading\u2026' : 'More grants'}
        </button>
      ) : null}
    </>
  )
}

/** What this browser has seen before: it can be stopped without the server. */
function KeptGrants() {
  const kept = all()
  if (kept.length === 0) return null
  return (
    <section className="hc-card">
      <h2>You can still stop these</h2>
      <p>Pausing and revoking go straight from your wallet to the chain.</p>
      <ul>
        {kept.map(({ grant }) => (
          <li key={grant.grantId}>
            <a href={place.href({ page: 'grant', grantId: grant.grantId })}>
              {grant.id === grant.grantId ? words.short(grant.grantId) : grant.id}
            </a>
            : {words.summary(grant)}
          </li>
        ))}
      </ul>
    </section>
  )
}
