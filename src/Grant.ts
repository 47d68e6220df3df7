import type { Address, Hex } from 'viem'
import type { Token } from './Token.js'

/**
 * What a person agrees to: who may spend whose money, for what, how much and how long.
 * Amounts are base units of the token, times are unix seconds, intervals are half open
 * (`startsAt <= now < expiresAt`). Plain data: `serialize` and `parse` round-trip it.
 */
export type Grant = {
  readonly version: 1
  /** 32 random bytes. Stays the same when the grant is replaced by one with other terms. */
  readonly grantId: Hex
  /** The caller's own name for the grant; the grantId where none was given. */
  readonly id: string
  /** The smart wallet whose money is spent. */
  readonly owner: Address
  /** The agent's own EOA, used for nothing else. */
  readonly agent: Address
  readonly chainId: number
  readonly token: Token
  /** How money moves: `direct` is the agent's EOA as the permission's spender. */
  readonly rail: 'direct'
  /** Sorted by host. An entry without payees binds the host to nobody. */
  readonly allow: readonly Allowed[]
  readonly perCall: bigint
  readonly perTask: bigint | null
  readonly perDay: bigint | null
  readonly total: bigint | null
  readonly startsAt: number
  readonly expiresAt: number | null
  /** What the permission's allowance mirrors where both a day cap and a total exist. */
  readonly hold: 'day' | 'total'
  readonly status: 'active' | 'revoked'
}

/** A host and the payees that it is bound to. */
export type Allowed = {
  /** Lower-case ASCII host with an optional port, such as `api.example.com` or `127.0.0.1:4021`. */
  readonly host: string
  /** Checksummed, sorted, without duplicates; empty where the host is bound to nobody. */
  readonly payTo: readonly Address[]
}
