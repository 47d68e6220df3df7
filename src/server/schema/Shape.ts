/** What grants, permissions and their coverage look like in JSON. */
import { z } from 'zod'
import { isPrintable } from '../../Terms.js'

export const address = z.string().regex(/^0x[0-9a-fA-F]{40}$/)
export const hex = z.string().regex(/^0x[0-9a-fA-F]*$/)
/** 32 bytes. Lower case, as the books keep it. */
export const hash = z.string().regex(/^0x[0-9a-f]{64}$/)
export const amount = z.string().regex(/^(0|[1-9][0-9]{0,48})$/)
export const time = z.number().int().min(0)
export const text = (most: number) => z.string().min(1).max(most)
/** What somebody typed for others to read: a name that turns the text around it could stand for another payee. */
export const line = (most: number) =>
  text(most).refine(isPrintable, 'has to be one line of characters that can be seen')

/** An unguessable name of 128 bits: who has it may use it. */
export const Id = z
  .string()
  .regex(/^0x[0-9a-f]{32}$/)
  .meta({ description: '128 random bits' })
export const GrantId = hash.meta({ description: 'the grantId of a grant' })
/** Up to 32 KiB: an ERC-6492 signature carries the wallet's deployment, a passkey's carries its client data. */
export const Signature = z
  .string()
  .regex(/^0x([0-9a-fA-F]{2})+$/)
  .max(65_538)

export const ErrorAnswer = z
  .object({
    error: z.object({
      code: z.string().meta({ description: 'stable, for programs', example: 'NOT_FOUND' }),
      message: z.string(),
      figures: z.record(z.string(), z.unknown()).optional(),
    }),
  })
  .meta({ id: 'Error' })

/** As `Grant.serialize` writes it: `Grant.parse(JSON.stringify(grant))` reads it. */
export const GrantJson = z
  .object({
    version: z.literal(1),
    grantId: hash,
    id: z.string(),
    owner: address,
    agent: address,
    orchestrator: address.nullable(),
    chainId: z.number().int(),
    token: address,
    rail: z.enum(['direct', 'guard', 'purse']),
    allow: z.array(z.union([z.string(), z.object({ host: z.string(), payTo: z.array(address) })])),
    payees: z.enum(['listed', 'any']),
    perCall: amount,
    perTask: amount.nullable(),
    perDay: amount.nullable(),
    total: amount.nullable(),
    perWindow: amount.nullable(),
    window: z.number().int().nullable(),
    maxFloat: amount.nullable(),
    startsAt: time,
    expiresAt: time.nullable(),
    hold: z.enum(['day', 'total']),
    status: z.enum(['active', 'revoked']),
  })
  .meta({ id: 'Grant' })

/** As `Permission.serialize` writes it: `Permission.parse(JSON.stringify(permission))` reads it. */
export const PermissionJson = z
  .object({
    version: z.literal(1),
    chainId: z.number().int(),
    account: address,
    spender: address,
    token: address,
    allowance: amount,
    period: time,
    start: time,
    end: time,
    salt: z.string().meta({ description: 'uint256, decimal' }),
    extraData: hex,
  })
  .meta({ id: 'Permission' })

/** For `eth_signTypedData_v4`, with every integer as a decimal string. */
export const TypedDataJson = z
  .object({
    domain: z.object({
      name: z.string(),
      version: z.string(),
      chainId: z.number().int(),
      verifyingContract: address,
    }),
    types: z.record(z.string(), z.array(z.object({ name: z.string(), type: z.string() }))),
    primaryType: z.string(),
    message: z.record(z.string(), z.unknown()),
  })
  .meta({ id: 'TypedData' })

/** `Coverage.of`, amounts as decimal strings: a `limit` that is a string is an amount, a number a date or a count. */
export const CoverageJson = z
  .object({
    rail: z.enum(['direct', 'guard', 'purse']),
    token: z.object({ symbol: z.string(), decimals: z.number().int() }),
    caps: z.array(
      z.object({
        cap: z.string(),
        limit: z.union([amount, z.number(), z.null()]),
        holder: z.enum(['chain', 'chain (conservative)', 'process', 'none']),
        words: z.string(),
      }),
    ),
    end: time.nullable(),
    from: time,
    worst: z.object({ second: amount, utcDay: amount, day: amount, life: amount.nullable() }),
    bound: z.enum(['exact', 'conservative']),
    warnings: z.array(z.string()),
  })
  .meta({ id: 'Coverage' })

/** Something that a person should read. `code` is stable, such as `SPM_NOT_OWNER`. */
export const Warning = z.object({ code: z.string(), message: z.string() }).meta({ id: 'Warning' })

/** Names that whoever asks gives to payees. They are not checked by anybody. */
export const Names = z
  .array(z.strictObject({ address, name: line(80) }))
  .max(100)
  .meta({ id: 'Names' })

export const Config = z
  .object({
    chainId: z.number().int(),
    rpcUrl: z.string().optional(),
    guard: address,
    spendPermissionManager: address,
    token: z.object({ address, symbol: z.string(), decimals: z.number().int() }),
    explorerUrl: z.string().optional(),
    development: z.boolean(),
  })
  .meta({ id: 'Config' })

export type ErrorAnswer = z.infer<typeof ErrorAnswer>
export type GrantJson = z.infer<typeof GrantJson>
export type PermissionJson = z.infer<typeof PermissionJson>
export type TypedDataJson = z.infer<typeof TypedDataJson>
export type CoverageJson = z.infer<typeof CoverageJson>
export type Warning = z.infer<typeof Warning>
export type Names = z.infer<typeof Names>
export type Config = z.infer<typeof Config>
