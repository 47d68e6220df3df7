'use client'
import type * as Schema from '../../server/Schema.js'
import { useDecideIncrease } from '../acts.js'
import * as Shown from '../Shown.js'
import * as words from '../words.js'
import { Act, Failure, Notice, pays } from './parts.js'
import { Differences, RawPermission } from './RawPermission.js'

type Props = { increase: Schema.IncreaseShown; current: Shown.ShownGrant }

/** A request for a higher cap: what changes, side by side, and the buttons to approve or decline it. */
export function IncreaseCard({ increase, current }: Props) {
  const shown = read(increase, current)
  if (shown instanceof Error)
    return (
      <Notice tone="bad" title="This request cannot be shown.">
        {words.visible(shown.message)} It cannot be approved here.
      </Notice>
    )
  return <Card increase={increase} current={current} shown={shown} />
}

/** What a server says may be anything, and must not take the page along. */
function read(increase: Schema.IncreaseShown, current: Shown.ShownGrant): Shown.ShownIncrease | Error {
  try {
    return Shown.increase(increase, current)
  } catch (error) {
    return error instanceof Error ? error : new Error('It cannot be read.')
  }
}

function Card({ increase, current, shown }: Props & { shown: Shown.ShownIncrease }) {
  const decide = useDecideIncrease()
  const { id, cap, from, to, reason, status } = increase
  const { token } = current.grant
  const { before, after, differences } = shown
  const life = (units: bigint | null) =>
    units === null ? 'all the wallet ever holds' : words.money(units, token)
  return (
    <article className="hc-card">
      <h3>
        {words.cap(cap)}: {words.money(from, token)} to {words.money(to, token)}
      </h3>
      <blockquote>
        <p>{reason}</p>
      </blockquote>
      <table className="hc-caps hc-sides">
        <thead>
          <tr>
            <th scope="col">What changes</th>
            <th scope="col">Now</th>
            <th scope="col">Then</th>
          </tr>
        </thead>
        <tbody>
          <tr>
            <th scope="row">{words.cap(cap)}</th>
            <td>{words.money(from, token)}</td>
            <td>
              <strong>{words.money(to, token)}</strong>
            </td>
          </tr>
          <tr>
            <th scope="row">The most you can lose in any 24 hours</th>
            <td>{words.money(before.worst.day, token)}</td>
            <td>{words.money(after.worst.day, token)}</td>
          </tr>
          <tr>
            <th scope="row">The most you can lose over its life</th>
            <td>{life(before.worst.life)}</td>
            <td>{life(after.worst.life)}</td>
          </tr>
        </tbody>
      </table>
      <p className="hc-muted">Everything else stays as it is. What was spent stays spent.</p>
      <Differences differences={differences} />
      <RawPermission permission={shown.permission} />
      {status === 'open' ? (
        <div className="hc-acts">
          <Act
            tone="primary"
            label="Approve by signing"
            pays={pays.signature}
            busy={decide.isPending ? 'Look at your wallet\u2026' : undefined}
            disabled={differences.length > 0}
            onClick={() => decide.mutate({ id, decision: { approve: shown } })}
          />
          <Act
            label="Decline"
            pays={pays.nobody}
            disabled={decide.isPending}
            onClick={() => decide.mutate({ id, decision: 'decline' })}
          />
        </div>
      ) : (
        <Notice>This request is {status}.</Notice>
      )}
      {decide.error === null ? null : <Failure error={decide.error} />}
    </article>
  )
}
