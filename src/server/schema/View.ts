/** What an owner, or a key with `read`, sees of a grant. */
import { z } from 'zod'
import { address, amount, CoverageJson, GrantJson, hash, hex, PermissionJson, text, time } from './Shape.js'

/** In words, the first that is true: what is for good, what the owner has to do, what stops it now. */
export const GrantStatus = z.enum(['revoked', 'ended', 'unapproved', 'paused', 'before-start', 'active'])

export const Meter = z
  .object({
    cap: z.enum(['perDay', 'total', 'perWindow']),
    limit: amount,
    spent: amount,
    reserved: amount.meta({ description: 'on its way: counts until it is known' }),
    heldBy: z.enum(['chain', 'chain (conservative)', 'process', 'none']),
    resetsAt: time.optional(),
  })
  .meta({ id: 'Meter' })

export const GrantSummary = z
  .object({ grant: GrantJson, status: GrantStatus, meters: z.array(Meter), receipts: z.number().int() })
  .meta({ id: 'GrantSummary' })

const whole = (most: number) =>
  z
    .string()
    .regex(/^[0-9]{1,15}$/)
    .transform(Number)
    .pipe(z.number().int().min(1).max(most))

/** In the order of their ids. `cursor` is the `nextCursor` of the page before. */
export const GrantsQuery = z.strictObject({ cursor: hash.optional(), limit: whole(200).optional() })
/** A page may be empty and have a next one: an owner's grants are looked for among some thousand at once. */
export const Grants = z
  .object({ grants: z.array(GrantSummary), nextCursor: hash.nullable() })
  .meta({ id: 'Grants' })

/** Where the books and the chain stand. `chain` is null where the chain did not answer. */
export const Standing = z
  .object({
    status: GrantStatus,
    paused: z.boolean().meta({ description: 'by the books, in the process alone' }),
    pausedBy: z.enum(['account', 'orchestrator']).nullable(),
    revokedBy: z.enum(['account', 'orchestrator', 'agent']).nullable(),
    approved: z.boolean(),
    revoked: z.boolean(),
    head: z.object({ number: z.number().int(), time }),
    chain: z
      .object({
        status: z.string(),
        warnings: z.array(z.string()),
        balance: amount,
        time,
      })
      .nullable(),
  })
  .meta({ id: 'Standing' })

export const GrantShown = z
  .object({
    grant: GrantJson,
    permission: PermissionJson,
    standing: Standing,
    coverage: CoverageJson,
    meters: z.array(Meter),
    agent: z.object({
      address,
      gasWei: amount.nullable().meta({ description: 'null where the chain did not answer' }),
      gasWarning: z.boolean(),
    }),
    foreign: z.array(z.object({ amount, payee: address, txHash: hash, time })),
    sessions: z.array(
      z.object({
        id: z.string(),
        startedAt: time,
        endedAt: time.nullable(),
        perSession: amount,
        spent: amount,
      }),
    ),
    receipts: z.number().int(),
  })
  .meta({ id: 'GrantDetail' })

export const ReceiptKind = z.enum([
  'reserved',
  'refused',
  'settled',
  'released',
  'stranded',
  'reorged',
  'foreign',
  'paused',
  'resumed',
  'replaced',
])

export const ReceiptJson = z
  .object({
    grantId: hash,
    seq: z.number().int(),
    time,
    event: ReceiptKind,
    ok: z.boolean(),
    note: z.string(),
    amount,
    payee: address.nullable(),
    key: z.string().nullable(),
    host: z.string().nullable(),
    task: z.string().nullable(),
    session: z.string().nullable(),
    category: z.string().nullable(),
    endpoint: z.string().nullable(),
    txHash: hash.nullable(),
    previous: hash,
    hash,
  })
  .meta({ id: 'Receipt' })

/** Newest first. `cursor` is the `nextCursor` of the page before. */
export const ReceiptsQuery = z.strictObject({
  cursor: z
    .string()
    .regex(/^[0-9]{1,15}$/)
    .transform(Number)
    .optional(),
  limit: whole(200).optional(),
  kind: ReceiptKind.optional(),
  host: text(300).optional(),
  task: text(200).optional(),
})
/** A page may be empty and have a next one: filters look at some thousand receipts at once. */
export const Receipts = z
  .object({ receipts: z.array(ReceiptJson), nextCursor: z.string().nullable() })
  .meta({ id: 'Receipts' })

export const SpendingQuery = z.strictObject({ days: whole(366).optional() })
/** UTC days that saw something leave the account, oldest first. `day` is their midnight. */
export const Spending = z
  .object({
    days: z.array(
      z.object({
        day: time,
        total: amount,
        byHost: z.array(z.object({ host: z.string().nullable(), amount })),
      }),
    ),
  })
  .meta({
    id: 'Spending',
    description: 'host is null for what no payment of the books explains, or names none',
  })

export const NewCalls = z
  .strictObject({ action: z.enum(['approve', 'pause', 'resume', 'revoke', 'enable']) })
  .meta({ id: 'NewCalls' })
export const Calls = z
  .object({
    calls: z.array(z.object({ to: address, data: hex, value: amount })),
    gasPaidBy: z.literal('wallet'),
  })
  .meta({ id: 'Calls' })

/** What `GET /v1/grants/:grantId/events` sends, by the event's name. `receipt` has its seq as id. */
export type EventData = {
  receipt: z.infer<typeof ReceiptJson>
  meters: { meters: z.infer<typeof Meter>[] }
  status: z.infer<typeof Standing>
}

export type GrantStatus = z.infer<typeof GrantStatus>
export type Meter = z.infer<typeof Meter>
export type GrantSummary = z.infer<typeof GrantSummary>
export type Grants = z.infer<typeof Grants>
export type Standing = z.infer<typeof Standing>
export type GrantShown = z.infer<typeof GrantShown>
export type ReceiptKind = z.infer<typeof ReceiptKind>
export type ReceiptJson = z.infer<typeof ReceiptJson>
export type Receipts = z.infer<typeof Receipts>
export type Spending = z.infer<typeof Spending>
export type NewCalls = z.infer<typeof NewCalls>
export type Calls = z.infer<typeof Calls>
