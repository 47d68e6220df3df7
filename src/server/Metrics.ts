/** What Prometheus reads. Labels are of the routes, never of what callers write, so that they stay few. */
import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { GrantRow } from '../Store.js'
import * as Books from './Books.js'
import type { Hub } from './Events.js'
import type { Settings } from './Options.js'

export type Metrics = {
  readonly observe: (request: { method: string; route: string; status: number; seconds: number }) => void
  readonly refused: (code: string) => void
  readonly text: () => Promise<string>
  readonly contentType: string
}

export function metrics({ store }: Settings, hub: Hub): Metrics {
  const registry = new Registry()
  const registers = [registry]
  const labelNames = ['method', 'route', 'status'] as const
  const requests = new Counter({
    name: 'hardcap_http_requests_total',
    help: 'Requests that were answered.',
    labelNames,
    registers,
  })
  const duration = new Histogram({
    name: 'hardcap_http_request_duration_seconds',
    help: 'How long answers took; of streams until they began.',
    labelNames: ['method', 'route'] as const,
    buckets: [0.005, 0.02, 0.1, 0.5, 2, 10],
    registers,
  })
  const refusals = new Counter({
    name: 'hardcap_http_refusals_total',
    help: 'Requests that were refused, by the code of the answer.',
    labelNames: ['code'] as const,
    registers,
  })
  new Gauge({
    name: 'hardcap_event_streams',
    help: 'Streams that are open.',
    registers,
    collect() {
      this.set(hub.size())
    },
  })
  new Gauge({
    name: 'hardcap_grants',
    help: 'Grants in the books, by what they were at the books head.',
    labelNames: ['state'] as const,
    registers,
    async collect() {
      const counts = { revoked: 0, unapproved: 0, paused: 0, approved: 0 }
      for await (const row of Books.rows(store)) counts[stateOf(row)] += 1
      for (const [state, count] of Object.entries(counts)) this.set({ state }, count)
    },
  })
  return {
    observe({ method, route, status, seconds }) {
      requests.inc({ method, route, status: String(status) })
      duration.observe({ method, route }, seconds)
    },
    refused: (code) => refusals.inc({ code }),
    text: () => registry.metrics(),
    contentType: registry.contentType,
  }
}

function stateOf(row: GrantRow) {
  if (row.revoked === 1 || row.revokedBy !== null) return 'revoked'
  if (row.approved === 0) return 'unapproved'
  return row.paused === 1 || row.pausedBy !== null ? 'paused' : 'approved'
}
