import type { Address } from 'viem'

/** An ERC-20 token that hardcap knows, with what its EIP-712 domain needs. */
export type Token = {
  readonly address: Address
  readonly symbol: string
  readonly decimals: number
  /** ISO 4217 code of the currency that one whole token stands for. */
  readonly currency: string
  /** EIP-712 domain name and version of the token's contract. */
  readonly name: string
  readonly version: string
}
