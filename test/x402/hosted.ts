/** A hosted ledger of our own: budgets of keys and organizations, pauses, and receipts, on its wire format. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'
import { type Served, serve } from './serve.js'

export const key = 'yf_0123456789'

type Wire = { host: string; amountUsd: number; ok: boolean; txHash?: string; note: string }

export type Hosted = Served & {
  /** Dollars a day; null is none. */
  perDayUsd: number | null
  /** Of the key's organization; null where it has none. */
  orgPerDayUsd: number | null | undefined
  /** Spent by the organization's other keys. */
  othersUsd: number
  haltReason: 'AGENT_PAUSED' | 'ACCOUNT_FROZEN' | null
  /** In the place of what it would answer. */
  answer: ((request: IncomingMessage, response: ServerResponse) => void) | undefined
  /** Whether a receipt is answered with the policy. */
  echoes: boolean
  readonly receipts: { readonly grantId: string; readonly receipt: Wire; readonly text: string }[]
  /** What was asked for, as `GET /api/agent/policy`. */
  readonly asked: string[]
}

/** Starts one, until the test is over. */
export async function startHosted(): Promise<Hosted> {
  const hosted: Omit<Hosted, keyof Served> = {
    perDayUsd: 1,
    orgPerDayUsd: undefined,
    othersUsd: 0,
    haltReason: null,
    answer: undefined,
    echoes: true,
    receipts: [],
    asked: [],
  }
  const policy = () => {
    // As floats, like its clients sum them.
    const spent = hosted.receipts.reduce((sum, { receipt }) => sum + (receipt.ok ? receipt.amountUsd : 0), 0)
    const level = (perDayUsd: number | null, spentTodayUsd: number) => ({
      perDayUsd,
      spentTodayUsd,
      remainingTodayUsd: perDayUsd === null ? null : Math.max(0, perDayUsd - spentTodayUsd),
      overBudget: perDayUsd !== null && spentTodayUsd >= perDayUsd,
    })
    const { orgPerDayUsd, haltReason } = hosted
    return {
      agent: { keyId: 'key-1', label: 'researcher', ...level(hosted.perDayUsd, spent) },
      org:
        orgPerDayUsd === undefined
          ? null
          : { id: 'org-1', name: 'Lab', ...level(orgPerDayUsd, spent + hosted.othersUsd) },
      halted: haltReason !== null,
      haltReason,
    }
  }
  const served = await serve(async (request, response) => {
    const { method, url = '', headers } = request
    const body = await text(request)
    hosted.asked.push(`${method} ${url}`)
    if (hosted.answer) return hosted.answer(request, response)
    const json = (status: number, value: unknown) =>
      void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value))
    if (headers.authorization !== `Bearer ${key}`) return json(401, { error: 'unauthorized' })
    if (method === 'GET' && url === '/api/agent/policy') return json(200, policy())
    const grantId = /^\/api\/grants\/([^/]+)\/ledger$/.exec(url)?.[1]
    if (method !== 'POST' || grantId === undefined) return json(404, { error: 'not found' })
    hosted.receipts.push({ grantId: decodeURIComponent(grantId), receipt: JSON.parse(body), text: body })
    json(201, hosted.echoes ? { recorded: true, ...policy() } : { recorded: true })
  })
  return Object.assign(hosted, served)
}
