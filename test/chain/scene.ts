import { expect } from 'vitest'
import type * as Permission from '../../src/Permission.js'
import * as Spm from '../../src/Spm.js'
import type { Base, CreateWalletOptions } from '../../src/testing/index.js'
import * as kit from './kit.js'

/** What every action says of a transaction that did what it was for. */
export const mined = {
  hash: expect.stringMatching(/^0x[0-9a-f]{64}$/),
  blockNumber: expect.any(BigInt),
  gasUsed: expect.any(BigInt),
  effectiveGasPrice: expect.any(BigInt),
}

/**
 * A wallet of an EOA with a thousand USDC, its agent, a stranger, and a permission of 100 units a day for three
 * days that nobody has approved.
 */
export async function scene(
  base: Base,
  options: CreateWalletOptions = {},
  terms: Partial<Permission.Permission> = {},
) {
  const ownerKey = await base.createAccount()
  const agentKey = await base.createAccount()
  const strangerKey = await base.createAccount()
  const wallet = await base.createWallet({ owner: ownerKey, usdc: kit.usd('1000'), ...options })
  const permission = await kit.permissionOf(base, wallet.address, agentKey.address, terms)
  const clients = {
    owner: kit.clientOf(base, ownerKey),
    agent: kit.clientOf(base, agentKey),
    stranger: kit.clientOf(base, strangerKey),
  }
  return { wallet: wallet.account, permission, ownerKey, agentKey, strangerKey, ...clients }
}

/** As {@link scene}, approved. */
export async function approved(
  base: Base,
  options: CreateWalletOptions = {},
  terms: Partial<Permission.Permission> = {},
) {
  const it = await scene(base, options, terms)
  await Spm.approve(it.owner, { permission: it.permission })
  return it
}
