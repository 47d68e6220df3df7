export * as Challenge from './Challenge.js'
export * as Delivery from './Delivery.js'
export * as Exchange from './Exchange.js'
export { type GrantSchemeOptions, grantScheme } from './grantScheme.js'
export * as HostedPolicy from './HostedPolicy.js'
export { type HostedLedger, type HostedLedgerOptions, hostedLedger } from './hostedLedger.js'
export * as Judgement from './Judgement.js'
export type { Offer } from './Offer.js'
export * as Payer from './Payer.js'
export * as Payload from './Payload.js'
export type { PaymentReceipt } from './PaymentReceipt.js'
export { type Pay, type PayLabels, type PayWithOptions, payWith } from './payWith.js'
export {
  type ApprovedOptions,
  type Increase,
  type IncreaseCap,
  increases,
  type Requested,
  raise,
  requestIncrease,
} from './requestIncrease.js'
export { type Price, type Resolved, type ResolveOptions, resolve } from './resolve.js'
export { type Violation, type ViolationCode, type X402Code, X402Error } from './Violation.js'
export { type VerifyOptions, verifyWebhook, type WebhookOptions, webhook } from './webhook.js'
