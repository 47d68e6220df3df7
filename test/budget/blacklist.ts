import { type Address, parseAbi } from 'viem'
import { expect } from 'vitest'
import type { Base } from '../../src/testing/index.js'

const blacklistAbi = parseAbi([
  'function blacklister() view returns (address)',
  'function blacklist(address account)',
  'function unBlacklist(address account)',
])

/** As the issuer of the token does it, on a fork too. */
export async function blacklist(
  base: Base,
  token: Address,
  functionName: 'blacklist' | 'unBlacklist',
  account: Address,
) {
  const contract = { address: token, abi: blacklistAbi } as const
  const blacklister = await base.client.readContract({ ...contract, functionName: 'blacklister' })
  await base.impersonate(blacklister)
  const hash = await base.client.writeContract({
    ...contract,
    functionName,
    args: [account],
    account: blacklister,
  })
  expect(await base.client.waitForTransactionReceipt({ hash })).toMatchObject({ status: 'success' })
}
