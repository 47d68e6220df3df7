import type { ReactNode } from 'react'
import type * as Grant from '../../Grant.js'
import type * as Schema from '../../server/Schema.js'
import * as words from '../words.js'
import { Party } from './parts.js'
import { SpendMeter } from './SpendMeter.js'

type Props = {
  grant: Grant.Grant
  status: Schema.GrantStatus
  meters: readonly Schema.Meter[]
  /** Where the grant's own page is. */
  href?: string | undefined
  /** 2 on a list of cards under a page's title. */
  level?: 2 | 3 | undefined
  children?: ReactNode
}

const tones: Record<Schema.GrantStatus, 'good' | 'warn' | 'bad' | 'plain'> = {
  active: 'good',
  paused: 'warn',
  unapproved: 'warn',
  'before-start': 'plain',
  ended: 'plain',
  revoked: 'bad',
}

/** A grant at a glance: whose, for whom, what is spent of what. */
export function GrantCard({ grant, status, meters, href, level = 2, children }: Props) {
  const Title = level === 2 ? 'h2' : 'h3'
  const name = grant.id === grant.grantId ? words.short(grant.grantId) : grant.id
  return (
    <article className="hc-card">
      <header className="hc-card-head">
        <Title>{href === undefined ? name : <a href={href}>{name}</a>}</Title>
        <span className={`hc-badge hc-${tones[status]}`}>{status}</span>
      </header>
      <p className="hc-muted">
        Agent <Party address={grant.agent} />. {words.summary(grant)}
      </p>
      <div className="hc-meters">
        {meters.map((meter) => (
          <SpendMeter key={meter.cap} meter={meter} token={grant.token} />
        ))}
      </div>
      {children}
    </article>
  )
}
