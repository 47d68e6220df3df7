/** One of the ways in which a server lets itself be paid, as it says it: read strictly, not judged yet. */
import { PaymentRequirementsV1Schema, PaymentRequirementsV2Schema } from '@x402/core/schemas'
import type { PaymentRequirements } from '@x402/core/types'
import { EVM_NETWORK_CHAIN_ID_MAP } from '@x402/evm/v1'
import * as Amount from '../Amount.js'
import { type Violation, violation } from './Violation.js'

export type Version = 1 | 2

export type Offer = {
  readonly allowed: true
  readonly x402Version: Version
  readonly scheme: string
  /** CAIP-2, such as `eip155:8453`; where v1 names a network that nobody knows, that name. */
  readonly network: string
  readonly asset: string
  readonly payTo: string
  /** Base units of the asset; null where the server wrote anything but a whole number above zero that fits. */
  readonly amount: bigint | null
  /** Seconds, above zero, as far as the server likes. */
  readonly maxTimeoutSeconds: number
  readonly extra: Readonly<Record<string, unknown>>
  /** As the server sent them, because they go back to it with the payment and have to be the same. */
  readonly requirements: PaymentRequirements
}

/** Reads one entry of a challenge's `accepts`, by the schema of its version in `@x402/core`. */
export function read(given: unknown, x402Version: Version): Offer | Violation {
  const parsed = x402Version === 1 ? readV1(given) : readV2(given)
  if (!parsed.success) {
    const field = parsed.error.issues[0]?.path.join('.') || 'offer'
    return violation('OFFER_UNREADABLE', `An offer cannot be read: its ${field} is not as x402 has it.`, {
      field,
    })
  }
  const { amount, network, extra, ...terms } = parsed.data
  return {
    allowed: true,
    x402Version,
    ...terms,
    network,
    extra: extra ?? {},
    amount: amountOf(amount),
    requirements: given as PaymentRequirements,
  }
}

function readV2(given: unknown) {
  return PaymentRequirementsV2Schema.safeParse(given)
}

function readV1(given: unknown) {
  return PaymentRequirementsV1Schema.transform(({ maxAmountRequired, network, ...rest }) => {
    const { scheme, asset, payTo, maxTimeoutSeconds, extra } = rest
    return {
      scheme,
      asset,
      payTo,
      maxTimeoutSeconds,
      extra,
      amount: maxAmountRequired,
      network: caip2(network),
    }
  }).safeParse(given)
}

/** v1 calls networks by names of its own. */
function caip2(name: string): string {
  const ids: Readonly<Record<string, number>> = EVM_NETWORK_CHAIN_ID_MAP
  return Object.hasOwn(ids, name) ? `eip155:${ids[name]}` : name
}

function amountOf(text: string): bigint | null {
  if (!/^[1-9][0-9]{0,48}$/.test(text)) return null
  const amount = BigInt(text)
  return amount <= Amount.max ? amount : null
}
