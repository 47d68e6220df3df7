import { useAccount } from 'wagmi'
import { GrantCard } from '../../react/components/GrantCard.js'
import { Failure, Loading } from '../../react/components/parts.js'
import { WalletOffer } from '../../react/components/WalletOffer.js'
import { useGrants, useServerConfig, useSession } from '../../react/reads.js'
import type { ShownSummary } from '../../react/Shown.js'
import * as words from '../../react/words.js'
import { Boundary } from '../Boundary.js'
import * as kept from '../kept.js'
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
        <>
          <SignIn />
          <KeptGrants />
        </>
      ) : (
        <List owner={session.address} />
      )}
    </>
  )
}

function List({ owner }: { owner: string }) {
  const { data, error, refetch, hasNextPage } = useGrants()
  if (error !== null && data === undefined)
    return (
      <>
        <Failure error={error} again={() => void refetch()} />
        <KeptGrants />
      </>
    )
  if (data === undefined) return <Loading what="your grants" lines={10} />
  // What a server leaves out, its owner may still have to stop.
  const unlisted = ({ grant }: kept.Kept) =>
    grant.owner.toLowerCase() === owner.toLowerCase() &&
    !data.some((listed) => listed.grant.grantId === grant.grantId)
  return (
    <Boundary of={data} instead={<KeptGrants />}>
      {data.length === 0 ? <NoGrants /> : <Cards grants={data} />}
      <More />
      <KeptGrants
        title={hasNextPage ? 'Not listed so far' : 'Not among what the server lists'}
        only={unlisted}
      />
    </Boundary>
  )
}

function NoGrants() {
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
}

function Cards({ grants }: { grants: readonly ShownSummary[] }) {
  return (
    <div className="cards">
      {grants.map(({ grant, status, meters, receipts }) => (
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
function KeptGrants({
  title = 'You can still stop these',
  only = () => true,
}: {
  title?: string
  only?: (terms: kept.Kept) => boolean
}) {
  const shown = kept.all().filter(only)
  if (shown.length === 0) return null
  const ids = [...new Set(shown.map(({ grant }) => grant.grantId))]
  return (
    <section className="hc-card">
      <h2>{title}</h2>
      <p>Pausing and revoking go straight from your wallet to the chain.</p>
      <ul>
        {ids.map((grantId) => (
          <KeptItem key={grantId} terms={shown.filter(({ grant }) => grant.grantId === grantId)} />
        ))}
      </ul>
    </section>
  )
}

/** A grant by the name that it had first, with all terms that were seen of it. */
function KeptItem({ terms }: { terms: readonly kept.Kept[] }) {
  return terms.slice(0, 1).map(({ grant }) => (
    <li key={grant.grantId}>
      <a href={place.href({ page: 'grant', grantId: grant.grantId })}>
        <bdi>{grant.id === grant.grantId ? words.short(grant.grantId) : grant.id}</bdi>
      </a>
      : {terms.map((one) => words.summary(one.grant)).join(' Later: ')}
    </li>
  ))
}
