'use client'
import type * as Schema from '../../server/Schema.js'
import * as Time from '../../Time.js'
import { useSpending } from '../reads.js'
import * as words from '../words.js'
import { Failure, Loading } from './parts.js'

type Props = {
  grantId: string
  token: { symbol: string; decimals: number }
  /** UTC days up to today, 1 to 366. Default 30. */
  days?: number | undefined
}

const height = 120
const width = 600

/** Spending per UTC day by host: bars to look at, and the same figures as a table. */
export function SpendChart({ grantId, token, days = 30 }: Props) {
  const { data, error, refetch } = useSpending(grantId, days)
  if (error !== null && data === undefined) return <Failure error={error} again={() => void refetch()} />
  if (data === undefined) return <Loading what="spending" lines={4} />
  if (data.days.length === 0)
    return (
      <p className="hc-muted hc-empty-chart">Nothing was spent in the last {words.plural(days, 'day')}.</p>
    )
  const hosts = hostsOf(data)
  return (
    <figure className="hc-chart">
      <Bars spending={data} hosts={hosts} days={days} />
      <div className="hc-axis hc-muted" aria-hidden="true">
        <span>{words.day(lastOf(data) - (days - 1) * Time.day)}</span>
        <span>highest day: {words.money(mostOf(data), token)}</span>
        <span>{words.day(lastOf(data))}</span>
      </div>
      <ul className="hc-legend" aria-hidden="true">
        {hosts.map((host, n) => (
          <li key={host ?? ''}>
            <span className={`hc-dot hc-series-${n % 6}`} /> {words.visible(host ?? 'no host')}
          </li>
        ))}
      </ul>
      <details>
        <summary>The figures</summary>
        <table>
          <thead>
            <tr>
              <th scope="col">Day (UTC)</th>
              <th scope="col">Host</th>
              <th scope="col" className="hc-number">
                Spent
              </th>
            </tr>
          </thead>
          <tbody>
            {data.days.flatMap(({ day, byHost }) =>
              byHost.map(({ host, amount }) => (
                <tr key={`${day} ${host}`}>
                  <td>{words.day(day)}</td>
                  <td>{words.visible(host ?? 'no host')}</td>
                  <td className="hc-number">{words.money(amount, token)}</td>
                </tr>
              )),
            )}
          </tbody>
        </table>
      </details>
    </figure>
  )
}

/** The last day is at the right. Heights are shares of the highest day, for the eye alone. */
function Bars({
  spending,
  hosts,
  days,
}: {
  spending: Schema.Spending
  hosts: (string | null)[]
  days: number
}) {
  const last = lastOf(spending)
  const most = mostOf(spending) || 1n
  const slot = width / days
  return (
    <svg viewBox={`0 0 ${width} ${height}`} preserveAspectRatio="none" aria-hidden="true" focusable="false">
      {spending.days.map(({ day, byHost }) => {
        const x = (days - 1 - (last - day) / Time.day) * slot
        let top = height
        return byHost.map(({ host, amount }) => {
          const share = Number((BigInt(amount) * 10_000n) / most) / 10_000
          top -= share * height
          return (
            <rect
              key={`${day} ${host}`}
              className={`hc-series-${hosts.indexOf(host) % 6}`}
              x={x + slot * 0.1}
              y={top}
              width={slot * 0.8}
              height={share * height}
            />
          )
        })
      })}
    </svg>
  )
}

function lastOf({ days }: Schema.Spending): number {
  return days.at(-1)?.day ?? 0
}

/** What the hosts of the highest day add up to. */
function mostOf({ days }: Schema.Spending): bigint {
  const sums = days.map(({ byHost }) => byHost.reduce((sum, { amount }) => sum + BigInt(amount), 0n))
  return sums.reduce((most, sum) => (sum > most ? sum : most), 0n)
}

/** In order of what they got, so that a host keeps its colour while the order stays. */
function hostsOf({ days }: Schema.Spending): (string | null)[] {
  const sums = new Map<string | null, bigint>()
  for (const { byHost } of days)
    for (const { host, amount } of byHost) sums.set(host, (sums.get(host) ?? 0n) + BigInt(amount))
  return [...sums].sort((a, b) => (a[1] < b[1] ? 1 : -1)).map(([host]) => host)
}
