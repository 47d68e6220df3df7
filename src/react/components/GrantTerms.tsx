import type { Address } from 'viem'
import type * as Coverage from '../../Coverage.js'
import type * as Grant from '../../Grant.js'
import type * as Schema from '../../server/Schema.js'
import { nameOf } from '../Shown.js'
import * as words from '../words.js'
import { Party } from './parts.js'

type Props = {
  grant: Grant.Grant
  coverage: Coverage.Coverage
  /** Names of payees, as whoever asks gives them. */
  names?: Schema.Names | undefined
  explorerUrl?: string | undefined
  /** What else to read before signing, besides what the coverage warns of. */
  warnings?: readonly string[] | undefined
}

/** A grant in plain words: who may pay whom, how much, until when, who enforces it, and what can be lost. */
export function GrantTerms({ grant, coverage, names = [], explorerUrl, warnings = [] }: Props) {
  // A server's are those of the coverage too.
  const all = [...new Set([...coverage.warnings, ...warnings])]
  const href = (address: Address) => words.explorer(explorerUrl, { address })
  return (
    <div className="hc-terms">
      <section aria-label="Parties" className="hc-facts">
        <dl>
          <div>
            <dt>The agent</dt>
            <dd>
              <Party address={grant.agent} href={href(grant.agent)} />
            </dd>
          </div>
          <div>
            <dt>spends from your wallet</dt>
            <dd>
              <Party address={grant.owner} href={href(grant.owner)} />
            </dd>
          </div>
          {grant.orchestrator === null ? null : (
            <div>
              <dt>An orchestrator signs tickets and may pause and revoke</dt>
              <dd>
                <Party address={grant.orchestrator} href={href(grant.orchestrator)} />
              </dd>
            </div>
          )}
        </dl>
      </section>

      <WorstCase coverage={coverage} />

      {all.length === 0 ? null : (
        <section aria-label="Warnings">
          <h3>Read this first</h3>
          <ul className="hc-warnings">
            {all.map((warning) => (
              <li key={warning}>{warning}</li>
            ))}
          </ul>
        </section>
      )}

      <section aria-label="Who may be paid">
        <h3>Who may be paid</h3>
        <ul className="hc-hosts">
          {grant.allow.map(({ host, payTo }) => (
            <li key={host}>
              <strong>{host}</strong>
              {payTo.length === 0 ? (
                <span className="hc-warn-text">any payee</span>
              ) : (
                <span className="hc-payees">
                  {payTo.map((payee) => (
                    <Party key={payee} address={payee} name={nameOf(names, payee)} href={href(payee)} />
                  ))}
                </span>
              )}
            </li>
          ))}
        </ul>
        {names.length === 0 ? null : (
          <p className="hc-muted">
            The names of payees are those that whoever asks gave them. Nobody has checked them.
          </p>
        )}
      </section>

      <section aria-label="Caps">
        <h3>Each limit, and who enforces it</h3>
        <CapTable coverage={coverage} window={grant.window} />
      </section>
    </div>
  )
}

/** The most that can be lost, with the agent's key and process stolen. */
export function WorstCase({ coverage }: { coverage: Coverage.Coverage }) {
  const { worst, token, bound, from } = coverage
  const most = (units: bigint | null) =>
    units === null ? 'all the wallet ever holds' : words.money(units, token)
  return (
    <section aria-label="The most you can lose" className="hc-worst">
      <h3>The most you can lose</h3>
      <p className="hc-figure">
        {bound === 'exact' ? '' : 'at most '}
        {most(worst.life)}
      </p>
      <p>
        Over its life from {words.date(from)} on, if somebody steals the agent's key and process. In one UTC
        day {most(worst.utcDay)}, in any 24 hours {most(worst.day)}.
      </p>
    </section>
  )
}

/** Each cap with its limit and its holder. */
export function CapTable({ coverage, window }: { coverage: Coverage.Coverage; window: number | null }) {
  return (
    <table className="hc-caps">
      <thead>
        <tr>
          <th scope="col">Limit</th>
          <th scope="col">How much</th>
          <th scope="col">Enforced by</th>
        </tr>
      </thead>
      <tbody>
        {coverage.caps.map((line) => (
          <tr key={line.cap}>
            <th scope="row">
              {line.cap === 'perWindow' && window !== null
                ? `Any ${words.seconds(window)}`
                : words.cap(line.cap)}
            </th>
            <td className="hc-limit">{words.limit(line, coverage.token)}</td>
            <td>
              {line.holder === 'none' ? null : (
                <span
                  className={`hc-badge hc-holder-${line.holder === 'chain (conservative)' ? 'chain' : line.holder}`}
                >
                  {words.holder(line.holder)}
                </span>
              )}{' '}
              <span className="hc-muted">{line.words}</span>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}
