import type { Address, Hex } from 'viem'

/**
 * Coinbase's SpendPermission struct, as it is signed (EIP-712) and kept, with the chain it is for.
 * Amounts in base units, times in unix seconds.
 */
export type Permission = {
  readonly chainId: number
  /** The smart wallet whose money is spent. */
  readonly account: Address
  /** Who may call `spend`: on the direct rail the agent's EOA. */
  readonly spender: Address
  readonly token: Address
  /** uint160: the most that one period may spend. */
  readonly allowance: bigint
  /** uint48: seconds. Periods are `[start + n*period, start + (n+1)*period)`, the last clipped to `end`. */
  readonly period: number
  /** uint48, inclusive. */
  readonly start: number
  /** uint48, exclusive. */
  readonly end: number
  /** uint256: commits to the whole grant and a nonce. */
  readonly salt: bigint
  readonly extraData: Hex
}
