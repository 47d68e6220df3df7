import { BaseError } from 'viem'
import { HardcapError } from '../errors.js'

/** What can go wrong between the page, the server and the wallet. Codes of the server come through as they are. */
export type OwnerErrorCode =
  | 'SERVER_UNREACHABLE'
  | 'SERVER_ANSWER'
  | 'NOT_CONNECTED'
  | 'WRONG_ACCOUNT'
  | 'WRONG_CHAIN'
  | 'WALLET_REJECTED'
  | 'WALLET_FAILED'
  | 'TYPED_DATA_DIFFERS'
  | 'NOT_ON_CHAIN'
  | 'WALLET_DIFFERS'
  | 'CALLS_FAILED'
  | 'CALLS_REPLACED'
  | (string & {})

/** An error that a page can show to the owner: the message says what happened and what to do. */
export class OwnerError extends HardcapError<OwnerErrorCode> {
  override readonly name = 'OwnerError'
  /** HTTP status, where a server answered. */
  readonly status: number | undefined

  constructor(
    code: OwnerErrorCode,
    message: string,
    options: {
      figures?: Record<string, unknown>
      retryable?: boolean
      cause?: unknown
      status?: number | undefined
    } = {},
  ) {
    super(code, message, options)
    this.status = options.status
  }
}

/** EIP-1193: the user said no. */
const rejected = 4001
/** EIP-5792: the user said no to an upgrade of the wallet. */
const rejectedUpgrade = 5750

/** What a wallet threw, in words for its owner. Errors of hardcap pass as they are. */
export function fromWallet(error: unknown, doing: string): Error {
  if (error instanceof HardcapError) return error
  const code = codeOf(error)
  if (code === rejected || code === rejectedUpgrade)
    return new OwnerError(
      'WALLET_REJECTED',
      `${doing}: you declined it in the wallet. Nothing was signed or sent.`,
      {
        cause: error,
        retryable: true,
      },
    )
  const message =
    error instanceof BaseError ? error.shortMessage : error instanceof Error ? error.message : ''
  return new OwnerError('WALLET_FAILED', `${doing}: the wallet failed. ${message}`.trim(), { cause: error })
}

function codeOf(error: unknown): number | undefined {
  const found = error instanceof BaseError ? error.walk((cause) => codeIn(cause) !== undefined) : error
  return codeIn(found)
}

function codeIn(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined
  return typeof error.code === 'number' ? error.code : undefined
}
