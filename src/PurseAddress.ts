import { type Address, concat, getContractAddress, type Hex, numberToHex, size, zeroHash } from 'viem'
import { hardcapGuard, purseImplementation } from './Addresses.js'
import { type Key, key } from './GuardCall.js'
import type { Permission } from './Permission.js'
import * as Policy from './Policy.js'

/**
 * The purse of the permission's agent under its grant, deployed or not: a clone of `purseImplementation` with
 * immutable arguments, which the guard deploys. Equal to `purseOf` of the guard.
 *
 * @throws PolicyError where the permission has no policy
 */
export function address(permission: Permission): Address {
  return addressOf({ ...key(permission), agent: Policy.decode(permission.extraData).agent })
}

/** The purse of an agent under a grant: the same on every chain. */
export function addressOf(options: Omit<Key, 'chainId'> & { agent: Address }): Address {
  const { account, token, grantId, agent } = options
  return getContractAddress({
    opcode: 'CREATE2',
    from: hardcapGuard,
    salt: zeroHash,
    bytecode: initCode(concat([account, token, grantId, agent])),
  })
}

/** That of Solady's `LibClone.initCode(implementation, args)`: an ERC-1167 clone, with `args` behind its code. */
function initCode(args: Hex): Hex {
  const runtime = concat([
    '0x363d3d373d3d3d363d73',
    purseImplementation,
    '0x5af43d82803e903d91602b57fd5bf3',
    args,
  ])
  return concat(['0x61', numberToHex(size(runtime), { size: 2 }), '0x3d81600a3d39f3', runtime])
}
