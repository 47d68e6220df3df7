'use client'
import { useState } from 'react'
import { useAccount } from 'wagmi'
import type * as Grant from '../../Grant.js'
import type * as Permission from '../../Permission.js'
import { usePause, useResume, useRevoke } from '../acts.js'
import { Connect } from './Connect.js'
import { Act, Failure, Notice, pays } from './parts.js'

type Props = {
  grant: Grant.Grant
  permission: Permission.Permission
  paused: boolean
  revoked: boolean
}

/** Pause, resume and revoke, straight from the owner's wallet: the calls are built here, no server is needed. */
export function StopGrant({ grant, permission, paused, revoked }: Props) {
  const { isConnected } = useAccount()
  const [pause, resume, revoke] = [usePause(), useResume(), useRevoke()]
  const [asking, setAsking] = useState(false)
  const terms = { grant, permission }
  const waiting = 'Look at your wallet\u2026'
  if (revoked) return <Notice title="Revoked.">Nothing can be spent under this grant any more.</Notice>
  if (!isConnected)
    return (
      <div className="hc-decide">
        <p>Connect the wallet to pause or revoke.</p>
        <Connect />
      </div>
    )
  return (
    <div className="hc-decide">
      <div className="hc-acts">
        {grant.rail === 'direct' ? null : paused ? (
          <Act
            tone="primary"
            label="Resume"
            pays={pays.wallet}
            busy={resume.isPending ? waiting : undefined}
            onClick={() => resume.mutate(terms)}
          />
        ) : (
          <Act
            label="Pause"
            pays={pays.wallet}
            busy={pause.isPending ? waiting : undefined}
            onClick={() => pause.mutate(terms)}
          />
        )}
        {asking ? null : (
          <Act tone="danger" label="Revoke" pays={pays.wallet} onClick={() => setAsking(true)} />
        )}
      </div>
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
              onClick={() => revoke.mutate(terms)}
            />
            <Act label="Keep it" pays={pays.nobody} onClick={() => setAsking(false)} />
          </div>
        </fieldset>
      ) : null}
      {[pause, resume, revoke].map(({ error }) =>
        error === null ? null : <Failure key={error.message} error={error} />,
      )}
    </div>
  )
}
