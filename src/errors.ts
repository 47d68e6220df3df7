/**
 * Base of every error that hardcap throws on purpose. The message says what happened, with which
 * values, and what to do; `code` is stable and meant for programs; `figures` carries the values.
 */
export class HardcapError<code extends string = string> extends Error {
  override readonly name: string = 'HardcapError'
  readonly code: code
  /** The values that the message names: amounts in base units (bigint), times in unix seconds. */
  readonly figures: Readonly<Record<string, unknown>>
  /** Whether the same call can succeed later without anybody changing the grant. */
  readonly retryable: boolean

  constructor(
    code: code,
    message: string,
    options: { figures?: Record<string, unknown>; retryable?: boolean; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.figures = options.figures ?? {}
    this.retryable = options.retryable ?? false
  }
}

/** What can be wrong with a value that a caller handed in. */
export type InputCode =
  | 'INVALID_AMOUNT'
  | 'INVALID_DATE'
  | 'INVALID_HOST'
  | 'DUPLICATE_HOST'
  | 'EMPTY_ALLOWLIST'
  | 'INVALID_ADDRESS'
  | 'INVALID_VALUE'
  | 'UNKNOWN_FIELD'
  | 'CAP_MISSING'
  | 'CAP_CONFLICT'
  | 'RAIL_CONFLICT'
  | 'PAYEES_MISSING'
  | 'UNKNOWN_CHAIN'
  | 'UNKNOWN_TOKEN'
  | 'TOKEN_NOT_USD'
  | 'UNKNOWN_VERSION'

/** A value that cannot be read, or that makes no sense: names the field, what was given, what is valid. */
export class InputError extends HardcapError<InputCode> {
  override readonly name = 'InputError'
  /** The path of the field in what was handed in, such as `allow[2].host`. */
  readonly field: string
  /** What was given, shortened for reading. */
  readonly given: string
  /** What would have been valid. */
  readonly valid: string

  constructor(
    code: InputCode,
    options: {
      field: string
      given: unknown
      valid: string
      why: string
      /** Further values that the message names. */
      figures?: Record<string, unknown>
    },
  ) {
    const given = show(options.given)
    super(code, `${options.field}: ${options.why} Given: ${given}. Valid: ${options.valid}.`, {
      figures: { field: options.field, given, valid: options.valid, ...options.figures },
    })
    this.field = options.field
    this.given = given
    this.valid = options.valid
  }
}

/** A value as a person would recognise it, on one line and never longer than 120 characters. */
export function show(value: unknown): string {
  const text =
    typeof value === 'string'
      ? JSON.stringify(value)
      : typeof value === 'bigint'
        ? `${value}n`
        : value instanceof Date
          ? `Date(${value.getTime()})`
          : typeof value === 'object' && value !== null
            ? Array.isArray(value)
              ? `an array of ${value.length}`
              : `an object with ${Object.keys(value).join(', ') || 'no fields'}`
            : String(value)
  return text.length > 120 ? `${text.slice(0, 117)}...` : text
}

/** What can be wrong with permissions as they are gathered, signed and verified. */
export type PermissionCode =
  | 'BATCH_EMPTY'
  | 'BATCH_MISMATCH'
  | 'BATCH_DUPLICATE'
  | 'SIGNER_MISMATCH'
  | 'CHAIN_MISMATCH'
  | 'VALIDATOR_MISSING'

/** A permission that cannot be gathered, signed or verified as asked. */
export class PermissionError extends HardcapError<PermissionCode> {
  override readonly name = 'PermissionError'
}

/** What can be wrong with the bytes of a policy: the guard's errors of the same names. */
export type PolicyCode = 'UNKNOWN_POLICY_VERSION' | 'MALFORMED_POLICY'

/** Bytes that are no policy, or none of a version that is known here. */
export class PolicyError extends HardcapError<PolicyCode> {
  override readonly name = 'PolicyError'
}
