import {
  type Address,
  type Client,
  erc20Abi,
  getAddress,
  type Hex,
  isAddressEqual,
  multicall3Abi,
  slice,
} from 'viem'
import { getBlock, getCode, multicall } from 'viem/actions'
import { coinbaseSmartWalletAbi, spendPermissionManagerAbi } from '../abi/index.js'
import { multicall3, nativeToken, spendPermissionManager } from './Addresses.js'
import { toChainError } from './ChainError.js'
import { type Permission, periodAt } from './Permission.js'
import { type Period, toPeriod, toStruct } from './SpmCall.js'
import type { Span } from './SpmEvent.js'
import { assertChain } from './Transaction.js'

/** The period that the block's time is in. Base units. */
type Metered = {
  readonly period: Span
  /** What the period has seen. */
  readonly spent: bigint
  /** What the period still lets out: the allowance less `spent`. */
  readonly remaining: bigint
  /** What a spend can take in the next second: `remaining`, and no more than the balance. */
  readonly spendable: bigint
}

type State =
  | {
      /** Revoked, for good, approved before or not. */
      readonly status: 'revoked'
      readonly approved: boolean
    }
  | {
      /** `now >= end`. For good. */
      readonly status: 'ended'
      readonly end: number
      readonly approved: boolean
      /** The last period that saw a spend; all zeros where none did. */
      readonly last: Period
    }
  | {
      /** Nobody has submitted an approval yet. */
      readonly status: 'unapproved'
      /** Whether the account has code. A smart wallet without needs an ERC-6492 signature. */
      readonly deployed: boolean
    }
  | {
      /** Approved, and the account has no code: an EOA, which can approve but never be spent from. */
      readonly status: 'account-not-contract'
      readonly account: Address
    }
  | {
      /** SpendPermissionManager is not an owner of the smart wallet: every spend reverts until it is. */
      readonly status: 'spm-not-owner'
      readonly account: Address
    }
  | {
      /** `now < start`. */
      readonly status: 'before-start'
      readonly start: number
      /** Seconds until then. */
      readonly startsIn: number
    }
  | ({
      /** The period's allowance is spent. */
      readonly status: 'exhausted'
      /** When a new period begins; null where this one is the last. */
      readonly resetsAt: number | null
    } & Metered)
  | ({
      /** The account has less of the token than the period still lets out. */
      readonly status: 'balance-low'
    } & Metered)
  | ({
      /**
       * The agent's EOA carries an EIP-7702 delegation. It can still spend, but so may whoever its delegate's code
       * obeys, and a plain ECDSA signature of it is no longer enough for contracts: a person should look.
       */
      readonly status: 'agent-delegated'
      readonly delegate: Address
    } & Metered)
  | ({
      /** All is well. */
      readonly status: 'active'
    } & Metered)

/** The name of a state. */
export type Name = State['status']

/** The state of a permission at one block. */
export type Status = State & {
  /** Chain time: the timestamp of the block, unix seconds. */
  readonly now: number
  readonly block: { readonly number: bigint; readonly hash: Hex }
  /** What the account has of the permission's token, base units. */
  readonly balance: bigint
  /** What is true besides, in order of precedence. */
  readonly warnings: readonly Exclude<Name, 'active'>[]
}

/**
 * Where a permission stands, read at one block: the latest, or `blockNumber`. All reads name the block's hash, so
 * a reorganisation in between is an error and not a mixture.
 *
 * Several states can be true at once. `status` is the first of these that is, `warnings` are the others:
 * what is for good (`revoked`, `ended`), what the owner has to do (`unapproved`, `account-not-contract`,
 * `spm-not-owner`), what time brings (`before-start`, `exhausted`), what money brings (`balance-low`), what a
 * person should look at although spending works (`agent-delegated`); `active` when none is.
 *
 * The rules are SpendPermissionManager's (SpendPermissionManager.sol): start inclusive, end exclusive, `isApproved`
 * stays true after a revoke, the period is what `getCurrentPeriod` answers. A transaction that is mined later meets
 * a later time than `now`.
 *
 * @throws ChainError `WRONG_CHAIN`, `RPC_FAILED`
 */
export async function of(
  client: Client,
  options: { permission: Permission; blockNumber?: bigint | undefined },
): Promise<Status> {
  const { permission } = options
  const facts = await look(client, options)
  const { now, block, balance } = facts
  const meter = metered(permission, facts)
  const [first, ...rest] = problems(permission, facts, meter)
  const state: State = first ?? { status: 'active', ...meter }
  return { ...state, now, block, balance, warnings: rest.map(({ status }) => status) }
}

type Problem = Exclude<State, { status: 'active' }>

/** Every state but `active` that is true, in order of precedence. */
function problems(permission: Permission, facts: Facts, meter: Metered): Problem[] {
  const { account, start, end } = permission
  const { now, approved, balance, last } = facts
  const deployed = facts.accountCode !== undefined
  const delegate = delegateOf(facts.spenderCode)
  const found: Problem[] = []

  if (facts.revoked) found.push({ status: 'revoked', approved })
  if (now >= end) found.push({ status: 'ended', end, approved, last })
  if (!approved) found.push({ status: 'unapproved', deployed })
  // Before the approval a smart wallet may well be without code: its signature can deploy it.
  if (!deployed && approved) found.push({ status: 'account-not-contract', account })
  if (deployed && !facts.enabled) found.push({ status: 'spm-not-owner', account })
  if (now < start) found.push({ status: 'before-start', start, startsIn: start - now })
  if (meter.remaining === 0n) {
    found.push({ status: 'exhausted', resetsAt: meter.period.end < end ? meter.period.end : null, ...meter })
  }
  if (now < end && balance < meter.remaining) found.push({ status: 'balance-low', ...meter })
  if (delegate) found.push({ status: 'agent-delegated', delegate, ...meter })
  return found
}

/** Outside the dates there is no current period: then it is about the first one, untouched. */
function metered(permission: Permission, { current, balance }: Facts): Metered {
  const { start, end, allowance } = permission
  const period = current ?? { ...(periodAt(permission, start) ?? { start, end }), spent: 0n }
  const remaining = allowance - period.spent
  return {
    period: { start: period.start, end: period.end },
    spent: period.spent,
    remaining,
    spendable: remaining < balance ? remaining : balance,
  }
}

type Facts = {
  readonly now: number
  readonly block: { readonly number: bigint; readonly hash: Hex }
  readonly approved: boolean
  readonly revoked: boolean
  /** Whether SpendPermissionManager is an owner of the account. */
  readonly enabled: boolean
  readonly balance: bigint
  /** Undefined outside the permission's dates. */
  readonly current: Period | undefined
  readonly last: Period
  readonly accountCode: Hex | undefined
  readonly spenderCode: Hex | undefined
}

async function look(
  client: Client,
  options: { permission: Permission; blockNumber?: bigint | undefined },
): Promise<Facts> {
  const { permission, blockNumber } = options
  const { account, spender, token } = permission
  const doing = 'Reading the status of the permission'
  await assertChain(client, permission.chainId, doing)
  const args = [toStruct(permission)] as const
  const spm = { address: spendPermissionManager, abi: spendPermissionManagerAbi, args } as const
  try {
    const block = await getBlock(client, blockNumber === undefined ? {} : { blockNumber })
    const blockHash = block.hash
    const [answers, accountCode, spenderCode] = await Promise.all([
      multicall(client, {
        blockHash,
        multicallAddress: multicall3,
        batchSize: 0,
        contracts: [
          { ...spm, functionName: 'isApproved' },
          { ...spm, functionName: 'isRevoked' },
          { ...spm, functionName: 'getLastUpdatedPeriod' },
          { ...spm, functionName: 'getCurrentPeriod' },
          isAddressEqual(token, nativeToken)
            ? { address: multicall3, abi: multicall3Abi, functionName: 'getEthBalance', args: [account] }
            : { address: token, abi: erc20Abi, functionName: 'balanceOf', args: [account] },
          {
            address: account,
            abi: coinbaseSmartWalletAbi,
            functionName: 'isOwnerAddress',
            args: [spendPermissionManager],
          },
        ],
      }),
      getCode(client, { address: account, blockHash }),
      getCode(client, { address: spender, blockHash }),
    ])
    const [approved, revoked, last, current, balance, enabled] = answers
    return {
      now: Number(block.timestamp),
      block: { number: block.number, hash: blockHash },
      approved: demand(approved),
      revoked: demand(revoked),
      last: toPeriod(demand(last)),
      // These two may revert: outside the dates, and for an account that is not a smart wallet.
      current: current.status === 'success' ? toPeriod(current.result) : undefined,
      enabled: enabled.status === 'success' && enabled.result,
      balance: demand(balance),
      accountCode,
      spenderCode,
    }
  } catch (error) {
    throw toChainError(error, doing)
  }
}

/** All answers come from one request: where it failed, those fail too that cannot revert. */
function demand<value>(
  answer: { status: 'success'; result: value } | { status: 'failure'; error: Error },
): value {
  if (answer.status === 'failure') throw answer.error
  return answer.result
}

/** EIP-7702: an EOA's code is `0xef0100` and the address that it delegates to. */
function delegateOf(code: Hex | undefined): Address | undefined {
  return code?.startsWith('0xef0100') ? getAddress(slice(code, 3, 23)) : undefined
}
