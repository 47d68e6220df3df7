import {
  type Address,
  type Hex,
  hexToBigInt,
  keccak256,
  maxUint256,
  numberToHex,
  pad,
  stringToHex,
} from 'viem'
import * as code from '../../abi/devnet.js'
import * as Addresses from '../Addresses.js'

/** A JSON-RPC request that puts something onto the chain outside of any transaction. */
export type Request = { method: string; params: unknown[] }

/** The implementation behind USDC's proxy on Base. */
export const usdcImplementation = '0x2Ce6311ddAE708829bc0784C967b7d77D19FD779'
/** The implementation that smart wallets of version 1 start with. */
export const coinbaseSmartWalletV1 = '0x000100abaad02f1cfC8Bbe32bD5a564817339E72'
/** The implementation that smart wallets of version 1.1 start with. */
export const coinbaseSmartWalletV1_1 = '0x00000110dCdEdC9581cb5eCB8467282f2926534d'
/** EntryPoint's helper, which calls the factories: the first contract that EntryPoint made. */
const senderCreator06 = '0x7fc98430eAEdbb6070B35B39D798725049088348'

const usdc = Addresses.usdc[8453]
/** Who has every role of the offline USDC (owner, master minter, pauser, blacklister, rescuer); nobody has its key. */
const circle: Address = '0x00000000000000000000000000000000c17c1e00'
/** The proxy's admin, which can do nothing but upgrade. */
const proxyAdmin: Address = '0x00000000000000000000000000000000c17c1e01'

const places: readonly (readonly [Address, Hex])[] = [
  [Addresses.spendPermissionManager, code.spendPermissionManager],
  [Addresses.publicERC6492Validator, code.publicERC6492Validator],
  [Addresses.magicSpend, code.magicSpend],
  [Addresses.coinbaseSmartWalletFactoryV1, code.coinbaseSmartWalletFactoryV1],
  [Addresses.coinbaseSmartWalletFactoryV1_1, code.coinbaseSmartWalletFactoryV1_1],
  [coinbaseSmartWalletV1, code.coinbaseSmartWalletV1],
  [coinbaseSmartWalletV1_1, code.coinbaseSmartWalletV1_1],
  [usdc, code.usdc],
  [usdcImplementation, code.usdcImplementation],
  [Addresses.entryPoint06, code.entryPoint06],
  [senderCreator06, code.senderCreator06],
  [Addresses.multicall3, code.multicall3],
]

/**
 * What makes a bare chain an offline Base, as of its block 0: all by code and storage. anvil brings the CREATE2
 * deployer itself, which puts the guard there in block 1.
 */
export function genesis(): Request[] {
  return [
    ...places.map(([address, bytes]) => ({ method: 'anvil_setCode', params: [address, bytes] })),
    // EntryPoint's reentrancy guard, as its constructor leaves it.
    store(Addresses.entryPoint06, 2n, 1n),
    ...usdcStorage(),
  ]
}

/** The state that USDC's initializers leave behind, written to the slots of FiatTokenV2_2. */
function usdcStorage(): Request[] {
  const blacklisted = 1n << 255n
  const balance = keccak256(`0x${pad(usdc).slice(2)}${numberToHex(9, { size: 32 }).slice(2)}`)
  const values: readonly (readonly [slot: bigint, value: bigint])[] = [
    [hexToBigInt(keccak256(stringToHex('org.zeppelinos.proxy.implementation'))), BigInt(usdcImplementation)],
    [hexToBigInt(keccak256(stringToHex('org.zeppelinos.proxy.admin'))), BigInt(proxyAdmin)],
    [0n, BigInt(circle)], // owner
    [1n, BigInt(circle)], // pauser, and `paused` above it
    [2n, BigInt(circle)], // blacklister
    [4n, shortString('USD Coin')],
    [5n, shortString('USDC')],
    [6n, 6n], // decimals
    [7n, shortString('USD')],
    [8n, BigInt(circle) | (1n << 160n)], // master minter, and `initialized`
    [hexToBigInt(balance), blacklisted], // the token itself cannot hold tokens
    [14n, BigInt(circle)], // rescuer
    [18n, 3n], // the initializers of V2, V2_1 and V2_2 have run
  ]
  return values.map(([slot, value]) => store(usdc, slot, value))
}

function store(address: Address, slot: bigint, value: bigint): Request {
  const word = (value: bigint) => numberToHex(value & maxUint256, { size: 32 })
  return { method: 'anvil_setStorageAt', params: [address, word(slot), word(value)] }
}

/** Solidity's storage of a string under 32 bytes: the bytes from the left, twice their length at the right. */
function shortString(text: string): bigint {
  const bytes = stringToHex(text)
  return hexToBigInt(pad(bytes, { dir: 'right' })) | BigInt(bytes.length - 2)
}
