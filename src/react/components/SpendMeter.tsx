import type * as Schema from '../../server/Schema.js'
import * as words from '../words.js'

type Props = {
  meter: Schema.Meter
  token: { symbol: string; decimals: number }
}

/** What was spent and reserved against one cap. */
export function SpendMeter({ meter, token }: Props) {
  const [limit, spent, reserved] = [BigInt(meter.limit), BigInt(meter.spent), BigInt(meter.reserved)]
  const label = words.cap(meter.cap)
  const text = `${words.money(spent, token)} of ${words.money(limit, token)}`
  const more = [
    ...(reserved === 0n ? [] : [`${words.money(reserved, token)} on its way`]),
    ...(meter.resetsAt === undefined ? [] : [`starts again ${words.date(meter.resetsAt)}`]),
  ]
  const full = spent + reserved >= limit
  return (
    <div className={full ? 'hc-meter hc-full' : 'hc-meter'}>
      <div className="hc-meter-text">
        <span>{label}</span>
        <span>{text}</span>
      </div>
      {/* biome-ignore lint/a11y/useSemanticElements: a <meter> cannot show what is on its way. */}
      <div
        className="hc-bar"
        role="meter"
        aria-label={label}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={percent(spent, limit)}
        aria-valuetext={[text, ...more].join(', ')}
      >
        <span className="hc-spent" style={{ width: `${percent(spent, limit)}%` }} />
        <span className="hc-reserved" style={{ width: `${percent(reserved, limit)}%` }} />
      </div>
      <small className="hc-muted">
        {[...more, `enforced by ${words.holder(meter.heldBy)}`].join(' \u00b7 ')}
      </small>
    </div>
  )
}

/** Whole per cents, for the eye alone: figures are exact beside it. At least one for anything, 100 at most. */
function percent(part: bigint, whole: bigint): number {
  if (part <= 0n || whole <= 0n) return 0
  const share = Number((part * 100n) / whole)
  return Math.min(Math.max(share, 1), 100)
}
