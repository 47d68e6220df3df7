import { type Hex, hashTypedData } from 'viem'
import { spendPermissionManager } from './Addresses.js'
import { PermissionError } from './errors.js'
import type { Permission } from './Permission.js'

/**
 * Several permissions of one account that are signed at once: SpendPermissionManager's SpendPermissionBatch struct,
 * with the chain it is for. What is not in `permissions` is the same for all of them.
 */
export type Batch = Readonly<Pick<Permission, 'chainId' | 'account' | 'period' | 'start' | 'end'>> & {
  readonly permissions: readonly Details[]
}

/** What differs between the permissions of a batch. */
export type Details = Readonly<Pick<Permission, 'spender' | 'token' | 'allowance' | 'salt' | 'extraData'>>

const permissionTypes = {
  SpendPermission: [
    { name: 'account', type: 'address' },
    { name: 'spender', type: 'address' },
    { name: 'token', type: 'address' },
    { name: 'allowance', type: 'uint160' },
    { name: 'period', type: 'uint48' },
    { name: 'start', type: 'uint48' },
    { name: 'end', type: 'uint48' },
    { name: 'salt', type: 'uint256' },
    { name: 'extraData', type: 'bytes' },
  ],
} as const

const batchTypes = {
  SpendPermissionBatch: [
    { name: 'account', type: 'address' },
    { name: 'period', type: 'uint48' },
    { name: 'start', type: 'uint48' },
    { name: 'end', type: 'uint48' },
    { name: 'permissions', type: 'PermissionDetails[]' },
  ],
  PermissionDetails: [
    { name: 'spender', type: 'address' },
    { name: 'token', type: 'address' },
    { name: 'allowance', type: 'uint160' },
    { name: 'salt', type: 'uint256' },
    { name: 'extraData', type: 'bytes' },
  ],
} as const

/** The EIP-712 domain of SpendPermissionManager. */
function domain(chainId: number) {
  return {
    name: 'Spend Permission Manager',
    version: '1',
    chainId,
    verifyingContract: spendPermissionManager,
  } as const
}

/** What the owner's wallet shows and signs: EIP-712 typed data for `eth_signTypedData_v4` or a viem account. */
export function typedData(permission: Permission) {
  const { chainId, ...message } = permission
  return {
    domain: domain(chainId),
    types: permissionTypes,
    primaryType: 'SpendPermission',
    message,
  } as const
}

/** The permission's id on its chain: the EIP-712 digest, computed here, equal to `getHash` of the contract. */
export function hash(permission: Permission): Hex {
  return hashTypedData(typedData(permission))
}

/**
 * Gathers permissions that one signature is to approve.
 *
 * @throws PermissionError `BATCH_EMPTY`; `BATCH_MISMATCH` where chain, account, period, start or end differ, which
 * a batch has only one of; `BATCH_DUPLICATE` where a permission is there twice
 */
export function batch(permissions: readonly Permission[]): Batch {
  const [first, ...others] = permissions
  if (!first)
    throw new PermissionError('BATCH_EMPTY', 'A batch needs at least one permission: none was given.')
  for (const [i, other] of others.entries())
    for (const field of ['chainId', 'account', 'period', 'start', 'end'] as const) {
      const [one, another] = [first[field], other[field]]
      if (String(one).toLowerCase() === String(another).toLowerCase()) continue
      throw new PermissionError(
        'BATCH_MISMATCH',
        `All permissions of a batch have one ${field}: permission 0 has ${one} and permission ${i + 1} has ${another}.` +
          ' Sign them separately, or in one batch for each.',
        { figures: { field, index: i + 1, expected: one, actual: another } },
      )
    }
  const hashes = permissions.map(hash)
  const twice = hashes.findIndex((hash, i) => hashes.indexOf(hash) !== i)
  if (twice !== -1)
    throw new PermissionError(
      'BATCH_DUPLICATE',
      `Permission ${twice} of the batch is there twice. A second permission of the same terms needs another nonce.`,
      { figures: { index: twice, hash: hashes[twice] } },
    )
  return {
    chainId: first.chainId,
    account: first.account,
    period: first.period,
    start: first.start,
    end: first.end,
    permissions: permissions.map(({ spender, token, allowance, salt, extraData }) => ({
      spender,
      token,
      allowance,
      salt,
      extraData,
    })),
  }
}

/** What the owner's wallet shows and signs for a batch. */
export function batchTypedData(batch: Batch) {
  const { chainId, ...message } = batch
  return {
    domain: domain(chainId),
    types: batchTypes,
    primaryType: 'SpendPermissionBatch',
    message,
  } as const
}

/** The EIP-712 digest of a batch, computed here, equal to `getBatchHash` of the contract. */
export function batchHash(batch: Batch): Hex {
  return hashTypedData(batchTypedData(batch))
}
