/** Whoever is told of a budget's receipts, each from where it was left: nobody's payment waits for them. */
import { keccak256, stringToHex } from 'viem'
import type { Budget } from '../Budget.js'
import { payerOf } from '../Float.js'
import * as Delivery from './Delivery.js'
import { type HostedLedger, type HostedLedgerOptions, hostedLedger } from './hostedLedger.js'
import * as PaymentReceipt from './PaymentReceipt.js'
import { type WebhookOptions, webhook } from './webhook.js'

export type SinksOptions = {
  /** Are posted every receipt, each in order. */
  readonly webhooks?: readonly WebhookOptions[] | undefined
  /** Is asked before anything is signed, and told of every payment. */
  readonly hosted?: Omit<HostedLedgerOptions, 'grant'> | undefined
  /** Told of what is not delivered, and is tried again. */
  readonly onError?: ((error: unknown) => void) | undefined
}

export type Sinks = {
  readonly hosted: HostedLedger | undefined
  /** What the hosted ledger does not know of yet, base units: what is reserved, and what it was not told of. */
  readonly outstanding: () => Promise<bigint>
  /** Resolves when all have all that is in the books now. */
  readonly flush: () => Promise<void>
  readonly close: () => Promise<void>
}

const page = 100

/**
 * Starts them. How far each was told is kept in the books, under its URL: from the first receipt on, a new one too.
 * @throws InputError `INVALID_VALUE`
 */
export function start(budget: Budget, { webhooks = [], hosted, onError }: SinksOptions): Sinks {
  const { grant } = budget
  const cursorOf = (what: string, url: string) => budget.cursor(`${what} ${keccak256(stringToHex(url))}`)
  const about = { decimals: grant.token.decimals, payer: payerOf(grant, budget.permission) }
  const ledger = hosted && hostedLedger({ ...hosted, grant, payer: about.payer })
  const told = hosted && cursorOf('hosted', hosted.url)
  const all = [
    ...webhooks.map((options) => ({
      sink: webhook(options),
      cursor: cursorOf('webhook', options.url),
      ...firstWait(options),
    })),
    ...(ledger && told ? [{ sink: ledger.sink, cursor: told, ...firstWait(hosted) }] : []),
  ]
  const deliveries = all.map((each) => Delivery.start({ source: budget, onError, ...each }))
  const unfollow =
    deliveries.length === 0
      ? () => {}
      : budget.follow(() => {
          for (const { wake } of deliveries) wake()
        })

  return {
    hosted: ledger,
    async outstanding() {
      // In this order what moves from the one to the other meanwhile counts twice, and never not at all.
      const { reserved, filling } = await budget.totals()
      let sum = (await budget.float()).held + reserved - filling
      for (let offset = (await told?.read()) ?? 0; ; offset += page) {
        const receipts = await budget.receipts({ offset, limit: page })
        for (const receipt of receipts)
          if (PaymentReceipt.of(receipt, about)?.ok && !PaymentReceipt.isKnown(receipt)) sum += receipt.amount
        if (receipts.length < page) return sum
      }
    },
    async flush() {
      await Promise.all(deliveries.map(({ flush }) => flush()))
    },
    async close() {
      unfollow()
      await Promise.all(deliveries.map(({ close }) => close()))
    },
  }
}

function firstWait({ firstWaitMs }: { readonly firstWaitMs?: number | undefined }) {
  return firstWaitMs === undefined ? {} : { firstWaitMs }
}
