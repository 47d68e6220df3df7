/** A ledger that somebody hosts: it caps keys and organizations, can pause them, and is told of every receipt. */
import type { Address } from 'viem'
import { InputError } from '../errors.js'
import type { Grant } from '../Grant.js'
import type { Receipt } from '../Receipt.js'
import * as Body from './Body.js'
import type { Sink } from './Delivery.js'
import * as Exchange from './Exchange.js'
import * as HostedPolicy from './HostedPolicy.js'
import * as PaymentReceipt from './PaymentReceipt.js'
import { checkUrl, notDelivered } from './webhook.js'

export type HostedLedgerOptions = {
  /** Where it is, such as `https://www.example.com`: its own origin, because no redirect to another is followed. */
  readonly url: string
  /** The agent's key there. Sent to that origin alone. */
  readonly key: string
  /** Whose receipts it gets, under its `id`, and in whose token the dollars are. */
  readonly grant: Grant
  /** Whose float the grant pays from: what fills it is not spent yet, and not told of. */
  readonly payer?: Address | null | undefined
  /**
   * What is decided while nobody answers there. `closed`, unless said otherwise: nothing is paid. `open`: the grant
   * alone decides, and what was known last of today. An answer that cannot be read is never `open`.
   */
  readonly onUnreachable?: 'closed' | 'open' | undefined
  /** How old a policy may be, milliseconds. 0 unless said otherwise: it is asked for before every payment. */
  readonly maxAgeMs?: number | undefined
  /** Milliseconds that one request may take. 10,000 unless said otherwise. */
  readonly timeoutMs?: number | undefined
  /** The wait after a receipt that is not taken, milliseconds, doubled with each in a row. 1,000 unless said otherwise. */
  readonly firstWaitMs?: number | undefined
  readonly fetch?: typeof globalThis.fetch | undefined
}

export type HostedLedger = {
  /**
   * Whether it lets an amount be paid, base units; `outstanding` as in `HostedPolicy.decide`.
   * @returns a refusal for whatever stands in the way; nothing is thrown but the reason of `signal`
   */
  readonly check: (request: {
    readonly amount: bigint
    readonly outstanding: bigint
    readonly signal?: AbortSignal | undefined
  }) => Promise<HostedPolicy.HostedDecision>
  /** For a `Delivery`: tells it of a receipt. What it answers is its policy from then on. */
  readonly sink: Sink
}

type Asked =
  | { readonly ok: true; readonly body: unknown }
  | { readonly ok: false; readonly isReachable: boolean; readonly reason: string }

type Known = { readonly policy: HostedPolicy.HostedPolicy; readonly at: number }

/**
 * @throws InputError `INVALID_VALUE`
 */
export function hostedLedger(options: HostedLedgerOptions): HostedLedger {
  const {
    key,
    grant,
    payer = null,
    onUnreachable = 'closed',
    maxAgeMs = 0,
    timeoutMs = 10_000,
    fetch,
  } = options
  const { decimals } = grant.token
  checkUrl(options.url)
  const { origin, pathname } = new URL(options.url)
  const base = origin + pathname.replace(/\/+$/, '')
  if (typeof key !== 'string' || !/^[!-~]+$/.test(key))
    throw new InputError('INVALID_VALUE', {
      field: 'key',
      given: 'a key',
      valid: "the agent's key there, such as yf_...",
      why: 'Not a key.',
    })
  let known: Known | undefined

  async function ask(path: string, init: RequestInit, signal?: AbortSignal): Promise<Asked> {
    const deadline = AbortSignal.timeout(timeoutMs)
    const no = (reason: string, isReachable: boolean): Asked => ({ ok: false, isReachable, reason })
    const opened = await Exchange.open(`${base}${path}`, {
      ...init,
      headers: { ...init.headers, authorization: `Bearer ${key}` },
      signal: signal ? AbortSignal.any([signal, deadline]) : deadline,
    })
    if (!opened.allowed) return no(opened.reason, true)
    const { host } = opened.outgoing
    try {
      const answered = await Exchange.send(opened.outgoing, { fetch })
      if (!answered.allowed) return no(answered.reason, true)
      const { response, asked } = answered
      // Or a receipt would become a question, which is answered with success.
      if (asked.method !== opened.outgoing.method) return no(`${host} redirects to another method.`, true)
      const { status } = response
      const read = await Body.read(response, { maxBytes: 65_536, timeoutMs, signal })
      if (status >= 500 || status === 408 || status === 429) return no(`${host} answered ${status}.`, false)
      if (!response.ok) return no(`${host} answered ${status}.`, true)
      if (!read.allowed) return no(read.reason, read.code !== 'TIMED_OUT')
      return { ok: true, body: parse(read.text) }
    } catch {
      // What it says may hold the URL and the key's header; that nobody answered is all that there is to know.
      return no(`${host} did not answer.`, false)
    }
  }

  const check: HostedLedger['check'] = async ({ amount, outstanding, signal }) => {
    const request = { amount, outstanding, grant }
    if (known && Date.now() - known.at < maxAgeMs) return HostedPolicy.decide(known.policy, request)
    const asked = await ask('/api/agent/policy', {}, signal)
    signal?.throwIfAborted()
    if (asked.ok) {
      const policy = HostedPolicy.read(asked.body, decimals)
      if (!policy) {
        const reason = 'The hosted ledger answers with no policy that can be read, so nothing is paid.'
        return HostedPolicy.refuse('LEDGER_UNREADABLE', reason, { amount }, true)
      }
      known = { policy, at: Date.now() }
      return HostedPolicy.decide(policy, request)
    }
    if (asked.isReachable) {
      const reason = `The hosted ledger gives no policy, so nothing is paid. ${asked.reason}`
      return HostedPolicy.refuse('LEDGER_UNREADABLE', reason, { amount }, true)
    }
    if (onUnreachable === 'closed') {
      const reason = `The hosted ledger cannot be reached, so nothing is paid. ${asked.reason}`
      return HostedPolicy.refuse('LEDGER_UNREACHABLE', reason, { amount }, true)
    }
    return known ? HostedPolicy.decide(lastKnown(known), request) : ({ allowed: true } as const)
  }

  const sink: Sink = async (receipt, { signal }) => {
    const written = write(receipt, { decimals, payer })
    if (written === undefined) return
    const path = `/api/grants/${encodeURIComponent(grant.id)}/ledger`
    const headers = { 'content-type': 'application/json' }
    const asked = await ask(path, { method: 'POST', body: written, headers }, signal)
    if (!asked.ok) throw notDelivered(receipt, asked.reason.replace(/\.$/, ''))
    if (!known) return
    const policy = HostedPolicy.read(asked.body, decimals, known.policy)
    // It may say a part of it, which makes the rest no younger.
    if (policy) known = { ...known, policy }
  }
  return { check, sink }
}

/** A pause stays; what is left of a day says nothing of the next. */
function lastKnown({ policy, at }: Known): HostedPolicy.HostedPolicy {
  const dayOf = (ms: number) => Math.floor(ms / 86_400_000)
  return dayOf(at) === dayOf(Date.now()) ? policy : { ...policy, agent: null, org: null }
}

/** A receipt on the wire, or undefined for one that it is not told of. The amount is an exact decimal number. */
function write(receipt: Receipt, about: PaymentReceipt.About): string | undefined {
  const { event } = receipt
  // There is no way to take back what it was told, so nothing is told twice.
  if (event === 'stranded' || event === 'reorged' || PaymentReceipt.isKnown(receipt)) return undefined
  const told = PaymentReceipt.of(receipt, about)
  if (told === undefined) return undefined
  const { host, amountUsd, ok, note, txHash } = told
  const text = (value: string) => JSON.stringify(value)
  const fields = [
    `"host":${text(host ?? 'unknown')}`,
    `"amountUsd":${amountUsd}`,
    `"ok":${ok}`,
    ...(txHash === undefined ? [] : [`"txHash":${text(txHash)}`]),
    `"note":${text(note)}`,
  ]
  return `{${fields.join(',')}}`
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
