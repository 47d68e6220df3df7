import { type Address, isAddress, isAddressEqual } from 'viem'
import { usdc } from './Addresses.js'
import { InputError } from './errors.js'

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

const circle = { decimals: 6, version: '2' } as const

/**
 * The tokens that hardcap knows, by chain id: plain ERC-20s of Circle's. Tokens that take a fee or rebase are
 * not supported. EURC is listed so that it can be refused by name: it must never count as dollars.
 */
export const known: Readonly<Record<number, readonly Token[]>> = Object.freeze({
  8453: Object.freeze([
    Object.freeze({ ...circle, address: usdc[8453], symbol: 'USDC', currency: 'USD', name: 'USD Coin' }),
    Object.freeze({
      ...circle,
      address: '0x60a3E35Cc302bFA44Cb288Bc5a4F316Fdb1adb42',
      symbol: 'EURC',
      currency: 'EUR',
      name: 'EURC',
    }),
  ]),
  // On Base Sepolia the contract was deployed with its symbol as its name.
  84532: Object.freeze([
    Object.freeze({ ...circle, address: usdc[84532], symbol: 'USDC', currency: 'USD', name: 'USDC' }),
  ]),
})

/**
 * The token that a symbol or an address stands for on a chain.
 *
 * @throws InputError `UNKNOWN_TOKEN`, or `INVALID_ADDRESS` for an address whose checksum is wrong
 */
export function resolve(value: unknown, options: { chainId: number; field: string }): Token {
  const { chainId, field } = options
  const tokens = known[chainId] ?? []
  const valid = tokens.map((token) => `"${token.symbol}" or ${token.address}`).join(', ')

  if (typeof value === 'string' && /^0x[0-9a-f]{40}$/i.test(value)) {
    if (!isAddress(value))
      throw new InputError('INVALID_ADDRESS', { field, given: value, valid, why: 'The checksum is wrong.' })
    const token = tokens.find((token) => isAddressEqual(token.address, value))
    if (token) return token
  }
  const token = tokens.find((token) => token.symbol === value)
  if (token) return token
  throw new InputError('UNKNOWN_TOKEN', {
    field,
    given: value,
    valid,
    why: `Not a token that hardcap knows on chain ${chainId}.`,
  })
}
