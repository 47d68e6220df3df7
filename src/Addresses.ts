import type { Address } from 'viem'

/**
 * HardcapGuard, the spender of permissions on the guard and purse rails, and what every purse is a clone of: the
 * same on every chain, as they follow from the guard's code.
 */
export {
  hardcapGuardAddress as hardcapGuard,
  purseImplementationAddress as purseImplementation,
} from '../abi/guard.js'

/** Coinbase's SpendPermissionManager, the singleton that holds and meters spend permissions. */
export const spendPermissionManager = '0xf85210B21cC50302F477BA56686d2019dC9b67Ad'

/** The validator that SpendPermissionManager asks about signatures of wallets, deployed or not (ERC-6492). */
export const publicERC6492Validator = '0xcfCE48B757601F3f351CB6f434CB0517aEEE293D'

/** Coinbase's MagicSpend, from which `spendWithWithdraw` tops an account up. */
export const magicSpend = '0x011A61C07DbF256A68256B1cB51A5e246730aB92'

/** The factory of Coinbase Smart Wallets, version 1. */
export const coinbaseSmartWalletFactoryV1 = '0x0BA5ED0c6AA8c49038F819E587E2633c4A9F428a'

/** The factory of Coinbase Smart Wallets, version 1.1. */
export const coinbaseSmartWalletFactoryV1_1 = '0xBA5ED110eFDBa3D005bfC882d75358ACBbB85842'

/** The ERC-4337 EntryPoint, version 0.6, which Coinbase Smart Wallets obey. */
export const entryPoint06 = '0x5FF137D4b0FDCD49DcA30c7CF57E578a026d2789'

/** Multicall3, through which many reads go as one. */
export const multicall3 = '0xcA11bde05977b3631167028862bE2a173976CA11'

/** The deterministic deployment proxy: the same CREATE2 address on every chain. */
export const create2Deployer = '0x4e59b44847b379578588920cA78FbF26c0B4956C'

/** How SpendPermissionManager names the native token (ERC-7528). */
export const nativeToken = '0xEeeeeEeeeEeEeeEeEeEeeEEEeeeeEeeeeeeeEEeE'

/** Circle's USDC (6 decimals, EIP-712 domain `USD Coin` / `2`) by chain id: Base and Base Sepolia. */
export const usdc = {
  8453: '0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913',
  84532: '0x036CbD53842c5426634e7929541eC2318f3dCF7e',
} as const satisfies Record<number, Address>
