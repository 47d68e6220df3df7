import {
  type Address,
  concat,
  encodeAbiParameters,
  encodeFunctionData,
  type Hex,
  maxUint160,
  type PrivateKeyAccount,
  slice,
} from 'viem'
import { coinbaseSmartWalletAbi, spendPermissionManagerAbi, usdcAbi } from '../../abi/index.js'
import { spendPermissionManager } from '../../src/Addresses.js'
import * as Permission from '../../src/Permission.js'
import * as Spm from '../../src/Spm.js'
import * as Time from '../../src/Time.js'
import type { Base } from '../../src/testing/index.js'
import type * as kit from './kit.js'

/** What a thief tries besides spending, none of which may work. Approvals come before what would use them. */
export async function tricksOf(
  base: Base,
  key: PrivateKeyAccount,
  permission: Permission.Permission,
  owned: Hex,
) {
  const { account, token } = permission
  const accomplice = await base.createAccount()
  const all = { ...permission, allowance: maxUint160, start: 0, end: Time.max, period: Time.max }
  const mine = await key.sign({ hash: Permission.hash(all) })
  const tricks: { name: string; raw: kit.Raw }[] = []
  const attempt = (name: string, to: Address, data: Hex, from = key) =>
    tricks.push({ name, raw: { from, call: { to, data, value: 0n }, gas: 800_000n } })

  const wrapped = (ownerIndex: bigint, inner: Hex) =>
    encodeAbiParameters(
      [{ type: 'tuple', components: [{ type: 'uint256' }, { type: 'bytes' }] }],
      [[ownerIndex, inner]],
    )
  const prepared = (to: Address, data: Hex, inner: Hex) =>
    concat([
      encodeAbiParameters([{ type: 'address' }, { type: 'bytes' }, { type: 'bytes' }], [to, data, inner]),
      '0x6492649264926492649264926492649264926492649264926492649264926492',
    ])
  const wallet = coinbaseSmartWalletAbi
  const join = encodeFunctionData({ abi: wallet, functionName: 'addOwnerAddress', args: [key.address] })

  for (const [name, signature] of [
    ['no signature', '0x'],
    ["the owner's signature of other terms", owned],
    ['his own signature', mine],
    ['his own signature as the first owner', wrapped(0n, mine)],
    ["his own signature as SpendPermissionManager's", wrapped(1n, mine)],
    ['his own signature as an owner that there is not', wrapped(2n, mine)],
    ['a preparation that makes him an owner', prepared(account, join, wrapped(2n, mine))],
    [
      'a preparation that approves',
      prepared(spendPermissionManager, Spm.prepareApprove({ permission: all }).data, mine),
    ],
  ] as const) {
    const { to, data } = Spm.prepareApproveWithSignature({ permission: all, signature })
    attempt(`approves with ${name}`, to, data)
  }

  const zeros = { start: 0, end: 0, spent: 0n }
  const { account: owner, period, start, end, ...details } = permission
  const batch = { account: owner, period, start, end, permissions: [details] }
  const { chainId: _, ...struct } = permission
  for (const [name, data] of [
    ['approves', Spm.prepareApprove({ permission: all }).data],
    ['revokes as the account', Spm.prepareRevoke({ permission }).data],
    ['replaces', Spm.prepareReplace({ from: permission, to: all, lastUpdatedPeriod: zeros }).data],
    [
      'approves a batch with the signature of one',
      encodeFunctionData({
        abi: spendPermissionManagerAbi,
        functionName: 'approveBatchWithSignature',
        args: [batch, owned],
      }),
    ],
    [
      'has MagicSpend pay for it',
      encodeFunctionData({
        abi: spendPermissionManagerAbi,
        functionName: 'spendWithWithdraw',
        args: [
          struct,
          1n,
          {
            signature: mine,
            asset: token,
            amount: 1n,
            nonce: BigInt(slice(Permission.hash(permission), 16)),
            expiry: Time.max,
          },
        ],
      }),
    ],
  ] as const) {
    attempt(name, spendPermissionManager, data)
  }

  const transfer = encodeFunctionData({ abi: usdcAbi, functionName: 'transfer', args: [key.address, 1n] })
  attempt(
    'makes the wallet transfer',
    account,
    encodeFunctionData({ abi: wallet, functionName: 'execute', args: [token, 0n, transfer] }),
  )
  attempt('makes himself an owner', account, join)
  attempt(
    'takes by allowance',
    token,
    encodeFunctionData({ abi: usdcAbi, functionName: 'transferFrom', args: [account, key.address, 1n] }),
  )
  attempt(
    'takes by EIP-3009',
    token,
    encodeFunctionData({
      abi: usdcAbi,
      functionName: 'transferWithAuthorization',
      args: [account, key.address, 1n, 0n, BigInt(Time.max), Permission.hash(permission), mine],
    }),
  )
  attempt(
    'gives himself an allowance by EIP-2612',
    token,
    encodeFunctionData({
      abi: usdcAbi,
      functionName: 'permit',
      args: [account, key.address, 1n, BigInt(Time.max), mine],
    }),
  )

  for (const [name, forged] of [
    ['all of it', all],
    ['a larger allowance', { ...permission, allowance: maxUint160 }],
    ['a later end', { ...permission, end: Time.max }],
    ['an earlier start', { ...permission, start: 0 }],
    ['shorter periods', { ...permission, period: 1 }],
    ['another salt', { ...permission, salt: permission.salt + 1n }],
    ['other data', { ...permission, extraData: '0x01' as const }],
  ] as const) {
    attempt(
      `spends from ${name}`,
      spendPermissionManager,
      Spm.prepareSpend({ permission: forged, amount: 1n }).data,
    )
  }
  for (const [name, spender] of [
    ["in the agent's name", permission.spender],
    ['in his own name', accomplice.address],
  ] as const) {
    const { data } = Spm.prepareSpend({ permission: { ...permission, spender }, amount: 1n })
    attempt(`has an accomplice spend ${name}`, spendPermissionManager, data, accomplice)
  }
  return tricks
}
