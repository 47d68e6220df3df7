'use client'
import { useState } from 'react'
import { useAccount } from 'wagmi'
import type * as Permission from '../../Permission.js'
import { usePause, useResume, useRevoke } from '../acts.js'
import { isGuarded } from '../Calls.js'
import { Connect } from './Connect.js'
import { Act, Failure, Notice, Party, pays } from './parts.js'

type Props = {
  permission: Permission.Permission
  /** As far as is known: false where the chain cannot be asked. */
  paused: boolean
  revoked: boolean
}

/**
 * Pause, resume and revoke, straight from the owner's wallet: the calls are built here, no server is needed. To revoke is
 * offered whatever the chain is said to know, since the page's endpoint may say what it likes.
 */
export function StopGrant({ permission, paused, revoked }: Props) {
  const { isConnected } = useAccount()
  const [pause, resume, revoke] = [usePause(), useResume(), useRevoke()]
  const [asking, setAsking] = useState(false)
  const waiting = 'Look at your wallet\u2026'
  const start = (act: typeof pause) => {
    // What was done before is not said of what is done now.
    for (const done of [pause, resume, revoke]) if (done.isSuccess) done.reset()
    act.mutate({ permission }, { onSuccess: () => setAsking(false) })
  }
  const hash = [pause, resume, revoke].flatMap(({ data }) => data?.hashes ?? []).at(-1)
  const ended = revoked ? (
    <Notice title="Revoked.">Nothing can be spent under this grant any more.</Notice>
  ) : null
  if (!isConnected)
    return (
      ended ?? (
        <div className="hc-decide">
          <p>Connect the wallet to pause or revoke.</p>
          <Connect />
        </div>
      )
    )
  return (
    <div className="hc-decide">
      {ended}
      {revoked ? (
        <p className="hc-muted">
          So says the endpoint that this page asks. If you doubt it, revoke once more: where it is true that
          changes nothing.{' '}
          <button type="button" className="hc-button hc-small" onClick={() => setAsking(true)}>
            Revoke all the same
          </button>
        </p>
      ) : (
        <div className="hc-acts">
          {!isGuarded(permission) ? null : paused ? (
            <Act
              tone="primary"
              label="Resume"
              pays={pays.wallet}
              busy={resume.isPending ? waiting : undefined}
              onClick={() => start(resume)}
            />
          ) : (
            <Act
              label="Pause"
              pays={pays.wallet}
              busy={pause.isPending ? waiting : undefined}
              onClick={() => start(pause)}
            />
          )}
          {asking ? null : (
            <Act tone="danger" label="Revoke" pays={pays.wallet} onClick={() => setAsking(true)} />
          )}
        </div>
      )}
      {asking ? (
        <fieldset className="hc-confirm">
          <legend>Revoke for good?</legend>
          <p>It cannot be taken back: to let this agent spend again you would have to approve a new grant.</p>
          <div className="hc-acts">
            <Act
              tone="danger"
              label="Yes, revoke for good"
              pays={pays.wallet}
              busy={revoke.isPending ? waiting : undefined}
              onClick={() => start(revoke)}
            />
            <Act label="Keep it" pays={pays.nobody} onClick={() => setAsking(false)} />
          </div>
        </fieldset>
      ) : null}
      {[pause, revoke].map(({ doubt, isSuccess }) =>
        doubt === null || isSuccess ? null : (
          <Notice key={doubt.message} tone="warn" title="It may fail.">
            {doubt.message} The endpoint that this page asks says so, and your wallet is asked all the same:
            see what it says.
          </Notice>
        ),
      )}
      {hash === undefined ? null : (
        <Notice tone="good" title="Sent.">
          Your wallet has it on chain, by transaction <Party address={hash} />.
        </Notice>
      )}
      {[pause, resume, revoke].map(({ error }) =>
        error === null ? null : <Failure key={error.message} error={error} />,
      )}
    </div>
  )
}
