import { concat, zeroHash } from 'viem'
import { hardcapGuardCode } from '../../abi/guardCode.js'
import { create2Deployer, hardcapGuard } from '../Addresses.js'
import type { Context } from './relay.js'
import { TestingError } from './TestingError.js'

/**
 * Puts HardcapGuard, and with it the implementation of purses, where they are on every chain, in one transaction of
 * the CREATE2 deployer. Nothing happens where they are already.
 * @returns whether a block was mined
 */
export async function deployGuard({ client, relay }: Context): Promise<boolean> {
  if ((await client.getCode({ address: hardcapGuard })) !== undefined) return false
  await relay({ to: create2Deployer, data: concat([zeroHash, hardcapGuardCode]) })
  if ((await client.getCode({ address: hardcapGuard })) !== undefined) return true
  throw new TestingError('ANVIL_FAILED', `HardcapGuard was deployed, but not at ${hardcapGuard}.`)
}
