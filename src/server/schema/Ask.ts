/** What asks an owner for something, and how he signs in to answer. */
import { z } from 'zod'
import {
  address,
  amount,
  CoverageJson,
  GrantJson,
  hash,
  Id,
  line,
  Names,
  PermissionJson,
  Signature,
  TypedDataJson,
  text,
  time,
  Warning,
} from './Shape.js'

const usd = z.string().regex(/^[0-9]{1,30}(\.[0-9]{1,18})?$/)
const entry = z.union([
  text(300),
  z.strictObject({ host: text(300), payTo: z.union([address, z.array(address).min(1).max(200)]) }),
])

/** What `Grant.define` takes, in JSON. The grantId and the status are not for a caller to say. */
export const Terms = z
  .strictObject({
    owner: address,
    agent: address,
    allow: z.array(entry).min(1).max(200),
    payees: z.enum(['listed', 'any']).optional(),
    orchestrator: address.optional(),
    id: line(200).optional(),
    chain: z.number().int().optional(),
    token: text(42).optional(),
    rail: z.enum(['direct', 'guard', 'purse']).optional(),
    startsAt: z.union([text(40), time]).optional(),
    expiresAt: z.union([text(40), time]).optional(),
    hold: z.enum(['day', 'total']).optional(),
    perCallUsd: usd.optional(),
    perTaskUsd: usd.optional(),
    perDayUsd: usd.optional(),
    totalUsd: usd.optional(),
    perWindowUsd: usd.optional(),
    window: z.number().int().min(1).optional(),
    maxFloatUsd: usd.optional(),
  })
  .meta({
    id: 'Terms',
    description: 'as Grant.define takes them; a number in startsAt or expiresAt is unix milliseconds',
  })

export const NewRequest = z
  .strictObject({
    grant: Terms,
    names: Names.optional(),
    note: line(500).optional(),
    expiresAt: time.optional().meta({ description: 'when the request lapses, unix seconds' }),
  })
  .meta({ id: 'NewRequest' })

export const RequestStatus = z.enum(['open', 'approved', 'declined', 'expired'])

export const RequestCreated = z
  .object({ id: Id, url: z.string(), status: RequestStatus, expiresAt: time })
  .meta({ id: 'RequestCreated' })

/** Who pays for gas: of a signature that is handed in, of a call that the wallet sends. */
export const Gas = z
  .object({ signature: z.literal('agent'), call: z.literal('wallet') })
  .meta({ id: 'Gas', description: 'an approval by signature is submitted by the agent or its relay' })

export const RequestShown = z
  .object({
    id: Id,
    status: RequestStatus,
    grant: GrantJson,
    permission: PermissionJson,
    typedData: TypedDataJson,
    coverage: CoverageJson,
    names: Names,
    note: z.string().nullable(),
    warnings: z.array(Warning),
    expiresAt: time,
    gas: Gas,
    signature: Signature.optional().meta({ description: 'shown to the key that made the request alone' }),
    transactionHash: hash.optional(),
  })
  .meta({ id: 'Request' })

/** One of them: the owner's signature, or the transaction in which his wallet approved. */
export const Approval = z
  .union([
    z.strictObject({ signature: Signature }),
    z.strictObject({ transactionHash: z.string().regex(/^0x[0-9a-fA-F]{64}$/) }),
  ])
  .meta({ id: 'Approval' })

export const Decided = z.object({ id: Id, status: RequestStatus }).meta({ id: 'Decided' })

export const Nonce = z.object({ nonce: z.string() }).meta({ id: 'Nonce' })
export const SignIn = z.strictObject({ message: text(4000), signature: Signature }).meta({ id: 'SignIn' })
export const SessionShown = z.object({ address, csrfToken: z.string(), expiresAt: time }).meta({
  id: 'Session',
  description: 'csrfToken goes into the header x-csrf-token of whatever changes something',
})

export const IncreaseCap = z.enum(['perCall', 'perTask', 'perDay', 'total', 'perWindow', 'maxFloat'])
export const NewIncrease = z
  .strictObject({
    cap: IncreaseCap,
    to: amount.refine((units) => units !== '0', 'more than nothing'),
    reason: line(500),
  })
  .meta({ id: 'NewIncrease' })

export const IncreaseShown = z
  .object({
    id: Id,
    grantId: hash,
    status: RequestStatus,
    cap: IncreaseCap,
    from: amount,
    to: amount,
    reason: z.string(),
    grant: GrantJson.meta({ description: 'the new terms, under the same grantId' }),
    permission: PermissionJson,
    typedData: TypedDataJson,
    coverageBefore: CoverageJson,
    coverageAfter: CoverageJson,
    expiresAt: time,
    gas: Gas,
    signature: Signature.optional().meta({ description: 'shown to keys that may ask for increases alone' }),
  })
  .meta({ id: 'Increase' })
export const Increases = z.object({ increases: z.array(IncreaseShown) }).meta({ id: 'Increases' })
export const IncreaseApproval = z.strictObject({ signature: Signature }).meta({ id: 'IncreaseApproval' })

export const Health = z
  .object({ ok: z.boolean(), checks: z.record(z.string(), z.boolean()).optional() })
  .meta({
    id: 'Health',
  })

export type Terms = z.infer<typeof Terms>
export type NewRequest = z.infer<typeof NewRequest>
export type RequestStatus = z.infer<typeof RequestStatus>
export type RequestCreated = z.infer<typeof RequestCreated>
export type RequestShown = z.infer<typeof RequestShown>
export type Approval = z.infer<typeof Approval>
export type Decided = z.infer<typeof Decided>
export type SessionShown = z.infer<typeof SessionShown>
export type IncreaseCap = z.infer<typeof IncreaseCap>
export type NewIncrease = z.infer<typeof NewIncrease>
export type IncreaseShown = z.infer<typeof IncreaseShown>
export type Increases = z.infer<typeof Increases>
