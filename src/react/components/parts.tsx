import type { ReactNode } from 'react'
import { OwnerError } from '../OwnerError.js'
import { short, visible } from '../words.js'

/** An address with the name that somebody gave it. The whole address is there to read, select and hear. */
export function Party({
  address,
  name,
  href,
}: {
  address: string
  name?: string | undefined
  href?: string | undefined
}) {
  const code = (
    <code className="hc-address" title={address}>
      <span aria-hidden="true">{short(address)}</span>
      <span className="hc-hidden">{address}</span>
    </code>
  )
  return (
    <span className="hc-party">
      {name === undefined ? null : (
        <span>
          <bdi>{name}</bdi>{' '}
        </span>
      )}
      {href === undefined ? (
        code
      ) : (
        <a href={href} target="_blank" rel="noreferrer noopener">
          {code}
        </a>
      )}
    </span>
  )
}

/** Something to know: `bad` is spoken at once. */
export function Notice({
  tone = 'plain',
  title,
  children,
}: {
  tone?: 'plain' | 'good' | 'warn' | 'bad'
  title?: string | undefined
  children?: ReactNode
}) {
  return (
    <div className={`hc-notice hc-${tone}`} role={tone === 'bad' ? 'alert' : 'status'}>
      {title === undefined ? null : <strong>{title}</strong>}
      {title === undefined ? null : ' '}
      {children}
    </div>
  )
}

/** What went wrong, with a button to try again where that can help. */
export function Failure({ error, again }: { error: Error; again?: (() => void) | undefined }) {
  return (
    <Notice tone="bad">
      {visible(error.message)}{' '}
      {again !== undefined && (!(error instanceof OwnerError) || error.retryable) ? (
        <button type="button" className="hc-button hc-small" onClick={again}>
          Try again
        </button>
      ) : null}
    </Notice>
  )
}

/** The place of what is still on its way, as high as it will be. */
export function Loading({ lines = 3, what }: { lines?: number; what: string }) {
  return (
    <div className="hc-loading" role="status">
      <span className="hc-hidden">Loading {what}.</span>
      {Array.from({ length: lines }, (_, line) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: lines are all alike and never move.
        <span key={line} aria-hidden="true" />
      ))}
    </div>
  )
}

/** A button with who pays for what it does said under it. */
export function Act({
  label,
  pays,
  busy,
  tone = 'plain',
  disabled = false,
  onClick,
}: {
  label: string
  pays: string
  busy?: string | undefined
  tone?: 'plain' | 'primary' | 'danger'
  disabled?: boolean
  onClick: () => void
}) {
  return (
    <button
      type="button"
      className={`hc-button hc-${tone}`}
      disabled={disabled || busy !== undefined}
      aria-busy={busy !== undefined}
      onClick={onClick}
    >
      <span>{busy ?? label}</span>
      <small>{pays}</small>
    </button>
  )
}

export const pays = {
  signature: "You pay no gas: the agent's service submits your signature.",
  wallet: 'Your wallet pays the gas.',
  nobody: 'No gas.',
} as const
