import {
  type Abi,
  BaseError,
  decodeErrorResult,
  type Hex,
  InsufficientFundsError,
  isHex,
  parseAbi,
  size,
  UserRejectedRequestError,
} from 'viem'
import { coinbaseSmartWalletAbi, hardcapGuardAbi, purseAbi, spendPermissionManagerAbi } from '../abi/index.js'
import { HardcapError, show } from './errors.js'
import { guardErrors } from './GuardAdvice.js'

export type Advice<code extends string = string> = {
  readonly code: code
  /** What to do about it. */
  readonly advice: string
  /** Whether the same call can succeed later with nobody changing anything. */
  readonly retryable?: true
}

/** By the name of the custom error in the contract: SpendPermissionManager.sol, MultiOwnable.sol, ERC-20. */
const customErrors = {
  InvalidSender: {
    code: 'INVALID_SENDER',
    advice: 'Only the expected address may make this call: send it from there.',
  },
  InvalidSignature: {
    code: 'INVALID_SIGNATURE',
    advice:
      "The permission's account did not sign exactly this permission: have it signed again by an owner of the account.",
  },
  EmptySpendPermissionBatch: {
    code: 'EMPTY_SPEND_PERMISSION_BATCH',
    advice: 'A batch needs at least one permission.',
  },
  MismatchedAccounts: {
    code: 'MISMATCHED_ACCOUNTS',
    advice: 'A permission can only replace one of the same account.',
  },
  InvalidLastUpdatedPeriod: {
    code: 'INVALID_LAST_UPDATED_PERIOD',
    advice:
      'The old permission was spent from in the meantime: read getLastUpdatedPeriod again and decide anew.',
  },
  ZeroToken: { code: 'ZERO_TOKEN', advice: 'The token is the zero address: name the token.' },
  ERC721TokenNotSupported: {
    code: 'ERC721_TOKEN_NOT_SUPPORTED',
    advice: 'The token is an ERC-721: only ERC-20 tokens and the native token can be spent.',
  },
  ZeroSpender: { code: 'ZERO_SPENDER', advice: 'The spender is the zero address: name the agent.' },
  ZeroPeriod: { code: 'ZERO_PERIOD', advice: 'The period has to be at least one second.' },
  ZeroAllowance: { code: 'ZERO_ALLOWANCE', advice: 'The allowance has to be at least one base unit.' },
  InvalidStartEnd: { code: 'INVALID_START_END', advice: 'The start has to be before the end.' },
  ZeroValue: { code: 'ZERO_VALUE', advice: 'Spend at least one base unit.' },
  UnauthorizedSpendPermission: {
    code: 'UNAUTHORIZED_SPEND_PERMISSION',
    advice: 'The permission is not approved, or it is revoked: ask the owner for one that is.',
  },
  BeforeSpendPermissionStart: {
    code: 'BEFORE_SPEND_PERMISSION_START',
    advice: 'Wait for the start.',
    retryable: true,
  },
  AfterSpendPermissionEnd: {
    code: 'AFTER_SPEND_PERMISSION_END',
    advice: 'The permission has ended: ask the owner for a new one.',
  },
  SpendValueOverflow: { code: 'SPEND_VALUE_OVERFLOW', advice: 'The value is above the largest uint160.' },
  ExceededSpendPermission: {
    code: 'EXCEEDED_SPEND_PERMISSION',
    advice: 'The period would see more than its allowance: spend less, or wait for the next period.',
    retryable: true,
  },
  SpendTokenWithdrawAssetMismatch: {
    code: 'SPEND_TOKEN_WITHDRAW_ASSET_MISMATCH',
    advice: "Withdraw the permission's own token.",
  },
  SpendValueWithdrawAmountMismatch: {
    code: 'SPEND_VALUE_WITHDRAW_AMOUNT_MISMATCH',
    advice: 'Withdraw at most what is spent.',
  },
  InvalidWithdrawRequestNonce: {
    code: 'INVALID_WITHDRAW_REQUEST_NONCE',
    advice: "The low 128 bits of the nonce have to be those of the permission's hash.",
  },
  UnexpectedReceiveAmount: {
    code: 'UNEXPECTED_RECEIVE_AMOUNT',
    advice: 'SpendPermissionManager takes the native token only during a spend: do not send it any.',
  },
  SafeERC20FailedOperation: {
    code: 'TOKEN_REFUSED',
    advice: 'The token refused the transfer without saying why.',
  },
  Unauthorized: {
    code: 'WALLET_UNAUTHORIZED',
    advice:
      'The smart wallet refused a caller that is not one of its owners. If this was a spend, SpendPermissionManager is not an owner: the account has to enable it.',
  },
  AlreadyOwner: { code: 'ALREADY_OWNER', advice: 'Nothing is left to do: it is an owner already.' },
  ERC20InsufficientBalance: {
    code: 'INSUFFICIENT_BALANCE',
    advice: 'The account has less of the token than that: fund it.',
    retryable: true,
  },
  ERC20InsufficientAllowance: {
    code: 'TOKEN_REFUSED',
    advice: 'The account did not let SpendPermissionManager take the token.',
  },
} as const satisfies Record<string, Advice>

/** Asked in this order: contracts may have errors of the same name, which then mean other things. */
const sources: readonly { abi: Abi; errors: Readonly<Record<string, Advice<ChainCode>>> }[] = [
  {
    // What may come up through SpendPermissionManager: its own errors, the wallet's, and those of newer tokens.
    abi: [
      ...spendPermissionManagerAbi,
      ...coinbaseSmartWalletAbi,
      ...parseAbi([
        'error ERC20InsufficientBalance(address sender, uint256 balance, uint256 needed)',
        'error ERC20InsufficientAllowance(address spender, uint256 allowance, uint256 needed)',
      ]),
    ],
    errors: customErrors,
  },
  { abi: [...hardcapGuardAbi, ...purseAbi], errors: guardErrors },
]

/** By the beginning of a revert string: Circle's FiatTokenV2_2 still speaks in strings. */
const revertStrings = {
  'ERC20: transfer amount exceeds balance': {
    code: 'INSUFFICIENT_BALANCE',
    advice: 'The account has less of the token than that: fund it.',
    retryable: true,
  },
  Blacklistable: {
    code: 'BLACKLISTED',
    advice: 'The issuer of the token has blacklisted one of the parties.',
  },
  Pausable: { code: 'TOKEN_PAUSED', advice: 'The issuer has paused the token.', retryable: true },
} as const satisfies Record<string, Advice>

/**
 * Codes of {@link ChainError}. Those of SpendPermissionManager and the guard are their error names in SCREAMING_SNAKE_CASE
 * (in the order of its checks); the rest say what happened around it.
 */
export type ChainCode =
  | (typeof customErrors)[keyof typeof customErrors]['code']
  | (typeof guardErrors)[keyof typeof guardErrors]['code']
  | (typeof revertStrings)[keyof typeof revertStrings]['code']
  /** The chain refused for a reason that is not known here; `figures.reason` holds what it said. */
  | 'REVERTED'
  /** The permission was revoked before: approving it does nothing, for good. */
  | 'ALREADY_REVOKED'
  /** The transaction went through without doing what it was for. */
  | 'OUTCOME_MISSING'
  /** The permission's account has no code: an EOA can approve but never be spent from. */
  | 'ACCOUNT_NOT_CONTRACT'
  /** The client has no account to send from. */
  | 'ACCOUNT_MISSING'
  /** The client's account cannot do this: it is neither the one that has to, nor an owner of it. */
  | 'WRONG_SENDER'
  /** The client's account is an ERC-4337 account, which sends user operations and not transactions. */
  | 'SMART_ACCOUNT_CLIENT'
  /** The client talks to another chain than the permission is for. */
  | 'WRONG_CHAIN'
  /** The person behind the wallet said no. */
  | 'USER_REJECTED'
  /** The sender cannot pay for gas. */
  | 'INSUFFICIENT_GAS_FUNDS'
  /** The transaction was sent, or may have been, and was not seen mined: look for it before trying again. */
  | 'OUTCOME_UNKNOWN'
  /** The endpoint did not take a signed transaction; it is kept and sent again. */
  | 'NOT_BROADCAST'
  /** The endpoint did not answer, or not sensibly. Nothing was sent. */
  | 'RPC_FAILED'

/**
 * The chain, or the way to it, said no. `code` tells which no, `figures` carries the error's arguments by name
 * (base units as bigint, unix seconds as number).
 *
 * It has no `cause` on purpose: viem's errors carry the endpoint's URL, which often holds an API key.
 */
export class ChainError extends HardcapError<ChainCode> {
  override readonly name = 'ChainError'
}

/** What an action's error is made of: who threw what, and in which words the caller knows the action. */
export function toChainError(error: unknown, doing: string): ChainError {
  if (error instanceof ChainError) return error
  const data = revertData(error)
  if (data !== undefined) return fromRevert(data, doing)
  const cause = (type: new (...args: never[]) => Error) =>
    error instanceof BaseError ? error.walk((e) => e instanceof type) : null
  if (cause(UserRejectedRequestError)) {
    return new ChainError('USER_REJECTED', `${doing}: the wallet's user said no.`, { retryable: true })
  }
  if (cause(InsufficientFundsError)) {
    return new ChainError(
      'INSUFFICIENT_GAS_FUNDS',
      `${doing}: the sender cannot pay for gas. Fund it with the chain's native token.`,
      { retryable: true },
    )
  }
  const said =
    error instanceof BaseError ? error.shortMessage : error instanceof Error ? error.name : show(error)
  if (/revert/i.test(said)) return fromRevert('0x', doing)
  return new ChainError('RPC_FAILED', `${doing}: the endpoint did not answer as it should (${said}).`, {
    retryable: true,
  })
}

/** The error for what a call reverted with; empty data where nothing was said. */
export function fromRevert(data: Hex, doing: string): ChainError {
  const { name, figures, known: advice } = decode(data)
  if (name === 'Error') {
    const reason = String(figures[0])
    const known = Object.entries(revertStrings).find(([start]) => reason.startsWith(start))?.[1]
    return known
      ? refusal(known, `${doing}: the chain answered ${show(reason)}.`, { reason })
      : unknown(doing, show(reason), { reason })
  }
  if (advice !== undefined) {
    const listed = Object.entries(figures).map(([key, value]) => `${key} ${figure(value)}`)
    return refusal(advice, `${doing}: the chain answered ${name}(${listed.join(', ')}).`, figures)
  }
  if (name === 'Panic') return unknown(doing, `Panic(${figures[0]})`, { reason: `Panic(${figures[0]})` })
  if (size(data) === 0) return unknown(doing, 'nothing further', { reason: '' })
  return unknown(doing, `data that is not known here, ${data.slice(0, 10)}`, { reason: data })
}

function refusal(known: Advice<ChainCode>, what: string, figures: Record<string, unknown>): ChainError {
  return new ChainError(known.code, `${what} ${known.advice}`, {
    figures,
    retryable: known.retryable ?? false,
  })
}

function unknown(doing: string, said: string, figures: Record<string, unknown>): ChainError {
  return new ChainError('REVERTED', `${doing}: the chain refused and said ${said}.`, { figures })
}

/** A figure in a message. Structs, such as a stored period, are written with their fields. */
function figure(value: unknown): string {
  if (typeof value !== 'object' || value === null) return String(value)
  return `{ ${Object.entries(value)
    .map(([key, inner]) => `${key}: ${String(inner)}`)
    .join(', ')} }`
}

type Decoded = {
  name?: string
  /** The error's arguments, by name where they have one. */
  figures: Record<string, unknown>
  known?: Advice<ChainCode> | undefined
}

function decode(data: Hex): Decoded {
  for (const { abi, errors } of sources) {
    try {
      const { abiItem, args = [], errorName: name } = decodeErrorResult({ abi, data })
      const inputs: readonly { name?: string | undefined }[] = abiItem.type === 'error' ? abiItem.inputs : []
      // Solidity's own errors have no place in the ABI, so neither have the names of their arguments.
      const isOwn = name === 'Error' || name === 'Panic'
      const figures = args.map((value, i) => {
        const field = isOwn ? String(i) : (inputs[i]?.name ?? String(i))
        return [field, isTime(field) ? Number(value) : value]
      })
      return { name, figures: Object.fromEntries(figures), known: isOwn ? undefined : errors[name] }
    } catch {
      // Not one of these: the next may know it.
    }
  }
  return { figures: {} }
}

/** The guard's errors have times as uint256. */
function isTime(field: string): boolean {
  return field === 'deadline' || field === 'time'
}

/** The data that a call reverted with, wherever viem and the node have put it; undefined if it did not. */
function revertData(error: unknown): Hex | undefined {
  for (let at = error; typeof at === 'object' && at !== null; at = 'cause' in at ? at.cause : undefined) {
    const data = 'data' in at ? at.data : undefined
    const inner = typeof data === 'object' && data !== null && 'data' in data ? data.data : data
    if (isHex(inner)) return inner
  }
  return undefined
}
